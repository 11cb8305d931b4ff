"""Collection health: whether every minute is recorded, and whether the source answers."""

from boards.board import Board, Query, Row, graph, stat

RATE = "$__rate_interval"

BOARD = Board(
    "g6-collection",
    "G6 / Collection health",
    "Is every minute of every index recorded, and does the source of quotes answer?",
    (
        Row("Now", (
            stat("Since the last recorded minute", "s", "Red beyond three minutes of an open market: nothing is being "
                 "recorded.", "instance:g6_cycle_last_success:age_seconds", alerts=("G6CollectionStalled", "G6Down"),
                 bad_above=180, height=5),
            stat("Market open", "none", "Closed explains why nothing is collected.",
                 "g6_market_open", legend="{{exchange}}", words=((0, "closed", "blue"), (1, "open", "green")),
                 height=5),
            stat("Quotes that came, one hour", "percentunit", "Share of the quotes asked for. The objective is 99 %; "
                 "below it the day's budget is being spent.", "1 - instance:g6_legs_missed:ratio_increase1h",
                 alerts=("G6QuoteLossFast",), good_above=0.99, decimals=2, height=5),
            stat("Budget left today", "percentunit", "Share of the day's budget for missing quotes (1 %) that is left. "
                 "Below zero more was lost than may be.", "instance:g6_legs_missed_budget:remaining_increase1d",
                 alerts=("G6QuoteLossSlow",), good_above=0, height=5),
            stat("Whole minutes, one hour", "percentunit", "Share of the cycles in which everything wanted was stored.",
                 "instance:g6_cycles_succeeded:ratio_increase1h", good_above=0.99, decimals=1, height=5),
        )),
        Row("Minutes", (
            graph("Cycles by outcome", "short", "Minutes begun in five, by what became of them. Anything but "
                  "succeeded is a minute with holes, or none.",
                  Query("increase(g6_cycles_started_total[5m])", "begun"),
                  Query("increase(g6_cycles_succeeded_total[5m])", "whole"),
                  Query("increase(g6_cycles_partial_total[5m])", "partial"),
                  Query("increase(g6_cycles_failed_total[5m])", "failed"),
                  Query("sum by (reason) (increase(g6_cycles_skipped_total[5m]))", "skipped: {{reason}}"),
                  alerts=("G6CyclesFailing", "G6MinutesMissed")),
            graph("Minutes begun", "short", "In five minutes: five of an open market. Zero while the market is open: "
                  "the loop hangs, and nothing is tried either.",
                  Query("increase(g6_cycles_started_total[5m])", "begun"),
                  Query("5 * max(g6_market_open)", "wanted"), alerts=("G6LoopStalled",)),
            graph("How long a minute takes", "s", "Nine of ten cycles take no longer than the upper line, half no "
                  "longer than the lower. Beyond sixty seconds minutes are missed.",
                  Query("instance:g6_cycle_duration_seconds:p90_rate5m", "9 of 10"),
                  Query("histogram_quantile(0.5, sum by (le) (rate(g6_cycle_duration_seconds_bucket[5m])))", "half"),
                  alerts=("G6CycleSlow", "G6CycleOverrun")),
            graph("Late and missed minutes", "short", "Minutes that began late or never, since the one before took "
                  "too long. Zero is right.",
                  Query("increase(g6_cycle_overruns_total[10m])", "late"),
                  Query('increase(g6_cycles_skipped_total{reason="overrun"}[10m])', "missed"),
                  alerts=("G6CycleOverrun", "G6MinutesMissed")),
        )),
        Row("Time", (
            graph("Where the time goes", "s", "Mean time of each stage in a minute. A stage that grows day by day is "
                  "where to look.",
                  Query(f"rate(g6_stage_seconds_total[{RATE}]) / (rate(g6_stage_runs_total[{RATE}]) > 0)",
                        "{{stage}}")),
            graph("What measures cost", "s", "Time of the eight dearest enrichers and measures in the minute, all "
                  "chains together. One that outgrows the others is where to look.",
                  Query("topk(8, g6_measure_seconds)", "{{measure}}")),
        )),
        Row("Quotes", (
            graph("Share of quotes lost", "percentunit", "The same loss over growing windows. A page is due when both "
                  "a long and a short one are high.",
                  *(Query(f"instance:g6_legs_missed:ratio_increase{window}", window)
                    for window in ("5m", "30m", "1h", "2h", "6h", "1d")),
                  alerts=("G6QuoteLossFast", "G6QuoteLossMedium", "G6QuoteLossSlow")),
            graph("Share that came, by index", "percentunit", "Below 80 % an index is hardly worth recording.",
                  Query("index:g6_legs_received:ratio_increase5m", "{{index}}"),
                  alerts=("G6IndexPartial", "G6IndexMissing")),
            graph("How each index fares", "percentunit", "Quotes that came, times chains stored, times legs valued: "
                  "1 is whole, a step down says which index to look at.",
                  Query("index:g6_health:score", "{{index}}"), alerts=("G6IndexMissing",)),
            graph("Refusals by reason", "short", "Chains or indices that were refused, in five minutes. The reason is "
                  "the first word of the runbook.",
                  Query("sum by (reason) (increase(g6_refusals_total[5m])) > 0", "{{reason}}",
                        quiet="nothing is refused on a healthy day"), alerts=("G6ChainsRefused",)),
        )),
        Row("The source", (
            stat("Who answers", "none", "The provider that answered the last minute. Another than the first of "
                 "providers.order is a failover.", "g6_provider_active == 1", legend="{{provider}}", by_name=True,
                 alerts=("G6ProviderFailingOver",)),
            graph("Calls and failures", "reqps", "Requests to the provider and those that failed.",
                  Query(f"sum by (endpoint) (rate(g6_provider_requests_total[{RATE}]))", "{{endpoint}}"),
                  Query(f"sum by (endpoint) (rate(g6_provider_request_failures_total[{RATE}]))", "{{endpoint}} failed"),
                  Query(f"sum by (kind) (rate(g6_provider_failures_total[{RATE}]))", "{{kind}}"),
                  alerts=("G6ProviderSilent",), broker=True),
            graph("How long calls take", "s", "Nine of ten calls take no longer. Beyond seven seconds they time out.",
                  Query("instance:g6_provider_request_seconds:p90_rate5m", "9 of 10"),
                  broker=True),
            graph("Waiting for the rate limit", "s", "Seconds of each minute that went into waiting for the broker's "
                  "limit; on the right, calls of five minutes that waited or were repeated.",
                  Query("60 * rate(g6_provider_limiter_wait_seconds_total[5m])", "{{endpoint}}"),
                  Query("increase(g6_provider_limiter_waits_total[5m])", "{{endpoint}} waits", "short"),
                  Query("increase(g6_provider_retries_total[5m])", "{{endpoint}} repeated", "short"),
                  alerts=("G6RateLimitPressure",), broker=True),
            graph("Breakers", "none", "0 closed, 1 half open, 2 open: no call goes out.",
                  Query("g6_breaker_state", "{{endpoint}}"), Query("increase(g6_breaker_opens_total[15m])",
                  "{{endpoint}} opened"), alerts=("G6BreakerOpen",), broker=True),
        )),
        Row("Login and instruments", (
            stat("Token", "none", "The state of each account's access token; anything but valid needs a person before "
                 "the open.", "g6_token_state == 1", legend="{{account}}: {{state}}", by_name=True,
                 alerts=("G6TokenDead", "G6LoginNeeded"), broker=True),
            stat("Token ends in", "s", "Under an hour while the market is open, somebody should log in again.",
                 "g6_token_expiry_timestamp_seconds - time()", legend="{{account}}", good_above=3600,
                 alerts=("G6TokenExpiring",), broker=True),
            stat("Age of the instruments", "s", "Of the list that contracts are planned from; beyond a day new strikes "
                 "are missing.", "time() - g6_instruments_day_timestamp_seconds", bad_above=104400,
                 alerts=("G6InstrumentsStale",), broker=True),
        )),
        Row("Stream", (
            graph("Stream", "short", "Messages and quotes a second, and what was dropped. Silence in an open market is "
                  "a stream that is gone.",
                  Query(f"rate(g6_stream_messages_total[{RATE}])", "messages"),
                  Query(f"rate(g6_stream_ticks_total[{RATE}])", "quotes"),
                  Query(f"rate(g6_stream_dropped_messages_total[{RATE}])", "dropped"),
                  Query(f"rate(g6_stream_filled_legs_total[{RATE}])", "supplied by REST"),
                  alerts=("G6StreamSilent",), broker=True),
            graph("Stream connections", "none", "1 while a connection lives, and how often it was made anew in a "
                  "quarter of an hour.",
                  Query("g6_stream_connected", "{{connection}} lives"),
                  Query("increase(g6_stream_reconnects_total[15m])", "{{connection}} made anew"),
                  alerts=("G6StreamReconnecting",), broker=True),
            graph("Silence of the stream", "s", "How old the last word of each connection and the last quote of each "
                  "exchange are. Beyond a minute of an open market REST has to supply.",
                  Query("time() - g6_stream_last_message_timestamp_seconds", "{{connection}}"),
                  Query("time() - g6_stream_last_tick_timestamp_seconds", "{{exchange}}"),
                  alerts=("G6StreamSilent",), broker=True),
            graph("Subscribed", "short", "Instruments on each connection. A connection takes 3,000.",
                  Query("g6_stream_instruments", "{{connection}}"), broker=True),
        )),
    ),
)  # fmt: skip
