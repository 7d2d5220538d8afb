"""Configurations of training: what a TOML file may say, and that those of the repository work."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from sursmr_codec.errors import UsageError
from sursmr_codec.network.build import build
from sursmr_codec.training.config import DataConfig, StageConfig, TrainingConfig, read_config

CONFIGS = Path(__file__).resolve().parents[2] / "models" / "configs"
LEAST = '[network]\n[[stage]]\nname = "one"\n'


def read(tmp_path: Path, text: str) -> object:
    path = tmp_path / "config.toml"
    path.write_text('name = "x"\n' + text)
    return read_config(path)


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_configurations_of_the_repository_make_networks(path: Path) -> None:
    config = read_config(path)
    assert config.name == path.stem
    with torch.device("meta"):
        assert build(config.network).config == config.network


def test_the_papers_configuration_is_the_papers() -> None:
    config = read_config(CONFIGS / "paper.toml")
    pretrain, train = config.stage
    assert pretrain.family == "pretraining"
    assert pretrain.labels == {"sur": "sur_proxy"}
    for stage in (pretrain, train):
        assert (stage.learning_rate, stage.batch_size, stage.weight_decay) == (1e-4, 72, 0.0)
        assert (stage.schedule, stage.mixed_precision) == ("constant", True)
        assert stage.weights == {"sur": 0.5, "smr": 0.5}
    assert config.data.flips
    assert (config.network.n_queries, config.network.n_heads, config.network.width) == (49, 8, 512)


def test_the_documented_file_is_one(tmp_path: Path) -> None:
    guide = (CONFIGS.parents[1] / "docs" / "training.md").read_text()
    path = tmp_path / "config.toml"
    path.write_text(guide.split("```toml\n")[1].split("```")[0])
    config = read_config(path)
    assert [stage.name for stage in config.stage] == ["pretrain", "train"]
    documented = path.read_text()
    for kind in (TrainingConfig, DataConfig, StageConfig):
        missing = [field.name for field in dataclasses.fields(kind) if field.name not in documented]
        assert missing == [], kind


def test_paths_are_beside_the_file(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        f'initial = "a.safetensors"\n{LEAST}[data]\nimages = "pictures"\nlabels = ["a.parquet", "/b"]\n',
    )
    assert config.data.images == str(tmp_path / "pictures")
    assert config.data.labels == (str(tmp_path / "a.parquet"), "/b")
    assert config.data.cache == ""
    assert config.initial == str(tmp_path / "a.safetensors")


def test_a_record_does_not_depend_on_where_files_lie(tmp_path: Path) -> None:
    plain = read(tmp_path, LEAST)
    moved = read(tmp_path, f'checkpoint_steps = 7\n{LEAST}[data]\nimages = "elsewhere"\ncache = "there"\n')
    other = read(tmp_path, f"seed = 1\n{LEAST}")
    assert plain.record == moved.record
    assert plain.record != other.record


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "network is missing"),
        ("[network]\n", "stage is missing"),
        ("stage = []\n[network]\n", "no \\[\\[stage\\]\\]"),
        (f"sead = 1\n{LEAST}", "unknown key sead; known: name"),
        ('[network]\nbackbome = "x"\n[[stage]]\nname = "a"\n', "unknown key network.backbome"),
        (f"{LEAST}epoch = 3\n", "unknown key stage\\[0\\].epoch"),
        (f"{LEAST}epochs = 3.5\n", "stage\\[0\\].epochs must be of type int, not 3.5"),
        (f"{LEAST}frozen = 1\n", "stage\\[0\\].frozen must be of type bool"),
        (f"{LEAST}weights = 3\n", "stage\\[0\\].weights must be a table"),
        (f"{LEAST}weights = {{ sur = 'x' }}\n", "weights.sur must be of type float"),
        (f"{LEAST}labels = {{ sur = 'jod' }}\n", "unknown column jod"),
        (f"{LEAST}labels = {{ jnd = 'sur' }}\n", "unknown ratio jnd"),
        (f"{LEAST}weights = {{ smr_detection = 1 }}\n", "does not predict smr_detection"),
        (f"{LEAST}weights = {{ sur = -1 }}\n", "must not be negative"),
        (f"{LEAST}epochs = 0\n", "must be at least 1"),
        (f"{LEAST}most_steps = -1\n", "must not be negative"),
        (f"{LEAST}learning_rate = 0.0\n", "above 0"),
        (f"{LEAST}learning_rate = nan\n", "above 0"),
        (f"{LEAST}schedule = 'linear'\n", "must be one of constant, cosine"),
        (f"{LEAST}family = 'pretraining'\n", "last stage must train the network itself"),
        (f"{LEAST}frozen = true\n", "only a moments network"),
        ("[network]\nfamily = 'moments'\n[[stage]]\nname='a'\nbatch_size = 1\n", "batch_size to 2 or more"),
        (f"{LEAST}votes_weight = 1\n", "needs a network with machines"),
        (f"{LEAST}[[stage]]\nname = 'one'\n", "the same name"),
        (f"{LEAST}[[stage]]\nname = '../one'\n", "letters, digits"),
        (f"checkpoint_steps = 0\n{LEAST}", "checkpoint_steps"),
        (f"{LEAST}[data]\ntest = 'val'\n", "three splits"),
        (f"{LEAST}[data]\nlabels = 'a'\n", "data.labels must be a list"),
        (f"network = 3\n{LEAST[10:]}", "network must be a table"),
        ("[network]\nfamily = 'moments'\n[[stage]]\nname='a'\nfamily='pretraining'\n[[stage]]\nname='b'\n",
         "only a unified network has a pretraining"),
        ("[network]\nwidth = 0\n[[stage]]\nname='a'\n", "width must be at least 1"),
        ("name = 'y'\n", "cannot be read"),
    ],
)  # fmt: skip
def test_what_a_file_must_not_say(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as raised:
        read(tmp_path, text)
    assert "config.toml" in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.toml cannot be read"):
        read_config(tmp_path / "none.toml")
