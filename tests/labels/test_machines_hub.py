"""Classifiers of timm, with weights drawn at random or made here; the network is never touched."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sursmr_codec.errors import MissingExtra, UnavailableError
from sursmr_codec.labels.machines.jury import Jury
from sursmr_codec.labels.machines.machine import load
from sursmr_codec.labels.machines.output import Boxes, Labels
from sursmr_codec.labels.machines.zoo import MachineRow, read_zoo

torch = pytest.importorskip("torch")
timm = pytest.importorskip("timm")
pytestmark = pytest.mark.usefixtures("no_network", "caches")

Row = Callable[..., MachineRow]

VIT = "timm:test_vit.r160_in1k"
SSDLITE = "torchvision:ssdlite320_mobilenet_v3_large.COCO_V1"
RANDOM = {"config": '{"random_weights": 1}'}
PICTURE = np.random.default_rng(0).integers(0, 256, (120, 200, 3), dtype=np.uint8)


def keep_in_cache(caches: Path, state: dict[str, Any], repository: str = "test_vit.r160_in1k") -> Path:
    """A safetensors file where a download of timm's would lie."""
    from safetensors.torch import save_file

    folder = caches / "hf" / f"models--timm--{repository}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("a" * 40)
    weights = folder / "snapshots" / ("a" * 40) / "model.safetensors"
    weights.parent.mkdir(parents=True)
    save_file(state, str(weights))
    return weights


def sure_of(index: int, name: str = "test_vit") -> dict[str, Any]:
    state: dict[str, Any] = timm.create_model(name).state_dict()
    state["head.bias"][index] = 50.0
    return state


def test_random_weights_are_the_same_every_time_and_leave_the_dice_alone(hub_row: Row) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, second = (load(hub_row(VIT, **RANDOM)) for _ in range(2))
    assert torch.equal(torch.rand(3), expected)
    assert first.weights_file is None
    labels = first.run(PICTURE)
    assert isinstance(labels, Labels)
    assert labels == second.run(PICTURE)
    assert len(labels.indices) == 5
    assert list(labels.scores) == sorted(labels.scores, reverse=True)
    assert 0 < sum(labels.scores) < 1


def test_a_classifier_is_prepared_for_as_its_weights_say(hub_row: Row) -> None:
    machine = load(hub_row(VIT, **RANDOM))
    # test_vit.r160_in1k: 160 pixels out of 160 / 0.95, bicubic, mean and deviation 0.5.
    side = int(160 / 0.95)
    image = Image.fromarray(PICTURE).resize((side * 200 // 120, side), Image.Resampling.BICUBIC)
    left, top = round((image.width - 160) / 2), round((image.height - 160) / 2)
    pixels = np.asarray(image.crop((left, top, left + 160, top + 160)), np.float32)
    tensor = torch.from_numpy(((pixels / 255 - 0.5) / 0.5).transpose(2, 0, 1)[None])
    with torch.inference_mode():
        probabilities = machine._model(tensor).softmax(-1)[0].numpy()  # type: ignore[attr-defined]
    labels = machine.run(PICTURE)
    assert isinstance(labels, Labels)
    assert labels.top1 == int(probabilities.argmax())
    assert labels.scores == pytest.approx(np.sort(probabilities)[:-6:-1].tolist(), abs=1e-6)


def test_weights_in_the_cache_are_loaded(hub_row: Row, caches: Path) -> None:
    weights = keep_in_cache(caches, sure_of(7))
    machine = load(hub_row(VIT))
    assert machine.weights_file == weights
    labels = machine.run(PICTURE)
    assert isinstance(labels, Labels)
    assert (labels.top1, labels.confidence) == (7, pytest.approx(1.0))
    # A download is not even tried for what is here.
    assert load(hub_row(VIT), download=True).run(PICTURE) == labels


def test_state_of_models_with_a_loader_of_their_own_is_loaded(hub_row: Row, caches: Path) -> None:
    name = "vit_tiny_patch16_224.augreg_in21k_ft_in1k"
    assert timm.get_pretrained_cfg(name).custom_load
    keep_in_cache(caches, sure_of(3, "vit_tiny_patch16_224"), name)
    labels = load(hub_row(f"timm:{name}")).run(PICTURE)
    assert isinstance(labels, Labels)
    assert labels.top1 == 3


def test_a_wanted_digest_is_compared(hub_row: Row, caches: Path) -> None:
    weights = keep_in_cache(caches, sure_of(7))
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()[:16]
    assert load(hub_row(VIT, sha256=digest)).weights_file == weights
    with pytest.raises(UnavailableError, match=f"has the digest {digest}, not 0000000000000000; remove it"):
        load(hub_row(VIT, sha256="0" * 16))


@pytest.mark.parametrize("file", [VIT, "timm:resnet10t", SSDLITE])
def test_missing_weights_name_the_option(hub_row: Row, file: str) -> None:
    with pytest.raises(UnavailableError, match=f"{file} has no weights in the local cache: .*--download"):
        load(hub_row(file))


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("timm:resnet10tt", "has no model 'resnet10tt'"),
        ("timm:resnet10t.best", "has no weights 'best'; it has c3_in1k"),
        ("torchvision:resnet18", "has no detector 'resnet18'"),
        ("torchvision:ssd300_vgg16.V9", "has no weights 'V9'; it has COCO_V1"),
    ],
)
@pytest.mark.parametrize("config", ["{}", RANDOM["config"]])
def test_an_unknown_name_is_said(hub_row: Row, file: str, reason: str, config: str) -> None:
    with pytest.raises(UnavailableError, match=reason):
        load(hub_row(file, config=config))


def test_only_safetensors_come_from_hugging_face(hub_row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = timm.get_pretrained_cfg("test_vit.r160_in1k")
    settings.hf_hub_filename = "model.bin"
    monkeypatch.setattr(timm, "get_pretrained_cfg", lambda _: settings)
    with pytest.raises(UnavailableError, match=r"published as model\.bin alone, and only safetensors"):
        load(hub_row(VIT))


def test_weights_without_an_address_are_said(hub_row: Row) -> None:
    with pytest.raises(UnavailableError, match="no weights for this model on Hugging Face"):
        load(hub_row("timm:legacy_xception.tf_in1k"))


def test_the_callers_threads_come_back(hub_row: Row) -> None:
    before = torch.get_num_threads()
    seen: list[int] = []
    machine: Any = load(hub_row(VIT, **RANDOM), threads=before + 1)
    machine._model.register_forward_hook(lambda *_: seen.append(torch.get_num_threads()))
    machine.run(PICTURE)
    assert seen == [before + 1]
    assert torch.get_num_threads() == before


def test_a_jury_may_hold_models_of_collections(write_zoo: Callable[..., Path]) -> None:
    own = {"n_bytes": "", "sha256": "", "input": "own", "preprocess": "own", "fit": "own"}
    machines = [
        {"name": "eye", "file": VIT, **own, **RANDOM},
        {"name": "boxes", "task": "detection", "file": SSDLITE, **own, **RANDOM},
    ]
    with Jury(read_zoo(write_zoo(*machines)), workers=2) as jury:
        answers = jury.run_all(PICTURE)
    assert list(answers) == ["eye", "boxes"]
    # Random weights are sure of nothing.
    assert isinstance(answers["boxes"], Boxes)
    assert len(answers["boxes"].at_least(0.3)) == 0


@pytest.mark.parametrize(
    ("file", "module", "named"),
    [
        (VIT, "torch", "torch"),
        (VIT, "timm", "timm"),
        (VIT, "huggingface_hub", "huggingface_hub"),
        (SSDLITE, "torch", "torch"),
        (SSDLITE, "torchvision.models", "torchvision"),
    ],
)
def test_a_missing_library_names_the_extra(
    hub_row: Row, monkeypatch: pytest.MonkeyPatch, file: str, module: str, named: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra) as caught:
        load(hub_row(file))
    assert str(caught.value) == f"running {file} needs {named}: pip install 'sursmr-qp[torch]'"
