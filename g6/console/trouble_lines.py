"""What is wrong, since when, and what to do: the active problems, and what the minute itself complains of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from g6.console.figures import instant, plain
from g6.console.lines import Line, Span, cut, hanging, line
from g6.console.moment import Moment, Scene
from g6.model.problem import Problem

SEVERITY_STYLES = {"down": "bold red", "degraded": "bold yellow"}
MARK_WIDTH = 11  # "! degraded "


def trouble_lines(scene: Scene, width: int, *, ascii_only: bool, brief: bool = False) -> list[list[Line]]:
    """Return one block of lines per problem, those that are down first, and one per complaint of the minute.

    `brief` cuts a cause to one line; what to do next is always whole.
    """
    moment = scene.moment
    if moment is None:
        return []
    ordered = sorted(moment.problems, key=lambda problem: problem.severity != "down")
    write = Writer(width, ascii_only, brief)
    blocks = [[*_cause(problem, scene, write), *_action(problem, write)] for problem in ordered]
    return blocks + [write.marked("minute", "degraded", text) for text in _unexplained(moment)]


@dataclass(frozen=True, slots=True)
class Writer:
    """How a marked text becomes lines."""

    width: int
    ascii_only: bool
    brief: bool

    def marked(self, word: str, severity: str, text: str) -> list[Line]:
        """Return the text beside its mark."""
        mark = Span(f"{'! ' + word:<{MARK_WIDTH}}", SEVERITY_STYLES[severity])
        clean = plain(text, ascii_only=self.ascii_only)
        if self.brief:
            return [cut(line(mark, clean), self.width, ascii_only=self.ascii_only)]
        return hanging(mark, clean, self.width)


def _cause(problem: Problem, scene: Scene, write: Writer) -> list[Line]:
    name = " ".join(word for word in (problem.id.replace("_", " "), problem.subject) if word)
    text = f"{name}: {problem.cause} (since {instant(problem.since, scene.now)})"
    return write.marked(problem.severity, problem.severity, text)


def _action(problem: Problem, write: Writer) -> list[Line]:
    """Return the next thing to do; the others are in the status."""
    if not problem.actions:
        return []
    arrow = Span(" " * (MARK_WIDTH - 3) + ("-> " if write.ascii_only else " → "), "bold")
    return hanging(arrow, plain(problem.actions[0], ascii_only=write.ascii_only), write.width, "bold")


def _unexplained(moment: Moment) -> Iterator[str]:
    """Yield the minute's complaints that neither a problem nor the lines of memory and parts are about."""
    report = moment.report
    elsewhere = [f"{part.name} {part.state}: {part.reason}" for part in report.parts]
    elsewhere += [report.pressure.sentence] if report.pressure else []
    causes = [problem.cause for problem in moment.problems]
    for trouble in report.troubles:
        if trouble not in elsewhere and not _told(trouble, causes):
            yield trouble


def _told(trouble: str, causes: Sequence[str]) -> bool:
    return any(cause in trouble or trouble in cause for cause in causes if cause)
