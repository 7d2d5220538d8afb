"""Ray on a cluster of two machines; `test_batch_ray` runs this in a process that it can end."""

# ruff: noqa: E402

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sursmr_codec.batch.engines import _cluster

# Read by Ray when it is imported, and by the processes that it starts.
_cluster.set_up(on_loopback=True)
# No workers beyond those that are asked for.
os.environ["RAY_prestart_worker_first_driver"] = "0"  # noqa: SIM112
os.environ["PYTHONPATH"] = str(Path(__file__).parent)

from fake_batch import FakeLoad, make_pictures, paint, request
from ray.cluster_utils import Cluster
from test_batch_engines import (
    Chore,
    answers,
    results_of,
    test_an_exception_loses_its_item_only,  # noqa: F401
    test_every_item_gets_one_answer,  # noqa: F401
    test_it_stops_when_items_end_and_finishes_what_was_taken,  # noqa: F401
)

from sursmr_codec import batch
from sursmr_codec.batch import journal
from sursmr_codec.batch.driver import Batch
from sursmr_codec.batch.engines import Engine
from sursmr_codec.batch.engines.ray import Ray

MACHINE = {"node_ip_address": "127.0.0.1", "num_cpus": 1, "num_gpus": 1, "object_store_memory": 80_000_000}
POISON = "kills.png"


@dataclass
class Machines:
    cluster: Cluster
    extra: object


@pytest.fixture(scope="module")
def machines() -> Iterator[Machines]:
    """The head and one more, which Ray is told have a GPU each."""
    cluster = Cluster(initialize_head=True, head_node_args={**MACHINE, "include_dashboard": False})
    yield Machines(cluster, cluster.add_node(**MACHINE))
    cluster.shutdown()


@pytest.fixture(scope="module")
def engine(machines: Machines) -> Iterator[Engine]:
    with Ray(0, address=machines.cluster.address, gpu=True) as made:
        yield made


@pytest.fixture
def chore(tmp_path: Path) -> Chore:
    return Chore(tmp_path / "chores")


def test_jobs_share_out_gpus_and_cores(engine: Engine, chore: Chore) -> None:
    assert (engine.jobs, engine.threads) == (2, 1)
    assert answers(results_of(engine.map(chore, ["threads"]))) == {"threads": "1"}
    visible = results_of(engine.map(os.getenv, ["CUDA_VISIBLE_DEVICES"]))
    assert answers(visible) == {"CUDA_VISIBLE_DEVICES": "0"}


def test_a_batch_that_loses_a_machine_ends_as_if_it_had_not(
    machines: Machines, engine: Engine, tmp_path: Path
) -> None:
    # Its actors have all that the machines have.
    engine.close(now=False)
    folder, out = tmp_path / "in", tmp_path / "out"
    make_pictures(folder, 16)
    load = FakeLoad(0.05, tmp_path / "log")
    list(Batch(request(folder, tmp_path / "alone", FakeLoad())))
    paint(folder / POISON, 99)
    options = {"address": machines.cluster.address, "gpu": True}
    run = Batch(request(folder, out, load, engine="ray", engine_options=options))
    outcomes = []
    for outcome in run:
        outcomes.append(outcome)
        if len(outcomes) == 4:
            machines.cluster.remove_node(machines.extra, allow_graceful=False)
    assert sorted(outcome.source for outcome in outcomes) == sorted({o.source for o in outcomes})
    (lost,) = [outcome for outcome in outcomes if outcome.status != "done"]
    assert (lost.source, lost.status) == (POISON, "failed")
    assert lost.reason.startswith("the process that works on it dies")
    assert 2 <= load.count("load") <= 6
    assert files(out) == files(tmp_path / "alone")
    assert rows(out) == rows(tmp_path / "alone")


def files(out: Path) -> dict[str, bytes]:
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file() and batch.STATE_FOLDER not in path.parts
    }


def rows(out: Path) -> list[tuple[object, ...]]:
    """What the journal says of all pictures but the poisoned one, times and inodes aside."""
    columns = (
        "name, status, reason, retry, fingerprint, sha256, source_bytes, output, output_sha256, output_bytes"
    )
    with journal.reading(out / batch.STATE_FOLDER) as db:
        found: sqlite3.Cursor = db.execute(
            f"SELECT {columns} FROM source WHERE name != ? ORDER BY name", (POISON,)
        )
        return found.fetchall()
