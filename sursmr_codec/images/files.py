"""Reading a file's bytes without hanging on what is not a file."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

from sursmr_codec.errors import ImageError

_HEAD_BYTES = 4096


def read_bytes(path: str | Path, check_head: Callable[[bytes], object] | None = None) -> bytes:
    """All bytes of a regular file; never empty.

    `check_head` sees the first bytes before the rest is read and raises ImageError where they are not what
    the caller can use, so that a film given by mistake does not fill the memory.

    Raises ImageError, in one line with the file's name, where there is no such file, where it cannot be read,
    is empty, or is a folder, a pipe or a device.
    """
    name = shown(path)
    try:
        _refuse_special(Path(path).stat().st_mode)
        with Path(path).open("rb") as file:
            head = file.read(_HEAD_BYTES)
            if not head:
                raise ImageError("is empty; give an image file")
            if check_head is not None:
                check_head(head)
            # Joining a head to a rest would hold a large file twice.
            file.seek(0)
            return file.read()
    except ImageError as trouble:
        raise ImageError(f"{name}: {trouble}") from trouble
    except FileNotFoundError as trouble:
        raise ImageError(f"{name}: no such file; check the path") from trouble
    except PermissionError as trouble:
        raise ImageError(f"{name}: no permission to read it; check its mode and owner") from trouble
    except OSError as trouble:
        raise ImageError(f"{name}: cannot be read: {trouble.strerror or one_line(trouble)}") from trouble
    except (ValueError, MemoryError) as trouble:
        raise ImageError(f"{name}: cannot be read: {one_line(trouble)}") from trouble


def shown(path: str | Path) -> str:
    """A path as it stands in one-line messages: quoted where it holds line breaks or other odd characters."""
    name = str(path)
    return name if name.isprintable() and name else repr(name)


def one_line(trouble: BaseException) -> str:
    """What an error of another library says, in one line that is never empty."""
    return " ".join(str(trouble).split()) or type(trouble).__name__


def _refuse_special(mode: int) -> None:
    # Looked at before opening: opening a pipe without a writer would wait for ever.
    if stat.S_ISDIR(mode):
        raise ImageError("is a folder; give an image file")
    if not stat.S_ISREG(mode):
        raise ImageError("is a pipe or device; copy its contents to a file first")
