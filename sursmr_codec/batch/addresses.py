"""Places as people give them: folders of this machine, or `s3://bucket/folder`."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from sursmr_codec.batch import STATE_FOLDER
from sursmr_codec.errors import UsageError
from sursmr_codec.images.files import shown

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://(.*)", re.DOTALL)
_PARTS_OF_BUCKET = 3
"""In `s3://bucket`."""
REMOTE = ("s3",)
"""Schemes of object stores."""
_CUT = tuple(f"{scheme}:/" for scheme in REMOTE)
"""What pathlib makes of addresses."""


def is_remote(place: str) -> bool:
    """Whether it is on an object store; raises UsageError for an address of an unknown kind."""
    found = _SCHEME.fullmatch(place)
    if found is None:
        if place.startswith(_CUT):
            raise UsageError(f"{shown(place)}: has lost a slash; give addresses as text, not as paths")
        return False
    if found[1] not in REMOTE:
        known = ", ".join(f"{scheme}://" for scheme in REMOTE)
        raise UsageError(f"{shown(place)}: unknown kind of address; known: {known}, and folders")
    if not found[2].strip("/"):
        raise UsageError(f"{shown(place)}: names no bucket; give s3://BUCKET/FOLDER")
    return True


def absolute(place: str) -> str:
    """A place's full name, the same however it is given; links are not followed."""
    if not is_remote(place):
        return os.path.normpath(Path(place).absolute())
    scheme, _, rest = place.partition("://")
    return f"{scheme}://{rest.strip('/')}"


def real(place: str) -> str:
    """A folder's name with links followed; an address is its own."""
    return absolute(place) if is_remote(place) else os.path.realpath(place)


def below(place: str, folder: str) -> str | None:
    """The path that leads from a folder to a place in it, with `/` between its parts, "" to itself.

    None where it is not in there. Both are full names, or relative to the same.
    """
    if is_remote(place) or is_remote(folder):
        if place == folder:
            return ""
        return place.removeprefix(f"{folder}/") if place.startswith(f"{folder}/") else None
    path = Path(place)
    if not path.is_relative_to(folder):
        return None
    name = path.relative_to(folder).as_posix()
    return "" if name == "." else name


def common(folders: Sequence[str]) -> str:
    """The deepest folder that holds all of some, given by their full names.

    Raises UsageError where there is none, as for two buckets.
    """
    if not any(map(is_remote, folders)):
        return os.path.commonpath(folders)
    each = zip(*(folder.split("/") for folder in folders), strict=False)
    shared = [parts[0] for parts in takewhile(lambda parts: len(set(parts)) == 1, each)]
    if len(shared) < _PARTS_OF_BUCKET:
        raise UsageError("inputs must be in one bucket, or all on this machine; make a batch of each")
    return "/".join(shared)


def state_folder(out: str, state: str | None = None) -> Path:
    """Where journal, lock and report of the batch in OUT are, always a folder of this machine.

    OUT holds it itself where it is one; else it is in `state`, by default a folder of the user's cache that
    is named after the address.
    """
    if state is not None:
        return Path(state) / STATE_FOLDER
    if not is_remote(out):
        return Path(out) / STATE_FOLDER
    address = absolute(out)
    digest = hashlib.sha256(address.encode(errors="surrogateescape")).hexdigest()[:12]
    readable = re.sub(r"[^A-Za-z0-9]+", "-", address.partition("://")[2])[:60].strip("-")
    return _cache() / "sursmr-qp" / "batches" / f"{readable}-{digest}" / STATE_FOLDER


def _cache() -> Path:
    """The folder for what programs of this user keep."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
