"""Every metric of G6, one row each. Names are frozen: dashboards, alerts and other people's queries hang on them.

`python -m g6.metrics.catalogue` prints the table of `g6/metrics/README.md`.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from g6.metrics.naming import metric_name
from g6.model.chain import LEG_COLUMNS
from g6.model.columns import Aggregate, Scope

Type = Literal["counter", "gauge", "histogram"]
# What a series shows before it has been told anything. A count is 0 and a level of the market is NaN, since 0 would be
# a false price; an instant is absent, since 0 would be a last success in 1970.
Start = Literal["0", "NaN", "absent"]
Page = Literal["/metrics", "/metrics/options"]

# Edges: what a cycle takes when all is well, then the shares of a minute that matter.
CYCLE_BUCKETS_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0)
# A call to the broker: from a good line to its time-out.
REQUEST_BUCKETS_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
BUCKETS: Mapping[str, Sequence[float]] = {
    "g6_cycle_duration_seconds": CYCLE_BUCKETS_SECONDS,
    "g6_provider_request_seconds": REQUEST_BUCKETS_SECONDS,
}


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `budget` is the most series it may have with six indices and sixteen index and expiry code pairs."""

    name: str
    type: Type
    help: str
    readers: str
    labels: tuple[str, ...] = ()
    budget: int = 1
    start: Start = "0"
    page: Page = "/metrics"


INDEX, PAIR = ("index",), ("index", "expiry_code")

CYCLES = (
    Metric("g6_cycles_started_total", "counter", "Cycles begun", "alerts: loss; dashboard: agent"),
    Metric("g6_cycles_succeeded_total", "counter", "Cycles in which everything wanted was stored", "dashboard: agent"),
    Metric("g6_cycles_partial_total", "counter", "Cycles that stored a part of what was wanted", "alerts: loss"),
    Metric("g6_cycles_failed_total", "counter", "Cycles that stored nothing", "alerts: loss"),
    Metric("g6_cycles_skipped_total", "counter", "Minutes in which no cycle ran, by reason: the market was closed "
           "(once per closure), the cycle before overran, or the clock was set", "dashboard: agent", ("reason",), 3),
    Metric("g6_cycle_overruns_total", "counter", "Cycles that began late because the one before took too long",
           "alerts: overrun"),
    Metric("g6_cycle_duration_seconds", "histogram", "How long a cycle took, waiting excluded",
           "alerts: latency; dashboard: agent", (), 16),
    Metric("g6_cycle_last_success_timestamp_seconds", "gauge", "When a cycle last ended that was not failed",
           "alerts: staleness", start="absent"),
    Metric("g6_cycle_last_minute_timestamp_seconds", "gauge", "The minute that was recorded last, on the agent's clock "
           "(see g6_clock_info)", "dashboard: agent", start="absent"),
    Metric("g6_stage_seconds_total", "counter", "Time spent in each stage; over g6_stage_runs_total, the mean",
           "dashboard: agent", ("stage",), 14),
    Metric("g6_stage_runs_total", "counter", "How often each stage ran", "dashboard: agent", ("stage",), 14),
)  # fmt: skip

INDICES = (
    Metric("g6_legs_expected_total", "counter", "Quotes asked for", "alerts: burn rate", INDEX, 6),
    Metric("g6_legs_received_total", "counter", "Quotes answered", "alerts: burn rate", INDEX, 6),
    Metric("g6_legs_refused_total", "counter", "Quotes refused in part or whole, by defect", "dashboard: data quality",
           ("index", "defect"), 30),
    Metric("g6_chains_accepted_total", "counter", "Option chains stored", "alerts: loss", INDEX, 6),
    Metric("g6_chains_refused_total", "counter", "Refusals: of one chain, or of a whole index", "alerts: loss",
           INDEX, 6),
    Metric("g6_refusals_total", "counter", "The same refusals by reason", "alerts: loss; dashboard: data quality",
           ("reason",), 16),
    Metric("g6_anomalies_total", "counter", "Values out of the ordinary as they were collected, by series",
           "dashboard: data quality", ("series",), 5),
    Metric("g6_index_spot_points", "gauge", "Level of the index; NaN when it did not answer in the last cycle",
           "dashboard: market", INDEX, 6, "NaN"),
    Metric("g6_index_spot_frozen", "gauge", "1 while the index stands still in an auction and its options trade on",
           "dashboard: market", INDEX, 6),
    Metric("g6_index_expected_codes_mask", "gauge", "Expiry codes wanted: this_week 1, next_week 2, this_month 4, "
           "next_month 8", "dashboard: data quality", INDEX, 6),
    Metric("g6_index_collected_codes_mask", "gauge", "Expiry codes stored, in the same bits", "alerts: missing expiry",
           INDEX, 6),
    Metric("g6_index_last_snapshot_timestamp_seconds", "gauge", "When a chain of the index was last stored durably",
           "alerts: staleness", INDEX, 6, "absent"),
    Metric("g6_iv_legs_total", "counter", "Legs by what became of their implied volatility", "dashboard: valuation",
           ("index", "status"), 42),
)  # fmt: skip

STORES = (
    Metric("g6_journal_cycles_written_total", "counter", "Cycles made durable in the journal", "alerts: journal"),
    Metric("g6_journal_written_bytes_total", "counter", "Bytes written to the journal", "dashboard: storage"),
    Metric("g6_journal_errors_total", "counter", "Cycles that the journal did not take when they ended",
           "alerts: journal"),
    Metric("g6_journal_pending_cycles", "gauge", "Cycles held in memory until the journal takes them",
           "alerts: journal"),
    Metric("g6_journal_lost_cycles_total", "counter", "Cycles that were lost because as many waited as may",
           "dashboard: storage"),
    Metric("g6_journal_last_write_timestamp_seconds", "gauge", "When the journal last took a cycle", "alerts: journal",
           start="absent"),
    Metric("g6_sink_runs_total", "counter", "Attempts to bring the sink up to date", "alerts: sinks", ("sink",), 4),
    Metric("g6_sink_errors_total", "counter", "Attempts that failed", "alerts: sinks", ("sink",), 4),
    Metric("g6_sink_rows_written_total", "counter", "Rows written", "dashboard: storage", ("sink",), 4),
    Metric("g6_sink_written_bytes_total", "counter", "Bytes written", "dashboard: storage", ("sink",), 4),
    Metric("g6_sink_files_written_total", "counter", "Writes to files, one per file and cycle", "dashboard: storage",
           ("sink",), 4),
    Metric("g6_sink_repaired_files_total", "counter", "Files whose torn last line was moved aside", "alerts: sinks",
           ("sink",), 4),
    Metric("g6_sink_refused_lines_total", "counter", "Lines that the store refused for good; they are kept aside",
           "alerts: dead letters", ("sink",), 4),
    Metric("g6_sink_unconfirmed_cycles", "gauge", "Cycles that the store acknowledged and may not have written yet",
           "dashboard: storage", ("sink",), 4),
    Metric("g6_sink_lag_cycles", "gauge", "Cycles in the journal that the sink has not applied", "alerts: sinks",
           ("sink",), 4),
    Metric("g6_sink_last_success_timestamp_seconds", "gauge", "When an attempt last succeeded", "alerts: sinks",
           ("sink",), 4, "absent"),
)  # fmt: skip

# What is done with a day after its close.
CLOSING = (
    Metric("g6_closing_day_timestamp_seconds", "gauge", "Midnight, IST, of the last day that was closed",
           "alerts: verification", start="absent"),
    Metric("g6_closing_troubles", "gauge", "What could not be done after the last close, or was found wrong",
           "alerts: verification"),
    Metric("g6_verify_score_ratio", "gauge", "Data-quality score of the last day that was verified, 0 to 1",
           "alerts: verification; dashboard: data quality", start="NaN"),
    Metric("g6_verify_missing_cycles", "gauge", "Minutes that the last verified day lacks",
           "dashboard: data quality"),
    Metric("g6_masters_differences_total", "counter", "Totals in which the streamed masters and the daily files "
           "differed", "alerts: masters"),
    Metric("g6_archive_written_bytes_total", "counter", "Parquet written", "dashboard: storage"),
    Metric("g6_retention_removed_bytes_total", "counter", "Files that the retention removed, by kind",
           "dashboard: storage", ("kind",), 2),
)  # fmt: skip

ENDPOINT = ("endpoint",)

# What asking a broker goes through. Without a broker the labelled ones have no series.
BROKER = (
    Metric("g6_provider_active", "gauge", "1 for the provider that answered in the last cycle",
           "alerts: failing over; dashboard: broker", ("provider",), 4),
    Metric("g6_provider_failovers_total", "counter", "Cycles that this provider answered after another one",
           "alerts: failing over", ("provider",), 4),
    Metric("g6_provider_problems", "gauge", "Things about the providers that a person should know, in the last cycle",
           "dashboard: broker"),
    Metric("g6_provider_requests_total", "counter", "Calls that went out, repetitions included", "dashboard: broker",
           ENDPOINT, 10),
    Metric("g6_provider_request_failures_total", "counter", "Calls that failed", "alerts: provider", ENDPOINT, 10),
    Metric("g6_provider_failures_total", "counter", "Failures by kind, those that a breaker refused included",
           "alerts: provider, rate limit", ("kind",), 7),
    Metric("g6_provider_retries_total", "counter", "Calls that were repeated", "dashboard: broker", ENDPOINT, 10),
    Metric("g6_provider_limiter_waits_total", "counter", "Calls that waited for the rate limit", "alerts: rate limit",
           ENDPOINT, 10),
    Metric("g6_provider_limiter_wait_seconds_total", "counter", "Time spent waiting for the rate limit, on the "
           "agent's clock", "alerts: rate limit", ENDPOINT, 10),
    Metric("g6_provider_request_seconds", "histogram", "How long a call took, waiting excluded", "dashboard: broker",
           (), 11),
    Metric("g6_breaker_state", "gauge", "0 closed, 1 half open (one call tries), 2 open (no call goes out)",
           "alerts: breaker", ENDPOINT, 10),
    Metric("g6_breaker_opens_total", "counter", "How often the breaker opened", "alerts: breaker", ENDPOINT, 10),
    Metric("g6_token_state", "gauge", "1 for the state that the access token is in: absent, valid, expiring (within "
           "the hour), dead", "alerts: token", ("account", "state"), 8),
    Metric("g6_token_expiry_timestamp_seconds", "gauge", "When the access token ends", "alerts: token",
           ("account",), 2, "absent"),
    Metric("g6_instruments_day_timestamp_seconds", "gauge", "Midnight, IST, of the day whose instruments are in use",
           "alerts: stale instruments", start="absent"),
    Metric("g6_instruments_rows", "gauge", "Rows of the instruments dump in use", "dashboard: broker"),
    Metric("g6_instruments_bad_rows", "gauge", "Rows of it that could not be used", "dashboard: broker"),
    Metric("g6_stream_connected", "gauge", "1 while the WebSocket connection lives", "alerts: stream",
           ("connection",), 3),
    Metric("g6_stream_instruments", "gauge", "Instruments subscribed on the connection", "dashboard: broker",
           ("connection",), 3),
    Metric("g6_stream_last_message_timestamp_seconds", "gauge", "When the connection last said anything",
           "alerts: stream", ("connection",), 3, "absent"),
    Metric("g6_stream_last_tick_timestamp_seconds", "gauge", "When a quote of the exchange last came over the stream",
           "alerts: stream", ("exchange",), 2, "absent"),
    Metric("g6_stream_messages_total", "counter", "Messages of all connections", "dashboard: broker"),
    Metric("g6_stream_ticks_total", "counter", "Quotes in them", "dashboard: broker"),
    Metric("g6_stream_dropped_messages_total", "counter", "Messages that made no sense, or found the queue full",
           "alerts: stream"),
    Metric("g6_stream_reconnects_total", "counter", "Connections made anew", "alerts: stream", ("connection",), 3),
    Metric("g6_stream_filled_legs_total", "counter", "Legs that the stream lacked and REST supplied",
           "alerts: stream"),
)  # fmt: skip

AGENT = (
    Metric("g6_market_open", "gauge", "1 while the exchange is in session", "alerts: all that need an open market",
           ("exchange",), 2),
    Metric("g6_calendar_known_until_timestamp_seconds", "gauge", "End of the last day that the session calendar "
           "covers", "alerts: calendar", start="absent"),
    Metric("g6_exporter_renders_total", "counter", "Pages rendered", "dashboard: agent", ("page",), 2),
    Metric("g6_exporter_render_seconds_total", "counter", "Time spent rendering pages", "dashboard: agent",
           ("page",), 2),
    Metric("g6_exporter_page_bytes", "gauge", "Size of the page rendered last, uncompressed", "dashboard: agent",
           ("page",), 2),
    Metric("g6_exporter_options_series", "gauge", "Series on /metrics/options; 0 while it is emptied to save memory",
           "alerts: missing page"),
    Metric("g6_exporter_collector_errors_total", "counter", "Collectors that raised and were left out of a page",
           "alerts: exporter"),
    Metric("g6_build_info", "gauge", "1; what is running", "dashboard: agent", ("version", "python"), 1, "absent"),
    Metric("g6_clock_info", "gauge", "1; the clock that minutes follow: real or virtual", "dashboard: agent",
           ("kind",), 1, "absent"),
    Metric("g6_provider_info", "gauge", "1; who answered in the last cycle", "dashboard: agent",
           ("provider",), 1, "absent"),
)  # fmt: skip

# Memory, and what is left out because of it.
PRESSURE = (
    Metric("g6_governor_level", "gauge", "Memory pressure: 0 normal, 1 elevated, 2 high, 3 critical",
           "alerts: memory; dashboard: agent"),
    Metric("g6_governor_rss_bytes", "gauge", "Memory that the agent holds, as the governor saw it last",
           "alerts: memory; dashboard: agent", start="NaN"),
    Metric("g6_governor_limit_bytes", "gauge", "Memory that the agent may hold; NaN where nothing says how much",
           "alerts: memory; dashboard: agent", start="NaN"),
    Metric("g6_governor_uss_bytes", "gauge", "Memory that would be free if the agent ended", "dashboard: agent",
           start="NaN"),
    Metric("g6_governor_stalled_ratio", "gauge", "Share of the last 10 s in which something waited for memory (PSI); "
           "NaN where the kernel does not say", "alerts: memory; dashboard: agent", start="NaN"),
    Metric("g6_governor_shed", "gauge", "1 while this is left out", "alerts: memory; dashboard: agent", ("kind",), 6),
    Metric("g6_governor_transitions_total", "counter", "Steps from one level to another, by what made them: memory in "
           "use (rss), being slowed at memory.high, waiting for memory (psi), or the end of these", "alerts: memory; "
           "dashboard: agent", ("reason",), 4),
    Metric("g6_governor_reclaims_total", "counter", "Attempts to give memory back", "dashboard: agent"),
    Metric("g6_governor_reclaims_ineffective_total", "counter", "Those that freed less than a twentieth",
           "dashboard: agent"),
    Metric("g6_governor_reclaimed_bytes_total", "counter", "Memory given back", "dashboard: agent"),
)  # fmt: skip

# Read from health at each scrape.
HEALTH = (
    Metric("g6_component_state", "gauge", "Worst state of a kind of component: 0 ok, 1 degraded, 2 down, NaN unknown; "
           "/health has each one with its reason", "alerts: health; dashboard: agent", ("component",), 18),
    Metric("g6_problems_active", "gauge", "Problems that a person should know of; `g6 status` names each with what to "
           "do", "alerts: health; dashboard: agent", ("severity",), 2),
    Metric("g6_problem_active", "gauge", "1 while a person should know of this problem; the names are those of "
           "`g6 status`", "alerts: health", ("problem",), 40),
    Metric("g6_disk_free_bytes", "gauge", "What is free on the disk with the data; NaN where it cannot be read",
           "alerts: disk; dashboard: storage", start="NaN"),
    Metric("g6_disk_total_bytes", "gauge", "Size of the disk with the data", "alerts: disk; dashboard: storage",
           start="NaN"),
)  # fmt: skip

# Kept under the names that every Prometheus client uses, so that common dashboards show them.
PROCESS = (
    Metric("process_cpu_seconds_total", "counter", "Processor time of the agent", "dashboard: agent"),
    Metric("process_resident_memory_bytes", "gauge", "Memory that the agent holds", "alerts: memory"),
    Metric("process_virtual_memory_bytes", "gauge", "Address space of the agent", "dashboard: agent"),
    Metric("process_start_time_seconds", "gauge", "When the agent started", "alerts: restarts"),
    Metric("process_open_fds", "gauge", "Open file descriptors", "alerts: descriptors", start="absent"),
    Metric("process_max_fds", "gauge", "The most file descriptors it may open", "alerts: descriptors", start="absent"),
)

# One series per option and column; what a trader draws. Every other column is in the CSV files.
OPTION_COLUMNS = ("last", "bid", "ask", "iv", "delta", "gamma", "theta", "vega", "oi", "volume")
OPTION_LABELS = ("index", "expiry", "strike", "side")
OPTIONS_MINUTE = Metric(
    "g6_options_minute_timestamp_seconds", "gauge", "The minute that this page shows, on the agent's clock",
    "dashboard: options", start="absent", page="/metrics/options",
)  # fmt: skip

# What surrounds the options; breadth is that of the broad index, by default NIFTY 50.
MARKET = (
    Metric("g6_market_india_vix_percent", "gauge", "India VIX", "dashboard: market", start="NaN"),
    Metric("g6_market_advances_shares", "gauge", "Shares of the broad index above their previous close",
           "dashboard: market", start="NaN"),
    Metric("g6_market_declines_shares", "gauge", "Shares of it below their previous close", "dashboard: market",
           start="NaN"),
    Metric("g6_market_unknown_shares", "gauge", "Shares of it whose direction is not known: not quoted, stale, or held "
           "still by the closing auction", "dashboard: market", start="NaN"),
    Metric("g6_market_breadth_ratio", "gauge", "Advances less declines over the shares of known direction",
           "dashboard: market", start="NaN"),
    Metric("g6_market_mood_score_ratio", "gauge", "Score of the market's mood by its stated rules, -1 to 1",
           "dashboard: market", start="NaN"),
)  # fmt: skip
# On /metrics/options: of India VIX, each sector and collected index; and of each index's and industry's shares.
LEVEL_COLUMNS = ("last", "change_ratio")
GROUP_MEASURES = ("advances", "declines", "breadth")
SURROUNDING: Mapping[str, Metric] = {
    "last": Metric("g6_market_level_points", "gauge", "Level of India VIX, a sector or an index", "dashboard: market",
                   ("name",), 60, "absent", "/metrics/options"),
    "change_ratio": Metric("g6_market_level_change_ratio", "gauge", "Its change over its previous close",
                           "dashboard: market", ("name",), 60, "absent", "/metrics/options"),
    "advances": Metric("g6_market_group_advances_shares", "gauge", "Shares of an index or an industry above their "
                       "previous close", "dashboard: market", ("group",), 40, "absent", "/metrics/options"),
    "declines": Metric("g6_market_group_declines_shares", "gauge", "Shares of it below their previous close",
                       "dashboard: market", ("group",), 40, "absent", "/metrics/options"),
    "breadth": Metric("g6_market_group_breadth_ratio", "gauge", "Advances less declines over the shares of known "
                      "direction", "dashboard: market", ("group",), 40, "absent", "/metrics/options"),
}  # fmt: skip

# What a measure is said of → the labels of its gauge, and the series that it may have.
SCOPE_LABELS: Mapping[Scope, tuple[tuple[str, ...], int]] = {
    "chain": (PAIR, 16), "index": (INDEX, 6), "market": ((), 1),
}  # fmt: skip

CATALOGUE: tuple[Metric, ...] = (
    *CYCLES, *INDICES, *MARKET, *STORES, *CLOSING, *BROKER, *AGENT, *PRESSURE, *HEALTH, *PROCESS,
)  # fmt: skip


# Aggregates without a gauge, to keep the pages small: what PromQL makes of other series.
DERIVABLE_AGGREGATES: Mapping[str, str] = {
    "basis": "g6_chain_synthetic_future_points less g6_index_spot_points",
    "call_volume": "sum of g6_option_volume_units over the calls",
    "put_volume": "sum of g6_option_volume_units over the puts",
    "days_to_expiry": "the expiry is a label on /metrics/options",
}


def aggregate_metric(aggregate: Aggregate) -> Metric:
    """Return the gauge of an aggregate: `g6_chain_<name>_<unit>` per index and expiry code."""
    name = metric_name("chain", aggregate.name, aggregate.unit)
    return Metric(name, "gauge", aggregate.help, "dashboard: market", PAIR, 16, "NaN")


def option_metric(column: str) -> Metric:
    """Return the gauge of a leg's column: `g6_option_<name>_<unit>`. Raises KeyError for a column not in the schema."""
    spec = {c.name: c for c in LEG_COLUMNS}[column]
    name = metric_name("option", spec.name, spec.unit)
    return Metric(name, "gauge", spec.help, "dashboard: options", OPTION_LABELS, 5000, "absent", "/metrics/options")


def surrounding_metric(name: str) -> Metric:
    """Return the gauge of /metrics/options for a column of levels, or a measure of groups of shares."""
    return SURROUNDING[name]


def measure_metric(measure: Aggregate) -> Metric:
    """Return the gauge of a measure on /metrics/options, named by itself and its unit, after what it is said of.

    `g6_chain_<name>_<unit>` per index and expiry code, `g6_index_<name>_<unit>` per index, `g6_market_<name>_<unit>`.
    """
    labels, budget = SCOPE_LABELS[measure.scope]
    name = metric_name(measure.scope, measure.name.removeprefix(f"{measure.scope}_"), measure.unit)
    return Metric(name, "gauge", measure.help, "dashboard: market", labels, budget, "absent", "/metrics/options")


def off_metrics(measures: Iterable[Aggregate], on_metrics: Iterable[Metric]) -> Mapping[str, Metric]:
    """Return name of a measure → its gauge on /metrics/options, of those that neither /metrics nor PromQL has."""
    taken = {row.name for row in on_metrics}
    rows = {measure.name: measure_metric(measure) for measure in measures if measure.name not in DERIVABLE_AGGREGATES}
    return {name: row for name, row in rows.items() if row.name not in taken}


def with_aggregates(aggregates: Iterable[Aggregate]) -> tuple[Metric, ...]:
    """Return the rows of /metrics: the catalogue, and one gauge per aggregate whose name is not taken already."""
    rows = {row.name: row for row in CATALOGUE}
    for row in map(aggregate_metric, aggregates):
        rows.setdefault(row.name, row)
    return tuple(rows.values())


def as_markdown(rows: Sequence[Metric] | None = None) -> str:
    """Return the table for people; without `rows`, of every metric that has a fixed name."""
    chosen = rows or (*CATALOGUE, *map(option_metric, OPTION_COLUMNS), OPTIONS_MINUTE, *SURROUNDING.values())
    head = "| metric | type | labels | series ≤ | before it is known | what it says | who reads it |\n"
    return head + "|---|---|---|---|---|---|---|\n" + "".join(map(_table_row, chosen))


def _table_row(row: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in row.labels)
    told = "" if row.type == "histogram" else row.start
    return f"| `{row.name}` | {row.type} | {labels} | {row.budget} | {told} | {row.help} | {row.readers} |\n"


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
