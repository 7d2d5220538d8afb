"""Do simulated viewers follow people, and what constants would follow them best?

    SURSMR_DATA=... python benchmarks/calibration.py [--write]

Three studies. **JPEG AIC** (fine-grained, 300 stimuli: 5 sources under 6 codecs at 10 levels): each stimulus
has its distance from the source in JND units and its metrics' scores. One unit is told apart in 75 % of
forced choices, which is detection by half of the viewers; under Thurstone's case V a distance of j units is
seen by 2 Phi(j Phi^-1(0.75)) - 1 of them, and SUR is the rest. **MCL-JCI** (bisection, 50 sources, 30
subjects each, JPEG): every subject's first JND, but the pictures are not at hand, so constants are fitted on
the ladders of other pictures (`ladder_scores.json`) to the pooled SUR at each quality. A **side-by-side**
study of 30 observers: mean SUR at five JPEG qualities, treated likewise.

Beside each protocol stands a constant, the mean SUR of the sources left out. Everything fitted here is judged
on sources that it was not fitted to, where a study tells its sources apart.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from calibration_fit import SHAPES, Array, Fit, Shape, fit, left_out, left_out_constant

from sursmr_codec.labels import protocols
from sursmr_codec.labels.protocols import Protocol

RESULT = Path(__file__).with_suffix(".json")
PLOT = Path(__file__).with_suffix(".png")
LADDERS = Path(__file__).with_name("ladder_scores.json")
CODECS = {"1": "AVIF", "2": "JPEG", "3": "JPEG 2000", "4": "JPEG XL", "5": "VVC", "6": "JPEG AI"}
AIC_COLUMNS = {"cvvdp": "CVVDP", "ssimulacra2": "SSIMULACRA2", "vmaf_neg": "VMAF-neg"}
# SSIMULACRA2's distance from 100 follows this study better than the score itself.
AIC_SHAPES = {**SHAPES, "ssimulacra2": Shape("lognormal", 100.0)}
SIDE_BY_SIDE = {70: 0.84, 60: 0.70, 50: 0.55, 35: 0.28, 20: 0.03}
"""JPEG quality -> mean SUR of 10 grey 512x512 crops, 30 observers."""
SIDE_BY_SIDE_SSIMULACRA2 = {0.5: 64.6, 0.75: 74.0, 0.9: 83.4}
"""SUR -> SSIMULACRA2 in the same study."""
KONJND = {"cvvdp": 10 - 0.435, "ssimulacra2": 64.25, "vmaf": 91.0}
"""Score at the mean flicker JND, mean of JPEG and BPG: the first measured, the others of the CID22 paper."""
FLICKER_SPREAD = 0.7
"""Standard deviation over people of ln(threshold), for CVVDP."""

_NORMAL = NormalDist()


def human_sur(jnd_units: Array) -> Array:
    """Share of viewers who do not see a distance of that many JND units."""
    from scipy.special import ndtr

    found: Array = 2.0 * ndtr(-jnd_units * _NORMAL.inv_cdf(0.75))
    return found


class Aic:
    """The stimuli of JPEG AIC."""

    def __init__(self, data: Path) -> None:
        with (data / "human" / "jpeg_aic" / "JPEG-AIC_metric_scores.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        self.sur = human_sur(np.array([float(row["distortion"]) for row in rows]))
        self.sources = np.array([row["img_num"] for row in rows])
        self.codecs = np.array([row["codec"] for row in rows])
        self.scores = {
            name: np.array([float(row[column]) for row in rows]) for name, column in AIC_COLUMNS.items()
        }


class Jci:
    """First JNDs of MCL-JCI, as the SUR of every source at the ladders' qualities."""

    def __init__(self, data: Path, qualities: list[int]) -> None:
        with (data / "human" / "mcl_jci" / "jnd_samples.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        self.sources = sorted({row["image"] for row in rows})
        first = {name: [int(r["jnd1_qf"]) for r in rows if r["image"] == name] for name in self.sources}
        # (sources, qualities); a subject is satisfied at every quality above the first JND.
        self.sur = np.array(
            [[np.mean(np.array(first[name]) < quality) for quality in qualities] for name in self.sources]
        )


class Ladders:
    """Teachers' scores along JPEG ladders of other pictures."""

    def __init__(self) -> None:
        rows = json.loads(LADDERS.read_text())["rows"]
        self.qualities = sorted({row["quality"] for row in rows})
        names = sorted({row["image"] for row in rows})
        at = {(row["image"], row["quality"]): row for row in rows}
        # (pictures, qualities)
        self.scores = {
            teacher: np.array([[at[name, quality][teacher] for quality in self.qualities] for name in names])
            for teacher in SHAPES
        }

    def at(self, qualities: list[int]) -> dict[str, Array]:
        """The scores at some of the qualities only."""
        columns = [self.qualities.index(quality) for quality in qualities]
        return {teacher: scores[:, columns] for teacher, scores in self.scores.items()}


def predicted(protocol: Protocol, scores: dict[str, Array]) -> Array:
    """The protocol's SUR: the mean over those of its teachers that have scores."""
    curves = {name: curve for name, curve in protocol.curves.items() if name in scores}
    fits = {name: Fit(Shape(c.kind, c.top), c.median, c.spread) for name, c in curves.items()}
    return np.mean([fits[name].sur(scores[name]) for name in fits], axis=0)


def errors(values: Array, truth: Array) -> dict[str, float]:
    """Mean absolute error and bias."""
    # Adding zero turns a negative zero into a plain one.
    return {
        "mae": round(float(np.abs(values - truth).mean()), 4),
        "bias": round(float((values - truth).mean()), 4) + 0.0,
    }


def fits(aic: Aic, jci: Jci, ladders: Ladders) -> dict[str, dict[str, Any]]:
    """Protocol -> teacher -> the fitted constants, their error, and what the table has."""
    pooled = jci.sur.mean(0)
    qualities = list(SIDE_BY_SIDE)
    beside, means = ladders.at(qualities), np.array(list(SIDE_BY_SIDE.values()))
    found: dict[str, dict[str, tuple[Fit, Array, Array, float | None]]] = {
        name: {} for name in ("jpeg-aic", "bisection", "side-by-side", "flicker")
    }
    for name, scores in aic.scores.items():
        shape = AIC_SHAPES[name]
        unseen = left_out(shape, scores, aic.sur, aic.sources)
        made = fit(shape, scores, aic.sur)
        found["jpeg-aic"][name] = (made, scores, aic.sur, errors(unseen, aic.sur)["mae"])
    for name, shape in SHAPES.items():
        scores = ladders.scores[name]
        others = [(pooled * len(jci.sur) - one) / (len(jci.sur) - 1) for one in jci.sur]
        unseen = np.array([fit(shape, scores, other).sur(scores).mean(0) for other in others])
        found["bisection"][name] = (
            fit(shape, scores, pooled),
            scores,
            pooled,
            errors(unseen, jci.sur)["mae"],
        )
        found["side-by-side"][name] = (fit(shape, beside[name], means), beside[name], means, None)
    shares, published = zip(*SIDE_BY_SIDE_SSIMULACRA2.items(), strict=True)
    own = fit(Shape("normal"), np.array(published), np.array(shares))
    found["side-by-side"]["ssimulacra2"] = (own, beside["ssimulacra2"], means, None)
    reference = Fit(SHAPES["cvvdp"], 10 - KONJND["cvvdp"], FLICKER_SPREAD).sur(ladders.scores["cvvdp"])
    for name, score in KONJND.items():
        shape, scores = SHAPES[name], ladders.scores[name]
        middle = abs(shape.top - score) if shape.kind.startswith("lognormal") else score
        like = fit(shape, scores.ravel(), reference.ravel(), median=middle)
        found["flicker"][name] = (like, scores.ravel(), reference.ravel(), None)
    return {
        protocol: {name: _record(protocol, name, *one) for name, one in teachers.items()}
        for protocol, teachers in found.items()
    }


def _record(
    protocol: str, teacher: str, made: Fit, scores: Array, sur: Array, unseen: float | None
) -> dict[str, Any]:
    curve = protocols.load(protocol).curves.get(teacher)
    values = made.sur(scores)
    return {
        "kind": made.shape.kind,
        "top": made.shape.top,
        "median": float(f"{made.median:.4g}"),
        "spread": float(f"{made.spread:.4g}"),
        "mae": errors(values.mean(0) if values.ndim > sur.ndim else values, sur)["mae"],
        "left_out_mae": unseen,
        "table": None if curve is None else {"median": curve.median, "spread": curve.spread},
    }


def left_out_jpeg_aic(aic: Aic) -> Array:
    """SUR of every stimulus from all three teachers, fitted without its source."""
    each = [left_out(AIC_SHAPES[name], scores, aic.sur, aic.sources) for name, scores in aic.scores.items()]
    return np.mean(each, axis=0)


def compare(data: Path) -> dict[str, Any]:
    """Everything the JSON holds."""
    ladders = Ladders()
    aic, jci = Aic(data), Jci(data, ladders.qualities)
    calibrated = protocols.load("calibrated")
    curves = {name: Protocol(name, "", {name: curve}) for name, curve in calibrated.curves.items()}
    predictors = {
        "both": predicted(calibrated, aic.scores),
        **{name: predicted(one, aic.scores) for name, one in curves.items()},
        "constant": np.full(len(aic.sur), aic.sur.mean()),
    }
    return {
        "schema": "sursmr-qp/calibration/2",
        "date": datetime.now(UTC).date().isoformat(),
        "study": "JPEG AIC",
        "protocol": calibrated.id,
        "n_stimuli": len(aic.sur),
        "all": {name: errors(values, aic.sur) for name, values in predictors.items()},
        "by_codec": {
            codec: {
                name: errors(values[aic.codecs == key], aic.sur[aic.codecs == key])
                for name, values in predictors.items()
            }
            for key, codec in CODECS.items()
        },
        "protocols": protocol_errors(aic, jci, ladders),
        "fits": fits(aic, jci, ladders),
    }


def protocol_errors(aic: Aic, jci: Jci, ladders: Ladders) -> dict[str, dict[str, dict[str, float]]]:
    """Study -> protocol or constant -> errors of SUR; `bisection` by source, the others as they are given."""
    beside, means = ladders.at(list(SIDE_BY_SIDE)), np.array(list(SIDE_BY_SIDE.values()))
    others = (jci.sur.sum(0) - jci.sur) / (len(jci.sur) - 1)
    table: dict[str, dict[str, dict[str, float]]] = {"jpeg-aic": {}, "bisection": {}, "side-by-side": {}}
    for name in protocols.names():
        protocol = protocols.load(name)
        pooled = predicted(protocol, ladders.scores).mean(0)
        table["jpeg-aic"][name] = errors(predicted(protocol, aic.scores), aic.sur)
        table["bisection"][name] = errors(np.broadcast_to(pooled, jci.sur.shape), jci.sur)
        table["side-by-side"][name] = errors(predicted(protocol, beside).mean(0), means)
    table["jpeg-aic"]["jpeg-aic, left out"] = errors(left_out_jpeg_aic(aic), aic.sur)
    table["jpeg-aic"]["constant"] = errors(left_out_constant(aic.sur, aic.sources), aic.sur)
    table["bisection"]["pooled SUR of the other sources"] = errors(others, jci.sur)
    constant = others.mean(1, keepdims=True)
    table["bisection"]["constant"] = errors(np.broadcast_to(constant, jci.sur.shape), jci.sur)
    table["side-by-side"]["constant"] = errors(np.full_like(means, means.mean()), means)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.name} and {PLOT.name}")
    arguments = parser.parse_args()
    if "SURSMR_DATA" not in os.environ:
        raise SystemExit("set SURSMR_DATA to the folder that holds human/")
    data = Path(os.environ["SURSMR_DATA"])
    result = compare(data)
    print(json.dumps(result, indent=2))
    if arguments.write:
        from calibration_plot import draw

        RESULT.write_text(json.dumps(result, indent=2) + "\n")
        draw(data, PLOT)


if __name__ == "__main__":
    main()
