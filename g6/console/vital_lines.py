"""The lines below the indices: how long cycles take, how many succeed, who answers, and what the process stands on.

Each is a name and clauses, what matters most first: where a line is too narrow, its last clauses are left out.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from g6.console.figures import NOTHING, counted, duration, instant, number, percent, percentile, plain, size, sparkline
from g6.console.lines import Line, Span, cut, line, width_of
from g6.console.moment import Moment, Scene
from g6.model.market_snapshot import MOODS
from g6.model.pressure_report import LEVEL_NAMES, PressureReport
from g6.model.provider_report import EndpointReport, ProviderReport
from g6.model.report import SinkReport
from g6.model.vitals import Vitals

NAME_WIDTH = 9
BARS_AT_LEAST = 8
CUT_AT_LEAST = 12
LOW_DISK_RATIO = 0.1
GOOD, DOUBTFUL, BAD = "", "bold yellow", "bold red"


@dataclass(frozen=True, slots=True)
class VitalLine:
    """One line. `keep` says how long it stays where there are too few lines; what asks for attention stays longer."""

    name: str
    clauses: tuple[Span, ...]
    keep: int
    bars: tuple[float, ...] = ()  # drawn in the room that is left

    @property
    def kept(self) -> int:
        """Return how long it stays, worry included."""
        return self.keep + 50 * any(clause.style in (DOUBTFUL, BAD) for clause in self.clauses)

    def drawn(self, width: int, *, ascii_only: bool) -> Line:
        """Return the line in `width` cells."""
        head = Span(f"{self.name:<{NAME_WIDTH}}", "dim")
        spans, room = [head], width - NAME_WIDTH
        for i, clause in enumerate(self.clauses):
            clean = Span(plain(clause.text, ascii_only=ascii_only), clause.style)
            comma = Span(", " if i else "")
            needed = width_of((comma, clean))
            if i and needed > room and (not clean.style or room < CUT_AT_LEAST):
                break  # what is worrying is rather cut than left out
            spans += [comma, clean]
            room -= needed
        if self.bars and room - 2 >= BARS_AT_LEAST:
            spans += [Span("  "), Span(sparkline(self.bars, room - 2, ascii_only=ascii_only), "cyan")]
        return cut(line(*spans), width, ascii_only=ascii_only)


def vital_lines(scene: Scene) -> list[VitalLine]:
    """Return every line that something is known for."""
    if scene.moment is None:
        return []
    return [made for make in MAKERS for made in make(scene, scene.moment)]


def _cycle(_scene: Scene, moment: Moment) -> Iterator[VitalLine]:
    seconds = moment.vitals.cycle_seconds if moment.vitals else ()
    last = Span(f"{duration(moment.report.seconds)} last")
    median, slow = percentile(seconds, 0.5), percentile(seconds, 0.95)
    spread = [Span(f"p50 {duration(median)}"), Span(f"p95 {duration(slow)}")] if len(seconds) > 1 else []
    yield VitalLine("cycle", (last, *spread), keep=24, bars=seconds if len(seconds) > 1 else ())


def _success(_scene: Scene, moment: Moment) -> Iterator[VitalLine]:
    vitals = moment.vitals
    if vitals is None:
        return
    total = vitals.cycles + vitals.missed
    share = percent(vitals.ok / total if total else None, 1)
    style = GOOD if vitals.ok == total else DOUBTFUL
    counts = {"partial": vitals.partial, "failed": vitals.failed, "missed": vitals.missed}
    told = [Span(f"{count:,} {name}", style) for name, count in counts.items() if count]
    # An imperfect minute of the morning is no worry of the afternoon: the line keeps its ordinary place.
    yield VitalLine("success", (Span(f"{share} of {counted(total, 'minute')}"), *(Span(t.text) for t in told)), keep=20)


def _interface(scene: Scene, moment: Moment) -> Iterator[VitalLine]:
    market, vitals = moment.report.market, moment.vitals
    calls = vitals.call_seconds if vitals else ()
    if market is None and not calls:
        return
    name = market.active if market else moment.report.provider
    unpreferred = market is not None and market.active != market.preferred
    clauses = [Span(f"{name} instead of {market.preferred}", DOUBTFUL) if unpreferred and market else Span(name)]
    providers = market.providers if market else ()
    states = [clause for provider in providers for clause in _provider(provider, scene)]
    failed = sum(sum(endpoint.failures.values()) for provider in providers for endpoint in provider.endpoints)
    clauses += [state for state in states if state.style]
    clauses += [Span(f"{failed} failed", DOUBTFUL)] if failed else []
    if calls:
        worst = f"worst {duration(max(calls))}"
        clauses.append(Span(f"{counted(len(calls), 'call')}, p50 {duration(percentile(calls, 0.5))}, {worst}"))
    yield VitalLine("API", (*clauses, *(state for state in states if not state.style)), keep=18)


def _provider(provider: ProviderReport, scene: Scene) -> Iterator[Span]:
    """Yield what keeps a provider from answering, and until when its token lasts."""
    yield from (_breaker(endpoint) for endpoint in provider.endpoints if endpoint.breaker != "closed")
    token = provider.token
    if token is None:
        return
    name = f"{token.account} token"
    if token.state in {"valid", "expiring"} and token.expires_at:
        style = GOOD if token.state == "valid" else DOUBTFUL
        yield Span(f"{name} until {instant(token.expires_at, scene.now)}", style)
    else:
        yield Span(f"{name} {token.state}", GOOD if token.state == "valid" else BAD)


def _breaker(endpoint: EndpointReport) -> Span:
    return Span(f"{endpoint.name} breaker {endpoint.breaker.replace('_', ' ')}", BAD)


def _memory(_scene: Scene, moment: Moment) -> Iterator[VitalLine]:
    pressure, vitals = moment.report.pressure, moment.vitals
    if pressure is not None:
        yield VitalLine("memory", tuple(_pressure(pressure)), keep=22)
    elif vitals is not None and vitals.rss_bytes is not None:
        yield VitalLine("memory", (Span(size(vitals.rss_bytes)),), keep=22)


def _pressure(pressure: PressureReport) -> Iterator[Span]:
    style = GOOD if pressure.level == 0 else DOUBTFUL if pressure.level < 3 else BAD
    level = f"level {pressure.level} {LEVEL_NAMES[pressure.level]}" if pressure.level else LEVEL_NAMES[0]
    yield Span(level, style)
    resident = size(pressure.rss_bytes) if pressure.rss_bytes else ""
    if pressure.limit_bytes:
        yield Span(_of(resident, size(pressure.limit_bytes)) + f" ({percent(pressure.share)})", style)
    else:
        yield Span(f"{resident}, no limit known".removeprefix(", "))
    if pressure.shed:
        # The dearest first: a line too narrow for all of them does without those that nobody misses.
        yield Span("without " + ", ".join(kind.replace("_", " ") for kind in reversed(pressure.shed)), style)


def _of(part: str, whole: str) -> str:
    """Return "1.7/2.0 GB", or both with their units where these differ."""
    amount, _, unit = part.partition(" ")
    return f"{amount}/{whole}" if whole.endswith(f" {unit}") else f"{part or NOTHING} of {whole}"


def _market(_scene: Scene, moment: Moment) -> Iterator[VitalLine]:
    """Yield what surrounds the options: India VIX and its change, shares that rose and fell, the mood's score."""
    known = {name: value for name, value in moment.report.surroundings.items() if math.isfinite(value)}
    clauses = []
    if "india_vix" in known:
        change = f" ({known['india_vix_change']:+.2f})" if "india_vix_change" in known else ""
        clauses.append(Span(f"VIX {number(known['india_vix'], 2)}{change}"))
    if {"advances", "declines"} <= known.keys():
        clauses.append(Span(f"{counted(int(known['advances']), 'share')} up, {number(known['declines'])} down"))
    if "mood" in known:
        clauses.append(Span(f"mood {MOODS[round(known['mood']) + 2]}"))
    if clauses:
        yield VitalLine("market", tuple(clauses), keep=14)


def _machine(_scene: Scene, moment: Moment) -> Iterator[VitalLine]:
    vitals = moment.vitals
    if vitals is None:
        return
    clauses = []
    if vitals.cpu_ratio is not None:
        clauses.append(Span(f"CPU {number(vitals.cpu_ratio * 100)}% of one core"))
    if vitals.disk_free_bytes is not None:
        clauses.append(_disk(vitals, vitals.disk_free_bytes))
    clauses.append(Span(f"up {duration((_scene.now - vitals.started_at).total_seconds())}"))
    yield VitalLine("machine", tuple(clauses), keep=10)


def _disk(vitals: Vitals, free: int) -> Span:
    if not vitals.disk_total_bytes:
        return Span(f"disk {size(free)} free")
    ratio = free / vitals.disk_total_bytes
    total = f"disk {size(free)} free of {size(vitals.disk_total_bytes)} ({percent(ratio)})"
    return Span(total, DOUBTFUL if ratio < LOW_DISK_RATIO else GOOD)


def _stores(_scene: Scene, moment: Moment) -> Iterator[VitalLine]:
    journal = moment.report.journal
    if journal is None:
        first = Span("journal not written", BAD)
    elif journal.error:
        first = Span(f"journal failing, {counted(journal.pending, 'minute')} held in memory", BAD)
    else:
        first = Span("journal ok")
    sinks = [_sink(sink) for sink in moment.report.sinks]
    # What is wrong comes first: the end of a line may not fit.
    yield VitalLine("stores", (first, *sorted(sinks, key=lambda span: not span.style)), keep=26)


def _sink(sink: SinkReport) -> Span:
    behind = f"{counted(sink.lag_cycles, 'minute')} behind" if sink.lag_cycles else ""
    refused = f"{counted(sink.refused, 'line')} refused" if sink.refused else ""
    if sink.error:
        return Span(f"{sink.name} failing" + (f", {behind}" if behind else ""), BAD)
    doubts = ", ".join(word for word in (behind, refused) if word)
    waiting = f" ({sink.unconfirmed_cycles} unconfirmed)" if sink.unconfirmed_cycles else ""
    return Span(f"{sink.name} {doubts}", DOUBTFUL) if doubts else Span(f"{sink.name} ok{waiting}")


def _parts(_scene: Scene, moment: Moment) -> Iterator[VitalLine]:
    if not moment.report.parts:
        return
    told = []
    for part in moment.report.parts:
        name = part.name.replace("_", " ")
        if part.state == "running":
            restarts = f" ({counted(part.restarts, 'restart')})" if part.restarts else ""
            told.append(Span(f"{name} ok{restarts}"))
        else:
            reason = f": {part.reason}" if part.reason else ""
            style = GOOD if part.state == "stopped" else BAD if part.state == "failed" else DOUBTFUL
            told.append(Span(f"{name} {part.state}{reason}", style))
    yield VitalLine("parts", tuple(sorted(told, key=lambda span: not span.style)), keep=12)


# In the order in which they are shown.
MAKERS: Sequence[Callable[[Scene, Moment], Iterator[VitalLine]]] = (
    _market, _cycle, _success, _interface, _memory, _machine, _stores, _parts,
)  # fmt: skip
