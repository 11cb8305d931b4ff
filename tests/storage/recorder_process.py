"""A small recorder for tests that hurt it: `root minutes kill_at limit_bytes`.

At its `kill_at`-th write into a CSV file it writes half of the bytes and dies by SIGKILL; 0 lets it live. With
`limit_bytes` no file can grow beyond that in the first drain of a minute, so that writes are cut short; 0 is no limit.
Started again, it records the last minute once more, as a restart in the middle of a minute does, and goes on.
Its output is the errors it was told, a line each.
"""

import importlib.util
import itertools
import os
import resource
import signal
import sys
from pathlib import Path

from g6.storage import csv_file
from g6.storage.csv_sink import CsvSink
from g6.storage.data_directory import DataDirectory
from g6.storage.journal_set import JournalSet

spec = importlib.util.spec_from_file_location("sample_minutes", Path(__file__).with_name("sample_minutes.py"))
sample = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sample)

minutes, kill_at, limit_bytes = (int(argument) for argument in sys.argv[2:])
write = os.write
writes = itertools.count(1)


def write_or_die(descriptor: int, data: bytes) -> int:
    if next(writes) == kill_at:
        write(descriptor, data[: len(data) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    return write(descriptor, data)


csv_file.os.write = write_or_die

directory = DataDirectory(Path(sys.argv[1]))
with directory.hold():
    journals = JournalSet(directory.root, 50_000_000)
    sink = CsvSink(directory.root, sample.AGGREGATES, checkpoint_cycles=3)
    for number in range(max(0, len(journals.journal(sample.DAY).minutes()) - 1), minutes):
        assert journals.record(sample.snapshot(number, shift=number % 3)).error is None
        if limit_bytes:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, resource.RLIM_INFINITY))
            sys.stdout.write(f"{sink.drain(journals.journal(sample.DAY)).error}\n")
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            assert all(p.read_bytes()[-1:] in {b"\n", b""} for p in directory.csv.rglob("*.csv"))
        report = sink.drain(journals.journal(sample.DAY))
        assert (report.error, report.lag_cycles) == (None, 0)
    sink.checkpoint(journals.journal(sample.DAY))
    sink.close()
    journals.close()
