"""Enters a control group, and there runs minutes of an agent, or closes a day.

    limited_agent_process.py minutes GROUP FOLDER LIMIT_FILE
    limited_agent_process.py close GROUP FOLDER DAY

`minutes` collects 9,000 legs a minute with everything on, has the group's limit lowered to what is resident, and
raised again. Prints one JSON object.
"""

import json
import os
import sys
from pathlib import Path

PLAIN = {"clock.speed": "max", "metrics.port": "0", "console.concise": "true", "logging.level": "ERROR"}
AT, MOST_MINUTES = "2026-11-20T10:00+05:30", 30


def minutes(folder: Path, limit_file: Path) -> dict[str, object]:
    import threading
    from csv import DictReader

    import psutil

    sys.path.insert(0, str(Path(__file__).parents[2] / "scripts" / "bench"))
    from cycle import SIZES, finer_indices

    from g6.settings import load
    from g6.storage.reader import JournalReader
    from g6.unified_main import Agent
    from g6.wiring import wire
    from g6.wiring.sources import Run

    data = folder / "data"
    whole = SIZES["9000"] | {"market.indices_file": str(finer_indices(folder)), "storage.data_dir": str(data)}
    settings = load(PLAIN | whole | {"clock.at": AT}, {}, folder)
    assert settings.storage.masters.enabled
    assert settings.anomalies.enabled
    ran, resident, own = [], [], []
    with wire(settings, Run(None, once=False)) as parts:
        agent, never = Agent(parts), threading.Event()
        due = parts.schedule.first(parts.clock.now())

        def run() -> int:
            nonlocal due
            parts.clock.wait_until(due, never)
            report, snapshot = agent.minute(due)
            agent._tell(report, snapshot, first=False)
            ran.append((f"{due:%H:%M}", report.pressure.level, str(report), list(snapshot.shed), report.received))
            del snapshot
            parts.governor.reclaim()
            memory = psutil.Process().memory_info()
            resident.append(memory.rss)
            own.append(memory.rss - memory.shared)  # libraries' pages come and go as the system likes
            due, _ = parts.schedule.following(due, due)
            return report.pressure.level

        for _ in range(3):
            run()
        before = limit_file.read_text()
        limit_file.write_text(str(int(resident[-1] / 0.98)))
        for _ in range(3):
            run()
        limit_file.write_text(before)
        while run() and len(ran) < MOST_MINUTES:
            pass
        agent.delivery.checkpoint()
        reader = JournalReader(data)
        stored = [f"{s.minute:%H:%M}" for day in reader.days() for s in reader.snapshots(day) if s.chains]
        with (data / "csv" / "NIFTY" / "overview" / "2026-11-20.csv").open() as lines:
            masks = {row["ts"][11:16]: int(row["shed_mask"]) for row in DictReader(lines)}
    return {"ran": ran, "stored": stored, "masks": masks, "own": own}


def close(folder: Path, day: str) -> dict[str, object]:
    from datetime import date

    from g6.settings import load
    from g6.wiring import wire
    from g6.wiring.sources import Run

    off = {"storage.csv.enabled": "false", "storage.masters.enabled": "false"}
    settings = load(
        PLAIN | off | {"storage.data_dir": str(folder / "data"), "clock.at": f"{day}T16:00+05:30"}, {}, folder
    )
    with wire(settings, Run(None, once=False)) as parts:
        report = parts.closing.run(date.fromisoformat(day))
        return {"archived_bytes": report.archived_bytes, "troubles": report.troubles, "score": report.score}


if __name__ == "__main__":
    mode, group, folder, more = sys.argv[1:]
    # Before anything large is imported: its memory counts too.
    Path(group, "cgroup.procs").write_text(str(os.getpid()))
    told = minutes(Path(folder), Path(more)) if mode == "minutes" else close(Path(folder), more)
    Path(folder, "told.json").write_text(json.dumps(told))
