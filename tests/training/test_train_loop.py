"""The loop: it learns, and a run that is stopped anywhere ends as if it had not been."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_labels import MACHINES, Labelled, last, stage, tiny_config
from torch import nn

from sursmr_codec.errors import OutputError, UsageError
from sursmr_codec.network.build import build, load, to_bytes
from sursmr_codec.training.config import StageConfig, TrainingConfig
from sursmr_codec.training.data import read_rungs
from sursmr_codec.training.frozen import FrozenStatistics
from sursmr_codec.training.initial import initialise
from sursmr_codec.training.loop import DivergedError, EpochDone, Progress, Training, learning_rate
from sursmr_codec.training.run import SplitFeeds
from sursmr_codec.training.run_folder import RunFolder
from sursmr_codec.training.rungs import RungStore

CPU = torch.device("cpu")
MOMENTS = {
    "family": "moments",
    "backbone": "test_efficientnet",
    "size": 32,
    "n_crops": 1,
    "semantic": True,
    "hidden": 16,
    "dropout": 0.2,
    "ratios": ["sur", "smr"],
    "classifiers": ["c0", "c1"],
    "detectors": ["d0"],
}


class Runs:
    """Runs of one configuration over one cache, without evaluation and export."""

    def __init__(self, config: TrainingConfig, cache: Path) -> None:
        self.config = config
        data, network = config.data, config.network
        rungs = read_rungs(data.labels, splits=("train", "val", "test"), machines=network.machines)
        store = RungStore(data.images, cache, network.size, network.n_crops)
        for some in rungs.values():
            list(store.prepare(some, 1))
        self._data = SplitFeeds(config, rungs, store, cache, CPU)

    def begin(self, out: Path) -> tuple[Training, object]:
        folder = RunFolder(out)
        folder.check(self.config.record, resume=True)
        folder.claim(self.config.record)
        training = Training(self.config, folder, CPU)
        return training, training.events(self._data.feeds, lambda n: initialise(n, self.config.initial))

    def to_the_end(self, out: Path) -> Training:
        training, events = self.begin(out)
        list(events)
        return training


def files(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in [*(out / "stages").iterdir(), out / "log.jsonl"]}


@pytest.fixture(scope="module")
def two_stages(labelled: Labelled, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    dropout = {"network": {**MOMENTS, "n_crops": 0}, "stage": [stage(name="a", epochs=2), stage(name="b")]}
    return Runs(tiny_config(labelled, **dropout), tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def uninterrupted(two_stages: Runs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("uninterrupted")
    two_stages.to_the_end(out)
    return out


class Stopped(Exception):
    """In place of a power cut."""


@pytest.mark.parametrize("n_calls", range(1, 16))
def test_a_run_stopped_at_any_step_ends_as_if_it_had_not_been(
    two_stages: Runs,
    uninterrupted: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    n_calls: int,
) -> None:
    calls = 0
    step = torch.optim.AdamW.step

    def stopping(self: torch.optim.AdamW, *arguments: object) -> object:
        nonlocal calls
        calls += 1
        if calls == n_calls:
            raise Stopped
        return step(self, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(torch.optim.AdamW, "step", stopping)
        with pytest.raises(Stopped):
            two_stages.to_the_end(tmp_path)
    two_stages.to_the_end(tmp_path)
    assert files(tmp_path) == files(uninterrupted)


@pytest.mark.parametrize("n_writes", range(1, 12))
def test_a_run_stopped_at_any_write_ends_as_if_it_had_not_been(
    two_stages: Runs,
    uninterrupted: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    n_writes: int,
) -> None:
    writes = 0
    replace = Path.replace

    def stopping(self: Path, target: Path) -> Path:
        nonlocal writes
        writes += 1
        if writes == n_writes:
            raise OSError("power cut")
        return replace(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", stopping)
        with pytest.raises(OutputError):
            two_stages.to_the_end(tmp_path)
    two_stages.to_the_end(tmp_path)
    assert files(tmp_path) == files(uninterrupted)


def test_a_finished_run_is_not_trained_again(two_stages: Runs, uninterrupted: Path) -> None:
    training, events = two_stages.begin(uninterrupted)
    assert list(events) == []
    assert to_bytes(training.network) == (uninterrupted / "stages" / "b.safetensors").read_bytes()


def test_the_log_tells_every_epoch(uninterrupted: Path) -> None:
    lines = [json.loads(line) for line in (uninterrupted / "log.jsonl").read_text().splitlines()]
    epochs = [(line["stage"], line["epoch"]) for line in lines if line["event"] == "epoch"]
    assert epochs == [("a", 1), ("a", 2), ("b", 1)]
    assert all(set(line["validation"]) == {"sur", "smr"} for line in lines if line["event"] == "epoch")


def test_other_seeds_give_other_networks(labelled: Labelled, tmp_path: Path) -> None:
    weights = []
    for seed in (0, 1):
        config = tiny_config(labelled, seed=seed, stage=[stage()])
        weights.append(to_bytes(Runs(config, tmp_path / "cache").to_the_end(tmp_path / str(seed)).network))
    assert weights[0] != weights[1]


def test_it_learns(labelled: Labelled, tmp_path: Path) -> None:
    config = tiny_config(labelled, stage=[stage(epochs=15, learning_rate=3e-3)], data={"flips": False})
    events = list(Runs(config, tmp_path).begin(tmp_path / "out")[1])
    losses = [event.loss for event in events if isinstance(event, EpochDone)]
    assert losses[-1] < 0.5 * losses[0]
    assert [event.step for event in events if isinstance(event, Progress)] == [5] * 15


def test_the_best_epoch_is_kept(labelled: Labelled, tmp_path: Path) -> None:
    config = tiny_config(labelled, stage=[stage(epochs=6, learning_rate=0.02)])
    runs = Runs(config, tmp_path)
    _, events = runs.begin(tmp_path / "out")
    epochs = [event for event in events if isinstance(event, EpochDone)]
    errors = [np.mean(list(event.validation.values())) for event in epochs]
    assert [event.kept for event in epochs] == [e < min(errors[:i], default=9) for i, e in enumerate(errors)]
    assert not all(event.kept for event in epochs)


def test_the_second_stage_starts_from_the_first_ones_extractor(labelled: Labelled, tmp_path: Path) -> None:
    stages = [stage(name="a", family="pretraining"), stage(name="b", learning_rate=1e-12)]
    training = Runs(tiny_config(labelled, stage=stages), tmp_path).to_the_end(tmp_path / "out")
    first = load(tmp_path / "out" / "stages" / "a.safetensors")
    assert first.config.family == "pretraining"
    for name, value in first.extractor.state_dict().items():
        torch.testing.assert_close(training.network.extractor.state_dict()[name], value, atol=1e-6, rtol=0)


def test_frozen_features_train_the_head_alone(labelled: Labelled, tmp_path: Path) -> None:
    frozen = stage(frozen=True, epochs=12, learning_rate=3e-3, votes_weight=0.3)
    runs = Runs(tiny_config(labelled, network=MOMENTS, stage=[frozen], seed=3), tmp_path / "cache")
    training, events = runs.begin(tmp_path / "out")
    events = list(events)
    losses = [event.loss for event in events if isinstance(event, EpochDone)]
    assert losses[-1] < 0.8 * losses[0]
    assert training.network.config.machines == MACHINES
    fresh, others = runs.begin(tmp_path / "again")
    untrained = fresh._stage_network(0, lambda _: None)
    others.close()
    for name, value in untrained.extractor.state_dict().items():
        assert torch.equal(training.network.extractor.state_dict()[name], value)


def test_statistics_of_frozen_features_are_those_of_the_network(
    labelled: Labelled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny_config(labelled, network=MOMENTS, stage=[stage(frozen=True)])
    network = build(config.network).eval()
    rungs = read_rungs([labelled.labels], splits=("val",))["val"]
    store = RungStore(labelled.images, tmp_path, 32, 1)
    list(store.prepare(rungs, 1))
    statistics = FrozenStatistics(network, store, tmp_path, CPU)
    assert list(statistics.prepare(rungs)) == [1, 2]
    numbers = statistics.of(rungs)
    for i in (0, 7):
        source = torch.from_numpy(store.source(rungs.images[i])[None])
        rung = torch.from_numpy(store.rung(rungs.images[i], "jpeg", int(rungs.qps[i]))[None])
        with torch.inference_mode():
            expected = network.describe(network.embed(source), network.embed(rung))[0]
        torch.testing.assert_close(numbers[i], expected, atol=1e-5, rtol=1e-5)
    monkeypatch.setattr(type(network), "embed", lambda *_: pytest.fail("computed again"))
    again = FrozenStatistics(network, store, tmp_path, CPU)
    list(again.prepare(rungs))
    assert torch.equal(again.of(rungs), numbers)
    with torch.no_grad():
        next(network.extractor.parameters()).add_(1.0)
    with pytest.raises(pytest.fail.Exception, match="computed again"):
        list(FrozenStatistics(network, store, tmp_path, CPU).prepare(rungs))


def test_statistics_of_another_kind_are_not_taken_for_these(labelled: Labelled, tmp_path: Path) -> None:
    rungs = read_rungs([labelled.labels], splits=("val",))["val"]
    store = RungStore(labelled.images, tmp_path, 32, 1)
    list(store.prepare(rungs, 1))
    widths = []
    for fidelity in (False, True):
        config = tiny_config(labelled, network={**MOMENTS, "fidelity": fidelity}, stage=[stage(frozen=True)])
        torch.manual_seed(0)
        network = build(config.network).eval()
        statistics = FrozenStatistics(network, store, tmp_path, CPU)
        list(statistics.prepare(rungs))
        widths.append(statistics.of(rungs).shape[1])
        assert widths[-1] == len(network.standardise.running_mean)
    assert widths[0] < widths[1]


def test_a_loss_that_is_no_number_ends_the_run(labelled: Labelled, tmp_path: Path) -> None:
    config = tiny_config(labelled, stage=[stage(learning_rate=1e30, epochs=3)])
    with pytest.raises(DivergedError, match="lower learning_rate"):
        Runs(config, tmp_path).to_the_end(tmp_path / "out")


def test_learning_rate_warms_up_and_falls() -> None:
    constant = StageConfig("s", learning_rate=1.0)
    assert [learning_rate(constant, step, 10) for step in (0, 9)] == [1.0, 1.0]
    warm = StageConfig("s", learning_rate=1.0, warmup_steps=3)
    assert [learning_rate(warm, step, 10) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]
    cosine = StageConfig("s", learning_rate=1.0, schedule="cosine")
    rates = [learning_rate(cosine, step, 10) for step in range(10)]
    assert rates[0] == 1.0
    assert rates[5] == pytest.approx(0.5)
    assert rates == sorted(rates, reverse=True)
    assert 0.0 < rates[-1] < 0.05


def test_another_run_does_not_continue_in_a_folder(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "out")
    one, two = ({"config": {"stage": [{"epochs": n}]}} for n in (1, 2))
    for resume in (False, True):
        folder.check(one, resume=resume)
    assert not folder.path.exists()
    folder.claim(one)
    with pytest.raises(UsageError, match="holds a run already: give --resume"):
        folder.check(one, resume=False)
    folder.check(one, resume=True)
    with pytest.raises(UsageError, match=r"differs in run\.config\.stage\.0\.epochs \(1, now 2\)"):
        folder.check(two, resume=True)


def test_broken_files_of_a_run_are_named(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.claim({})
    (tmp_path / "checkpoint.pt").write_bytes(b"junk")
    with pytest.raises(UsageError, match=r"checkpoint\.pt is no checkpoint"):
        folder.load(CPU)
    (tmp_path / "run.json").write_text("junk")
    with pytest.raises(UsageError, match=r"run\.json is not the record"):
        folder.check({}, resume=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be used"):
        RunFolder(tmp_path / "file" / "out").claim({})


def test_every_layer_of_a_tiny_network_is_trained(labelled: Labelled, tmp_path: Path) -> None:
    training, events = Runs(tiny_config(labelled, stage=[stage()]), tmp_path).begin(tmp_path / "out")
    fresh: nn.Module = training._stage_network(0, lambda _: None)
    last(events)
    same = [
        name
        for (name, before), after in zip(fresh.named_parameters(), training.network.parameters(), strict=True)
        if torch.equal(before, after)
    ]
    assert same == []
