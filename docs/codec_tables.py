"""The README's tables of what codecs and large pictures cost, from the committed results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
_WEB = ("jpeg", "jpegli", "webp", "avif")


@dataclass(frozen=True)
class Use:
    """What files are for, and so what counts."""

    words: str
    codecs: tuple[str, ...] | None = None
    """Those whose files can be used there; None: all."""
    most_encode: float | None = None
    """Longest encode, in times of JPEG's."""
    most_decode: float | None = None
    """Longest decode, in times of JPEG's."""


USES = (
    Use("files that every program opens", ("jpeg", "jpegli")),
    Use("web pages, encoded once", _WEB),
    Use("web pages, encode at most 50 times JPEG's", _WEB, most_encode=50),
    Use("one's own pipeline, encoded once"),
    Use("one's own pipeline, encode at most 50 times JPEG's", most_encode=50),
    Use("one's own pipeline, decode at most 3 times JPEG's", most_decode=3),
)


def costs() -> list[tuple[str, ...]]:
    """Head and rows: each codec and setting, its bytes at equal SUR and its times."""
    head = (
        "codec and setting",
        "bytes at equal SUR",
        "from .. to",
        "encode",
        "x JPEG's",
        "decode",
        "x JPEG's",
    )
    rows = [
        (
            f"`{row['name']}`",
            _percent(row["bytes_ratio"]),
            f"{_percent(row['bytes_ratio_lowest'])} .. {_percent(row['bytes_ratio_highest'])}",
            _milliseconds(row["encode_ms_per_megapixel"]),
            _times(row["encode_ratio"]),
            _milliseconds(row["decode_ms_per_megapixel"]),
            _times(row["decode_ratio"]),
        )
        for row in _result("codecs")["settings"]
    ]
    return [head, *rows]


def measured_on() -> str:
    """How much the tables of costs rest on."""
    pictures = _result("codecs")["pictures"]
    sizes = sorted(picture["megapixels"] for picture in pictures)
    return f"Photographs measured: {len(pictures)}, of {sizes[0]:.2f} to {sizes[-1]:.2f} megapixels."


def advice() -> list[tuple[str, ...]]:
    """Head and rows: the smallest files for each use, within its limits of time."""
    head = ("for", "take", "bytes", "encode", "decode")
    rows = []
    for use in USES:
        best = min(_allowed(use), key=lambda row: float(row["bytes_ratio"]))
        encode, decode = (_times(best[f"{what}_ratio"]) for what in ("encode", "decode"))
        rows.append(
            (use.words, f"`{best['name']}`", _percent(best["bytes_ratio"]), f"{encode} x", f"{decode} x")
        )
    return [head, *rows]


def _allowed(use: Use) -> Sequence[dict[str, Any]]:
    result = _result("codecs")
    return [
        row
        for row in result["settings"]
        if row["n_met"] == result["n_pictures"]
        and (use.codecs is None or row["codec"] in use.codecs)
        and (use.most_encode is None or row["encode_ratio"] <= use.most_encode)
        and (use.most_decode is None or row["decode_ratio"] <= use.most_decode)
    ]


def large_memory() -> list[tuple[str, ...]]:
    """Head and rows: peaks of JPEG picks beside their bound."""
    head = ("a JPEG pick of", "peak memory", "bound")
    rows = [
        (
            f"{row['width']}x{row['height']}, {row['format']}",
            f"{row['peak_bytes'] / 1e6:.0f} MB",
            f"{row['bound_bytes'] / 1e6:.0f} MB",
        )
        for row in _result("large")["picks"]
    ]
    return [head, *rows]


def large_rungs() -> list[tuple[str, ...]]:
    """Head and rows: peaks of one rung under every codec at each size."""
    peaks: dict[str, dict[float, str]] = {}
    for row in _result("large")["rungs"]:
        options = " ".join(f"--{name} {value}" for name, value in row["options"].items())
        size = row["width"] * row["height"] / 1e6
        peak = f"{row['peak_bytes'] / 1e6:.0f} MB"
        peaks.setdefault(row["codec"], {})[size] = f"{peak} (`{options}`)" if options else peak
    sizes = sorted({size for found in peaks.values() for size in found})
    rows = [(f"`{codec_id}`", *(found[size] for size in sizes)) for codec_id, found in peaks.items()]
    return [("codec", *(f"{size:.0f} MP" for size in sizes)), *rows]


def large_times() -> list[tuple[str, ...]]:
    """Head and rows: where the time of a JPEG pick goes, in plain encodes of the same picture."""
    head = ("megapixels", "scored by", "encodes", "all", "read", "encode", "decode", "predict")
    rows = [
        (
            f"{row['width'] * row['height'] / 1e6:.1f}",
            "nothing" if row["predictor"] == "stub" else str(row["predictor"]),
            str(row["n_encodes"]),
            *(_times(row["ratios"][stage]) for stage in ("total", "read", "encode", "decode", "predict")),
        )
        for row in _result("large")["times"]
        if "ratios" in row
    ]
    return [head, *rows]


def _result(name: str) -> Any:
    return json.loads((BENCHMARKS / f"{name}.json").read_text("utf-8"))


def _percent(ratio: float) -> str:
    return f"{100 * (ratio - 1) + 0.0:+.0f} %"


def _milliseconds(value: float) -> str:
    return f"{value:.0f} ms/MP" if value >= 10 else f"{value:.1f} ms/MP"


def _times(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.1f}"
