"""Looks for the one setting of a whole folder that reaches a share: pure, no pictures, no codecs."""

from __future__ import annotations

from collections.abc import Generator

AROUND = 2
"""Settings on either side of the one that is found that are tried too: draws of the bootstrap need them."""

Sweep = Generator[int, float, None]
"""Yields the index of a setting to try, takes the share of images that meet the targets at it."""


def sweep(n_settings: int, wanted: float, start: int) -> Sweep:
    """Try settings, ordered from the best quality down, around the last that reaches the share `wanted`.

    Each index is yielded once. Strides from `start` until a setting that reaches the share and one that does
    not are known, then bisects. Shares may rise as quality falls, as those of machines do, so what is best is
    for the caller to choose from all that was tried.
    """
    tried: dict[int, float] = {}

    def reaches(index: int) -> Generator[int, float, bool]:
        if index not in tried:
            tried[index] = yield index
        return tried[index] >= wanted - 1e-9

    below, above = -1, n_settings
    guess, stride = min(max(start, 0), n_settings - 1), 1
    while above - below > 1:
        if (yield from reaches(guess)):
            below = guess
        else:
            above = guess
        if below >= 0 and above < n_settings:
            guess = (below + above) // 2
        else:
            guess = min(guess + stride, above - 1) if below == guess else max(guess - stride, below + 1)
            stride *= 2
    for index in range(max(0, below - AROUND), min(n_settings, below + AROUND + 1)):
        yield from reaches(index)
