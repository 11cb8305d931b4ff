"""Fills columns as chains do, drops them at level 3 and reclaims; prints their bytes, RSS before, after, effective."""

import sys

import numpy as np

from g6.clock import SystemClock
from g6.governor.governor import Governor, Options
from g6.governor.readers import this_machine


def main() -> None:
    readers, kept, columns = this_machine(), [], []
    for number in range(3_000):
        columns.append(np.ones(5_000 + number))  # 40 to 64 kB: below what glibc maps on its own
        kept.append(str(number) * 50)  # small things that live on between them, as everywhere
    size = sum(column.nbytes for column in columns)
    limit = round((readers.rss_bytes() or 0) / 0.95)
    governor = Governor(Options(limit_bytes=limit), readers, SystemClock(), {"caches": lambda _shed: columns.clear()})
    before = readers.rss_bytes() or 0
    level = governor.begin_cycle().level
    done = governor.reclaim()
    assert level == 3, level
    assert done is not None
    sys.stdout.write(f"{size} {before} {readers.rss_bytes()} {int(done.effective)}\n")


main()
