"""Do the calibrated metrics follow people on a study that gave none of their constants?

    SURSMR_DATA=... python benchmarks/calibration.py [--write]

JPEG AIC (ISO/IEC 29170-3 fine-grained study): 300 stimuli, 5 sources under 6 codecs at 10 levels, each with
its distance from the source in JND units and its ColorVideoVDP and SSIMULACRA2 scores. One unit is the
distance that is told apart in 75 % of forced choices, which is detection by half of the viewers; under
Thurstone's case V a distance of j units is then seen by 2 Phi(j Phi^-1(0.75)) - 1 of them, and SUR is the
rest. Compared are the SUR of our protocol, of each metric alone, and of a constant (the mean over stimuli).
"""

from __future__ import annotations

import argparse
import csv
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import NormalDist, fmean

from sursmr_codec.labels import protocols, sur

RESULT = Path(__file__).with_suffix(".json")
STUDY = Path("human", "jpeg_aic", "JPEG-AIC_metric_scores.csv")
CODECS = {"1": "AVIF", "2": "JPEG", "3": "JPEG 2000", "4": "JPEG XL", "5": "VVC", "6": "JPEG AI"}

_NORMAL = NormalDist()


def human_sur(jnd_units: float) -> float:
    """Share of viewers who do not see a distance of that many JND units."""
    return 2.0 * (1.0 - _NORMAL.cdf(jnd_units * _NORMAL.inv_cdf(0.75)))


def compare(data: Path, protocol_id: str = "calibrated") -> dict[str, object]:
    """Mean absolute error and bias of each predictor of SUR over the study's stimuli."""
    protocol = protocols.load(protocol_id)
    with (data / STUDY).open(newline="") as file:
        rows = list(csv.DictReader(file))
    truth = [human_sur(float(row["distortion"])) for row in rows]
    each = [
        sur.calibrated({"cvvdp": float(row["CVVDP"]), "ssimulacra2": float(row["SSIMULACRA2"])}, protocol)
        for row in rows
    ]
    predictors: dict[str, list[float]] = {
        "both": [mean for mean, _ in each],
        "cvvdp": [parts["cvvdp"] for _, parts in each],
        "ssimulacra2": [parts["ssimulacra2"] for _, parts in each],
        "constant": [fmean(truth)] * len(truth),
    }
    return {
        "schema": "sursmr-qp/calibration/1",
        "date": datetime.now(UTC).date().isoformat(),
        "study": "JPEG AIC",
        "protocol": protocol_id,
        "n_stimuli": len(rows),
        "all": {name: _errors(values, truth, lambda _: True) for name, values in predictors.items()},
        "by_codec": {
            codec: {
                name: _errors(values, truth, lambda i, key=key: rows[i]["codec"] == key)
                for name, values in predictors.items()
            }
            for key, codec in CODECS.items()
        },
    }


def _errors(predicted: list[float], truth: list[float], chosen: Callable[[int], bool]) -> dict[str, float]:
    differences = [predicted[i] - truth[i] for i in range(len(truth)) if chosen(i)]
    return {"mae": round(fmean(map(abs, differences)), 4), "bias": round(fmean(differences), 4)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.name}")
    arguments = parser.parse_args()
    if "SURSMR_DATA" not in os.environ:
        raise SystemExit("set SURSMR_DATA to the folder that holds human/")
    result = compare(Path(os.environ["SURSMR_DATA"]))
    print(json.dumps(result, indent=2))
    if arguments.write:
        RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
