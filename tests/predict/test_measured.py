"""Measured scores: teachers through their curves, and every machine of a zoo."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from sursmr_codec import codecs, images, predict
from sursmr_codec.errors import ImageError, MissingExtra, UsageError
from sursmr_codec.labels import protocols, sur, teachers
from sursmr_codec.labels.teachers import TEACHERS, Cvvdp, Ssimulacra2
from sursmr_codec.ladder import Ladder
from sursmr_codec.predict.base import Embedding
from sursmr_codec.predict.measured import MAX_PIXELS
from sursmr_codec.types import Rung, Source, Targets

PHI = NormalDist().cdf


@pytest.fixture(scope="module")
def photo(kodim23):
    whole = images.read(kodim23)
    return Source.from_array(whole.rgb[100:228, 300:460])


def rung_of(source: Source, qp: int) -> Rung:
    return Ladder(source, codecs.get("jpeg"))[qp]


def test_protocol_constants_by_hand():
    curves = protocols.load("calibrated").curves
    assert curves["ssimulacra2"].sur(64) == pytest.approx(0.5)
    assert curves["ssimulacra2"].sur(76) == pytest.approx(PHI(1))
    assert curves["cvvdp"].sur(10 - 0.45) == pytest.approx(0.5)
    assert curves["cvvdp"].sur(9) == pytest.approx(PHI(math.log(0.45) / 0.6))
    assert curves["cvvdp"].sur(10) == 1.0
    assert all(curve.source for curve in curves.values())


def test_sur_is_the_mean_of_the_teachers():
    mean, each = sur.calibrated({"cvvdp": 9.55, "ssimulacra2": 76.0}, protocols.load("calibrated"))
    assert mean == pytest.approx((0.5 + PHI(1)) / 2)
    assert each == pytest.approx({"cvvdp": 0.5, "ssimulacra2": PHI(1)})


def test_unknown_names_list_the_known_ones():
    with pytest.raises(UsageError, match="calibrated"):
        protocols.load("nonsense")
    with pytest.raises(UsageError, match="ssimulacra2"):
        teachers.get("nonsense")
    with pytest.raises(UsageError, match="measured"):
        predict.load("nonsense")


def test_ssimulacra2_equals_its_library_on_files(photo, tmp_path):
    from PIL import Image
    from ssimulacra2 import compute_ssimulacra2

    distorted = rung_of(photo, 50).decoded
    Image.fromarray(photo.rgb).save(tmp_path / "reference.png")
    Image.fromarray(distorted).save(tmp_path / "distorted.png")
    wanted = compute_ssimulacra2(tmp_path / "reference.png", tmp_path / "distorted.png")
    assert Ssimulacra2().score(photo.rgb, distorted) == wanted


def test_cvvdp_equals_its_library(photo):
    from pycvvdp import cvvdp

    distorted = rung_of(photo, 50).decoded
    wanted, _ = cvvdp(display_name="standard_fhd", quiet=True).predict(distorted, photo.rgb, dim_order="HWC")
    assert Cvvdp().score(photo.rgb, distorted) == pytest.approx(float(wanted), abs=1e-4)


def test_identical_pictures_satisfy_everyone(photo):
    predictor = predict.load("measured")
    (score,) = predictor.score(predictor.embed(photo), [Rung("png", None, b"x", photo.rgb)])
    assert score.sur == 1.0
    assert score.smr is None


def test_both_teachers_stand_in_the_evidence(photo):
    predictor = predict.load("measured")
    (score,) = predictor.score(predictor.embed(photo), [rung_of(photo, 60)])
    assert set(score.evidence.teachers) == {"cvvdp", "ssimulacra2"}
    assert score.sur == pytest.approx(np.mean([sur for _, sur in score.evidence.teachers.values()]))
    assert predictor.summary().protocol == "calibrated/cvvdp+ssimulacra2"
    assert predictor.warnings(predictor.embed(photo)) == ()


def test_without_cvvdp_it_says_so(photo, monkeypatch):
    both = predict.load("measured").summary().sha256
    monkeypatch.setattr(Cvvdp, "installed", classmethod(lambda _: False))
    predictor = predict.load("measured")
    assert predictor.summary().protocol == "calibrated/ssimulacra2"
    assert predictor.summary().sha256 != both
    assert "sursmr-qp[labels]" in predictor.warnings(predictor.embed(photo))[0]


def test_without_any_teacher_it_names_the_extra(monkeypatch):
    for teacher in TEACHERS.values():
        monkeypatch.setattr(teacher, "installed", classmethod(lambda _: False))
    with pytest.raises(MissingExtra, match=r"sursmr-qp\[measured\]"):
        predict.load("measured")


def test_targets_it_cannot_judge_are_refused():
    predictor = predict.load("measured")
    predictor.check(Targets(0.75, 0))
    with pytest.raises(UsageError, match="--zoo"):
        predictor.check(Targets(0.75, 0.9))
    with pytest.raises(UsageError, match="risk"):
        predictor.check(Targets(0.75, 0, risk=0.1))


def test_too_many_pixels_are_refused_before_memory_is_taken():
    pixels = np.broadcast_to(np.uint8(0), (MAX_PIXELS // 1000 + 1, 1000, 3))
    with pytest.raises(ImageError, match="megapixels"):
        predict.load("measured").embed(Source(rgb=pixels, native=pixels))


def test_embedding_of_another_predictor_is_refused(photo):
    with pytest.raises(TypeError):
        predict.load("measured").score(Embedding(), [])


def test_machines_vote_on_a_photograph(shared_data, kodim23):
    source = images.read(kodim23)
    predictor = predict.load("measured", zoo=shared_data / "machines")
    predictor.check(Targets(0.75, 0.9))
    embedding = predictor.embed(source)
    good, bad = predictor.score(embedding, [rung_of(source, 5), rung_of(source, 99)])
    assert good.smr > 0.9 > bad.smr
    assert good.evidence.n_counting == bad.evidence.n_counting >= 20
    assert len(good.evidence.satisfied) == 27
    assert bad.smr == pytest.approx(1 - len(bad.evidence.flipped) / bad.evidence.n_counting)
    again = predict.load("measured", zoo=shared_data / "machines", threads=1)
    assert again.summary() == predictor.summary()
    (repeated,) = again.score(again.embed(source), [rung_of(source, 99)])
    assert repeated.evidence.satisfied == bad.evidence.satisfied


def test_a_picture_nobody_recognises_has_no_smr(shared_data):
    grey = Source.from_array(np.full((64, 64, 3), 128, np.uint8))
    predictor = predict.load("measured", zoo=shared_data / "machines")
    embedding = predictor.embed(grey)
    (score,) = predictor.score(embedding, [rung_of(grey, 50)])
    assert score.smr is None
    assert any("confident opinion" in line for line in predictor.warnings(embedding))
