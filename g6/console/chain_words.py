"""What a chain says besides its strikes: levels, expected move, PCR, surface, exposure, and the market around it.

Each line is a name and clauses; what is not known is left out. Definitions: the data dictionary.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from g6.console.chain_rows import compact
from g6.console.figures import number
from g6.console.lines import Line, Span, cells, line, width_of, wrap
from g6.model.chain import BUILD_UPS, DEALER_POSITIONS, SMILE_STATUSES, OptionChain
from g6.model.columns import Aggregates
from g6.model.market_snapshot import INDEX, UNKNOWN, MarketSnapshot

Write = Callable[[float], str]

NAME_WIDTH = 10
VOL_POINTS = " vol points"
WHOLE = 10_000.0  # of premiums: from here on, no paise


@dataclass(frozen=True, slots=True)
class Clauses:
    """One subject and its clauses, in as many lines as they need."""

    name: str
    clauses: tuple[str, ...]

    def drawn(self, width: int) -> list[Line]:
        """Return the lines; a clause is broken only where it is wider than a line."""
        lines, current, room = [], "", max(1, width - NAME_WIDTH)
        for place, clause in enumerate(self.clauses):
            comma = "," if place + 1 < len(self.clauses) else ""
            longer = f"{current} {clause}{comma}".lstrip()
            if current and cells(longer) > room:
                lines.append(current)
                longer = f"{clause}{comma}"
            *whole, current = wrap(longer, room)
            lines += whole
        heads = [self.name, *[""] * len(lines)]
        return [
            line(Span(f"{head:<{NAME_WIDTH}}", "dim"), Span(text))
            for head, text in zip(heads, [*lines, current], strict=True)
        ]


def head_line(chain: OptionChain, minute: datetime, provider: str, market: MarketSnapshot | None, width: int) -> Line:
    """Return the first line: which chain, its level and change, its expiry and the minute."""
    spans = [Span(f"{chain.index} ", "bold"), Span(number(chain.spot, 2) + ("*" if chain.spot_frozen else ""), "bold")]
    spans += _change(chain, market)
    left = _left((chain.expires_at - chain.at).total_seconds())
    clauses = [
        Span(f"{chain.expiry:%d %b %y} ({left})", "bold"), Span(f"{minute:%Y-%m-%d %H:%M}"),
        Span(" ".join(chain.codes), "dim"), Span(provider, "dim"),
    ]  # fmt: skip
    for clause in clauses:
        if width_of(tuple(spans)) + 3 + cells(clause.text) > width:
            break
        spans += [Span("   "), clause]
    return line(*spans)


def _left(seconds: float) -> str:
    """Return the time to expiry in the unit that says something of it."""
    if seconds < 60:
        return "under a minute" if seconds > 0 else "expired"
    if seconds < 3600:
        minutes = int(seconds // 60)
        return f"{minutes} minute" if minutes == 1 else f"{minutes} minutes"
    return f"{seconds / 86400:.1f} days" if seconds >= 86400 else f"{seconds / 3600:.1f} hours"


def _change(chain: OptionChain, market: MarketSnapshot | None) -> list[Span]:
    """Return the change of the index over its previous close, where the market says it."""
    if market is None:
        return []
    rows = np.flatnonzero((market.kind == INDEX) & (market.name == chain.index))
    close = float(market.previous_close[rows[0]]) if len(rows) else math.nan
    if not (close > 0 and math.isfinite(chain.spot)):
        return []
    change = chain.spot - close
    style = "green" if change > 0 else "red" if change < 0 else ""
    return [Span(f" {change:+,.2f} ({change / close:+.2%})", style)]


def said_of(chain: OptionChain, index: Aggregates, market: MarketSnapshot | None) -> list[Clauses]:
    """Return every subject that something is known of; the first one, the prices at the money, always."""
    of = chain.aggregates
    subjects: Mapping[str, Iterator[str]] = {
        "levels": _levels(of, index), "move": _move(of), "odds": _odds(of), "PCR": _pcr(of, index), "OI": _oi(of),
        "surface": _surface(of, index), "exposure": _exposure(of), "market": _market(market, chain.index),
    }  # fmt: skip
    told = {name: tuple(clauses) for name, clauses in subjects.items()}
    notes = ("OI and volume: k 1,000", "L 100,000", "Cr 10,000,000")
    return [
        Clauses("ATM", tuple(_money(chain))),
        *(Clauses(name, clauses) for name, clauses in told.items() if clauses),
        Clauses("units", notes),
        *([Clauses("note", warnings)] if (warnings := _warnings(chain)) else []),
    ]


def _money(chain: OptionChain) -> Iterator[str]:
    of = chain.aggregates
    yield number(chain.atm)
    yield from _say(of, "atm_iv", _percent, "IV ")
    yield from _say(of, "straddle", _points, "straddle ")
    if math.isfinite(chain.forward):
        yield f"forward {number(chain.forward, 2)} by {chain.forward_source or 'unknown'}"
    yield f"lot {chain.lot}"


def _levels(of: Aggregates, index: Aggregates) -> Iterator[str]:
    for head, name in (("S support ", "support_oi"), ("R resistance ", "resistance_oi")):
        added = _within(of, f"{name}_change", lambda v: f"by OI added {number(v)}")
        yield from _say(of, name, number, head, added)
    yield from _say(of, "max_pain", number, "P max pain ", _within(of, "max_pain_drift", lambda v: f"{v:+,.0f} today"))
    yield from _say(of, "gex_flip", _points, "gamma flip ")
    yield from _say(index, "index_gex_flip", _points, "of all expiries ")


def _move(of: Aggregates) -> Iterator[str]:
    for name, word in (("straddle", "straddle"), ("iv", "IV")):
        low, high = (of.get(f"expected_{side}_{name}", math.nan) for side in ("low", "high"))
        reach = f": {number(low)} to {number(high)}" if math.isfinite(low) and math.isfinite(high) else ""
        yield from _say(of, f"expected_move_{name}", _points, "±", f" by {word}{reach}")
    yield from _say(of, "breakout_ratio", "{:+.2f}".format, "moved today ", " of the expected move")


def _odds(of: Aggregates) -> Iterator[str]:
    for side, word in (("support", "below"), ("resistance", "above")):
        touched = _within(of, f"{side}_touch_probability", "touch {:.0%}".format)
        yield from _say(of, f"{side}_close_probability", "{:.0%}".format, f"close {word} {side} ", touched)


def _pcr(of: Aggregates, index: Aggregates) -> Iterator[str]:
    for name, head in (("pcr_oi", "OI "), ("pcr_volume", "volume "), ("pcr_oi_change", "OI change ")):
        yield from _say(of, name, _ratio, head, _within(of, f"{name}_window", "window {:.2f}".format))
    yield from _say(index, "index_pcr_oi", _ratio, "OI of all expiries ")


def _oi(of: Aggregates) -> Iterator[str]:
    for side in ("call", "put"):
        change = _within(of, f"{side}_oi_change", _signed)
        kind = "".join(_say(of, f"{side}_build_up", lambda v: BUILD_UPS[int(v)].replace("_", " "), " "))
        yield from _say(of, f"{side}_oi", compact, f"{side}s ", f"{change}{kind}")
    yield from _say(of, "net_delta_oi", _signed, "net delta ")


def _surface(of: Aggregates, index: Aggregates) -> Iterator[str]:
    yield from _say(of, "risk_reversal_25", _vol_points, "25 delta risk reversal ", VOL_POINTS)
    yield from _say(of, "butterfly_25", _vol_points, "butterfly ", VOL_POINTS)
    yield from _say(index, "atm_iv_30d", _percent, "30 day IV ")
    yield from _say(index, "realised_volatility_20d", _percent, "realised ")
    yield from _say(index, "iv_rank", number, "IV rank ", "%")
    yield from _say(index, "iv_percentile", number, "percentile ", "%")
    status = of.get("smile_status", 0.0)
    if math.isfinite(status) and status:
        yield f"no smile: {SMILE_STATUSES[int(status)].replace('_', ' ')}"


def _exposure(of: Aggregates) -> Iterator[str]:
    yield from _say(of, "call_gex", compact, "gamma of calls ")
    yield from _say(of, "put_gex", compact, "puts ")
    yield from _say(of, "net_gex", _signed, "net ", " rupees per 1 %")
    yield from _say(of, "dealers", lambda v: DEALER_POSITIONS[int(v)].replace("_", " "), "if dealers are ")


def _market(market: MarketSnapshot | None, index: str) -> Iterator[str]:
    if market is None:
        return
    of = {"india_vix": market.vix, **market.aggregates}
    yield from _say(of, "india_vix", _ratio, "VIX ", _within(of, "india_vix_change", "{:+.2f}".format))
    yield from _breadth(market, index)
    if market.mood != UNKNOWN:
        yield f"mood {market.mood}"
    if market.leader != market.laggard:
        yield f"{market.leader} leads, {market.laggard} lags"


def _breadth(market: MarketSnapshot, index: str) -> Iterator[str]:
    """Yield how many shares rose and fell: of the index that is shown, else of the first that is known, by its name."""
    known = market.breadth_groups
    group = index if index in known else next(iter(known), "")
    of = market.breadth_of(group)
    yield from _say(of, "advances", number, f"{group} shares up ")
    yield from _say(of, "declines", number, "down ")


def _warnings(chain: OptionChain) -> tuple[str, ...]:
    frozen = "* the spot stands still: strikes and IV follow the forward"
    settling = "settlement is being averaged: IV is unreliable"
    return tuple(text for text, told in ((frozen, chain.spot_frozen), (settling, chain.settling)) if told)


def _say(of: Aggregates, name: str, write: Write, head: str = "", tail: str = "") -> Iterator[str]:
    """Yield what a measure says between head and tail; nothing where it is not known."""
    value = of.get(name, math.nan)
    if math.isfinite(value):
        yield f"{head}{write(value)}{tail}"


def _within(of: Aggregates, name: str, write: Write) -> str:
    """Return what a measure says in parentheses, after a blank."""
    return "".join(_say(of, name, write, " (", ")"))


def _percent(value: float) -> str:
    return f"{value:.2%}"


def _ratio(value: float) -> str:
    return f"{value:.2f}"


def _vol_points(value: float) -> str:
    return f"{value * 100:+.2f}"


def _signed(value: float) -> str:
    return compact(value, signed=True)


def _points(value: float) -> str:
    return number(value, 2 if abs(value) < WHOLE else 0)
