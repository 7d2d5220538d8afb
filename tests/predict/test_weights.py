"""Where models are looked for, and that a changed file is noticed."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from sursmr_codec.errors import UsageError
from sursmr_codec.predict import weights

ROOT = Path(__file__).resolve().parents[2]
FILES = ("model.onnx", "metrics.json", "risk.json", "novelty.json", "start.json")
"""What a model's folder in the wheel holds, beside its card."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two listed models, of which `b` is the default."""
    lines = ['default = "b"']
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.onnx").write_bytes(name.encode())
        lines += [f"[models.{name}]", f'sha256 = "{hashlib.sha256(name.encode()).hexdigest()}"']
    (tmp_path / "manifest.toml").write_text("\n".join(lines))
    monkeypatch.setattr(weights, "_PLACES", (tmp_path / "absent", tmp_path))
    return tmp_path


def test_the_default_and_others_by_id_or_folder(
    place: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert weights.find().id == "b"
    assert weights.find("a").folder == place / "a"
    own = tmp_path_factory.mktemp("own") / "mine"
    own.mkdir()
    (own / "model.onnx").write_bytes(b"mine")
    found = weights.find(own)
    assert (found.id, found.sha256) == ("mine", hashlib.sha256(b"mine").hexdigest())
    assert found.graph == own / "model.onnx"


def test_a_changed_file_is_noticed(place: Path) -> None:
    (place / "b" / "model.onnx").write_bytes(b"changed")
    with pytest.raises(UsageError, match=r"b/model\.onnx is not the file"):
        weights.find()


def test_unknown_models(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"nowhere holds no model \(known models: a, b"):
        weights.find("nowhere")
    monkeypatch.setattr(weights, "_PLACES", ())
    with pytest.raises(UsageError, match="no trained model is installed"):
        weights.find()
    with pytest.raises(UsageError, match="a folder of one holds model"):
        weights.find(place)


def test_the_first_place_with_a_list_counts(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = place / "wheel"
    (wheel / "c").mkdir(parents=True)
    (wheel / "c" / "model.onnx").write_bytes(b"c")
    digest = hashlib.sha256(b"c").hexdigest()
    (wheel / "manifest.toml").write_text(f'default = "c"\n[models.c]\nsha256 = "{digest}"\n')
    monkeypatch.setattr(weights, "_PLACES", (wheel, place))
    assert weights.find().id == "c"


def test_metrics_name_the_codecs_of_training(place: Path) -> None:
    found = weights.find()
    assert found.trained_codecs() is None
    (place / "b" / "metrics.json").write_text('{"codecs": ["jpeg", "hevc"]}')
    assert found.trained_codecs() == {"jpeg", "hevc"}


def test_the_default_model_is_the_one_in_the_wheel() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packed = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    default = tomllib.loads((ROOT / "models" / "manifest.toml").read_text())["default"]
    inside = {f"models/{default}/{name}" for name in (*FILES, "card.md")}
    assert set(packed) == {"models/manifest.toml", *inside}
    for source, target in packed.items():
        assert (ROOT / source).is_file()
        assert target == f"sursmr_codec/{source}"
    assert weights.find().id == default


def test_the_card_is_what_the_metrics_say() -> None:
    subprocess.run([sys.executable, ROOT / "docs" / "model_card.py", "--check"], check=True)
