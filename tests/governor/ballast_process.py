"""Enters a control group, fills memory until the governor says critical, sheds, and waits until all is well again.

    ballast_process.py GROUP

Prints one JSON object: every level in order, the limit and its source, and resident memory at the most and the end.
"""

import json
import os
import sys
from pathlib import Path


def main(group: Path) -> None:
    (group / "cgroup.procs").write_text(str(os.getpid()))  # before anything large is imported: its memory counts too

    import numpy as np

    from g6.clock import SystemClock
    from g6.governor.governor import Governor, Options
    from g6.governor.readers import this_machine

    ballast: list[object] = []
    readers = this_machine()
    governor = Governor(Options(), readers, SystemClock())
    levels, most = [governor.begin_cycle().level], 0
    while levels[-1] < 3:
        ballast.append(np.ones(500_000))
        governor.sample()
        levels.append(governor.report().level)
    most = readers.rss_bytes() or 0
    while levels[-1]:
        report = governor.begin_cycle()
        if report.level == 3:
            ballast.clear()
        governor.reclaim()
        for _ in range(3):
            governor.sample()
        levels.append(governor.report().level)
    report = governor.report()
    facts = {"levels": levels, "limit": report.limit_bytes, "source": report.limit_source}
    sys.stdout.write(json.dumps({**facts, "most": most, "end": readers.rss_bytes()}))


main(Path(sys.argv[1]))
