"""One fault, from its beginning to the last word of its alerts."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from g6.drill.fault import Fault
from g6.drill.servers import Alertmanager
from g6.drill.watching import Receiver, Watch
from g6.drill.world import READY_SECONDS, World
from g6.errors import G6Error

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.1
# What starting, scraping and telling take beside what the rules wait for.
SLACK_SECONDS = 15.0

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Course:
    """What an alert did. Seconds since the fault began; `resolved` since it was removed; None for what it did not."""

    alert: str
    fault: str
    pending_seconds: float | None = None
    firing_seconds: float | None = None
    notified_seconds: float | None = None
    removed_seconds: float | None = None
    resolved_seconds: float | None = None
    trouble: str = ""

    @property
    def is_whole(self) -> bool:
        """Return whether it did all that it is for."""
        return not self.trouble and self.notified_seconds is not None and self.resolved_seconds is not None

    @property
    def verdict(self) -> str:
        """Return a few words for a person."""
        if self.trouble or self.is_whole:
            return self.trouble or "proven"
        for what, seconds in (
            ("never pending", self.pending_seconds), ("pending, never firing", self.firing_seconds),
            ("fired, and nobody was told", self.notified_seconds),
        ):  # fmt: skip
            if seconds is None:
                return what
        return "did not end with its fault"


class Scenario:
    """Runs a fault in a world of its own, and says what each of its alerts did."""

    def __init__(
        self, name: str, fault: Fault, alerts: Sequence[str], folder: Path, speed: float,
        alertmanager: Alertmanager, receiver: Receiver, tell: Tell,
    ) -> None:  # fmt: skip
        self._name, self._fault, self._alerts = name, fault, tuple(alerts)
        self._alertmanager, self._receiver, self._tell = alertmanager, receiver, tell
        folder.mkdir(parents=True)
        self._world = World(
            folder, speed * fault.pace, at=fault.at, provider=fault.provider, settings=fault.settings, bend=fault.bend,
            disk_bytes=fault.disk_bytes, accounts=fault.accounts,
            rules_pace=fault.rules_pace, by_the_calendar=fault.by_the_calendar,
        )  # fmt: skip
        self._courses = {alert: Course(alert, name) for alert in alerts}

    def end(self) -> None:
        """Let it come to an end soon, from another thread."""
        self._world.ended.set()

    def run(self) -> tuple[Course, ...]:
        """Return the course of each alert; where the drill itself broke they say so. Nothing is left running."""
        try:
            self._run()
        except G6Error as error:
            self._give_up(str(error))
        except Exception as error:
            log.exception("the drill of %s broke", self._name)
            self._give_up(f"{type(error).__name__}: {error}")
        finally:
            self._world.stop()
        return tuple(self._courses.values())

    def _run(self) -> None:
        fault, world = self._fault, self._world
        world.start(self._name, self._alertmanager, self._alerts if fault.by_the_calendar else ())
        watch = Watch(world.prometheus.url)
        self._calm(watch)
        begun = time.monotonic()
        self._tell("fault begins")
        fault.inject(world)
        self._wait(watch, begun, fault.fires, self._all_told)
        told = [course for course in self._courses.values() if course.notified_seconds is not None]
        self._tell(f"{len(told)} of {len(self._courses)} told")
        removed = time.monotonic()
        fault.remove(world)
        for name, course in self._courses.items():
            self._courses[name] = replace(course, removed_seconds=removed - begun)
        self._wait(watch, removed, fault.heals, self._all_over)
        self._tell(f"{sum(c.is_whole for c in self._courses.values())} of {len(self._courses)} proven")

    def _calm(self, watch: Watch) -> None:
        """Let all be well for a while; what fires by then proves nothing."""
        fault, world = self._fault, self._world
        world.wait_for("the first minutes", lambda: world.agent.cycles() >= 2, READY_SECONDS)
        self._tell("agent runs")
        world.pause(fault.calm)
        watch.look()
        for name in self._alerts:
            if watch.of(name).firing_at and not fault.always:
                self._courses[name] = replace(self._courses[name], trouble="fires without its fault")
        watch.forget()

    def _wait(self, watch: Watch, since: float, minutes: float, done: Callable[[Watch, float], bool]) -> None:
        give_up = time.monotonic() + self._world.seconds(minutes) + SLACK_SECONDS
        while time.monotonic() < give_up:
            watch.look()
            if done(watch, since):
                return
            if self._world.ended.wait(LOOK_SECONDS):
                raise G6Error("told to end")

    def _all_told(self, watch: Watch, begun: float) -> bool:
        for name, course in self._courses.items():
            seen, told = (
                watch.of(name),
                self._receiver.first_firing(self._name, name, 0.0 if self._fault.always else begun),
            )
            self._courses[name] = replace(
                course, pending_seconds=_since(begun, seen.pending_at), firing_seconds=_since(begun, seen.firing_at),
                notified_seconds=_since(begun, told),
            )  # fmt: skip
        return all(course.notified_seconds is not None for course in self._courses.values())

    def _all_over(self, watch: Watch, removed: float) -> bool:
        for name, course in self._courses.items():
            if course.notified_seconds is None or course.resolved_seconds is not None:
                continue
            over = self._receiver.all_resolved(self._name, name, 0.0)
            if over is not None and not watch.of(name).is_active:
                self._courses[name] = replace(course, resolved_seconds=max(0.0, over - removed))
        return all(c.resolved_seconds is not None or c.notified_seconds is None for c in self._courses.values())

    def _give_up(self, why: str) -> None:
        self._tell(why)
        for name, course in self._courses.items():
            if not course.is_whole:
                self._courses[name] = replace(course, trouble=course.trouble or f"the drill broke: {why}")


def _since(begun: float, at: float | None) -> float | None:
    return None if at is None else max(0.0, at - begun)
