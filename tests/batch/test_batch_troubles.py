"""What may go wrong around a batch: pictures that kill, memory, disks, permissions, other runs."""

from __future__ import annotations

import errno
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from fake_batch import FakeLoad, paint, request
from kill_job import journal, start, visible, wait_until_gone, workers_of
from surroundings import as_nobody, remount

from sursmr_codec import batch
from sursmr_codec.batch import lock, status
from sursmr_codec.batch.driver import Batch
from sursmr_codec.errors import OutputError


def run(*arguments, **others):
    return {outcome.source: outcome for outcome in Batch(request(*arguments, **others))}


def same_as_undisturbed(folder: Path, out: Path, **others) -> bool:
    """Whether OUT and its journal are those of a run that met no trouble."""
    with tempfile.TemporaryDirectory() as elsewhere:
        whole = Path(elsewhere)
        run(folder, whole, **others)
        return visible(out) == visible(whole) and journal(out) == journal(whole)


def test_a_picture_that_kills_is_said_once_and_costs_no_other(folder, out, load):
    paint(folder / "a" / "kills.png", 5)
    paint(folder / "crashes.png", 6)
    outcomes = run(folder, out, load, engine="process", jobs=2)
    failed = {source: one for source, one in outcomes.items() if one.status == "failed"}
    assert set(failed) == {"a/kills.png", "crashes.png"}
    assert "dies" in failed["a/kills.png"].reason
    assert "exit code -11" in failed["crashes.png"].reason
    assert "--retry-failed" in failed["crashes.png"].retry
    assert len(visible(out)) == 9
    assert run(folder, out, load, engine="process", jobs=2) == {}
    # Twice each, as a process may die of other causes, and never again.
    assert sum("kills.png" in line for line in load.log.read_text().splitlines()) == 2


def test_a_worker_that_was_killed_once_costs_nothing(folder, out, load):
    paint(folder / "kills-once.png", 5)
    outcomes = run(folder, out, load, engine="process", jobs=1)
    assert {one.status for one in outcomes.values()} == {"done"}
    assert len(outcomes) == 10


def test_a_memory_limit_fails_the_picture_that_is_too_large(out, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    paint(folder / "small.png", 1)
    paint(folder / "large.png", 1, size=6000)
    outcomes = run(folder, out, Frugal(), engine="process", jobs=1)
    assert {source: one.status for source, one in outcomes.items()} == {
        "small.png": "done",
        "large.png": "failed",
    }
    assert "memory" in outcomes["large.png"].reason


class Frugal(FakeLoad):
    """Limits its process to what it has and a little more."""

    def __call__(self, threads):
        assert multiprocessing.parent_process() is not None
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * os.sysconf("SC_PAGE_SIZE") + 150_000_000
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        return super().__call__(threads)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EIO])
def test_a_disk_that_takes_no_more_stops_the_run_and_loses_nothing(folder, out, monkeypatch, code):
    writes = iter(range(100))

    def fsync(handle):
        if next(writes) > 8:
            raise OSError(code, os.strerror(code))

    with monkeypatch.context() as failing:
        failing.setattr(os, "fsync", fsync)
        with pytest.raises(OutputError):
            run(folder, out)
    assert 0 < len(visible(out)) < 9
    assert status.read(out).state == "stopped"
    assert all(record["status"] == "done" for record in batch.records(out))
    run(folder, out)
    assert same_as_undisturbed(folder, out)


@pytest.mark.parametrize("engine", ["serial", "process"])
def test_a_full_disk(folder, small_disk, engine):
    out = small_disk / "out"
    out.mkdir()
    filler = small_disk / "filler"
    # Room for the journal and a few results.
    filler.write_bytes(bytes(1_900_000))
    for number in range(40):
        paint(folder / "a" / f"more-{number}.png", number, size=64)
    with pytest.raises(OutputError, match="full"):
        run(folder, out, engine=engine, jobs=2)
    assert len(visible(out)) < 49
    assert not list(out.rglob("*.part"))
    filler.unlink()
    run(folder, out, engine=engine, jobs=2)
    assert same_as_undisturbed(folder, out)


def test_out_made_read_only_while_it_runs(open_folder):
    folder, out = open_folder / "in", open_folder / "out"
    folder.mkdir()
    for number in range(4):
        paint(folder / f"{number}.png", number)
    with as_nobody(open_folder):
        running = iter(Batch(request(folder, out)))
        next(running)
        out.chmod(0o555)
        with pytest.raises(OutputError, match="permission"):
            list(running)
        assert len(list(batch.records(out))) == len(visible(out)) == 1
        out.chmod(0o755)
        run(folder, out)
        assert same_as_undisturbed(folder, out)


def test_a_disk_made_read_only_between_two_runs(folder, small_disk):
    out = small_disk / "out"
    run(folder, out, limit=1)
    remount(small_disk, "ro")
    with pytest.raises(OutputError):
        run(folder, out)
    # What is known can still be read.
    assert len(list(batch.records(out))) == len(visible(out)) == 1
    assert status.read(out).n_total == 9
    remount(small_disk, "rw")
    run(folder, out)
    assert same_as_undisturbed(folder, out)


def test_out_without_permission(open_folder):
    folder, out = open_folder / "in", open_folder / "out"
    folder.mkdir()
    for number in range(4):
        paint(folder / f"{number}.png", number)
    (folder / "sub").mkdir()
    paint(folder / "sub" / "x.png", 1)
    (out / "sub").mkdir(parents=True)
    with as_nobody(open_folder):
        (out / "sub").chmod(0o555)
        outcomes = run(folder, out)
        assert outcomes["sub/x.png"].status == "failed"
        assert "permission" in outcomes["sub/x.png"].reason
        assert len(visible(out)) == 4
        (out / "sub").chmod(0o755)
        (out / "0.jpg").unlink()
        out.chmod(0o555)
        with pytest.raises(OutputError, match="permission"):
            run(folder, out, retry_failed=True)
        out.chmod(0o755)
        run(folder, out, retry_failed=True)
        assert same_as_undisturbed(folder, out)


def test_a_second_run_on_the_same_out_stops(folder, out):
    running = iter(Batch(request(folder, out)))
    next(running)
    with pytest.raises(OutputError, match=f"being worked on by process {os.getpid()}"):
        run(folder, out)
    assert status.read(out).state == "running"
    assert len(list(running)) == 8
    assert status.read(out).state == "finished"


def test_a_killed_run_does_not_block_the_next(folder, out):
    paint(folder / "waits.png", 1)
    driver = start(folder, out)
    assert driver.stdout is not None
    driver.stdout.readline()
    workers = workers_of(driver.pid)
    assert len(workers) == 2
    assert lock.is_held(out / batch.STATE_FOLDER)
    driver.kill()
    driver.communicate()
    wait_until_gone(driver.pid)
    assert status.read(out).state == "killed"
    (folder / "waits.png").unlink()
    run(folder, out)
    assert status.read(out).state == "finished"
    assert same_as_undisturbed(folder, out)


def test_a_look_at_the_lock_does_not_turn_a_run_away(folder, out):
    run(folder, out)
    state = out / batch.STATE_FOLDER
    script = (
        "import sys; from pathlib import Path; from sursmr_codec.batch import lock\n"
        "while True: lock.is_held(Path(sys.argv[1]))"
    )
    looking = subprocess.Popen([sys.executable, "-c", script, str(state)])
    try:
        for _ in range(20):
            with lock.RunLock(state):
                time.sleep(0.005)
    finally:
        looking.kill()
        looking.wait()


def test_terminated_workers_leave_no_drafts(folder, out):
    paint(folder / "waits.png", 1)
    driver = start(folder, out)
    assert driver.stdout is not None
    for _ in range(9):
        driver.stdout.readline()
    driver.send_signal(signal.SIGTERM)
    driver.communicate()
    wait_until_gone(driver.pid)
    assert len(visible(out)) == 9
    assert not list(out.rglob("*.part"))


def test_a_journal_of_another_kind_is_not_touched(folder, out):
    state = out / batch.STATE_FOLDER
    state.mkdir(parents=True)
    (state / "journal.sqlite").write_bytes(b"something else entirely, and long enough to be looked at" * 20)
    with pytest.raises(OutputError, match="journal"):
        run(folder, out)
    assert visible(out) == {}
