"""`batch` and `status` on the command line: what is printed where, and exit codes."""

from __future__ import annotations

import json
import os
import re
import signal

import pytest
from batch_runs import start
from kill_job import visible
from typer.testing import CliRunner

from sursmr_codec import report
from sursmr_codec.batch.lock import RunLock
from sursmr_codec.batch.outcome import EXTRA_KEYS
from sursmr_codec.cli.app import app
from sursmr_codec.records import PICK_KEYS


def test_results_and_a_summary(run, folder, out):
    ran = run("batch", folder, "-o", out, "--recursive")
    assert ran.exit_code == 0, ran.stderr
    assert len(visible(out)) == 9
    for words in ("pictures", "done", "size", "saved", "time"):
        assert words in ran.stdout
    assert re.search(r"of 9: 1 done", ran.stderr)
    assert "\x1b" not in ran.stdout + ran.stderr


def test_without_recursive_only_the_folder_itself(run, folder, out):
    assert run("batch", folder, "-o", out).exit_code == 0
    assert sorted(visible(out)) == ["0000.jpg", "0003.jpg", "0006.jpg"]


def test_failed_and_unmet_are_exit_7_and_listed_each_time(run, folder, out):
    (folder / "broken.png").write_bytes(b"no picture")
    arguments = ("batch", folder, "-o", out, "-r", "--sur", "1", "--smr", "0")
    for _ in range(2):
        ran = run(*arguments)
        assert ran.exit_code == 7
        listed = [row for row in ran.stderr.splitlines() if row.startswith(("failed:", "unmet:"))]
        assert len(listed) == 10
        (broken,) = [row for row in listed if "broken.png" in row]
        assert broken.startswith("failed: broken.png: ")
        assert "--retry-failed" in broken
        assert "unmet: 0000.png: jpeg cannot meet SUR 1" in ran.stderr
        assert "--best-effort" in ran.stderr
    assert visible(out) == {}


def test_best_effort_is_no_failure(run, folder, out):
    ran = run("batch", folder, "-o", out, "-r", "--sur", "1", "--best-effort")
    assert ran.exit_code == 0
    assert len(visible(out)) == 9
    assert "unmet" in ran.stdout


def test_json_is_one_record_a_picture(run, folder, out):
    (folder / "notes.txt").write_text("words")
    ran = run("batch", folder, "-o", out, "-r", "--json")
    records = [json.loads(row) for row in ran.stdout.splitlines()]
    assert len(records) == 10
    assert all(list(record) == [*PICK_KEYS, *EXTRA_KEYS] for record in records)
    assert {record["status"] for record in records} == {"done", "skipped"}
    assert "pictures" in ran.stderr


def test_quiet_says_failures_only(run, folder, out):
    ran = run("batch", folder, "-o", out, "-r", "--quiet")
    assert (ran.exit_code, ran.stdout, ran.stderr) == (0, "", "")
    (folder / "broken.png").write_bytes(b"no picture")
    ran = run("batch", folder, "-o", out, "-r", "--quiet")
    assert (ran.exit_code, ran.stdout) == (7, "")
    assert ran.stderr.count("\n") == 1


@pytest.mark.parametrize("between", ["\n", "\0"])
def test_paths_from_stdin(run, folder, out, between):
    paths = [str(folder / "0000.png"), str(folder / "a" / "b" / "0002.png")]
    ran = run("batch", "-", "-o", out, stdin=between.join(paths) + between)
    assert ran.exit_code == 0, ran.stderr
    assert sorted(visible(out)) == ["0000.jpg", "a/b/0002.jpg"]


def test_files_and_globs(run, folder, out):
    assert run("batch", folder / "0000.png", f"{folder}/a/*.png", "-o", out).exit_code == 0
    assert sorted(visible(out)) == ["0000.jpg", "a/0001.jpg", "a/0004.jpg", "a/0007.jpg"]


def test_include_exclude_limit_and_codec_options(run, folder, out):
    chosen = ("--include", "*000[0-4].png", "--exclude", "b")
    ran = run("batch", folder, "-o", out, "-r", *chosen, "--limit", 3, "--codec", "webp", "--effort", 1)
    assert ran.exit_code == 0, ran.stderr
    assert sorted(visible(out)) == ["0000.webp", "0003.webp", "a/0001.webp"]
    assert "left" in ran.stdout


def test_a_dry_run_prints_the_plan(run, folder, out):
    ran = run("batch", folder, "-o", out, "-r", "--dry-run")
    assert ran.exit_code == 0
    assert "to do     a/0001.png -> a/0001.jpg" in ran.stdout.splitlines()
    assert ran.stdout.splitlines()[-1] == "9 to do; nothing was written"
    assert not out.exists()
    planned = [
        json.loads(row) for row in run("batch", folder, "-o", out, "--dry-run", "--json").stdout.splitlines()
    ]
    assert planned[0] == {"source": "0000.png", "action": "work", "targets": ["0000.jpg"], "reason": None}


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (("{in}/absent",), 4, "no such file"),
        (("{in}", "--engine", "nonsense"), 2, "known"),
        (("{in}", "--codec", "nonsense"), 2, "unknown codec"),
        (("{in}", "--sur", "2"), 2, "0..1"),
        (("{in}", "--table", "results.doc"), 2, ".parquet"),
        (("{in}", "--jobs", "0"), 2, "jobs"),
        (("{in}", "--alpha", "nonsense"), 2, "alpha"),
    ],
)
def test_bad_arguments(run, folder, out, arguments, exit_code, words):
    given = [argument.replace("{in}", str(folder)) for argument in arguments]
    ran = run("batch", *given, "-o", out) if "--engine" not in given else _plain("batch", *given, "-o", out)
    assert ran.exit_code == exit_code
    assert words in ran.stderr
    assert not out.exists()


def _plain(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="sursmr-qp")


def test_out_among_the_sources_is_refused(run, folder):
    ran = run("batch", folder, "-o", folder)
    assert ran.exit_code == 2
    assert "holds the sources" in ran.stderr


def test_a_second_run_is_exit_6(run, folder, out):
    run("batch", folder, "-o", out)
    with RunLock(out / ".sursmr-qp"):
        ran = run("batch", folder, "-o", out)
        assert ran.exit_code == 6
        assert f"process {os.getpid()}" in ran.stderr
        assert "state     running" in run("status", out).stdout
    assert "state     finished" in run("status", out).stdout


def test_no_pictures_is_said(run, tmp_path, out):
    (tmp_path / "empty").mkdir()
    ran = run("batch", tmp_path / "empty", "-o", out)
    assert ran.exit_code == 0
    assert "no file was found" in ran.stderr


def test_report_and_table_are_written_at_the_end(run, folder, out, monkeypatch):
    made = []
    monkeypatch.setattr(report, "write_report", lambda out: made.append(("report", out)) or out / "page")
    monkeypatch.setattr(report, "write_table", lambda out, path: made.append(("table", out)) or path)
    ran = run("batch", folder, "-o", out, "--report", "--table", "all.csv")
    assert ran.exit_code == 0, ran.stderr
    assert made == [("table", out), ("report", out)]
    assert str(out / "page") in ran.stdout


def test_status(run, folder, out):
    assert run("status", out).exit_code == 2
    (folder / "broken.png").write_bytes(b"no picture")
    run("batch", folder, "-o", out, "-r", "--limit", 4)
    found = json.loads(run("status", out, "--json").stdout)
    assert found["schema"] == "sursmr-qp/status/1"
    assert (found["state"], found["n_total"], found["n_left"]) == ("finished", 10, 6)
    assert found["counts"] == {"done": 3, "unmet": 0, "failed": 1, "skipped": 0}
    assert (found["by"], found["rate"]) == (None, None)
    text = run("status", out).stdout
    assert "finished its share" in text
    assert str(folder) in text


def test_status_of_a_live_run(run, folder, out):
    ran = start("batch", folder, "-o", out, "-r", "--jobs", 1, "--json", FAKE_SECONDS=0.3)
    assert ran.stdout is not None
    ran.stdout.readline()
    ran.stdout.readline()
    found = json.loads(run("status", out, "--json").stdout)
    assert (found["state"], found["n_total"]) == ("running", 9)
    assert found["by"]["pid"] == ran.pid
    assert found["rate"] > 0
    ran.send_signal(signal.SIGINT)
    ran.communicate()
