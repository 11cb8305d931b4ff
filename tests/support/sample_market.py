"""A small market around the options for the tests of what keeps it: a level, two sectors, India VIX, three shares."""

from datetime import datetime, timedelta

import numpy as np

from g6.model.market_snapshot import INDEX, SECTOR, SHARE, VIX, MarketSnapshot

NAN = float("nan")
ROWS = (
    # name, kind, industry, groups, last, previous close
    ("NIFTY", INDEX, "", "", 24006.05, 24120.55),
    ("INDIAVIX", VIX, "", "", 11.59, 10.84),
    ("NIFTYIT", SECTOR, "", "", 36500.1, 36000.0),
    ("NIFTYMEDIA", SECTOR, "", "", NAN, 1480.0),
    ("RELIANCE", SHARE, "Oil & Gas", "NIFTY", 1432.1, 1450.0),
    ("HDFCBANK", SHARE, "Financial Services", "NIFTY BANKNIFTY", 1001.0, 999.95),
    ("M&M", SHARE, "Automobile", "NIFTY", NAN, NAN),
)
AGGREGATES = {"india_vix": 11.59, "advances": 1.0, "breadth": 1 / 3, "mood_score": -2 / 7, "mood": -1.0}
BREADTH = {
    "NIFTY.advances": 1.0, "NIFTY.declines": 1.0, "NIFTY.unknown": 1.0, "NIFTY.breadth": 0.0,
    "BANKNIFTY.advances": 1.0, "FINANCIAL_SERVICES.advances": 1.0, "OIL_GAS.declines": 1.0,
}  # fmt: skip


def sample_market(minute: datetime, shift: float = 0.0) -> MarketSnapshot:
    """The market as it was quoted in a minute; `shift` makes another one of it."""
    columns = dict(zip(("name", "kind", "industry", "groups", "last", "close"), zip(*ROWS, strict=True), strict=True))
    last = np.array(columns["last"]) + shift
    prefix = [f"NSE:{name}" for name in columns["name"]]
    return MarketSnapshot(
        at=minute + timedelta(seconds=2.5),
        frozen=False,
        key=np.array(prefix),
        kind=np.array(columns["kind"]),
        name=np.array(columns["name"]),
        industry=np.array(columns["industry"]),
        groups=np.array(columns["groups"]),
        last=last,
        previous_close=np.array(columns["close"]),
        open=last - 1,
        high=last + 2,
        low=last - 2,
        volume=np.array([NAN, NAN, NAN, NAN, 1e7, 123456789.0, NAN]),
        quote_age_seconds=np.array([0.1, 0.2, 0.3, NAN, 1.5, 2.9, NAN]),
        defect=np.array([0, 0, 0, 2, 0, 0, 1.0]),
        aggregates=AGGREGATES,
        breadth=BREADTH,
    )


def same_market(one: MarketSnapshot | None, other: MarketSnapshot | None) -> bool:
    """Whether two markets are the same to the last digit; what is NaN under a name need not be there."""
    if one is None or other is None:
        return one is other
    columns = ("key", "kind", "name", "industry", "groups")
    numbers = ("last", "previous_close", "open", "high", "low", "volume", "quote_age_seconds", "defect")
    return (
        one.at == other.at
        and one.frozen == other.frozen
        and all(getattr(one, name).tolist() == getattr(other, name).tolist() for name in columns)
        and all(np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True) for name in numbers)
        and all(_known(getattr(one, name)) == _known(getattr(other, name)) for name in ("aggregates", "breadth"))
    )


def _known(values: object) -> dict[str, float]:
    return {name: value for name, value in dict(values).items() if value == value}  # type: ignore[call-overload]
