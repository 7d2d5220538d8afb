"""Equations 5 to 7 of arXiv 2412.17477 against the same written out in numpy, and stored outputs."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tiny_networks import VARIANTS
from torch import nn
from torch.nn import functional as F

from sursmr_codec.network.ablations import ConvPool, PlainRegressor
from sursmr_codec.network.build import build
from sursmr_codec.network.dfrl import DFRL
from sursmr_codec.network.mhaap import MHAAP, to_tokens
from sursmr_codec.network.mixer import Mixer

Array = NDArray[np.float64]


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def noise(*shape: int) -> Array:
    return np.random.default_rng(0).normal(size=shape)


def ran(module: nn.Module, x: Array) -> Array:
    """What a module makes of `x`, in double precision."""
    with torch.inference_mode():
        return module.double().eval()(torch.from_numpy(x)).numpy()


def weights_of(module: nn.Module) -> dict[str, Array]:
    """Parameters after noise was added, so that none is at a value that hides a mistake."""
    with torch.no_grad():
        for parameter in module.double().parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return {name: value.detach().numpy() for name, value in module.named_parameters()}


def gelu(x: Array) -> Array:
    return x * 0.5 * (1.0 + np.vectorize(math.erf)(x / math.sqrt(2.0)))


def conv3x3(x: Array, weight: Array, bias: Array) -> Array:
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    height, width = x.shape[1:]
    return bias[:, None, None] + sum(
        np.einsum("oc,chw->ohw", weight[:, :, i, j], padded[:, i : i + height, j : j + width])
        for i in range(3)
        for j in range(3)
    )


def layer_norm(x: Array, weight: Array, bias: Array) -> Array:
    deviation = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
    return (x - x.mean(axis=-1, keepdims=True)) / deviation * weight + bias


def softmax(x: Array) -> Array:
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def test_dfrl_is_equation_5() -> None:
    module, x = DFRL(3), noise(2, 3, 4, 5)
    w = weights_of(module)
    expected = []
    for f in x:
        inner = gelu(conv3x3(f, w["conv1.weight"], w["conv1.bias"]))
        inner = gelu(conv3x3(inner, w["conv2.weight"], w["conv2.bias"]))
        expected.append(f + conv3x3(inner, w["conv3.weight"], w["conv3.bias"]))
    np.testing.assert_allclose(ran(module, x), np.stack(expected), atol=1e-12)


def test_mhaap_is_equation_6() -> None:
    channels, heads, queries = 6, 2, 3
    module, x = MHAAP([channels], queries, heads, 4), noise(2, 5, channels)
    w = weights_of(module)
    expected = []
    for tokens in x:
        normed = layer_norm(tokens, w["norms.0.weight"], w["norms.0.bias"])
        keys = normed @ w["key.weight"].T
        values = normed @ w["value.weight"].T + w["value.bias"]
        attended = np.zeros((queries, channels))
        for head in range(heads):
            own = slice(head * channels // heads, (head + 1) * channels // heads)
            scores = w["query"][:, own] @ keys[:, own].T / math.sqrt(channels / heads)
            attended[:, own] = softmax(scores) @ values[:, own]
        expected.append(attended @ w["project.weight"].T + w["project.bias"])
    np.testing.assert_allclose(ran(module, x), np.stack(expected), atol=1e-12)


def test_mhaap_normalises_each_part_by_itself() -> None:
    module, x = MHAAP([2, 4], 3, 2, 4), noise(1, 5, 6)
    weights_of(module)
    scaled = x * np.array([1e3, 1e3, 1, 1, 1, 1])
    np.testing.assert_allclose(ran(module, scaled), ran(module, x), atol=1e-3)
    assert not np.allclose(ran(module, x * np.array([1, 9, 1, 1, 1, 1])), ran(module, x), atol=1e-3)


def test_mixer_is_equation_7() -> None:
    module, x = Mixer(n_tokens=3, width=4, depth=2), noise(2, 3, 4)
    w = weights_of(module)
    expected = []
    for tokens in x:
        u = np.concatenate([w["regression_token"][0], tokens])
        for i in range(2):
            of = {name.removeprefix(f"layers.{i}."): value for name, value in w.items()}

            def mlp(z: Array, name: str, of: dict[str, Array] = of) -> Array:
                hidden = gelu(z @ of[f"{name}.0.weight"].T + of[f"{name}.0.bias"])
                return hidden @ of[f"{name}.2.weight"].T + of[f"{name}.2.bias"]

            normed = layer_norm(u, of["token_norm.weight"], of["token_norm.bias"])
            u = u + mlp(normed.T, "token_mlp").T
            u = u + mlp(layer_norm(u, of["channel_norm.weight"], of["channel_norm.bias"]), "channel_mlp")
        expected.append(u[0])
    np.testing.assert_allclose(ran(module, x), np.stack(expected), atol=1e-12)


def test_conv_pool_is_a_1x1_convolution_and_a_global_mean() -> None:
    module, x = ConvPool(6, 4), noise(2, 6, 3, 3)
    w = weights_of(module)
    with torch.inference_mode():
        maps = F.conv2d(torch.from_numpy(x), torch.from_numpy(w["conv.weight"])[:, :, None, None])
        expected = maps.mean(dim=(-2, -1))[:, None].numpy() + w["conv.bias"]
    np.testing.assert_allclose(ran(module, x.reshape(2, 6, 9).transpose(0, 2, 1)), expected, atol=1e-12)


def test_plain_regressor_sees_every_neuron() -> None:
    module, x = PlainRegressor(3, 4), noise(1, 3, 4)
    before = ran(module, x)
    for token in range(3):
        for channel in range(4):
            changed = x.copy()
            changed[0, token, channel] += 1.0
            assert not np.allclose(ran(module, changed), before)


def test_tokens_are_means_over_cells_and_keep_their_place() -> None:
    fine = torch.arange(16.0).reshape(1, 1, 4, 4)
    exact = torch.tensor([[[[100.0, 200.0], [300.0, 400.0]]]])
    coarse = torch.tensor([[[[7.0]]]])
    tokens = to_tokens([fine, exact, coarse], 2)
    assert tokens.tolist() == [[[2.5, 100, 7], [4.5, 200, 7], [10.5, 300, 7], [12.5, 400, 7]]]


def wave(shape: tuple[int, ...], phase: float) -> torch.Tensor:
    """Values in -1..1 that depend on no generator of random numbers."""
    return torch.sin(torch.arange(math.prod(shape), dtype=torch.float64) * 0.61 + phase).reshape(shape)


STORED = {
    "paper": (0.539306, 0.488422),
    "without_dfrl": (0.505653, 0.483541),
    "without_mhaap": (0.509762, 0.473602),
    "transformer": (0.558972, 0.477036),
    "mlp": (0.487164, 0.460426),
    "all_features": (0.462858, 0.527425),
    "crops": (0.474387, 0.459952),
    "machines": (0.475434, 0.539306, 0.496598, 0.506614),
    "pretraining": (0.545943, 0.542364),
    "moments_of_crops": (0.453157, 0.434683),
    "sur_featnet": (0.556118, 0.500488),
    "smr_net": (0.514945, 0.482978),
}
"""What each gave when it was written, with the weights and pictures of `stored_case`."""


def stored_case(name: str) -> list[float]:
    config = VARIANTS[name]
    network = build(config).eval()
    with torch.no_grad():
        for i, (key, parameter) in enumerate(network.named_parameters()):
            value = wave(tuple(parameter.shape), i)
            # About what keeps signals at one size through the layers.
            scale = math.prod(parameter.shape[1:]) ** -0.5 if parameter.ndim > 1 else 0.1
            parameter.copy_(scale * value + (key.endswith("weight") and parameter.ndim == 1))
        shape = (1, config.n_views, 3, config.size, config.size)
        source = 127.5 + 127.5 * wave(shape, 0.0)
        rung = 0.8 * source + 20.0 * wave(shape, 1.0)
        return network(source.float(), rung.float()).ratios[0].tolist()


@pytest.mark.parametrize("name", STORED)
def test_outputs_are_those_that_were_stored(name: str) -> None:
    assert stored_case(name) == pytest.approx(STORED[name], abs=1e-5)
