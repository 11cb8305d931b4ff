"""How fast a backlog drains into a real VictoriaMetrics, and what a drain costs the cycle.

    .venv/bin/python scripts/bench/influx.py [--minutes 40] [--legs 9000] [--plain] [--alone]

The minutes are in a journal before the sink sees them, so reading and decoding the journal, encoding, compressing and
the server's own work count, on the machine that all of it shares. A point is a line: a measurement, its tags, its
minute and all its fields (VictoriaMetrics stores each field as a value of its own). `--alone` puts a process that
takes requests and does nothing in the server's place: what G6 itself can do.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np

from g6.clock import IST, SystemClock
from g6.model.chain import LEG_COLUMNS, OptionChain
from g6.model.snapshot import IndexSnapshot, Snapshot
from g6.storage.influx_lines import lines
from g6.storage.influx_sink import InfluxSink
from g6.storage.influx_writer import InfluxOptions
from g6.storage.journal import Journal
from g6.wiring.influx import SWITCH_SECONDS

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "support"))
from victoria_metrics import BINARY, VictoriaMetrics

OPEN = datetime(2026, 11, 20, 9, 15, tzinfo=IST)
INDICES = ("NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "SENSEX", "BANKEX", "NIFTYNXT50", "SENSEX50")
EXPIRIES = (date(2026, 11, 24), date(2026, 12, 1), date(2026, 12, 29))
CODES = (("this_week", "this_month"), ("next_week",), ("next_month",))
TAKER = """
import http.server, sys

class Taker(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        left = int(self.headers["Content-Length"])
        while left:
            left -= len(self.rfile.read(min(left, 1 << 20)))
        self.send_response_only(204)
        self.end_headers()
    def do_GET(self):
        body = b"process_start_time_seconds 1\\n"
        self.send_response_only(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Taker)
print(server.server_port, flush=True)
server.serve_forever()
"""


class Taker:
    """A process that takes requests and does nothing with them."""

    def start(self) -> None:
        self._process = subprocess.Popen([sys.executable, "-c", TAKER], stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{self._process.stdout.readline().strip()}"

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


def columns(legs: int, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Every column filled as an open market fills it: prices in ticks, whole quantities, rounded Greeks."""
    found = {}
    for spec in LEG_COLUMNS:
        if spec.origin == "identity" or spec.name in {"offset", "answered", "broker_iv"}:
            continue
        values = random.uniform(0, 500, legs)
        whole = spec.unit in {"units", "code"}
        found[spec.name] = np.rint(values) if whole else np.round(values, spec.decimals or 2)
    found["defect"] = np.zeros(legs)
    return found


def minute(number: int, legs: int) -> Snapshot:
    random, at = np.random.default_rng(number), OPEN + timedelta(minutes=number)
    strikes = legs // (2 * len(INDICES) * len(EXPIRIES))
    steps = np.repeat(np.arange(strikes) - strikes // 2, 2).astype(float)

    def chain(index: str, expiry: date, codes: tuple[str, ...]) -> OptionChain:
        return OptionChain(
            index, expiry, codes, at, at + timedelta(days=9), 24003.15, spot_frozen=False, expected=len(steps), lot=75,
            strike=24000 + 50 * steps, is_call=np.arange(len(steps)) % 2 == 0, answered=np.ones(len(steps)),
            offset=steps, atm=24000.0, forward=24010.5, **columns(len(steps), random),
        )  # fmt: skip

    return Snapshot(
        at,
        "bench",
        tuple(
            IndexSnapshot(
                index=i,
                spot=24003.15,
                spot_frozen=False,
                expected_codes=("this_week",),
                chains=tuple(chain(i, *pair) for pair in zip(EXPIRIES, CODES, strict=True)),
            )
            for i in INDICES
        ),
    )


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--minutes", type=int, default=40)
    arguments.add_argument("--legs", type=int, default=9000)
    arguments.add_argument("--plain", action="store_true", help="do not compress")
    arguments.add_argument("--alone", action="store_true", help="with a server that does nothing")
    given = arguments.parse_args()
    if BINARY is None and not given.alone:
        sys.exit("victoria-metrics is not installed; apt-get install victoria-metrics")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = Taker() if given.alone else VictoriaMetrics(folder)
        server.start()
        sys.setswitchinterval(SWITCH_SECONDS)  # as the agent does
        try:
            measure(folder, server, given.minutes, given.legs, plain=given.plain)
        finally:
            server.kill()


def say_encoding(sample: Snapshot) -> tuple[int, int]:
    """Print what a minute is, and how fast it becomes lines; return its lines and values."""
    begun = time.perf_counter()
    encoded = lines(sample, ())
    encoding = time.perf_counter() - begun
    values = sum(line.split(b" ")[1].count(b"=") for line in encoded)
    print(
        f"a minute: {len(encoded)} points, {values} values, {sum(map(len, encoded)) / len(encoded):.0f} bytes a point"
    )
    print(f"encoding: {len(encoded) / encoding:,.0f} points/s")
    return len(encoded), values


def drained(sink: InfluxSink, journal: Journal, poll: threading.Event) -> None:
    """Return when the server has everything."""
    while (report := sink.drain(journal)).lag_cycles:
        if report.error:
            sys.exit(report.error)
        poll.wait(0.02)


def measure(folder: Path, server: VictoriaMetrics | Taker, minutes: int, legs: int, *, plain: bool) -> None:
    journal = Journal.open(folder / "2026-11-20.sqlite3", corrupt=folder / "corrupt", max_bytes=2_000_000_000)
    encoded, values = say_encoding(minute(0, legs))
    options = InfluxOptions(server.url, "bench", "bench", "any", close_seconds=60, compress=not plain)
    sink, poll = InfluxSink(folder, options, (), SystemClock()), threading.Event()
    begun, lines_before = time.perf_counter(), 0
    for number in range(minutes + 1):
        journal.put(minute(number, legs))
        if number == 0:  # the server has to learn each series once
            drained(sink, journal, poll)
            print(f"first minute, {values} new series: {time.perf_counter() - begun:.2f} s")
            lines_before = sink.stats().lines
    begun, processor = time.perf_counter(), time.process_time()
    drained(sink, journal, poll)
    seconds, own_seconds = time.perf_counter() - begun, time.process_time() - processor
    count = sink.stats().lines - lines_before
    print(f"drained: {count:,} points in {seconds:.2f} s, {count / seconds:,.0f} points/s, "
          f"{count * values / encoded / seconds:,.0f} values/s, {sink.stats().bytes_sent / 1e6:.1f} MB")  # fmt: skip
    print(f"G6's part of it: {own_seconds:.2f} s of processor time, {count / own_seconds:,.0f} points/s")

    costs = []
    for number in range(minutes + 1, minutes + 41):
        made = minute(number, legs)
        sink.rest()  # as a cycle does when it begins
        journal.put(made)
        begun = time.perf_counter()
        sink.drain(journal)
        costs.append((time.perf_counter() - begun) * 1000)
        poll.wait(0.05)
    print(f"drain in the cycle, while the worker sends: median {statistics.median(costs):.2f} ms, "
          f"largest {max(costs):.2f} ms")  # fmt: skip
    sink.close()
    journal.close()


if __name__ == "__main__":
    main()
