"""What there is to do: the files behind the inputs of a batch, each a source or skipped for a reason.

A file is a source if its name has an image's extension or its first bytes are an image's; what is wrong with
it then shows when it is read. Names that start with a dot are passed over unless they are given as inputs, as
is the output folder. A symbolic link to a file counts as that file; one to a folder is not followed.
"""

from __future__ import annotations

import errno
import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import takewhile
from pathlib import Path

from sursmr_codec.batch import addresses, places
from sursmr_codec.batch.folder_targets import FILE as TARGETS_FILE
from sursmr_codec.batch.outcome import Status
from sursmr_codec.batch.places import Entry, Tree
from sursmr_codec.errors import ImageError, UsageError
from sursmr_codec.images.files import shown
from sursmr_codec.images.formats import READABLE, container

EXTENSIONS = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".avif", ".heic", ".heif"),
        *(".hif", ".tif", ".tiff", ".bmp", ".dib", ".gif", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm"),
    )
)
"""Of files that count as images whatever is in them, in lower case."""

_NO_FILE = {
    "broken link": "is a symbolic link to nothing; mend or remove it",
    "unreadable": "no permission to look at it; check its folder's mode and owner",
    "absent": "no such file; check the path",
}


@dataclass(frozen=True)
class Found:
    """A file or folder that the listing came upon."""

    name: str
    """Path below the base; a folder's ends in `/`."""
    stamp: str | None = None
    status: Status | None = None
    """What became of it already; None for a source that is to be read."""
    reason: str | None = None


@dataclass(frozen=True)
class Selection:
    """Which files of the inputs are meant."""

    recursive: bool = False
    """Whether folders inside folders are entered."""
    include: tuple[str, ...] = ()
    """Glob patterns of which a file must match one; all files without any."""
    exclude: tuple[str, ...] = ()
    """Glob patterns that neither a file nor a folder on its way may match."""

    def takes(self, name: str) -> bool:
        """Whether a file is meant, its folders aside."""
        return (not self.include or _matches(name, self.include)) and not _matches(name, self.exclude)

    def enters(self, folder: str) -> bool:
        """Whether files in a folder are meant, the folders above it aside."""
        return self.recursive and not _matches(folder, self.exclude)


class Listing:
    """The files behind some inputs: folders, files and glob patterns."""

    def __init__(
        self, inputs: Sequence[str], out: str, selection: Selection | None = None, base: str | None = None
    ) -> None:
        """Names are relative to `base`.

        By default that is the one input that is a folder, the part of a glob pattern before its first
        wildcard, or the deepest folder that holds every input. Raises ImageError where no input exists,
        UsageError where sources would lie in `out` or outside `base`.
        """
        self._selection = selection or Selection()
        paths, roots = _expanded(inputs)
        self.base = addresses.absolute(base) if base is not None else addresses.common(roots)
        self.tree: Tree = places.tree(self.base)
        real_base, real_out = addresses.real(self.base), addresses.real(out)
        if addresses.below(real_base, real_out) is not None:
            raise UsageError(f"{shown(out)}: holds the sources; choose an output folder outside of them")
        self._out = addresses.below(real_out, real_base)
        self._starts = [self._name(path) for path in paths]

    def __iter__(self) -> Iterator[Found]:
        """Everything found, in an order that depends on names alone.

        A file that is given twice comes twice.
        """
        for name in sorted(set(self._starts)):
            if name == "":
                yield from self._folder("")
                continue
            entry = self.tree.entry(name)
            if entry.kind in ("folder", "linked folder"):
                yield from self._folder(name)
            elif self._out is not None and addresses.below(name, self._out) is not None:
                yield Found(name, status="skipped", reason="lies in the output folder")
            elif self._selection.takes(name):
                yield self._file(name, entry)

    def _name(self, path: str) -> str:
        name = addresses.below(path, self.base)
        if name is None:
            raise UsageError(f"{shown(path)}: is not in the base folder {shown(self.base)}")
        return name

    def _folder(self, folder: str) -> Iterator[Found]:
        if folder == self._out:
            return
        try:
            entries = self.tree.entries(folder)
        except OSError as trouble:
            yield Found(f"{folder}/", status="failed", reason=f"cannot be listed: {_why(trouble)}")
            return
        prefix = f"{folder}/" if folder else ""
        for entry in entries:
            name = prefix + entry.name
            if entry.kind == "folder" or entry.name.startswith(".") or entry.name == TARGETS_FILE:
                continue
            if self._selection.takes(name):
                yield self._file(name, entry)
        for entry in entries:
            name = prefix + entry.name
            if entry.kind == "folder" and not entry.name.startswith(".") and self._selection.enters(name):
                yield from self._folder(name)

    def _file(self, name: str, entry: Entry) -> Found:
        by_name = name[name.rfind(".") :].lower() in EXTENSIONS
        if entry.kind == "linked folder":
            return Found(f"{name}/", status="skipped", reason="is a symbolic link to a folder; not followed")
        if entry.kind == "special":
            return Found(name, status="skipped", reason="is a pipe, socket or device")
        if entry.kind != "file":
            status: Status = "failed" if by_name or entry.kind == "absent" else "skipped"
            return Found(name, status=status, reason=_NO_FILE[entry.kind])
        if not by_name:
            try:
                container(self.tree.head(name))
            except OSError as trouble:
                return Found(name, status="skipped", reason=f"cannot be read: {_why(trouble)}")
            except ImageError:
                return Found(name, status="skipped", reason=f"is not an image that is read here ({READABLE})")
        return Found(name, entry.stamp)


def _expanded(inputs: Sequence[str]) -> tuple[list[str], list[str]]:
    """Absolute paths of the inputs, and the folder that each speaks of."""
    if "" in inputs:
        raise ImageError("the name of an input is empty; give a file or folder, . for the current one")
    paths: list[str] = []
    roots: list[str] = []
    for given in inputs:
        if addresses.is_remote(given):
            paths.append(addresses.absolute(given))
            roots.append(_remote_root(paths[-1]))
        elif glob.has_magic(given) and not os.path.lexists(given):
            # Path.glob takes no absolute patterns.
            paths += [addresses.absolute(path) for path in glob.iglob(given, recursive=True)]  # noqa: PTH207
            fixed = takewhile(lambda part: not glob.has_magic(part), given.replace(os.sep, "/").split("/"))
            roots.append(addresses.absolute("/".join([*fixed, ""]) or "."))
        else:
            path = addresses.absolute(given)
            paths.append(path)
            roots.append(path if Path(path).is_dir() else str(Path(path).parent))
    if not any(addresses.is_remote(path) or os.path.lexists(path) for path in paths):
        wanted = ", ".join(shown(given) for given in inputs[:3]) or "no input"
        raise ImageError(f"{wanted}: no such file or folder; check the path")
    return paths, roots


def _remote_root(address: str) -> str:
    """The folder that an address speaks of; raises ImageError where there is nothing, or nobody answers."""
    tree = places.tree(address)
    kind = tree.entry("").kind
    if kind == "absent":
        raise ImageError(f"{shown(address)}: nothing is there; check the address (patterns go to --include)")
    if kind == "unreadable":
        try:
            tree.entries("")
        except OSError as trouble:
            raise ImageError(f"{shown(address)}: cannot be read: {_why(trouble)}") from trouble
    return address.rpartition("/")[0] if kind == "file" else address


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    """A pattern with `/` is held against the whole path, `*` crossing folders; others against the name."""
    last = name.rpartition("/")[2]
    return any(fnmatchcase(name if "/" in pattern else last, pattern) for pattern in patterns)


def _why(trouble: OSError) -> str:
    if trouble.errno in (errno.EACCES, errno.EPERM):
        return "no permission; check its mode and owner"
    return trouble.strerror or type(trouble).__name__
