"""The weekday masters over a whole simulated day: a cycle at any time of day, the files, the end of day, the disk.

    .venv/bin/python scripts/bench/masters.py [--size 840|1116|9000] [--minutes 375]

Six indices, every expiry code; 9,000 legs are eight indices' whole chains with strikes twice as fine as listed. The
journal and the CSV files are the agent's own; the masters read them as they do in the agent.
"""

import argparse
import contextlib
import io
import logging
import statistics
import sys
import tempfile
import threading
import time
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from cycle import SIX, SIZES, settings_for

from g6.masters.reconciliation import reconcile
from g6.masters.sink import MasterSink
from g6.masters.store import Folded, MasterStore, content_of
from g6.unified_main import Agent
from g6.wiring import wire
from g6.wiring.sources import Run

BUDGET_MS = 20.0
OTHER_DAYS = 51  # weeks of history beside the day
SIZES["1116"] = {"collection.indices": SIX, "collection.strikes_itm": "20", "collection.strikes_otm": "20"}


def day(size: str, minutes: int, folder: str) -> None:
    with wire(settings_for(size, folder), Run(minutes, once=False)) as parts:
        root = parts.journals.path(parts.clock.now().date()).parent.parent
        sink = MasterSink(root, {"NIFTY": "NIFTY 50"})
        agent, never, seconds, processor = Agent(parts), threading.Event(), [], []
        due = parts.schedule.first(parts.clock.now())
        today = due.date()
        for _ in range(minutes):
            parts.clock.wait_until(due, never)
            report, _ = agent.minute(due)
            journal = parts.journals.journal(today)
            begun, busy = time.perf_counter(), time.thread_time()
            told = sink.drain(journal)
            processor.append((time.thread_time() - busy) * 1e3)
            seconds.append(time.perf_counter() - begun)
            due, _ = parts.schedule.following(due, due)
        say_cycles(report.expected, told.rows, [s * 1e3 for s in seconds], processor)
        timed("journal cursor and all files of the day in hand", lambda: sink.checkpoint(journal))
        sink.close()
    result = timed("end of day: daily files read, compared, folded, files", lambda: reconcile(root, today))
    say(f"  {result}; {result.files_written} files changed")
    say_history(root, today)


def say_cycles(legs: int, totals: int, milliseconds: list[float], processor: list[float]) -> None:
    say(f"{legs} legs, {totals} totals a minute; a cycle's update (budget {BUDGET_MS:g} ms)")
    third = max(1, len(milliseconds) // 3)
    for name, part in (("first", milliseconds[1:third]), ("last", milliseconds[-third:])):
        ordered = sorted(part)
        p99 = ordered[int(len(ordered) * 0.99)]
        median, worst = statistics.median(part), ordered[-1]
        say(f"  {name} third of the day: median {median:.1f} ms, 99 % {p99:.1f}, worst {worst:.1f}")
    say(f"  of which processor time, the journal's decoding included: median {statistics.median(processor):.1f} ms")


def say_history(root: Path, today) -> None:
    store = MasterStore.open(root)
    totals = store.day(today)
    for week in range(1, OTHER_DAYS + 1):
        other = today + timedelta(weeks=week)
        store.settle(other, totals, Folded(content_of(totals), "files", 0, 0), {})
    bytes_on_disk = store.path.stat().st_size
    count = sum(t.count for t in totals.values())
    days = OTHER_DAYS + 1
    a_day, a_total = bytes_on_disk / days / 1e3, bytes_on_disk / days / count
    say(f"  {days} days of history: {bytes_on_disk / 1e6:.1f} MB, {a_day:.0f} kB a day, {a_total:.2f} bytes a total")
    changed, entry = dict(list(totals.items())[:-1]), Folded("", "files", 0, 0)
    timed("a day in the middle of a year replaced", lambda: store.settle(today, changed, entry, {}))
    store.close()


def timed(name: str, work):
    begun = time.perf_counter()
    result = work()
    say(f"  {name}: {time.perf_counter() - begun:.2f} s")
    return result


def say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=list(SIZES), default="1116")
    parser.add_argument("--minutes", type=int, default=375)
    arguments = parser.parse_args()
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        day(arguments.size, arguments.minutes, folder)
