"""Weights on disk, views of pictures, and what importing costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tiny_networks import VARIANTS, pictures, tiny

from sursmr_codec.errors import UsageError
from sursmr_codec.network.build import build, load, to_bytes
from sursmr_codec.network.extractor import Extractor
from sursmr_codec.network.views import views


@pytest.mark.parametrize("name", ["paper", "machines", "moments_of_crops", "smr_net"])
def test_a_network_comes_back_from_its_file(name: str, tmp_path: Path) -> None:
    network = build(VARIANTS[name]).eval()
    (tmp_path / "model.safetensors").write_bytes(to_bytes(network))
    loaded = load(tmp_path / "model.safetensors")
    assert loaded.config == network.config
    assert not loaded.training
    source, rung = pictures(network.config, 2), pictures(network.config, 2, seed=1)
    with torch.inference_mode():
        assert torch.equal(loaded(source, rung).ratios, network(source, rung).ratios)


def test_the_same_network_gives_the_same_bytes() -> None:
    network = build(tiny())
    assert len({to_bytes(network) for _ in range(8)}) == 1


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be loaded"):
        load(tmp_path / "absent")
    (tmp_path / "junk").write_bytes(b"junk")
    with pytest.raises(UsageError, match="cannot be loaded"):
        load(tmp_path / "junk")
    save_file({"x": torch.zeros(1)}, tmp_path / "foreign")
    with pytest.raises(UsageError, match="holds no network"):
        load(tmp_path / "foreign")
    whole = to_bytes(build(tiny()))
    (tmp_path / "changed").write_bytes(whole.replace(b'\\"width\\": 16', b'\\"width\\": 14'))
    with pytest.raises(UsageError, match="cannot be loaded"):
        load(tmp_path / "changed")
    (tmp_path / "unknown").write_bytes(whole.replace(b'\\"width\\":', b'\\"wodth\\":'))
    with pytest.raises(UsageError, match="cannot be loaded"):
        load(tmp_path / "unknown")


def test_normalisation_is_the_backbones_own_and_kept_with_the_weights() -> None:
    extractor = Extractor("test_efficientnet")
    assert {"normalise.mean", "normalise.std"} <= set(extractor.state_dict())
    grey = torch.tensor([0.485, 0.456, 0.406]).mul(255.0).view(1, 3, 1, 1)
    assert float(extractor.normalise(grey.expand(1, 3, 2, 2)).abs().max()) < 1e-6
    white = torch.full((1, 3, 1, 1), 255, dtype=torch.uint8)
    assert extractor.normalise(white).flatten().tolist() == pytest.approx(
        [(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225], abs=1e-5
    )


def test_views_are_the_whole_picture_then_native_crops() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    seen = views(rgb, 32, 3)
    assert seen.shape == (4, 3, 32, 32)
    assert seen.dtype == np.uint8
    assert seen.flags.c_contiguous
    places = []
    for crop in seen[1:]:
        found = [
            (top, left)
            for top in range(60 - 32 + 1)
            for left in range(90 - 32 + 1)
            if np.array_equal(rgb[top : top + 32, left : left + 32], crop.transpose(1, 2, 0))
        ]
        assert len(found) == 1
        places += found
    assert places[0] == (14, 29)
    assert len(set(places)) == 3


def test_whole_view_scales_down_without_aliasing() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    inner = views(stripes, 16, 0)[0, :, 2:-2, 2:-2]
    assert abs(inner.astype(int) - 127).max() <= 8


def test_whole_view_of_a_picture_of_that_size_is_the_picture() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    assert np.array_equal(views(rgb, 16, 0)[0].transpose(1, 2, 0), rgb)


@pytest.mark.parametrize("shape", [(1, 1), (5, 40), (40, 5), (7, 7)])
def test_crops_of_small_pictures_are_continued_by_their_mirror_image(shape: tuple[int, int]) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    seen = views(rgb, 16, 2)
    assert seen.shape == (3, 3, 16, 16)
    assert set(map(tuple, seen[1].reshape(3, -1).T)) <= set(map(tuple, rgb.reshape(-1, 3)))


def test_neither_the_package_nor_config_and_views_load_torch() -> None:
    code = (
        "import sys, sursmr_codec, sursmr_codec.cli.app, sursmr_codec.network.config, "
        "sursmr_codec.network.views; sys.exit('torch' in sys.modules or 'timm' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0
