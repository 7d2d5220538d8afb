"""What `labels.py` answers from columns of label tables: pure functions, one a question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sursmr_codec.labels import protocols, smr

RATIOS = ("sur", "smr", "smr_classification", "smr_detection", "smr_strict", "smr_unseen")
PERCENTILES = (5, 25, 50, 75, 95)
N_BANDS = 8
N_HALVES = 200
N_CELLS = 10
STEPS = ((1, 1), (2, 5), (6, 12), (13, 99))
"""Widths of steps along a ladder, in QPs, that are counted apart."""
SMR_TARGETS = (0.8, 0.9, 0.95)
DOES_NOT_COUNT = 2

Columns = Mapping[str, NDArray[Any]]


def codecs(columns: Columns) -> list[str]:
    """Ids of the labelled codecs, sorted."""
    return sorted(map(str, set(columns["codec"])))


def contents(columns: Columns) -> list[dict[str, object]]:
    """Images and rungs of every split and codec."""
    found = []
    for split in sorted(set(columns["split"])):
        for codec in codecs(columns):
            rows = (columns["split"] == split) & (columns["codec"] == codec)
            if rows.any():
                n_images = len(set(columns["image"][rows]))
                found.append(
                    {"split": split, "codec": codec, "n_images": n_images, "n_rungs": int(rows.sum())}
                )
    return found


def without_jury(columns: Columns) -> dict[str, dict[str, int]]:
    """Images of each split on none of whose rungs a ratio is defined, as too few machines count."""
    answer = {}
    for split in sorted(set(columns["split"])):
        rows = columns["split"] == split
        images = set(columns["image"][rows])
        answer[str(split)] = {"n_images": len(images)} | {
            name: len(images - set(columns["image"][rows & ~np.isnan(columns[name])])) for name in RATIOS
        }
    return answer


def bands(columns: Columns, codec: str) -> Iterator[tuple[list[int], NDArray[np.bool_]]]:
    """Equal bands of a codec's labelled QPs: first and last QP, and which rows lie inside."""
    of_codec = columns["codec"] == codec
    edges = np.linspace(columns["qp"][of_codec].min(), columns["qp"][of_codec].max() + 1, N_BANDS + 1)
    for low, high in pairwise(edges):
        inside = of_codec & (columns["qp"] >= low) & (columns["qp"] < high)
        if inside.any():
            yield [int(np.ceil(low)), int(np.ceil(high)) - 1], inside


def alike(columns: Columns) -> list[dict[str, object]]:
    """Pairs of codecs that have labels at the same QPs of the same images; on how many both metrics agree."""
    keys = {
        codec: {
            (columns["image"][row], columns["qp"][row]): (
                columns["cvvdp_jod"][row],
                columns["ssimulacra2"][row],
            )
            for row in np.flatnonzero((columns["codec"] == codec) & ~np.isnan(columns["cvvdp_jod"]))
        }
        for codec in codecs(columns)
    }
    found = []
    for one, other in combinations(keys, 2):
        both = keys[one].keys() & keys[other].keys()
        n_same = sum(keys[one][key] == keys[other][key] for key in both)
        if n_same:
            found.append({"codecs": [one, other], "n_rungs": len(both), "n_same": n_same})
    return found


def along_the_ladder(columns: Columns, codec: str) -> list[dict[str, object]]:
    """How each ratio is distributed in each band."""
    return [
        {"qp": qps, "n_rungs": int(inside.sum())}
        | {name: _distribution(columns[name][inside]) for name in RATIOS}
        for qps, inside in bands(columns, codec)
    ]


def _distribution(values: NDArray[np.float32]) -> dict[str, float] | None:
    known = values[~np.isnan(values)].astype(np.float64)
    if not known.size:
        return None
    quantiles = np.percentile(known, PERCENTILES)
    return {"mean": _short(known.mean()), "sd": _short(known.std())} | {
        f"p{percent}": _short(value) for percent, value in zip(PERCENTILES, quantiles, strict=True)
    }


def rising(columns: Columns, codec: str) -> list[dict[str, object]]:
    """Steps to the next labelled QP of the same image at which SMR rises, by how many QPs they span."""
    rows = np.flatnonzero((columns["codec"] == codec) & ~np.isnan(columns["smr"]))
    rows = rows[np.lexsort((columns["qp"][rows], columns["image"][rows]))]
    same = columns["image"][rows][1:] == columns["image"][rows][:-1]
    rises = np.diff(columns["smr"][rows].astype(np.float64))[same]
    widths = np.diff(columns["qp"][rows])[same]
    # As many machines count on every rung of an image.
    n_machines = rises * columns["n_machines"][rows][1:][same]
    answer = []
    for low, high in STEPS:
        inside = (widths >= low) & (widths <= high)
        those = rises[inside]
        if those.size:
            up = those[those > 0]
            by_one = np.round(n_machines[inside][those > 0]) == 1
            answer.append(
                {
                    "qps": [low, high],
                    "n_steps": int(those.size),
                    "share": _short(up.size / those.size),
                    "one_machine_share": _short(by_one.mean()) if up.size else None,
                    "mean_rise": _short(up.mean()) if up.size else None,
                    "largest_rise": _short(up.max()) if up.size else None,
                }
            )
    return answer


def highest(columns: Columns, codec: str) -> list[dict[str, object]]:
    """How far the highest QP that meets an SMR lies above the last before the first that fails, per target.

    `columns` hold whole ladders; images without a jury, or whose lowest QP fails, are left out.
    """
    rows = (columns["codec"] == codec) & ~np.isnan(columns["smr"])
    ladders = []
    for image in sorted(set(columns["image"][rows])):
        those = np.flatnonzero(rows & (columns["image"] == image))
        ladders.append(columns["smr"][those[np.argsort(columns["qp"][those])]].astype(np.float32))
    answer = []
    for target in SMR_TARGETS:
        gaps = []
        for ladder in ladders:
            met = np.flatnonzero(ladder >= np.float32(target))
            failed = np.flatnonzero(ladder < np.float32(target))
            if met.size and failed.size and failed[0] > 0:
                gaps.append(int(met[-1] - (failed[0] - 1)))
        answer.append(
            {
                "target": target,
                "n_images": len(gaps),
                "n_apart": int(np.count_nonzero(gaps)),
                "mean_qps": _short(np.mean(gaps)) if gaps else None,
                "most_qps": max(gaps, default=None),
            }
        )
    return answer


def split_half(votes: NDArray[np.uint8], random: np.random.Generator) -> dict[str, float | int]:
    """How far SMR by one random half of the machines lies from SMR by the other, over 200 such halves.

    `votes` is (rungs, machines). Only rungs count on which each half has the five machines that SMR asks for.
    Votes being independent, two halves differ by twice the standard error of the whole.
    """
    counts, satisfied = votes != DOES_NOT_COUNT, votes == 1
    maes, n_rungs = [], []
    for _ in range(N_HALVES):
        order = random.permutation(votes.shape[1])
        halves = (order[: len(order) // 2], order[len(order) // 2 :])
        n = [counts[:, half].sum(1) for half in halves]
        enough = (n[0] >= smr.MIN_COUNTING) & (n[1] >= smr.MIN_COUNTING)
        ratios = [satisfied[enough][:, half].sum(1) / n[i][enough] for i, half in enumerate(halves)]
        if enough.any():
            maes.append(float(np.abs(ratios[0] - ratios[1]).mean()))
            n_rungs.append(int(enough.sum()))
    return {
        "n_machines": int(votes.shape[1]),
        "n_halves": len(maes),
        "n_rungs_mean": round(float(np.mean(n_rungs))) if maes else 0,
        "mean": _short(np.mean(maes)) if maes else float("nan"),
        "sd": _short(np.std(maes)) if maes else float("nan"),
        "of_the_whole": _short(np.mean(maes) / 2) if maes else float("nan"),
    }


def unseen(columns: Columns, codec: str) -> dict[str, object]:
    """How far SMR by the machines that are kept from training lies from SMR by the others."""
    rows = (columns["codec"] == codec) & ~np.isnan(columns["smr"]) & ~np.isnan(columns["smr_unseen"])
    difference = columns["smr_unseen"][rows].astype(np.float64) - columns["smr"][rows]
    return {
        "n_rungs": int(rows.sum()),
        "mae": _short(np.abs(difference).mean()),
        "unseen_minus_seen": _short(difference.mean()),
        "spearman": _spearman(columns["smr_unseen"][rows], columns["smr"][rows]),
    }


def teachers(columns: Columns, codec: str) -> dict[str, object]:
    """How far the SURs of the two teachers lie apart, on the rungs that both scored."""
    curves = protocols.load("calibrated").curves
    rows = columns["codec"] == codec
    scores = {
        "cvvdp": columns["cvvdp_jod"][rows],
        "ssimulacra2": columns["ssimulacra2"][rows],
    }
    each = {name: np.array([curves[name].sur(float(one)) for one in of]) for name, of in scores.items()}
    both = ~(np.isnan(each["cvvdp"]) | np.isnan(each["ssimulacra2"]))
    difference = each["cvvdp"][both] - each["ssimulacra2"][both]
    doubtful = np.abs(columns["sur"][rows][both] - 0.5) < 0.4
    return {
        "n_rungs": int(both.sum()),
        "mae": _short(np.abs(difference).mean()),
        "mae_between_0.1_and_0.9": _short(np.abs(difference[doubtful]).mean()) if doubtful.any() else None,
        "cvvdp_minus_ssimulacra2": _short(difference.mean()),
        "spearman": _spearman(scores["cvvdp"][both], scores["ssimulacra2"][both]),
    }


def smr_against_sur(columns: Columns, codec: str) -> dict[str, object]:
    """Rank correlation over all rungs, and over images within narrow bands of QP; counts of cells."""
    known = (columns["codec"] == codec) & ~np.isnan(columns["smr"]) & ~np.isnan(columns["sur"])
    within = []
    for _, inside in bands(columns, codec):
        sur, ratio = (columns[name][inside & known] for name in ("sur", "smr"))
        if len(sur) > 30 and np.ptp(sur) > 0 and np.ptp(ratio) > 0:
            within.append(_spearman(ratio, sur))
    cells, _, _ = np.histogram2d(
        columns["sur"][known], columns["smr"][known], bins=N_CELLS, range=((0, 1), (0, 1))
    )
    return {
        "all": _spearman(columns["smr"][known], columns["sur"][known]),
        "within_bands": _short(np.mean(within)) if within else None,
        "cells": cells.astype(int).tolist(),
    }


def machines(columns: Columns, unseen_names: frozenset[str], prefix: str) -> list[dict[str, object]]:
    """On what share of images each machine counts, and on what share of those rungs it is satisfied."""
    _, first = np.unique(columns["image"], return_index=True)
    answer = []
    for column in columns:
        if column.startswith(prefix):
            votes = columns[column]
            counting = votes != DOES_NOT_COUNT
            name = column.removeprefix(prefix)
            answer.append(
                {
                    "name": name,
                    "unseen": name in unseen_names,
                    "counts": _short(counting[first].mean()),
                    "satisfied": _short((votes[counting] == 1).mean()) if counting.any() else None,
                }
            )
    return answer


def _spearman(a: NDArray[Any], b: NDArray[Any]) -> float:
    from scipy.stats import spearmanr

    return _short(spearmanr(a, b).statistic)


def _short(value: Any) -> float:
    return round(float(value), 4)
