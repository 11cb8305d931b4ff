"""What a program did to its files, as strace saw it, done again on a disk that forgets: a power cut at every call."""

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from forgetful_disk import Disk

STRACE = shutil.which("strace")
WRITES = ("write", "pwrite64", "ftruncate", "openat", "mkdir", "rename", "unlink", "rmdir")
SYNCS = ("fsync", "fdatasync", "syncfs")

CALL = re.compile(r"(?P<thread>\d+) +(?P<name>\w+)\((?P<arguments>.*)\) += (?P<result>-?\d+)(?:<(?P<path>[^>]*)>)?")
UNFINISHED = re.compile(r"(?P<thread>\d+) +(?P<begun>.*) <unfinished \.\.\.>$")
RESUMED = re.compile(r"(?P<thread>\d+) +<\.\.\. \w+ resumed>(?P<rest>.*)")


class Call(NamedTuple):
    """A call that returned. `path` is what the result, or else the first argument, is a descriptor of."""

    name: str
    arguments: tuple[str, ...]
    result: int
    path: str


def traced(command: Sequence[str], trace: Path, *inject: str, calls: Iterable[str] = (*WRITES, *SYNCS)) -> list[str]:
    """Return the command under strace; `inject` are further options of strace."""
    # Where the kernel filters the calls for strace, calls are traced five times as fast and no signal is injected.
    fast = [] if any("signal=" in option for option in inject) else ["--seccomp-bpf"]
    return [
        "strace", "--follow-forks", *fast, "--quiet=all", "--decode-fds=path", "--strings-in-hex=all",
        "--string-limit=99999999", f"--output={trace}", f"--trace={','.join(calls)}", *inject, *command,
    ]  # fmt: skip


def calls_of(trace: Path) -> Iterator[Call]:
    """Yield the calls in the order in which they returned."""
    begun: dict[str, str] = {}
    with trace.open() as lines:
        for line in lines:
            text = line.rstrip("\n")
            if half := UNFINISHED.match(text):
                begun[half["thread"]] = half["begun"]
                continue
            if half := RESUMED.match(text):
                text = f"{half['thread']} {begun.pop(half['thread'], '')}{half['rest']}"
            if whole := CALL.match(text):
                yield _call(whole)


def _call(found: re.Match[str]) -> Call:
    arguments = tuple(found["arguments"].split(", "))
    path = found["path"] or (arguments[0].partition("<")[2].rpartition(">")[0] if "<" in arguments[0] else "")
    return Call(found["name"], arguments, int(found["result"]), _text(path))


def _bytes(written: str) -> bytes:
    r"""Read "\x41\x42" of strace, within quotes or without."""
    return bytes.fromhex(written.strip('"').replace("\\x", ""))


def _text(written: str) -> str:
    return _bytes(written).decode() if written.startswith("\\x") else written


class TracedDisk(Disk):
    """A disk on which the calls of a trace below `root` are done again; what went to standard output is `told`."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.told = ""
        self._root = f"{root.resolve()}/"
        self._positions: dict[str, tuple[str, int | None]] = {}  # descriptor → path, where it writes (None: the end)

    def play(self, call: Call) -> bool:
        """Do a call again; return whether it changed the disk or made it durable."""
        descriptor = call.arguments[0].partition("<")[0]
        if call.name == "write" and descriptor == "1" and call.path.startswith("pipe:"):
            self.told += _bytes(call.arguments[1])[: call.result].decode()
            return False
        name = self._name(call.path or _text(call.arguments[0].strip('"')))
        if name is None:
            return False
        if call.result < 0:
            return self._fail(call, name)
        return bool(getattr(self, f"_play_{call.name}")(call, name, descriptor))

    def _name(self, path: str) -> str | None:
        if f"{path}/" == self._root:
            return "."
        return path.removeprefix(self._root) if path.startswith(self._root) else None

    def _fail(self, call: Call, name: str) -> bool:
        if call.name == "syncfs":
            self.fail_to_sync_all()
        elif call.name in SYNCS and self.names.get(name):
            self.fail_to_sync(self.names[name])
        return call.name in SYNCS

    def _play_openat(self, call: Call, name: str, _descriptor: str) -> bool:
        new, flags = name not in self.names and name != ".", call.arguments[2]
        if new:
            self.create(name)
        elif "O_TRUNC" in flags:
            self.truncate(self.names[name], 0)
        self._positions[str(call.result)] = name, None if "O_APPEND" in flags else 0
        return new or "O_TRUNC" in flags

    def _play_write(self, call: Call, name: str, descriptor: str) -> bool:
        if name not in self.names:  # removed while it was open
            return False
        inode = self.names[name]
        _, position = self._positions[descriptor]
        at = len(self.inodes[inode].live) if position is None else position
        self.write(inode, at, _bytes(call.arguments[1])[: call.result])
        self._positions[descriptor] = name, None if position is None else position + call.result
        return True

    def _play_pwrite64(self, call: Call, name: str, _descriptor: str) -> bool:
        if name in self.names:
            self.write(self.names[name], int(call.arguments[3]), _bytes(call.arguments[1])[: call.result])
        return name in self.names

    def _play_ftruncate(self, call: Call, name: str, _descriptor: str) -> bool:
        if name in self.names:
            self.truncate(self.names[name], int(call.arguments[1]))
        return name in self.names

    def _play_mkdir(self, _call: Call, name: str, _descriptor: str) -> bool:
        if name != ".":
            self.mkdir(name)
        return name != "."

    def _play_rename(self, call: Call, name: str, _descriptor: str) -> bool:
        self.rename(name, self._name(_text(call.arguments[1].strip('"'))) or "")
        return True

    def _play_unlink(self, _call: Call, name: str, _descriptor: str) -> bool:
        self.remove(name)
        return True

    _play_rmdir = _play_unlink

    def _play_fsync(self, _call: Call, name: str, _descriptor: str) -> bool:
        if self.names.get(name):
            self.sync(self.names[name])
        else:
            self.sync_directory(name)
        return True

    _play_fdatasync = _play_fsync

    def _play_syncfs(self, _call: Call, _name: str, _descriptor: str) -> bool:
        self.sync_all()
        return True


def run_traced(
    command: Sequence[str],
    trace: Path,
    *inject: str,
    cwd: Path,
    env: Mapping[str, str],
    calls: Iterable[str] = (*WRITES, *SYNCS),
) -> subprocess.CompletedProcess[str]:
    """Run a command under strace; its exit code is the command's, or minus the signal that ended it."""
    return subprocess.run(
        traced(command, trace, *inject, calls=calls), cwd=cwd, env=env, capture_output=True, text=True, check=False
    )
