"""Parts of a model's card that are looked at: how far predictions can be relied on, the learning curve, the
ten worst pictures; and the plots of the first two."""

# ruff: noqa: E501 - lines of prose are as long as the card's own
from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from card_parts import NAMES

RELIABILITY, LEARNING = "reliability.png", "learning_curve.png"
EXPLAINED = "worst.toml"
"""What a person wrote of the worst pictures, beside the card."""

BETWEEN_BARS = 0.01
"""Between codecs in the calibration plot."""

Json = dict[str, Any]


def reliability(result: Json) -> str:
    """The calibration plot, and how far each ratio's predictions are from what they promise."""
    lines = [
        "## Is it what it says?",
        "",
        f"![Mean labels over mean predictions in twenty bins, by codec]({RELIABILITY})",
        "",
        "Predictions of labelled test rungs in twenty bins; bars are the middle half of the labels in a bin. `bias` is the",
        "mean of prediction less label, `gap` how far the two means of a bin are apart.",
        "",
        "| ratio | codec | rungs | bias | gap |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for one in result["ratios"]:
        if one["n_rungs"]:
            lines.append(
                f"| {NAMES[one['ratio']]} | {one['codec']} | {one['n_rungs']} | {one['bias']:+.4f} | {one['gap']:.4f} |"
            )
    return "\n".join(lines)


def learning(result: Json) -> str:
    """The learning curve, and what it says of more pictures."""
    counts, points = result["n_images"], result["points"]
    names = list(points[-1]["ratios"])
    # The record has by how much errors fell.
    changes = "; ".join(
        f"{NAMES[name]} {-value:+.1f} %" for name, value in result["last_doubling_percent"].items()
    )
    lines = [
        "## Would more pictures help?",
        "",
        f"![Mean absolute error over the number of training pictures]({LEARNING})",
        "",
        f"Regressors on frozen features (the first stage of the configuration), {len(result['seeds'])} seeds each, on parts of",
        f"{counts['train']} training pictures ({', '.join(result['codecs'])}); mean absolute error on {counts['test']} test pictures.",
        "",
        "| pictures | rungs | " + " | ".join(NAMES[name] for name in names) + " |",
        "| ---: | ---: |" + " ---: |" * len(names),
    ]
    for point in points:
        cells = [f"{one['mae']:.4f} ± {one['deviation']:.4f}" for one in point["ratios"].values()]
        lines.append(f"| {point['n_images']} | {point['n_rungs']} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", f"Over the last doubling of the pictures errors changed by: {changes}."])


def worst(folder: Path, result: Json) -> str:
    """The ten worst test pictures, and what a person found in them."""
    said = tomllib.loads((folder / EXPLAINED).read_text("utf-8"))
    lines = [
        "## The ten worst test pictures",
        "",
        f"By the errors of SUR and SMR together, whose mean over the {result['n_images']} pictures is {result['mean_of_all']:.3f}. A plus sign",
        "is a prediction that is too high. Machines are those that count, of which half of the pictures have",
        f"{result['median_machines_counting']:.0f} or more; beyond 1, `unlike` is what `warnings` names.",
        "",
        "| picture | machines | unlike | error of SUR | of SMR | of SMR, by codec |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    told = []
    for one in result["pictures"]:
        ratios = one["ratios"]
        errors = [f"{ratios[name]['mae']:.3f}" if name in ratios else "-" for name in ("sur", "smr")]
        signs = ratios["smr"]["bias_by_codec"] if "smr" in ratios else {}
        by_codec = ", ".join(f"{codec} {bias:+.2f}" for codec, bias in signs.items() if bias is not None)
        unlike = "" if one["novelty"] is None else f"{one['novelty']:.2f}"
        lines.append(
            f"| `{one['image']}` | {one['n_machines_counting']} | {unlike} | {' | '.join(errors)} | {by_codec} |"
        )
        words = said.get(one["image"])
        told.append(
            f"- `{one['image']}`: " + (f"{words['shows']} {words['why']}" if words else "not looked at yet.")
        )
    return "\n".join([*lines, "", *told])


def unexplained(folder: Path, result: Json) -> list[str]:
    """Worst pictures that nobody has written of, and pictures written of that are not among them."""
    said = set(tomllib.loads((folder / EXPLAINED).read_text("utf-8")))
    return sorted(said ^ {one["image"] for one in result["pictures"]})


def draw(folder: Path, reliable: Json, curve: Json) -> None:
    """Both plots, into the folder of the model."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(NAMES), figsize=(12.8, 3.4), sharey=True, constrained_layout=True)
    for ax, (ratio, title) in zip(axes, NAMES.items(), strict=True):
        ax.plot([0, 1], [0, 1], color="0.7", linewidth=1)
        codecs = [row for row in reliable["ratios"] if row["ratio"] == ratio and row["bins"]]
        for number, one in enumerate(codecs):
            x, y = ([row[name] for row in one["bins"]] for name in ("predicted", "label"))
            low, high = zip(*(row["middle_half"] for row in one["bins"]), strict=True)
            line = ax.plot(x, y, marker="o", markersize=3, linewidth=1, label=one["codec"])[0]
            # Beside each other, so that no codec's bars hide another's.
            aside = BETWEEN_BARS * (number - (len(codecs) - 1) / 2)
            ax.vlines([at + aside for at in x], low, high, color=line.get_color(), alpha=0.3)
        ax.set(title=title, xlabel="predicted", xlim=(0, 1), ylim=(0, 1))
    axes[0].set_ylabel("label")
    axes[0].legend(frameon=False)
    figure.savefig(folder / RELIABILITY, dpi=80)
    plt.close(figure)
    figure, ax = plt.subplots(figsize=(6.4, 4.0), constrained_layout=True)
    for ratio in curve["points"][-1]["ratios"]:
        known = [(point["n_images"], point["ratios"][ratio]) for point in curve["points"]]
        x, y, spread = (
            [n for n, _ in known],
            [one["mae"] for _, one in known],
            [one["deviation"] for _, one in known],
        )
        ax.errorbar(x, y, yerr=spread, marker="o", markersize=4, capsize=2, label=NAMES[ratio])
    ax.set(xscale="log", xlabel="training pictures", ylabel="mean absolute error on test", ylim=(0, None))
    ax.set_xticks(x, [str(n) for n in x], minor=False)
    ax.minorticks_off()
    ax.legend(frameon=False)
    figure.savefig(folder / LEARNING, dpi=80)
    plt.close(figure)
