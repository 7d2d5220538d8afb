"""The page of a batch run: one HTML file that asks for nothing beyond its own folder and the pictures.

Everything but the plotting library and the copies of pictures stands in the file itself. Its content security
policy names the scripts by their digests, so that no text of a result can run, and no address on a network.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sursmr_codec import images
from sursmr_codec.errors import MissingExtra, OutputError
from sursmr_codec.records import Record
from sursmr_codec.report import entries, histograms, pictures, previews
from sursmr_codec.report.text import moment, size, unicode_only
from sursmr_codec.report.totals import add_up
from sursmr_codec.version import __version__

FOLDER = Path(".sursmr-qp") / "report"
"""Of the page, below the folder of the run's results."""
PAGE = "index.html"
_SCRIPTS = ("format.js", "table.js", "plots.js", "compare.js", "detail.js", "start.js")
_MOST_PROBLEMS = 50
"""Failed and unmet sources that are listed above the table, which has them all."""

Progress = Callable[[int, int], None]
"""Told how many of how many pictures have been looked at."""


def write_page(
    records: Iterable[Record], out: Path, *, n_previews: int = 100, progress: Progress | None = None
) -> Path:
    """Write the page of `records` below the folder `out` and return its path.

    At most `n_previews` pictures that browsers cannot show are copied. Raises MissingExtra without the page's
    libraries, OutputError where it cannot be written.
    """
    template, plotting = _libraries()
    listed = sorted(records, key=lambda record: str(record["source"]))
    folder = out / FOLDER
    _make_folder(folder)
    _write_once(folder / plotting.name, plotting.script)
    found = _pictures(listed, out, folder, n_previews, progress)
    scripts = [_text(name) for name in _SCRIPTS]
    totals = add_up(listed)
    page = template.render(
        name=unicode_only(out.resolve().name),
        totals=totals,
        problems=[record for record in listed if record["status"] in ("failed", "unmet")][:_MOST_PROBLEMS],
        settings=entries.settings(listed),
        finished=max((record["finished"] for record in listed if record["finished"]), default=None),
        version=__version__,
        plotting=plotting.name,
        drawings=[
            histograms.draw(one, histograms.common_target(listed, one.name.lower()))
            for one in totals.histograms
        ],
        payload=_script_text(entries.payload(listed, found)),
        style=_text("page.css"),
        scripts=scripts,
        digests=[_digest(script) for script in scripts],
    )
    images.write(folder / PAGE, unicode_only(page).encode())
    _forget_old_previews(folder, found)
    return folder / PAGE


def require() -> None:
    """Raise MissingExtra where a library that the page needs is missing."""
    _libraries()


@dataclass(frozen=True)
class _Plotting:
    """The plotting library, as its package brings it."""

    name: str
    """Of its file beside the page."""
    script: bytes


def _libraries() -> tuple[Any, _Plotting]:
    """The page's template and the library that plots curves in the browser."""
    if find_spec("matplotlib") is None:
        raise MissingExtra("matplotlib", "a report", "report")
    try:
        import jinja2
    except ImportError as error:
        raise MissingExtra("jinja2", "a report", "report") from error
    try:
        import plotly
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise MissingExtra("plotly", "a report", "report") from error
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"size": size, "moment": moment}
    plotting = _Plotting(f"plotly-{plotly.__version__}.min.js", get_plotlyjs().encode())
    return environment.from_string(_text("index.html.jinja")), plotting


def _text(name: str) -> str:
    return (files("sursmr_codec.report") / "page" / name).read_text("utf-8")


def _script_text(value: Any) -> str:
    """JSON that may stand inside a script element: no `<` can end it early."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _digest(script: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as trouble:
        raise OutputError(f"{folder}: cannot be made: {trouble.strerror or trouble}") from trouble


def _write_once(path: Path, content: bytes) -> None:
    if not (path.is_file() and path.read_bytes() == content):
        images.write(path, content)


def _pictures(
    records: Sequence[Record], out: Path, folder: Path, n_previews: int, progress: Progress | None
) -> list[pictures.Pictures]:
    found = [pictures.find(record, out, folder) for record in records]
    n_most = min(n_previews, sum(one.wants_preview for one in found))
    for n_done, (index, shown) in enumerate(pictures.preview(records, found, out, folder, n_previews), 1):
        found[index] = shown
        if progress is not None and n_done <= n_most:
            progress(n_done, n_most)
    return found


def _forget_old_previews(folder: Path, found: Sequence[pictures.Pictures]) -> None:
    pairs = [pair for one in found for pair in (one.whole, one.cut) if pair is not None]
    shown = {name for pair in pairs for name in (pair.before, pair.after)}
    for path in (folder / previews.FOLDER).glob("*.webp"):
        if f"{previews.FOLDER}/{path.name}" not in shown:
            # One that cannot be removed does no harm.
            with contextlib.suppress(OSError):
                path.unlink()
