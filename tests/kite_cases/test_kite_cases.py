"""Whatever the broker does, the minute says it, the metrics count it, and nothing wrong is stored.

A case is a folder with a `case.yaml`, whose keys `kite_case` explains. `cases` are of REST, on a clock that jumps from
minute to minute; `stream_cases` are of the WebSocket, each in a process of its own, where a minute takes seconds.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from agent_process import environment
from kite_case import run_case

HERE = Path(__file__).parent
CASES = sorted((HERE / "cases").iterdir())
STREAM_CASES = sorted((HERE / "stream_cases").iterdir())
STREAM_SPEED = "20"  # a minute in three seconds: what a socket needs to break and heal is of the machine's time


# Those that live two days.
TWO_DAYS = {
    "stale_dump",
    "dump_html_yesterdays_used",
    "dump_502_yesterdays_used",
    "token_dies_at_six",
    "token_dies_at_six_and_nobody_comes",
}


def case_of(case: Path) -> object:
    return pytest.param(case, id=case.name, marks=pytest.mark.long if case.name in TWO_DAYS else ())


@pytest.mark.parametrize("case", [case_of(case) for case in CASES])
def test_a_failure_is_told_counted_and_costs_what_it_must(case: Path, tmp_path: Path) -> None:
    run_case(case, tmp_path)


@pytest.mark.long  # a quarter of a minute each; `tests/kite_stream` talks to real sockets in seconds
@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in STREAM_CASES])
def test_a_failure_of_the_stream_is_told_counted_and_filled(case: Path, tmp_path: Path) -> None:
    module = HERE.parent / "support" / "kite_case.py"
    command = [sys.executable, str(module), str(case), str(tmp_path), STREAM_SPEED]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
