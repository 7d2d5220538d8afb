"""What lies around a run: disks, and the rights of who runs it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def mount(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `mount`, whether it succeeds or not."""
    return subprocess.run(["mount", *arguments], capture_output=True, text=True)


def remount(disk: Path, mode: str) -> None:
    """Make a mounted disk read-only (`ro`) or writable again (`rw`)."""
    done = mount("-o", f"remount,{mode}", str(disk))
    assert done.returncode == 0, done.stderr


@contextmanager
def as_nobody(*folders: Path) -> Iterator[None]:
    """Without root's rights, which no mode bits stop; `folders` belong to nobody meanwhile."""
    is_root = os.geteuid() == 0
    if is_root:
        for folder in folders:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, 65534, 65534)
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
