"""One recorded day rebuilt from its journal, compared with the original byte for byte, and copied.

    .venv/bin/python scripts/bench/rebuild.py [--minutes N] [--keep DIR]

Six indices of the simulator at 20 strikes in and 19 out of the money, about 1,116 legs, a whole session by default.
The day runs in one process; several days run beside each other, one process a core. Prints the seconds of the rebuild
and of the backup, and the bytes a leg and day of the journal and the CSV files.
"""

import argparse
import contextlib
import io
import logging
import tempfile
import time
from functools import partial
from pathlib import Path

from g6.analytics import AGGREGATES
from g6.maintenance.backup import backup
from g6.maintenance.rebuild import Store, choose_days, in_turn, rebuild
from g6.maintenance.rebuild_csv import csv_digest, rebuild_csv
from g6.settings import load
from g6.storage.reader import JournalReader
from g6.unified_main import run

INDICES = "NIFTY,BANKNIFTY,FINNIFTY,MIDCPNIFTY,SENSEX,BANKEX"
SESSION_MINUTES = 375


def record(root: Path, minutes: int) -> None:
    arguments = {
        "collection.indices": INDICES, "collection.strikes_itm": "20", "collection.strikes_otm": "19",
        "clock.at": "2026-11-20T09:15+05:30", "clock.speed": "max", "storage.data_dir": str(root),
        "metrics.enabled": "false", "console.concise": "true", "logging.level": "ERROR",
    }  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        run(load(arguments, {}, Path.cwd()), cycles=minutes)


def tree_of(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted((root / "csv").rglob("*.csv"))}


def bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def measure(root: Path, minutes: int) -> None:
    if not (root / "journal").exists():
        record(root, minutes)
    original = tree_of(root)
    store = Store(
        partial(rebuild_csv, aggregates=tuple(a for a, _ in AGGREGATES), price_basis="last"), "", digest=csv_digest
    )
    for path in (root / "csv").rglob("*.csv"):
        path.unlink()
    begun = time.perf_counter()
    (outcome,) = rebuild(root, choose_days(root), {"csv": store}, in_turn, fresh=True)
    seconds = time.perf_counter() - begun
    assert outcome.rebuilt is not None, outcome.error
    assert tree_of(root) == original, "the rebuilt files differ from the original"
    legs = legs_a_minute(root)
    made = outcome.rebuilt
    counted = f"{made.minutes} minutes of {legs} legs, {made.files} files, {made.rows} rows"
    print(f"rebuild  {seconds:6.2f} s  {counted}; byte-identical")
    with tempfile.TemporaryDirectory(dir=root.parent) as target:
        begun = time.perf_counter()
        report = backup(root, Path(target) / "copy")
        print(f"backup   {time.perf_counter() - begun:6.2f} s  {len(report.files)} files, {report.bytes / 1e6:.0f} MB")
    for name in ("journal", "csv"):
        print(f"{name:<8} {bytes_below(root / name) / legs:6.0f} bytes a leg and day")


def legs_a_minute(root: Path) -> int:
    reader = JournalReader(root)
    return sum(len(chain) for chain in next(reader.snapshots(reader.days()[-1])).chains)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=SESSION_MINUTES)
    parser.add_argument("--keep", type=Path, help="record here, or use what was recorded here")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        measure((arguments.keep or Path(folder) / "data").absolute(), arguments.minutes)
