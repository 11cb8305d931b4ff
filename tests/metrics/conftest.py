"""A minute of six indices, as the loop would tell it, and chains whose every number is known."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import numpy as np
import pytest

from g6.clock import IST
from g6.health.evidence import DiskReading
from g6.health.problems import PROBLEMS
from g6.health.registry import CHECKS
from g6.metrics.health import HealthCollector
from g6.metrics.instruments import Instruments, Known
from g6.metrics.observe import Observer
from g6.model.chain import EXPIRY_CODES, IV_STATUSES, LEG_DEFECTS, OptionChain
from g6.model.columns import Aggregate
from g6.model.provider_report import (
    ConnectionReport,
    DumpReport,
    EndpointReport,
    MarketReport,
    ProviderReport,
    StreamReport,
    TokenReport,
)
from g6.model.report import CycleReport, ExpiryReport, IndexReport, JournalReport, SinkReport
from g6.model.snapshot import IndexSnapshot, Refusal, Snapshot

MINUTE = datetime(2026, 11, 20, 10, 0, tzinfo=IST)
MONTHLY = ("this_month", "next_month")
CODES = {
    "NIFTY": EXPIRY_CODES, "BANKNIFTY": MONTHLY, "FINNIFTY": MONTHLY,
    "MIDCPNIFTY": MONTHLY, "SENSEX": EXPIRY_CODES, "BANKEX": MONTHLY,
}  # fmt: skip
AGGREGATES = tuple(
    Aggregate(name, unit, f"What {name} is")
    for name, unit in [
        ("pcr_oi", "ratio"), ("pcr_volume", "ratio"), ("max_pain", "points"), ("forward", "points"),
        ("atm_strike", "points"), ("atm_iv", "1/sqrt(year)"), ("straddle", "rupees"), ("synthetic_future", "points"),
        ("basis", "points"), ("call_oi", "units"), ("put_oi", "units"), ("call_volume", "units"),
        ("put_volume", "units"), ("max_call_oi_strike", "points"), ("max_put_oi_strike", "points"),
        ("coverage", "ratio"), ("iv_coverage", "ratio"), ("iv_gap", "1/sqrt(year)"), ("days_to_expiry", "days"),
    ]
)  # fmt: skip
REASONS = (
    "unknown_index", "no_expiries", "no_contracts", "no_spot", "bad_spot", "stale_spot", "coverage", "stale",
    "no_prices", "login_needed", "unreachable", "bad_response", "failed",
)  # fmt: skip
STAGES = ("contracts", "spots", "plan", "quotes", "chains", "enrich", "journal", "csv", "influx", "page")
PROVIDERS = ("kite-stream", "kite", "kite-second")
ENDPOINTS = tuple(f"{a}.{e}" for a in PROVIDERS[1:] for e in ("quote", "instruments", "historical", "profile"))
# Stream down on one of its three sockets, the token near its end, one breaker open.
MARKET = MarketReport(
    active="kite", preferred="kite-stream", reason="no message for 12 s", before="kite-stream",
    providers=(
        ProviderReport(
            "kite-stream",
            stream=StreamReport(
                tuple(
                    ConnectionReport(n, n != 2, 2900, 0.5, 60, 9_000, {"stalled": 1} if n == 2 else {})
                    for n in (1, 2, 3)
                ),
                {"NSE": 1.5, "BSE": 90.0}, filled_by_rest=31, dropped_messages=2,
            ),
            problems=("connection 2: no message for 12 s",),
        ),
        ProviderReport(
            "kite",
            endpoints=(
                EndpointReport("kite.quote", 5, {"timeout": 1, "rate_limited": 1}, 2, 3, 2.5, (0.2, 0.3, 7.0)),
                EndpointReport(
                    "kite.historical", 0, {"breaker_open": 4}, breaker="open", breaker_opens=1, reason="refused"
                ),
            ),
            token=TokenReport("kite", "expiring", MINUTE + timedelta(minutes=30)),
            dump=DumpReport(MINUTE.date(), 93_000, {"expiry": 3, "strike": 1}),
        ),
        ProviderReport("kite-second", token=TokenReport("kite-second", "absent")),
    ),
)  # fmt: skip
EXPIRIES = {
    "this_week": date(2026, 11, 24), "next_week": date(2026, 12, 1),
    "this_month": date(2026, 11, 24), "next_month": date(2026, 12, 29),
}  # fmt: skip


@pytest.fixture
def known() -> Known:
    return Known(
        codes=CODES, stages=STAGES, sinks=("csv", "influx"), exchanges=("NSE", "BSE"), refusal_reasons=REASONS,
        aggregates=AGGREGATES, providers=PROVIDERS, endpoints=ENDPOINTS, accounts=("kite", "kite-second"),
        connections=("1", "2", "3"),
    )  # fmt: skip


@pytest.fixture
def instruments(known: Known, health: HealthCollector) -> Instruments:
    instruments = Instruments(known)
    instruments.registry.register(health)
    return instruments


@pytest.fixture
def health() -> HealthCollector:
    return HealthCollector(lambda: dict.fromkeys(CHECKS, "ok"), tuple, tuple(PROBLEMS), lambda: DiskReading(7, 9))


@pytest.fixture
def observer(instruments: Instruments) -> Observer:
    return Observer(instruments, version="1.2.3", now=lambda: 1_800_000_000.0)


def expiry_report(index: str, codes: tuple[str, ...], **changes: object) -> ExpiryReport:
    values: dict[str, object] = {
        "index": index, "expiry": EXPIRIES[codes[0]], "codes": codes, "forward": 25010.5, "forward_source": "parity",
        "atm": 25000.0, "expected": 42, "received": 40, "defects": {"absent": 2, "crossed": 1},
        "iv_statuses": {"solved": 30, "no_price": 10},
        "aggregates": {aggregate.name: 1.25 + i for i, aggregate in enumerate(AGGREGATES)},
    }  # fmt: skip
    return ExpiryReport(**(values | changes))  # type: ignore[arg-type]


def index_report(index: str, refusals: tuple[Refusal, ...] = (), **changes: object) -> IndexReport:
    # The weekly expiry of the monthly week has two codes and is collected once.
    groups = [("this_week", "this_month"), ("next_week",), ("next_month",)]
    groups = groups if CODES[index] == EXPIRY_CODES else [(code,) for code in CODES[index]]
    expiries = tuple(expiry_report(index, group) for group in groups)
    values: dict[str, object] = {
        "index": index, "spot": 25001.0, "spot_frozen": False, "expected_codes": CODES[index],
        "expected": 42 * len(groups), "received": 40 * len(groups), "expiries": expiries, "refusals": refusals,
    }  # fmt: skip
    return IndexReport(**(values | changes))  # type: ignore[arg-type]


@pytest.fixture
def report() -> Callable[..., CycleReport]:
    """A minute in which all is well; keyword arguments replace one of its parts."""

    def make(**changes: object) -> CycleReport:
        values: dict[str, object] = {
            "minute": MINUTE, "provider": "simulated", "seconds": 0.41,
            "stages": dict.fromkeys(STAGES, 0.125), "indices": tuple(index_report(name) for name in CODES),
            "journal": JournalReport("2026-11-20.sqlite", 50_000),
            "sinks": (SinkReport("csv", 40, 12, 9_000), SinkReport("influx", 80, 0, 7_000)),
            "market": MARKET,
        }  # fmt: skip
        return CycleReport(**(values | changes))  # type: ignore[arg-type]

    return make


@pytest.fixture
def one_index() -> Callable[..., IndexReport]:
    return index_report


@pytest.fixture
def chain() -> Callable[..., OptionChain]:
    """A chain of calls and puts with every column filled by a seed; keyword arguments replace fields."""

    def make(index: str = "NIFTY", strikes: int = 3, seed: int = 1, **changes: object) -> OptionChain:
        rng = np.random.default_rng(seed)
        n = 2 * strikes
        columns = (
            "last", "bid", "ask", "volume", "oi", "iv", "delta", "gamma", "theta", "vega", "rho",
            "gex", "charm", "vanna", "oi_change", "fitted_iv",
        )  # fmt: skip
        values: dict[str, object] = {
            "index": index, "expiry": date(2026, 11, 24), "codes": ("this_week",), "at": MINUTE,
            "expires_at": MINUTE + timedelta(days=4, hours=5.5), "spot": 25001.0, "spot_frozen": False,
            "expected": n, "lot": 75, "strike": np.repeat(25000.0 + 50 * np.arange(strikes), 2),
            "is_call": np.arange(n) % 2 == 0, "answered": np.ones(n),
            **{name: rng.normal(0, 10.0 ** rng.integers(-6, 7), n) for name in columns},
        }  # fmt: skip
        return OptionChain(**(values | changes))  # type: ignore[arg-type]

    return make


@pytest.fixture
def snapshot() -> Callable[..., Snapshot]:
    def make(*chains: OptionChain) -> Snapshot:
        names = dict.fromkeys(chain.index for chain in chains)
        indices = tuple(
            IndexSnapshot(name, 25001.0, False, ("this_week",), tuple(c for c in chains if c.index == name))
            for name in names
        )
        return Snapshot(MINUTE, "simulated", indices)

    return make


@pytest.fixture
def all_words() -> tuple[tuple[str, ...], tuple[str, ...]]:
    return LEG_DEFECTS[1:], IV_STATUSES
