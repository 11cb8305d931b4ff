"""The agent as a container has it: not root, everything read-only but the data directory and /tmp."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from agent_process import environment

USER = "10001"
HOME = "/var/lib/g6"


def sandbox(project: Path, data: Path) -> list[str]:
    """The command that runs another one in such a place; no word is changed outside of it."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        pytest.skip("bubblewrap is not installed")
    # What lies in /tmp (the interpreter, the project) has to be seen through the empty one.
    own = {str(path) for path in (project, Path(sys.prefix), Path(sys.base_prefix)) if str(path).startswith("/tmp/")}
    visible = [word for path in sorted(own) for word in ("--ro-bind", path, path)]
    command = [
        bwrap, "--die-with-parent", "--new-session", "--unshare-user", "--uid", USER, "--gid", USER, "--unshare-pid",
        "--unshare-ipc", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--tmpfs",
        "/var/lib", "--bind", str(data), HOME, "--remount-ro", "/var/lib", *visible, "--chdir", HOME,
        "--setenv", "HOME", HOME, "--setenv", "XDG_STATE_HOME", "/var/lib", "--setenv", "PYTHONPATH", str(project),
        "--setenv", "PYTHONDONTWRITEBYTECODE", "1", "--cap-drop", "ALL",
    ]  # fmt: skip
    tried = subprocess.run([*command, "true"], capture_output=True, text=True, check=False, timeout=60)
    if tried.returncode:
        pytest.skip(f"this machine permits no sandbox: {tried.stderr.strip()}")
    return command


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder


def test_nothing_else_can_be_written_there(project: Path, data: Path) -> None:
    script = "id -u; touch /tmp/a " + HOME + "/b; touch /c /var/lib/d /etc/e " + str(project / "f")
    done = subprocess.run(
        [*sandbox(project, data), "sh", "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == f"{USER}\n"
    assert done.stderr.count("Read-only file system") == 4, done.stderr
    assert [path.name for path in data.iterdir()] == ["b"]


def test_a_minute_is_recorded_there(project: Path, data: Path) -> None:
    agent = [sys.executable, "-m", "g6.unified_main", "--run-once", "--port", "0"]
    done = subprocess.run(
        [*sandbox(project, data), *agent], env=environment(), capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    recorded = data / "data" / "simulated"
    assert list((recorded / "journal").glob("*.sqlite3"))
    assert list((recorded / "csv").rglob("*.csv"))
    assert all(path.stat().st_uid == os.getuid() for path in data.rglob("*"))
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
