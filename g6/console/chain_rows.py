"""A chain strike by strike: where its legs stand, and each leg's column as text and style."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from g6.console.figures import NOTHING, number
from g6.console.lines import Span
from g6.model.chain import BUILD_UPS, OptionChain
from g6.model.columns import Floats, Ints

# India counts in lakhs and crores; in both directions from 1,000 on.
SCALES = ((1e7, "Cr"), (1e5, "L"), (1e3, "k"))
BUILD_UP_WORDS: Mapping[str, str] = {
    "neutral": "neutral", "long_build_up": "long+", "short_build_up": "short+", "short_covering": "short-",
    "long_unwinding": "long-",
}  # fmt: skip
RISE, FALL = "green", "red"
CALL_BAR, PUT_BAR = "red", "green"  # open calls resist, open puts support
IN_THE_MONEY = "dim"


def compact(value: float, *, signed: bool = False) -> str:
    """Return a quantity in four or five cells: 950, 97.5k, 12.4L (lakh), 1.24Cr (crore); "-" where it is not known."""
    if not math.isfinite(value):
        return NOTHING
    sign = "+" if signed and value > 0 else ""
    for scale, unit in SCALES:
        share = value / scale
        if abs(share) >= 0.9995:
            return f"{sign}{share:,.{2 if abs(share) < 9.995 else 1 if abs(share) < 99.95 else 0}f}{unit}"
    return f"{sign}{value:,.0f}"


@dataclass(frozen=True, slots=True)
class Ladder:
    """The listed strikes, ascending, with the row of each one's call and put in the chain, -1 where none is listed."""

    strike: Floats
    call: Ints
    put: Ints

    def __len__(self) -> int:
        return len(self.strike)

    @classmethod
    def of(cls, chain: OptionChain) -> "Ladder":
        """Return the ladder of a chain whose legs stand in any order."""
        strike, place = np.unique(chain.strike, return_inverse=True)
        rows = np.full((2, len(strike)), -1)
        rows[np.where(chain.is_call, 0, 1), place] = np.arange(len(chain))
        return cls(strike, rows[0], rows[1])

    def around(self, level: float, count: int | None) -> "Ladder":
        """Return the strikes at most `count` away from the one nearest to a level; all without either."""
        if count is None or not math.isfinite(level) or not len(self):
            return self
        centre = int(np.argmin(np.abs(self.strike - level)))
        kept = slice(max(0, centre - count), centre + count + 1)
        return Ladder(self.strike[kept], self.call[kept], self.put[kept])


@dataclass(frozen=True, slots=True)
class LegColumn:
    """A column that calls and puts have each: `keep` says how long it stays where there is too little room."""

    word: str  # in the argument that chooses columns
    heading: str
    keep: int
    cell: Callable[[float], Span]
    source: str  # the column of the schema
    greek: bool = False

    def cells(self, chain: OptionChain, rows: Ints) -> list[Span]:
        """Return one cell per strike; nothing where the leg is not listed."""
        values = getattr(chain, self.source)
        return [self.cell(float(values[row])) if row >= 0 else Span("") for row in rows.tolist()]


def _decimal(decimals: int, scale: float = 1.0) -> Callable[[float], Span]:
    return lambda value: Span(number(value * scale, decimals))


def _quantity(value: float) -> Span:
    return Span(compact(value))


def _change(value: float) -> Span:
    return Span(compact(value, signed=True), RISE if value > 0 else FALL if value < 0 else "")


def _build_up(code: float) -> Span:
    """Return the class's word; a number that this release has no word for is none."""
    known = math.isfinite(code) and 0 <= code < len(BUILD_UPS)
    return Span(BUILD_UP_WORDS[BUILD_UPS[int(code)]] if known else NOTHING)


# From the outside to the strike, as calls have them; puts mirror them, but that a bid stays left of its ask.
LEG_COLUMNS: Sequence[LegColumn] = (
    LegColumn("oi", "OI", 95, _quantity, "oi"),
    LegColumn("oi_change", "chg OI", 85, _change, "oi_change"),
    LegColumn("build_up", "build-up", 15, _build_up, "build_up"),
    LegColumn("volume", "volume", 75, _quantity, "volume"),
    LegColumn("average", "average", 12, _decimal(2), "average_price"),
    LegColumn("leg_iv", "own IV", 10, _decimal(2, 100), "leg_iv"),
    LegColumn("theta", "theta", 50, _decimal(2), "theta", greek=True),
    LegColumn("vega", "vega", 45, _decimal(2), "vega", greek=True),
    LegColumn("gamma", "gamma", 40, _decimal(5), "gamma", greek=True),
    LegColumn("delta", "delta", 60, _decimal(2), "delta", greek=True),
    LegColumn("ltp", "LTP", 100, _decimal(2), "last"),
    LegColumn("bid", "bid", 71, _decimal(2), "bid"),
    LegColumn("ask", "ask", 70, _decimal(2), "ask"),
)
DEFAULT_COLUMNS = ("oi", "oi_change", "volume", "theta", "vega", "gamma", "delta", "ltp", "bid", "ask")
IV = "iv"  # the strike's own, beside it
COLUMN_WORDS = (*(column.word for column in LEG_COLUMNS), IV)
# Neither says much without the other.
PAIRED = ("bid", "ask")


def mirrored(columns: Sequence[LegColumn]) -> list[LegColumn]:
    """Return the columns of puts, from the strike to the outside."""
    order = [column.word for column in columns]
    turned = list(reversed(columns))
    if set(PAIRED) <= set(order):
        bid, ask = (next(i for i, c in enumerate(turned) if c.word == word) for word in PAIRED)
        turned[bid], turned[ask] = turned[ask], turned[bid]
    return turned


def bar(share: float, width: int, *, rightwards: bool, ascii_only: bool) -> str:
    """Return a bar of at most `width` cells that fills them; any share at all leaves a mark, in halves of a cell."""
    if not share > 0:
        return " " * width
    if ascii_only:
        text = "#" * max(1, round(min(share, 1.0) * width))
    else:
        whole, half = divmod(max(1, round(min(share, 1.0) * width * 2)), 2)
        text = "█" * whole + "▌" * half if rightwards else "▐" * half + "█" * whole
    return text.ljust(width) if rightwards else text.rjust(width)
