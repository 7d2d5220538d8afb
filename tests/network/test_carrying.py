"""Weights for other outputs, and from graphs: what is known stays, what is new begins where it should."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_networks import pictures, tiny

from sursmr_codec.errors import UsageError
from sursmr_codec.network.build import build
from sursmr_codec.network.carrying import carry_over
from sursmr_codec.network.from_graph import load_graph
from sursmr_codec.training.export import export

FULL = tiny(
    family="moments",
    ratios=("sur", "smr", "smr_classification", "smr_detection"),
    classifiers=("c0", "c1"),
    detectors=("d0",),
    teachers=("cvvdp", "ssimulacra2"),
)


def test_outputs_name_every_number_of_the_last_layer() -> None:
    head = build(FULL).head
    assert len(head.outputs) == head.mlp[-1].out_features == 2 + 2 * 3
    assert head.outputs[:3] == (("teacher", "cvvdp"), ("teacher", "ssimulacra2"), ("satisfied", "c0"))
    assert build(replace(FULL, teachers=())).head.outputs[0] == ("ratio", "sur")


def test_the_same_machines_in_another_order_say_the_same() -> None:
    earlier = build(FULL).eval()
    network = build(replace(FULL, classifiers=("c1", "c0"))).eval()
    carry_over(network, earlier)
    source, rungs = pictures(FULL, 1), pictures(FULL, 3, seed=1)
    with torch.inference_mode():
        before, after = (one(source, rungs, torch.zeros(3, dtype=torch.long)) for one in (earlier, network))
    torch.testing.assert_close(after.ratios, before.ratios)
    torch.testing.assert_close(after.satisfied, before.satisfied[:, [1, 0, 2]])


def test_new_machines_begin_as_the_average_of_their_task() -> None:
    earlier = build(FULL).eval()
    network = build(replace(FULL, classifiers=("mine", "c1"), others=("odd",))).eval()
    carry_over(network, earlier)
    source, rungs = pictures(FULL, 1), pictures(FULL, 2, seed=1)
    which = torch.zeros(2, dtype=torch.long)
    with torch.inference_mode():
        before, after = earlier(source, rungs, which), network(source, rungs, which)
    assert network.config.machines == ("mine", "c1", "d0", "odd")
    for name in ("satisfied", "counting"):
        known, found = getattr(before, name), getattr(after, name)
        torch.testing.assert_close(found[:, 0], known[:, :2].mean(dim=1))
        torch.testing.assert_close(found[:, 1:3], known[:, 1:])
        torch.testing.assert_close(found[:, 3], known.mean(dim=1))
    torch.testing.assert_close(after.teachers, before.teachers)
    # Others vote in the whole ratio, and in no task's.
    column = FULL.ratios.index("smr_detection")
    torch.testing.assert_close(after.ratios[:, column], before.ratios[:, column])


def test_sur_without_teachers_begins_where_their_mean_was() -> None:
    # A logistic curve lies near a normal one in the middle alone, where these weights stay.
    torch.manual_seed(0)
    earlier = build(FULL).eval()
    with torch.no_grad():
        earlier.head.mlp[-1].bias[:2] += 0.7
    network = build(replace(FULL, teachers=())).eval()
    carry_over(network, earlier)
    source, rungs = pictures(FULL, 1), pictures(FULL, 4, seed=1)
    which = torch.zeros(4, dtype=torch.long)
    with torch.inference_mode():
        before, after = earlier(source, rungs, which), network(source, rungs, which)
    torch.testing.assert_close(after.ratios[:, 0], before.ratios[:, 0], atol=0.02, rtol=0)
    torch.testing.assert_close(after.ratios[:, 1:], before.ratios[:, 1:])


def test_another_body_does_not_fit() -> None:
    with pytest.raises(RuntimeError, match="size mismatch"):
        carry_over(build(replace(FULL, classifiers=("mine",), hidden=32)), build(FULL))


def test_a_graph_holds_every_weight(tmp_path: Path) -> None:
    config = replace(FULL, n_crops=1, fidelity=True, semantic=True, backbone="test_efficientnet")
    network = build(config)
    network.standardise.running_mean += 0.5
    export(network, tmp_path)
    found = load_graph(tmp_path / "model.onnx")
    assert found.config == config
    assert not found.training
    for name, weights in network.state_dict().items():
        assert torch.equal(found.state_dict()[name], weights), name


def test_what_is_no_graph_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"junk")
    for missing_or_junk in (path, tmp_path / "none.onnx"):
        with pytest.raises(UsageError, match="cannot be started from"):
            load_graph(missing_or_junk)
