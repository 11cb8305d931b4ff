"""Lines of styled text that keep to a width: cut, wrapped, in columns that give way by their priority.

Built by hand and not from the library's tables: a panel is drawn every second, and these cost a tenth of them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment

Row = TypeVar("Row")

GAP = 2  # cells between columns


class Span(NamedTuple):
    """A piece of a line, in one style."""

    text: str
    style: str = ""


Line = tuple[Span, ...]
EMPTY: Line = ()


def line(*parts: Span | str) -> Line:
    """Return a line of these pieces; those without text are left out, those of one style are one."""
    spans: list[Span] = []
    for part in parts:
        text, style = (part, "") if isinstance(part, str) else part
        if spans and spans[-1].style == style:
            spans[-1] = Span(spans[-1].text + text, style)
        elif text:
            spans.append(Span(text, style))
    return tuple(spans)


def cells(text: str) -> int:
    """Return how many cells a text takes: one a sign, but for some that are none or two wide."""
    return len(text) if text.isascii() else cell_len(text)


def width_of(what: Line) -> int:
    """Return how many cells a line takes."""
    return sum([cells(span.text) for span in what])


def cut(what: Line, width: int, *, ascii_only: bool) -> Line:
    """Return the line, or as much of it as fits with dots at its end."""
    if width_of(what) <= width:
        return what
    dots = ("..." if ascii_only else "…")[: max(0, width)]
    room, kept = width - len(dots), []
    for span in what:
        taken = span.text if cells(span.text) <= room else set_cell_size(span.text, room).rstrip()
        kept.append(Span(taken, span.style))
        room -= cells(span.text)
        if room <= 0:
            break
    return line(*kept, Span(dots, kept[-1].style if kept else ""))


def wrap(text: str, width: int) -> list[str]:
    """Return the text in lines of at most `width` cells, broken between words; a word too long is broken itself."""
    lines, current = [], ""
    for word in text.split():
        candidate = f"{current} {word}" if current else word
        if cells(candidate) <= width:
            current = candidate
            continue
        if current:
            lines.append(current)
        *full, current = _broken(word, max(1, width))
        lines += full
    return [*lines, current] if current or not lines else lines


def _broken(word: str, width: int) -> Iterator[str]:
    piece = ""
    for character in word:
        if piece and cells(piece + character) > width:
            yield piece
            piece = ""
        piece += character
    yield piece


def hanging(head: Span, text: str, width: int, style: str = "") -> list[Line]:
    """Return a text below and right of its head: the head stands on the first line, the rest is indented by it."""
    indent = cells(head.text)
    if width - indent < 16:  # too narrow to indent
        return [line(head), *(line(Span(part, style)) for part in wrap(text, width))]
    first, *rest = wrap(text, width - indent)
    return [line(head, Span(first, style)), *(line(" " * indent, Span(part, style)) for part in rest)]


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column: `keep` says how long it stays where there is too little room, the highest the longest."""

    heading: str
    cell: Callable[[Row], Span]
    keep: int
    left: bool = False


def columns(rows: Sequence[Row], wanted: Sequence[Column[Row]], width: int, *, ascii_only: bool) -> list[Line]:
    """Return heading, rule and rows; columns that do not fit, and those without a word in them, are left out."""
    made = {column.heading: [column.cell(row) for row in rows] for column in wanted}
    widths = {
        name: max([cells(name), *(cells(span.text) for span in spans)])
        for name, spans in made.items()
        if any(span.text for span in spans)
    }
    kept = [column for column in wanted if column.heading in widths]
    while len(kept) > 1 and sum(widths[column.heading] + GAP for column in kept) - GAP > width:
        kept.remove(min(kept, key=lambda column: column.keep))
    heads = _row([Span(column.heading, "dim") for column in kept], kept, widths)
    rule = line(Span(("-" if ascii_only else "─") * min(width, width_of(heads)), "dim"))
    body = [_row([made[column.heading][i] for column in kept], kept, widths) for i in range(len(rows))]
    return [heads, rule, *body]


def _row(spans: Sequence[Span], kept: Sequence[Column[Row]], widths: dict[str, int]) -> Line:
    parts: list[Span | str] = []
    for i, (span, column) in enumerate(zip(spans, kept, strict=True)):
        space = " " * (widths[column.heading] - cells(span.text))
        parts += [" " * GAP] if i else []
        parts += [span, space] if column.left else [space, span]
    return line(*parts)


class Drawing:
    """Lines as something that a console prints, and as text."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = tuple(lines)

    def __rich_console__(self, console: Console, _options: ConsoleOptions) -> RenderResult:
        for spans in self.lines:
            for span in spans:
                yield Segment(span.text, console.get_style(span.style) if span.style else None)
            yield Segment.line()

    def __str__(self) -> str:
        return "\n".join("".join(span.text for span in spans).rstrip() for spans in self.lines)
