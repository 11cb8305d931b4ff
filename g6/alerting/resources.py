"""Alerts on the agent: what it lacks, and what of it does not work."""

from g6.alerting.alert import Alert
from g6.alerting.phrases import increase_by, problem

RESOURCES, HEALTH = "g6-resources", "g6-collection"
# Series of /metrics with six indices and a broker; more than that is a label that grows.
METRICS_PAGE_SERIES = 900
OPTIONS_PAGE_SERIES = 100_000

RESOURCE = (
    Alert(
        "G6MemoryHigh", "warning", "min_over_time(g6_governor_level[2m]) >= 2", "5m",
        "Memory is short, and Greeks and derived measures are left out",
        "The memory level has been {{ $value }} for minutes; g6_governor_shed says what is left out.",
        RESOURCES, "memory_short", keeps="2m", follows=("G6Down", "G6MemoryCritical"),
    ),
    Alert(
        "G6MemoryCritical", "warning", "min_over_time(g6_governor_level[1m]) >= 3", "1m",
        "Memory is nearly gone, and strikes and far expiries are left out",
        "Only strikes around the money of the nearest expiries are collected until there is memory again.",
        RESOURCES, "memory_short", keeps="2m", follows=("G6Down",),
    ),
    Alert(
        "G6MemoryFlapping", "info", "instance:g6_governor_transitions:increase30m > 6.5", "1m",
        "The memory level goes up and down",
        "{{ printf `%.0f` $value }} steps in half an hour: the limit lies right where the agent lives.",
        RESOURCES, "memory_flapping", keeps="5m", follows=("G6Down",),
    ),
    Alert(
        "G6GreeksShed", "warning", 'min_over_time(g6_governor_shed{kind="greeks"}[10m]) == 1', "5m",
        "Greeks have been left out for long",
        "Rows have been stored without Greeks for a quarter of an hour.",
        RESOURCES, "memory_short", follows=("G6Down",),
    ),
    Alert(
        "G6FilesNearlyAllOpen", "warning",
        'min_over_time(process_open_fds{job="g6"}[5m]) / max_over_time(process_max_fds{job="g6"}[5m]) > 0.8', "5m",
        "The agent has nearly as many files open as it may",
        "{{ $value | humanizePercentage }} of its file descriptors are in use.",
        RESOURCES, "descriptors_short", follows=("G6Down",),
    ),
    Alert(
        "G6Restarting", "warning", 'changes(process_start_time_seconds{job="g6"}[30m]) > 2', "30s",
        "The agent is started again and again",
        "{{ $value | humanize }} starts in half an hour.",
        RESOURCES, "agent_restarting", keeps="5m",
    ),
    Alert(
        "G6PartFailed", "warning",
        problem("part_failed", "part_restarting"), "2m",
        "A background part fails",
        "A part that works beside the loop fails and is started again, or is given up. Minutes go on; `g6 status`"
        " names it.",
        RESOURCES, "part_fails", follows=("G6Down",),
    ),
    Alert(
        "G6ExporterFailing", "warning", f"{increase_by('g6_exporter_collector_errors_total', '', '10m')} > 2.5", "1m",
        "A part of the metrics is missing",
        "{{ printf `%.0f` $value }} collectors raised in ten minutes and were left out of a page.",
        RESOURCES, "collector_raises", keeps="5m", follows=("G6Down",),
    ),
    Alert(
        "G6CardinalityExceeded", "warning",
        f'max_over_time(scrape_samples_post_metric_relabeling{{job="g6"}}[1m]) > {METRICS_PAGE_SERIES}'
        f' or max_over_time(scrape_samples_post_metric_relabeling{{job="g6-options"}}[4m]) > {OPTIONS_PAGE_SERIES}',
        "5m",
        "A page has more series than it should ever have",
        "{{ $value | humanize }} series of job {{ $labels.job }}: a label has grown, or far more is collected than"
        " Prometheus is prepared for.",
        RESOURCES, "too_many_series", follows=("G6Down",),
    ),
    Alert(
        "G6ClockSkewed", "warning", problem("clock_skewed"), "3m",
        "The machine's clock is not the exchange's",
        "Quotes come from the future, or all are old: minutes are labelled wrongly.",
        RESOURCES, "clock_skewed", follows=("G6Down",),
    ),
    Alert(
        "G6ClockStepped", "info", problem("clock_stepped"), "30s",
        "The machine's clock was set",
        "The clock jumped while G6 ran. A minute may be missing or have been taken twice; the last tick counts.",
        RESOURCES, "clock_stepped", follows=("G6Down",),
    ),
    Alert(
        "G6CalendarEnding", "warning",
        "max_over_time(g6_calendar_known_until_timestamp_seconds[10m]) - time() < $month_seconds", "10m",
        "The session calendar ends within a month",
        "The days after it are refused. It ends in {{ $value | humanizeDuration }}.",
        HEALTH, "calendar_short", seconds={"month_seconds": 2592000}, follows=("G6Down",),
    ),
    Alert(
        "G6CheckBroken", "info", problem("check_broken"), "2m",
        "A health check of the agent broke",
        "The other checks go on; the log has the trace.",
        RESOURCES, "check_breaks", follows=("G6Down",),
    ),
    Alert(
        "G6Watchdog", "none", "vector(1)", "0s",
        "Alerting works",
        "Always fires, so that its silence at the receiver tells of a Prometheus or an Alertmanager that is gone.",
        HEALTH, "none",
    ),
)  # fmt: skip
