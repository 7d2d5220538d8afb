"""Every network: shapes, ranges, gradients, and the two ways to ask it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest
import torch
from tiny_networks import VARIANTS, pictures, tiny

from sursmr_codec.errors import UsageError
from sursmr_codec.network.base import PairNetwork
from sursmr_codec.network.build import build
from sursmr_codec.network.heads import Prediction
from sursmr_codec.network.moments import SMALLEST

every_variant = pytest.mark.parametrize("name", VARIANTS)


@every_variant
def test_ratios_have_their_shape_and_range(name: str) -> None:
    config = VARIANTS[name]
    network = build(config).eval()
    with torch.inference_mode():
        prediction = network(pictures(config, 3), pictures(config, 3, seed=1))
    assert prediction.ratios.shape == (3, len(config.ratios))
    assert prediction.ratios.dtype == torch.float32
    assert float(prediction.ratios.min()) >= 0.0
    assert float(prediction.ratios.max()) <= 1.0
    if config.machines:
        assert prediction.satisfied.shape == prediction.counting.shape == (3, len(config.machines))
    else:
        assert prediction.satisfied is None
        assert prediction.counting is None


@every_variant
def test_every_parameter_gets_a_gradient(name: str) -> None:
    config = VARIANTS[name]
    torch.manual_seed(0)
    network = build(config).train()
    prediction = network(pictures(config, 4), pictures(config, 4, seed=1))
    loss = prediction.ratios.square().sum()
    if prediction.counting is not None:
        loss = loss + prediction.counting.square().sum() + prediction.satisfied.square().sum()
    loss.backward()
    without = [
        key
        for key, value in network.named_parameters()
        if value.grad is None or not bool(value.grad.abs().sum() > 0)
    ]
    assert without == []


@every_variant
def test_one_source_stands_for_all_its_rungs(name: str) -> None:
    config = VARIANTS[name]
    network = build(config).eval()
    source, rungs = pictures(config, 1), pictures(config, 3, seed=1)
    with torch.inference_mode():
        together = network.compare(network.embed(source), network.embed(rungs)).ratios
        apart = torch.cat([network(source, rung[None]).ratios for rung in rungs])
    torch.testing.assert_close(together, apart, atol=1e-5, rtol=0)


@every_variant
def test_bytes_and_floats_of_the_same_pixels_agree(name: str) -> None:
    config = VARIANTS[name]
    network = build(config).eval()
    source, rung = pictures(config, 1), pictures(config, 1, seed=1)
    with torch.inference_mode():
        assert torch.equal(network(source, rung).ratios, network(source.float(), rung.float()).ratios)


class _Mapped(PairNetwork):
    """Gives back its views, times a parameter that has a gradient everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = torch.nn.Parameter(torch.ones(4, 1, 3, 64, 64))

    def embed(self, views: torch.Tensor) -> list[torch.Tensor]:
        return [views * self.maps]

    def compare(self, source: Sequence[torch.Tensor], rung: Sequence[torch.Tensor]) -> Prediction:
        return Prediction((source[0] * self.weights).sum().view(1, 1))


def test_gradients_of_sources_are_the_same_bits_every_time() -> None:
    # Many rungs of a source add up in its gradient: in another order, the last digits are others.
    generator = torch.Generator().manual_seed(0)
    network = _Mapped()
    network.weights = torch.randn(64, 1, 3, 64, 64, generator=generator)
    which = torch.randint(0, 4, (64,), generator=generator)
    sources, rungs = torch.randn(4, 1, 3, 64, 64, generator=generator), torch.zeros(0, 1, 3, 64, 64)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        found = set()
        for _ in range(10):
            network.zero_grad()
            network(sources, rungs, which).ratios.sum().backward()
            found.add(network.maps.grad.numpy().tobytes())
    finally:
        torch.set_num_threads(threads)
    assert len(found) == 1


def test_views_of_a_picture_are_told_apart() -> None:
    config = tiny(n_crops=2)
    torch.manual_seed(0)
    network = build(config).eval()
    torch.nn.init.normal_(network.kinds)
    source, rung = pictures(config, 1), pictures(config, 1, seed=1)
    order = [1, 0, 2]
    with torch.inference_mode():
        straight = network(source, rung).ratios
        swapped = network(source[:, order], rung[:, order]).ratios
        crops_swapped = network(source[:, [0, 2, 1]], rung[:, [0, 2, 1]]).ratios
    assert not torch.allclose(straight, swapped, atol=1e-6)
    torch.testing.assert_close(straight, crops_swapped, atol=1e-5, rtol=0)


def test_smr_is_put_together_from_the_machines() -> None:
    config = VARIANTS["machines"]
    network = build(config).eval()
    with torch.inference_mode():
        prediction = network(pictures(config, 2), pictures(config, 2, seed=1))
    counts = prediction.counting.sigmoid().numpy()
    votes = counts * prediction.satisfied.sigmoid().numpy()
    ratios = dict(zip(config.ratios, prediction.ratios.T.numpy(), strict=True))
    assert ratios["smr"] == pytest.approx(votes.sum(1) / counts.sum(1), abs=1e-6)
    assert ratios["smr_classification"] == pytest.approx(votes[:, :2].sum(1) / counts[:, :2].sum(1), abs=1e-6)
    assert ratios["smr_detection"] == pytest.approx(prediction.satisfied[:, 2].sigmoid().numpy(), abs=1e-6)


def test_moments_do_not_see_a_difference_where_there_is_none() -> None:
    config = tiny(family="moments", backbone="test_efficientnet", semantic=True)
    network = build(config).eval()
    picture = pictures(config, 1)
    with torch.inference_mode():
        seen = network.embed(picture)
        numbers = network.describe(seen, seen)[0]
    channels = network.extractor.channels
    start = 0
    for n in channels:
        assert torch.allclose(numbers[start + n : start + 2 * n], torch.tensor(SMALLEST).log())
        start += 3 * n
    kept, _, overlap, lost = numbers[start + 10 : start + 14]
    assert kept == numbers[start]
    assert float(overlap) == pytest.approx(1.0, abs=1e-5)
    assert float(lost) == 0.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"family": "other"}, "family must be one of"),
        ({"features": "f0"}, "features must be one of"),
        ({"ratios": ()}, "nothing to predict"),
        ({"ratios": ("sur", "sur")}, "twice"),
        ({"ratios": ("jnd",)}, "ratios must be one of"),
        ({"width": 0}, "width must be at least 1"),
        ({"width": 15}, "no multiple of n_heads"),
        ({"n_crops": 17}, "0..16"),
        ({"dropout": 1.0}, "dropout"),
        ({"family": "smr_net", "n_crops": 1}, "whole picture only"),
        ({"semantic": True}, "only moments"),
        ({"ratios": ("smr_detection",), "classifiers": ("c",)}, "no machine of that task"),
    ],
)
def test_values_that_make_no_network_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        dataclasses.replace(tiny(), **changes)


@pytest.mark.parametrize("family", ["unified", "smr_net", "moments"])
def test_unknown_backbone_is_a_usage_error(family: str) -> None:
    with pytest.raises(UsageError, match="no model 'nonsense'"):
        build(tiny(backbone="nonsense", family=family, semantic=family == "moments"))


def test_backbone_with_channels_last_is_refused() -> None:
    with pytest.raises(UsageError, match="channels last"):
        build(tiny(backbone="swin_tiny_patch4_window7_224"))


def test_heads_must_share_the_channels() -> None:
    with pytest.raises(UsageError, match="168 channels cannot be shared by 5 heads"):
        build(tiny(n_heads=5, width=15))


@every_variant
def test_mixed_precision_gives_nearly_the_same(name: str) -> None:
    config = VARIANTS[name]
    torch.manual_seed(0)
    network = build(config).eval()
    source, rung = pictures(config, 2), pictures(config, 2, seed=1)
    with torch.inference_mode():
        exact = network(source, rung).ratios
        with torch.autocast("cpu", torch.bfloat16):
            mixed = network(source, rung).ratios
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, exact, atol=0.02, rtol=0)
