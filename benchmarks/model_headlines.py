"""The results of benchmarks about the model, in one line each, for `headlines.py`."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean
from typing import Any

Record = dict[str, Any]


def _model(record: Record) -> str:
    own, other = (record["fits"][name]["ratios"] for name in ("model", "codec_and_qp"))
    mae = {ratio: (own[ratio]["mae"], other[ratio]["mae"]) for ratio in ("sur", "smr")}
    errors = [
        f"{ratio.upper()} {one:.3f}, {one / its:.2f} of that error" for ratio, (one, its) in mae.items()
    ]
    return f"mean absolute error beside that of knowing codec and QP alone: {'; '.join(errors)}"


def _study(record: Record) -> str:
    errors = {
        name: " and ".join(f"{one['test'][f'{ratio}_mae']['mean']:.3f}" for ratio in ("sur", "smr"))
        for name, one in record["variants"].items()
        if name in ("paper", "sur_featnet", "smr_net", "semantic_native")
    }
    return (
        f"errors of SUR and SMR on {record['n_pictures']['test']} pictures, small networks: the paper's "
        f"{errors['paper']}, SUR-FeatNet's {errors['sur_featnet']}, SMR-Net's {errors['smr_net']}, of our "
        f"inputs {errors['semantic_native']}"
    )


def _learning_curve(record: Record) -> str:
    whole, gains = record["points"][-1], record["last_doubling_percent"]
    return (
        f"up to {whole['n_images']} pictures: the last doubling took {gains['sur']:.1f} % off the error of "
        f"SUR and {gains['smr']:.1f} % off that of SMR"
    )


def _tries(record: Record) -> str:
    shipped, chance = record["tries"][0], record["chance"]["smr"]
    best = []
    for ratio, its in shipped["ratios"].items():
        rows = [one for one in record["tries"] if ratio in one["ratios"]]
        least = min(rows, key=lambda one: one["ratios"][ratio]["mae"])
        found = least["ratios"][ratio]["mae"]
        best.append(f"{ratio} {its['mae']:.4f}, at best {found:.4f} ({least['what']})")
    return (
        f"errors of {len(record['tries'])} ways to train: {'; '.join(best)}; of SMR's error, "
        f"{chance['error']:.3f} is what a lot of {chance['machines_that_count']:.0f} machines brings"
    )


def _unseen_codec(record: Record) -> str:
    errors = ", ".join(
        f"{one['codec']} {one['ratios']['sur']['ratio']:.2f} and {one['ratios']['smr']['ratio']:.2f}"
        for one in record["codecs"]
    )
    return f"errors of SUR and SMR beside those of seen codecs: {errors} (goal: at most {record['goal']:g})"


def _novelty(record: Record) -> str:
    others = {one["kind"]: one for one in record["made"]}
    usual = ", ".join(f"{one['warned_percent']:.0f} % of {name}" for name, one in record["rates"].items())
    warned = sum(one["warned_percent"] >= 90 for one in others.values())
    return f"warned of {usual}; of nine in ten or more for {warned} of {len(others)} kinds of made pictures"


def _reliability(record: Record) -> str:
    worst = max(record["ratios"], key=lambda one: one["gap"] or 0.0)
    gaps = [f"{one['codec']} {one['gap']:.3f}" for one in record["ratios"] if one["ratio"] == "sur"]
    return (
        f"a bin's mean label is off its mean prediction by, for SUR: {', '.join(gaps)}; most for "
        f"{worst['ratio']} of {worst['codec']}, by {worst['gap']:.3f}"
    )


def _worst(record: Record) -> str:
    few = sum(one["n_machines_counting"] < 10 for one in record["pictures"])
    return f"of {len(record['pictures'])} pictures, {few} have fewer than 10 machines that count"


def _risk(record: Record) -> str:
    shares = []
    for risk in (None, 0.2, 0.1):
        rows = [one for one in record["checks"] if one["risk"] == risk and one["every_qp"]]
        missed = 100 * sum(one["n_missed"] for one in rows) / sum(one["n_picks"] for one in rows)
        shares.append(f"{missed:.0f} % {'without a risk' if risk is None else f'at risk {risk:g}'}")
    return f"of picks miss in truth, over all codecs and targets: {', '.join(shares)}"


def _margins(record: Record) -> str:
    ways: dict[float, list[float]] = {}
    for one in record["ways"]:
        ways.setdefault(one["smr_times"], []).append(one["bytes"])
    told = ", ".join(f"{times:g} times {fmean(ways[times]):.2f}" for times in (0.0, 1.0, 3.0, 8.0))
    return f"bytes beside the cheapest way, by how many times SUR's margin SMR's is: {told}"


def _start(record: Record) -> str:
    rows = [row for row in record["errors"] if (row["sur"], row["smr"]) == (0.75, 0.9)]
    return "; ".join(
        f"{row['codec']}: {row['from_source']['mean_absolute']:.1f} QPs off on average, by the codec alone "
        f"{row['from_codec']['mean_absolute']:.1f}"
        for row in rows
    )


OF_MODELS: dict[str, Callable[[Record], str]] = {
    "learning_curve": _learning_curve,
    "margins": _margins,
    "model": _model,
    "novelty": _novelty,
    "reliability": _reliability,
    "risk": _risk,
    "start": _start,
    "study": _study,
    "tries": _tries,
    "unseen_codec": _unseen_codec,
    "worst": _worst,
}
"""By script."""
