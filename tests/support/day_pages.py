"""A day's page as its reader has it: tables by caption, links, drawings, and what is not closed."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "line", "path", "rect", "circle", "polygon"}


@dataclass
class Table:
    heads: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)

    def row(self, name: str) -> list[str]:
        (found,) = [row[1:] for row in self.rows if row[0] == name]
        return found


class Page(HTMLParser):
    """Reads a page; `open` is empty at its end when every element was closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, Table] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.misplaced: list[str] = []
        self.text = ""
        self._cell: str | None = None
        self._caption: str | None = None
        self._row: list[str] = []
        self._table = Table()
        self.feed(text)
        self.close()

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID or tag == "rect":
            self.open.append(tag)
        if tag == "table":
            self._table = Table()
        elif tag == "tr":
            self._row = []
        elif tag in {"th", "td"}:
            self._cell = ""
        elif tag == "caption":
            self._caption = ""

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.misplaced.append(tag)
        if tag in {"th", "td"}:
            self._row.append(self._cell or "")
            self._cell = None
        elif tag == "caption":
            self.tables[self._caption or ""] = self._table
            self._caption = None
        elif tag == "tr" and not self._table.heads:
            self._table.heads = self._row
        elif tag == "tr":
            self._table.rows.append(self._row)

    def handle_data(self, data):
        if self._cell is not None:
            self._cell += data
        elif self._caption is not None:
            self._caption += data
        if "style" not in self.open:
            self.text += data

    def table(self, beginning: str) -> Table:
        """The table whose caption begins so."""
        (found,) = [table for caption, table in self.tables.items() if caption.startswith(beginning)]
        return found


def figure_of(cell: str) -> float:
    """The number of a cell; NaN for the dash."""
    return float("nan") if cell == "–" else float(cell.replace(",", "").removesuffix(" %"))
