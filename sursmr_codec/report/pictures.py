"""What a page shows of each picture: the files themselves where browsers can, else copies of some of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from sursmr_codec.errors import SursmrError
from sursmr_codec.records import Record
from sursmr_codec.report import previews
from sursmr_codec.report.previews import Pair

BROWSER_FORMATS = frozenset({"jpeg", "png", "webp", "avif", "gif", "bmp"})
"""Containers, as `Source.format` names them, that every browser of today shows."""
BROWSER_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".avif"})
"""Endings of codecs' files that every browser of today shows."""


@dataclass(frozen=True)
class Pictures:
    """Addresses, relative to the page, of one source and its result."""

    source: str | None = None
    """The source file; None where it is not there, or on no file system."""
    output: str | None = None
    """The written file; None where nothing was written, or it is gone."""
    whole: Pair | None = None
    """Both as a browser can show them; None where there is nothing to compare."""
    cut: Pair | None = None
    """A part in its own pixels, where `whole` had to be made smaller."""
    note: str | None = None
    """Why there is nothing to compare."""

    @property
    def wants_preview(self) -> bool:
        """Both files are there, but not for a browser to show."""
        return None not in (self.source, self.output) and self.whole is None and self.note is None


def find(record: Record, out: Path, page: Path) -> Pictures:
    """Where a record's files are, without reading them; `page` is the folder of the page."""
    written, read = (record["output"] or {}).get("path"), record["input"]["path"]
    if "://" in f"{read} {written}":
        return Pictures(note="On object storage, so there is nothing to look at here.")
    output = None if written is None else _output_file(record, out)
    source = None if read is None else _existing([Path(read)])
    found = Pictures(
        source=None if source is None else address(source, page),
        output=None if output is None else address(output, page),
    )
    if written is None:
        return found
    if record["kept_original"]:
        return replace(found, note="The written file is the original itself, byte for byte.")
    if source is None or output is None:
        gone = "source" if source is None else "written file"
        return replace(found, note=f"The {gone} is not where it was, so there is nothing to compare.")
    if source.stat().st_size != record["input"]["n_bytes"]:
        return replace(found, note="The source has changed since, so there is nothing to compare.")
    if record["input"]["format"] in BROWSER_FORMATS and record["codec"]["extension"] in BROWSER_SUFFIXES:
        return replace(found, whole=Pair(address(source, page), address(output, page)))
    return found


def preview(
    records: Sequence[Record], pictures: Sequence[Pictures], out: Path, page: Path, n_most: int
) -> Iterator[tuple[int, Pictures]]:
    """Copies for the pictures that browsers cannot show, as (index, pictures with them or a note).

    At most `n_most`, those with the lowest SUR or SMR first, as differences are likeliest to show there;
    copies that an earlier page had are taken again.
    """
    wanted = [index for index, found in enumerate(pictures) if found.wants_preview]
    wanted.sort(key=lambda index: _satisfied(records[index]))
    for place, index in enumerate(wanted):
        record, found = records[index], pictures[index]
        if place >= n_most:
            note = f"No copy to look at was made: {n_most} are, see --previews of sursmr-qp report."
            yield index, replace(found, note=note)
            continue
        output = _output_file(record, out)
        assert output is not None  # `find` saw it
        try:
            made = previews.make(record, Path(record["input"]["path"]), output, page)
            yield index, replace(found, whole=made.whole, cut=made.cut)
        except SursmrError as trouble:
            yield index, replace(found, note=f"No copy to look at could be made: {trouble}")


def address(path: Path, page: Path) -> str:
    """`path` as a URL that works from a page in the folder `page`, relative wherever it can be.

    It is absolute on another drive, and, for what lies outside the run's folder, where that folder is reached
    through a symbolic link: there `..` depends on which name the page is opened by.
    """
    target, folder = path.absolute(), page.absolute()
    inside = target.is_relative_to(folder.parent.parent)
    if target.drive != folder.drive or not (inside or folder == folder.resolve()):
        return target.as_uri()
    return quote(os.fsencode(os.path.relpath(target, folder).replace(os.sep, "/")))


def _output_file(record: Record, out: Path) -> Path | None:
    written = Path(record["output"]["path"])
    # A folder that was moved as a whole still has the file as deep as its source was.
    depth = len(Path(record["source"]).parts)
    return _existing([written, out / written, out.joinpath(*written.parts[-depth:])])


def _existing(paths: Sequence[Path]) -> Path | None:
    return next((path for path in paths if path.is_file()), None)


def _satisfied(record: Record) -> float:
    return min((record[name] for name in ("sur", "smr") if record[name] is not None), default=1.0)
