"""Ways to choose a JPEG quality for a picture: as the tools of today are described to do it, and picks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sursmr_codec.labels import teachers
from sursmr_codec.ladder import Ladder
from sursmr_codec.predict.base import Predictor
from sursmr_codec.probing import Prober
from sursmr_codec.search import search
from sursmr_codec.types import Pixels, Source, Targets

QUALITIES = range(1, 101)
SEARCH_TARGET = 80.0
"""SSIMULACRA2 that `oavif` aims at by default: https://github.com/gianni-rosato/oavif"""

SSIM_DEFAULT = 0.9999
"""What `jpeg-recompress` asks for by default, of its own implementation; its page shows a photograph of 24
megapixels that comes to quality 80. Small pictures do not reach this SSIM, and get the highest quality."""
SSIM_OF_QUALITY_80 = 0.966
"""The same procedure with a target that comes to that quality: the median of 42 `val` pictures at it."""


@dataclass(frozen=True)
class Picture:
    """What a way may look at."""

    source: Source
    ladder: Ladder
    predictor: Predictor

    def decoded(self, quality: int) -> Pixels:
        """Pixels of the file at a JPEG quality."""
        return self.ladder[101 - quality].decoded


@dataclass(frozen=True)
class Way:
    """How one tool chooses."""

    name: str
    choose: Callable[[Picture], int]
    """The QP of the file that is written."""


def fixed(quality: int) -> Way:
    """The same quality for all, as `Image.save(quality=...)` of Pillow."""
    return Way(f"Pillow, quality {quality}", lambda picture: 101 - quality)


def recompress(target: float) -> Way:
    """Bisection on SSIM between quality 40 and 95 in 6 attempts, of which the last one is written.

    Defaults of `jpeg-recompress`, https://github.com/danielgtaylor/jpeg-archive; it writes with mozjpeg,
    which is left aside here.
    """

    def choose(picture: Picture) -> int:
        low, high, quality = 40, 95, 0
        for _ in range(6):
            if low > high:
                break
            quality = (low + high) // 2
            if ssim(picture.source.rgb, picture.decoded(quality)) < target:
                low = quality + 1
            else:
                high = quality - 1
        return 101 - quality

    return Way(f"SSIM {target:g} as jpeg-recompress", choose)


def tolerant() -> Way:
    """At most 6 passes that stop within 2 points of the target; else the lowest tried that reaches it.

    As `oavif` is described, https://giannirosato.com/blog/post/oavif: qualities between two that were tried
    are interpolated on their scores. Its first guess is a formula fitted to its own encoder; here it is 75.
    """

    def choose(picture: Picture) -> int:
        tried: dict[int, float] = {}
        quality = 75
        for _ in range(6):
            tried[quality] = _ssimulacra2(picture, quality)
            if abs(tried[quality] - SEARCH_TARGET) < 2:
                return 101 - quality
            quality = between(tried, SEARCH_TARGET)
            if quality in tried:
                break
        reaching = [one for one, score in tried.items() if score >= SEARCH_TARGET]
        return 101 - (min(reaching) if reaching else max(tried, key=tried.__getitem__))

    return Way(f"SSIMULACRA2 {SEARCH_TARGET:g} as oavif", choose)


def strict() -> Way:
    """The lowest quality that reaches the target, by bisection with interpolated guesses.

    As `crf-search` of `ab-av1` is described, https://github.com/alexheretic/ab-av1, which searches by other
    metrics; here by the one above.
    """

    def choose(picture: Picture) -> int:
        tried: dict[int, float] = {}
        quality = 50
        while quality not in tried:
            tried[quality] = _ssimulacra2(picture, quality)
            quality = between(tried, SEARCH_TARGET)
        reaching = [one for one, score in tried.items() if score >= SEARCH_TARGET]
        return 101 - (min(reaching) if reaching else max(tried))

    return Way(f"SSIMULACRA2 {SEARCH_TARGET:g} as ab-av1", choose)


def picked(targets: Targets) -> Way:
    """What `sursmr-qp pick` writes; a best effort where the targets are out of reach."""

    def choose(picture: Picture) -> int:
        prober = Prober(picture.source, picture.ladder.codec, picture.predictor, targets=targets)
        prober.ladder = picture.ladder
        answer = search(
            prober.at,
            prober.codec.qp_range,
            targets,
            start=prober.start(targets),
            expected=prober.expected(),
            best_effort=True,
        )
        assert answer.chosen is not None  # a best effort without a byte limit always chooses
        return answer.chosen.qp

    asked = f"SUR {targets.sur:g} and SMR {targets.smr:g}"
    return Way(f"picks, {asked}{f', risk {targets.risk:g}' if targets.risk else ''}", choose)


def between(tried: dict[int, float], target: float) -> int:
    """The quality to try next: interpolated on the scores of the nearest two around the target.

    Strictly between them; one of them where nothing is left between. Halves where one side is not known.
    """
    reaching = [quality for quality, score in tried.items() if score >= target]
    failing = [quality for quality, score in tried.items() if score < target]
    high, low = min(reaching, default=QUALITIES.stop), max(failing, default=QUALITIES.start - 1)
    if high - low <= 1:
        return high if high in tried else low
    if high not in tried or low not in tried:
        return (low + high + 1) // 2
    part = (target - tried[low]) / (tried[high] - tried[low])
    return min(max(round(low + part * (high - low)), low + 1), high - 1)


def ssim(reference: Pixels, distorted: Pixels) -> float:
    """Mean SSIM of luma over 8x8 windows, on pictures made smaller to a side of about 256.

    Wang et al., IEEE Trans. Image Process. 13(4), 2004, with the reduction that its authors advise at
    https://ece.uwaterloo.ca/~z70wang/research/ssim/.
    """
    from scipy.ndimage import uniform_filter

    a, b = _luma(reference), _luma(distorted)
    mean_a, mean_b = uniform_filter(a, 8), uniform_filter(b, 8)
    var_a = uniform_filter(a * a, 8) - mean_a**2
    var_b = uniform_filter(b * b, 8) - mean_b**2
    covariance = uniform_filter(a * b, 8) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    above = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return float(np.mean(above / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))))


def _luma(rgb: Pixels) -> NDArray[np.float64]:
    luma = rgb.astype(float) @ np.array([0.299, 0.587, 0.114])
    by = max(1, round(min(luma.shape) / 256))
    height, width = (side // by * by for side in luma.shape)
    return np.asarray(luma[:height, :width].reshape(height // by, by, width // by, by).mean((1, 3)))


def _ssimulacra2(picture: Picture, quality: int) -> float:
    return teachers.get("ssimulacra2").score(picture.source.rgb, picture.decoded(quality))


WAYS = (
    fixed(75),
    fixed(80),
    fixed(85),
    recompress(SSIM_DEFAULT),
    recompress(SSIM_OF_QUALITY_80),
    tolerant(),
    strict(),
    picked(Targets(0.5, 0.8)),
    picked(Targets(0.75, 0.9)),
    picked(Targets(0.9, 0.95)),
    picked(Targets(0.5, 0.8, risk=0.2)),
    picked(Targets(0.75, 0.9, risk=0.2)),
)
