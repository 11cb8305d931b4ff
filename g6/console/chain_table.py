"""A chain as traders know it: calls to the left, puts to the right, strikes between them, and what it all says.

Columns that do not fit give way by their priority, on both sides alike, and give their room to the bars.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from g6.console.chain_rows import (
    CALL_BAR,
    DEFAULT_COLUMNS,
    IN_THE_MONEY,
    IV,
    LEG_COLUMNS,
    PAIRED,
    PUT_BAR,
    Ladder,
    LegColumn,
    bar,
    mirrored,
)
from g6.console.chain_words import Clauses, head_line, said_of
from g6.console.figures import number
from g6.console.lines import Drawing, Line, Span, cells, cut, line
from g6.model.chain import OptionChain
from g6.model.columns import Aggregates, Bools, Floats
from g6.model.market_snapshot import MarketSnapshot

# Cells of the bars of open interest, and when they give way.
BAR_CELLS, BAR_KEEP = (4, 14), 80
IV_KEEP = 90
GREEKS_KEEP = 84  # where they are asked for: before all but prices, open interest and its change
CHOSEN = 200  # what a person chose stays before what he did not


@dataclass(frozen=True, slots=True)
class ChainView:
    """One chain of a minute, with what its index says over all its expiries, and the market around it."""

    chain: OptionChain
    minute: datetime
    provider: str
    index: Aggregates
    market: MarketSnapshot | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What to show: strikes on either side of the ATM (None: all), columns by their words (empty: the usual ones)."""

    strikes: int | None = 10
    columns: tuple[str, ...] = ()
    greeks: bool = False

    def legs(self) -> list[LegColumn]:
        """Return the columns in their order from the outside to the strike."""
        return [column for column in LEG_COLUMNS if column.word in (self.columns or DEFAULT_COLUMNS)]

    def keep(self, column: LegColumn) -> float:
        """Return how long a column stays."""
        raised = GREEKS_KEEP + column.keep / 1000 if self.greeks and column.greek else 0
        return max(column.keep, raised) + (CHOSEN if self.columns else 0)

    @property
    def iv(self) -> bool:
        """Return whether the strikes' volatilities are shown."""
        return not self.columns or IV in self.columns


def chain_table(view: ChainView, width: int, choice: Choice, *, ascii_only: bool) -> Drawing:
    """Return the chain in `width` cells: its head, the strikes, and what it says below them."""
    marks = _marks(view.chain)
    ladder = Ladder.of(view.chain).around(_centre(view.chain), choice.strikes)
    head = head_line(view.chain, view.minute, view.provider, view.market, width)
    said = said_of(view.chain, view.index, view.market)
    # Before the lines are broken: what ASCII spells out is longer.
    first, *rest = [replace(one, clauses=tuple(map(_ascii, one.clauses))) for one in said] if ascii_only else said
    table = _Table(view.chain, ladder, marks, width, choice, ascii_only=ascii_only).lines() if len(ladder) else []
    lines = [head, *first.drawn(width), (), *table, (), *_wrapped(rest, width)]
    return Drawing([_fit(each, width, ascii_only=ascii_only) for each in lines])


def _wrapped(said: Sequence[Clauses], width: int) -> list[Line]:
    return [each for clauses in said for each in clauses.drawn(width)]


def _fit(what: Line, width: int, *, ascii_only: bool) -> Line:
    if ascii_only:
        what = tuple(Span(_ascii(span.text), span.style) for span in what)
    return cut(what, width, ascii_only=ascii_only)


def _ascii(text: str) -> str:
    return text.replace("±", "+-").encode("ascii", "replace").decode()


def _centre(chain: OptionChain) -> float:
    known = (level for level in (chain.atm, chain.forward, chain.spot) if math.isfinite(level))
    return next(known, math.nan)


def _marks(chain: OptionChain) -> Mapping[float, str]:
    """Return strike → the letters of the levels that are there; the lines below the table say them out."""
    found: dict[float, str] = {}
    for letter, name in (("S", "support_oi"), ("R", "resistance_oi"), ("P", "max_pain")):
        strike = chain.aggregates.get(name, math.nan)
        if math.isfinite(strike):
            found[strike] = found.get(strike, "") + letter
    return found


class _Side:
    """Calls or puts: the columns that have something to say, as cells, with their widths."""

    def __init__(self, chain: OptionChain, ladder: Ladder, columns: Sequence[LegColumn], *, is_call: bool) -> None:
        rows = ladder.call if is_call else ladder.put
        inside = ladder.strike < chain.atm if is_call else ladder.strike > chain.atm
        self.made = {column.word: _dimmed(column.cells(chain, rows), inside) for column in columns}
        self.oi: Floats = np.where(rows >= 0, np.nan_to_num(chain.oi[rows]), 0.0)
        self.is_call = is_call

    def width(self, column: LegColumn) -> int:
        """Return the cells of a column's widest text, 0 where nothing is known in it."""
        texts = [span.text for span in self.made[column.word]]
        return max(map(cells, texts)) if any(text not in ("", "-") for text in texts) else 0


def _dimmed(spans: Sequence[Span], inside: Bools) -> list[Span]:
    return [Span(s.text, s.style or (IN_THE_MONEY if i else "")) for s, i in zip(spans, inside, strict=True)]


class _Table:
    """The strikes' lines in a width."""

    def __init__(
        self,
        chain: OptionChain,
        ladder: Ladder,
        marks: Mapping[float, str],
        width: int,
        choice: Choice,
        *,
        ascii_only: bool,
    ) -> None:
        self._chain, self._ladder, self._ascii = chain, ladder, ascii_only
        columns = choice.legs()
        self._calls, self._puts = (_Side(chain, ladder, columns, is_call=side) for side in (True, False))
        self._rule, self._wall, self._cross = ("-", "|", "+") if ascii_only else ("─", "│", "┼")
        known = {c.word: max(self._calls.width(c), self._puts.width(c)) for c in columns}
        self._widths = {c.word: max(known[c.word], cells(c.heading)) for c in columns if known[c.word]}
        self._iv = self._volatilities() if choice.iv else []
        self._strikes = self._strike_cells(marks)
        self._columns = [c for c in columns if c.word in self._widths]
        self._fit_into(width, choice)

    def _fit_into(self, width: int, choice: Choice) -> None:
        """Leave out what has no room, and give the bars what is left."""
        self._bar = BAR_CELLS[0] if "oi" in self._widths else 0
        while self._needed() > width:
            keeps = {c.word: choice.keep(c) for c in self._columns[:]} | ({"bar": BAR_KEEP} if self._bar else {})
            keeps |= {"iv": IV_KEEP} if self._iv else {}
            least = min(keeps, key=lambda word: keeps[word], default="")
            if len(keeps) <= 1:
                break
            if least == "bar":
                self._bar = 0
            elif least == "iv":
                self._iv = []
            else:
                gone = PAIRED if least in PAIRED else (least,)
                self._columns = [c for c in self._columns if c.word not in gone]
        if self._bar:
            self._bar += min(BAR_CELLS[1] - self._bar, max(0, width - self._needed()) // 2)

    def _needed(self) -> int:
        return 2 * self._side_width() + self._middle_width() + 2 * 3

    def _side_width(self) -> int:
        widths = [self._widths[c.word] for c in self._columns] + ([self._bar] if self._bar else [])
        return sum(widths) + max(0, len(widths) - 1)

    def _middle_width(self) -> int:
        return cells(self._strikes[0].text) + (1 + max(cells(span.text) for span in self._iv) if self._iv else 0)

    def _volatilities(self) -> list[Span]:
        """Return the strikes' volatilities in percent, of one width below their heading; empty when none is known."""
        rows = np.where(self._ladder.call >= 0, self._ladder.call, self._ladder.put)
        values = self._chain.iv[rows] * 100
        if not np.isfinite(values).any():
            return []
        texts = [number(value, 2) for value in values.tolist()]
        wide = max(4, *map(len, texts))
        return [Span(text.rjust(wide), "cyan" if text != "-" else "") for text in texts]

    def _strike_cells(self, marks: Mapping[float, str]) -> list[Span]:
        """Return letters and strike, the ATM between arrows, all of one width."""
        texts = [number(s, 0 if float(s).is_integer() else 2) for s in self._ladder.strike.tolist()]
        letters = [marks.get(strike, "") for strike in self._ladder.strike.tolist()]
        left, right = ("> ", " <") if self._ascii else ("► ", " ◄")
        wide, room = max(map(len, [*texts, "strike"])), max(map(len, letters))
        found = []
        for strike, text, letter in zip(self._ladder.strike.tolist(), texts, letters, strict=True):
            at = strike == self._chain.atm
            head, tail = (left, right) if at else ("  ", "  ")
            found.append(Span(f"{letter:<{room}}{head}{text:>{wide}}{tail}", "bold reverse" if at else "bold"))
        return found

    def lines(self) -> list[Line]:
        """Return heading, rule, and the strikes, with the level of the spot between them."""
        body: list[Line] = []
        for i, strike in enumerate(self._ladder.strike.tolist()):
            if i and self._ladder.strike[i - 1] < self._level <= strike:
                body.append(self._level_line())
            body.append(self._strike_line(i))
        return [*self._heading(), *body]

    @property
    def _level(self) -> float:
        chain = self._chain
        return chain.forward if chain.spot_frozen or not math.isfinite(chain.spot) else chain.spot

    def _heading(self) -> list[Line]:
        side, middle = self._side_width(), self._middle_width()
        wall = Span(f" {self._wall} ", "dim")
        iv = f" {'IV %':>{middle - cells(self._strikes[0].text) - 1}}" if self._iv else ""
        strike = f"{'strike':>{cells(self._strikes[0].text) - 2}}  "
        bars = [Span(" " * self._bar, "dim")] if self._bar else []
        left = [*bars, *(Span(f"{c.heading:>{self._widths[c.word]}}", "dim") for c in self._columns)]
        right = [*(Span(f"{c.heading:>{self._widths[c.word]}}", "dim") for c in mirrored(self._columns)), *bars]
        sides = line(
            Span("CALLS".center(side), f"bold {CALL_BAR}"), wall, Span(" " * middle), wall,
            Span("PUTS".center(side).rstrip(), f"bold {PUT_BAR}"),
        )  # fmt: skip
        heads = line(*_spaced(left), wall, Span(strike + iv, "dim"), wall, *_spaced(right))
        ruled = self._rule * (side + 1) + self._cross + self._rule * (middle + 2) + self._cross
        return [sides, heads, line(Span(ruled + self._rule * (side + 1), "dim"))]

    def _level_line(self) -> Line:
        """Return a rule that says where the spot is, the forward while the spot stands still."""
        side, middle = self._side_width(), self._middle_width()
        name = "spot" if self._level == self._chain.spot else "forward"
        text = f" {name} {number(self._level, 2)} "
        text = text if len(text) <= middle + 2 else f" {number(self._level, 2)} "
        parts = Span(self._rule * (side + 1) + self._cross, "dim"), Span(text.center(middle + 2, self._rule), "yellow")
        return line(*parts, Span(self._cross + self._rule * (side + 1), "dim"))

    def _strike_line(self, i: int) -> Line:
        wall = Span(f" {self._wall} ", "dim")
        middle = [self._strikes[i], *([Span(" "), self._iv[i]] if self._iv else [])]
        calls = [self._cell(self._calls, c, i) for c in self._columns]
        puts = [self._cell(self._puts, c, i) for c in mirrored(self._columns)]
        if self._bar:
            calls, puts = [self._bar_of(self._calls, i), *calls], [*puts, self._bar_of(self._puts, i)]
        return line(*_spaced(calls), wall, *middle, wall, *_spaced(puts))

    def _cell(self, side: _Side, column: LegColumn, i: int) -> Span:
        text, style = side.made[column.word][i]
        return Span(" " * (self._widths[column.word] - cells(text)) + text, style)

    def _bar_of(self, side: _Side, i: int) -> Span:
        top = max(self._calls.oi.max(), self._puts.oi.max())
        share = float(side.oi[i] / top) if top > 0 else 0.0
        text = bar(share, self._bar, rightwards=not side.is_call, ascii_only=self._ascii)
        return Span(text, CALL_BAR if side.is_call else PUT_BAR)


def _spaced(spans: Sequence[Span]) -> list[Span]:
    """Return the cells with a blank between each two."""
    return [part for i, span in enumerate(spans) for part in ([Span(" ")] if i else []) + [span]]
