"""`batch` as a process of its own: signals, what runs by default, and the live view of a terminal."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time

from batch_runs import CLI, start
from fake_batch import FakeLoad, paint
from kill_job import visible
from rich.console import Console

from sursmr_codec.batch.outcome import Progress
from sursmr_codec.cli.batch_view import line, view


def test_ctrl_c_once_finishes_what_runs(folder, out):
    ran = start("batch", folder, "-o", out, "-r", "--jobs", 2, "--json", FAKE_SECONDS=0.3)
    assert ran.stdout is not None
    ran.stdout.readline()
    # To all of the group, as a terminal does.
    os.killpg(ran.pid, signal.SIGINT)
    stdout, stderr = ran.communicate(timeout=60)
    assert ran.returncode == 130
    assert "finishing what runs" in stderr
    assert 1 <= stdout.count("\n") <= 3
    assert len(visible(out)) == stdout.count("\n") + 1
    assert "Traceback" not in stderr


def test_ctrl_c_twice_stops_now(run, folder, out, tmp_path):
    log = FakeLoad(log=tmp_path / "log")
    paint(folder / "waits.png", 1)
    ran = start("batch", folder / "waits.png", "-o", out, FAKE_LOG=log.log)
    deadline = time.monotonic() + 60
    while not log.count("embed"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    for _ in range(2):
        os.killpg(ran.pid, signal.SIGINT)
        time.sleep(0.3)
    _, stderr = ran.communicate(timeout=60)
    assert ran.returncode == 130
    assert "Traceback" not in stderr
    assert visible(out) == {}
    assert "was interrupted; the same command goes on" in run("status", out).stdout


def test_sigterm_stops_now_and_is_no_error(run, folder, out):
    ran = start("batch", folder, "-o", out, "-r", "--jobs", 1, "--json", FAKE_SECONDS=0.3)
    assert ran.stdout is not None
    ran.stdout.readline()
    ran.send_signal(signal.SIGTERM)
    _, stderr = ran.communicate(timeout=60)
    assert ran.returncode == -signal.SIGTERM
    assert "Traceback" not in stderr
    assert "was interrupted; the same command goes on" in run("status", out).stdout


def test_processes_are_what_runs_by_default(folder, out, tmp_path):
    log = FakeLoad(log=tmp_path / "log")
    ran = start("batch", folder, "-o", out, "-r", "--jobs", 2, FAKE_LOG=log.log)
    ran.communicate(timeout=60)
    assert ran.returncode == 0
    loads = [row.split() for row in log.lines() if row.startswith("load")]
    assert len(loads) == 2
    share = str(max(1, len(os.sched_getaffinity(0)) // 2))
    assert [row[2:] for row in loads] == [[share, share]] * 2
    assert str(ran.pid) not in {row[1] for row in loads}


def test_a_terminal_gets_a_live_view(folder, out):
    driver, terminal = pty.openpty()
    ran = subprocess.Popen(
        [sys.executable, CLI, "batch", folder, "-o", out, "-r", "--json"],
        stdout=subprocess.PIPE,
        stderr=terminal,
        text=True,
        env={**os.environ, "FAKE_SECONDS": "0.2", "TERM": "xterm", "COLUMNS": "80"},
    )
    os.close(terminal)
    seen = b""
    while True:
        try:
            part = os.read(driver, 4096)
        except OSError:
            break
        if not part:
            break
        seen += part
    os.close(driver)
    stdout, _ = ran.communicate()
    assert ran.returncode == 0
    assert [json.loads(row)["status"] for row in stdout.splitlines()] == ["done"] * 9
    text = seen.decode()
    assert "\x1b[" in text
    assert re.search(r"\d of 9", text)
    assert "pictures/s" in text
    assert re.search(r"00\d\d\.png", text)


def test_the_view_shows_what_there_is_to_know():
    progress = Progress(
        n_total=100,
        n_up_to_date=10,
        n_left=60,
        counts={"done": 25, "failed": 5},
        source_bytes=2_000_000,
        output_bytes=500_000,
        seconds=61,
        working_seconds=60,
        current=("a/one.png", "a/two.png"),
    )
    console = Console(file=io.StringIO(), width=100)
    console.print(view(progress, stopping=True))
    shown = console.file.getvalue()
    for words in (
        *("40 of 100", "25 done", "5 failed", "0 unmet", "10 finished earlier", "1.5 MB (75.0 %) saved"),
        *("0.50 pictures/s", "0:02:00 to go", "a/one.png", "a/two.png", "stopping"),
    ):
        assert words in shown
    assert line(progress) == (
        "40 of 100: 25 done, 5 failed, 10 finished earlier; 1.5 MB (75.0 %) saved; 0.50/s, 0:01:01 so far, "
        "0:02:00 to go"
    )
