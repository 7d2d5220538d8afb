"""A lock on an open file, which the system takes back when its holder dies."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from sursmr_codec.errors import OutputError, UsageError

if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        # A byte far behind the text, which others must be able to read.
        os.lseek(handle, 1 << 30, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def take(handle: int, patience_seconds: float = 0.0) -> bool:
    """Whether the lock is ours now, until the handle is closed; False where another holds it that long.

    Raises OSError where the file cannot be locked at all.
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            _lock(handle)
        except (BlockingIOError, PermissionError):
            if time.monotonic() > deadline:
                return False
            time.sleep(min(0.05, patience_seconds))
        else:
            return True


def hold(path: Path, busy: str) -> int:
    """An open file that is locked until it is closed, made where it is not there.

    Raises UsageError saying `busy` where another holds it, OutputError where it cannot be written.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if not take(handle):
                raise UsageError(busy)
        except BaseException:
            os.close(handle)
            raise
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error}") from error
    return handle
