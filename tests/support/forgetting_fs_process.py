"""The forgetting file system as a process of its own, mounted, and spoken to."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

SERVER = Path(__file__).with_name("forgetting_fs.py")

# A program of the project on a FUSE file system: what Linux does not tell such a file system is told by an attribute.
ON_FUSE = """
import sys
sys.path.insert(0, {support!r})
from forgetting_fs import synced_by_attribute
from g6.storage import sync
sync._SYNCFS = synced_by_attribute
"""


def missing() -> str:
    """Return why no file system can be mounted here, or nothing."""
    if importlib.util.find_spec("mfusepy") is None:
        return "mfusepy is not installed"
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "/dev/fuse is not there for this user"
    if os.geteuid() != 0 and shutil.which("fusermount3") is None:
        return "fusermount3 is not installed (Debian: fuse3)"
    return ""


class ForgettingMount:
    """A mounted file system; RuntimeError when it cannot be mounted."""

    def __init__(self, at: Path, *begin_with: Path) -> None:
        self.at = at
        at.mkdir()
        command = [sys.executable, str(SERVER), str(at), *map(str, begin_with)]
        self._server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while not os.path.ismount(at):
            if self._server.poll() is not None:
                raise RuntimeError(f"the file system could not be mounted: {self._server.communicate()[1]}")

    def cut(self, into: Path, seed: int | None = None) -> Path:
        """Cut the power; return the folder with what is left, which only a seed makes more than what was synced."""
        os.setxattr(self.at, "user.cut", json.dumps({"into": str(into), "seed": seed}).encode())
        return into

    def fail(self, calls: Sequence[str], under: Sequence[str], error: str) -> None:
        """Refuse these calls ("write", "sync") on files below these folders."""
        os.setxattr(self.at, "user.fail", json.dumps([{"calls": calls, "under": under, "error": error}]).encode())

    def recover(self) -> None:
        """Refuse nothing any more."""
        os.setxattr(self.at, "user.fail", b"[]")

    def unmount(self) -> None:
        """End, whatever still has a file open; doing so twice is harmless."""
        if self._server.returncode is not None:
            return
        unmount = ["umount", "--lazy"] if os.geteuid() == 0 else ["fusermount3", "-u", "-z"]
        subprocess.run([*unmount, str(self.at)], check=False, capture_output=True)
        self._server.communicate()


def on_fuse(*preamble: str) -> list[str]:
    """Return the command that is the agent on such a file system; `preamble` are lines of Python before it."""
    code = [
        ON_FUSE.format(support=str(SERVER.parent)),
        *preamble,
        "from g6 import cli",
        "sys.exit(cli.main(sys.argv[1:]))",
    ]
    return [sys.executable, "-c", "\n".join(code)]
