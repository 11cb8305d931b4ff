"""The panel as lines: how it is in one word, the minute and the next one, the indices, the vitals, what to do.

What does not fit is left out by its weight, never wrapped: first the spacing, then what is well, last what is wrong.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from g6.console.figures import countdown, counted, duration, elapsed, instant
from g6.console.index_table import IndexRow, index_table, rows_of
from g6.console.lines import EMPTY, Drawing, Line, Span, cut, line, width_of
from g6.console.moment import Scene, State
from g6.console.trouble_lines import trouble_lines
from g6.console.vital_lines import vital_lines

STATE_STYLES: dict[State, str] = {
    "starting": "bold reverse", "ok": "bold reverse green", "degraded": "bold reverse yellow",
    "down": "bold reverse red", "late": "bold reverse red",
}  # fmt: skip
# A minute that has not come back after this long is late, whatever the one before was.
LATE_SECONDS = 60.0
# What a block's `keep` means: below OPTIONAL it may be left out, the lowest first.
OPTIONAL, TROUBLE, HEAD = 100, 190, 200


@dataclass(frozen=True, slots=True)
class Form:
    """What the panel has to fit into."""

    width: int
    height: int
    ascii_only: bool


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that stay or go together."""

    lines: Sequence[Line]
    keep: int


def panel(scene: Scene, width: int, height: int, *, ascii_only: bool) -> Drawing:
    """Return the panel in at most `width` cells and `height` lines."""
    form = Form(max(1, width), max(1, height), ascii_only)
    blocks = _fitted(list(_blocks(scene, form, brief=False)), form.height)
    if _tall(blocks) > form.height:
        blocks = _counted(_fitted(list(_blocks(scene, form, brief=True)), form.height), form.height)
    lines = [cut(each, form.width, ascii_only=ascii_only) for block in blocks for each in block.lines]
    return Drawing(lines[: form.height])


def panel_head(scene: Scene, width: int, *, ascii_only: bool) -> Drawing:
    """Return the panel's first line alone: what changes from second to second."""
    return Drawing([cut(_head(scene, max(1, width)), max(1, width), ascii_only=ascii_only)])


def _blocks(scene: Scene, form: Form, *, brief: bool) -> Iterator[Block]:
    """Yield what there is to show; `brief` is the indices that something is wrong with, and one line per cause."""
    yield Block([_head(scene, form.width)], HEAD)
    if rows := rows_of(scene.moment.report, scene.last_minutes) if scene.moment else []:
        table = _worrying(rows, form) if brief else index_table(rows, form.width, ascii_only=form.ascii_only)
        yield Block([EMPTY], 2)
        yield Block(table, OPTIONAL - 1 if brief else OPTIONAL)
        yield Block([EMPTY], 1)
    for vital in vital_lines(scene):
        yield Block([vital.drawn(form.width, ascii_only=form.ascii_only)], vital.kept)
    troubles = trouble_lines(scene, form.width, ascii_only=form.ascii_only, brief=brief)
    yield from [Block([EMPTY], 3)] if troubles else []
    yield from (Block(lines, TROUBLE) for lines in troubles)


def _tall(blocks: Sequence[Block]) -> int:
    return sum(len(block.lines) for block in blocks)


def _fitted(blocks: list[Block], height: int) -> list[Block]:
    """Return the blocks without those that may be left out and do not fit."""
    while _tall(blocks) > height and (least := min(blocks, key=lambda block: block.keep)).keep < OPTIONAL:
        blocks.remove(least)
    return blocks


def _counted(blocks: list[Block], height: int) -> list[Block]:
    """Return the blocks with as many troubles as fit, the worst first, and the number of the others."""
    troubles = [block for block in blocks if block.keep == TROUBLE]
    if _tall(blocks) <= height or not troubles:
        return blocks
    others = [block for block in blocks if block.keep != TROUBLE]
    while troubles and _tall(others) + _tall(troubles) >= height:
        troubles.pop()
    count = sum(block.keep == TROUBLE for block in blocks) - len(troubles)
    return [*others, *troubles, Block([line(Span(f"! {count} more: g6 status", "bold yellow"))], TROUBLE)]


def _worrying(rows: Sequence[IndexRow], form: Form) -> list[Line]:
    wrong = [row for row in rows if not row.whole]
    whole = len(rows) - len(wrong)
    told = [line(f"{counted(whole, 'index', 'indices')} whole")] if whole else []
    return [*(index_table(wrong, form.width, ascii_only=form.ascii_only) if wrong else []), *told]


def _head(scene: Scene, width: int) -> Line:
    """Return the first line: the state, the countdown, the minute, the market; its end gives way."""
    state = _state(scene)
    spans = [Span(f" {state.upper()} ", STATE_STYLES[state])]
    for clause in _clauses(scene):
        if width_of(tuple(spans)) + 3 + width_of((clause,)) > width:
            break
        spans += [Span("   "), clause]
    return line(*spans)


def _state(scene: Scene) -> State:
    if _overdue_seconds(scene) > LATE_SECONDS * max(1.0, scene.speed):
        return "late"
    return scene.moment.state if scene.moment else "starting"


def _clauses(scene: Scene) -> Iterator[Span]:
    yield _next(scene)
    if scene.moment:
        report = scene.moment.report
        counted = f"{report.received}/{report.expected} legs in {duration(report.seconds)}"
        yield Span(f"{report.minute:%H:%M} {report.status} {counted}")
    opened = scene.waiting.opened if scene.waiting else {}
    words = {True: "open", False: "closed"}
    if opened:
        alike = set(opened.values())
        yield Span(
            f"{' '.join(opened)} {words[alike.pop()]}"
            if len(alike) == 1
            else ", ".join(f"{name} {words[is_open]}" for name, is_open in opened.items())
        )
    if scene.moment and scene.moment.report.provider:
        yield Span(scene.moment.report.provider, "dim")


def _next(scene: Scene) -> Span:
    if scene.waiting is None:
        return Span("the first minute is not planned yet")
    due, overdue = scene.waiting.due, _overdue_seconds(scene)
    if overdue >= 0:
        return Span(f"{due:%H:%M} under way for {elapsed(overdue)}", "bold")
    when = f"{instant(due, scene.now)} in {countdown(-overdue)}"
    return Span(f"market closed, next {when}" if scene.waiting.closed else f"next {when}", "bold")


def _overdue_seconds(scene: Scene) -> float:
    return (scene.now - scene.waiting.due).total_seconds() if scene.waiting else 0.0
