"""Parquet and CSV: the same values, types that hold, and every column documented."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from pathlib import Path

import fabricated
import pyarrow.parquet
import pytest

from sursmr_codec.errors import MissingExtra, OutputError, UsageError
from sursmr_codec.report import table

ROOT = Path(__file__).resolve().parent.parent.parent

RECORDS = [
    fabricated.done('sub/ä, "quoted".png', warnings=["one", "two"]),
    fabricated.kept("b.jpg"),
    fabricated.unmet("c.png"),
    fabricated.failed("d.png"),
    fabricated.skipped("e.txt"),
]


def test_parquet_has_types_and_nulls(tmp_path):
    path = table.write(RECORDS, tmp_path / "run.parquet")
    read = pyarrow.parquet.read_table(path)
    assert read.column_names == [column.name for column in table.COLUMNS]
    first, kept, unmet, failed, skipped = read.to_pylist()
    assert first["source"] == 'sub/ä, "quoted".png'
    assert (first["qp"], first["sur"], first["n_bytes"]) == (33, 0.751, 36_354)
    assert json.loads(first["native"]) == {"quality": 68}
    assert first["warnings"] == ["one", "two"]
    assert first["probes"] == fabricated.done()["probes"]
    assert first["seconds_total"] == 1.5
    assert (kept["kept_original"], kept["qp"]) == (True, None)
    assert (unmet["met"], unmet["output"], unmet["target_smr"]) == (False, None, 0.99)
    assert (failed["codec"], failed["width"], failed["probes"]) == (None, None, [])
    assert (skipped["status"], skipped["target_sur"]) == ("skipped", None)


def test_types_do_not_depend_on_the_rows(tmp_path):
    some = pyarrow.parquet.read_schema(table.write(RECORDS, tmp_path / "some.parquet"))
    none = pyarrow.parquet.read_schema(table.write([], tmp_path / "none.parquet"))
    assert some.equals(none)


def test_csv_says_the_same(tmp_path):
    path = table.write(RECORDS, tmp_path / "run.csv")
    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))
    assert [row["source"] for row in rows] == [record["source"] for record in RECORDS]
    assert (rows[0]["qp"], rows[0]["met"], rows[0]["target_risk"]) == ("33", "true", "")
    assert json.loads(rows[0]["probes"]) == fabricated.done()["probes"]
    assert rows[3]["codec"] == rows[3]["n_bytes"] == ""


def test_a_name_that_is_not_valid_utf8_is_written_readably(tmp_path):
    odd = [fabricated.failed("caf\udce9.png")]
    assert "caf\\udce9.png" in table.write(odd, tmp_path / "odd.csv").read_text("utf-8")
    read = pyarrow.parquet.read_table(table.write(odd, tmp_path / "odd.parquet"))
    assert read["source"].to_pylist() == ["caf\\udce9.png"]


def test_other_endings_and_places_are_refused_before_anything_is_read(tmp_path):
    with pytest.raises(UsageError, match=r"\.parquet or \.csv"):
        table.write(iter(()), tmp_path / "run.xlsx")
    with pytest.raises(OutputError, match="does not exist"):
        table.write(iter(()), tmp_path / "nowhere" / "run.csv")


def test_without_pyarrow_csv_works_and_parquet_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert table.write(RECORDS, tmp_path / "run.csv").exists()
    with pytest.raises(MissingExtra, match=r"sursmr-qp\[report\]"):
        table.check(tmp_path / "run.parquet")


def test_every_column_is_documented_in_order():
    guide = (ROOT / "docs" / "report.md").read_text()
    columns = guide[guide.index("## Columns") :]
    assert re.findall(r"^\| `(\w+)` \|", columns, re.MULTILINE) == [column.name for column in table.COLUMNS]
