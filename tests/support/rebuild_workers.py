"""Days of a rebuild that hurt the process that works on them; importable, as other processes need it."""

import os
import signal
from datetime import date
from pathlib import Path

from g6.maintenance.rebuild import Rebuilt


def killed_once(marker: Path, root: Path, day: date) -> Rebuilt:
    """Die in the first process that gets here."""
    try:
        marker.touch(exist_ok=False)
    except FileExistsError:
        return Rebuilt(1, 1, 1, 0, "")
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def killed_on(fatal: date, root: Path, day: date) -> Rebuilt:
    """Die on one day."""
    if day == fatal:
        os.kill(os.getpid(), signal.SIGKILL)
    return Rebuilt(1, 1, 1, 0, "")
