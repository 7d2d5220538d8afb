"""The engine `ray`: what shows without a cluster, and, in a process with a time limit, what needs one."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from fake_batch import request
from typer.testing import CliRunner

from sursmr_codec.batch import engines
from sursmr_codec.batch.driver import Batch
from sursmr_codec.batch.engines import _cluster
from sursmr_codec.batch.engines._cluster import Share, share_out
from sursmr_codec.batch.engines.process import Process
from sursmr_codec.batch.engines.ray import Ray
from sursmr_codec.batch.request import engine_of
from sursmr_codec.cli.app import app
from sursmr_codec.cli.batch_places import engine_of as engine_asked_for
from sursmr_codec.errors import MissingExtra, UnavailableError, UsageError

CONTRACT = Path(__file__).with_name("ray_contract.py")
MOST_SECONDS = 540
"""A cluster of two starts within seconds, on a busy machine within minutes."""


def test_on_a_cluster_of_two_machines() -> None:
    pytest.importorskip("ray")
    run = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-s",
            "-p",
            "no:cacheprovider",
            "--durations=6",
            str(CONTRACT),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        printed, _ = run.communicate(timeout=MOST_SECONDS)
    finally:
        # Ray's processes too, whatever became of their driver.
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
            run.communicate()
    assert run.returncode == 0, printed
    # A process died and a machine was lost, and stdout is for records.
    assert "raylet" not in printed


class FakeRay:
    """A cluster that has so much."""

    def __init__(self, **resources: float) -> None:
        self._resources = resources

    def cluster_resources(self) -> dict[str, float]:
        return self._resources


@pytest.mark.parametrize(
    ("there", "jobs", "gpu", "share"),
    [
        ({"CPU": 16}, 0, False, Share(16, 1, 1, 0)),
        ({"CPU": 16}, 4, False, Share(4, 4, 4, 0)),
        ({"CPU": 2}, 3, False, Share(3, 1, 0.6666, 0)),
        ({"CPU": 16, "GPU": 2}, 0, False, Share(16, 1, 1, 0)),
        ({"CPU": 16, "GPU": 2}, 0, True, Share(2, 8, 8, 1)),
        ({"CPU": 16, "GPU": 2}, 8, True, Share(8, 2, 2, 0.25)),
        ({"CPU": 16, "GPU": 4}, 1, True, Share(1, 16, 16, 1)),
    ],
)
def test_cores_and_gpus_are_shared_out(
    monkeypatch: pytest.MonkeyPatch, there: dict[str, float], jobs: int, gpu: bool, share: Share
) -> None:
    monkeypatch.setattr(_cluster, "library", lambda: FakeRay(**there))
    assert share_out(jobs, gpu=gpu) == share


@pytest.mark.parametrize(
    ("there", "gpu", "words"),
    [({"CPU": 4}, True, "has no GPU; leave out --device cuda"), ({}, False, "no cores")],
)
def test_a_cluster_without_what_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, there: dict[str, float], gpu: bool, words: str
) -> None:
    monkeypatch.setattr(_cluster, "library", lambda: FakeRay(**there))
    with pytest.raises(UnavailableError, match=words):
        share_out(0, gpu=gpu)


def test_auto_never_means_ray_by_itself(folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:6379")
    assert isinstance(engine_of(request(folder, out, engine="auto")), Process)
    assert engine_asked_for("auto", None, "cuda") == ("auto", {})


def test_an_address_means_ray() -> None:
    assert engine_asked_for("auto", "head:6379", "cpu") == ("ray", {"address": "head:6379", "gpu": False})
    assert engine_asked_for("ray", None, "cuda") == ("ray", {"address": None, "gpu": True})
    with pytest.raises(UsageError, match="--ray-address is for the engine ray"):
        engine_asked_for("process", "head:6379", "cpu")


def test_where_no_cluster_answers(folder: Path, out: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    asked = request(folder, out, engine="ray", engine_options={"address": f"127.0.0.1:{port}"})
    with pytest.raises(UnavailableError, match=f"no Ray cluster at 127.0.0.1:{port}"):
        list(Batch(asked))
    assert not out.exists()


@pytest.mark.parametrize("address", ["ray://head:10001", "head", "head:port"])
def test_addresses_of_other_kinds_are_refused(address: str) -> None:
    with pytest.raises(UsageError, match="must be HOST:PORT"):
        Ray(0, address=address).__enter__()


def test_without_ray_it_says_how_to_get_it(folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r"pip install 'sursmr-qp\[ray\]'"), engines.get("ray")(0):
        pass
    ran = CliRunner().invoke(app, ["batch", str(folder), "-o", str(out), "--engine", "ray"])
    assert (ran.exit_code, ran.stdout) == (5, "")
    assert "pip install 'sursmr-qp[ray]'" in ran.stderr
    assert not out.exists()
