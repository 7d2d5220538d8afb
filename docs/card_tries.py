"""Part of a model's card: what was tried against its errors, and how much of them is chance."""

# ruff: noqa: E501 - lines of prose are as long as the card's own
from __future__ import annotations

from typing import Any

from card_parts import NAMES

SMALLEST_GAP = 3.0
"""Standard errors of a difference that is told; they are of two seeds, so they are rough."""

Json = dict[str, Any]


def tried(result: Json | None, measured: Json) -> str:
    """Errors of every try beside those of what shipped, and what of SMR's error a few machines bring with them."""
    if result is None:
        return ""
    pictures = result["n_images"]
    lines = [
        "## What was tried against its errors",
        "",
        f"Regressors on frozen features (the first stage of the configuration) with one thing changed, {len(result['seeds'])} seeds each,",
        f"trained on {pictures['learned']} of the training pictures and judged by {pictures['held']} others; mean absolute error, and that of the seeds'",
        "averaged predictions.",
        "",
        "| what | " + " | ".join(f"{name} | averaged" for name in NAMES.values()) + " |",
        "| --- |" + " ---: | ---: |" * len(NAMES),
        "| codec and QP alone |"
        + "".join(
            f" {result['codec_and_qp'][ratio]:.4f} | |" if ratio in result["codec_and_qp"] else " | |"
            for ratio in NAMES
        ),
    ]
    for one in result["tries"]:
        cells = []
        for ratio in NAMES:
            found = one["ratios"].get(ratio)
            cells += (
                [f"{found['mae']:.4f} ± {found['deviation']:.4f}", f"{found['mae_of_their_mean']:.4f}"]
                if found
                else ["", ""]
            )
        lines.append(f"| {one['what']} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", _told_apart(result), "", *_chance(result["chance"], measured)])


def _chance(chance: Json, measured: Json) -> list[str]:
    lines = [
        "SMR is a ratio over the few machines that count for a picture. Were these drawn by lot from many such machines, and",
        "were the ratio among the many known exactly, it would still differ from theirs by, on labels of test rungs:",
        "",
        "| ratio | rungs | machines that count | differs by | error of the model | of codec and QP alone |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for ratio, one in chance.items():
        errors = [measured["fits"][name]["ratios"][ratio]["mae"] for name in ("model", "codec_and_qp")]
        shown = " | ".join(f"{error:.4f}" for error in (one["error"], *errors))
        lines.append(f"| {NAMES[ratio]} | {one['n_rungs']} | {one['machines_that_count']} | {shown} |")
    return [
        *lines,
        "",
        "That is a scale rather than a bound: the model learns these very machines, and can know what sets them apart.",
    ]


def _told_apart(result: Json) -> str:
    """Tries whose error differs from that of what shipped by more than seeds explain."""
    shipped = result["tries"][0]["ratios"]
    found = []
    for one in result["tries"][1:]:
        for ratio, its in one["ratios"].items():
            gap = its["mae"] - shipped[ratio]["mae"]
            spread = (its["deviation"] ** 2 + shipped[ratio]["deviation"] ** 2) / len(result["seeds"])
            if abs(gap) >= SMALLEST_GAP * spread**0.5:
                found.append(f"{one['what']}: {NAMES[ratio]} {100 * gap / shipped[ratio]['mae']:+.0f} %")
    return f"Beyond {SMALLEST_GAP:g} standard errors over seeds: {'; '.join(found) or 'none'}."
