"""What self-protection costs and saves: a whole session with a stress every ten minutes, and the governor alone.

    .venv/bin/python scripts/bench/stress.py [--minutes 385]

1. a day: an outage, a slow answer, a hung call, short memory, a full disk, a dead database and a dying part in turn;
   how many of the minutes that could be had were had, and after how many cycles `g6 status` names each stress
2. per cycle: what governor, health (with its file) and the live panel take in that day
3. short memory: cycles and seconds until it is shed, and the resident memory before and after, without the ballast

The simulated market answers, on a clock that jumps from minute to minute; what is measured is the machine's time.
"""

import argparse
import gzip
import io
import resource
import statistics
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import psutil
from rich.console import Console

from g6.console.view import TerminalView
from g6.errors import TransientError
from g6.providers.facade import Facade
from g6.resilience.call_watchdog import CallWatchdog
from g6.settings import load
from g6.storage.reader import JournalReader
from g6.unified_main import Agent
from g6.wiring import PROVIDERS, wire
from g6.wiring.sources import Run, load_market

DAY, FIRST = "2026-11-20", "09:15"
EVERY, LIMIT_BYTES = 10, 600_000_000
WHOLE = {"collection.indices": "NIFTY,BANKNIFTY,FINNIFTY,MIDCPNIFTY,SENSEX,BANKEX"}
# Stress → minutes that it lasts, and minutes that nobody could have collected because of it.
STRESSES = {
    "provider outage": (1, 1), "slow answer of 150 s": (1, 1), "hung call": (1, 1), "memory short": (3, 0),
    "disk full": (1, 0), "database down": (3, 0), "server thread dies": (1, 0),
}  # fmt: skip


def resident() -> int:
    return psutil.Process().memory_info().rss


def stress_at(at: datetime) -> str:
    """Return the stress of a minute: the sixth of every ten, and what follows as long as it lasts; else nothing."""
    number, since = divmod(at.hour * 60 + at.minute - 555, EVERY)
    stress = list(STRESSES)[number % len(STRESSES)]
    return stress if 5 <= since < 5 + STRESSES[stress][0] else ""


class Database:
    """Takes what it is given, or answers 503 while it is down; counts the minutes that it was given."""

    def __init__(self) -> None:
        self.down, self.minutes, database = False, set(), self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                lines = (gzip.decompress(raw) if self.headers["Content-Encoding"] == "gzip" else raw).splitlines()
                if not database.down:
                    database.minutes |= {line.rsplit(b" ", 1)[1] for line in lines if b"index_overview" in line}
                self.send_response(503 if database.down else 204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self) -> None:
                self.send_error(404)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()


class Stressed:
    """The simulated market under the stress of the minute; the first question of a minute begins it."""

    name = "stressed"

    def __init__(self, provider, parts, database: Database) -> None:
        self._provider, self._parts, self._database = provider, parts, database
        self._ballast = []
        self._over, self._hangs = threading.Event(), threading.Event()
        self.now = ""

    def contracts(self, indices, at):
        self.now = stress_at(at)
        full = self.now == "disk full"
        resource.setrlimit(resource.RLIMIT_FSIZE, (0 if full else resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        self._database.down = self.now == "database down"
        if self.now == "server thread dies":
            server = self._parts.supervisor._parts["http_server"]  # noqa: SLF001 - nothing else can end it
            server.life.stop.set()
            server.life.thread.join(10)
        return self._provider.contracts(indices, at)

    def spots(self, indices, at):
        return self._provider.spots(indices, at)

    def quotes(self, contracts, at):
        if self.now == "provider outage":
            raise TransientError("the vendor does not answer")
        if self.now == "hung call":
            self._over.clear()
            self._hangs.set()
            self._over.wait()
        if self.now.startswith("slow"):
            self._parts.clock.wait_until(at + timedelta(seconds=150), threading.Event())
        return self._provider.quotes(contracts, at)

    def after(self, minute: datetime) -> None:
        """Fill the memory where the next minute is short of it, and let go what hung."""
        short = stress_at(minute + timedelta(minutes=1)) == "memory short"
        if short and not self._ballast:
            self._ballast.append(np.ones(max(1, int(0.95 * LIMIT_BYTES) - resident()) // 8))
        elif not short:
            self._ballast.clear()
        self._over.set()

    def wait(self, over: threading.Event, _seconds: float) -> bool:
        """Wait as the watchdog does, whose patience ends when a call hangs, and no sooner however slow the machine."""
        while not over.wait(0.01):
            if self._hangs.is_set():
                self._hangs.clear()
                return False
        return True


class Timed:
    """Seconds by name, of calls that are wrapped: by the clock on the wall, and of work in the loop's thread alone."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[tuple[float, float]]] = defaultdict(list)

    def wrap(self, name: str, owner: object, method: str) -> None:
        call = getattr(owner, method)

        def timed(*given, **named):
            begun, worked = time.perf_counter(), time.thread_time()
            try:
                return call(*given, **named)
            finally:
                self.seconds[f"{name}.{method}"].append((time.perf_counter() - begun, time.thread_time() - worked))

        setattr(owner, method, timed)

    def table(self, cycles: int) -> Iterator[str]:
        """Yield a line for each name, and one for all together: milliseconds a cycle, the mean of the day."""
        total = np.zeros(2)
        for name, taken in self.seconds.items():
            own = 1e3 * np.sum(taken, axis=0) / cycles
            total += own
            middle = 1e3 * np.median(taken, axis=0)[1]
            yield f"  {name:<22} {own[0]:7.2f} ms {own[1]:7.2f} ms of work, {middle:.2f} ms the median call"
        yield f"  {'together':<22} {total[0]:7.2f} ms {total[1]:7.2f} ms of work"


class Told:
    """Everyone who is told of a minute, and then `look`."""

    def __init__(self, observation, look: Callable) -> None:
        self._observation, self._look = observation, look

    def tell(self, report, snapshot, *, first: bool) -> None:
        self._observation.tell(report, snapshot, first=first)
        self._look(report)

    def __getattr__(self, name: str) -> object:
        return getattr(self._observation, name)


@contextmanager
def started(folder: Path, **changes: str) -> Iterator[tuple]:
    """Start the parts of an agent on the simulated market, whole, with a live panel that nobody sees."""
    plain = {
        "clock.at": f"{DAY}T{FIRST}+05:30", "clock.speed": "max", "metrics.port": "0", "logging.level": "ERROR",
        "storage.data_dir": str(folder), "console.concise": "true",
    }  # fmt: skip
    settings = load(plain | {key.replace("__", "."): value for key, value in changes.items()}, {}, folder)
    run = Run(None, once=False)
    source = PROVIDERS["simulated"](settings, load_market(settings), run)
    with wire(settings, run) as parts:
        console = Console(file=io.StringIO(), force_terminal=True, width=120, height=50)
        view = TerminalView(console, parts.clock, ascii_only=False, concise=False, live=True)
        yield replace(parts, observation=replace(parts.observation, view=view)), source.providers[0]
        view.close()


def day(folder: Path, minutes: int) -> None:
    database, timed = Database(), Timed()
    influx = {"storage__influx__enabled": "true", "storage__influx__url": database.url}
    known: set[str] = set()
    told: dict[str, list[tuple[int, str]]] = defaultdict(list)
    open_since: dict[str, int] = {}
    with started(folder, governor__limit_bytes=str(LIMIT_BYTES), **influx) as (parts, simulated):
        provider = Stressed(simulated, parts, database)
        health = parts.observation.health
        timed.wrap("governor", parts.governor, "begin_cycle")
        timed.wrap("governor", parts.governor, "reclaim")
        timed.wrap("health", health, "cycle")
        timed.wrap("health", health, "waiting")
        timed.wrap("health", health, "session")
        timed.wrap("health", parts.observation.state_file, "write")
        timed.wrap("panel", parts.observation.view, "show")
        timed.wrap("panel", parts.observation.view, "waiting")
        ran = []

        def look(report) -> None:
            nonlocal known
            ran.append(report)
            provider.after(report.minute)
            # The clock jumps over the ten minutes in which a past problem is still told of.
            problems = {problem.id for problem in health.document().problems}
            if provider.now and provider.now not in open_since:
                open_since.clear()
                open_since[provider.now] = len(ran)
            for stress, since in open_since.items():
                if since and problems - known:
                    told[stress].append((len(ran) - since + 1, ", ".join(sorted(problems - known))))
                    open_since[stress] = 0
            if not provider.now and not any(open_since.values()):
                known = problems
                open_since.clear()

        bent = replace(
            parts, provider=Facade(provider), call_watchdog=CallWatchdog(1.0, wait=provider.wait),
            observation=Told(parts.observation, look),
        )  # fmt: skip
        Agent(bent).loop(minutes)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    begun = [list(STRESSES)[n % len(STRESSES)] for n in range(minutes // EVERY)]
    lost = sum(STRESSES.get(stress_at(report.minute), (0, 0))[1] for report in ran)
    scheduled = len(ran) + sum(report.missed_minutes for report in ran)
    reader = JournalReader(folder)
    had = [s for d in reader.days() for s in reader.snapshots(d) if s.chains]
    print(f"{scheduled} minutes scheduled, {scheduled - lost} could be had, {len(had)} were: "
          f"{len(had) / (scheduled - lost):.2%}; {len(database.minutes)} of them in the database")  # fmt: skip
    for report in ran:
        if report.status == "failed" and STRESSES.get(stress_at(report.minute), (0, 0))[1] == 0:
            print(f"  {report.minute:%H:%M} {stress_at(report.minute)}: {report}")
    for stress, (lasts, _) in STRESSES.items():
        first = [cycles for cycles, _ in told[stress]]
        words = told[stress][0][1] if first else "never told"
        print(
            f"  {stress:<22} x{begun.count(stress)} {lasts} min   told after {max(first, default=0)} cycle(s): {words}"
        )
    print("a cycle's share of")
    print("\n".join(timed.table(len(ran))))
    print(f"cycles {statistics.median(report.seconds for report in ran) * 1e3:.0f} ms median")


def shedding(folder: Path) -> None:
    legs = {"collection__strikes_itm": "all", "collection__strikes_otm": "all"}
    legs |= {key.replace(".", "__"): value for key, value in WHOLE.items()}
    with started(folder, governor__limit_bytes=str(4_000_000_000), **legs) as (parts, simulated):
        agent = Agent(replace(parts, provider=Facade(simulated)))
        due = parts.clock.now()

        def minute():
            nonlocal due
            due += timedelta(minutes=1)
            parts.clock.wait_until(due, threading.Event())
            report, snapshot = agent.minute(due)
            agent._tell(report, snapshot, first=False)  # noqa: SLF001 - a minute by hand
            del snapshot
            parts.governor.reclaim()
            return report

        whole = [minute() for _ in range(3)][-1]
        before = resident()
        ballast = np.ones((int(0.95 * 4_000_000_000) - before) // 8)
        begun = time.monotonic()
        while parts.governor.report().level < 3:
            time.sleep(0.01)
        seconds = time.monotonic() - begun
        reports = [minute() for _ in range(3)]
        cycles = next(number for number, report in enumerate(reports, 1) if report.pressure.level == 3)
        after = resident() - ballast.nbytes
        print(f"limit to level 3: {seconds:.1f} s between cycles, the next cycle ({cycles}) is the first that is shed")
        print(f"{whole.received:,} legs, then {reports[-1].received}: "
              f"{before / 1e6:.0f} MB resident before, {after / 1e6:.0f} MB after, ballast left out")  # fmt: skip
        cycle = [whole.seconds, reports[-1].seconds]
        print(f"cycle {cycle[0] * 1e3:.0f} ms before, {cycle[1] * 1e3:.0f} ms after")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--minutes", type=int, default=385)
    minutes = arguments.parse_args().minutes
    for measure in (shedding, partial(day, minutes=minutes)):
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder))


if __name__ == "__main__":
    main()
