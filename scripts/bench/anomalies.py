"""False alarms on the simulator's normal days, and what looking out for anomalies costs a minute.

    .venv/bin/python scripts/bench/anomalies.py [--index NIFTY] [--days 10] [--seeds 1] [--threshold 8]

A day is every expiry code of one index, 21 strikes each, valued as far as the watched series need. Each seed is a
market of its own. The simulator's prices follow smooth paths with ticks, spreads and late trades, and nothing in them
is out of the ordinary: every finding is a false alarm. The weekday masters are those of the days gone through before.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "support"))

from simulated_days import Days

from g6.anomalies.watch import Watch, WatchOptions


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--index", default="NIFTY")
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--threshold", type=float, default=8.0)
    parser.add_argument("--masters", action="store_true", help="keep weekday masters, too (they speak after 5 weeks)")
    arguments = parser.parse_args()
    counts, costs, told = [], [], Counter()
    for seed in range(1, arguments.seeds + 1):
        days = Days(seed, arguments.index)
        with tempfile.TemporaryDirectory() as folder:
            for day in days.trading_days(arguments.days):
                minutes = days.minutes(day)
                found, spent = watched(Path(folder), day, minutes, arguments.threshold)
                if arguments.masters:
                    days.fold(Path(folder), day, minutes)
                counts.append(len(found))
                costs += spent
                told.update(anomaly.series for anomaly in found)
                print(f"seed {seed} {day:%a %d %b %Y}: {len(found)}", flush=True)
                for anomaly in found:
                    print(f"    {anomaly.minute:%H:%M} {anomaly.reason}")
    print(f"{len(counts)} days, {statistics.mean(counts):.2f} false alarms a day, at most {max(counts)}: {dict(told)}")
    print(f"judging and remembering a minute: median {statistics.median(costs):.2f} ms, worst {max(costs):.1f} ms")


def watched(root, day, minutes, threshold):
    watch, found, spent = Watch(root, WatchOptions(threshold)), [], []
    watch.begin(day)
    for snapshot in minutes:
        begun = time.perf_counter()
        judged = watch.judged(snapshot)
        watch.remember(judged)
        spent.append((time.perf_counter() - begun) * 1e3)
        found += judged.anomalies
    return found, spent


if __name__ == "__main__":
    main()
