"""A dashboard as rows of panels: what is asked, in which unit, and what bad looks like."""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["graph", "stat", "table", "heat", "by_strike", "text"]
# States of things, written as numbers: what each is called, and whether it is well.
Words = tuple[tuple[float, str, Literal["green", "yellow", "orange", "red", "blue"]], ...]


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL, or Flux where the panel says so, and what a line of its answer is called.

    `unit`, where it is not the panel's, has an axis of its own on the right. `quiet` says why an agent in whose minutes
    all is well may have no line to show.
    """

    expr: str
    legend: str = ""
    unit: str = ""
    quiet: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. `description` says what it shows and what bad looks like; `alerts` whose runbooks it links to.

    `broker`: it is filled where a broker answers, and the embedded simulator is none. `flux` asks InfluxDB instead of
    Prometheus. `good_above` and `bad_above` colour a stat: green from the first on, red from the second on. `by_name`
    shows what the line of a stat is called, where the number is 1 and says nothing.
    """

    title: str
    kind: Kind
    unit: str
    description: str
    queries: tuple[Query, ...]
    alerts: tuple[str, ...] = ()
    broker: bool = False
    flux: bool = False
    by_name: bool = False
    good_above: float | None = None
    bad_above: float | None = None
    words: Words = ()
    height: int = 8
    decimals: int | None = None

    @property
    def asks_prometheus(self) -> bool:
        """Return whether its queries are PromQL."""
        return not self.flux and self.kind != "text"


@dataclass(frozen=True, slots=True)
class Row:
    """Up to five panels beside one another, under a heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard. `variables` are what its reader chooses: index, expiry_code, expiry, offset."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]
    variables: tuple[str, ...] = ()
    tags: tuple[str, ...] = field(default=("g6",))


def graph(title: str, unit: str, description: str, *queries: Query, **more: object) -> Panel:
    """Return a panel of lines over time."""
    return Panel(title, "graph", unit, description, queries, **more)  # type: ignore[arg-type]


def stat(title: str, unit: str, description: str, expr: str, **more: object) -> Panel:
    """Return a panel of one number, or one a label set."""
    query = Query(expr, str(more.pop("legend", "")), quiet=str(more.pop("quiet", "")))
    return Panel(title, "stat", unit, description, (query,), **more)  # type: ignore[arg-type]
