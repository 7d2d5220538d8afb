"""docs/encoders.md keeps up with the programs that can be used and with the committed results."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from sursmr_codec import codecs
from sursmr_codec.codecs._local import KINDS

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "encoders.md").read_text()


def test_tables_say_what_was_measured():
    tables = runpy.run_path(str(ROOT / "docs" / "encoder_tables.py"))
    assert tables["render"](PAGE) == PAGE


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_program_is_measured_or_said_not_to_be(kind):
    result = json.loads((ROOT / "benchmarks" / "encoders.json").read_text())
    rows = [row for row in result["encoders"] if row["program"] == kind.name]
    assert {row["codec"] for row in rows} == set(kind.codecs)
    for row in rows:
        if row["version"] is not None:
            assert row["n_qps_exact"] == row["n_qps"] == len(codecs.get(row["codec"]).qp_range)


def test_every_decoder_keeps_its_bound():
    result = json.loads((ROOT / "benchmarks" / "encoders.json").read_text())
    assert len(result["decoders"]) >= 7
    for row in result["decoders"]:
        for found in (row["ours_db"], row["theirs_db"]):
            if found not in ("same", None):
                assert found >= row["bound_db"]
