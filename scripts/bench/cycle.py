"""The in-process part of a minute, by stage, at two sizes; and the memory of a long run.

    .venv/bin/python scripts/bench/cycle.py [--memory]

Everything but the provider's own generation of quotes counts (contracts, spots and quotes are the simulator's). The
840-leg size is six indices at about their default depth; the 9,000-leg size is whole chains of eight indices, with
strikes twice as fine as the exchanges list them.
"""

import argparse
import contextlib
import io
import logging
import os
import statistics
import tempfile
import threading
from pathlib import Path

import psutil
import yaml

from g6.settings import load, shipped
from g6.unified_main import Agent
from g6.wiring import wire
from g6.wiring.sources import Run

PROVIDERS_OWN = ("contracts", "spots", "quotes")
SIX = "NIFTY,BANKNIFTY,FINNIFTY,MIDCPNIFTY,SENSEX,BANKEX"
FINER = 2
EIGHT = SIX + ",NIFTYNXT50,SENSEX50"
SIZES = {
    "840": {"collection.indices": SIX, "collection.strikes_itm": "15", "collection.strikes_otm": "14"},
    "9000": {"collection.indices": EIGHT, "collection.strikes_itm": "all", "collection.strikes_otm": "all"},
}


def settings_for(size: str, folder: str):
    arguments = SIZES[size] | {
        "clock.at": "2026-11-20T09:15+05:30", "clock.speed": "max", "storage.data_dir": f"{folder}/data",
        "metrics.port": "0", "console.concise": "true", "logging.level": "ERROR",
    }  # fmt: skip
    if size == "9000":
        arguments["market.indices_file"] = str(finer_indices(Path(folder)))
    return load(arguments, {}, Path.cwd())


def finer_indices(folder: Path) -> Path:
    """The shipped definitions with strikes so much finer that whole chains make 9,000 legs."""
    indices = yaml.safe_load(shipped("indices.yaml").read_text())
    for entry in indices.values():
        simulation = entry["simulation"]
        simulation["strike_step"] = simulation.get("strike_step", simulation["level"] * 0.002) / FINER
        simulation["wing_step"] = simulation["strike_step"] * 5
        simulation["far_step"] = simulation["strike_step"] * 10
    path = folder / "indices.yaml"
    path.write_text(yaml.safe_dump(indices))
    return path


def cycles(size: str, count: int):
    """Yield the report of each minute, with nothing printed."""
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.redirect_stdout(io.StringIO()),
        wire(settings_for(size, folder), Run(count, once=False)) as parts,
    ):
        agent, never = Agent(parts), threading.Event()
        due = parts.schedule.first(parts.clock.now())
        for _ in range(count):
            parts.clock.wait_until(due, never)
            report, snapshot = agent.minute(due)
            begun = parts.clock.monotonic()
            parts.observation.tell(report, snapshot, first=False)
            yield report, parts.clock.monotonic() - begun
            due, _ = parts.schedule.following(due, due)


def stages(size: str, count: int) -> None:
    reports = list(cycles(size, count))[3:]  # the first minutes create the day's files and fill caches
    legs = reports[-1][0].expected
    names = [n for n in reports[-1][0].stages if n not in PROVIDERS_OWN]
    medians = {n: statistics.median(r.stages.get(n, 0.0) for r, _ in reports) * 1e3 for n in names}
    medians["tell"] = statistics.median(seconds for _, seconds in reports) * 1e3
    total = sum(medians.values())
    files = reports[-1][0].sinks[0].files
    print(f"{legs:>6} legs, {files} files: {total:7.1f} ms in process, {total * 1e3 / legs:5.2f} us a leg   "
          + "  ".join(f"{n} {v:.1f}" for n, v in medians.items()))  # fmt: skip


def memory(count: int = 100) -> None:
    process = psutil.Process(os.getpid())
    marks = {}
    for position, _ in enumerate(cycles("9000", count), 1):
        if position in (1, 20, 40, 60, 80, count):
            marks[position] = process.memory_info().rss / 1e6
    print("RSS in MB after cycle " + ", ".join(f"{k}: {v:.0f}" for k, v in marks.items()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--memory", action="store_true", help="100 minutes of 9,000 legs, and what they leave in memory"
    )
    logging.disable(logging.INFO)
    if parser.parse_args().memory:
        memory()
    else:
        stages("840", 30)
        stages("9000", 20)
