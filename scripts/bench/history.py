"""A simulated day recorded, archived and asked about, with a year of archived days beside it; and its size on disk.

    .venv/bin/python scripts/bench/history.py [--days 250] [--legs 868|1116]

The year is the one day under the dates of others (hard links where the disk has them, and a manifest each): what a
question costs depends on how many files there are and how many of them it reads. Times are medians of five.
"""

import argparse
import contextlib
import io
import json
import logging
import os
import shutil
import statistics
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from g6 import history
from g6.settings import load
from g6.storage.archive import archive_day, why_not_archived
from g6.unified_main import run

SIX = "NIFTY,BANKNIFTY,FINNIFTY,MIDCPNIFTY,SENSEX,BANKEX"
DAY = date(2026, 11, 20)
STRIKES = {"868": "15", "1116": "20"}
ATM = ("SELECT ts, total_premium FROM chain WHERE index = 'NIFTY' AND date = '{day}' AND expiry_code = 'this_week'"
       " AND offset_label = 'atm' ORDER BY ts")  # fmt: skip

EVERY_DAY = ("SELECT date, total_premium FROM chain WHERE index = 'NIFTY' AND expiry_code = 'this_week'"
             " AND offset_label = 'atm' AND strftime(ts, '%H:%M') = '10:15' ORDER BY date")  # fmt: skip


def simulated_day(folder: Path, legs: str) -> None:
    strikes = STRIKES[legs]
    arguments = {
        "collection.indices": SIX, "collection.strikes_itm": strikes, "collection.strikes_otm": strikes,
        "clock.at": f"{DAY}T09:15+05:30", "clock.speed": "max", "storage.data_dir": str(folder),
        "metrics.enabled": "false", "console.concise": "true", "logging.level": "ERROR",
    }  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        run(load(arguments, {}, Path.cwd()), cycles=375)


def add_year(root: Path, days: int) -> None:
    manifest = json.loads((root / f"archive/manifest/{DAY}.json").read_text())
    for back in range(1, days + 1):
        other = str(DAY - timedelta(days=back))
        moved = json.dumps({**manifest, "day": other}).replace(f"date={DAY}", f"date={other}")
        for part, old in zip(json.loads(moved)["parts"], manifest["parts"], strict=True):
            path = root / "archive" / part["path"]
            path.parent.mkdir(parents=True)
            try:
                os.link(root / "archive" / old["path"], path)
            except OSError:
                shutil.copyfile(root / "archive" / old["path"], path)
        (root / f"archive/manifest/{other}.json").write_text(moved)


def median_seconds(ask) -> float:
    ask()  # libraries are loaded once
    return statistics.median(timed(ask) for _ in range(5))


def timed(ask) -> float:
    begun = time.perf_counter()
    ask()
    return time.perf_counter() - begun


def ask_all(root: Path, archived: date, said: str) -> None:
    here = history.of(root)
    questions = {
        "ATM straddle, SQL": lambda: here.sql(ATM.format(day=archived)),
        "ATM straddle, first and last given": lambda: here.sql(ATM.format(day=archived), first=archived, last=archived),
        "ATM straddle, chain(offset=0)": lambda: here.chain("NIFTY", archived, expiry="this_week", offset=0),
        "chain of a week's expiry": lambda: here.chain("NIFTY", archived, expiry="this_week"),
        "chain of one minute": lambda: here.chain("NIFTY", archived, expiry="this_week", minute="10:15"),
        "overview by code": lambda: here.overview("NIFTY", archived, expiry="this_week"),
    }
    for name, ask in questions.items():
        print(f"  {said}: {name:<38} {median_seconds(ask) * 1e3:7.0f} ms")


def size(path: Path) -> int:
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())


def main(root: Path, days: int, legs: str) -> None:
    print(f"simulating {DAY}", flush=True)
    simulated_day(root, legs)
    done = archive_day(root, DAY)
    print(done)
    print(f"checked again in {timed(lambda: why_not_archived(root, DAY)):.2f} s")
    collected = done.legs / done.minutes
    for folder in ("journal", "csv", "archive"):
        bytes_ = size(root / folder)
        print(f"  {folder:<8} {bytes_ / 1e6:7.1f} MB a day, {bytes_ / collected / 1e3:6.1f} kB a leg and day, "
              f"{bytes_ / done.legs:5.1f} bytes a leg and minute")  # fmt: skip
    add_year(root, days)
    ask_all(root, DAY - timedelta(days=days // 2), f"Parquet, {days} days beside it")
    print(
        f"  ATM straddle at 10:15 of all {days + 1} days: {timed(lambda: history.sql(EVERY_DAY, data_dir=root)):.2f} s"
    )
    (root / f"archive/manifest/{DAY}.json").unlink()
    ask_all(root, DAY, f"CSV, {days} archived days beside it")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=250)
    parser.add_argument("--legs", choices=list(STRIKES), default="868")
    arguments = parser.parse_args()
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder) / "data", arguments.days, arguments.legs)
