"""The one Twisted reactor of the process: it runs in a daemon thread from its first use until the process ends.

A reactor cannot be started twice, so nothing here ever stops it; and it may be touched from its own thread only, so
everything goes through `in_reactor`.
"""

import threading
from collections.abc import Callable
from typing import Any

# What `import` gives is the running reactor's instance, which is typed as a module.
from twisted.internet import reactor as _module
from twisted.logger import STDLibLogObserver, globalLogBeginner

_reactor: Any = _module
_lock = threading.Lock()
_thread: threading.Thread | None = None


def in_reactor(function: Callable[..., None], *arguments: object) -> None:
    """Have the reactor call this soon; returns at once. What it raises nobody hears: it must not."""
    _start()
    _reactor.callFromThread(function, *arguments)


def _start() -> None:
    global _thread  # noqa: PLW0603  the reactor is the process's, and so is its thread
    with _lock:
        if _thread is None and not _reactor.running:
            # Left alone, Twisted prints what nobody caught on standard error, past the log and its redaction.
            observer: Any = STDLibLogObserver()  # a zope interface, which mypy does not see
            globalLogBeginner.beginLoggingTo([observer], discardBuffer=True, redirectStandardIO=False)
            # Signals are the main thread's business.
            _thread = threading.Thread(
                target=_reactor.run, kwargs={"installSignalHandlers": False}, name="kite-stream-reactor", daemon=True
            )
            _thread.start()
