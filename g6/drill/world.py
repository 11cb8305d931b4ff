"""What a fault finds: an agent, whom it asks, where it writes, and who watches it."""

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from datetime import date, datetime, timedelta
from pathlib import Path

import yaml

from g6.clock import IST
from g6.drill.agent import AgentProcess
from g6.drill.brokerage import Brokerage
from g6.drill.database import Database
from g6.drill.servers import Alertmanager, Prometheus
from g6.errors import G6Error

# A small market, a minute of which takes little of the machine: more than one agent runs at a time.
PLAIN = {
    "collection.indices": "NIFTY,SENSEX", "collection.expiries": "this_week", "collection.strikes_itm": "5",
    "collection.strikes_otm": "5", "collection.market.enabled": "false", "storage.archive.enabled": "false",
    "console.concise": "true", "logging.level": "WARNING", "governor.sample_seconds": "0.1",
}  # fmt: skip
KITE = {"providers.kite.timeout_seconds": "2", "providers.kite.call_timeout_seconds": "3"}
READY_SECONDS = 90.0
# A session so short that a drill can record the whole of it, and the hours of the days around the machine's own.
WHOLE_DAY, SHORT, ALL_DAY = date(2026, 11, 23), ("10:00", "10:08"), ("09:15", "15:40")


class World:
    """The processes of one drill, started in the order in which they need each other."""

    def __init__(
        self, folder: Path, speed: float, *, at: str, provider: str, settings: Mapping[str, str], bend: str,
        disk_bytes: int, accounts: Sequence[str], rules_pace: float, by_the_calendar: bool,
    ) -> None:  # fmt: skip
        self.folder, self.speed, self.agent_disk_bytes = folder, speed, disk_bytes
        self._rules_pace = rules_pace
        self.at = datetime.fromisoformat(at.format(today=self.machine_now.date())).replace(tzinfo=IST)
        self.database = Database()
        self._broker = None
        if provider != "simulated":
            until = self.machine_now + timedelta(days=7) if by_the_calendar else None
            self._broker = Brokerage(folder, self.at, speed, accounts, override=self.calendar(400), until=until)
        self.agent = AgentProcess(
            folder, {**PLAIN, **self._source(provider), **self._filled(settings)}, bend=bend, disk_bytes=disk_bytes
        )
        self._prometheus: Prometheus | None = None
        self.ended = threading.Event()  # set by whoever wants the drill to be over at once
        self._stack = ExitStack()

    @property
    def broker(self) -> Brokerage:
        """Return the broker. Raises G6Error in a world without."""
        if self._broker is None:
            raise G6Error("this drill has no broker")
        return self._broker

    @property
    def prometheus(self) -> Prometheus:
        """Return the Prometheus, which runs."""
        assert self._prometheus is not None  # noqa: S101  started before
        return self._prometheus

    def start(self, name: str, alertmanager: Alertmanager, by_the_calendar: Collection[str]) -> None:
        """Start everything."""
        self._stack.callback(self.database.stop)
        self.database.start()
        if self._broker:
            self._stack.callback(self._broker.stop)
            self._broker.start()
        self._stack.callback(self.agent.kill)
        self.agent.start()
        found = Prometheus(
            self.folder, name, self.speed * self._rules_pace, self.agent.address, alertmanager.address, by_the_calendar
        )
        self._prometheus = found
        self._stack.callback(found.stop)
        found.start()

    def stop(self) -> None:
        """End everything that runs."""
        self._stack.close()

    def seconds(self, minutes: float) -> float:
        """Return how long so many minutes of the agent's clock take."""
        return minutes * 60 / self.speed

    def pause(self, minutes: float) -> None:
        """Let so many minutes pass."""
        if self.ended.wait(self.seconds(minutes)):
            raise G6Error("told to end")

    def wait_for(self, what: str, happened: Callable[[], bool], seconds: float = READY_SECONDS) -> None:
        """Wait until something has happened. Raises G6Error where it does not."""
        give_up = time.monotonic() + seconds
        while not happened():
            if time.monotonic() > give_up:
                raise G6Error(f"{what}: not within {seconds:g} s; {self.agent.last_words}")
            if self.ended.wait(0.05):
                raise G6Error("told to end")

    @property
    def instruments(self) -> Path:
        """Return where the agent keeps the lists of instruments that the broker gave it."""
        return self.folder / "state" / "g6" / "instruments"

    @property
    def machine_now(self) -> datetime:
        """Return the machine's instant, which is Prometheus' as well."""
        return datetime.now(IST)

    def calendar(self, days: int) -> Path:
        """Return the file of a calendar that ends in so many days, and in which these days are days of trading."""
        today, path = self.machine_now.date(), self.folder / f"calendar_{days}.yaml"
        around = (today - timedelta(days=n) for n in range(-1, 5))
        open_days = dict.fromkeys(around, ALL_DAY) | {WHOLE_DAY: SHORT}
        rows = [
            {"day": day, "windows": [list(hours)], "kind": "regular", "confidence": "C", "source": "a drill"}
            for day, hours in open_days.items()
        ]
        covers = {"from": date(2024, 1, 1), "until": max(today + timedelta(days=days), WHOLE_DAY)}
        path.write_text(yaml.safe_dump({"covers": covers, "special_sessions": rows}), "utf-8")
        return path

    def bend(self) -> None:
        """Let the agent do wrong what it is able to."""
        self.agent.bent.touch()

    def straighten(self) -> None:
        """Let it do right again."""
        self.agent.bent.unlink()

    def _source(self, provider: str) -> Mapping[str, str]:
        if provider == "simulated":
            return {"providers.order": provider, "clock.at": self.at.isoformat(), "clock.speed": f"{self.speed:g}"}
        return {"providers.order": provider, "providers.kite.root": self.broker.url} | KITE

    def _filled(self, settings: Mapping[str, str]) -> Mapping[str, str]:
        """Return the settings with the addresses of this drill in them."""
        names = {"database": self.database.url, "calendar": self.calendar(400)}
        return {key: value.format(**names) for key, value in settings.items()}
