"""The older CSV layouts: what folders, file names and columns mean.

A file is `<INDEX>/<expiry code>/<offset>/<YYYY-MM-DD>.csv` below any folder, a row a minute. Offsets are `ATM`, `OTM_n`
and `ITM_n`, as a call sees them (OTM above the ATM), or `p1`, `m1`. The strike itself is a column, and where it is
known to be above or below the ATM it says more than the folder: with a strike for each leg, OTM_1 is a call above and
a put below.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import NamedTuple

from g6.model.chain import EXPIRY_CODES

OVERVIEW_FOLDERS = frozenset({"overview"})
SUFFIX = ".csv"

# Best first: a file may have several, and the one that names its zone is the one to trust.
TIME_COLUMNS = ("ts_ist", "ts", "timestamp", "time")
OTHER_TIME_COLUMNS = ("ts_utc", "date", "datetime")
CONTEXT: Mapping[str, tuple[str, ...]] = {
    "expiry": ("expiry", "expiry_date"),
    "strike": ("strike", "strike_price"),
    "atm": ("atm", "atm_strike"),
    "spot": ("spot", "spot_price", "index_price", "underlying"),
    "total": ("total_premium", "tp_sum", "tp"),
}
SIDES: Mapping[str, tuple[str, ...]] = {"ce": ("ce", "call"), "pe": ("pe", "put")}
LEG: Mapping[str, tuple[str, ...]] = {
    "strike": ("strike",),
    "last": ("last", "last_price", "ltp"),
    "bid": ("bid", "bid_price", "best_bid"),
    "ask": ("ask", "ask_price", "best_ask"),
    "bid_quantity": ("bid_quantity", "bid_qty"),
    "ask_quantity": ("ask_quantity", "ask_qty"),
    "volume": ("volume", "vol"),
    "oi": ("oi", "open_interest"),
    "average_price": ("average_price", "avg_price", "avg", "vwap"),
}
# What is computed from prices is computed again, so that all days have it by one method.
RENEWED = re.compile(
    r"(ce|pe|call|put)_(iv|leg_iv|iv_status|iv_error|implied_volatility|delta|gamma|theta|vega|rho|price|price_source"
    r"|charm|vanna|gex|oi_change|build_up)"
    r"|forward|rate|years|premium_basis|spot_frozen|settling|avg_tp|pcr|backfilled"
)
OFFSET = re.compile(r"(?P<atm>atm)|(?P<side>otm|itm|p|m)_?(?P<steps>[1-9][0-9]{0,2})", re.IGNORECASE)

DAY_FIRST = "%d-%m-%Y %H:%M:%S"
EPOCH = re.compile(r"[0-9]{10}(\.[0-9]+)?")


class Unreadable(ValueError):
    """A file or a cell is in no layout that is known; the text is the reason as the report counts it."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a path says. `steps` are strikes away from the ATM, `above` whether the folder means those above it."""

    index: str
    code: str
    steps: int
    above: bool
    per_leg: bool  # the folder is OTM or ITM, which for a put of its own strike is the other side
    day: date


class Header(NamedTuple):
    """Which column of a file is what: names of ours → position."""

    time: int
    context: Mapping[str, int]
    legs: Mapping[str, Mapping[str, int]]  # ce, pe → name → position
    renewed: tuple[str, ...]
    unused: tuple[str, ...]


def place_of(path: Path, names: Mapping[str, str]) -> Place | None:
    """Return what a path says, None for an overview; Unreadable for one of no known layout.

    `names` are spellings of index folders in upper case → index.
    """
    parts = path.parent.parts[-3:]
    if parts and parts[-1].lower() in OVERVIEW_FOLDERS:
        return None
    if len(parts) < 3:
        raise Unreadable("not in folders of index, expiry code and offset")
    index, code, offset = parts
    if index.upper() not in names:
        raise Unreadable(f"index {index} is not defined")
    if (code := code.lower()) not in EXPIRY_CODES:
        raise Unreadable(f"expiry code {code} is not known")
    match = OFFSET.fullmatch(offset)
    if match is None:
        raise Unreadable(f"offset {offset} is not known")
    side = (match["side"] or "").lower()
    return Place(
        names[index.upper()], code, int(match["steps"] or 0), side in {"otm", "p"}, side in {"otm", "itm"}, _day(path)
    )


def _day(path: Path) -> date:
    try:
        return date.fromisoformat(path.name.removesuffix(SUFFIX))
    except ValueError:
        raise Unreadable("the file's name is no day like 2025-09-01") from None


def header_of(cells: Sequence[str]) -> Header:
    """Return where a file's columns are; Unreadable when it lacks a time or the legs' prices."""
    names = [cell.strip().lower() for cell in cells]
    at = {name: position for position, name in reversed(list(enumerate(names)))}
    time = next((at[name] for name in TIME_COLUMNS if name in at), None)
    if time is None:
        raise Unreadable(f"no time column (one of {', '.join(TIME_COLUMNS)})")
    context = {ours: place for ours, theirs in CONTEXT.items() if (place := _first(at, theirs)) is not None}
    legs = {
        side: {
            ours: place
            for ours, theirs in LEG.items()
            if (place := _first(at, (f"{word}_{name}" for word in words for name in theirs))) is not None
        }
        for side, words in SIDES.items()
    }
    if not any("last" in leg for leg in legs.values()) and "total" not in context:
        raise Unreadable("no price column (call_last_price, put_last_price, ce_last, pe_last ...)")
    used = {time, *context.values(), *(place for leg in legs.values() for place in leg.values())}
    rest = [name for place, name in enumerate(names) if place not in used and name not in _explained()]
    renewed = tuple(name for name in rest if RENEWED.fullmatch(name))
    return Header(time, context, legs, renewed, tuple(name for name in rest if name not in renewed))


def _first(at: Mapping[str, int], names: Iterable[str]) -> int | None:
    return next((at[name] for name in names if name in at), None)


def _explained() -> frozenset[str]:
    """Return columns that say again what the folders and other columns say."""
    return frozenset({"", "index", "expiry_code", "expiry_tag", "offset", *TIME_COLUMNS, *OTHER_TIME_COLUMNS})


def instant_of(text: str, naive: tzinfo) -> datetime:
    """Return a time cell as an instant; one that names no zone is of `naive`. Unreadable when it is none."""
    text = text.strip()
    try:
        if EPOCH.fullmatch(text):
            return datetime.fromtimestamp(float(text), UTC)
        at = datetime.fromisoformat(text)
    except ValueError:
        try:
            at = datetime.strptime(text, DAY_FIRST).replace(tzinfo=naive)
        except ValueError:
            raise Unreadable("the time cannot be read") from None
    return at if at.tzinfo else at.replace(tzinfo=naive)
