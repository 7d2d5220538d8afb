"""What a model is asked to reach, held against what was measured, the misses too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

from card_parts import NAMES

Json = dict[str, Any]

ERRORS = {"sur": 0.025, "smr": 0.088}
"""Largest mean absolute error."""
SHARES = {"sur": 0.5, "smr": 0.67, "smr_detection": 0.58, "smr_classification": 0.78}
"""Of the error of the predictor that knows codec and QP alone."""
OTHERS, TIMES_TEST = ("large_test", "kodak"), 1.3
"""Splits of other pictures, and how many times the error on test theirs may be."""
TIMES_ORACLE, TIMES_SEEN = 1.1, 1.3
MILLISECONDS, MEGABYTES, LOAD_SECONDS = 60.0, 40.0, 0.4


def goals(folder: Path, measured: Json, unseen_codec: Json | None) -> str:
    """The table; errors are means over codecs, so that each counts alike."""
    lines = ["## Goals", "", "| what | at most | found | |", "| --- | ---: | ---: | --- |"]
    for what, bound, found in _rows(folder, measured, unseen_codec):
        shown = "not measured" if found is None else f"{found:.3g}"
        verdict = "" if found is None else "met" if found <= bound else "missed"
        lines.append(f"| {what} | {bound:g} | {shown} | {verdict} |")
    return "\n".join(lines)


def _rows(
    folder: Path, measured: Json, unseen_codec: Json | None
) -> Iterator[tuple[str, float, float | None]]:
    model, simple = (_by_codec(measured, name) for name in ("model", "codec_and_qp"))
    for ratio, bound in ERRORS.items():
        yield f"{NAMES[ratio]}: mean absolute error", bound, model[ratio]
    for ratio, bound in SHARES.items():
        yield f"{NAMES[ratio]}: as a share of knowing codec and QP", bound, model[ratio] / simple[ratio]
    for name in OTHERS:
        found = measured.get("others", {}).get(name)
        for ratio in ERRORS:
            value = found["ratios"][ratio]["times_test"] if found and ratio in found["ratios"] else None
            yield f"{NAMES[ratio]} on {name}: times the error on test", TIMES_TEST, value
    yield (
        "SMR of unseen machines: times the oracle's error",
        TIMES_ORACLE,
        measured["unseen_machines"]["ratio"],
    )
    for ratio in ERRORS:
        worst = None
        if unseen_codec is not None:
            rows = [row["ratios"][ratio]["ratio"] for row in unseen_codec["codecs"] if ratio in row["ratios"]]
            worst = max(rows, default=None)
        yield f"{NAMES[ratio]} of a codec left out: times the error with it, worst codec", TIMES_SEEN, worst
    rungs = measured["cost"]["rungs"]
    yield "a rung, ms, largest picture", MILLISECONDS, max(one["score_ms"] for one in rungs)
    yield "MB on disk", MEGABYTES, (folder / "model.onnx").stat().st_size / 1e6
    yield "seconds to load", LOAD_SECONDS, measured["cost"]["load_seconds"]


def _by_codec(measured: Json, name: str) -> dict[str, float]:
    """Ratio -> mean over codecs of the mean absolute error."""
    ratios = measured["fits"][name]["ratios"]
    return {
        ratio: fmean(mae for mae in ratios[ratio]["mae_by_codec"].values() if mae is not None)
        for ratio in SHARES
    }
