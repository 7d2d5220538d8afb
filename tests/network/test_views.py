"""Views of a picture: the whole of it scaled down as Pillow does it, and squares of it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from sursmr_codec.network import views as viewing
from sursmr_codec.network.views import REDUCING_GAP, views

SIZE = 16


@pytest.mark.parametrize(
    ("width", "height"),
    [(16, 16), (95, 97), (96, 96), (337, 211), (400, 40), (40, 400), (1, 700), (700, 1), (1001, 499)],
)
@pytest.mark.parametrize("strip_pixels", [1, 5000, 1 << 19])
def test_the_whole_picture_is_scaled_as_pillow_does_it(width, height, strip_pixels, monkeypatch):
    monkeypatch.setattr(viewing, "_STRIP_PIXELS", strip_pixels)
    rgb = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    picture = Image.fromarray(rgb)
    expected = picture.resize((SIZE, SIZE), Image.Resampling.BICUBIC, reducing_gap=REDUCING_GAP)
    (whole,) = views(rgb, SIZE, 0)
    np.testing.assert_array_equal(whole.transpose(1, 2, 0), np.asarray(expected))


def test_squares_are_parts_of_the_picture_the_first_its_middle():
    rgb = np.random.default_rng(1).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    seen = views(rgb, SIZE, 3)[1:].transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(seen[0], rgb[17:33, 27:43])
    windows = np.lib.stride_tricks.sliding_window_view(rgb, (SIZE, SIZE, 3))[:, :, 0]
    assert all((windows == square).all(axis=(-3, -2, -1)).sum() == 1 for square in seen)


def test_a_picture_smaller_than_a_square_is_continued_by_its_mirror_image():
    rgb = np.random.default_rng(2).integers(0, 256, (10, 40, 3), dtype=np.uint8)
    square = views(rgb, SIZE, 1)[1].transpose(1, 2, 0)
    np.testing.assert_array_equal(square[:10], rgb[:, 12:28])
    np.testing.assert_array_equal(square[10:], rgb[9:3:-1, 12:28])
