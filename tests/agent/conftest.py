"""The whole agent, in this process or as a user starts it."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from agent_process import command, environment

from g6.settings import Settings, load

PLAIN = {"metrics.port": "0", "console.concise": "true", "clock.speed": "max", "logging.level": "WARNING"}


@pytest.fixture
def settings_for(tmp_path: Path) -> Callable[..., Settings]:
    """Settings with a free port, a clock that jumps and a data directory below the test's own folder."""

    def make(data: str = "data", **changes: str) -> Settings:
        dotted = {key.replace("__", "."): value for key, value in changes.items()}
        return load(PLAIN | {"storage.data_dir": str(tmp_path / data)} | dotted, {}, tmp_path)

    return make


@pytest.fixture
def g6(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command as a user does, with nothing of ours in its environment, and wait for it."""

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments), cwd=tmp_path, env=environment(**more), capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip

    return run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The command's folder and environment; it runs in this process."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("G6_")]:
        monkeypatch.delenv(name)
    return tmp_path
