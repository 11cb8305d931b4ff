"""Under a limit that the kernel enforces, the level rises before the kernel kills, and falls when memory was shed.

The limit is a control group's. `prlimit` would not do: Linux limits address space (RLIMIT_AS) and has ignored
RLIMIT_RSS since 2.4.30 (setrlimit(2)). The whole agent under such a limit is in `tests/agent/test_agent_real_limit.py`.
"""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest
from limited_group import limited_group

LIMIT_BYTES = 300_000_000


@pytest.mark.long
def test_it_steps_up_under_a_real_limit_is_not_killed_and_comes_down_again() -> None:
    script = Path(__file__).with_name("ballast_process.py")
    with limited_group(LIMIT_BYTES) as group:
        command = [sys.executable, script, group.folder]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert ended.returncode == 0, ended.stderr
        told = json.loads(ended.stdout)
        assert [level for level, _ in itertools.groupby(told["levels"])] == [0, 1, 2, 3, 2, 1, 0]
        assert told["source"] == group.source
        assert told["limit"] == pytest.approx(LIMIT_BYTES, abs=65_536), "rounded to pages"
        assert 0.9 * LIMIT_BYTES <= told["most"] < LIMIT_BYTES
        assert told["end"] < 0.5 * LIMIT_BYTES
        assert group.killed() == [0]
