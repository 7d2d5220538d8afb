"""Where sources are read and results are put: a tree of named files behind one small contract.

Everything else of a batch names files by their path below a tree's root, with `/` between its parts. Trees
are sent to workers, so they hold nothing but their root.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sursmr_codec import images
from sursmr_codec.batch.addresses import is_remote
from sursmr_codec.errors import OutputError
from sursmr_codec.types import Output, Source

Kind = Literal["file", "folder", "linked folder", "broken link", "special", "unreadable", "absent"]

DRAFT_START = ".sursmr-qp-"
DRAFT_END = ".part"
_FRESH_SECONDS = 2.0
"""File systems keep times to two seconds at worst."""
HEAD_BYTES = 4096


_NO_MORE = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO))
_FORBIDDEN = frozenset((errno.EACCES, errno.EPERM))


class Unwritable(OutputError):
    """Nothing can be written any more: a full or failing disk, or a tree without permission."""


@dataclass(frozen=True)
class Entry:
    """A name in a folder."""

    name: str
    kind: Kind
    stamp: str | None = None
    """What changes when the file's content does; None for all but files."""
    fresh: bool = False
    """Whether it was changed so lately that it may change again with the same stamp."""

    @property
    def lasting_stamp(self) -> str | None:
        """A stamp that will not be the same for other content; None where there is none yet."""
        return None if self.fresh else self.stamp


class Tree(ABC):
    """Files below a root."""

    def __init__(self, root: str) -> None:
        self.root = root

    @abstractmethod
    def path(self, name: str) -> str:
        """A file's place as people and records see it."""

    @abstractmethod
    def entries(self, folder: str) -> list[Entry]:
        """Everything in a folder ("" is the root), sorted by name; links to files count as files.

        Raises OSError where it cannot be listed.
        """

    @abstractmethod
    def entry(self, name: str) -> Entry:
        """One name, looked up; never raises."""

    @abstractmethod
    def head(self, name: str) -> bytes:
        """The first bytes of a file; raises OSError."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """All bytes of a file; raises OSError."""

    @abstractmethod
    def source(self, name: str, reading: images.Reading) -> Source:
        """Read a picture; raises ImageError."""

    @abstractmethod
    def publish(self, name: str, encoded: bytes) -> Output:
        """Put a file there, whole or not at all, with the folders it needs.

        Raises OutputError where this file cannot be put there, Unwritable where no file can.
        """

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a file, if it can be."""

    def sha256(self, name: str) -> str:
        """Digest of a file's bytes; raises OSError."""
        return hashlib.sha256(self.read(name)).hexdigest()


class LocalTree(Tree):
    """A folder of this machine."""

    def path(self, name: str) -> str:
        return str(Path(self.root) / name)

    def entries(self, folder: str) -> list[Entry]:
        with os.scandir(Path(self.root) / folder) as found:
            return sorted((_entry(one) for one in found), key=lambda entry: entry.name)

    def entry(self, name: str) -> Entry:
        path, last = Path(self.root) / name, name.rpartition("/")[2]
        try:
            return _seen(last, path.stat(), linked=path.is_symlink())
        except OSError as trouble:
            return _unseen(last, trouble, linked=path.is_symlink())

    def head(self, name: str) -> bytes:
        with (Path(self.root) / name).open("rb") as file:
            return file.read(HEAD_BYTES)

    def read(self, name: str) -> bytes:
        return (Path(self.root) / name).read_bytes()

    def source(self, name: str, reading: images.Reading) -> Source:
        return images.read(self.path(name), reading)

    def publish(self, name: str, encoded: bytes) -> Output:
        """Refuses symbolic links in OUT: they could lead back to sources."""
        target = Path(self.root) / name
        try:
            self._make_folder(target.parent)
            if target.is_symlink() or not _is_inside(target.parent, Path(self.root)):
                raise OutputError(f"{target}: a symbolic link leads out of the output folder; remove it")
            return images.write(target, encoded)
        except OutputError as trouble:
            cause = trouble.__cause__
            code = cause.errno if isinstance(cause, OSError) else None
            # Where permissions are wrong for one folder only, the pictures of others can go on.
            if code in _NO_MORE or (code in _FORBIDDEN and not _may_write(self.root)):
                raise Unwritable(str(trouble)) from cause
            raise

    def _make_folder(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as trouble:
            raise OutputError(f"{trouble.filename}: is not a folder; move it away") from trouble
        except OSError as trouble:
            why = trouble.strerror or type(trouble).__name__
            raise OutputError(f"{folder}: cannot be made: {why}") from trouble

    def remove(self, name: str) -> None:
        with contextlib.suppress(OSError):
            (Path(self.root) / name).unlink()


def tree(root: str) -> Tree:
    """The tree at a full name: a folder of this machine, or `s3://bucket/folder`.

    Raises MissingExtra where the library for it is not installed.
    """
    if is_remote(root):
        from sursmr_codec.batch import places_s3

        places_s3.require()
        return places_s3.S3Tree(root)
    return LocalTree(root)


def sweep(tree: Tree, folder: str, entries: Iterable[Entry]) -> None:
    """Remove what killed workers left among a folder's entries of files that were never published."""
    for entry in entries:
        if is_draft(entry.name):
            tree.remove(f"{folder}/{entry.name}" if folder else entry.name)


def is_draft(name: str) -> bool:
    """Whether a file's name is that of one that is still being written."""
    return name.startswith(DRAFT_START) and name.endswith(DRAFT_END)


def _entry(found: os.DirEntry[str]) -> Entry:
    linked = found.is_symlink()
    try:
        return _seen(found.name, found.stat(), linked=linked)
    except OSError as trouble:
        return _unseen(found.name, trouble, linked=linked)


def _unseen(name: str, trouble: OSError, *, linked: bool) -> Entry:
    if isinstance(trouble, PermissionError):
        return Entry(name, "unreadable")
    return Entry(name, "broken link" if linked else "absent")


def _seen(name: str, found: os.stat_result, *, linked: bool) -> Entry:
    if stat.S_ISDIR(found.st_mode):
        return Entry(name, "linked folder" if linked else "folder")
    if not stat.S_ISREG(found.st_mode):
        return Entry(name, "special")
    stamp = f"{found.st_size}-{found.st_mtime_ns}-{found.st_ctime_ns}-{found.st_ino}"
    age = time.time() - max(found.st_mtime, found.st_ctime)
    return Entry(name, "file", stamp, fresh=age < _FRESH_SECONDS)


def _may_write(folder: str) -> bool:
    # By default the system answers for the user who started a set-uid program, not for the one it acts as.
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)


def _is_inside(path: Path, root: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve())
