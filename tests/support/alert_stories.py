"""Stories of alerts: what a healthy agent exports, what one fault changes in it, and when Prometheus should say so.

A story becomes a test of `promtool test rules`. The agent is scraped every 15 s, its page of options every minute at
the half; what is so at an instant is what the scrape 15 s later sees. A value is

- a number, which stays;
- `+n`: a counter that each minute's cycle makes n larger; `once +n`: by n in the first minute of the fault;
- a list: one value a minute, over and over;
- `minute+n`: n seconds after the last minute began; `now+n`, `now-n`: as far from each scrape;
- `x by y`: x at the fault's beginning, and y more each minute;
- `held`: what it was when the fault began; `absent`.

While the market is closed no minute is run, and what goes by the minute stands still.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from g6.health.problems import PROBLEMS

STEP = 15
INSTANCE = "127.0.0.1:9108"
HALF = 30  # the second of the minute at which the page of options is scraped
UNITS = {"h": 3600, "m": 60, "s": 1}
# Prometheus itself writes these after a scrape that failed; everything else is marked stale.
REPORTED = ("up", "scrape_")
Value = float | str | list[float]


def seconds(text: str | int) -> int:
    """`1h2m30s` in seconds."""
    sign = -1 if str(text).startswith("-") else 1
    return sign * sum(int(n) * UNITS[unit] for n, unit in re.findall(r"(\d+)([hms])", str(text)))


def duration(number: int) -> str:
    return f"{number}s"


@dataclass(frozen=True)
class Phase:
    """From one instant until before another these series behave otherwise; nothing answers; nothing is open."""

    start: int
    end: int
    series: Mapping[str, Value] = field(default_factory=dict)
    unreachable: bool = False
    closed: bool = False


@dataclass(frozen=True)
class World:
    """A healthy agent's series by page, and what befalls it. `missed` scrapes fail, `lost` ones never were.

    Every scrape is `late` seconds later than the evaluation that it would else coincide with.
    """

    pages: Mapping[str, Mapping[str, Value]]
    phases: Sequence[Phase] = ()
    missed: Sequence[int] = ()
    lost: Sequence[int] = ()
    step: int = STEP
    late: int = 0

    @property
    def interval(self) -> int:
        """The seconds from one place of `input_series` to the next."""
        return 1 if self.late else self.step

    def input_series(self, until: int) -> list[dict[str, str]]:
        return [
            {"series": _with_target(name, job), "values": packed(self._placed(self._samples(name, job, until)))}
            for job, series in self.pages.items()
            for name in series
        ]

    def _placed(self, samples: Iterable[str]) -> Iterator[str]:
        """The samples in the second of each, nothing in all others."""
        for sample in samples:
            yield from (*["_"] * self.late, sample, *["_"] * (self.step - 1 - self.late)) if self.late else (sample,)

    def _samples(self, name: str, job: str, until: int) -> Iterator[str]:
        course = Course(self.pages[job][name])
        reported = name.startswith(REPORTED)
        for t in range(0, until + 1, self.step):
            now = [phase for phase in self.phases if phase.start <= t - STEP < phase.end]
            fault = next((phase for phase in now if name in phase.series), None)
            runs = (self.step > STEP or t % 60 == STEP) and not any(phase.closed for phase in now)
            value = course.at(t, fault, fault.series[name] if fault else None, runs=runs)
            if value is None or t in self.lost or (job == "g6-options" and self.step == STEP and t % 60 != HALF):
                yield "_"
            elif t in self.missed or any(phase.unreachable for phase in now):
                yield "0" if reported else "stale"
            else:
                yield repr(value)


class Course:
    """A series as it goes on, one scrape after another."""

    def __init__(self, healthy: Value) -> None:
        self._healthy = healthy
        self._fault: Phase | None = None
        self._minutes = 0  # run since the beginning
        self._last: float | None = None
        self._count = 0.0

    def at(self, t: int, fault: Phase | None, value: Value | None, *, runs: bool) -> float | None:
        """What is exported at `t`; `runs` if a minute was run since the scrape before."""
        begins = fault is not self._fault
        self._fault = fault
        self._minutes += runs
        chosen = self._healthy if value is None else value
        if isinstance(chosen, list):
            self._last = float(chosen[self._minutes % len(chosen)])
        elif isinstance(chosen, int | float):
            # A counter that nothing adds to goes on from where it is.
            self._last = self._count or float(chosen)
        else:
            self._last = self._spoken(chosen, t, fault, begins=begins, runs=runs)
        return self._last

    def _spoken(self, words: str, t: int, fault: Phase | None, *, begins: bool, runs: bool) -> float | None:
        match words.split():
            case ["absent"]:
                return None
            case ["held"]:
                return self._last
            case ["once", more]:
                self._count += begins * float(more)
                return self._count
            case [start, "by", slope]:
                since = t - STEP - (fault.start if fault else 0)
                return float(start) + float(slope) * since / 60
            case [word] if word.startswith("minute"):
                begun = (t - 1) // 60 * 60
                return float(begun) + float(word[6:]) if runs or self._last is None else self._last
            case [word] if word.startswith("now"):
                return t + float(word[3:])
            case [more]:
                self._count += runs * float(more)
                return self._count
        raise ValueError(f"not a value: {words}")


def _with_target(name: str, job: str) -> str:
    metric, _, labels = name.partition("{")
    rest = f", {labels}" if labels else "}"
    return f'{metric}{{job="{job}", instance="{INSTANCE}"{rest}'


def packed(samples: Iterable[str]) -> str:
    """The samples in promtool's notation, what repeats said once."""
    runs: list[tuple[str, int]] = []
    for sample in samples:
        if runs and runs[-1][0] == sample:
            runs[-1] = (sample, runs[-1][1] + 1)
        else:
            runs.append((sample, 1))
    return " ".join(map(_run, runs))


def _run(run: tuple[str, int]) -> str:
    sample, times = run
    if times == 1:
        return sample
    if sample == "_":
        return f"_x{times}"
    if sample == "stale":
        return " ".join(["stale"] * times)
    return f"{sample}+0x{times - 1}"


def healthy_pages(document: Mapping[str, Mapping[str, Value]]) -> Mapping[str, Mapping[str, Value]]:
    """The baseline, with every problem that the agent can name, none of which is there."""
    problems = {f'g6_problem_active{{problem="{name}"}}': 0 for name in PROBLEMS}
    return {**document, "g6": {**document["g6"], **problems}}
