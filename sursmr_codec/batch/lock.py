"""One run at a time in an output folder, by a lock that the system takes back when its holder dies."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from sursmr_codec import locking
from sursmr_codec.errors import OutputError

FILE = "lock"
_PATIENCE_SECONDS = 1.0
"""Who only looks whether the lock is held holds it for a moment."""


class RunLock:
    """Held inside its context by this process; its file stays behind and means nothing."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._handle: int | None = None

    def __enter__(self) -> Self:
        """Raises OutputError where another process holds it, or the folder cannot be written."""
        try:
            self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as trouble:
            raise OutputError(f"{self._path}: cannot be written: {trouble.strerror}") from trouble
        try:
            free = locking.take(self._handle, _PATIENCE_SECONDS)
        except OSError as trouble:
            self.__exit__()
            raise OutputError(f"{self._path}: cannot be locked: {trouble.strerror}") from trouble
        if not free:
            self.__exit__()
            raise OutputError(self._busy())
        self._sign()
        return self

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _sign(self) -> None:
        assert self._handle is not None
        now = datetime.now(UTC).isoformat(timespec="seconds")
        text = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": now})
        # Only for people: a disk that is too full for it says so later, where it matters.
        with contextlib.suppress(OSError):
            os.ftruncate(self._handle, 0)
            os.lseek(self._handle, 0, os.SEEK_SET)
            os.write(self._handle, text.encode())

    def _busy(self) -> str:
        by = holder(self._path.parent)
        who = f"process {by['pid']} on {by['host']} since {by['since']}" if by else "another process"
        return (
            f"{self._path.parent.parent}: is being worked on by {who}; wait for it (`sursmr-qp status` shows "
            "how far it is), stop it, or choose another output folder"
        )


def holder(folder: Path) -> dict[str, Any]:
    """Who took the lock last: `pid`, `host`, `since`; empty where nobody is known."""
    try:
        found = json.loads((folder / FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and {"pid", "host", "since"} <= set(found) else {}


def is_held(folder: Path) -> bool:
    """Whether a run is alive in the folder."""
    try:
        handle = os.open(folder / FILE, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    except OSError:
        return False
    try:
        return not locking.take(handle)
    except OSError:
        return True
    finally:
        os.close(handle)
