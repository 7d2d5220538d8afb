"""docs/annotate.md keeps up with the tables, the limits and the measured cost."""

from __future__ import annotations

import json
import re
from pathlib import Path

from sursmr_codec.labels import measuring, rows, smr, store
from sursmr_codec.labels.plan import PART_RUNGS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "annotate.md").read_text("utf-8")


def test_every_column_is_told_in_its_order() -> None:
    table = PAGE.split("| column | meaning |")[1].split("\n\n")[0]
    told = [name for line in table.splitlines() for name in re.findall("`([^`]+)`", line.split(" | ")[0])]
    assert told == [*store.COLUMNS, *store.APART.values(), f"{store.VOTE_PREFIX}<name>"]


def test_the_limits_are_those_of_the_code() -> None:
    found = json.loads((ROOT / "benchmarks" / "annotate.json").read_text())
    assert f"more than {measuring.MAX_PIXELS / 1e6} megapixels fail" in PAGE
    assert f"more than {found['bounds']['worker_bytes'] / 2**30} GiB" in " ".join(PAGE.split())
    assert f"each of about {PART_RUNGS} rungs" in PAGE
    assert f"with more than {rows.MOST_SCORED} rungs" in PAGE
    assert f"the machines that count; null where fewer than {smr.MIN_COUNTING} do" in PAGE
    assert f"within a task; null where fewer than {smr.MIN_COUNTING_TASK} count" in PAGE


def test_the_cost_is_the_measured_one() -> None:
    found = json.loads((ROOT / "benchmarks" / "annotate.json").read_text())
    for run in found["runs"]:
        shares = [run["stage_share"][name] for name in ("machines", "cvvdp", "ssimulacra2", "encode")]
        cells = [run["jobs"], f"{run['rungs_per_second']:.2f}", *(f"{100 * share:.0f} %" for share in shares)]
        assert f"| {' | '.join(map(str, cells))} |" in PAGE
    assert f"with {found['settings']['n_machines']} machines" in PAGE
