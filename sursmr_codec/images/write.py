"""Writing a result so that a file is either the old one or the whole new one, never half of either."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import uuid
from pathlib import Path

from sursmr_codec.errors import OutputError, UsageError
from sursmr_codec.images.files import one_line, shown
from sursmr_codec.types import Output

_WHAT_TO_DO = {
    errno.ENOSPC: "the disk is full; free some space or choose another folder",
    errno.EDQUOT: "the disk quota is used up; free some space or choose another folder",
    errno.EACCES: "no permission to write there; choose another folder",
    errno.EPERM: "no permission to write there; choose another folder",
    errno.EROFS: "the folder is read-only; choose another one",
    errno.ENOENT: "its folder does not exist; create it first",
    errno.ENOTDIR: "its folder is not a folder; check the path",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


def check_target(path: str | Path, source_path: str | Path | None = None, in_place: bool = False) -> None:
    """Raise what `write` would raise, as far as it shows before there is anything to write.

    UsageError where the target is the source and `in_place` is not set; OutputError where the folder is
    absent or not writable, or the target is a folder or device.
    """
    _prepare(Path(path), source_path, in_place, overwrite=True)
    parent = Path(path).resolve().parent
    if not _may(parent, os.W_OK | os.X_OK):
        raise OutputError(f"{shown(path)}: cannot be written: {_WHAT_TO_DO[errno.EACCES]}")


def write(
    path: str | Path,
    encoded: bytes,
    *,
    source_path: str | Path | None = None,
    in_place: bool = False,
    overwrite: bool = True,
) -> Output:
    """Write bytes to a file at once: whole and read back, or not at all.

    A symbolic link is followed and stays a link. An existing target keeps its mode, a new one gets what the
    umask leaves. Raises UsageError where the target is the file at `source_path` by whatever name and
    `in_place` is not set, and OutputError where it cannot be written, or exists and `overwrite` is not set;
    what was there before is then untouched.
    """
    target = _prepare(Path(path), source_path, in_place, overwrite)
    try:
        _replace(target, encoded)
    except OSError as trouble:
        raise OutputError(f"{shown(path)}: cannot be written: {_reason(trouble)}") from trouble
    return Output(str(path), hashlib.sha256(encoded).hexdigest())


def _prepare(path: Path, source_path: str | Path | None, in_place: bool, overwrite: bool) -> Path:
    """The real file behind `path`, after every check that needs no writing."""
    name = shown(path)
    try:
        target = path.resolve()
        found = target.stat() if target.exists() else None
        if found is None:
            if not target.parent.is_dir():
                trouble = errno.ENOTDIR if target.parent.exists() else errno.ENOENT
                raise OSError(trouble, os.strerror(trouble))
            return target
        if stat.S_ISDIR(found.st_mode):
            raise OutputError(f"{name}: cannot be written: it is a folder; give a file name")
        if not stat.S_ISREG(found.st_mode):
            raise OutputError(f"{name}: cannot be written: it is a pipe or device; give a file name")
        if source_path is not None and not in_place and _same(target, source_path):
            raise UsageError(f"{name}: is the input itself; choose another output or give --in-place")
        if not _may(target, os.W_OK):
            raise OutputError(f"{name}: cannot be written: the file there is write-protected")
        if not overwrite:
            raise OutputError(f"{name}: exists already; choose another output")
    except (OSError, ValueError, RuntimeError) as trouble:
        raise OutputError(f"{name}: cannot be written: {_reason(trouble)}") from trouble
    return target


def _may(path: Path, kind: int) -> bool:
    # By default the system answers for the user who started a set-uid program, not for the one it acts as.
    return os.access(path, kind, effective_ids=os.access in os.supports_effective_ids)


def _same(target: Path, source_path: str | Path) -> bool:
    try:
        return target.samefile(source_path)
    except OSError:
        # A source that is gone or hidden by now was not reached by this path.
        return False


def _replace(target: Path, encoded: bytes) -> None:
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
    draft = target.with_name(f".sursmr-qp-{uuid.uuid4().hex}.part")
    try:
        # Unlike the standard library's temporary files, which only their owner may read.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(draft, flags, 0o666), "wb") as file:
            file.write(encoded)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            draft.chmod(mode)
        if draft.read_bytes() != encoded:
            raise OSError(errno.EIO, "what was written reads back otherwise; check the disk")
        draft.replace(target)
    except BaseException:
        # An interrupt must not leave a draft behind either.
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut, where the system lets folders be synced."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _reason(trouble: Exception) -> str:
    if isinstance(trouble, OSError) and trouble.errno in _WHAT_TO_DO:
        return _WHAT_TO_DO[trouble.errno]
    return (isinstance(trouble, OSError) and trouble.strerror) or one_line(trouble)
