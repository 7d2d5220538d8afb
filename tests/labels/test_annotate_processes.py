"""Labelling with real worker processes: killed at any moment, crashing, orphaned."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_panel import FakeSetup, make_pictures, make_run
from PIL import Image

from sursmr_codec.errors import UnavailableError
from sursmr_codec.labels import store
from sursmr_codec.labels.annotate import Finished, annotate_events

DRIVER = Path(__file__).with_name("fake_panel.py")
N_KILLS = 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_pictures(tmp_path / "pictures", 12)
    return tmp_path / "pictures"


def start(folder: Path, out: Path, log: Path, *, seconds: float, jobs: int = 2) -> subprocess.Popen[str]:
    """The driver in a process group of its own."""
    command = [sys.executable, DRIVER, folder, out, out.with_name("cache"), jobs, seconds, log]
    return subprocess.Popen(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def lines_of(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    return iter(process.stdout)


def workers_in(log: Path) -> list[int]:
    """Process ids of all workers that were ever loaded."""
    return [int(line.split()[1]) for line in log.read_text().splitlines() if line.startswith("load")]


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_until_dead(pids: list[int], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while any(map(is_alive, pids)):
        assert time.monotonic() < deadline, f"still alive: {[pid for pid in pids if is_alive(pid)]}"
        time.sleep(0.05)


def finish(folder: Path, setup: FakeSetup, out: Path, jobs: int) -> Finished:
    *_, finished = annotate_events(make_run(folder, setup), out, out.with_name("cache"), jobs=jobs)
    assert isinstance(finished, Finished)
    return finished


def files_of(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


def test_killed_at_any_moment_it_ends_with_the_same_files(folder: Path, tmp_path: Path) -> None:
    log, out = tmp_path / "log", tmp_path / "killed" / "out"
    finish(folder, FakeSetup(), tmp_path / "whole" / "out", jobs=1)
    whole = files_of(tmp_path / "whole" / "out")
    moments = random.Random(5)
    n_kills = n_in_the_middle = 0
    while n_kills < N_KILLS:
        out.parent.mkdir(exist_ok=True)
        process = start(folder, out, log, seconds=0.004)
        # Some are killed while they load, most at work, between and within images.
        for _ in range(moments.randrange(4)):
            next(lines_of(process), None)
        time.sleep(moments.uniform(0.0, 0.15))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            n_kills += 1
            n_in_the_middle += 0 < len(list(out.glob("part-*"))) < len(whole) - 1
        process.communicate()
        if len(list(out.glob("part-*"))) == len(whole) - 1:
            assert finish(folder, FakeSetup(), out, jobs=1).progress.n_measured == 0
            assert files_of(out) == whole
            out.parent.rename(tmp_path / f"finished-{n_kills}")
    assert n_in_the_middle >= 3
    finish(folder, FakeSetup(), out, jobs=2)
    assert files_of(out) == whole
    wait_until_dead(workers_in(log))


def test_workers_die_with_their_driver(folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = start(folder, tmp_path / "out", log, seconds=30.0)
    deadline = time.monotonic() + 60
    while not log.exists() or len(workers_in(log)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert all(map(is_alive, workers_in(log)))
    # The driver alone: its workers are in the middle of a call that takes half a minute.
    process.kill()
    process.communicate()
    wait_until_dead(workers_in(log))


def test_no_worker_outlives_its_run(folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    finish(folder, FakeSetup(log), tmp_path / "out", jobs=2)
    assert len(workers_in(log)) == 2
    assert not any(map(is_alive, workers_in(log)))


def test_workers_share_the_images(folder: Path, tmp_path: Path) -> None:
    finish(folder, FakeSetup(), tmp_path / "one" / "out", jobs=1)
    finish(folder, FakeSetup(), tmp_path / "three" / "out", jobs=3)
    assert files_of(tmp_path / "one" / "out") == files_of(tmp_path / "three" / "out")


def test_a_crash_costs_one_image_and_is_named(folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    for path in (folder / "train").iterdir():
        if path.name == "003.png":
            Image.new("RGB", (32, 24)).save(path)
    finished = finish(folder, FakeSetup(log, deadly="c1"), tmp_path / "out", jobs=2)
    (failure,) = finished.failures
    assert (failure.image, failure.what) == ("train/003.png", "image")
    assert failure.error == "its worker process died with exit code 11"
    assert store.read_labels(tmp_path / "out").num_rows == 33
    # Tried twice, so that a worker which something else has killed costs nothing: 11 images with four
    # pictures each, and two more looks at the original that kills.
    assert log.read_text().splitlines().count("c1") == 46


def test_a_panel_that_cannot_load_ends_the_run(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="machine c0 cannot be loaded"):
        finish(folder, FakeSetup(cannot_load=True), tmp_path / "out", jobs=2)
