"""Every row of the table of input files, read."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from images.bad_inputs import ROWS
from images.input_rows.row import OK, Row

from sursmr_codec import images
from sursmr_codec.errors import ImageError


def _reading(row: Row) -> images.Reading:
    return images.Reading(
        alpha=images.parse_alpha(row.setting("--alpha") or "refuse"),
        gain_map=row.setting("--gain-map") or "refuse",
        max_pixels=int(row.setting("--max-pixels") or images.MAX_PIXELS),
    )


def test_names_are_unique():
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("row", [row for row in ROWS if row.exit_code == OK], ids=lambda row: row.name)
def test_readable(row: Row, tmp_path: Path):
    path = row.build(tmp_path)
    source = images.read(path, _reading(row))
    assert source.rgb.dtype == np.uint8
    assert source.rgb.flags.c_contiguous
    assert source.native.shape == source.rgb.shape
    assert source.encoded == path.read_bytes()
    assert source.sha256 == hashlib.sha256(source.encoded).hexdigest()
    assert source.path == str(path)
    if row.message:
        assert any(row.message in warning for warning in source.warnings), source.warnings
    else:
        assert source.warnings == ()
    assert all("\n" not in warning for warning in source.warnings)
    if row.pixels is not None:
        assert source.rgb.shape == row.pixels.shape
        away = np.abs(source.rgb.astype(int) - row.pixels)
        # Lossy codecs ring at edges between patches; their flat parts have to be right.
        worst = away.max() if row.tolerance < 3 else np.quantile(away, 0.9)
        assert worst <= row.tolerance
    if row.n_pixels:
        assert source.width * source.height == row.n_pixels


@pytest.mark.parametrize("row", [row for row in ROWS if row.exit_code != OK], ids=lambda row: row.name)
def test_refused_in_one_line(row: Row, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    path = row.build(tmp_path)
    with row.user(), pytest.raises(ImageError) as caught:
        images.read(path, _reading(row))
    text = str(caught.value)
    assert caught.value.exit_code == row.exit_code
    assert row.message in text
    assert "\n" not in text
    name = str(path) if str(path).isprintable() else repr(str(path))
    assert text.startswith(f"{name}: ")
    assert text.count(name) == 1
    assert capfd.readouterr() == ("", "")
