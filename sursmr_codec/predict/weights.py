"""Where trained models are, which one is the default, and whether their files are the ones that were listed.

`models/manifest.toml` names the default and the digest of every model's graph. In a wheel the default model
lies inside the package; in a checkout all models lie in `models/` at its root.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

from sursmr_codec.errors import UsageError
from sursmr_codec.predict import novelty, risk_table, start
from sursmr_codec.predict.novelty import Novelty
from sursmr_codec.predict.risk_table import RiskTable
from sursmr_codec.predict.start import Start

GRAPH, WEIGHTS, METRICS, MANIFEST = "model.onnx", "model.safetensors", "metrics.json", "manifest.toml"
RISK, NOVELTY, START = "risk.json", "novelty.json", "start.json"
OF_RUN = "model"
"""Where `train` puts the model in the folder of its run."""
_PACKAGE = Path(__file__).resolve().parent.parent
_PLACES = (_PACKAGE / "models", _PACKAGE.parent / "models")
"""In a wheel, in a checkout."""


@dataclass(frozen=True)
class ModelFiles:
    """A trained model on disk."""

    id: str
    folder: Path
    sha256: str
    """Hex digest of its graph."""

    @property
    def graph(self) -> Path:
        """For ONNX Runtime."""
        return self.folder / GRAPH

    @property
    def weights(self) -> Path:
        """For torch; not in wheels."""
        return self.folder / WEIGHTS

    @property
    def for_torch(self) -> Path:
        """The weights, or the graph where there are none: it holds them, too."""
        return self.weights if self.weights.is_file() else self.graph

    def trained_codecs(self) -> frozenset[str] | None:
        """Ids of the codecs whose rungs it was trained on; None where its metrics do not say."""
        try:
            said = json.loads((self.folder / METRICS).read_text("utf-8"))["codecs"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return frozenset(map(str, said)) if isinstance(said, list) else None

    def risks(self) -> RiskTable | None:
        """Its margins; None where it has none. Raises UsageError for a file that cannot be read."""
        return risk_table.read(self.folder / RISK, self.sha256)

    def novelty(self) -> Novelty | None:
        """What its training pictures are like; None where that was not kept. Raises as `risks`."""
        return novelty.read(self.folder / NOVELTY, self.sha256)

    def start(self) -> Start | None:
        """Where searches should begin; None where that was not fitted. Raises as `risks`."""
        return start.read(self.folder / START, self.sha256)


def find(model: str | Path | None = None) -> ModelFiles:
    """The files of a model: the default, one of the manifest by its id, or a user's by its folder or run.

    Raises UsageError for an unknown id, a folder without a model, and a listed model whose file has another
    digest than the manifest says.
    """
    place = next((place for place in _PLACES if (place / MANIFEST).is_file()), None)
    if place is None:
        if model is None:
            raise UsageError("no trained model is installed; give --model DIR, or --predictor measured")
        return _own(Path(model))
    listed = tomllib.loads((place / MANIFEST).read_text("utf-8"))
    name = str(listed["default"] if model is None else model)
    if name not in listed["models"]:
        return _own(Path(name), tuple(listed["models"]))
    found = _own(place / name)
    if found.sha256 != listed["models"][name]["sha256"]:
        raise UsageError(f"{found.graph} is not the file that {place / MANIFEST} lists: install it again")
    return found


def _own(folder: Path, known: tuple[str, ...] = ()) -> ModelFiles:
    name = folder.resolve().name
    if not (folder / GRAPH).is_file() and (folder / OF_RUN / GRAPH).is_file():
        folder /= OF_RUN
    try:
        digest = hashlib.sha256((folder / GRAPH).read_bytes()).hexdigest()
    except OSError as error:
        names = f"known models: {', '.join(known)}; " if known else ""
        raise UsageError(f"{folder} holds no model ({names}a folder of one holds {GRAPH})") from error
    return ModelFiles(name, folder, digest)
