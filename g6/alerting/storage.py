"""Alerts on storage: what says that something collected is not safe, or does not reach a store."""

from g6.alerting.alert import Alert
from g6.alerting.phrases import increase_by, problem

STORAGE = (
    Alert(
        "G6JournalNotCommitting", "critical", problem("journal_not_committing"), "1m",
        "Minutes are collected and not durable",
        "The journal takes no minutes; they are held in memory, and a restart loses them.",
        "g6-storage", "journal_refused", follows=("G6Down", "G6DiskFull"),
    ),
    Alert(
        "G6DataDirectoryUnwritable", "warning", problem("data_directory_unwritable"), "1m",
        "The data directory cannot be written",
        "It is gone, read-only or not the one that G6 holds, and the stores in it wait; `g6 status` says which.",
        "g6-storage", "directory_unwritable", follows=("G6Down",),
    ),
    Alert(
        "G6DiskFull", "critical",
        f"{problem('disk_full')} or on (job, instance)"
        " (max by (job, instance) (max_over_time(g6_disk_free_bytes[2m])) < 64 * 1024 * 1024)", "1m",
        "The disk with the data is full",
        "Minutes cannot be stored. Make room: what G6 holds in memory is written as soon as there is some.",
        "g6-storage", "disk_full", follows=("G6Down",),
    ),
    Alert(
        "G6DiskLow", "warning",
        "max_over_time(g6_disk_free_bytes[5m]) / max_over_time(g6_disk_total_bytes[5m]) < 0.05", "5m",
        "Less than a twentieth of the disk is free",
        "{{ $value | humanizePercentage }} of the disk with the data is free.",
        "g6-storage", "disk_full", follows=("G6Down", "G6DiskFull"),
    ),
    Alert(
        "G6DiskFullSoon", "warning",
        "predict_linear(g6_disk_free_bytes[1h], $ahead_seconds) < 0 and on (job, instance)"
        " (last_over_time(g6_disk_free_bytes[2m]) / last_over_time(g6_disk_total_bytes[2m]) < 0.5)", "15m",
        "The disk is full within a day if it goes on like this",
        "At the pace of the last hour nothing is free in 24 hours.",
        "g6-storage", "disk_filling", seconds={"ahead_seconds": 86400}, follows=("G6Down", "G6DiskFull", "G6DiskLow"),
    ),
    Alert(
        "G6SinkFailing", "warning",
        f"{increase_by('g6_sink_errors_total', 'sink', '5m')} > 2.5", "2m",
        "A store takes nothing",
        "{{ $labels.sink }} failed {{ printf `%.0f` $value }} times in five minutes. Nothing is lost: the journal holds"
        " it, and the store is caught up by itself.",
        "g6-storage", "influx_gone", keeps="3m", follows=("G6Down", "G6DiskFull", "G6DataDirectoryUnwritable"),
    ),
    Alert(
        "G6SinkBehind", "warning",
        "min_over_time(g6_sink_lag_cycles[5m]) > 5", "5m",
        "A store is behind the journal",
        "{{ $labels.sink }} lacks {{ $value | humanize }} minutes that the journal has.",
        "g6-storage", "influx_gone", keeps="3m", follows=("G6Down", "G6DataDirectoryUnwritable"),
    ),
    Alert(
        "G6SinkRefusing", "warning",
        f"{increase_by('g6_sink_refused_lines_total', 'sink', '30m')} > 0", "1m",
        "A store refused lines for good",
        "{{ $labels.sink }} refused {{ printf `%.0f` $value }} lines; they are kept in the data directory, each with"
        " the reason.",
        "g6-storage", "influx_refuses", keeps="10m", follows=("G6Down",),
    ),
    Alert(
        "G6MastersDisagree", "warning",
        f"{increase_by('g6_masters_differences_total', '', '1d')} > 0", "1m",
        "The weekday masters did not agree with the daily files",
        "{{ printf `%.0f` $value }} totals differed at the close; the files decided, and the difference is in the log.",
        "g6-storage", "masters_bent", follows=("G6Down",),
    ),
    Alert(
        "G6VerificationLow", "warning", "max_over_time(g6_verify_score_ratio[10m]) < 0.98", "2m",
        "A day is not as whole as it should be",
        "The last verified day scored {{ $value | humanizePercentage }}; `g6 verify` says what is missing and why.",
        "g6-storage", "day_with_gaps", follows=("G6Down",),
    ),
    Alert(
        "G6ClosingIncomplete", "warning", "last_over_time(g6_closing_troubles[2m]) > 0", "2m",
        "Something could not be done after the close",
        "{{ $value | humanize }} things of the evening's work failed; the log names them, and they are tried again.",
        "g6-storage", "closing_refused", follows=("G6Down",),
    ),
)  # fmt: skip
