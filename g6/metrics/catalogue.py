"""Every metric of G6, one row each. Names are frozen: dashboards, alerts and other people's queries hang on them.

Who reads each is not said here: `g6/reports/metrics_page.py` finds it in the rules and dashboards.
"""

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
# What a series of a histogram is called beyond its metric.
HISTOGRAM_PARTS = ("_bucket", "_sum", "_count")


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `budget` is the most series it may have with six indices and sixteen index and expiry code pairs.

    `unit` is that of the schema where the metric is a column or a measure; else the end of the name says it.
    """

    name: str
    type: Type
    help: str
    labels: tuple[str, ...] = ()
    budget: int = 1
    start: Start = "0"
    page: Page = "/metrics"
    unit: str = ""

    @property
    def series(self) -> frozenset[str]:
        """Return the names under which a query asks for it."""
        parts = HISTOGRAM_PARTS if self.type == "histogram" else ("",)
        return frozenset(self.name + part for part in parts)


INDEX, PAIR = ("index",), ("index", "expiry_code")

CYCLES = (
    Metric("g6_cycles_started_total", "counter", "Cycles begun"),
    Metric("g6_cycles_succeeded_total", "counter", "Cycles in which everything wanted was stored"),
    Metric("g6_cycles_partial_total", "counter", "Cycles that stored a part of what was wanted"),
    Metric("g6_cycles_failed_total", "counter", "Cycles that stored nothing"),
    Metric("g6_cycles_skipped_total", "counter", "Minutes in which no cycle ran, by reason: the market was closed "
           "(once per closure), the cycle before overran, or the clock was set", ("reason",), 3),
    Metric("g6_cycle_overruns_total", "counter", "Cycles that began late because the one before took too long"),
    Metric("g6_cycle_duration_seconds", "histogram", "How long a cycle took, waiting excluded", (), 16),
    Metric("g6_cycle_last_success_timestamp_seconds", "gauge", "When a cycle last ended that was not failed",
           start="absent"),
    Metric("g6_cycle_last_minute_timestamp_seconds", "gauge", "The minute that was recorded last, on the agent's clock "
           "(see g6_clock_info)", start="absent"),
    Metric("g6_stage_seconds_total", "counter", "Time spent in each stage; over g6_stage_runs_total, the mean",
           ("stage",), 14),
    Metric("g6_stage_runs_total", "counter", "How often each stage ran", ("stage",), 14),
)  # fmt: skip

INDICES = (
    Metric("g6_legs_expected_total", "counter", "Quotes wanted: asked for, or, where a minute failed or was not begun "
           "in time, as many as were asked for last", INDEX, 6),
    Metric("g6_legs_received_total", "counter", "Quotes answered", INDEX, 6),
    Metric("g6_legs_stale_total", "counter", "Quotes of stored chains that are older than "
           "collection.stale_after_seconds; one without a stamp is not known to be", INDEX, 6),
    Metric("g6_legs_refused_total", "counter", "Quotes refused in part or whole, by defect", ("index", "defect"), 30),
    Metric("g6_chains_accepted_total", "counter", "Option chains stored", INDEX, 6),
    Metric("g6_chains_refused_total", "counter", "Refusals: of one chain, or of a whole index", INDEX, 6),
    Metric("g6_refusals_total", "counter", "The same refusals by reason", ("reason",), 16),
    Metric("g6_anomalies_total", "counter", "Values out of the ordinary as they were collected, by series; together: "
           "found after the close, by all measures of a minute", ("series",), 6),
    Metric("g6_index_spot_points", "gauge", "Level of the index; NaN when it did not answer in the last cycle", INDEX,
           6, "NaN"),
    Metric("g6_index_spot_frozen", "gauge", "1 while the index stands still in an auction and its options trade on",
           INDEX, 6),
    Metric("g6_index_expected_codes_mask", "gauge", "Expiry codes wanted: this_week 1, next_week 2, this_month 4, "
           "next_month 8", INDEX, 6),
    Metric("g6_index_collected_codes_mask", "gauge", "Expiry codes stored, in the same bits", INDEX, 6),
    Metric("g6_index_last_snapshot_timestamp_seconds", "gauge", "When a chain of the index was last stored durably",
           INDEX, 6, "absent"),
    Metric("g6_iv_legs_total", "counter", "Legs by what became of their implied volatility", ("index", "status"), 42),
)  # fmt: skip

STORES = (
    Metric("g6_journal_cycles_written_total", "counter", "Cycles made durable in the journal"),
    Metric("g6_journal_written_bytes_total", "counter", "Bytes written to the journal"),
    Metric("g6_journal_errors_total", "counter", "Cycles that the journal did not take when they ended"),
    Metric("g6_journal_pending_cycles", "gauge", "Cycles held in memory until the journal takes them"),
    Metric("g6_journal_lost_cycles_total", "counter", "Cycles that were lost because as many waited as may"),
    Metric("g6_journal_last_write_timestamp_seconds", "gauge", "When the journal last took a cycle", start="absent"),
    Metric("g6_sink_runs_total", "counter", "Attempts to bring the sink up to date", ("sink",), 4),
    Metric("g6_sink_errors_total", "counter", "Attempts that failed", ("sink",), 4),
    Metric("g6_sink_rows_written_total", "counter", "Rows written", ("sink",), 4),
    Metric("g6_sink_written_bytes_total", "counter", "Bytes written", ("sink",), 4),
    Metric("g6_sink_files_written_total", "counter", "Writes to files, one per file and cycle", ("sink",), 4),
    Metric("g6_sink_repaired_files_total", "counter", "Files whose torn last line was moved aside", ("sink",), 4),
    Metric("g6_sink_refused_lines_total", "counter", "Lines that the store refused for good; they are kept aside",
           ("sink",), 4),
    Metric("g6_sink_unconfirmed_cycles", "gauge", "Cycles that the store acknowledged and may not have written yet",
           ("sink",), 4),
    Metric("g6_sink_lag_cycles", "gauge", "Cycles in the journal that the sink has not applied", ("sink",), 4),
    Metric("g6_sink_last_success_timestamp_seconds", "gauge", "When an attempt last succeeded", ("sink",), 4,
           "absent"),
)  # fmt: skip

# What is done with a day after its close.
CLOSING = (
    Metric("g6_closing_day_timestamp_seconds", "gauge", "Midnight, IST, of the last day that was closed",
           start="absent"),
    Metric("g6_closing_troubles", "gauge", "What could not be done after the last close, or was found wrong"),
    Metric("g6_verify_score_ratio", "gauge", "Data-quality score of the last day that was verified, 0 to 1",
           start="NaN"),
    Metric("g6_verify_missing_cycles", "gauge", "Minutes that the last verified day lacks"),
    Metric("g6_masters_differences_total", "counter", "Totals in which the streamed masters and the daily files "
           "differed"),
    Metric("g6_archive_written_bytes_total", "counter", "Parquet written"),
    Metric("g6_retention_removed_bytes_total", "counter", "Files that the retention removed, by kind", ("kind",), 2),
)  # fmt: skip

ENDPOINT = ("endpoint",)

# What asking a broker goes through. Without a broker the labelled ones have no series.
BROKER = (
    Metric("g6_provider_active", "gauge", "1 for the provider that answered in the last cycle", ("provider",), 4),
    Metric("g6_provider_failovers_total", "counter", "Cycles that this provider answered after another one",
           ("provider",), 4),
    Metric("g6_provider_problems", "gauge", "Things about the providers that a person should know, in the last cycle"),
    Metric("g6_provider_requests_total", "counter", "Calls that went out, repetitions included", ENDPOINT, 10),
    Metric("g6_provider_request_failures_total", "counter", "Calls that failed", ENDPOINT, 10),
    Metric("g6_provider_failures_total", "counter", "Failures by kind, those that a breaker refused included",
           ("kind",), 7),
    Metric("g6_provider_retries_total", "counter", "Calls that were repeated", ENDPOINT, 10),
    Metric("g6_provider_limiter_waits_total", "counter", "Calls that waited for the rate limit", ENDPOINT, 10),
    Metric("g6_provider_limiter_wait_seconds_total", "counter", "Time spent waiting for the rate limit, on the agent's "
           "clock", ENDPOINT, 10),
    Metric("g6_provider_request_seconds", "histogram", "How long a call took, waiting excluded", (), 11),
    Metric("g6_breaker_state", "gauge", "0 closed, 1 half open (one call tries), 2 open (no call goes out)", ENDPOINT,
           10),
    Metric("g6_breaker_opens_total", "counter", "How often the breaker opened", ENDPOINT, 10),
    Metric("g6_token_state", "gauge", "1 for the state that the access token is in: absent, valid, expiring (within "
           "the hour), dead", ("account", "state"), 8),
    Metric("g6_token_expiry_timestamp_seconds", "gauge", "When the access token ends; NaN where there is none",
           ("account",), 2, "absent"),
    Metric("g6_instruments_day_timestamp_seconds", "gauge", "Midnight, IST, of the day whose instruments are in use",
           start="absent"),
    Metric("g6_instruments_rows", "gauge", "Rows of the instruments dump in use"),
    Metric("g6_instruments_bad_rows", "gauge", "Rows of it that could not be used"),
    Metric("g6_stream_connected", "gauge", "1 while the WebSocket connection lives", ("connection",), 3),
    Metric("g6_stream_instruments", "gauge", "Instruments subscribed on the connection", ("connection",), 3),
    Metric("g6_stream_last_message_timestamp_seconds", "gauge", "When the connection last said anything",
           ("connection",), 3, "absent"),
    Metric("g6_stream_last_tick_timestamp_seconds", "gauge", "When a quote of the exchange last came over the stream",
           ("exchange",), 2, "absent"),
    Metric("g6_stream_messages_total", "counter", "Messages of all connections"),
    Metric("g6_stream_ticks_total", "counter", "Quotes in them"),
    Metric("g6_stream_dropped_messages_total", "counter", "Messages that made no sense, or found the queue full"),
    Metric("g6_stream_reconnects_total", "counter", "Connections made anew", ("connection",), 3),
    Metric("g6_stream_filled_legs_total", "counter", "Legs that the stream lacked and REST supplied"),
)  # fmt: skip

# The exchange's daily files by class of participant.
PARTICIPANTS = (
    Metric("g6_participants_last_day_timestamp_seconds", "gauge", "Midnight, IST, of the last day stored of the files "
           "of participants, by kind: oi, volume, cash", ("kind",), 3, "absent"),
    Metric("g6_participants_missing_files", "gauge", "Files of participants that the last evening's fetch asked for "
           "and did not get, or could not use"),
)  # fmt: skip

AGENT = (
    Metric("g6_market_open", "gauge", "1 while the exchange is in session", ("exchange",), 2),
    Metric("g6_market_next_open_timestamp_seconds", "gauge", "When a session of a collected exchange opens next, on "
           "the machine's clock; NaN beyond the calendar", start="absent"),
    Metric("g6_calendar_known_until_timestamp_seconds", "gauge", "End of the last day that the session calendar covers",
           start="absent"),
    Metric("g6_exporter_renders_total", "counter", "Pages rendered", ("page",), 2),
    Metric("g6_exporter_render_seconds_total", "counter", "Time spent rendering pages", ("page",), 2),
    Metric("g6_exporter_page_bytes", "gauge", "Size of the page rendered last, uncompressed", ("page",), 2),
    Metric("g6_exporter_options_series", "gauge", "Series on /metrics/options; 0 while it is emptied to save memory"),
    Metric("g6_exporter_collector_errors_total", "counter", "Collectors that raised and were left out of a page"),
    Metric("g6_build_info", "gauge", "1; what is running", ("version", "python"), 1, "absent"),
    Metric("g6_clock_info", "gauge", "1; the clock that minutes follow: real or virtual", ("kind",), 1, "absent"),
    Metric("g6_provider_info", "gauge", "1; who answered in the last cycle", ("provider",), 1, "absent"),
)  # fmt: skip

# Memory, and what is left out because of it.
PRESSURE = (
    Metric("g6_governor_level", "gauge", "Memory pressure: 0 normal, 1 elevated, 2 high, 3 critical"),
    Metric("g6_governor_rss_bytes", "gauge", "Memory that the agent holds, as the governor saw it last", start="NaN"),
    Metric("g6_governor_limit_bytes", "gauge", "Memory that the agent may hold; NaN where nothing says how much",
           start="NaN"),
    Metric("g6_governor_uss_bytes", "gauge", "Memory that would be free if the agent ended", start="NaN"),
    Metric("g6_governor_stalled_ratio", "gauge", "Share of the last 10 s in which something waited for memory (PSI); "
           "NaN where the kernel does not say", start="NaN"),
    Metric("g6_governor_shed", "gauge", "1 while this is left out", ("kind",), 6),
    Metric("g6_governor_transitions_total", "counter", "Steps from one level to another, by what made them: memory in "
           "use (rss), being slowed at memory.high, waiting for memory (psi), or the end of these", ("reason",), 4),
    Metric("g6_governor_reclaims_total", "counter", "Attempts to give memory back"),
    Metric("g6_governor_reclaims_ineffective_total", "counter", "Those that freed less than a twentieth"),
    Metric("g6_governor_reclaimed_bytes_total", "counter", "Memory given back"),
)  # fmt: skip

# Read from health at each scrape.
HEALTH = (
    Metric("g6_component_state", "gauge", "Worst state of a kind of component: 0 ok, 1 degraded, 2 down, NaN unknown; "
           "/health has each one with its reason", ("component",), 18),
    Metric("g6_problems_active", "gauge", "Problems that a person should know of; `g6 status` names each with what to "
           "do", ("severity",), 2),
    Metric("g6_problem_active", "gauge", "1 while a person should know of this problem; the names are those of `g6 "
           "status`", ("problem",), 40),
    Metric("g6_disk_free_bytes", "gauge", "What is free on the disk with the data; NaN where it cannot be read",
           start="NaN"),
    Metric("g6_disk_total_bytes", "gauge", "Size of the disk with the data", start="NaN"),
)  # fmt: skip

# Kept under the names that every Prometheus client uses, so that common dashboards show them.
PROCESS = (
    Metric("process_cpu_seconds_total", "counter", "Processor time of the agent"),
    Metric("process_resident_memory_bytes", "gauge", "Memory that the agent holds"),
    Metric("process_virtual_memory_bytes", "gauge", "Address space of the agent"),
    Metric("process_start_time_seconds", "gauge", "When the agent started"),
    Metric("process_open_fds", "gauge", "Open file descriptors", start="absent"),
    Metric("process_max_fds", "gauge", "The most file descriptors it may open", start="absent"),
)

# One series per option and column; what a trader draws. Every other column is in the CSV files.
OPTION_COLUMNS = (
    "last", "bid", "ask", "iv", "delta", "gamma", "theta", "vega", "oi", "volume",
    "gex", "charm", "vanna", "oi_change", "fitted_iv",
)  # fmt: skip
# Measures of a leg without a gauge, each of which would be a tenth of the page's series more.
UNGAUGED_COLUMNS: Mapping[str, str] = {
    "leg_iv": "g6_option_iv_ratio is that of the strike's out-of-the-money leg; the other one's differs where parity "
              "does not hold, which g6_chain_iv_gap_ratio says",
    "rho": "for options of weeks the rate matters least of all",
    "build_up": "a code of four; the legs in each class are g6_chain_long_build_ups_legs and its kin",
    "price": "g6_option_last_rupees, or the middle of g6_option_bid_rupees and g6_option_ask_rupees",
    "offset": "a function of the strike label and g6_chain_atm_strike_points",
    "iv_error": "half a tick over g6_option_vega_rupees_per_vol_point",
    "price_source": "a code; it says how good a row of the files is",
    "iv_status": "a code; the legs of each status are g6_iv_legs_total",
    "fitted_iv_source": "a code; it says how good a row of the files is",
}  # fmt: skip
OPTION_LABELS = ("index", "expiry", "strike", "side")
OPTIONS_MINUTE = Metric("g6_options_minute_timestamp_seconds", "gauge", "The minute that this page shows, on the "
                        "agent's clock", start="absent", page="/metrics/options")  # fmt: skip
MEASURE_SECONDS = Metric("g6_measure_seconds", "gauge", "Time that the enricher or measure took in the minute, all "
                         "chains together; what several share is counted to the first", ("measure",), 200, "absent",
                         "/metrics/options")  # fmt: skip

# What surrounds the options; breadth is that of the broad index, by default NIFTY 50.
MARKET = (
    Metric("g6_market_india_vix_percent", "gauge", "India VIX", start="NaN"),
    Metric("g6_market_advances_shares", "gauge", "Shares of the broad index above their previous close", start="NaN"),
    Metric("g6_market_declines_shares", "gauge", "Shares of it below their previous close", start="NaN"),
    Metric("g6_market_unknown_shares", "gauge", "Shares of it whose direction is not known: not quoted, stale, or held "
           "still by the closing auction", start="NaN"),
    Metric("g6_market_breadth_ratio", "gauge", "Advances less declines over the shares of known direction",
           start="NaN"),
    Metric("g6_market_mood_score_ratio", "gauge", "Score of the market's mood by its stated rules, -1 to 1",
           start="NaN"),
)  # fmt: skip
# On /metrics/options: of India VIX, each sector and collected index; and of each index's and industry's shares.
LEVEL_COLUMNS = ("last", "change_ratio", "open", "high", "low", "previous_close")
GROUP_MEASURES = ("advances", "declines", "unchanged", "breadth", "advance_volume", "decline_volume")
SURROUNDING: Mapping[str, Metric] = {
    "last": Metric("g6_market_level_points", "gauge", "Level of India VIX, a sector or an index", ("name",), 60,
                   "absent", "/metrics/options"),
    "change_ratio": Metric("g6_market_level_change_ratio", "gauge", "Its change over its previous close", ("name",),
                           60, "absent", "/metrics/options"),
    "open": Metric("g6_market_level_open_points", "gauge", "Its first level of the day", ("name",), 60, "absent",
                   "/metrics/options"),
    "high": Metric("g6_market_level_high_points", "gauge", "Its highest level of the day", ("name",), 60, "absent",
                   "/metrics/options"),
    "low": Metric("g6_market_level_low_points", "gauge", "Its lowest level of the day", ("name",), 60, "absent",
                  "/metrics/options"),
    "previous_close": Metric("g6_market_level_previous_close_points", "gauge", "Its close of the trading day before",
                             ("name",), 60, "absent", "/metrics/options"),
    "advances": Metric("g6_market_group_advances_shares", "gauge", "Shares of an index or an industry above their "
                       "previous close", ("group",), 40, "absent", "/metrics/options"),
    "declines": Metric("g6_market_group_declines_shares", "gauge", "Shares of it below their previous close",
                       ("group",), 40, "absent", "/metrics/options"),
    "unchanged": Metric("g6_market_group_unchanged_shares", "gauge", "Shares of it at their previous close",
                        ("group",), 40, "absent", "/metrics/options"),
    "advance_volume": Metric("g6_market_group_advance_volume_shares", "gauge", "Shares traded today of those of it "
                             "that advance", ("group",), 40, "absent", "/metrics/options"),
    "decline_volume": Metric("g6_market_group_decline_volume_shares", "gauge", "Shares traded today of those of it "
                             "that decline", ("group",), 40, "absent", "/metrics/options"),
    "breadth": Metric("g6_market_group_breadth_ratio", "gauge", "Advances less declines over the shares of known "
                      "direction", ("group",), 40, "absent", "/metrics/options"),
}  # fmt: skip
# On /metrics/options, of the last day stored: what each class of participants holds, and the cash of institutions.
PARTICIPANT_GAUGES: Mapping[str, Metric] = {
    "net": Metric("g6_participants_net_contracts", "gauge", "Contracts that the class holds long less short at the end "
                  "of the last stored day", ("participant", "instrument"), 35, "absent", "/metrics/options",
                  "contracts"),
    "long_short_ratio": Metric("g6_participants_long_short_ratio", "gauge", "Long over short contracts of the class",
                               ("participant", "instrument"), 35, "absent", "/metrics/options"),
    "cash_net": Metric("g6_participants_cash_net_rupees", "gauge", "Shares that the institutions bought less sold in "
                       "the cash market on the last stored day, provisional", ("participant",), 2, "absent",
                       "/metrics/options", "rupees"),
}  # fmt: skip

# What a measure is said of → the labels of its gauge, and the series that it may have.
SCOPE_LABELS: Mapping[Scope, tuple[tuple[str, ...], int]] = {
    "chain": (PAIR, 16), "index": (INDEX, 6), "market": ((), 1),
}  # fmt: skip

CATALOGUE: tuple[Metric, ...] = (
    *CYCLES, *INDICES, *MARKET, *STORES, *CLOSING, *BROKER, *PARTICIPANTS, *AGENT, *PRESSURE, *HEALTH, *PROCESS,
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
    return Metric(name, "gauge", aggregate.help, PAIR, 16, "NaN", unit=aggregate.unit)


def option_metric(column: str) -> Metric:
    """Return the gauge of a leg's column: `g6_option_<name>_<unit>`. Raises KeyError for a column not in the schema."""
    spec = {c.name: c for c in LEG_COLUMNS}[column]
    name = metric_name("option", spec.name, spec.unit)
    return Metric(name, "gauge", spec.help, OPTION_LABELS, 5000, "absent", "/metrics/options", spec.unit)


def on_options_page() -> tuple[Metric, ...]:
    """Return the rows of /metrics/options that have a fixed name; those of measures follow from the measures."""
    options = map(option_metric, OPTION_COLUMNS)
    return (*options, OPTIONS_MINUTE, MEASURE_SECONDS, *SURROUNDING.values(), *PARTICIPANT_GAUGES.values())


def surrounding_metric(name: str) -> Metric:
    """Return the gauge of /metrics/options for a column of levels, or a measure of groups of shares."""
    return SURROUNDING[name]


def measure_metric(measure: Aggregate) -> Metric:
    """Return the gauge of a measure on /metrics/options, named by itself and its unit, after what it is said of.

    `g6_chain_<name>_<unit>` per index and expiry code, `g6_index_<name>_<unit>` per index, `g6_market_<name>_<unit>`.
    """
    labels, budget = SCOPE_LABELS[measure.scope]
    name = metric_name(measure.scope, measure.name.removeprefix(f"{measure.scope}_"), measure.unit)
    return Metric(name, "gauge", measure.help, labels, budget, "absent", "/metrics/options", measure.unit)


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
