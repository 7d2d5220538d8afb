"""`sursmr-qp bench`: what it prints and writes, and its exit codes."""

from __future__ import annotations

import json

import pytest
from fake_bench import Sloped
from typer.testing import CliRunner

from sursmr_codec import predict
from sursmr_codec.cli.app import app


@pytest.fixture
def run(monkeypatch, pictures):
    """Run `sursmr-qp bench` on the pictures; `measured` is stricter than what picks."""

    def load(predictor_id, **_):
        return Sloped(shift=2 if predictor_id == "measured" else 0)

    monkeypatch.setattr(predict, "load", load)

    def run_bench(*arguments):
        line = ["bench", str(pictures), "--sur", "0.6", "--smr", "0", *map(str, arguments)]
        return CliRunner().invoke(app, line, prog_name="sursmr-qp")

    return run_bench


def test_prints_a_table_and_writes_both_files(run, tmp_path):
    out, page = tmp_path / "bench.json", tmp_path / "summary.md"
    done = run("--out", out, "--markdown", page, "--baseline", "quality=75", "--baseline", "oracle")
    assert done.exit_code == 0, done.output
    assert "quality=75" in done.stdout
    assert "jpeg pick: 6 images" in done.stderr
    record = json.loads(out.read_text())
    assert record["settings"]["baselines"] == ["quality=75", "oracle"]
    assert record["totals"]["jpeg"]["met_percent"] == 100
    assert page.read_text().startswith("# Bytes saved on 6 images")


def test_json_alone_goes_to_stdout(run):
    done = run("--json", "--quiet", "--limit", "2", "--truth", "measured")
    record = json.loads(done.stdout)
    assert done.stderr == ""
    assert record["truth"] == "measured"
    assert record["settings"]["judge"]["sha256"] != record["settings"]["predictor"]["sha256"]
    assert record["totals"]["jpeg"]["n_images"] == 2
    assert record["totals"]["jpeg"]["missed_percent"] == 100


def test_gates_that_hold_end_well(run):
    assert run("--min-saved", "1", "--max-missed", "0", "-q").exit_code == 0


def test_a_gate_that_does_not_hold_is_exit_8_with_its_numbers(run, tmp_path):
    out = tmp_path / "bench.json"
    done = run("--truth", "measured", "--min-saved", "best-fixed=-500", "--max-missed", "10", "--out", out)
    assert done.exit_code == 8
    error = done.stderr.splitlines()[-1]
    assert error == "error: not within bounds: max-missed jpeg: 100.00 %, must be at most 10 %"
    gates = json.loads(out.read_text())["gates"]
    assert [gate["ok"] for gate in gates] == [True, False]
    assert set(gates[0]) == {"name", "value", "bound", "ok"}


def test_a_regression_is_exit_8(run, tmp_path):
    old = tmp_path / "old.json"
    assert run("--out", old, "-q").exit_code == 0
    against = ("--against", old, "--max-regression", "1", "-q")
    assert run(*against).exit_code == 0
    record = json.loads(old.read_text())
    for image in record["images"]:
        image["codecs"]["jpeg"]["pick"]["n_bytes"] *= 0.9
    old.write_text(json.dumps(record))
    done = run(*against)
    assert done.exit_code == 8
    assert "max-regression jpeg bytes: 11.11 %, must be at most 1 %" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--baseline", "nothing"), 2, "unknown baseline"),
        (("--against", "old.json"), 2, "go together"),
        (("--max-regression", "1"), 2, "go together"),
        (("--min-saved", "x"), 2, "PCT"),
        (("--codec", "nothing"), 2, "unknown codec"),
        (("--sur", "0"), 2, "both targets off"),
        (("--out", "absent/bench.json"), 6, "cannot be written"),
        (("--against", "absent.json", "--max-regression", "1"), 2, "No such file"),
        (("--out", "one.json", "--markdown", "./one.json"), 2, "name two files"),
        (("--zoo", "machines"), 2, "add --truth measured"),
        (("--cache", "answers"), 2, "give --truth measured"),
        (("--max-missed", "150"), 2, "0 to 100 percent"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(run, arguments, code, said):
    done = run(*arguments)
    assert done.exit_code == code
    assert done.stdout == ""
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
