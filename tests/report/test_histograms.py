"""The histograms of the page: every bar, in the page's colours, and nothing that leaks out of them."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import fabricated

from sursmr_codec.report.histograms import common_target, draw
from sursmr_codec.report.totals import histogram

QP = histogram("QP", [30, 33, 33, 31], finest=1.0)
SUR = histogram("SUR", [0.75, 0.756, 0.76, 0.81], finest=0.005, most=1.0)


def titles(drawing):
    svg = ElementTree.fromstring(drawing)
    return [title.text for title in svg.iter("{http://www.w3.org/2000/svg}title")]


def test_every_bar_says_what_it_is():
    assert titles(draw(QP)) == [
        "QP 30: 1 picture",
        "QP 31: 1 picture",
        "QP 32: 0 pictures",
        "QP 33: 2 pictures",
    ]
    assert titles(draw(SUR))[:3] == [
        "SUR 0.75 to 0.755: 1 picture",
        "SUR 0.755 to 0.76: 1 picture",
        "SUR 0.76 to 0.765: 1 picture",
    ]


def test_bars_are_as_high_as_their_counts():
    svg = ElementTree.fromstring(draw(QP))
    heights = []
    for group in svg.iter("{http://www.w3.org/2000/svg}g"):
        if group.find("{http://www.w3.org/2000/svg}title") is not None:
            path = group.find("{http://www.w3.org/2000/svg}path").get("d")
            ys = [float(y) for y in re.findall(r"[ML] \S+ (\S+)", path)]
            heights.append(max(ys) - min(ys))
    assert [round(height / heights[0], 3) for height in heights] == [1, 1, 0, 2]


def test_colours_are_the_pages_and_text_stays_text():
    drawing = draw(SUR, 0.75)
    assert "var(--sur)" in drawing
    assert "target 0.75" in drawing
    assert re.findall(r"(?:fill|stroke): (?!none|var\()[^;\"]+", drawing) == []
    assert "font-family" not in drawing
    assert "target" not in draw(SUR)


def test_nothing_reaches_beyond_the_drawing():
    one, other = draw(QP), draw(SUR, 0.75)
    assert "<style" not in one
    assert "<metadata" not in one
    ids = [re.findall(r'\bid="([^"]+)"', drawing) for drawing in (one, other)]
    assert not set(ids[0]) & set(ids[1])
    for drawing, own in zip((one, other), ids, strict=True):
        assert set(re.findall(r"#(\w+)", drawing)) <= set(own)


def test_the_same_results_give_the_same_drawing():
    assert draw(SUR, 0.75) == draw(SUR, 0.75)


def test_a_target_is_marked_where_all_picks_share_it():
    same = [fabricated.done(), fabricated.done(), fabricated.skipped()]
    assert common_target(same, "sur") == 0.75
    assert common_target(same, "qp") is None
    other = fabricated.done(targets={"sur": 0.8, "smr": 0, "risk": None})
    assert common_target([fabricated.done(), other], "sur") is None
    assert common_target([other], "smr") is None
    assert common_target([], "sur") is None
