"""What share of picks misses a target in truth, and what does `--risk` make of it?

    python benchmarks/risk.py --images DIR            print, for the default model
    python benchmarks/risk.py --images DIR --write    also write benchmarks/risk.json, and the model's own

Margins are calibrated on the half of `val` that neither trains nor chooses among epochs
(`training.data.half_of`), by `training.calibration`: surely where its pictures suffice, else on average
(`confidence` null); and checked on `test`. Predictions are made anew by the files that ship and kept in
`.cache`. Ladders have a rung at every QP: between the labelled ones, predictions and labels lie on straight
lines, so that picks come as near to the edge of the prediction as in use. Picks among the labelled rungs
alone, which stop short of the edge, are reported beside them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any

import asking
import numpy as np
from predicted import RATIOS, Values, predicted

from sursmr_codec import predict
from sursmr_codec.asked import Targets
from sursmr_codec.predict import weights
from sursmr_codec.predict.risk_table import SCHEMA, kind_of
from sursmr_codec.risk import Margins
from sursmr_codec.training.calibration import (
    CONFIDENCE,
    Calibrated,
    Outcome,
    PickLadder,
    calibrate,
    interval,
    on_average,
    outcome,
)
from sursmr_codec.training.data import LabelledRungs, read_rungs

ROOT = Path(__file__).resolve().parent.parent
RESULT = Path(__file__).with_suffix(".json")
LABELS = ROOT / "models" / "labels"
HALF = "val/risk"
RISKS = (0.05, 0.1, 0.2)
ASKED = {"sur": (0.5, 0.75, 0.9), "smr": (0.7, 0.8, 0.9)}
"""Targets at each of which a margin must hold."""
PAIRS = ((0.5, 0.7), (0.75, 0.8), (0.75, 0.9), (0.9, 0.9))
"""Those of both kinds together."""
SHOWN = (Targets(smr=0.0), Targets(sur=0.0), Targets())
"""Targets whose misses `pick` tells where no risk is set: the defaults."""
MISSES = ("n_picks", "missed_percent", "mean_shortfall")
JURIES = ("all", "classification", "detection")

Record = dict[str, Any]


def report(folder: Path, model: str | None) -> tuple[Record, Record]:
    """The margins, as the model's `risk.json` has them, and how they do on test pictures."""
    predictor = predict.load("trained", model=model)
    summary = predictor.summary()
    labelled = {
        HALF: read_rungs([LABELS / "val.parquet"], splits=(HALF,))[HALF],
        "test": read_rungs([LABELS / "test.parquet"], splits=("test",))["test"],
    }
    values = {split: predicted(folder, rungs, predictor) for split, rungs in labelled.items()}
    head: Record = {
        "date": datetime.now(UTC).date().isoformat(),
        "model": {"id": summary.id, "sha256": summary.sha256},
        "half": HALF,
        "n_images": {split: len(set(rungs.images)) for split, rungs in labelled.items()},
        "targets": {name: list(some) for name, some in ASKED.items()},
    }
    margins: list[Record] = []
    checks: list[Record] = []
    for jury, codec in product(JURIES, sorted({one for some in labelled.values() for one in some.codecs})):
        half = pick_ladders(labelled[HALF], values[HALF], codec, jury, every=True)
        test = {
            every: pick_ladders(labelled["test"], values["test"], codec, jury, every=every)
            for every in (True, False)
        }
        for targets in _kinds(jury):
            of = {"codec": codec, "kind": kind_of(targets[0], jury)}
            found, certain = _calibrated(half, targets)
            margins += [
                {**of, "risk": risk, **_row(one), "confidence": CONFIDENCE if risk in certain else None}
                for risk, one in sorted(found.items())
            ]
            for asked, every in product(targets, test):
                asks = {**of, "sur": asked.sur, "smr": asked.smr, "every_qp": every}
                checks += [{**asks, **row} for row in _checked(test[every], asked, found)]
            print(of, found, flush=True)
    table = {"schema": SCHEMA, **head, "margins": margins, "without_risk": list(_without(checks))}
    return table, {"schema": "sursmr-qp/risk-check/1", **head, "checks": checks}


def _calibrated(
    half: Sequence[PickLadder], targets: Sequence[Targets]
) -> tuple[dict[float, Calibrated], set[float]]:
    """Margins by risk, and the risks at which they are sure; at others they hold on average only."""
    certain = calibrate(half, targets, RISKS)
    others = [risk for risk in RISKS if risk not in certain]
    found = {**(calibrate(half, targets, others, on_average) if others else {}), **certain}
    for risk in sorted(found, reverse=True):
        # A smaller risk never asks for less.
        larger = [found[other] for other in found if other > risk]
        found[risk] = max([found[risk], *larger], key=lambda one: one.margins.sur * one.margins.smr)
    return found, set(certain)


def _kinds(jury: str) -> Iterator[list[Targets]]:
    if jury == "all":
        yield [Targets(sur, 0.0) for sur in ASKED["sur"]]
    yield [Targets(0.0, smr) for smr in ASKED["smr"]]
    yield [Targets(*pair) for pair in PAIRS]


def _without(checks: Sequence[Record]) -> Iterator[Record]:
    shown = {(one.sur, one.smr) for one in SHOWN}
    for row in checks:
        if row["risk"] is None and row["every_qp"] and row["n_picks"] and (row["sur"], row["smr"]) in shown:
            yield {name: row[name] for name in ("codec", "kind", *MISSES)}


def pick_ladders(
    rungs: LabelledRungs, values: Values, codec: str, jury: str, *, every: bool
) -> list[PickLadder]:
    """One ladder a picture; with `every`, it has a rung at every QP."""
    smr = "smr" if jury == "all" else f"smr_{jury}"
    ratios = values[:, [RATIOS.index("sur"), RATIOS.index(smr)]].astype(float)
    truth = np.stack([rungs.labels["sur"], rungs.labels[smr]], axis=1).astype(float)
    found = []
    for (_, its), rows in rungs.ladders().items():
        if its == codec:
            one = PickLadder(ratios[rows], truth[rows], rungs.n_bytes[rows].astype(float))
            found.append(one.every_qp(rungs.qps[rows]) if every else one)
    return found


def _row(found: Calibrated) -> Record:
    return {
        "sur": round(found.margins.sur, 4),
        "smr": round(found.margins.smr, 4),
        "n_picks": found.n_picks,
        "n_missed": found.n_missed,
    }


def _checked(
    ladders: Sequence[PickLadder], targets: Targets, found: dict[float, Calibrated]
) -> Iterator[Record]:
    """Without a risk, then at each that has margins: how many picks, how many miss, and what they cost."""
    known = [one for one in ladders if not targets.smr or not np.isnan(one.truth[:, 1]).any()]
    plain = [outcome(one, targets, Margins()) for one in known]
    for risk, margins in ((None, Margins()), *((risk, one.margins) for risk, one in found.items())):
        picks = [outcome(one, targets, margins) for one in known]
        yield {"risk": risk, **_counted(picks, plain)}


def _counted(picks: Sequence[Outcome | None], plain: Sequence[Outcome | None]) -> Record:
    made = [one for one in picks if one is not None]
    missed = [one.shortfall for one in made if one.missed]
    both = [(one.n_bytes, other.n_bytes) for one, other in zip(picks, plain, strict=True) if one and other]
    low, high = interval(len(missed), len(made)) if made else (0.0, 1.0)
    return {
        "n_pictures": len(picks),
        "n_picks": len(made),
        "n_missed": len(missed),
        "missed_percent": round(100 * len(missed) / len(made), 1) if made else None,
        "interval_percent": [round(100 * low, 1), round(100 * high, 1)],
        "mean_shortfall": round(fmean(missed), 4) if missed else 0.0,
        "bytes_ratio": round(sum(one for one, _ in both) / sum(one for _, one in both), 3) if both else None,
    }


def main() -> None:
    """Run from the command line."""
    asked = asking.of_model(__doc__).parse_args()
    table, checks = report(asked.images, asked.model)
    if asked.write:
        RESULT.write_text(_text(checks))
        (weights.find(asked.model).folder / weights.RISK).write_text(_text(table))
    else:
        print(_text(checks), end="")


def _text(record: Record) -> str:
    """One line a row of a list, so that changes show."""
    lines = []
    for name, value in record.items():
        if isinstance(value, list):
            rows = ",\n  ".join(json.dumps(row, allow_nan=False) for row in value)
            lines.append(f' "{name}": [\n  {rows}\n ]')
        else:
            lines.append(f' "{name}": {json.dumps(value, allow_nan=False)}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    main()
