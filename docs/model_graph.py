"""Writes the default model's graph anew from its weights, after a change of how graphs are exported.

    python docs/model_graph.py

The new graph must give what the present one gives, up to 0.001, on rungs of the example photographs. Then it
takes its place, and in every record that names the present one by its digest stands the new one's: what was
measured with one holds for the other.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import tomllib
from pathlib import Path

import numpy as np

from sursmr_codec import codecs, images
from sursmr_codec.ladder import Ladder
from sursmr_codec.network.build import load
from sursmr_codec.predict.trained import Trained
from sursmr_codec.training.export import LARGEST_DIFFERENCE, export

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "models"
EXAMPLES = ROOT / "docs" / "examples"
QPS = {"jpeg": (5, 26, 46, 61, 76, 91), "hevc": (20, 32, 44), "vvc": (32,), "bpg": (20, 32, 44)}
RATIOS = ("sur", "smr", "smr_classification", "smr_detection")


def largest_difference(one: Path, other: Path) -> float:
    """Of a ratio, between the models in two folders, over rungs of the example photographs."""
    predictors = [Trained(folder) for folder in (one, other)]
    largest = 0.0
    for path in sorted(EXAMPLES.glob("*.png")):
        source = images.read(path)
        embeddings = [predictor.embed(source) for predictor in predictors]
        for codec, qps in QPS.items():
            ladder = Ladder(source, codecs.get(codec))
            for qp in qps:
                scores = [
                    predictor.score(embedding, [ladder[qp]])[0]
                    for predictor, embedding in zip(predictors, embeddings, strict=True)
                ]
                found, expected = ([getattr(score, name) for name in RATIOS] for score in scores)
                apart = np.abs(np.array(found, float) - np.array(expected, float))
                largest = max(largest, float(np.nanmax(apart)))
    return largest


def renamed(present: str, fresh: str) -> list[Path]:
    """Put one digest for the other in the manifest and all records of results; gives the files changed."""
    changed = []
    records = [MODELS / "manifest.toml", *MODELS.glob("*/*.json"), *ROOT.glob("benchmarks/*.json")]
    for path in records:
        text = path.read_text("utf-8")
        if present in text:
            path.write_text(text.replace(present, fresh), "utf-8")
            changed.append(path)
    return changed


def main() -> None:
    """Run from the command line."""
    folder = MODELS / tomllib.loads((MODELS / "manifest.toml").read_text("utf-8"))["default"]
    with tempfile.TemporaryDirectory() as made:
        exported = export(load(folder / "model.safetensors"), Path(made) / folder.name)
        difference = largest_difference(exported.graph.parent, folder)
        if not difference <= LARGEST_DIFFERENCE:
            sys.exit(f"ratios of the new graph differ by {difference:.2g} from the present one's")
        present, fresh = (folder / "model.onnx").read_bytes(), exported.graph.read_bytes()
    digests = [hashlib.sha256(one).hexdigest() for one in (present, fresh)]
    (folder / "model.onnx").write_bytes(fresh)
    for path in renamed(*digests):
        print(path.relative_to(ROOT))
    print(f"{len(present):,} bytes before, {len(fresh):,} now; ratios differ by at most {difference:.2g}")


if __name__ == "__main__":
    main()
