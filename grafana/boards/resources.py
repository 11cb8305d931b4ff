"""Resources and pressure: what the agent needs, and what it leaves out when it does not get it."""

from boards.board import Board, Query, Row, graph, stat

LEVELS = ((0, "normal", "green"), (1, "elevated", "yellow"), (2, "high", "orange"), (3, "critical", "red"))

BOARD = Board(
    "g6-resources",
    "G6 / Resources and pressure",
    "What the agent needs, what it leaves out when memory is short, and how its parts are.",
    (
        Row("Now", (
            stat("Memory level", "none", "0 normal to 3 critical; each step leaves more out.", "g6_governor_level",
                 words=LEVELS, alerts=("G6MemoryHigh", "G6MemoryCritical"), height=5),
            stat("Memory in use", "percentunit", "Of what the agent may hold. It steps down at 70, 80 and 90 %.",
                 "instance:g6_governor_used:ratio", bad_above=0.7, height=5, alerts=("G6MemoryHigh",)),
            stat("Active problems", "none", "What a person should know of; `g6 status` names each with what to do.",
                 "g6_problems_active", legend="{{severity}}", bad_above=1, height=5),
            stat("Up since", "dateTimeFromNow", "Often recent: it is started again and again.",
                 '1000 * process_start_time_seconds{job="g6"}', alerts=("G6Restarting",), height=5),
            stat("Version", "none", "What is running.", "g6_build_info", legend="{{version}} on Python {{python}}",
                 by_name=True, height=5),
        )),
        Row("Memory", (
            graph("Memory", "bytes", "Held (rss), its own part (uss), the limit. Held near the limit is pressure.",
                  Query("g6_governor_rss_bytes", "held"), Query("g6_governor_uss_bytes", "own"),
                  Query("g6_governor_limit_bytes", "limit"),
                  Query('process_resident_memory_bytes{job="g6"}', "at the scrape"),
                  alerts=("G6MemoryHigh",)),
            graph("Level", "none", "The level, the worst of a quarter of an hour, and steps in half an hour; many "
                  "steps are a limit right where the agent lives.",
                  Query("g6_governor_level", "level"), Query("instance:g6_governor_level:max15m", "worst of 15 min"),
                  Query("instance:g6_governor_transitions:increase30m", "steps in 30 min"),
                  alerts=("G6MemoryFlapping",)),
            graph("Left out", "none", "1 while this is left out. Greeks for long is a gap in what is stored.",
                  Query("g6_governor_shed", "{{kind}}"), alerts=("G6GreeksShed",)),
            graph("Given back", "bytes", "Memory given back in ten minutes; on the right, attempts, and those that "
                  "brought little.",
                  Query("increase(g6_governor_reclaimed_bytes_total[10m])", "bytes"),
                  Query("increase(g6_governor_reclaims_total[10m])", "attempts", "short"),
                  Query("increase(g6_governor_reclaims_ineffective_total[10m])", "in vain", "short")),
            graph("Waiting for memory", "percentunit", "Share of ten seconds in which something waited (PSI).",
                  Query("g6_governor_stalled_ratio", "some", quiet="not every kernel says it")),
        )),
        Row("Process", (
            graph("Processor", "percentunit", "Of one processor.",
                  Query('rate(process_cpu_seconds_total{job="g6"}[$__rate_interval])', "cpu")),
            graph("Open files", "short", "File descriptors open, and the most there may be.",
                  Query('process_open_fds{job="g6"}', "open"), Query('process_max_fds{job="g6"}', "most"),
                  alerts=("G6FilesNearlyAllOpen",)),
            graph("Address space", "bytes", "Grows with mapped files; no worry by itself.",
                  Query('process_virtual_memory_bytes{job="g6"}', "virtual")),
        )),
        Row("Parts", (
            graph("Components", "none", "0 ok, 1 degraded, 2 down. Look first for a line that is "
                  "not at the bottom.", Query("g6_component_state", "{{component}}"), alerts=("G6PartFailed",)),
            graph("Problems by name", "none", "1 while the agent names the problem; the runbook has the same name.",
                  Query("g6_problem_active == 1", "{{problem}}", quiet="a healthy agent names none"),
                  alerts=("G6ProviderTrouble", "G6QuotesStale", "G6ClockSkewed", "G6ClockStepped", "G6CheckBroken",
                          "G6DataDirectoryUnwritable")),
            graph("Calendar", "s", "Time until the session calendar ends. Under a month, install a newer one.",
                  Query("g6_calendar_known_until_timestamp_seconds - time()", "known for"),
                  alerts=("G6CalendarEnding",)),
        )),
        Row("Pages", (
            graph("Series", "short", "On each page. A growing number is a label that grows.",
                  Query('scrape_samples_post_metric_relabeling{job=~"g6.*"}', "{{job}}"),
                  Query("g6_exporter_options_series", "options, as rendered"), alerts=("G6CardinalityExceeded",)),
            graph("Size of the pages", "bytes", "Uncompressed.", Query("g6_exporter_page_bytes", "{{page}}")),
            graph("Time to render", "s", "Mean of each page.",
                  Query("rate(g6_exporter_render_seconds_total[5m]) / (rate(g6_exporter_renders_total[5m]) > 0)",
                        "{{page}}")),
            graph("Collectors that raised", "short", "Each leaves a part of a page out. Zero is right.",
                  Query("increase(g6_exporter_collector_errors_total[10m])", "in ten minutes"),
                  alerts=("G6ExporterFailing",)),
        )),
    ),
)  # fmt: skip
