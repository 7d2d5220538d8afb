"""Picks, truths and baselines on pictures whose true answers are known."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from fake_bench import SENSITIVITIES, Sloped, highest

from sursmr_codec import bench
from sursmr_codec.bench import baselines, compare
from sursmr_codec.bench.events import events
from sursmr_codec.bench.question import Question, listed
from sursmr_codec.errors import ImageError, MissingExtra, UnavailableError, UsageError
from sursmr_codec.labels.teachers import Ssimulacra2
from sursmr_codec.types import SearchSettings, Targets


def ask(pictures, predictor=None, judge=None, **others):
    """The result of a question at SUR 0.6, viewers only unless told otherwise."""
    asked = {"targets": Targets(0.6, 0), "baselines": baselines.several(["best-fixed", "oracle"]), **others}
    load_judge = None if judge is None else lambda _: judge
    predictor = predictor or Sloped()
    return bench.run(
        Question(str(pictures), load_predictor=lambda _: predictor, load_judge=load_judge, **asked)
    )


def of(result, name):
    return next(one for one in result.by_codec["jpeg"].baselines if one.name == name)


def test_a_perfect_predictor_is_the_oracle(pictures):
    result = ask(pictures)
    comparison = result.by_codec["jpeg"]
    assert [pick.file.qp for pick in comparison.picks] == [highest(red, 0.6) for red in SENSITIVITIES]
    assert [file.qp for file in of(result, "oracle").files] == [pick.file.qp for pick in comparison.picks]
    assert of(result, "oracle").saved_percent == pytest.approx(0)
    assert comparison.oracle_percent == pytest.approx(100)
    fixed = of(result, "best-fixed")
    assert fixed.setting == highest(max(SENSITIVITIES), 0.6)
    assert fixed.met_percent == 100
    assert fixed.n_bytes_compared == sum(file.n_bytes for file in fixed.files)
    written = sum(pick.file.n_bytes for pick in comparison.picks)
    assert fixed.saved_percent == pytest.approx(100 * (1 - written / fixed.n_bytes_compared))
    assert fixed.saved_percent > 5
    low, high = fixed.interval
    assert low <= fixed.saved_percent <= high


def test_every_judged_file_was_scored_at_its_own_qp(pictures):
    judge = Sloped(shift=3)
    result = ask(pictures, judge=judge, truth="measured")
    scored = set(judge.scored)
    for number, red in enumerate(SENSITIVITIES):
        pick = result.by_codec["jpeg"].picks[number]
        for file in (pick.file, *(one.files[number] for one in result.by_codec["jpeg"].baselines)):
            assert (red, file.qp) in scored
            assert file.truth.sur == pytest.approx(max(0.0, 1 - (file.qp + 3) * red / 10000))
    assert len(judge.scored) == len(scored)


def test_picks_that_miss_in_truth_are_compared_at_their_share(pictures):
    result = ask(pictures, judge=Sloped(shift=3), truth="measured")
    comparison = result.by_codec["jpeg"]
    assert [pick.file.met for pick in comparison.picks] == [False] * 6
    assert all(pick.reachable for pick in comparison.picks)
    assert of(result, "best-fixed").n_bytes_compared < sum(pick.file.n_bytes for pick in comparison.picks)
    # Where the pick misses, the oracle is held to the pick's own bytes.
    assert of(result, "oracle").saved_percent == pytest.approx(0)
    assert [file.qp for file in of(result, "oracle").files] == [
        highest(red, 0.6, shift=3) for red in SENSITIVITIES
    ]


def test_a_timid_predictor_reaches_part_of_the_oracles_saving(pictures):
    comparison = ask(pictures, Sloped(shift=2), Sloped(), truth="measured").by_codec["jpeg"]
    assert all(pick.file.met for pick in comparison.picks)
    assert 0 < comparison.oracle_percent < 100


def test_the_oracles_grid_always_holds_the_pick(pictures):
    result = ask(pictures, Sloped(shift=2), Sloped(), oracle_step=40)
    for pick, best in zip(result.by_codec["jpeg"].picks, of(result, "oracle").files, strict=True):
        assert best.qp >= pick.file.qp
        assert best.qp in {1, 41, 81, pick.file.qp}


def test_everyday_settings_stand_at_their_own_share(pictures):
    result = ask(pictures, baselines=baselines.several(["quality=75", "qp=30", "quality=75"]))
    names = [one.name for one in result.by_codec["jpeg"].baselines]
    assert names == ["quality=75", "qp=30"]
    assert [file.qp for file in of(result, "quality=75").files] == [26] * 6
    assert of(result, "qp=30").met_percent == pytest.approx(100 * 3 / 6)
    total = sum(file.n_bytes for file in of(result, "qp=30").files)
    assert of(result, "qp=30").n_bytes_compared == total


def test_a_metric_search_takes_the_highest_qp_above_one_threshold(pictures, monkeypatch):
    asked = []

    def score(self, reference, distorted):
        asked.append(distorted.shape)
        return 100 - float(abs(reference.astype(int) - distorted).mean())

    monkeypatch.setattr(Ssimulacra2, "score", score)
    result = ask(pictures, baselines=baselines.several(["ssimulacra2"]))
    one = of(result, "ssimulacra2")
    assert one.met_percent == 100
    assert 6 <= one.n_encodes_mean <= 7
    assert len({file.qp for file in one.files}) > 1
    assert asked
    assert of(result, "ssimulacra2").saved_percent > 0


def test_images_without_truth_are_not_compared(pictures):
    blind = Sloped(blind=SENSITIVITIES[:2])
    comparison = ask(pictures, judge=blind, targets=Targets(0.6, 0.9)).by_codec["jpeg"]
    assert comparison.judged == (2, 3, 4, 5)
    assert [pick.file.met for pick in comparison.picks[:2]] == [None, None]
    assert all(len(one.files) == 4 for one in comparison.baselines)
    with pytest.raises(ImageError, match="fewer than 5 machines"):
        ask(pictures, judge=Sloped(blind=SENSITIVITIES), targets=Targets(0.6, 0.9))


def test_targets_out_of_reach_are_best_efforts_that_miss(pictures):
    comparison = ask(pictures, targets=Targets(0.99, 0)).by_codec["jpeg"]
    assert [pick.reachable for pick in comparison.picks] == [red <= 100 for red in SENSITIVITIES]
    assert [pick.file.met for pick in comparison.picks] == [red <= 100 for red in SENSITIVITIES]


def test_a_tolerant_search_encodes_less(pictures):
    strict = ask(pictures).by_codec["jpeg"].picks
    loose = ask(pictures, search=SearchSettings(tolerance=0.2)).by_codec["jpeg"].picks
    assert sum(one.file.n_encodes for one in loose) < sum(one.file.n_encodes for one in strict)


class LoadSloped:
    """Travels to worker processes."""

    def __call__(self, threads):
        return Sloped()


class DyingSloped(LoadSloped):
    """Kills the process that it is loaded in, unless that is the first."""

    def __init__(self):
        self.alive = os.getpid()

    def __call__(self, threads):
        if os.getpid() != self.alive:
            os._exit(3)
        return Sloped()


def test_several_processes_find_the_same(pictures):
    question = Question(
        str(pictures),
        targets=Targets(0.6, 0),
        load_predictor=LoadSloped(),
        baselines=baselines.several(["qp=30"]),
        limit=3,
    )
    alone = bench.run(question).by_codec["jpeg"]
    together = bench.run(replace(question, jobs=2)).by_codec["jpeg"]
    assert [one.file for one in together.picks] == [one.file for one in alone.picks]
    assert together.baselines == alone.baselines


def test_a_process_that_dies_is_said(pictures):
    question = Question(str(pictures), targets=Targets(0.6, 0), load_predictor=DyingSloped(), jobs=2, limit=2)
    with pytest.raises(UnavailableError, match="fewer --jobs"):
        bench.run(question)


def test_progress_counts_images_of_each_stage(pictures):
    question = Question(str(pictures), targets=Targets(0.6, 0), load_predictor=LoadSloped())
    *steps, _ = events(question)
    assert [step.n_done for step in steps[:6]] == [1, 2, 3, 4, 5, 6]
    assert {step.n_all for step in steps} == {6}
    assert steps[0].stage == "jpeg pick"


def test_files_are_read_again_where_memory_is_short(pictures, monkeypatch):
    from sursmr_codec.bench import work

    whole = ask(pictures).by_codec["jpeg"]
    monkeypatch.setattr(work, "_MOST_PIXELS", 1)
    again = ask(pictures).by_codec["jpeg"]
    assert [one.file for one in again.picks] == [one.file for one in whole.picks]
    assert again.baselines == whole.baselines


def test_listing_is_sorted_spread_and_deep(tmp_path):
    for name in ("b.png", "a.jpg", "in/c.webp", ".hidden/d.png", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert listed(str(tmp_path)) == ("a.jpg", "b.png", "in/c.webp")
    assert listed(str(tmp_path), 2) == ("a.jpg", "b.png")
    assert listed(str(tmp_path), 1) == ("a.jpg",)
    assert listed(str(tmp_path / "b.png")) == (".",)
    with pytest.raises(ImageError, match="no such"):
        listed(str(tmp_path / "absent"))
    with pytest.raises(ImageError, match="name is empty"):
        listed("")
    with pytest.raises(ImageError, match="no pictures"):
        listed(str(_empty(tmp_path)))


def _empty(folder):
    (folder / "empty").mkdir()
    return folder / "empty"


def test_one_picture_is_a_folder_of_one(pictures):
    comparison = ask(pictures / "0.png").by_codec["jpeg"]
    assert len(comparison.picks) == 1
    assert of(ask(pictures / "0.png"), "best-fixed").interval is None


def test_a_broken_picture_ends_it(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    with pytest.raises(ImageError, match=r"broken\.png"):
        ask(tmp_path)


@pytest.mark.parametrize("name", ["", "best", "quality", "quality=high", "ssim=3=4"])
def test_unknown_baselines_are_refused(name):
    with pytest.raises(UsageError, match="unknown baseline"):
        baselines.parse(name)


def test_baselines_that_cannot_be_are_refused(pictures, monkeypatch):
    with pytest.raises(UsageError, match="jpeg, which has qp=1 to 100 and quality=100 to 1"):
        ask(pictures, baselines=baselines.several(["crf=3"]))
    monkeypatch.setattr(Ssimulacra2, "installed", classmethod(lambda _: False))
    with pytest.raises(MissingExtra, match="ssimulacra2"):
        ask(pictures, baselines=baselines.several(["ssimulacra2"]))


def test_settings_of_one_codec_are_left_out_for_another(pictures):
    result = ask(pictures, codec="jpeg,webp", baselines=baselines.several(["qp=0", "qp=20"]), limit=2)
    names = {codec: [one.name for one in found.baselines] for codec, found in result.by_codec.items()}
    assert names == {"jpeg": ["qp=20"], "webp": ["qp=0", "qp=20"]}


def test_no_target_is_no_question():
    with pytest.raises(UsageError, match="both targets off"):
        Question(".", targets=Targets(0, 0))


def test_a_baseline_that_never_reaches_the_share_saves_nothing():
    from sursmr_codec.bench.asks import Judged
    from sursmr_codec.types import Score

    score = Score(1.0, 1.0)
    picks = compare.Picks([Judged(5, 100, score, True), Judged(6, 90, score, True)])
    tried = {0: [Judged(1, 200, score, True), Judged(1, 200, score, False)]}
    found = compare.at_equal_share(picks, "best-fixed", [1.0], tried)
    assert (found.setting, found.files, found.saved_percent, found.met_percent) == (None, (), None, None)
