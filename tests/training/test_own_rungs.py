"""What a model of one's own learns from: the SMR of its machines, and pictures that are held out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tiny_labels import MACHINES, QPS, Labelled

from sursmr_codec.network.config import NetworkConfig
from sursmr_codec.training.config import DataConfig
from sursmr_codec.training.data import read_rungs
from sursmr_codec.training.holding_out import hold_out
from sursmr_codec.training.own_smr import own_smr


def test_own_smr_is_the_share_of_half_or_more(labelled: Labelled) -> None:
    network = NetworkConfig(ratios=("smr",), classifiers=("c0", "c1"), detectors=("d0",))
    rungs = read_rungs([labelled.labels], splits=("train",), machines=MACHINES)["train"]
    taken = own_smr(rungs, network).labels
    for i, votes in enumerate(rungs.votes.tolist()):
        counting = [vote for vote in votes if vote != 2]
        assert taken["smr"][i] == pytest.approx(np.mean(counting))
        classifiers = [vote for vote in votes[:2] if vote != 2]
        assert taken["smr_classification"][i] == pytest.approx(np.mean(classifiers))
    # With nine machines, as many must count as for the labels' own definition.
    votes = np.full((2, 9), 2, np.uint8)
    votes[0, :5], votes[1, :4] = 1, 1
    nine = replace(rungs.take([0, 1]), machines=tuple("abcdefghi"), votes=votes)
    many = own_smr(nine, NetworkConfig(ratios=("smr",), classifiers=tuple("abcdefghi"))).labels
    assert many["smr"][0] == 1.0
    assert np.isnan(many["smr"][1])
    assert np.isnan(many["smr_detection"]).all()


def test_whole_pictures_are_held_out(labelled: Labelled) -> None:
    splits = read_rungs([labelled.labels], splits=("train", "held out"))
    data = DataConfig(validation="held out", validation_share=0.3)
    held = hold_out(splits, data, 0)
    assert len(set(held["held out"].images)) == 2
    assert not set(held["held out"].images) & set(held["train"].images)
    assert len(held["held out"]) + len(held["train"]) == len(splits["train"])
    assert hold_out(splits, data, 0)["train"].images == held["train"].images
    drawn = {hold_out(splits, data, seed)["train"].images for seed in range(5)}
    assert len(drawn) > 1
    alone = {"train": splits["train"].take(range(len(QPS))), "held out": splits["held out"]}
    assert len(hold_out(alone, data, 0)["train"]) == len(QPS)
