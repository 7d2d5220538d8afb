"""`sursmr-qp report` on a real batch: the page, the tables, and what is said where there is none."""

from __future__ import annotations

import csv
import json
import re
import sys
import webbrowser
from pathlib import Path

import pyarrow.parquet
import pytest
from PIL import Image
from typer.testing import CliRunner

from sursmr_codec.cli.app import app
from sursmr_codec.labels.teachers import Cvvdp
from sursmr_codec.report import write_report, write_table


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="sursmr-qp")


@pytest.fixture(scope="module")
def out(tmp_path_factory, kodim23):
    """The folder of a finished run: two pictures, one broken file and one that is no image."""
    folder = tmp_path_factory.mktemp("batch")
    source = folder / "in"
    source.mkdir()
    with Image.open(kodim23) as whole:
        whole.crop((300, 100, 428, 196)).save(source / "parrot.png")
        whole.crop((100, 200, 228, 296)).save(source / "wing & <beak>.tiff")
    (source / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (source / "notes.txt").write_text("none")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Cvvdp, "installed", classmethod(lambda _: False))
        patch.delenv("SURSMR_ZOO", raising=False)
        done = run(
            "batch",
            source,
            "-o",
            folder / "out",
            "--smr",
            0,
            "--predictor",
            "measured",
            "--engine",
            "serial",
            "--quiet",
        )
    assert done.exit_code == 7, done.output
    return folder / "out"


def test_the_page_has_every_source(out):
    done = run("report", out)
    assert done.exit_code == 0
    page = Path(done.stdout.strip())
    assert page == out / ".sursmr-qp" / "report" / "index.html"
    (payload,) = re.findall(
        r'<script type="application/json"[^>]*>(.*?)</script>', page.read_text("utf-8"), re.S
    )
    entries = {entry["source"]: entry for entry in json.loads(payload)["entries"]}
    assert {name: entry["status"] for name, entry in entries.items()} == {
        "parrot.png": "done",
        "wing & <beak>.tiff": "done",
        "broken.png": "failed",
        "notes.txt": "skipped",
    }
    assert entries["parrot.png"]["pictures"]["whole"]["after"] == "../../parrot.jpg"
    assert entries["wing & <beak>.tiff"]["pictures"]["whole"]["after"].startswith("previews/")
    assert "next one tried" in entries["parrot.png"]["binds"]


def test_tables_have_every_source(out, tmp_path):
    for name in ("run.parquet", "run.csv"):
        done = run("report", out, "--table", tmp_path / name)
        assert done.exit_code == 0
        assert done.stdout.strip() == str(tmp_path / name)
    parquet = pyarrow.parquet.read_table(tmp_path / "run.parquet").to_pylist()
    with (tmp_path / "run.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["source"] for row in rows] == [row["source"] for row in parquet]
    assert [row["qp"] for row in rows] == [str(row["qp"] or "") for row in parquet]
    assert len(rows) == 4


def test_from_python_the_same(out, tmp_path):
    assert write_report(out).read_text("utf-8").startswith("<!doctype html>")
    assert write_table(out, tmp_path / "run.csv").exists()


def test_open_shows_the_page(out, monkeypatch):
    shown = []
    monkeypatch.setattr(webbrowser, "open", shown.append)
    assert run("report", out, "--open", "--previews", 0).exit_code == 0
    assert shown == [(out / ".sursmr-qp" / "report" / "index.html").resolve().as_uri()]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (("--table", "run.xlsx"), 2, ".parquet or .csv"),
        (("--table", "nowhere/run.csv"), 6, "does not exist"),
        (("--table", "run.csv", "--open"), 2, "--open"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(out, tmp_path, monkeypatch, arguments, exit_code, message):
    monkeypatch.chdir(tmp_path)
    done = run("report", out, *arguments)
    assert done.exit_code == exit_code
    (line,) = done.stderr.splitlines()
    assert message in line
    assert done.stdout == ""


def test_a_folder_without_a_run_is_a_usage_error(tmp_path):
    done = run("report", tmp_path)
    assert done.exit_code == 2
    assert str(tmp_path) in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_batch_that_wants_a_page_says_at_its_start_what_is_missing(tmp_path, monkeypatch, kodim23):
    monkeypatch.setitem(sys.modules, "plotly", None)
    done = run("batch", kodim23, "-o", tmp_path / "out", "--smr", 0, "--report")
    assert done.exit_code == 5
    assert "sursmr-qp[report]" in done.stderr
    assert not (tmp_path / "out").exists()
