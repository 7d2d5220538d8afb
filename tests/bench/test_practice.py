"""Ways of choosing a quality that picks stand beside: each does what it is described to do."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from fake_bench import Sloped

from sursmr_codec import codecs, images
from sursmr_codec.labels import teachers
from sursmr_codec.ladder import Ladder
from sursmr_codec.types import Targets

BENCHMARKS = Path(__file__).resolve().parent.parent.parent / "benchmarks"
EXAMPLE = BENCHMARKS.parent / "docs" / "examples" / "kodim23.png"


@pytest.fixture(scope="module")
def ways():
    """The module, and the table's beside it."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import practice_tables
        import practice_ways

        yield practice_ways, practice_tables
    finally:
        sys.path.remove(str(BENCHMARKS))


@pytest.fixture
def picture(ways):
    """A corner of a photograph."""
    whole = images.read(EXAMPLE)
    source = whole.from_array(whole.rgb[100:196, 100:228])
    return ways[0].Picture(source, Ladder(source, codecs.get("jpeg")), Sloped())


def scored(monkeypatch, ways, score):
    """Replace SSIMULACRA2 by a function of quality; gives the qualities that are asked about."""
    asked = []

    def of(picture, quality):
        asked.append(quality)
        picture.decoded(quality)
        return score(quality)

    monkeypatch.setattr(ways[0], "_ssimulacra2", of)
    return asked


def test_a_fixed_quality_is_that_of_pillow(ways, picture):
    assert ways[0].fixed(75).choose(picture) == 26
    assert picture.ladder.codec.native(26) == {"quality": 75}


@pytest.mark.parametrize("curve", [lambda q: q, lambda q: 100 * (q / 100) ** 0.3, lambda q: 60 + q / 4])
def test_a_strict_search_writes_the_lowest_quality_that_reaches_the_score(ways, picture, monkeypatch, curve):
    asked = scored(monkeypatch, ways, curve)
    qp = ways[0].strict().choose(picture)
    assert 101 - qp == min(quality for quality in range(1, 101) if curve(quality) >= 80)
    assert len(asked) == len(set(asked)) == picture.ladder.n_encodes <= 15


def test_a_score_out_of_reach_gives_the_highest_quality(ways, picture, monkeypatch):
    scored(monkeypatch, ways, lambda quality: quality / 2)
    assert ways[0].strict().choose(picture) == 1


def test_a_tolerant_search_stops_near_the_score(ways, picture, monkeypatch):
    asked = scored(monkeypatch, ways, lambda quality: quality + 3.5)
    assert 101 - ways[0].tolerant().choose(picture) == asked[-1] == 75
    asked = scored(monkeypatch, ways, lambda quality: 2.0 * quality)
    assert abs(2 * (101 - ways[0].tolerant().choose(picture)) - 80) < 2
    assert len(asked) <= 6
    scored(monkeypatch, ways, lambda quality: 0.0 if quality < 60 else 100.0)
    assert 101 - ways[0].tolerant().choose(picture) >= 60


def test_a_search_on_ssim_stays_within_its_qualities(ways, picture):
    assert ways[0].recompress(2.0).choose(picture) == 101 - 95
    assert ways[0].recompress(-1.0).choose(picture) == 101 - 40
    wanted = ways[0].ssim(picture.source.rgb, picture.decoded(70))
    assert abs((101 - ways[0].recompress(wanted).choose(picture)) - 70) <= 2


def test_ssim_is_near_that_of_a_known_library(ways):
    noise = np.random.default_rng(1).normal(0, 4, (96, 128, 1)).repeat(3, 2)
    grey = np.linspace(0, 255, 128)[None, :, None].repeat(96, 0).repeat(3, 2)
    one, other = (np.clip(grey + part, 0, 255).astype(np.uint8) for part in (0, noise))
    assert ways[0].ssim(one, one) == pytest.approx(1)
    # That one weighs an 11x11 window, this one all of 8x8.
    assert ways[0].ssim(one, other) == pytest.approx(teachers.get("ssim").score(one, other), abs=0.06)


def test_picks_are_those_of_pick(ways, picture):
    from sursmr_codec.picking import pick

    targets = Targets(0.6, 0.9)
    assert (
        ways[0].picked(targets).choose(picture) == pick(picture.source, targets, predictor=Sloped()).chosen.qp
    )


def test_every_kept_result_holds_what_the_table_shows(ways):
    for path in BENCHMARKS.glob("practice.json"):
        record = json.loads(path.read_text())
        page = ways[1].markdown(record)
        for part in record["parts"].values():
            assert [row["way"] for row in part["rows"]] == [way.name for way in ways[0].WAYS]
            for row in part["rows"]:
                assert row["both_percent"] <= min(row["viewers_percent"], row["machines_percent"])
                assert f"| {row['way']} | {row['n_bytes']:,} |" in page
                assert row["n_encodes_mean"] >= 1
