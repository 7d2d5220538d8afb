"""The picture of `calibration.py`: what the protocols predict against what people said."""

from __future__ import annotations

from pathlib import Path

import calibration as study
import numpy as np

from sursmr_codec.labels import protocols

COLOURS = {
    "calibrated": "#444444",
    "flicker": "#7b3fb5",
    "side-by-side": "#1b7f4d",
    "bisection": "#c4511d",
    "jpeg-aic": "#1f6fb2",
}


def draw(data: Path, path: Path) -> None:
    """Three panels, one a study: stimuli, pooled curves, and five means."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    ladders = study.Ladders()
    aic, jci = study.Aic(data), study.Jci(data, ladders.qualities)
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(15, 5), layout="constrained")

    calibrated = study.predicted(protocols.load("calibrated"), aic.scores)
    left.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=1)
    left.scatter(aic.sur, calibrated, s=9, color=COLOURS["calibrated"], label="calibrated")
    left.scatter(
        aic.sur,
        study.left_out_jpeg_aic(aic),
        s=9,
        color=COLOURS["jpeg-aic"],
        label="jpeg-aic, source left out",
    )
    left.set(title="JPEG AIC: 300 stimuli", xlabel="SUR of people", ylabel="predicted SUR")

    for one in jci.sur:
        middle.plot(ladders.qualities, one, color="#dddddd", linewidth=0.7)
    middle.plot(ladders.qualities, jci.sur.mean(0), color="black", linewidth=2, label="people, pooled")
    for name, colour in COLOURS.items():
        curve = study.predicted(protocols.load(name), ladders.scores).mean(0)
        middle.plot(ladders.qualities, curve, "--", color=colour, label=name)
    middle.set(title="MCL-JCI: 50 sources (grey), pooled", xlabel="JPEG quality", ylabel="SUR")

    qualities = sorted(study.SIDE_BY_SIDE)
    right.plot(
        qualities, [study.SIDE_BY_SIDE[q] for q in qualities], "o-", color="black", label="people, mean"
    )
    for name, colour in COLOURS.items():
        curve = study.predicted(protocols.load(name), ladders.at(qualities)).mean(0)
        right.plot(qualities, np.asarray(curve), "--", color=colour, label=name)
    right.set(title="Side-by-side study: 10 pictures", xlabel="JPEG quality", ylabel="SUR")

    for axes in (left, middle, right):
        axes.set_ylim(-0.03, 1.03)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    figure.savefig(path, dpi=90)
    plt.close(figure)
