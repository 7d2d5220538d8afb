"""With both targets, how is a margin best shared between SUR and SMR?

    python benchmarks/margins.py --images DIR            print, for the default model
    python benchmarks/margins.py --images DIR --write    also write benchmarks/margins.json

A margin is taken off the log-odds of predicted ratios before they are held against targets. Here SMR's is so
many times that of SUR, 0 to 8; each way to share has the margin with the fewest bytes at which so large a
share of pictures meets both targets in truth, on `val/choosing`, from which margins are not calibrated. Its
bytes are told as a multiple of the cheapest way's, the geometric mean over codecs and targets; a way that
does not get there, or only at more, counts as 3 times. `training/calibration.py` has the way that was chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asking
import numpy as np
from numpy.typing import NDArray
from predicted import predicted
from risk import LABELS, PAIRS, pick_ladders

from sursmr_codec import predict
from sursmr_codec.interpolating import log_odds
from sursmr_codec.training.calibration import LARGEST, TOO_SMALL, PickLadder
from sursmr_codec.training.data import read_rungs

RESULT = Path(__file__).with_suffix(".json")
HALF = "val/choosing"
TIMES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0)
SHARES = (0.75, 0.8, 0.85, 0.9)
STEP = 0.05
MOST = 3.0

Record = dict[str, Any]
Floats = NDArray[np.float64]


def report(folder: Path, model: str | None) -> Record:
    """Every way to share, as one JSON object."""
    predictor = predict.load("trained", model=model)
    rungs = read_rungs([LABELS / "val.parquet"], splits=(HALF,))[HALF]
    values = predicted(folder, rungs, predictor)
    codecs = sorted(set(rungs.codecs))
    excess: dict[float, list[Floats]] = {share: [] for share in SHARES}
    for codec in codecs:
        ladders = pick_ladders(rungs, values, codec, "all", every=True)
        known = [(one, _odds(one.predicted)) for one in ladders if not np.isnan(one.truth).any()]
        for pair in PAIRS:
            curves = [_curve(known, pair, times) for times in TIMES]
            for share in SHARES:
                fewest = np.array([_fewest(*curve, share) for curve in curves])
                if np.isfinite(fewest.min()):
                    excess[share].append(np.minimum(fewest / fewest.min(), MOST))
    return {
        "schema": "sursmr-qp/margins/1",
        "date": datetime.now(UTC).date().isoformat(),
        "model": {"id": predictor.id, "sha256": predictor.summary().sha256},
        "half": HALF,
        "n_images": len(set(rungs.images)),
        "codecs": codecs,
        "targets": [list(pair) for pair in PAIRS],
        "ways": [
            {"share": share, "smr_times": times, "n": len(found), "bytes": round(float(bytes_), 3)}
            for share, found in excess.items()
            for times, bytes_ in zip(TIMES, np.exp(np.log(found).mean(axis=0)), strict=True)
        ],
    }


def _curve(
    ladders: Sequence[tuple[PickLadder, Floats]], pair: tuple[float, float], times: float
) -> tuple[Floats, Floats]:
    """Share of pictures that meet both targets, and bytes, at every margin; of ladders with their odds."""
    margins = np.arange(0.0, LARGEST + STEP, STEP)
    margins = margins[times * margins <= LARGEST]
    met, n_bytes = np.zeros(len(margins)), np.zeros(len(margins))
    for one, predicted_odds in ladders:
        odds = predicted_odds - _odds(np.array(pair))  # (N, 2)
        allowed = (odds[:, 0] >= margins[:, None]) & (odds[:, 1] >= times * margins[:, None])  # (M, N)
        # The rung before the first that fails; the best one where all do.
        failing = np.argmin(np.pad(allowed, ((0, 0), (0, 1))), axis=1)
        picked = np.maximum(failing - 1, 0)
        met += (one.truth[picked] >= np.array(pair) - TOO_SMALL).all(axis=1)
        n_bytes += one.n_bytes[picked]
    return met / len(ladders), n_bytes


def _fewest(met: Floats, n_bytes: Floats, share: float) -> float:
    return float(n_bytes[met >= share].min(initial=np.inf))


_odds: Callable[[Floats], Floats] = np.vectorize(log_odds, otypes=[np.float64])


def main() -> None:
    """Run from the command line."""
    asked = asking.of_model(__doc__).parse_args()
    asking.tell(report(asked.images, asked.model), RESULT, write=asked.write)


if __name__ == "__main__":
    main()
