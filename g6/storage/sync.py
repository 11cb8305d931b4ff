"""Making a whole file system durable with one call, where thousands of files were written."""

import ctypes
import os
from pathlib import Path

# Linux has it; elsewhere `sync` reaches all file systems and reports no error.
_SYNCFS = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)


def sync_file_system(folder: Path) -> None:
    """Return when everything written to the file system of `folder` is on the disk; OSError when it is not."""
    if _SYNCFS is None:
        os.sync()
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if _SYNCFS(descriptor) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(folder))
    finally:
        os.close(descriptor)
