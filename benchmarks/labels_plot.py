"""The pictures of `labels.py`, from its JSON alone, on a light card that reads on any background.

Each file carries the digest of the answers that it shows, so that a test can tell when it is out of date.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PLOTS = {
    "labels_ladder.png": "along_the_ladder",
    "labels_examples.png": "examples",
    "labels_smr_sur.png": "smr_against_sur",
}
"""File -> the answer that it shows."""
COLOURS = {
    "sur": "#1f6fb2",
    "smr": "#c4511d",
    "smr_classification": "#d99a1b",
    "smr_detection": "#7b3fb5",
}
NAMES = {
    "sur": "SUR",
    "smr": "SMR",
    "smr_classification": "classifiers alone",
    "smr_detection": "detectors alone",
}
_MARK = "Description"
_WIDTH = 9.0
"""Inches; more where three codecs or more stand side by side."""
_DPI = 80

Json = dict[str, Any]


def digest(answer: Any) -> str:
    """Of what a plot shows."""
    return hashlib.sha256(json.dumps(answer, sort_keys=True).encode()).hexdigest()


def draw_all(result: Json) -> None:
    """Write every plot beside this script."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    drawing = {
        "labels_ladder.png": _ladder,
        "labels_examples.png": _examples,
        "labels_smr_sur.png": _smr_sur,
    }
    for file, name in PLOTS.items():
        with plt.rc_context({"font.size": 9, "axes.grid": True, "grid.alpha": 0.3}):
            figure = drawing[file](result[name], plt)
            figure.savefig(HERE / file, dpi=_DPI, facecolor="white", metadata={_MARK: digest(result[name])})
            plt.close(figure)


def _wide(n_panels: int) -> float:
    return max(_WIDTH, 3.0 * n_panels)


def _ladder(answer: Json, plt: Any) -> Any:
    """One panel a codec and ratio: median, half and nine tenths of the rungs in each band of QP."""
    figure, panels = plt.subplots(
        2, len(answer), figsize=(_wide(len(answer)), 4.6), sharey=True, squeeze=False, layout="constrained"
    )
    for column, (codec, bands) in enumerate(answer.items()):
        for axes, ratio in zip(panels[:, column], ("sur", "smr"), strict=True):
            known = [band for band in bands if band[ratio]]
            middle = [sum(band["qp"]) / 2 for band in known]
            spread = {p: [band[ratio][p] for band in known] for p in ("p5", "p25", "p50", "p75", "p95")}
            colour = COLOURS[ratio]
            axes.fill_between(middle, spread["p5"], spread["p95"], color=colour, alpha=0.18, linewidth=0)
            axes.fill_between(middle, spread["p25"], spread["p75"], color=colour, alpha=0.35, linewidth=0)
            axes.plot(middle, spread["p50"], color=colour, marker=".")
            axes.set(ylim=(-0.03, 1.03), xlabel="QP", title=f"{NAMES[ratio]}, {codec}")
    for axes in panels[:, 0]:
        axes.set_ylabel("share satisfied")
    return figure


def _examples(answer: list[Json], plt: Any) -> Any:
    """One row an image, one panel a codec, labels as they are."""
    ids = list(dict.fromkeys(codec for one in answer for codec in one["ladders"])) or ["none"]
    figure, panels = plt.subplots(
        max(1, len(answer)),
        len(ids),
        figsize=(_wide(len(ids)), 0.5 + 2.0 * max(1, len(answer))),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for row, one in zip(panels, answer, strict=False):
        for axes, codec in zip(row, ids, strict=True):
            ladder = one["ladders"].get(codec, {"qp": []})
            for ratio, colour in COLOURS.items():
                thin = ratio not in ("sur", "smr")
                axes.plot(
                    ladder["qp"],
                    [float("nan") if value is None else value for value in ladder.get(ratio, [])],
                    color=colour,
                    marker=".",
                    markersize=3 if thin else 5,
                    linewidth=0.8 if thin else 1.6,
                    linestyle="--" if thin else "-",
                    label=NAMES[ratio],
                )
            axes.set(ylim=(-0.03, 1.03), title=f"{Path(one['image']).stem}, {codec}")
    for axes in panels[-1]:
        axes.set_xlabel("QP")
    handles, names = panels[0, 0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, names, loc="outside lower center", ncols=len(names), frameon=False)
    return figure


def _smr_sur(answer: Json, plt: Any) -> Any:
    """Of the rungs with a given SUR, how SMR is distributed: shares of each column, dark is many."""
    import numpy as np

    figure, panels = plt.subplots(
        1, len(answer), figsize=(_wide(len(answer)), 3.4), sharey=True, squeeze=False, layout="constrained"
    )
    for axes, (codec, one) in zip(panels[0], answer.items(), strict=True):
        cells = np.array(one["cells"], float)
        share = cells / np.maximum(cells.sum(1, keepdims=True), 1)
        axes.grid(visible=False)
        shown = axes.imshow(share.T, origin="lower", extent=(0, 1, 0, 1), cmap="Blues", vmin=0, vmax=0.8)
        axes.set(xlabel="SUR", title=codec)
    panels[0, 0].set_ylabel("SMR")
    figure.colorbar(shown, ax=panels[0].tolist(), label="share of the rungs of that SUR")
    return figure
