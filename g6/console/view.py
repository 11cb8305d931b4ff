"""The terminal as those who run the minutes see it: told of the start, each minute and each wait, it shows them.

Either a panel that is always there, or lines: the start, the first minute whole, then one sentence a minute.
"""

import re
from datetime import datetime

from g6.clock import Clock
from g6.console.lines import Drawing
from g6.console.live import LiveDisplay
from g6.console.minute import STYLES, MinuteView
from g6.console.moment import Moment, Scene, Waiting
from g6.console.panel import panel, panel_head
from g6.console.start import StartFacts, start_lines, start_panel
from g6.console.terminal import LastingConsole
from g6.model.report import CycleReport


class News:
    """What is worth a line that stays: a minute with other troubles than the one before, and the end of them."""

    def __init__(self) -> None:
        self._kinds: frozenset[str] = frozenset()
        self._since: datetime | None = None  # the first minute in a row that was not ok

    def of(self, report: CycleReport) -> str:
        """Return the line, or nothing where the minute is as the one before was."""
        troubles, head = report.troubles, f"{report.minute:%Y-%m-%d %H:%M}  {report.status}"
        if report.status == "ok":
            since, self._since, self._kinds = self._since, None, frozenset()
            return f"{head} again, after trouble since {since:%H:%M}" if since else ""
        # Numbers differ from minute to minute: "30 of 62 legs answered" is the trouble that 31 of 62 are.
        kinds = frozenset(re.sub(r"\d+", "#", text) for text in (report.status, *troubles))
        known, self._kinds = kinds <= self._kinds, kinds
        self._since = self._since or report.minute
        return "" if known else ": ".join((head, "; ".join(troubles))).removesuffix(": ")


class TerminalView:
    """Shows what it is told. Called by one thread; `live` is whether the panel is wanted, see `wants_panel`."""

    def __init__(self, console: LastingConsole, clock: Clock, *, ascii_only: bool, concise: bool, live: bool) -> None:
        self._console, self._clock, self._ascii = console, clock, ascii_only
        self._lines = MinuteView(console, ascii_only=ascii_only, concise=concise)
        self._moment: Moment | None = None
        self._waiting: Waiting | None = None
        self._news = News()
        self._last_minutes: dict[str, datetime] = {}
        self._display = LiveDisplay(console, self._draw, self._head, ascii_only=ascii_only) if live else None

    def start(self, facts: StartFacts) -> None:
        """Show what is about to happen, and the panel from here on where it is wanted."""
        if self._console.is_terminal:
            self._console.print(start_panel(facts, self._console.width, ascii_only=self._ascii))
        else:
            self._console.print(start_lines(facts, ascii_only=self._ascii), soft_wrap=True)
        if self._display:
            self._display.start()

    def show(self, moment: Moment, *, whole: bool) -> None:
        """Show a minute; without the panel as a sentence, with the table below it where it is wanted `whole`."""
        report = moment.report
        accepted = {index.index: report.minute for index in report.indices if index.expiries}
        self._last_minutes = {**self._last_minutes, **accepted}  # a new one: the panel's thread reads the old one
        self._moment = moment
        if self._display is None or not self._display.running:
            self._lines.show(report, whole=whole)
            return
        if news := self._news.of(report):  # stays readable above the panel, which has the next minute soon
            self._display.say(news, STYLES[report.status])
        self._display.changed()

    def waiting(self, waiting: Waiting) -> None:
        """Take note of what the loop waits for."""
        self._waiting = waiting
        if self._display:
            self._display.changed()

    def note(self, name: str, text: str) -> None:
        """Print one more line of the kind that follows the whole minute; the panel has no place for it."""
        if self._display is None or not self._display.running:
            self._lines.note(name, text)

    def close(self) -> None:
        """Leave the last state of the panel on the terminal."""
        if self._display and self._display.running:
            self._display.stop()

    def _scene(self) -> Scene:
        return Scene(self._clock.now(), self._clock.speed, self._moment, self._waiting, self._last_minutes)

    def _draw(self, width: int, height: int) -> Drawing:
        return panel(self._scene(), width, height, ascii_only=self._ascii)

    def _head(self, width: int) -> Drawing:
        return panel_head(self._scene(), width, ascii_only=self._ascii)
