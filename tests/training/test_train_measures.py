"""Measures of fit, the baseline, and the loss: by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from tiny_labels import MACHINES, Labelled

from sursmr_codec.network.heads import Prediction
from sursmr_codec.training import measures
from sursmr_codec.training.baseline import QpBaseline
from sursmr_codec.training.batches import Batch
from sursmr_codec.training.data import LabelledRungs, read_rungs
from sursmr_codec.training.evaluate import evaluate
from sursmr_codec.training.losses import loss

NAN = float("nan")


def array(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def test_errors_and_correlations_leave_unknown_labels_aside() -> None:
    predicted, labels = array(0.1, 0.5, 0.9, 0.3), array(0.2, 0.4, NAN, 0.6)
    assert measures.mean_absolute_error(predicted, labels) == pytest.approx((0.1 + 0.1 + 0.3) / 3)
    assert measures.plcc(predicted, labels) == pytest.approx(
        np.corrcoef([0.1, 0.5, 0.3], [0.2, 0.4, 0.6])[0, 1]
    )
    assert measures.srocc(predicted, labels) == pytest.approx(0.5)


def test_what_a_predictor_knows_nothing_of_is_left_aside() -> None:
    predicted, labels = array(NAN, 0.5, 0.9, 0.3), array(0.2, 0.4, NAN, 0.6)
    assert measures.mean_absolute_error(predicted, labels) == pytest.approx((0.1 + 0.3) / 2)
    assert measures.srocc(predicted, labels) == pytest.approx(-1.0)
    assert measures.mean_absolute_error(array(NAN, NAN), array(0.1, 0.2)) is None
    assert measures.plcc(array(NAN, NAN), array(0.1, 0.2)) is None


def test_equal_values_share_their_rank() -> None:
    # Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4.
    assert measures.srocc(array(0.1, 0.2, 0.2, 0.9), array(0.1, 0.2, 0.3, 0.4)) == pytest.approx(
        np.corrcoef([1, 2.5, 2.5, 4], [1, 2, 3, 4])[0, 1]
    )


def test_nothing_is_said_where_nothing_can_be() -> None:
    assert measures.mean_absolute_error(array(0.5), array(NAN)) is None
    assert measures.plcc(array(0.5, 0.5), array(0.1, 0.2)) is None
    assert measures.srocc(array(0.1, 0.2), array(0.3, 0.3)) is None
    assert measures.plcc(array(0.5), array(0.5)) is None


def test_crossing_is_between_rungs_and_at_the_level_itself() -> None:
    qps = [10, 20, 40]
    assert measures.crossing(qps, [1.0, 0.6, 0.2], 0.5) == pytest.approx(25.0)
    assert measures.crossing(qps, [1.0, 0.5, 0.2], 0.5) == pytest.approx(20.0)
    assert measures.crossing(qps, [0.5, 0.5, 0.2], 0.5) == pytest.approx(20.0)
    assert measures.crossing(qps, [0.4, 0.3, 0.2], 0.5) is None
    assert measures.crossing(qps, [1.0, 0.9, 0.8], 0.5) is None
    # 0.4 and 0.6 are made 0.5 and 0.5.
    assert measures.crossing(qps, [0.4, 0.6, 0.0], 0.5) == pytest.approx(20.0)
    assert measures.clipped_crossing(qps, [0.4, 0.3, 0.2], 0.5) == 10.0
    assert measures.clipped_crossing(qps, [1.0, 0.9, 0.8], 0.5) == 40.0


def test_bhattacharyya_distance_of_two_jnd_distributions() -> None:
    # Shares of JNDs by step: 0.2, 0.3, 0.5 and 0.4, 0.4, 0.2.
    expected = -math.log(math.sqrt(0.2 * 0.4) + math.sqrt(0.3 * 0.4) + math.sqrt(0.5 * 0.2))
    assert measures.bhattacharyya([0.8, 0.5], [0.6, 0.2]) == pytest.approx(expected)
    assert measures.bhattacharyya([0.8, 0.5], [0.8, 0.5]) == pytest.approx(0.0, abs=1e-12)
    assert math.isfinite(measures.bhattacharyya([1.0, 1.0], [0.0, 0.0]))


def rungs_of(*rows: tuple[str, str, int, float]) -> tuple[LabelledRungs, np.ndarray]:
    images, codecs, qps, labels = zip(*rows, strict=True)
    n = len(rows)
    rungs = LabelledRungs(
        images, codecs, np.array(qps), np.ones(n, np.int64), ("",) * n, {}, (), np.zeros((n, 0), np.uint8)
    )
    return rungs, np.array(labels, dtype=np.float32)[:, None]


def test_baseline_is_the_median_of_labels_near_the_qp() -> None:
    train = [(f"{i}", "jpeg", 1, value) for i, value in enumerate([0.9, 1.0, 0.0])]
    train += [(f"{i}", "jpeg", 100, value) for i, value in enumerate([0.1, 0.1, 0.7])]
    train += [("0", "hevc", 1, 0.6), ("1", "hevc", 2, NAN)]
    baseline = QpBaseline(*rungs_of(*train))
    asked, _ = rungs_of(("x", "jpeg", 1, 0), ("x", "jpeg", 100, 0), ("x", "hevc", 50, 0), ("x", "vvc", 1, 0))
    assert baseline.predict(asked)[:, 0] == pytest.approx([0.9, 0.1, 0.6, 0.6])


def test_evaluation_by_codec_and_along_ladders() -> None:
    rows = [("a", "jpeg", qp, sur) for qp, sur in [(10, 1.0), (20, 0.8), (30, 0.2), (40, 0.0)]]
    rows += [("b", "jpeg", qp, sur) for qp, sur in [(10, 1.0), (20, 0.4)]]
    rows += [("a", "hevc", 30, 0.5)]
    rungs, labels = rungs_of(*rows)
    predicted = np.clip(labels + 0.1, 0.0, 1.0)
    fit = evaluate(rungs, ("sur",), predicted, labels)
    assert fit.ratios["sur"].n_rungs == 7
    assert fit.ratios["sur"].mae_by_codec == pytest.approx({"hevc": 0.1, "jpeg": 0.4 / 6})
    assert fit.ratios["sur"].mae == pytest.approx(0.5 / 7)
    half, three_quarters = fit.sur_qp
    # Only the first ladder has enough rungs: 25 against 20 + 10 * (0.9 - 0.5) / 0.6.
    assert (half.level, half.n_ladders) == (0.5, 1)
    assert half.mean_qp_error == pytest.approx(5 / 3, abs=1e-4)
    assert three_quarters.mean_qp_error == pytest.approx(10 * (0.15 / 0.6 - 0.05 / 0.6), abs=1e-4)
    assert half.mean_qp_error_by_codec == pytest.approx({"jpeg": half.mean_qp_error})
    assert fit.bhattacharyya == pytest.approx(
        measures.bhattacharyya([1.0, 0.9, 0.3, 0.1], [1.0, 0.8, 0.2, 0.0]), abs=1e-6
    )
    assert fit.record()["ratios"]["sur"]["n_rungs"] == 7


def test_evaluation_without_sur_says_nothing_of_it() -> None:
    rungs, labels = rungs_of(("a", "jpeg", 1, 0.5), ("a", "jpeg", 2, NAN))
    fit = evaluate(rungs, ("smr",), labels, labels)
    assert (fit.sur_qp, fit.bhattacharyya) == ((), None)
    assert fit.ratios["smr"].mae == 0.0


def test_loss_is_equation_4_over_known_labels() -> None:
    ratios = torch.tensor([[0.5, 0.9], [0.1, 0.4], [0.7, 0.3]], requires_grad=True)
    labels = torch.tensor([[0.4, NAN], [0.4, 0.5], [0.7, 0.1]])
    batch = Batch((), labels, torch.zeros(3, 0, dtype=torch.uint8))
    value = loss(Prediction(ratios), batch, torch.tensor([0.5, 0.5]))
    assert float(value.detach()) == pytest.approx(0.5 * (0.1 + 0.3 + 0.0) / 3 + 0.5 * (0.1 + 0.2) / 2)
    value.backward()
    assert bool(ratios.grad.isfinite().all())
    assert ratios.grad[0].tolist() == pytest.approx([0.5 / 3, 0.0])


def test_loss_without_any_known_label_is_nothing() -> None:
    ratios = torch.tensor([[0.5]], requires_grad=True)
    value = loss(Prediction(ratios), Batch((), torch.tensor([[NAN]]), torch.zeros(1, 0)), torch.ones(1))
    value.backward()
    assert float(value.detach()) == 0.0
    assert ratios.grad.tolist() == [[0.0]]


def test_votes_count_where_machines_do() -> None:
    votes = torch.tensor([[1, 0], [2, 1]], dtype=torch.uint8)
    satisfied, counting = torch.tensor([[2.0, 1.0], [9.0, -1.0]]), torch.tensor([[3.0, 0.0], [-2.0, 1.0]])
    batch = Batch((), torch.tensor([[0.5], [0.5]]), votes)
    value = loss(Prediction(torch.tensor([[0.5], [0.5]]), satisfied, counting), batch, torch.ones(1), 2.0)

    def cross_entropy(logit: float, truth: bool) -> float:
        return math.log1p(math.exp(-logit if truth else logit))

    counts = (
        cross_entropy(3, True) + cross_entropy(0, True) + cross_entropy(-2, False) + cross_entropy(1, True)
    ) / 4
    happy = (cross_entropy(2, True) + cross_entropy(1, False) + cross_entropy(-1, True)) / 3
    assert float(value) == pytest.approx(2.0 * (counts + happy), rel=1e-5)


def test_labels_are_read_by_split_codec_and_machine(labelled: Labelled) -> None:
    found = read_rungs([labelled.labels], splits=("train", "val", "other"), machines=("d0", "c1"))
    assert [len(found[split]) for split in ("train", "val", "other")] == [36, 12, 0]
    row = next(row for row in labelled.rows if row.split == "val")
    val = found["val"]
    assert (val.images[0], val.codecs[0], val.qps[0], val.n_bytes[0]) == (
        row.image,
        "jpeg",
        row.qp,
        row.n_bytes,
    )
    assert val.labels["sur"][0] == pytest.approx(row.sur)
    assert val.votes[0].tolist() == [row.votes["d0"], row.votes["c1"]]
    assert np.isnan(val.labels["smr_strict"]).all()
    assert set(MACHINES) > set(val.machines)
