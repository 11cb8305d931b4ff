"""Storage and delivery: whether everything is safe, and reaches each store."""

from boards.board import Board, Query, Row, graph, stat

BOARD = Board(
    "g6-storage",
    "G6 / Storage and delivery",
    "Is what was collected safe, does it reach every store, and was the day whole?",
    (
        Row("Now", (
            stat("Since the journal took a minute", "s", "Red beyond three minutes of an open market: minutes are held "
                 "in memory, and a restart loses them.", "time() - g6_journal_last_write_timestamp_seconds",
                 bad_above=180, alerts=("G6JournalNotCommitting",), height=5),
            stat("Minutes not yet durable", "none", "Held in memory until the journal takes them.",
                 "g6_journal_pending_cycles", bad_above=1, alerts=("G6JournalNotCommitting",), height=5),
            stat("Disk free", "percentunit", "Of the disk with the data.", "g6_disk_free_bytes / g6_disk_total_bytes",
                 good_above=0.05, alerts=("G6DiskLow", "G6DiskFull"), height=5),
            stat("Score of the last verified day", "percentunit", "1 is a whole day; below 0.98 something is missing.",
                 "g6_verify_score_ratio", good_above=0.98, alerts=("G6VerificationLow",), height=5,
                 quiet="no day has been closed yet"),
            stat("Undone after the close", "none", "Things of the evening's work that failed.", "g6_closing_troubles",
                 bad_above=1, alerts=("G6ClosingIncomplete",), height=5),
        )),
        Row("Journal", (
            graph("Minutes journalled", "short", "In five minutes; five of an open market.",
                  Query("increase(g6_journal_cycles_written_total[5m])", "written"),
                  Query("increase(g6_journal_errors_total[5m])", "not taken"),
                  Query("increase(g6_journal_lost_cycles_total[5m])", "lost"), alerts=("G6JournalNotCommitting",)),
            graph("Journal growth", "Bps", "Bytes a second.",
                  Query("rate(g6_journal_written_bytes_total[$__rate_interval])", "journal")),
            graph("Disk", "bytes", "Free, and where it will be in a day at the pace of the last hour; below zero it "
                  "is full by then.", Query("g6_disk_free_bytes", "free"),
                  Query("predict_linear(g6_disk_free_bytes[1h], 86400)", "in a day"),
                  alerts=("G6DiskFullSoon", "G6DiskLow")),
        )),
        Row("Stores", (
            graph("Behind the journal", "short", "Minutes that each store lacks. It catches up by itself.",
                  Query("g6_sink_lag_cycles", "{{sink}}"), alerts=("G6SinkBehind",)),
            graph("Attempts and failures", "short", "Of five minutes.",
                  Query("increase(g6_sink_runs_total[5m])", "{{sink}}"),
                  Query("increase(g6_sink_errors_total[5m])", "{{sink}} failed"), alerts=("G6SinkFailing",)),
            graph("Rows written", "short", "A second, by store; and writes to files.",
                  Query("rate(g6_sink_rows_written_total[$__rate_interval])", "{{sink}} rows"),
                  Query("rate(g6_sink_files_written_total[$__rate_interval])", "{{sink}} files")),
            graph("Bytes written", "Bps", "A second, by store.",
                  Query("rate(g6_sink_written_bytes_total[$__rate_interval])", "{{sink}}")),
            graph("Since each store took something", "s", "Grows while a store is away.",
                  Query("time() - g6_sink_last_success_timestamp_seconds", "{{sink}}"), alerts=("G6SinkFailing",)),
        )),
        Row("Repair and refusal", (
            graph("Lines refused for good", "short", "They are kept in the data directory, each with the reason.",
                  Query("increase(g6_sink_refused_lines_total[30m])", "{{sink}}"), alerts=("G6SinkRefusing",)),
            graph("Torn files repaired", "short", "After a crash; otherwise zero.",
                  Query("increase(g6_sink_repaired_files_total[30m])", "{{sink}}")),
            graph("Acknowledged, not yet certain", "short", "Minutes that a store has acknowledged and may still lose.",
                  Query("g6_sink_unconfirmed_cycles", "{{sink}}")),
        )),
        Row("The day", (
            graph("Masters that disagreed", "short", "Totals in which the streamed profile and the files differed.",
                  Query("increase(g6_masters_differences_total[1d])", "totals"), alerts=("G6MastersDisagree",)),
            graph("Minutes missing", "short", "That the last verified day lacks.",
                  Query("g6_verify_missing_cycles", "minutes"), alerts=("G6VerificationLow",)),
            graph("Archived and removed", "bytes", "Of a day: Parquet written, files let go by the retention.",
                  Query("increase(g6_archive_written_bytes_total[1d])", "archived"),
                  Query("increase(g6_retention_removed_bytes_total[1d])", "removed: {{kind}}")),
            stat("Last day closed", "dateTimeAsIso", "Yesterday's should be there in the morning.",
                 "1000 * g6_closing_day_timestamp_seconds", quiet="no day has been closed yet"),
            stat("Participants' last day", "dateTimeAsIso", "Of the exchange's files of participants; yesterday's "
                 "should be there in the morning. `g6 participants` says what is missing.",
                 "1000 * g6_participants_last_day_timestamp_seconds", legend="{{kind}}",
                 quiet="only where such files are fetched or imported"),
        )),
    ),
)  # fmt: skip
