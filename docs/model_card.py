"""Puts a trained model among those that ship, and writes its card from its metrics.

    python docs/model_card.py --ship runs/lite/model    copy it to models/, list it as the default
    python docs/model_card.py                           write the default model's card and its plots anew
    python docs/model_card.py --check                   exit 1 where the card is not what the metrics say

What it says comes from the model's `metrics.json`, which training wrote, and from results in `benchmarks/`,
which `benchmarks/shipped.py` makes; of the worst pictures, from what a person wrote in the model's
`worst.toml`.
"""

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
import card_figures  # noqa: E402
import card_parts  # noqa: E402
import card_tries  # noqa: E402
from card_goals import goals  # noqa: E402

BENCHMARKS, MODELS = ROOT / "benchmarks", ROOT / "models"
MANIFEST = MODELS / "manifest.toml"
FILES = ("model.onnx", "model.safetensors", "metrics.json")
MADE_AFTER = ("risk.json", "novelty.json", "start.json")
"""What `benchmarks/shipped.py` makes of a model in its place; that of an earlier one is of no use."""
OF_MODEL = ("model", "risk", "novelty", "reliability", "worst")
"""Results in `benchmarks/` that must be of the model whose card it is."""
OF_LABELS = ("learning_curve", "unseen_codec", "tries")
"""Results about regressors that were trained for the question."""

Json = dict[str, Any]


def ship(run: Path) -> None:
    """Copy a run's model to `models/` and make it the default."""
    name = json.loads((run / "metrics.json").read_text())["name"]
    folder = MODELS / name
    folder.mkdir(exist_ok=True)
    graph = folder / "model.onnx"
    if not graph.exists() or graph.read_bytes() != (run / "model.onnx").read_bytes():
        for file in MADE_AFTER:
            (folder / file).unlink(missing_ok=True)
    for file in FILES:
        shutil.copyfile(run / file, folder / file)
    (folder / card_figures.EXPLAINED).touch()
    listed = tomllib.loads(MANIFEST.read_text()) if MANIFEST.exists() else {"models": {}}
    digests = {one: entry["sha256"] for one, entry in listed["models"].items()}
    digests[name] = hashlib.sha256(graph.read_bytes()).hexdigest()
    lines = [
        "# Trained models, by the digest of their graphs; the default alone is in the wheel.",
        f'default = "{name}"',
        *(f'\n[models.{one}]\nsha256 = "{digest}"' for one, digest in sorted(digests.items())),
    ]
    MANIFEST.write_text("\n".join(lines) + "\n")


def results(sha256: str) -> dict[str, Json | None]:
    """Committed results by name, those of the model with that digest; None where one may lack."""
    found: dict[str, Json | None] = {}
    for name in (*OF_MODEL, *OF_LABELS):
        path = BENCHMARKS / f"{name}.json"
        found[name] = json.loads(path.read_text()) if path.exists() else None
        if name in OF_MODEL and (found[name] or {}).get("model", {}).get("sha256") != sha256:
            raise SystemExit(f"{path} is not of the default model: run benchmarks/shipped.py")
    return found


def card() -> tuple[Path, str, dict[str, Json | None]]:
    """Where the default model's card is, what it should say, and the results that it says it from."""
    listed = tomllib.loads(MANIFEST.read_text())
    name = listed["default"]
    folder = MODELS / name
    metrics: Json = json.loads((folder / "metrics.json").read_text())
    found = results(listed["models"][name]["sha256"])
    measured, curve = found["model"], found["learning_curve"]
    assert measured is not None
    parts = [
        card_parts.head(name, metrics),
        card_parts.origin(metrics),
        card_parts.accuracy(measured),
        goals(folder, measured, found["unseen_codec"]),
        card_figures.reliability(found["reliability"] or {}),
        card_parts.others(measured),
        card_parts.unseen(measured),
        card_parts.unseen_codecs(found["unseen_codec"]),
        card_parts.picks(measured),
        card_parts.risk(metrics, found["risk"] or {}),
        card_parts.novelty(found["novelty"] or {}),
        card_figures.learning(curve) if curve else "",
        card_tries.tried(found["tries"], measured),
        card_figures.worst(folder, found["worst"] or {}),
        card_parts.cost(folder, measured),
        card_parts.limits(metrics),
    ]
    return folder / "card.md", "\n\n".join(part for part in parts if part) + "\n", found


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
    path, text, found = card()
    if asked.check:
        if not path.exists() or path.read_text() != text:
            sys.exit(f"{path} is not what the metrics say: run python docs/model_card.py")
        return
    path.write_text(text)
    if found["reliability"] and found["learning_curve"]:
        card_figures.draw(path.parent, found["reliability"], found["learning_curve"])
    for image in card_figures.unexplained(path.parent, found["worst"] or {}):
        print(
            f"{path.parent / card_figures.EXPLAINED}: look at {image}: to be written of, or no longer",
            file=sys.stderr,
        )


if __name__ == "__main__":
    main()
