"""The drill: the chosen faults, several at a time, each in a world of its own, before one receiver of notifications."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from g6.alerting import ALERTS
from g6.drill.faults import FAULTS
from g6.drill.scenario import Course, Scenario
from g6.drill.servers import Alertmanager
from g6.drill.watching import Receiver
from g6.errors import ConfigError

# What takes longest is begun first.
Told = Callable[[str], None]


def chosen(words: Sequence[str]) -> tuple[str, ...]:
    """Return the alerts that words name, by their beginning, whatever the case; all of them without words.

    Raises ConfigError for a word that begins no alert's name.
    """
    if not words:
        return tuple(ALERTS)
    found: dict[str, None] = {}
    for word in words:
        names = [name for name in ALERTS if name.lower().removeprefix("g6").startswith(word.lower().removeprefix("g6"))]
        exact = [name for name in names if name.lower().removeprefix("g6") == word.lower().removeprefix("g6")]
        if not names:
            raise ConfigError(f"{word}: no alert is called so; `g6 drill --list` shows them")
        found |= dict.fromkeys(exact or names)
    return tuple(name for name in ALERTS if name in found)


def by_fault(alerts: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Return fault → the alerts that it is to provoke."""
    found: dict[str, tuple[str, ...]] = {}
    for name in alerts:
        fault = ALERTS[name].fault
        found[fault] = (*found.get(fault, ()), name)
    return found


def length_minutes(name: str) -> float:
    """Return how long a fault may take, for the order in which they are begun."""
    fault = FAULTS[name]
    return (fault.calm + fault.fires + fault.heals) / fault.pace


def drill(alerts: Sequence[str], speed: float, jobs: int, tell: Told, keep: Path | None = None) -> list[Course]:
    """Return the course of each alert, in the table's order. `keep` is a folder for all logs and stores."""
    folder = keep or Path(tempfile.mkdtemp(prefix="g6-drill-"))
    folder.mkdir(parents=True, exist_ok=True)
    groups = by_fault(alerts)
    begun, begun_ones = time.monotonic(), list[Scenario]()

    def one(name: str) -> tuple[Course, ...]:
        def told(words: str) -> None:
            tell(f"{time.monotonic() - begun:6.1f} s  {name}: {words}")

        fault = FAULTS[name]
        if fault.missing:
            return tuple(Course(alert, name, trouble=f"not drilled: {fault.missing}") for alert in groups[name])
        scenario = Scenario(name, fault, groups[name], folder / name, speed, alertmanager, receiver, told)
        begun_ones.append(scenario)
        return scenario.run()

    courses: list[Course] = []
    order = sorted(groups, key=length_minutes, reverse=True)
    try:
        with Receiver() as receiver:
            alertmanager = Alertmanager(folder, receiver.url)
            try:
                alertmanager.start()
                with ThreadPoolExecutor(jobs, thread_name_prefix="drill") as pool:
                    try:
                        for found in pool.map(one, order):
                            courses += found
                    except BaseException:  # Ctrl-C, SIGTERM: nobody waits for the rest
                        pool.shutdown(wait=False, cancel_futures=True)
                        for scenario in begun_ones:
                            scenario.end()
                        raise
            finally:
                alertmanager.stop()
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    place = {name: number for number, name in enumerate(ALERTS)}
    return sorted(courses, key=lambda course: place[course.alert])
