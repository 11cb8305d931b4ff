"""A day that is over, judged as a whole by `g6 anomalies --multivariate`: in a process of its own.

Its libraries take more memory than the recorder has; with the process it is given back.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import msgspec

from g6.anomalies.together import INSTALL
from g6.errors import ConfigError, SinkError
from g6.model.anomaly import Anomaly, JudgedDay

PATIENCE_SECONDS = 120.0  # for an index, which takes some seconds
JUDGED, UNJUDGED = 0, 2


def require_installed() -> None:
    """Raise ConfigError where the library is not there that a day is judged by."""
    if find_spec("sklearn") is None:
        raise ConfigError(f"anomalies.multivariate_after_close: {INSTALL}")


def judge_day(root: Path, day: date, names: Sequence[str], alive: Callable[[], None]) -> JudgedDay:
    """Return what all measures of a day's indices show together; SinkError where one cannot be judged at all.

    An index of which too little is stored is named in `unjudged`. `alive` is called before each.
    """
    found: list[Anomaly] = []
    unjudged: dict[str, str] = {}
    for name in names:
        alive()
        done = _asked(root, day, name)
        if done.returncode == JUDGED:
            found += msgspec.json.decode(done.stdout, type=list[Anomaly])
        elif done.returncode == UNJUDGED:
            unjudged[name] = _said(done)
        else:
            raise SinkError(f"{name} could not be judged (exit code {done.returncode}): {_said(done)}")
    return JudgedDay(day, tuple(found), unjudged)


def _asked(root: Path, day: date, name: str) -> "subprocess.CompletedProcess[str]":
    question = ("anomalies", "--multivariate", "--json", "--date", day.isoformat(), "--index", name)
    command = (sys.executable, "-m", "g6.unified_main", *question, "--data-dir", os.fspath(root))
    try:
        return subprocess.run(  # noqa: S603  our own command
            command, check=False, capture_output=True, text=True, timeout=PATIENCE_SECONDS, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SinkError(f"{name} could not be judged: {error}") from error


def _said(done: "subprocess.CompletedProcess[str]") -> str:
    lines = done.stderr.strip().splitlines()
    return lines[-1].removeprefix("g6: ") if lines else "nothing was said"
