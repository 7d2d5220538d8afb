"""Metrics of pyiqa: made only when asked for, downloads only when allowed."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from types import ModuleType

import numpy as np
import pytest

from sursmr_codec.errors import MissingExtra, UnavailableError, UsageError
from sursmr_codec.labels import teachers
from sursmr_codec.labels.teachers import by_pyiqa

OFFLINE = {"pyiqa:ssim", "pyiqa:ms_ssim", "pyiqa:vif", "pyiqa:cw_ssim", "pyiqa:fsim"}


@pytest.fixture
def pyiqa(monkeypatch):
    """A stand-in for the library that writes down which metrics are made and what they are given."""
    module = ModuleType("pyiqa")
    module.made = []
    module.seen = []

    def create_metric(name, device=None):
        module.made.append((name, str(device)))

        def metric(distorted, reference):
            module.seen.append((tuple(distorted.shape), float(distorted.max()), float(reference.max())))
            return (distorted - reference).abs().mean()

        return metric

    module.create_metric = create_metric
    monkeypatch.setitem(sys.modules, "pyiqa", module)
    monkeypatch.setattr(by_pyiqa.PyiqaTeacher, "installed", classmethod(lambda _: True))
    return module


def test_the_papers_fourteen_are_there_under_pyiqas_names():
    assert len(teachers.PAPER) == 14
    assert {name for name in teachers.PAPER if not by_pyiqa.PAPER[name].downloads} == OFFLINE
    falling = {name for name in teachers.PAPER if not teachers.known(name).higher_is_better}
    assert falling == {
        *("pyiqa:lpips", "pyiqa:lpips-vgg", "pyiqa:pieapp", "pyiqa:dists"),
        *("pyiqa:stlpips", "pyiqa:stlpips-vgg"),
    }


def test_nothing_is_made_before_the_first_score(pyiqa):
    teacher = teachers.get("pyiqa:lpips", downloads=True)
    assert pyiqa.made == []
    white, black = np.full((80, 90, 3), 255, np.uint8), np.zeros((80, 90, 3), np.uint8)
    assert teacher.score(black, white) == pytest.approx(1.0)
    teacher.score(white, white)
    assert pyiqa.made == [("lpips", "cpu")]
    assert pyiqa.seen[0] == ((1, 3, 80, 90), 1.0, 0.0)


def test_small_pictures_are_padded(pyiqa):
    tiny = np.zeros((3, 70, 3), np.uint8)
    teachers.get("pyiqa:ms_ssim").score(tiny, tiny)
    assert pyiqa.seen[0][0] == (1, 3, 176, 176)


@pytest.mark.parametrize("teacher_id", sorted(set(teachers.PAPER) - OFFLINE))
def test_downloads_need_permission(teacher_id, monkeypatch):
    monkeypatch.delenv(by_pyiqa.ALLOW, raising=False)
    with pytest.raises(UsageError, match=r"downloads its weights.*SURSMR_ALLOW_DOWNLOADS=1"):
        teachers.get(teacher_id)
    monkeypatch.setenv(by_pyiqa.ALLOW, "1")
    assert teachers.get(teacher_id).id == teacher_id
    with pytest.raises(UsageError, match="downloads"):
        teachers.get(teacher_id, downloads=False)


@pytest.mark.parametrize("teacher_id", sorted(OFFLINE))
def test_metrics_without_weights_need_none(teacher_id, monkeypatch):
    monkeypatch.delenv(by_pyiqa.ALLOW, raising=False)
    assert teachers.get(teacher_id).id == teacher_id


def test_a_download_that_fails_is_told(pyiqa, monkeypatch):
    def unreachable(name, device=None):
        raise OSError("no route to host")

    monkeypatch.setattr(pyiqa, "create_metric", unreachable)
    picture = np.zeros((64, 64, 3), np.uint8)
    teacher = teachers.get("pyiqa:dists", downloads=True)
    with pytest.raises(UnavailableError, match=r"cannot make dists: no route to host"):
        teacher.score(picture, picture)


def test_without_pyiqa_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(by_pyiqa.PyiqaTeacher, "installed", classmethod(lambda _: False))
    with pytest.raises(MissingExtra, match=r"sursmr-qp\[iqa\]"):
        teachers.get("pyiqa:vif").require()


@pytest.mark.skipif(find_spec("pyiqa") is None, reason="pyiqa is not installed")
@pytest.mark.parametrize("teacher_id", sorted(teachers.PAPER))
def test_names_and_directions_are_pyiqas(teacher_id):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pyiqa.default_model_configs import DEFAULT_CONFIGS
    config = DEFAULT_CONFIGS[teacher_id.removeprefix(by_pyiqa.PREFIX)]
    assert config["metric_mode"] == "FR"
    assert config.get("lower_better", False) is not teachers.known(teacher_id).higher_is_better


@pytest.mark.skipif(find_spec("pyiqa") is None, reason="pyiqa is not installed")
@pytest.mark.parametrize("teacher_id", sorted(OFFLINE))
def test_offline_metrics_of_pyiqa_run(teacher_id, kodim23):
    from sursmr_codec import images

    rgb = images.read(kodim23).rgb[:200, :200]
    coarse = rgb // 32 * 32
    teacher = teachers.get(teacher_id)
    assert teacher.score(rgb, rgb) == pytest.approx(1.0, abs=1e-3)
    assert teacher.score(rgb, coarse) < 0.999
