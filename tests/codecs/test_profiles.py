"""Colour profiles to sRGB."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageCms

from sursmr_codec.errors import ImageError
from sursmr_codec.images.colour import icc_colour_space, icc_to_srgb

_SMALL = np.full((4, 4, 3), 100, dtype=np.uint8)
_P3_TO_SRGB = np.array(
    [[1.224940, -0.224940, 0.0], [-0.042057, 1.042057, 0.0], [-0.019638, -0.078636, 1.098274]]
)
"""Linear light of Display P3 to that of sRGB, from the primaries of SMPTE EG 432-1 and IEC 61966-2-1."""


def srgb_of_p3(shown: tuple[int, int, int]) -> np.ndarray:
    """8-bit sRGB of a gamma-2.2 Display P3 colour, by the two spaces' definitions."""
    linear = np.clip(_P3_TO_SRGB @ (np.array(shown) / 255.0) ** 2.2, 0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize(
    "shown", [(128, 128, 128), (200, 100, 50), (60, 120, 200), (250, 10, 10), (255, 255, 255)]
)
def test_display_p3_becomes_srgb(shown: tuple[int, int, int], p3_profile: bytes) -> None:
    pixels = np.full((2, 2, 3), shown, dtype=np.uint8)
    assert np.abs(icc_to_srgb(pixels, p3_profile) - srgb_of_p3(shown)).max() <= 2


def test_srgb_profile_changes_nothing() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    np.testing.assert_array_equal(icc_to_srgb(pixels, profile), pixels)


@pytest.mark.parametrize("kept", [0, 100, 128, 140, 300])
def test_cut_profile_is_named(kept: int, p3_profile: bytes) -> None:
    with pytest.raises(ImageError, match="broken colour profile"):
        icc_to_srgb(_SMALL, p3_profile[:kept])


@pytest.mark.parametrize("space", ["GRAY", "CMYK"])
def test_profile_for_other_pixels_is_named(space: str, p3_profile: bytes) -> None:
    profile = p3_profile[:16] + space.encode() + p3_profile[20:]
    assert icc_colour_space(profile) == space
    with pytest.raises(ImageError, match=f"{space} pixels"):
        icc_to_srgb(_SMALL, profile)


@given(st.binary(max_size=600))
def test_random_profiles_raise_image_error(profile: bytes) -> None:
    with pytest.raises(ImageError):
        icc_to_srgb(_SMALL, profile)


@given(edits=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=12))
def test_mutated_profiles_convert_or_raise_image_error(
    edits: list[tuple[int, int]], p3_profile: bytes
) -> None:
    profile = bytearray(p3_profile)
    for position, value in edits:
        profile[position % len(profile)] = value
    try:
        converted = icc_to_srgb(_SMALL, bytes(profile))
    except ImageError:
        return
    assert converted.shape == _SMALL.shape
