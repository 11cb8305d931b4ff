"""Who runs the tasks of a rebuild: this process, several of this machine, or a Dask cluster."""

import logging
import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from g6 import __version__
from g6.errors import ConfigError
from g6.maintenance.rebuild import Outcome, Runner, Task, in_turn, perform
from g6.storage.data_directory import JOURNAL

log = logging.getLogger(__name__)

# A worker that is killed takes the whole pool with it. What was in hand is given to a new one so often.
POOLS_LIMIT = 2
CONNECT_SECONDS = 10.0


def local(workers: int | None = None) -> Runner:
    """Return a runner of so many processes, as many as this process may use cores when None."""
    count = workers or _usable_cores()

    def run(tasks: Sequence[Task]) -> Iterator[Outcome]:
        processes = min(count, len(tasks))
        return in_turn(tasks) if processes <= 1 else _in_processes(tasks, processes)

    return run


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _in_processes(tasks: Sequence[Task], processes: int) -> Iterator[Outcome]:
    left = list(tasks)
    for _ in range(POOLS_LIMIT):
        for outcome in _in_pool(left, processes):
            left.remove(outcome.task)
            yield outcome
        if not left:
            return
        log.warning("a worker process was killed; %d days are given to new ones", len(left))
    for task in left:  # each alone, so that the one that kills its worker costs no other
        killed = Outcome(task, None, "its worker process was killed, again and again; is there memory for it?", 0.0)
        yield next(_in_pool([task], 1), killed)


def _in_pool(tasks: Sequence[Task], processes: int) -> Iterator[Outcome]:
    """Yield what one pool finishes; it ends early when a worker is killed."""
    # Not forked: a copy of a process with threads may hold their locks for ever.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_ignore_interrupts)
    try:
        futures: dict[Future[Outcome], Task] = {pool.submit(perform, task): task for task in tasks}
        for future in as_completed(futures):
            if not isinstance(future.exception(), BrokenProcessPool):
                yield replace(future.result(), task=futures[future])  # what comes back is a copy, equal to nothing here
    except BrokenProcessPool:
        return  # it broke while it was being filled
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _ignore_interrupts() -> None:
    """Leave Ctrl-C to the process that started this one: it lets the days in hand finish."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def dask(address: str) -> Runner:
    """Return a runner on the Dask cluster whose scheduler listens at `address`.

    Workers must see the data directory at the same path. ConfigError when Dask is not installed, when nobody answers,
    or when a worker sees another folder or has another G6.
    """

    def run(tasks: Sequence[Task]) -> Iterator[Outcome]:
        if not tasks:
            return
        with _client(address) as client:
            _require_same(client, tasks[0].root)
            futures = client.map(perform, tasks, pure=False)
            by_key = {future.key: task for future, task in zip(futures, tasks, strict=True)}
            for future in _distributed().as_completed(futures):
                yield _outcome(future, by_key[future.key])

    return run


def _client(address: str) -> Any:
    try:
        return _distributed().Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError, TimeoutError) as error:
        raise ConfigError(f"--dask {address}: no scheduler answers there ({' '.join(str(error).split())})") from error


def _distributed() -> Any:
    try:
        return import_module("distributed")  # optional, and heavy
    except ImportError:
        raise ConfigError("--dask needs Dask: pip install 'g6[dask]'") from None


def _require_same(client: Any, root: Path) -> None:
    seen: dict[str, tuple[str, tuple[str, ...]]] = client.run(seen_by_worker, root)
    if not seen:
        raise ConfigError("--dask: the cluster has no workers")
    own = seen_by_worker(root)
    for worker, (version, journals) in seen.items():
        if version != own[0]:
            raise ConfigError(f"--dask: {worker} has G6 {version}, this is {own[0]}; install the same")
        if journals != own[1]:
            raise ConfigError(f"--dask: {worker} does not see the journals of {root}; mount it there at the same path")


def seen_by_worker(root: Path) -> tuple[str, tuple[str, ...]]:
    """Return this process's version of G6 and the journals that it sees."""
    folder = root / JOURNAL
    return __version__, tuple(sorted(path.name for path in folder.iterdir())) if folder.is_dir() else ()


def _outcome(future: Any, task: Task) -> Outcome:
    error = future.exception()
    if error is None:
        outcome: Outcome = future.result()
        return replace(outcome, task=task)
    return Outcome(task, None, f"the cluster gave it up: {type(error).__name__}: {error}".split("\n")[0], 0.0)
