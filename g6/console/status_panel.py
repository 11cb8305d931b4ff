"""The status on one screen: how it is in one word, every component, every problem with its cause and what to do."""

from collections.abc import Iterator
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from g6.clock import IST
from g6.console.figures import plain
from g6.console.terminal import table_box
from g6.health.document import ComponentStatus, ProblemStatus, StatusDocument
from g6.health.seen import Seen
from g6.health.wording import DAY, duration, plural

STYLES = {
    "healthy": "bold green", "ok": "green", "degraded": "yellow", "down": "bold red", "unknown": "dim",
    "partial": "yellow", "failed": "bold red",
}  # fmt: skip
NARROW = 60  # below this the instants go, and name, state and reason share a line


class StatusView:
    """Prints what was seen of an agent: as a panel on a terminal, as plain lines elsewhere."""

    def __init__(self, console: Console, *, ascii_only: bool) -> None:
        self._console = console
        self._ascii = ascii_only

    def show(self, seen: Seen) -> None:
        """Print the panel, or lines where no person's terminal is behind the output."""
        if self._console.is_terminal:
            self._console.print(self.panel(seen))
        else:
            for line in self.lines(seen):
                self._console.print(Text(line), soft_wrap=True)

    def panel(self, seen: Seen) -> RenderableType:
        """Return all of it; where the screen is too low for that, what is wrong and the names of what is not."""
        whole = Group(*self._blocks(seen, brief=False))
        # One line is the prompt's.
        if len(self._console.render_lines(whole, pad=False)) < self._console.height:
            return whole
        return Group(*self._blocks(seen, brief=True))

    def lines(self, seen: Seen) -> Iterator[str]:
        """Yield one line a fact, none of them wrapped: for pipes, logs and mails."""
        yield self._plain(f"status     {_headline(seen)}")
        if seen.note:
            yield self._plain(f"note       {seen.note}")
        document = seen.document
        if document is None:
            return
        yield self._plain(f"agent      {_agent(document)}")
        yield self._plain(f"minute     {_minute(document, running=seen.running)}")
        for problem in document.problems:
            title = f"{_titled(problem)}, since {_at(problem.since, document.at)}"
            yield self._plain(f"problem    {problem.severity:<8} {problem.id}: {title}")
            yield self._plain(f"  cause    {problem.cause}")
            yield from (self._plain(f"  next     {action}") for action in problem.actions)
            yield self._plain(f"  more     {problem.runbook}")
        for one in document.components:
            yield self._plain(f"{one.name:<16} {one.state:<8} {_at(one.since, document.at)}  {one.sentence}")

    def _blocks(self, seen: Seen, *, brief: bool) -> Iterator[RenderableType]:
        yield self._text(_headline(seen), STYLES[seen.overall])
        if seen.note:
            yield self._text(seen.note, "bold")
        document = seen.document
        if document is None:
            return
        yield self._text(_minute(document, running=seen.running))
        yield self._text(_agent(document), "dim")
        for problem in document.problems:
            yield from self._problem(problem, document.at, brief=brief)
        yield Text("")
        if brief:
            yield from (self._text(f"{state}: {names}", "dim") for state, names in _named(document))
        elif self._console.width < NARROW:
            yield from map(self._stacked, document.components)
        else:
            yield self._table(document)

    def _table(self, document: StatusDocument) -> Table:
        table = Table(box=table_box(ascii_only=self._ascii), pad_edge=False, padding=(0, 1, 0, 0), expand=True)
        for heading in ("component", "state", "since"):
            table.add_column(heading, no_wrap=True)
        table.add_column("what it says", ratio=1, overflow="fold")
        for one in document.components:
            state = Text(one.state, style=STYLES[one.state])
            since = _at(one.since, document.at)
            table.add_row(self._text(one.name), state, since, self._text(one.sentence))
        return table

    def _stacked(self, one: ComponentStatus) -> Text:
        text = self._text(f"{one.name} ").append(one.state, STYLES[one.state])
        return text.append(self._plain(f" {one.sentence}"))

    def _problem(self, problem: ProblemStatus, now: datetime, *, brief: bool) -> Iterator[RenderableType]:
        mark = "!" if self._ascii else "▲"
        head = Text(f"{mark} {problem.severity}: ", style=STYLES[problem.severity])
        head.append(self._plain(_titled(problem)), "bold")
        head.append(self._plain(f", since {_at(problem.since, now)}"), "dim")
        table = Table.grid(padding=(0, 1, 0, 0), expand=True)
        table.add_column(no_wrap=True, style="dim")
        table.add_column(ratio=1, overflow="fold")
        table.add_row("  cause", self._text(problem.cause))
        for number, action in enumerate(problem.actions[:1] if brief else problem.actions):
            table.add_row("" if number else "  next", self._text(action))
        if not brief:
            table.add_row("  more", self._text(problem.runbook, "dim"))
            yield Text("")
        yield from (head, table)

    def _text(self, text: str, style: str = "") -> Text:
        """Return the text as it is: some of it was written by a vendor's server, and its brackets are no markup."""
        return Text(self._plain(text), style=style)

    def _plain(self, text: str) -> str:
        return plain(text, ascii_only=self._ascii)


def _named(document: StatusDocument) -> Iterator[tuple[str, str]]:
    for state in ("ok", "unknown"):
        names = [one.name for one in document.components if one.state == state]
        if names:
            yield state, ", ".join(names)


def _headline(seen: Seen) -> str:
    document = seen.document
    if document is None:
        return "G6 is not running"
    if not seen.running:
        return f"G6 {document.agent.version} is not running; it was {document.status}"
    problems = f": {plural(len(document.problems), 'problem')}" if document.problems else ""
    return f"G6 {document.agent.version} is {seen.overall}{problems}"


def _agent(document: StatusDocument) -> str:
    about = document.agent
    age = duration((document.written_at - about.started_at).total_seconds())
    facts = [f"{about.market} minutes in {about.data_directory}".strip(), f"process {about.pid} for {age}"]
    facts += [about.url] if about.url else []
    return ", ".join([*facts, f"as of {document.at.astimezone(IST):{DAY}:%S}"])


def _minute(document: StatusDocument, *, running: bool) -> str:
    cycle, market = document.cycle, document.session.market
    said = f"the market is {market}; " if running and market != "unknown" else ""
    if cycle is None:
        return f"{said}no minute has been recorded yet"
    return f"{said}{cycle.minute.astimezone(IST):%d %b %H:%M} {cycle.sentence}"


def _titled(problem: ProblemStatus) -> str:
    return f"{problem.title} ({problem.subject})" if problem.subject else problem.title


def _at(instant: datetime, now: datetime) -> str:
    """Return the time of day in IST, with the day where it is another."""
    local = instant.astimezone(IST)
    return f"{local:%H:%M}" if local.date() == now.astimezone(IST).date() else f"{local:%d %b %H:%M}"
