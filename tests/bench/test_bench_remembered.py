"""Measured truth that is kept: nothing is asked twice, nothing is asked in vain, and it is the same truth."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from fake_bench import Sloped
from PIL import Image
from typer.testing import CliRunner

from sursmr_codec import bench, codecs, images
from sursmr_codec.bench import baselines, remembered
from sursmr_codec.bench.question import Question
from sursmr_codec.bench.remembered import Remembering
from sursmr_codec.cli.app import app
from sursmr_codec.errors import UsageError
from sursmr_codec.labels import protocols, sur
from sursmr_codec.labels.machines.geometry import Fit
from sursmr_codec.labels.machines.zoo import MachineRow
from sursmr_codec.labels.panel import Panel, PanelSetup
from sursmr_codec.ladder import Ladder
from sursmr_codec.search import meets
from sursmr_codec.types import Targets

N_MACHINES = 6
ASKED: Counter[str] = Counter()
"""How often each teacher and machine was asked."""


class Answers(Panel):
    """Teachers that fall with the mean error; a machine tells rough pictures from smooth ones."""

    def teacher(self, name, reference, distorted):
        ASKED[name] += 1
        error = float(np.abs(reference.astype(int) - distorted).mean())
        return 100.0 - 5 * error if name == "ssimulacra2" else 10.0 - error / 16

    def machine(self, name, rgb):
        ASKED[name] += 1
        number = int(name[1:])
        rough = float(np.abs(np.diff(rgb.astype(int), axis=1)).mean()) > 4 + number
        # Number 5 has no opinion.
        return {"kind": "labels", "indices": [int(rough)], "scores": [0.9 - 0.15 * number]}


class Setup(PanelSetup):
    def __init__(self, zoo, teacher_ids):
        self.ids = teacher_ids

    @property
    def teachers(self):
        return dict.fromkeys(self.ids, "fake 1")

    @property
    def rows(self):
        return tuple(
            MachineRow(
                name=f"c{number}",
                task="classification",
                weights=remembered.Path("none"),
                n_bytes=1,
                sha256="0" * 16,
                width=32,
                height=32,
                preprocess="01",
                fit=Fit.parse("squash"),
                config={"conf": 0.3},
                ms_busy_core=1.0,
                architecture="",
                trained_on="",
                source="",
                weights_group=f"c{number}",
                licence="",
            )
            for number in range(N_MACHINES)
        )

    def load(self):
        ASKED["load"] += 1
        return Answers()


@pytest.fixture(autouse=True)
def panel(monkeypatch):
    """The fake panel in place of a zoo's."""
    monkeypatch.setattr(remembered, "ZooSetup", Setup)
    monkeypatch.setattr(remembered, "TeachersOnly", lambda ids: Setup(None, ids))
    ASKED.clear()


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Two smooth pictures of 48x32."""
    folder = tmp_path_factory.mktemp("remembered")
    for number in (1, 2):
        noise = np.random.default_rng(number).normal(0, 6 + 6 * number, (32, 48, 1))
        ramp = np.linspace(40, 200, 48)[None, :, None] + noise.repeat(3, 2)
        Image.fromarray(ramp.clip(0, 255).astype(np.uint8)).save(folder / f"{number}.png")
    return folder


def ask(photos, cache, targets=None, zoo="zoo", **others):
    asked = {"baselines": baselines.several(["best-fixed", "ssimulacra2", "oracle"]), **others}
    return bench.run(
        Question(
            str(photos),
            targets=targets or Targets(0.6, 0.5),
            load_predictor=lambda _: Sloped(),
            truth="measured",
            load_judge=Remembering(str(cache), zoo),
            **asked,
        )
    )


def test_what_was_answered_is_not_asked_again(photos, tmp_path):
    first = ask(photos, tmp_path)
    assert ASKED["load"] == 1
    assert ASKED["cvvdp"] > 10
    ASKED.clear()
    again = ask(photos, tmp_path)
    assert ASKED.total() == 0
    assert again.by_codec == first.by_codec


def test_other_targets_share_the_answers(photos, tmp_path):
    ask(photos, tmp_path / "both")
    ask(photos, tmp_path / "both", Targets(0.5, 0.5))
    shared = ASKED["cvvdp"]
    ASKED.clear()
    ask(photos, tmp_path / "one")
    ask(photos, tmp_path / "other", Targets(0.5, 0.5))
    assert shared < ASKED["cvvdp"]


def test_only_who_matters_is_asked(photos, tmp_path):
    only = {"baselines": baselines.several(["best-fixed", "oracle"])}
    viewers = ask(photos, tmp_path / "viewers", Targets(0.6, 0), **only)
    assert set(ASKED) == {"cvvdp", "ssimulacra2", "load"}
    assert viewers.by_codec["jpeg"].picks[0].file.truth.smr is None
    ASKED.clear()
    machines = ask(photos, tmp_path / "machines", Targets(0, 0.5), **only)
    assert not {"cvvdp", "ssimulacra2"} & set(ASKED)
    assert machines.by_codec["jpeg"].picks[0].file.truth.sur is None
    # Who has no opinion on an original is not asked about its rungs.
    assert ASKED["c5"] == 2 < ASKED["c0"]


def test_the_oracle_is_the_highest_qp_of_all(photos, tmp_path):
    targets = Targets(0.6, 0.5)
    found = ask(photos, tmp_path, targets).by_codec["jpeg"].baselines[-1]
    judge = Remembering(str(tmp_path / "whole"), "zoo")(1)
    for name, file in zip(("1.png", "2.png"), found.files, strict=True):
        ladder = Ladder(images.read(photos / name), codecs.get("jpeg"))
        met = [qp for qp in range(1, 101) if meets(judge.file(ladder, qp, targets)[1], targets)]
        assert file.qp == max(met)
        assert file.n_bytes == len(ladder.written(file.qp))


def test_the_oracle_leaves_out_what_viewers_ruled_out(photos, tmp_path):
    few = {"baselines": baselines.several(["oracle"])}
    alone = ask(photos, tmp_path / "alone", **few)
    needed = ASKED["cvvdp"]
    ask(photos, tmp_path / "known", baselines=baselines.several(["qp=70", "qp=85"]))
    ASKED.clear()
    assert (
        ask(photos, tmp_path / "known", **few).by_codec["jpeg"].baselines == alone.by_codec["jpeg"].baselines
    )
    assert ASKED["cvvdp"] < needed


def test_it_is_the_measured_predictors_truth(photos, tmp_path):
    """Of the teachers that are installed, without machines."""
    ladder = Ladder(images.read(photos / "1.png"), codecs.get("jpeg"))
    judge = Remembering(str(tmp_path), None)(1)
    scores = {name: judge.metric(ladder, 40, name) for name in ("cvvdp", "ssimulacra2")}
    assert judge.viewers(ladder, 40) == sur.calibrated(scores, protocols.load("calibrated"))[0]


def test_machines_that_are_missing_are_said(photos, tmp_path, monkeypatch):
    monkeypatch.undo()
    with pytest.raises(UsageError, match="--zoo"):
        ask(photos, tmp_path, zoo=None)


def test_a_task_without_machines_is_refused(tmp_path):
    judge = Remembering(str(tmp_path), "zoo")(1)
    judge.check_jury("classification")
    with pytest.raises(UsageError, match="the zoo has 0"):
        judge.check_jury("detection")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [((), "--truth measured"), (("--truth", "measured", "--alpha", "flatten=#ffffff"), "--alpha")],
)
def test_a_cache_needs_measured_truth_of_files_as_they_are(photos, tmp_path, arguments, said):
    done = CliRunner().invoke(app, ["bench", str(photos), "--cache", str(tmp_path), "--smr", "0", *arguments])
    assert done.exit_code == 2
    assert said in done.stderr
