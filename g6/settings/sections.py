"""The settings as the program reads them: typed, frozen, one dataclass per section of the schema.

Field names are the schema's keys. `Path`s are absolute or start at the working directory that was given.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

# Strikes on one side of the ATM; None is all that are listed.
Strikes = int | None


@dataclass(frozen=True, slots=True)
class Depth:
    """How many listed strikes are collected in and out of the money; None is all."""

    itm: Strikes
    otm: Strikes


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is quoted beside the options; the files of members are `Settings.constituents_files`."""

    enabled: bool
    vix: bool
    sectors: bool
    breadth: bool


@dataclass(frozen=True, slots=True)
class Collection:
    """What is collected, how often, and what is good enough."""

    interval_seconds: int
    indices: tuple[str, ...]
    expiries: tuple[str, ...]
    strikes_itm: Strikes
    strikes_otm: Strikes
    minimum_leg_ratio: float
    stale_after_seconds: int
    market: Surroundings


@dataclass(frozen=True, slots=True)
class Simulated:
    """The embedded simulator."""

    seed: int


@dataclass(frozen=True, slots=True)
class Replay:
    """Recorded chains; `source` is set whenever the provider is in use."""

    source: Path | None


@dataclass(frozen=True, slots=True)
class Kite:
    """Zerodha Kite over REST; `state_dir` None is the user's own state folder."""

    root: str
    timeout_seconds: float
    call_timeout_seconds: float
    batch_bytes: int
    batch_count: int
    quote_interval_seconds: float
    state_dir: Path | None


@dataclass(frozen=True, slots=True)
class KiteStream:
    """Zerodha Kite over its WebSocket."""

    stall_seconds: float
    mute_seconds: float
    settle_seconds: float
    connections: int
    instruments_per_connection: int


@dataclass(frozen=True, slots=True)
class Patience:
    """What is done when a provider does not answer."""

    attempts: int
    cycle_ratio: float
    breaker_failures: int
    breaker_open_seconds: float


@dataclass(frozen=True, slots=True)
class Providers:
    """Where market data comes from, best first."""

    order: tuple[str, ...]
    simulated: Simulated
    replay: Replay
    kite: Kite
    kite_stream: KiteStream
    patience: Patience


@dataclass(frozen=True, slots=True)
class Greeks:
    """Implied volatility and Greeks. The rate is per year, continuously compounded."""

    enabled: bool
    estimate_iv: bool
    model: Literal["black76", "nse"]
    risk_free_rate: float
    price_basis: Literal["last", "average"]
    maximum_spread_ratio: float
    maximum_spread_ticks: int
    stale_trade_seconds: int
    parity_strikes: int
    minimum_minutes: float


@dataclass(frozen=True, slots=True)
class Analytics:
    """Choices that the derived measures rest on; ratios are shares of yesterday's value."""

    dealers: Literal["long_calls_short_puts", "short_calls_long_puts", "long_both", "short_both"]
    window_strikes: int
    build_up_price_ratio: float
    build_up_oi_ratio: float
    straddle_factor: float
    value_area_ratio: float
    smile_fewest_quotes: int
    smile_span_deviations: float
    smile_noise_vol_points: float
    smile_maximum_rmse_vol_points: float
    smile_reach_deviations: float
    maturity_reach_ratio: float
    session_minutes: int
    sessions_a_year: int
    fewest_history_days: int
    fewest_vix_pairs: int


@dataclass(frozen=True, slots=True)
class Anomalies:
    """What is out of the ordinary; the threshold is in robust deviations."""

    enabled: bool
    threshold: float
    window_minutes: int
    warm_up_minutes: int
    quiet_minutes: int
    multivariate_after_close: bool


@dataclass(frozen=True, slots=True)
class Csv:
    """Daily CSV files."""

    enabled: bool


@dataclass(frozen=True, slots=True)
class Journal:
    """The durable record of every cycle."""

    max_bytes: int
    pending_cycles_limit: int


@dataclass(frozen=True, slots=True)
class Influx:
    """InfluxDB 2 or VictoriaMetrics; the token is in no setting."""

    enabled: bool
    url: str
    org: str
    bucket: str
    batch_lines: int
    batch_bytes: int
    compress: bool
    ca_file: Path | None
    timeout_seconds: float
    maximum_wait_seconds: float
    unconfirmed_seconds: float


@dataclass(frozen=True, slots=True)
class Masters:
    """Weekday profiles of the total premium."""

    enabled: bool
    smoothing: float


@dataclass(frozen=True, slots=True)
class Archive:
    """Days that are over, as Parquet."""

    enabled: bool


@dataclass(frozen=True, slots=True)
class Retention:
    """What may leave the disk; None keeps all."""

    journal_days: int | None
    csv_days: int | None
    minimum_free_bytes: int | None


@dataclass(frozen=True, slots=True)
class Verify:
    """The report on a day that is over."""

    after_close: bool
    minimum_score: float


@dataclass(frozen=True, slots=True)
class Storage:
    """Where the data goes."""

    data_dir: Path
    csv: Csv
    journal: Journal
    influx: Influx
    masters: Masters
    archive: Archive
    retention: Retention
    verify: Verify


@dataclass(frozen=True, slots=True)
class Governor:
    """Memory; `limit_bytes` None is what the control group or the machine allows."""

    enabled: bool
    limit_bytes: int | None
    sample_seconds: float
    critical_strikes: int


@dataclass(frozen=True, slots=True)
class Health:
    """From where on something is a problem."""

    disk_low_bytes: int
    calendar_days: int
    quote_age_seconds: float
    clock_skew_seconds: float


@dataclass(frozen=True, slots=True)
class Metrics:
    """The embedded HTTP server; port 0 is any free one."""

    enabled: bool
    host: str
    port: int
    allow_remote: bool
    options_page: bool


@dataclass(frozen=True, slots=True)
class Console:
    """The terminal; `force_ascii` None is as the terminal can."""

    force_ascii: bool | None
    concise: bool
    color: Literal["auto", "always", "never"]
    live: Literal["auto", "always", "never"]


@dataclass(frozen=True, slots=True)
class Logging:
    """The log; `file` None is standard error."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"]
    format: Literal["text", "json"]
    file: Path | None
    max_bytes: int
    backups: int
    verbose: bool


@dataclass(frozen=True, slots=True)
class Market:
    """Files of exchange facts; None takes the shipped ones, and no override."""

    calendar_file: Path | None
    calendar_override_file: Path | None
    indices_file: Path | None
    surroundings_file: Path | None


@dataclass(frozen=True, slots=True)
class Participants:
    """The exchange's daily files by class of participant, and where they are asked for."""

    fetch_after_close: bool
    archives_url: str
    site_url: str
    pause_seconds: float
    timeout_seconds: float
    attempts: int


@dataclass(frozen=True, slots=True)
class ClockSettings:
    """The time that G6 lives in: `at` in IST (None: the machine's), `speed` infinite for "max"."""

    at: datetime | None
    speed: float


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings in force, and where each came from.

    `values` and `origins` have the same dotted keys: the values as a file would have them, and "default",
    "provider replay", "config/g6.yaml:12", "environment G6_PORT" or "--port". `file` is the configuration
    file that was read; `warnings` are sentences for a person, each to be said once.
    """

    collection: Collection
    providers: Providers
    greeks: Greeks
    analytics: Analytics
    anomalies: Anomalies
    storage: Storage
    governor: Governor
    health: Health
    metrics: Metrics
    console: Console
    logging: Logging
    market: Market
    participants: Participants
    clock: ClockSettings
    values: Mapping[str, Any]
    origins: Mapping[str, str]
    file: Path | None = None
    warnings: tuple[str, ...] = ()
    constituents_files: Mapping[str, Path] = field(default_factory=dict)  # index name → its members' file

    @property
    def enabled_indices(self) -> tuple[str, ...]:
        """Return the indices to collect: those listed, without those that index_params switches off."""
        listed = self.collection.indices
        return tuple(name for name in listed if self.values.get(f"index_params.{name}.enable", True))

    def index_plan(self, name: str) -> Mapping[str, Depth]:
        """Return expiry code → depth of one index, in the order its expiries are listed.

        The nearest word wins: the index's expiry code, then the index, then collection.
        """
        codes = self.values.get(f"index_params.{name}.expiries", self.collection.expiries)
        return {code: Depth(self._strikes(name, code, "itm"), self._strikes(name, code, "otm")) for code in codes}

    def _strikes(self, name: str, code: str, side: str) -> Strikes:
        own = f"index_params.{name}"
        places = (f"{own}.by_expiry.{code}.strikes_{side}", f"{own}.strikes_{side}", f"collection.strikes_{side}")
        value = next(self.values[key] for key in places if key in self.values)
        return None if value == "all" else int(value)
