"""A FUSE file system on a disk that forgets: `forgetting_fs.py MOUNTPOINT [BEGIN_WITH]`.

It is spoken to by extended attributes of its top folder: `user.cut` makes it write what a power cut would leave, and
`user.fail` makes calls fail; see `Command`. Linux tells a FUSE file system of fsync but not of syncfs: a program in it
says so by the attribute `user.syncfs` (see `synced_by_attribute`).
"""

import errno
import json
import os
import stat
import sys
from pathlib import Path, PurePosixPath
from typing import TypedDict

from forgetful_disk import DIRECTORY, Disk, put_down
from mfusepy import FUSE, FuseOSError, Operations

BLOCK = 4096
BLOCKS = 1 << 20


class Fault(TypedDict):
    """Calls ("write", "sync") on files under these folders fail with this error (ENOSPC, EIO)."""

    calls: list[str]
    under: list[str]
    error: str


class Command:
    """Names of the attributes: cut is {"into": folder, "seed": number or null}, fail a list of `Fault`."""

    CUT, FAIL, SYNCFS = "user.cut", "user.fail", "user.syncfs"


class ForgettingFileSystem(Operations):
    """Files in a `Disk`. A handle is an inode's number; the page cache of the kernel writes through."""

    use_ns = True

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.faults: list[Fault] = []

    # Names

    def getattr(self, path, fh=None):
        number = fh or self._number(path)
        if number == DIRECTORY:
            return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
        size = len(self.disk.inodes[number].live)
        return {"st_mode": stat.S_IFREG | 0o644, "st_nlink": 1, "st_size": size, "st_blocks": -(-size // 512)}

    def readdir(self, path, fh):
        folder = PurePosixPath(relative(path))
        return [".", "..", *(PurePosixPath(p).name for p in self.disk.names if PurePosixPath(p).parent == folder)]

    def mkdir(self, path, mode):
        self._may("write", path)
        self.disk.mkdir(relative(path))

    def rmdir(self, path):
        self.disk.remove(relative(path))

    def unlink(self, path):
        self.disk.remove(relative(path))

    def rename(self, old, new):
        self.disk.rename(relative(old), relative(new))

    # Files

    def create(self, path, mode, fi=None):
        self._may("write", path)
        return self.disk.create(relative(path))

    def open(self, path, flags):
        return self._number(path)

    def read(self, path, size, offset, fh):
        return bytes(self.disk.inodes[fh].live[offset : offset + size])

    def write(self, path, data, offset, fh):
        self._may("write", path)
        self.disk.write(fh, offset, data)
        return len(data)

    def truncate(self, path, length, fh=None):
        self.disk.truncate(fh or self._number(path), length)

    # What makes durable

    def fsync(self, path, datasync, fh):
        try:
            self._may("sync", path)
        except FuseOSError:
            self.disk.fail_to_sync(fh)
            raise
        self.disk.sync(fh)

    def fsyncdir(self, path, datasync, fh):
        self.disk.sync_directory(relative(path))

    def setxattr(self, path, name, value, options, position=0):
        if name == Command.SYNCFS:
            self._sync_all(path)
        elif name == Command.FAIL:
            self.faults = json.loads(value)
        elif name == Command.CUT:
            told = json.loads(value)
            put_down(self.disk.cut(told["seed"]), Path(told["into"]))
        else:
            raise FuseOSError(errno.ENOTSUP)
        return 0

    def getxattr(self, path, name, position=0):
        raise FuseOSError(errno.ENODATA)

    def _sync_all(self, path):
        try:
            self._may("sync", path)
        except FuseOSError:
            self.disk.fail_to_sync_all()
            raise
        self.disk.sync_all()

    # What every file system answers

    def statfs(self, path):
        full = any("write" in fault["calls"] for fault in self.faults)
        free = 0 if full else BLOCKS // 2
        return {"f_bsize": BLOCK, "f_frsize": BLOCK, "f_blocks": BLOCKS, "f_bfree": free, "f_bavail": free}

    def access(self, path, amode):
        self._number(path)
        return 0

    def chmod(self, path, mode):
        return 0

    def chown(self, path, uid, gid):
        return 0

    def utimens(self, path, times=None):
        return 0

    def flush(self, path, fh):
        return 0

    def release(self, path, fh):
        return 0

    def opendir(self, path):
        return 0

    def releasedir(self, path, fh):
        return 0

    def _number(self, path):
        name = relative(path)
        if name == ".":
            return DIRECTORY
        try:
            return self.disk.names[name]
        except KeyError:
            raise FuseOSError(errno.ENOENT) from None

    def _may(self, call, path):
        for fault in self.faults:
            if call in fault["calls"] and any(PurePosixPath(relative(path)).is_relative_to(u) for u in fault["under"]):
                raise FuseOSError(getattr(errno, fault["error"]))


def relative(path):
    return path.strip("/") or "."


def synced_by_attribute(descriptor: int) -> int:
    """Stand in for syncfs(2) in a program that runs on this file system: 0, or -1 with the error raised."""
    os.setxattr(descriptor, Command.SYNCFS, b"")
    return 0


def serve(mountpoint, *begin_with):
    disk = Disk()
    for folder in begin_with:
        disk.load(Path(folder))
    FUSE(
        ForgettingFileSystem(disk), mountpoint, foreground=True, nothreads=True, fsname="forgetting", hard_remove=True,
        attr_timeout=0, entry_timeout=0, default_permissions=True,
    )  # fmt: skip


if __name__ == "__main__":
    serve(*sys.argv[1:])
