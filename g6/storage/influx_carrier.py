"""Who waits for the server while a request is under way."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue

Task = Callable[[], None]
Carry = Callable[[Task], "Future[None]"]


def at_once(task: Task) -> "Future[None]":
    """Do a task here and now."""
    done: Future[None] = Future()
    _settle(task, done)
    return done


class Carrier:
    """A thread that does one task after the other, so that the next request can be made ready meanwhile.

    It is none of `concurrent.futures`, whose threads an exiting process waits for, however long a server hangs.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: SimpleQueue[tuple[Task, Future[None]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def __call__(self, task: Task) -> "Future[None]":
        """Do a task in the thread, which begins with the first."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        done: Future[None] = Future()
        self._tasks.put((task, done))
        return done

    def close(self) -> None:
        """End the thread when it has done what it was given; it is not waited for."""
        self._tasks.put(None)

    def _work(self) -> None:
        while (given := self._tasks.get()) is not None:
            _settle(*given)


def _settle(task: Task, done: "Future[None]") -> None:
    try:
        task()
    except BaseException as error:  # noqa: BLE001  whoever asks for the result is told
        done.set_exception(error)
    else:
        done.set_result(None)
