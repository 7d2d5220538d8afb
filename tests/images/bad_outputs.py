"""Every kind of target that cannot or must not be written, with what has to become of it.

Each row arranges a target for a given source file and undoes what it arranged; the exit code is the command
line's (2: usage, 6: not written).
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from images.input_rows.row import without_root

USAGE, NOT_WRITTEN = 2, 6
FULL_BYTES = 1 << 16
"""Size of the full disk; anything larger does not fit."""

Arrange = Callable[[Path, Path], AbstractContextManager[Path]]


@dataclass(frozen=True)
class OutputRow:
    """A target that `arrange(folder, source)` makes, and the outcome of writing to it."""

    name: str
    arrange: Arrange
    exit_code: int
    message: str
    early: bool = True
    """Whether the failure shows before anything is encoded."""
    unprivileged: bool = False
    """Whether the outcome needs a user who is not root; such a user may not enter the tests' own folders."""

    def user(self) -> AbstractContextManager[None]:
        """Drop root's rights where the row asks for it and the tests have them."""
        return without_root() if self.unprivileged else nullcontext()


def _plain(make: Callable[[Path, Path], Path]) -> Arrange:
    return lambda folder, source: nullcontext(make(folder, source))


def _folder(folder: Path, source: Path) -> Path:
    target = folder / "folder.jpg"
    target.mkdir()
    return target


def _below_a_file(folder: Path, source: Path) -> Path:
    return source / "out.jpg"


def _symlink(folder: Path, source: Path) -> Path:
    target = folder / "link.jpg"
    target.symlink_to(source)
    return target


def _hard_link(folder: Path, source: Path) -> Path:
    target = folder / "hard.jpg"
    os.link(source, target)
    return target


def _roundabout(folder: Path, source: Path) -> Path:
    (source.parent / "aside").mkdir()
    return source.parent / "aside" / ".." / source.name


def _pipe(folder: Path, source: Path) -> Path:
    target = folder / "pipe.jpg"
    os.mkfifo(target)
    return target


@contextmanager
def _read_only_folder(folder: Path, source: Path) -> Iterator[Path]:
    # Outside the tests' own folder, which nobody but its owner may enter.
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o555)
        try:
            yield place / "out.jpg"
        finally:
            place.chmod(0o755)


@contextmanager
def _write_protected(folder: Path, source: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o777)
        target = place / "out.jpg"
        target.write_bytes(b"precious")
        target.chmod(0o444)
        yield target


@contextmanager
def _mounted(options: str) -> Iterator[Path | None]:
    """A small file system of its own; None where the system does not let the tests mount one."""
    place = Path(tempfile.mkdtemp())
    command = ["mount", "-t", "tmpfs", "-o", f"size={FULL_BYTES},{options}", "tmpfs", str(place)]
    mounted = bool(shutil.which("mount")) and subprocess.run(command, capture_output=True).returncode == 0
    try:
        yield place if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", str(place)], check=True)
        place.rmdir()


@contextmanager
def _full_disk(folder: Path, source: Path) -> Iterator[Path]:
    with _mounted("rw") as place:
        if place is not None:
            yield place / "out.jpg"
            return
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with mock.patch("os.fsync", side_effect=full):
            yield folder / "out.jpg"


@contextmanager
def _read_only_disk(folder: Path, source: Path) -> Iterator[Path]:
    with _mounted("ro") as place:
        if place is not None:
            yield place / "out.jpg"
            return
        real = os.open

        def refuse(path: Any, flags: int, *rest: Any, **options: Any) -> int:
            if flags & os.O_CREAT:
                raise OSError(errno.EROFS, os.strerror(errno.EROFS))
            return real(path, flags, *rest, **options)

        with mock.patch("os.open", refuse):
            yield folder / "out.jpg"


ROWS = (
    OutputRow("folder absent", _plain(lambda f, s: f / "no" / "out.jpg"), NOT_WRITTEN, "does not exist"),
    OutputRow("folder is a file", _plain(_below_a_file), NOT_WRITTEN, "its folder is not a folder"),
    OutputRow("target is a folder", _plain(_folder), NOT_WRITTEN, "it is a folder"),
    OutputRow("target is a pipe", _plain(_pipe), NOT_WRITTEN, "it is a pipe or device"),
    OutputRow("target is a device", _plain(lambda f, s: Path("/dev/null")), NOT_WRITTEN, "pipe or device"),
    OutputRow("name too long", _plain(lambda f, s: f / ("x" * 300)), NOT_WRITTEN, "the name is too long"),
    OutputRow("read-only folder", _read_only_folder, NOT_WRITTEN, "no permission", unprivileged=True),
    OutputRow("write-protected file", _write_protected, NOT_WRITTEN, "write-protected", unprivileged=True),
    OutputRow("read-only disk", _read_only_disk, NOT_WRITTEN, "cannot be written", early=False),
    OutputRow("full disk", _full_disk, NOT_WRITTEN, "the disk is full", early=False),
    OutputRow("the input itself", _plain(lambda f, s: s), USAGE, "--in-place"),
    OutputRow("the input by another path", _plain(_roundabout), USAGE, "--in-place"),
    OutputRow("a symbolic link to the input", _plain(_symlink), USAGE, "--in-place"),
    OutputRow("a hard link to the input", _plain(_hard_link), USAGE, "--in-place"),
)
