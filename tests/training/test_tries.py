"""What was tried, on tiny labels: each try changes one thing, and chance is what machines by lot show."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_labels import MACHINES, Labelled, stage, tiny_config

from sursmr_codec.training.config import read_config
from sursmr_codec.training.data import LabelledRungs, read_rungs
from sursmr_codec.training.rungs import RungStore

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("tries", "regressors", "asking")


@pytest.fixture(scope="module")
def tries() -> Iterator[Any]:
    """The script's names."""
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(ROOT / "benchmarks")
        import tries

        yield tries
    for name in NAMES:
        sys.modules.pop(name, None)


def test_every_try_differs_from_what_is_shipped(tries: Any) -> None:
    configs = tries.tries(read_config(ROOT / "models" / "configs" / "lite.toml"))
    records = {what: one.record for what, one in configs.items()}
    first, *others = records
    assert first == "as shipped"
    assert all(records[one] != records[first] for one in others)
    assert configs["SUR alone"].network.ratios == ("sur",)
    assert "sur" not in configs["SMR alone"].network.ratios
    assert configs["twice as long"].stage[0].epochs == 2 * configs[first].stage[0].epochs


def test_tries_are_judged_by_pictures_that_none_learned_from(
    tries: Any, labelled: Labelled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import regressors

    network = {
        "family": "moments",
        "backbone": "test_convnext",
        "size": 32,
        "n_crops": 1,
        "hidden": 8,
        "dropout": 0.3,
        "ratios": ["sur", "smr"],
        "classifiers": ["c0", "c1"],
        "detectors": ["d0"],
    }
    weights = {"sur": 0.5, "smr": 0.5}
    frozen = stage(frozen=True, epochs=1, weights=weights, votes_weight=0.3, weight_decay=0.01)
    config = tiny_config(labelled, network=network, stage=[frozen])
    rungs = read_rungs([labelled.labels], splits=("train", "val", "test"), machines=MACHINES)
    store = RungStore(labelled.images, tmp_path, 32, 1)
    for some in rungs.values():
        list(store.prepare(some, 1))
    monkeypatch.setattr(tries, "_held", lambda image: image in ("train/0.png", "train/1.png"))
    asked: list[set[str]] = []
    whole = regressors.Regressors.predicted

    def predicted(self: Any, config: Any, train: LabelledRungs, validation: LabelledRungs) -> Any:
        asked.append(set(train.images))
        return whole(self, config, train, validation)

    monkeypatch.setattr(regressors.Regressors, "predicted", predicted)
    found = tries.report(regressors.Regressors(config, rungs, store, tmp_path))
    assert asked == [{f"train/{i}.png" for i in (2, 3, 4, 5)}] * len(asked)
    assert found["n_images"] == {"learned": 4, "held": 2}
    assert [one["what"] for one in found["tries"]] == list(tries.tries(config))
    by_name = {one["what"]: one["ratios"] for one in found["tries"]}
    assert set(by_name["as shipped"]) == {"sur", "smr"}
    assert set(by_name["SUR alone"]) == {"sur"}
    assert set(by_name["SMR alone"]) == {"smr"}
    for one in by_name.values():
        for error in one.values():
            # Of an average of predictions, the error is no larger than the errors' average.
            assert 0.0 < error["mae_of_their_mean"] <= error["mae"] + 1e-4 < 1.0
    kept = len(list((tmp_path / "predicted").iterdir()))
    assert tries.report(regressors.Regressors(config, rungs, store, tmp_path))["tries"] == found["tries"]
    assert len(list((tmp_path / "predicted").iterdir())) == kept == 2 * len(found["tries"])


@pytest.mark.parametrize("n_machines", [4, 16])
def test_chance_is_what_machines_by_lot_differ_by(tries: Any, labelled: Labelled, n_machines: int) -> None:
    config = read_config(ROOT / "models" / "configs" / "lite.toml")
    generator = np.random.default_rng(0)
    n = 20_000
    votes = generator.integers(0, 2, (n, n_machines)).astype(np.uint8)
    # Some more do not count, which must change nothing.
    votes = np.concatenate([votes, np.full((n, 3), 2, np.uint8)], axis=1)
    one = read_rungs([labelled.labels], splits=("test",))["test"]
    smr = np.full(n, 0.5, np.float32)
    nothing = np.full(n, np.nan, np.float32)
    rungs = replace(
        one, votes=votes, labels={"smr": smr, "smr_classification": nothing, "smr_detection": nothing}
    )
    found = tries.chance(rungs, config)
    assert set(found) == {"smr"}
    # How far the ratio of n coins lies from one half, exactly.
    heads = generator.binomial(n_machines, 0.5, 200_000) / n_machines
    exact = float(np.abs(heads - 0.5).mean())
    assert found["smr"]["error"] == pytest.approx(exact, rel=0.08)
    assert found["smr"]["machines_that_count"] == n_machines
