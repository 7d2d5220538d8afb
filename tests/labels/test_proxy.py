"""The proxy of equation 3: properties, and metrics measured along a real ladder."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sursmr_codec import codecs, images
from sursmr_codec.errors import MissingExtra, UsageError
from sursmr_codec.labels import proxy, teachers
from sursmr_codec.labels.teachers import Gmsd
from sursmr_codec.ladder import Ladder
from sursmr_codec.types import Source

SCORES = st.lists(st.floats(-50, 100), min_size=2, max_size=12).filter(lambda s: max(s) - min(s) > 1e-3)


@pytest.fixture(scope="module")
def ladder(kodim23) -> Ladder:
    return Ladder(Source.from_array(images.read(kodim23).rgb[60:260, 280:480]), codecs.get("jpeg"))


@given(SCORES, st.floats(0.1, 10), st.floats(-5, 5))
def test_units_and_direction_of_a_metric_do_not_matter(scores, factor, offset):
    curve = dict(enumerate(scores))
    ladder = range(len(scores))
    wanted = proxy.proxy({"a": curve}, ladder)
    moved = proxy.proxy({"a": {qp: factor * score + offset for qp, score in curve.items()}}, ladder)
    turned = proxy.proxy({"a": {qp: offset - factor * score for qp, score in curve.items()}}, ladder, {"a"})
    assert moved == pytest.approx(wanted, abs=1e-6)
    assert turned == pytest.approx(wanted, abs=1e-6)
    assert min(wanted.values()) == 0.0
    assert max(wanted.values()) == 1.0


def test_the_default_metrics_along_a_ladder(ladder):
    labels = proxy.measure(ladder, [1, 25, 50, 75, 100])
    assert list(labels.metrics) == ["ssim", "ms_ssim", "fsim", "gmsd"]
    assert all("piq" in version for version in labels.metrics.values())
    values = [labels.sur[qp] for qp in (1, 25, 50, 75, 100)]
    assert values == sorted(values, reverse=True)
    assert (values[0], values[-1]) == (1.0, 0.0)
    scaled = []
    for name, scores in labels.scores.items():
        best, worst = scores[1], scores[100]
        assert (best > worst) == (name != "gmsd")
        scaled.append((scores[50] - worst) / (best - worst))
    assert labels.sur[50] == pytest.approx(sum(scaled) / 4)


def test_one_metric_alone_may_be_asked_for(ladder):
    labels = proxy.measure(ladder, [1, 100], ["ssim"])
    assert list(labels.metrics) == ["ssim"]
    assert labels.sur == {1: 1.0, 100: 0.0}


def test_without_the_ladders_ends_there_is_no_label(ladder):
    labels = proxy.measure(ladder, [30, 60], ["gmsd"])
    assert labels.sur == {30: None, 60: None}
    assert set(labels.scores["gmsd"]) == {30, 60}


def test_directions_are_the_teachers_own():
    every = (*teachers.TEACHERS, *teachers.PAPER)
    assert {"gmsd", "pyiqa:lpips"} <= proxy.falling(every)
    assert not {"ssim", "cvvdp", "vmaf", "pyiqa:vif"} & proxy.falling(every)


def test_what_cannot_be_asked_is_told_before_anything_is_encoded(kodim23, monkeypatch):
    fresh = Ladder(Source.from_array(images.read(kodim23).rgb[:64, :64]), codecs.get("jpeg"))
    with pytest.raises(UsageError, match="nonsense"):
        proxy.measure(fresh, metrics=["ssim", "nonsense"])
    with pytest.raises(UsageError, match="downloads"):
        proxy.measure(fresh, metrics=["pyiqa:dists"], downloads=False)
    monkeypatch.setattr(Gmsd, "installed", classmethod(lambda _: False))
    with pytest.raises(MissingExtra, match="iqa"):
        proxy.measure(fresh)
    assert fresh.n_encodes == 0
