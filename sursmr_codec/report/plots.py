"""Curves as pictures: SUR and SMR over QP above, file size below."""

from __future__ import annotations

import io
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sursmr_codec import images
from sursmr_codec.errors import MissingExtra, UsageError
from sursmr_codec.types import Curve, Pick, Probe, Targets

FORMATS = ("png", "svg", "pdf")
"""File extensions that a plot can be written as."""

_SUR, _SMR, _BYTES = "#0b63ce", "#c8500a", "#555555"


def require(path: str | Path, source_path: str | None = None) -> None:
    """Raise what drawing into `path` would raise, as far as it shows before there is anything to draw.

    MissingExtra without the plotting library; UsageError where `path` is not a picture's name, or is the
    source; OutputError where it cannot be written.
    """
    if find_spec("matplotlib") is None:
        raise MissingExtra("matplotlib", "a plot", "report")
    if _format(path) not in FORMATS:
        raise UsageError(f"{path}: a plot is written as {', '.join('.' + name for name in FORMATS)}")
    images.check_target(path, source_path)


def write_curve(curve: Curve, path: str | Path) -> None:
    """Draw a whole ladder into `path`; raises OutputError where that cannot be written."""
    title = f"{_name(curve.source.path)}, {curve.codec.id}"
    figure = _draw(curve.rungs, title, marker=None)
    _write(figure, path, curve.source.path)


def write_pick(pick: Pick, path: str | Path) -> None:
    """Draw the probes of a search, its targets and the picked rung into `path`."""
    probes = sorted(pick.probes, key=lambda probe: probe.qp)
    title = f"{_name(pick.source.path)}, {pick.codec.id}: " + (
        "nothing picked" if pick.qp is None else f"QP {pick.qp}{'' if pick.met else ' (targets not met)'}"
    )
    figure = _draw(probes, title, marker="o", targets=pick.targets, picked_qp=pick.qp)
    _write(figure, path, pick.source.path)


def _draw(
    probes: Sequence[Probe],
    title: str,
    *,
    marker: str | None,
    targets: Targets | None = None,
    picked_qp: int | None = None,
) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 6), dpi=120, layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    qps = [probe.qp for probe in probes]
    ratios = (
        ("SUR (viewers)", _SUR, [probe.score.sur for probe in probes], targets.sur if targets else 0),
        ("SMR (machines)", _SMR, [probe.score.smr for probe in probes], targets.smr if targets else 0),
    )
    for label, colour, values, target in ratios:
        if all(value is None for value in values):
            continue
        known = [float("nan") if value is None else value for value in values]
        upper.plot(qps, known, color=colour, marker=marker, label=label)
        if target:
            upper.axhline(target, color=colour, linestyle="--", linewidth=1, label=f"target {target:g}")
    lower.plot(qps, [probe.n_bytes / 1000 for probe in probes], color=_BYTES, marker=marker)
    if picked_qp is not None:
        for axes in (upper, lower):
            axes.axvline(picked_qp, color="black", linewidth=1, label="picked" if axes is upper else None)
    upper.set(title=title, ylabel="satisfied share", ylim=(-0.03, 1.03))
    upper.legend(loc="lower left", frameon=False)
    lower.set(xlabel="QP (quality falls to the right)", ylabel="size (kB)", yscale="log")
    for axes in (upper, lower):
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _write(figure: Any, path: str | Path, source_path: str | None) -> None:
    file = io.BytesIO()
    figure.savefig(file, format=_format(path))
    images.write(path, file.getvalue(), source_path=source_path)


def _format(path: str | Path) -> str:
    return Path(path).suffix.lower().lstrip(".")


def _name(path: str | None) -> str:
    return "image" if path is None else Path(path).name
