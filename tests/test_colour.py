"""The colour path: BT.601 full range against the standard's own formula."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image

from sursmr_codec.errors import UsageError
from sursmr_codec.images.colour import Planes, planes_to_rgb, rgb_to_planes
from sursmr_codec.types import Pixels

even_pictures = st.tuples(st.integers(1, 8), st.integers(1, 8)).flatmap(
    lambda halves: arrays.arrays(np.uint8, (2 * halves[0], 2 * halves[1], 3))
)


def bt601(pixels: Pixels, bit_depth: int) -> NDArray[np.float64]:
    """Y, Cb, Cr before rounding, by equations 38..40 of ITU-T H.273 with KR 0.299 and KB 0.114."""
    red, green, blue = np.moveaxis(pixels.astype(np.float64) / 255.0, 2, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    top, zero = 2**bit_depth - 1, 2 ** (bit_depth - 1)
    return np.stack([top * luma, top * (blue - luma) / 1.772 + zero, top * (red - luma) / 1.402 + zero])


def from_bt601(
    y: NDArray[np.float64], cb: NDArray[np.float64], cr: NDArray[np.float64]
) -> NDArray[np.float64]:
    """8-bit R, G, B before rounding, by the inverse of the same equations."""
    red, blue = y + 1.402 * (cr - 128), y + 1.772 * (cb - 128)
    return np.stack([red, (y - 0.299 * red - 0.114 * blue) / 0.587, blue], axis=2)


@pytest.mark.parametrize("bit_depth", [8, 10, 12])
def test_444_is_the_standard_rounded(bit_depth: int) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    planes = rgb_to_planes(pixels, "444", bit_depth)
    expected = bt601(pixels, bit_depth)
    for plane, ideal in zip((planes.y, planes.cb, planes.cr), expected, strict=True):
        assert np.abs(plane - np.clip(ideal, 0, 2**bit_depth - 1)).max() <= 0.51


@given(even_pictures)
def test_420_chroma_is_the_mean_of_each_block(pixels: Pixels) -> None:
    planes = rgb_to_planes(pixels, "420")
    _, cb, cr = bt601(pixels, 8)
    for plane, full in ((planes.cb, cb), (planes.cr, cr)):
        mean = full.reshape(full.shape[0] // 2, 2, -1, 2).mean(axis=(1, 3))
        assert np.abs(plane - np.clip(mean, 0, 255)).max() <= 0.51


@given(even_pictures)
def test_444_round_trip_stays_within_two(pixels: Pixels) -> None:
    back = planes_to_rgb(rgb_to_planes(pixels, "444"))
    assert np.abs(back.astype(int) - pixels).max() <= 2


def test_444_back_is_the_standard_rounded() -> None:
    rng = np.random.default_rng(3)
    y, cb, cr = rng.integers(0, 256, (3, 32, 32), dtype=np.uint8)
    ideal = np.clip(from_bt601(y.astype(float), cb.astype(float), cr.astype(float)), 0, 255)
    assert np.abs(planes_to_rgb(Planes(y, cb, cr)) - ideal).max() <= 0.51


def test_420_raises_chroma_bilinearly_from_block_centres() -> None:
    """Against an upscale by Pillow, whose bilinear filter is centre-sited too."""
    rng = np.random.default_rng(4)
    y = np.full((24, 32), 128, dtype=np.uint8)
    cb, cr = rng.integers(90, 166, (2, 12, 16), dtype=np.uint8)
    raised = [
        np.asarray(Image.fromarray(c.astype(np.float32)).resize((32, 24), Image.Resampling.BILINEAR))
        for c in (cb, cr)
    ]
    ideal = from_bt601(y.astype(float), raised[0].astype(float), raised[1].astype(float))
    assert np.abs(planes_to_rgb(Planes(y, cb, cr)) - ideal).max() <= 0.51


@pytest.mark.parametrize("bit_depth", [8, 9, 10, 11, 12])
@pytest.mark.parametrize("chroma", ["420", "444"])
def test_grey_survives_exactly(bit_depth: int, chroma: str) -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint8)[:, None, None], (1, 4, 3))
    planes = rgb_to_planes(ramp, "444" if chroma == "444" else "420", bit_depth)
    assert planes.y.max() == 2**bit_depth - 1
    assert set(np.unique(planes.cb)) == set(np.unique(planes.cr)) == {2 ** (bit_depth - 1)}
    np.testing.assert_array_equal(planes_to_rgb(planes), ramp)


@pytest.mark.parametrize("bit_depth", [8, 10, 12])
def test_extreme_colours_do_not_overflow(bit_depth: int) -> None:
    corners = np.array(
        [[[r, g, b]] * 4 for r in (0, 255) for g in (0, 255) for b in (0, 255)], dtype=np.uint8
    )
    whole = np.repeat(corners, 4, axis=0)
    for planes in (rgb_to_planes(whole, "444", bit_depth), rgb_to_planes(whole, "420", bit_depth)):
        # Rows 1 and 2 of each band of four take their chroma from that band alone.
        back = planes_to_rgb(planes)[1::4]
        assert np.abs(back.astype(int) - whole[1::4]).max() <= 2


@pytest.mark.parametrize("shape", [(3, 4), (4, 3)])
def test_420_refuses_odd_sizes(shape: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="even size"):
        rgb_to_planes(np.zeros((*shape, 3), dtype=np.uint8))


def test_misfitting_chroma_is_refused() -> None:
    plane = np.zeros((8, 8), dtype=np.uint8)
    with pytest.raises(UsageError, match="does not fit"):
        planes_to_rgb(Planes(plane, plane[:3, :4], plane[:3, :4]))


@pytest.mark.parametrize("bit_depth", [7, 13])
def test_other_bit_depths_are_refused(bit_depth: int) -> None:
    plane = np.zeros((8, 8), dtype=np.uint8)
    with pytest.raises(UsageError, match="bits a sample"):
        rgb_to_planes(np.zeros((8, 8, 3), dtype=np.uint8), "444", bit_depth)
    with pytest.raises(UsageError, match="bits a sample"):
        planes_to_rgb(Planes(plane, plane, plane, bit_depth))
