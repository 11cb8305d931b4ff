"""What the governor costs: one sample, one cycle's begin, one attempt to give memory back.

    .venv/bin/python scripts/bench/governor.py [--megabytes 500]

With so much memory in small columns held by the process, since measuring unique memory (once a cycle, in the
ticker's thread) and the collector walk over it. The ratio is to a cycle's budget of 50 ms in all stages together.
"""

import argparse
import statistics
import time

import numpy as np

from g6.clock import SystemClock
from g6.governor.governor import Governor, Options
from g6.governor.readers import this_machine

CYCLE_SECONDS = 0.050


def timed(name: str, work, times: int) -> None:
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    taken.sort()
    middle, worst = statistics.median(taken), taken[int(0.99 * (len(taken) - 1))]
    share = 100 * middle / CYCLE_SECONDS
    print(f"{name:<28} {1e6 * middle:9.0f} µs median {1e6 * worst:9.0f} µs p99 {share:8.2f} % of a cycle")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--megabytes", type=int, default=500)
    columns = [np.ones(2_000) for _ in range(arguments.parse_args().megabytes * 1_000_000 // 16_000)]
    readers = this_machine()
    governor = Governor(Options(), readers, SystemClock())
    print(f"{(readers.rss_bytes() or 0) / 1e6:.0f} MB resident, {len(columns)} columns")
    timed("sample", governor.sample, 2000)
    timed("begin_cycle", governor.begin_cycle, 200)
    timed("report", governor.report, 2000)
    pressed = Governor(Options(limit_bytes=(readers.rss_bytes() or 0)), readers, SystemClock())
    pressed.begin_cycle()
    timed("reclaim, with nothing to give", pressed.reclaim, 1)
    for name in ("rss_bytes", "limits", "stalled_ratio", "high_events", "uss_bytes"):
        timed(f"  {name}", getattr(readers, name), 500)


if __name__ == "__main__":
    main()
