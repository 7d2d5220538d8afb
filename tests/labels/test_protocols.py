"""The protocol table, users' own files, and the committed fits behind the constants."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sursmr_codec.errors import UsageError
from sursmr_codec.labels import protocols, teachers
from sursmr_codec.labels.protocols import PsychometricCurve

PHI = NormalDist().cdf
CALIBRATION = Path(__file__).parents[2] / "benchmarks" / "calibration.json"

OFFICE = """
[office]
description = "Open-plan office, laptop screens."
display = "14-inch laptop"
distance = "0.5 m"

[office.ssimulacra2]
kind = "normal"
median = 70
spread = 10.5
source = "our own study"
confidence = "12 people"

[office.gmsd]
kind = "lognormal-falling"
top = 0.0
median = 0.01
spread = 0.5
"""


def test_the_named_protocols():
    assert protocols.names() == ["calibrated", "flicker", "side-by-side", "bisection", "jpeg-aic"]


@pytest.mark.parametrize("name", protocols.names())
def test_every_protocol_says_what_it_rests_on(name):
    condition = protocols.condition(name)
    assert condition.protocol.id == name
    assert condition.protocol.description.endswith(".")
    assert condition.display
    assert condition.distance
    assert {"cvvdp", "ssimulacra2"} <= set(condition.protocol.curves)
    for teacher, curve in condition.protocol.curves.items():
        assert curve.source
        assert condition.confidence[teacher].endswith(".")
        assert teachers.known(teacher).library in ("pycvvdp", "ssimulacra2", "imageio_ffmpeg")


@pytest.mark.parametrize("name", protocols.names())
def test_sur_falls_from_one_to_nothing_as_scores_worsen(name):
    for teacher, curve in protocols.load(name).curves.items():
        worst, best = teachers.known(teacher).score_range
        scores = [best + (worst - best) * i / 5000 for i in range(5001)]
        values = [curve.sur(score) for score in scores]
        assert values == sorted(values, reverse=True)
        # A normal curve may leave a few viewers unsatisfied by the original itself; callers know identity.
        assert values[0] > 0.98
        assert values[-1] < 0.01


def test_calibrated_stays_as_labels_were_made_with_it():
    # Recorded with every table of labels: a change here makes those labels another run's.
    curves = asdict(protocols.load("calibrated"))["curves"]
    assert {name: {**curve, "source": ""} for name, curve in curves.items()} == {
        "cvvdp": {"kind": "lognormal", "median": 0.45, "spread": 0.6, "top": 10.0, "source": ""},
        "ssimulacra2": {"kind": "normal", "median": 64.0, "spread": 12.0, "top": 0.0, "source": ""},
    }


def test_the_four_kinds_by_hand():
    def curve(kind, median, spread, top=0.0):
        return PsychometricCurve(kind, median, spread, top, "")

    assert curve("normal", 64, 12).sur(76) == pytest.approx(PHI(1))
    assert curve("normal-falling", 2, 0.5).sur(2.5) == pytest.approx(PHI(-1))
    assert curve("lognormal", 0.45, 0.6, 10).sur(9) == pytest.approx(PHI(math.log(0.45) / 0.6))
    assert curve("lognormal", 0.45, 0.6, 10).sur(10) == 1.0
    assert curve("lognormal", 6, 0.5, 97.43).sur(99) == 1.0
    assert curve("lognormal-falling", 0.01, 0.5).sur(0.01 * math.e) == pytest.approx(PHI(-2))
    assert curve("lognormal-falling", 0.01, 0.5).sur(0) == 1.0


@given(
    st.sampled_from(protocols.KINDS),
    st.floats(0.01, 100),
    st.floats(0.01, 50),
    st.floats(-1000, 1000),
    st.floats(0, 1000),
)
def test_curves_stay_in_range_and_never_turn(kind, median, spread, score, step):
    curve = PsychometricCurve(kind, median, spread, 50.0, "")
    better = score - step if kind.endswith("falling") else score + step
    assert 0.0 <= curve.sur(score) <= curve.sur(better) <= 1.0


def written(folder: Path, text: str) -> Path:
    path = folder / "office.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("as_type", [str, Path])
def test_a_file_of_ones_own_is_loaded_like_a_name(tmp_path, as_type):
    condition = protocols.condition(as_type(written(tmp_path, OFFICE)))
    assert condition.protocol.id == "office"
    assert condition.display == "14-inch laptop"
    assert condition.distance == "0.5 m"
    assert condition.confidence == {"ssimulacra2": "12 people", "gmsd": ""}
    curves = condition.protocol.curves
    assert curves["ssimulacra2"].sur(70) == pytest.approx(0.5)
    assert curves["ssimulacra2"].source == "our own study"
    assert curves["gmsd"].sur(0.01) == pytest.approx(0.5)


def test_a_bare_file_name_is_a_file(tmp_path, monkeypatch):
    written(tmp_path, OFFICE)
    monkeypatch.chdir(tmp_path)
    assert protocols.load("office.toml").id == "office"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("spread = 10.5", "spread = 0", r"office.toml: \[office.ssimulacra2\] spread must be above 0, not 0"),
        ("spread = 10.5", "spread = -1", r"\[office.ssimulacra2\] spread must be above 0, not -1"),
        ("spread = 10.5", "spread = 'wide'", r"\[office.ssimulacra2\] spread must be a number, not 'wide'"),
        ("spread = 10.5", "spread = true", r"\[office.ssimulacra2\] spread must be a number, not True"),
        ("spread = 10.5", "spread = nan", r"\[office.ssimulacra2\] spread must be a number, not nan"),
        ("spread = 10.5", "", r"\[office.ssimulacra2\] spread is missing"),
        ("median = 70", "", r"\[office.ssimulacra2\] median is missing"),
        ("median = 0.01", "median = -0.01", r"\[office.gmsd\] median must be above 0, not -0.01"),
        ("top = 0.0", "", r"\[office.gmsd\] top is missing"),
        ("median = 70", "median = 70\ncolour = 'red'", r"\[office.ssimulacra2\] colour is unknown"),
        ('kind = "normal"', "", r"\[office.ssimulacra2\] kind must be one of normal, .*, not ''"),
        ('kind = "normal"', "kind = 'weibull'", r"kind must be one of normal, .*, not 'weibull'"),
        ('"lognormal-falling"', '"lognormal"', r"\[office.gmsd\] kind lognormal does not suit.*fall with"),
        ('"normal"', '"normal-falling"', r"\[office.ssimulacra2\] kind .* scores of ssimulacra2 rise"),
        ("[office.gmsd]", "[office.gmds]", r"\[office.gmds\]: unknown teacher gmds; known: cvvdp"),
        ('source = "our own study"', "source = 3", r"\[office.ssimulacra2\] source must be a text, not 3"),
        ('description = "Open-plan office, laptop screens."', "", r"\[office\] description is missing"),
        ('display = "14-inch laptop"', "display = 14", r"\[office\] display must be a text, not 14"),
        ('display = "14-inch laptop"', "room = 'big'", r"\[office\] room is unknown; known: description"),
        ("[office.gmsd]", "[home.gmsd]", r"one table is wanted.*found \[office\], \[home\]"),
        ("[office]", "[office", r"office.toml is no TOML"),
    ],
)
def test_a_wrong_file_is_told_by_file_and_field(tmp_path, old, new, message):
    assert old in OFFICE
    path = written(tmp_path, OFFICE.replace(old, new, 1))
    with pytest.raises(UsageError, match=message) as caught:
        protocols.load(path)
    assert "office.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "found none"),
        ("office = 3", "office stands outside of a table"),
        ("[office]\ndescription = 'x'", r"\[office\] has no teacher"),
        (OFFICE.replace("office", "calibrated"), r"\[calibrated\] is the name of a protocol"),
    ],
)
def test_a_file_without_a_protocol_is_refused(tmp_path, text, message):
    with pytest.raises(UsageError, match=message):
        protocols.load(written(tmp_path, text))


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(
        UsageError, match=r"no protocol at .*nothing\.toml; known by name: calibrated, flicker"
    ):
        protocols.load(tmp_path / "nothing.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"binary\.toml cannot be read"):
        protocols.load(tmp_path / "binary.toml")
    with pytest.raises(UsageError, match=r"cannot be read"):
        protocols.load(str(tmp_path))


def test_the_option_names_every_protocol():
    from sursmr_codec.cli import options

    (option,) = options.Protocol.__metadata__
    assert f"refers to: {', '.join(protocols.names())}, or a .toml file" in option.help


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UsageError, match=r"unknown protocol nonsense; known: bisection, calibrated, flicker"):
        protocols.load("nonsense")


def test_measured_scores_take_a_file(tmp_path, kodim23):
    from sursmr_codec import codecs, images, predict
    from sursmr_codec.ladder import Ladder
    from sursmr_codec.types import Source

    photo = Source.from_array(images.read(kodim23).rgb[100:228, 300:460])
    predictor = predict.load("measured", protocol=str(written(tmp_path, OFFICE)))
    assert predictor.summary().protocol == "office/ssimulacra2+gmsd"
    (score,) = predictor.score(predictor.embed(photo), [Ladder(photo, codecs.get("jpeg"))[60]])
    curves = protocols.load(tmp_path / "office.toml").curves
    for name, (own, sur) in score.evidence.teachers.items():
        assert sur == curves[name].sur(own)


@pytest.fixture(scope="module")
def calibration():
    return json.loads(CALIBRATION.read_text())


def test_the_calibration_record_has_its_schema(calibration):
    assert calibration["schema"] == "sursmr-qp/calibration/2"
    assert set(calibration["all"]) == {"both", "cvvdp", "ssimulacra2", "constant"}
    assert set(calibration["protocols"]) == {"jpeg-aic", "bisection", "side-by-side"}
    for study in calibration["protocols"].values():
        assert {*protocols.names(), "constant"} <= set(study)
        assert all(set(errors) == {"mae", "bias"} for errors in study.values())


def test_fitted_constants_are_the_tables(calibration):
    """To the table's three digits; protocols that were fitted, and every teacher of theirs."""
    for name, fits in calibration["fits"].items():
        curves = protocols.load(name).curves
        assert set(curves) <= set(fits)
        for teacher, curve in curves.items():
            assert (curve.kind, curve.top) == (fits[teacher]["kind"], fits[teacher]["top"])
            assert curve.median == pytest.approx(fits[teacher]["median"], rel=0.005)
            assert curve.spread == pytest.approx(fits[teacher]["spread"], rel=0.005)
            assert fits[teacher]["table"] == {"median": curve.median, "spread": curve.spread}


def test_each_protocol_is_closest_to_its_own_study(calibration):
    for study, errors in calibration["protocols"].items():
        assert min(protocols.names(), key=lambda name: errors[name]["mae"]) == study
        assert errors[study]["mae"] < errors["constant"]["mae"] / 2
    held_out = calibration["protocols"]["jpeg-aic"]["jpeg-aic, left out"]["mae"]
    assert held_out < calibration["protocols"]["jpeg-aic"]["constant"]["mae"] / 2


def test_the_benchmark_makes_its_record_again(shared_data, calibration, monkeypatch):
    folder = CALIBRATION.parent
    monkeypatch.syspath_prepend(str(folder))
    from importlib import import_module

    again = import_module("calibration").compare(shared_data)
    for record in ("all", "by_codec", "protocols"):
        for name, study in calibration[record].items():
            for who, errors in study.items():
                assert again[record][name][who] == pytest.approx(errors, abs=1e-3), (record, name, who)
    for name, fits in calibration["fits"].items():
        for teacher, made in fits.items():
            assert again["fits"][name][teacher]["median"] == pytest.approx(made["median"], rel=0.005)
            assert again["fits"][name][teacher]["spread"] == pytest.approx(made["spread"], rel=0.005)


def test_the_page_on_protocols_is_up_to_date(calibration, tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "protocols.md").read_text("utf-8")
    for name in protocols.names():
        teachers_of = ", ".join(f"`{teacher}`" for teacher in protocols.load(name).curves)
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` |") and "cvvdp" in line]
        assert row.endswith(f"| {teachers_of} |")
        numbers = [f"{study[name]['mae']:.3f}" for study in calibration["protocols"].values()]
        (row,) = [
            line for line in page.splitlines() if line.startswith(f"| `{name}` | ") and "0." in line[:30]
        ]
        assert all(number in cell for number, cell in zip(numbers, row.split("|")[2:], strict=False))
    for teacher in (*teachers.TEACHERS, *(name.removeprefix("pyiqa:") for name in teachers.PAPER)):
        assert f"`{teacher}`" in page
    example = page.split("```toml\n")[1].split("```")[0]
    assert protocols.load(written(tmp_path, example)).id == "office"
