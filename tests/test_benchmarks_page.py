"""benchmarks/README.md: made from the scripts and their results, whatever is added to them."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"


@pytest.fixture
def generate(monkeypatch):
    """The generator's names."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    return runpy.run_path(str(BENCHMARKS / "generate.py"))


def test_page_is_what_the_scripts_and_results_say():
    command = [sys.executable, str(BENCHMARKS / "generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_every_line_of_a_known_script_fits_its_result(generate):
    lines = runpy.run_path(str(BENCHMARKS / "headlines.py"))["HEADLINES"]
    assert set(lines) <= {path.stem for path in BENCHMARKS.glob("*.py")}
    for name, line in lines.items():
        result = BENCHMARKS / f"{name}.json"
        if result.exists():
            assert line(json.loads(result.read_text())), name


def test_every_script_tells_how_it_is_run(generate):
    for script in generate["scripts"]():
        assert not script.asks or script.commands, f"{script.name} names no command"


@pytest.fixture
def folder(tmp_path):
    """One benchmark with a result, one without, and a part."""
    lines = [
        "How fast?",
        "",
        "    python benchmarks/new.py    print",
        "    python benchmarks/new.py -w    write",
    ]
    (tmp_path / "new.py").write_text('"""' + "\n".join(lines) + '\n"""\n')
    (tmp_path / "newer.py").write_text('"""How slow?"""\n')
    (tmp_path / "new_part.py").write_text('"""A part."""\n')
    return tmp_path


def test_a_new_script_is_shown_by_its_numbers(folder, generate):
    record = {
        "date": "2026-01-02",
        "machine": {"n_cores": 2},
        "speed": {"files_a_second": 12.3456},
        "n": 7000,
    }
    (folder / "new.json").write_text(json.dumps(record))
    page = generate["render"](folder)
    assert (
        "| [How fast?](new.py) | speed files a second 12.35, n 7,000 ([all](new.json)) "
        "| 2026-01-02 | n cores 2 |" in page
    )
    assert "| [How slow?](newer.py) | no result is kept | - | - |" in page
    assert "```bash\npython benchmarks/new.py\npython benchmarks/new.py -w\n```" in page
    assert "- `new_part.py`: A part." in page


def test_dates_and_machines_of_parts_are_all_named(folder, generate):
    parts = {name: {"date": f"2026-01-0{name}", "machine": {"gpu": "none"}} for name in ("1", "2")}
    (folder / "new.json").write_text(json.dumps({"parts": parts}))
    assert "| 2026-01-01, 2026-01-02 | gpu none |" in generate["render"](folder)


@pytest.mark.parametrize("record", [{"answers": 3}, {"answers": {"help": {}}}, {"n": 3}, {}])
def test_a_result_of_another_shape_does_not_break_the_page(record, generate):
    headline = generate["headline"]("startup", record)
    assert headline == ", ".join(f"{name} {value}" for name, value in record.items() if value == 3)
