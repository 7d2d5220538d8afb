"""What changed pixel by pixel, as a full-reference metric sees it: structure, lost and added edges, by scale.

The statistics are those of SSIMULACRA2 (J. Sneyers, https://github.com/cloudinary/ssimulacra2), on which
much of SUR rests: maps of structural similarity after Wang et al., "Image Quality Assessment: From Error
Visibility to Structural Similarity", TIP 2004, https://doi.org/10.1109/TIP.2003.819861, and of edges that
appear or vanish, in the colour space XYB of JPEG XL (ISO/IEC 18181-1). What they mean is learned.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

N_SCALES = 4
"""Each half as large as the one before."""
N_STATISTICS = N_SCALES * 3 * 7
"""Numbers a view: scales, channels, and seven statistics of each."""
SIGMA = 1.5
"""Of the Gaussian window, in pixels of its scale."""
RADIUS = 5
STRIP = 32
"""Lines of a large map that are blurred at a time."""
STABLE = 0.0009
"""Keeps the similarity of flat windows near 1."""
SMALLEST = 1e-6
"""Below what a statistic is told apart from none."""

_TO_CONES = (
    (0.3, 0.622, 0.078),
    (0.23, 0.692, 0.078),
    (0.24342268924547819, 0.20476744424496821, 0.5518098665095536),
)
_BIAS = 0.0037930732552754493


class Fidelity(nn.Module):
    """Maps of a picture that are made once, and their comparison with a rung's; nothing in it is learned."""

    to_cones: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("to_cones", torch.tensor(_TO_CONES), persistent=False)
        for i, side in enumerate(_sides(size)):
            self.register_buffer(f"window_{i}", _window(side), persistent=False)

    def embed(self, rgb: Tensor) -> list[Tensor]:
        """(N, 3, S, S) RGB 0..255 to one (N, 9, S_i, S_i) a scale: XYB, its local means and mean squares."""
        picture = self._xyb(rgb)
        maps = []
        for i in range(N_SCALES):
            if i:
                picture = F.avg_pool2d(picture, 2)
            maps.append(torch.cat([picture, self._blur(picture, i), self._blur(picture.square(), i)], dim=1))
        return maps

    def compare(self, source: Sequence[Tensor], rung: Sequence[Tensor]) -> Tensor:
        """Maps (1 or N, 9, S_i, S_i) and (N, 9, S_i, S_i) of `embed` to (N, N_STATISTICS) logarithms."""
        each = [self._scale(f0, fq, i) for i, (f0, fq) in enumerate(zip(source, rung, strict=True))]
        return (torch.cat(each, dim=1) + SMALLEST).log()

    def _scale(self, source: Tensor, rung: Tensor, i: int) -> Tensor:
        x0, mean0, square0 = source.chunk(3, dim=1)
        xq, meanq, squareq = rung.chunk(3, dim=1)
        variances = (square0 - mean0.square()) + (squareq - meanq.square())
        covariance = self._blur(x0 * xq, i) - mean0 * meanq
        luminance = 1.0 - (mean0 - meanq).square()
        unlike = (1.0 - luminance * (2.0 * covariance + STABLE) / (variances + STABLE)).clamp_min(0.0)
        edges = (1.0 + (xq - meanq).abs()) / (1.0 + (x0 - mean0).abs()) - 1.0
        statistics = [(x0 - xq).square().mean(dim=(-2, -1))]
        for one in (unlike, edges.clamp_min(0.0), (-edges).clamp_min(0.0)):
            # The mean of the fourth power is what the worst places make it.
            fourth = one.square().square().mean(dim=(-2, -1)).clamp_min(1e-12)
            statistics += [one.mean(dim=(-2, -1)), fourth.sqrt().sqrt()]
        return torch.cat(statistics, dim=1)

    def _xyb(self, rgb: Tensor) -> Tensor:
        """sRGB 0..255 to XYB, scaled so that the three channels weigh about alike."""
        value = rgb.float() / 255.0
        linear = torch.where(value <= 0.04045, value / 12.92, _power((value + 0.055) / 1.055, 2.4))
        mixed = torch.einsum("ij,njhw->nihw", self.to_cones, linear) + _BIAS
        cones = _power(mixed, 1.0 / 3.0) - _BIAS ** (1.0 / 3.0)
        long, medium, short = cones.unbind(dim=1)
        x, y = (long - medium) / 2.0, (long + medium) / 2.0
        return torch.stack([14.0 * x + 0.42, y + 0.01, short - y + 0.55], dim=1)

    def _blur(self, maps: Tensor, i: int) -> Tensor:
        # As products with matrices: many times faster on a CPU than a convolution channel by channel. These
        # are all zeros far from the diagonal, so large ones are taken in strips.
        window: Tensor = getattr(self, f"window_{i}")
        strips = _strips(len(window))
        for dim in (-1, -2):
            parts = []
            for out, near in strips:
                part = window[out.start : out.stop, near.start : near.stop]
                seen = maps.narrow(dim, near.start, len(near))
                parts.append(seen @ part.T if dim == -1 else part @ seen)
            maps = torch.cat(parts, dim=dim) if len(parts) > 1 else parts[0]
        return maps


def _power(base: Tensor, exponent: float) -> Tensor:
    """Of numbers above 0; under ONNX Runtime several times faster than its `Pow`."""
    return (base.log() * exponent).exp()


def _sides(size: int) -> list[int]:
    sides = [size]
    while len(sides) < N_SCALES:
        sides.append(sides[-1] // 2)
    return sides


def _strips(side: int) -> list[tuple[range, range]]:
    """Lines of a blurred map, and the lines that they are made of."""
    width = side if side < 2 * STRIP else STRIP
    return [
        (
            range(start, min(start + width, side)),
            range(max(start - RADIUS, 0), min(start + width + RADIUS, side)),
        )
        for start in range(0, side, width)
    ]


def _window(side: int) -> Tensor:
    """(side, side): a Gaussian blur of a line as a matrix, mirrored at the ends as far as the line goes."""
    weights = torch.exp(-0.5 * (torch.arange(-RADIUS, RADIUS + 1) / SIGMA).square())
    weights = weights / weights.sum()
    rows = torch.arange(side)
    matrix = torch.zeros(side, side)
    for offset, weight in zip(range(-RADIUS, RADIUS + 1), weights, strict=True):
        columns = (rows + offset).abs()
        columns = torch.where(columns >= side, 2 * (side - 1) - columns, columns).clamp(0, side - 1)
        matrix[rows, columns] += weight
    return matrix
