"""Miniature copies of published data sets, written in their layouts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from miniatures import BPG_RATINGS, JPEG_RATINGS, SUBJECTS, picture, rating_row, write_csv


@pytest.fixture
def konjnd(tmp_path) -> Path:
    """One JPEG and one BPG source, as published: three digits, a JSON list, half steps for BPG."""
    root = tmp_path / "KonJND-1k"
    picture(root / "source_image" / "SRC0001.png")
    picture(root / "source_image" / "SRC0505.png")
    for level in range(1, 101):
        picture(root / "jpeg" / f"SRC0001_JPEG_{level:03d}.jpg")
    for level in range(1, 52):
        picture(root / "bpg" / f"SRC0505_BPG_{level:03d}.png")
    rows = [rating_row("SRC0001.png", "JPEG", JPEG_RATINGS), rating_row("SRC0505.png", "BPG", BPG_RATINGS)]
    write_csv(root / "subjective_ratings.csv", rows)
    return root


@pytest.fixture
def mcl_jci(tmp_path) -> Path:
    """Two sources; the first one's bitmap lies in a folder BMP, as in some copies."""
    root = tmp_path / "MCL-JCI"
    for number in (1, 2):
        name = f"ImageJND_SRC{number:02d}"
        picture(root / "source_images" / ("BMP" if number == 1 else "") / f"{name}.bmp")
        for quality in range(1, 101):
            picture(root / "distorted_image" / name / f"{name}_{quality:03d}.jpg", (4, 4))
        samples = root / "JND_samples" / f"JND_image_{number:02d}.txt"
        samples.parent.mkdir(exist_ok=True)
        samples.write_text("".join(" ".join(map(str, subject)) + "\n" for subject in SUBJECTS))
    return root


WriteStudy = Callable[..., Path]


@pytest.fixture
def write_study(tmp_path) -> WriteStudy:
    """A function that writes a study of two sources with QP 13..15, and returns its folder."""

    def write(rows: Sequence[Mapping[str, object]], **fields: object) -> Path:
        root = tmp_path / "study"
        for source in ("a", "b"):
            picture(root / "sources" / f"{source}.png")
            for level in (13, 14, 15):
                picture(root / "distorted" / source / f"{source}_{level:03d}.png")
        write_csv(root / "labels.csv", rows)
        given = {
            "name": "VVC-JND",
            "codec": "vvc",
            "table": "labels.csv",
            "sources": "sources",
            "distorted": "distorted",
            "levels": [13, 15],
            "pattern": "{source}/{source}_{level:03d}.png",
        } | fields
        (root / "study.toml").write_text(
            "".join(f"{key} = {json.dumps(value)}\n" for key, value in given.items() if value is not None)
        )
        return root

    return write
