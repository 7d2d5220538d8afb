"""Statistics of what changed: nothing for equal pictures, more for more, and the published formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from sursmr_codec.labels import protocols
from sursmr_codec.network.fidelity import N_STATISTICS, SMALLEST, Fidelity
from sursmr_codec.network.viewers import HIGHEST, Curves

SIZE = 64


def picture(seed: int = 0) -> torch.Tensor:
    coarse = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
    smooth = torch.nn.functional.interpolate(coarse, (SIZE, SIZE), mode="bicubic").clamp(0, 1)
    return (255 * smooth).round().to(torch.uint8)


def noisy(rgb: torch.Tensor, strength: float) -> torch.Tensor:
    noise = strength * torch.randn(rgb.shape, generator=torch.Generator().manual_seed(1))
    return (rgb + noise).clamp(0, 255).round().to(torch.uint8)


def test_equal_pictures_have_no_statistics() -> None:
    fidelity, rgb = Fidelity(SIZE), picture()
    maps = fidelity.embed(rgb)
    numbers = fidelity.compare(maps, maps).exp() - SMALLEST
    assert numbers.shape == (1, N_STATISTICS)
    # The fourth root makes the smallest float visible.
    assert float(numbers.abs().max()) < 2e-3


def test_more_noise_is_more_of_everything_but_vanished_edges() -> None:
    fidelity, rgb = Fidelity(SIZE), picture()
    source = fidelity.embed(rgb)
    little, much = (fidelity.compare(source, fidelity.embed(noisy(rgb, s))) for s in (2.0, 20.0))
    assert float((much > little).float().mean()) > 0.9


def test_structure_is_compared_as_published() -> None:
    """The first scale's mean dissimilarity, with SciPy's filter in place of the matrix."""
    fidelity, rgb = Fidelity(SIZE), picture()
    other = noisy(rgb, 8.0)

    def blurred(x: np.ndarray) -> np.ndarray:
        return gaussian_filter(x, sigma=1.5, radius=5, axes=(-2, -1), mode="mirror")

    x0, xq = (fidelity.embed(one)[0][0, :3].double().numpy() for one in (rgb, other))
    mean0, meanq = blurred(x0), blurred(xq)
    variances = blurred(x0 * x0) - mean0**2 + blurred(xq * xq) - meanq**2
    covariance = blurred(x0 * xq) - mean0 * meanq
    unlike = 1 - (1 - (mean0 - meanq) ** 2) * (2 * covariance + 0.0009) / (variances + 0.0009)
    expected = np.clip(unlike, 0, None).mean(axis=(-2, -1))
    found = fidelity.compare(fidelity.embed(rgb), fidelity.embed(other)).exp()[0, 3:6] - SMALLEST
    np.testing.assert_allclose(found.numpy(), expected, rtol=2e-3)


def test_greys_have_no_colour() -> None:
    grey = torch.arange(0, 256, 4, dtype=torch.uint8).view(1, 1, 1, SIZE).expand(1, 3, SIZE, SIZE)
    x, y, b = Fidelity(SIZE).embed(grey)[0][0, :3]
    assert float((x - 0.42).abs().max()) < 1e-4
    assert bool((y[:, 1:] > y[:, :-1]).all())
    assert float((b - 0.55 + 0.01).abs().max()) < 2e-2


def test_probits_are_the_protocols_curves() -> None:
    curves = Curves(("ssimulacra2", "cvvdp"))
    scores = torch.tensor([[90.0, 9.9], [64.0, 9.55], [20.0, 7.0]])
    probits = curves.probits(scores)
    np.testing.assert_allclose(curves.scores(probits).numpy(), scores.numpy(), rtol=1e-5)
    protocol = protocols.load("calibrated").curves
    for row, (ssimulacra2, jod) in zip(curves.sur(probits).tolist(), scores.tolist(), strict=True):
        expected = (protocol["ssimulacra2"].sur(ssimulacra2) + protocol["cvvdp"].sur(jod)) / 2
        assert row == pytest.approx(expected, abs=1e-5)
    assert float(curves.probits(torch.tensor([[100.0, 10.0]]))[0, 1]) == HIGHEST
    assert bool(curves.probits(torch.tensor([[float("nan"), 9.0]])).isnan()[0, 0])
