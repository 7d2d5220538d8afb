"""Which ladders `labels.py` shows as examples, and what their labels are."""

from __future__ import annotations

import numpy as np
from labels_answers import Columns, codecs

SHOWN = ("sur", "smr", "smr_classification", "smr_detection")
QUANTILES = (0.1, 0.5, 0.9)
"""Of the images' mean SMR: one that machines find hard, a middling one, an easy one."""
LEAST_RUNGS = 8


def examples(columns: Columns) -> list[dict[str, object]]:
    """Three validation images, by rule and not by eye, with every labelled ladder of each.

    Among the images with the most rungs, those at three quantiles of mean SMR. Nothing where no ladder has
    eight rungs.
    """
    by_image: dict[str, list[int]] = {}
    for row in np.flatnonzero((columns["split"] == "val") & ~np.isnan(columns["smr"])):
        by_image.setdefault(str(columns["image"][row]), []).append(int(row))
    most = max(map(len, by_image.values()), default=0)
    full = {image: rows for image, rows in by_image.items() if len(rows) == most}
    ranked = sorted(full, key=lambda image: (float(columns["smr"][full[image]].mean()), image))
    chosen = dict.fromkeys(ranked[round(q * (len(ranked) - 1))] for q in QUANTILES) if ranked else {}
    return [
        {"image": image, "ladders": ladders}
        for image in chosen
        if (ladders := _ladders(columns, np.array(full[image])))
    ]


def _ladders(columns: Columns, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for codec in codecs(columns):
        those = rows[columns["codec"][rows] == codec]
        those = those[np.argsort(columns["qp"][those])]
        if len(those) >= LEAST_RUNGS:
            found[codec] = {"qp": columns["qp"][those].tolist()} | {
                name: [None if np.isnan(v) else round(float(v), 4) for v in columns[name][those]]
                for name in SHOWN
            }
    return found
