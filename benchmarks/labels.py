"""How good are the labels?

    python benchmarks/labels.py TABLES...            print
    python benchmarks/labels.py TABLES... --write    also write benchmarks/labels.json

Reads label tables (files, or folders of Parquet) and answers from them alone: how ratios spread along the
ladder, how often SMR rises as quality falls, how many images have no jury, how far two random halves of the
machines disagree (the noise floor of SMR), how far the teachers of SUR disagree, and whether SMR says
anything that SUR does not.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sursmr_codec.labels import protocols, smr, store

RESULT = Path(__file__).with_suffix(".json")
RATIOS = ("sur", "smr", "smr_classification", "smr_detection", "smr_strict", "smr_unseen")
N_BANDS = 8
N_HALVES = 200
DOES_NOT_COUNT = 2

Columns = Mapping[str, NDArray[Any]]


def report(tables: Sequence[Path], seed: int = 0) -> dict[str, object]:
    """Every answer, as one JSON object."""
    table = store.read_labels(list(tables))
    columns = {name: _numpy(table, name) for name in table.column_names}
    votes = np.stack([columns[name] for name in table.column_names if name.startswith(store.VOTE_PREFIX)], 1)
    return {
        "schema": "sursmr-qp/labels/1",
        "date": datetime.now(UTC).date().isoformat(),
        "n_rungs": table.num_rows,
        "n_images": {
            split: len(set(columns["image"][columns["split"] == split]))
            for split in sorted(set(columns["split"]))
        },
        "undefined_share": {name: _share(np.isnan(columns[name])) for name in RATIOS},
        "machines_counting_mean": round(float(columns["n_machines"].mean()), 2),
        "along_the_ladder": {codec: _bands(columns, codec) for codec in sorted(set(columns["codec"]))},
        "rising_steps": {codec: _rising(columns, codec) for codec in sorted(set(columns["codec"]))},
        "split_half_mae": _split_half(votes, np.random.default_rng(seed)),
        "teachers": _teachers(columns),
        "spearman_smr_sur": {
            codec: _spearman_within_bands(columns, codec) for codec in sorted(set(columns["codec"]))
        },
    }


def _numpy(table: Any, name: str) -> NDArray[Any]:
    return np.asarray(table[name].to_numpy(zero_copy_only=False))


def _share(mask: NDArray[np.bool_]) -> float:
    return round(float(mask.mean()), 4)


def _bands(columns: Columns, codec: str) -> list[dict[str, object]]:
    """Mean and spread of each ratio in equal bands of QP."""
    of_codec = columns["codec"] == codec
    edges = np.linspace(columns["qp"][of_codec].min(), columns["qp"][of_codec].max() + 1, N_BANDS + 1)
    found = []
    for low, high in pairwise(edges):
        inside = of_codec & (columns["qp"] >= low) & (columns["qp"] < high)
        if inside.any():
            found.append(
                {"qp": [int(np.ceil(low)), int(np.ceil(high)) - 1], "n_rungs": int(inside.sum())}
                | {name: _mean_and_sd(columns[name][inside]) for name in RATIOS}
            )
    return found


def _mean_and_sd(values: NDArray[np.float32]) -> list[float] | None:
    known = values[~np.isnan(values)]
    return [round(float(known.mean()), 4), round(float(known.std()), 4)] if known.size else None


def _rising(columns: Columns, codec: str) -> dict[str, object]:
    """Share of steps to the next labelled QP of the same image at which SMR rises."""
    rows = np.flatnonzero((columns["codec"] == codec) & ~np.isnan(columns["smr"]))
    rows = rows[np.lexsort((columns["qp"][rows], columns["image"][rows]))]
    same = columns["image"][rows][1:] == columns["image"][rows][:-1]
    steps = np.diff(columns["smr"][rows])[same]
    return {"n_steps": len(steps), "share": _share(steps > 0) if len(steps) else None}


def _split_half(votes: NDArray[np.uint8], random: np.random.Generator) -> dict[str, float]:
    """Mean absolute difference of SMR between random halves of the machines, over rungs with enough votes."""
    counts = votes != DOES_NOT_COUNT
    satisfied = votes == 1
    differences = []
    for _ in range(N_HALVES):
        order = random.permutation(votes.shape[1])
        halves = (order[: len(order) // 2], order[len(order) // 2 :])
        n = [counts[:, half].sum(1) for half in halves]
        enough = (n[0] >= smr.MIN_COUNTING) & (n[1] >= smr.MIN_COUNTING)
        ratio = [satisfied[enough][:, half].sum(1) / n[i][enough] for i, half in enumerate(halves)]
        differences.append(float(np.abs(ratio[0] - ratio[1]).mean()))
    return {"mean": round(float(np.mean(differences)), 4), "sd": round(float(np.std(differences)), 4)}


def _teachers(columns: Columns) -> dict[str, float]:
    """How far the SURs of the two teachers lie apart, on the rungs that both scored."""
    curves = protocols.load("calibrated").curves
    each = []
    for teacher, column in (("cvvdp", "cvvdp_jod"), ("ssimulacra2", "ssimulacra2")):
        each.append(np.array([curves[teacher].sur(float(score)) for score in columns[column]]))
    both = ~(np.isnan(each[0]) | np.isnan(each[1]))
    difference = each[0][both] - each[1][both]
    return {
        "n_rungs": int(both.sum()),
        "mae": round(float(np.abs(difference).mean()), 4),
        "cvvdp_minus_ssimulacra2": round(float(difference.mean()), 4),
        "spearman": _spearman(columns["cvvdp_jod"][both], columns["ssimulacra2"][both]),
    }


def _spearman(a: NDArray[Any], b: NDArray[Any]) -> float:
    from scipy.stats import spearmanr

    return round(float(spearmanr(a, b).statistic), 4)


def _spearman_within_bands(columns: Columns, codec: str) -> dict[str, float | None]:
    """Rank correlation of SMR with SUR over all rungs, and over images within narrow bands of QP."""
    rows = (columns["codec"] == codec) & ~np.isnan(columns["smr"]) & ~np.isnan(columns["sur"])
    qp = columns["qp"][rows]
    edges = np.linspace(qp.min(), qp.max() + 1, N_BANDS + 1)
    within = []
    for low, high in pairwise(edges):
        inside = rows & (columns["qp"] >= low) & (columns["qp"] < high)
        if inside.sum() > 30 and np.ptp(columns["smr"][inside]) > 0 and np.ptp(columns["sur"][inside]) > 0:
            within.append(_spearman(columns["smr"][inside], columns["sur"][inside]))
    return {
        "all": _spearman(columns["smr"][rows], columns["sur"][rows]),
        "within_bands": round(float(np.mean(within)), 4) if within else None,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", type=Path, nargs="+")
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.name}")
    arguments = parser.parse_args()
    result = report(arguments.tables)
    print(json.dumps(result, indent=2))
    if arguments.write:
        RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
