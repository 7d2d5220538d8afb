"""Machines that are kept from training are in no label that anything learns from."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_labels import Labelled, stage, tiny_config

from sursmr_codec.errors import UsageError
from sursmr_codec.labels import store
from sursmr_codec.labels.machine_split import unseen_names
from sursmr_codec.labels.origin import Origin
from sursmr_codec.labels.rows import LabelRow
from sursmr_codec.network.config import NetworkConfig
from sursmr_codec.training.config import read_config
from sursmr_codec.training.own import own_config
from sursmr_codec.training.run import labelled_rungs

MODELS = Path(__file__).resolve().parents[2] / "models"
NETWORK = NetworkConfig(
    family="moments",
    size=32,
    ratios=("sur", "smr", "smr_classification"),
    classifiers=("c0", "c1"),
    detectors=("d0",),
)


@pytest.mark.parametrize("path", sorted((MODELS / "labels").rglob("*.parquet")), ids=lambda path: path.stem)
def test_committed_ratios_are_of_seen_machines_alone(path: Path) -> None:
    table = store.read_labels(path)
    names = [name.removeprefix("m_") for name in table.column_names if name.startswith("m_")]
    assert len(names) == 27
    for column, apart, least in (("smr", False, 5), ("smr_unseen", True, 3)):
        voters = [name for name in names if (name in unseen_names()) == apart]
        assert len(voters) == (8 if apart else 19)
        votes = np.stack([table[f"m_{name}"].to_numpy() for name in voters], axis=1)
        n_counting = (votes != 2).sum(axis=1)
        share = np.where(n_counting >= least, (votes == 1).sum(axis=1) / np.maximum(n_counting, 1), np.nan)
        np.testing.assert_allclose(table[column].to_numpy(zero_copy_only=False), share, atol=1e-6)
        if not apart:
            assert table["n_machines"].to_numpy().tolist() == n_counting.tolist()


def test_no_configuration_and_no_model_of_the_repository_has_one() -> None:
    networks = [
        read_config(path).network.machines
        for path in (MODELS / "configs").glob("*.toml")
        if read_config(path).network.machines
    ]
    for path in MODELS.glob("*/metrics.json"):
        network = json.loads(path.read_text())["network"]
        networks.append((*network["classifiers"], *network["detectors"]))
    assert len(networks) >= 2
    assert all(networks)
    for machines in networks:
        assert not unseen_names() & {*machines}


def test_the_ratio_of_unseen_machines_is_no_target(labelled: Labelled) -> None:
    with pytest.raises(UsageError, match="column smr_unseen is of machines that are kept from training"):
        tiny_config(labelled, stage=[stage(labels={"smr": "smr_unseen"})])


def _written(labelled: Labelled, path: Path, *unseen: str) -> Path:
    rows: list[LabelRow] = list(labelled.rows)
    store.write_labels(store.to_table(rows, list(rows[0].votes)), path, origin=Origin(unseen))
    return path


@pytest.mark.parametrize(("own_smr", "votes_weight"), [(False, 0.5), (True, 0.0)])
def test_their_votes_are_not_learned_from(
    labelled: Labelled, tmp_path: Path, own_smr: bool, votes_weight: float
) -> None:
    config = tiny_config(labelled)
    data = replace(config.data, own_smr=own_smr)
    stages = (replace(config.stage[-1], votes_weight=votes_weight),)
    config = replace(config, network=NETWORK, data=data, stage=stages)
    assert len(labelled_rungs(config)["train"])
    apart = _written(labelled, tmp_path / "apart.parquet", "c1", "d9")
    with pytest.raises(UsageError, match="network: c1: the labels keep these machines from training"):
        labelled_rungs(replace(config, data=replace(data, labels=(str(apart),))))


def test_a_model_of_ones_own_leaves_them_out(labelled: Labelled, tmp_path: Path) -> None:
    def machines(*unseen: str) -> set[str]:
        labels = _written(labelled, tmp_path / "own.parquet", *unseen)
        return {*own_config("default", [labels], "pictures", name="own").network.machines}

    assert machines() == {"c0", "c1", "d0"}
    assert machines("c1") == {"c0", "d0"}
