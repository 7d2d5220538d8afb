"""Quality from quantisation tables, against the tables that libjpeg writes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from sursmr_codec.images.jpeg_quality import estimate_quality, luma_table


@pytest.mark.parametrize("quality", range(1, 101))
def test_every_quality_of_libjpeg(quality: int):
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG", quality=quality)
    with Image.open(file) as picture:
        table = picture.quantization[0]
    np.testing.assert_array_equal(table, luma_table(quality))
    assert estimate_quality(table) == quality


def test_tables_that_are_one_off_belong_to_the_nearest_quality():
    table = luma_table(60)
    table[5] += 1
    assert estimate_quality(table.tolist()) == 60


def test_other_tables_have_no_quality():
    assert estimate_quality([16] * 64) is None
    table = luma_table(60)
    table[5] += 2
    assert estimate_quality(table.tolist()) is None
    assert estimate_quality([1, 2, 3]) is None
