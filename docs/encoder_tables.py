"""Writes the tables of docs/encoders.md from the committed results.

python docs/encoder_tables.py            rewrite the tables
python docs/encoder_tables.py --check    exit 1 and say which table differs
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "encoders.md"
_BLOCK = re.compile(r"(<!-- generated: (?P<name>[\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def encoders() -> str:
    """What each program wrote beside the built-in encoder."""
    rows = []
    for row in _result("encoders")["encoders"]:
        head = (f"`--{row['program']}`", f"`{row['codec']}`")
        if row["version"] is None:
            rows.append((*head, "built to the published interface only", "", "", ""))
            continue
        name = row["program"] if row["of"] == row["program"] else f"{row['program']} of {row['of']}"
        exact = f"{row['n_qps_exact']} of {row['n_qps']}"
        bytes_and_psnr = (f"{row['bytes_percent'] + 0.0:+.1f} %", f"{row['psnr_db'] + 0.0:+.2f} dB")
        rows.append((*head, f"run: {name} {row['version']}", exact, *bytes_and_psnr))
    return _table(("option", "codec", "program", "QPs exact", "bytes", "PSNR"), rows)


def decoders() -> str:
    """How near other decoders' pixels are to ours."""
    rows = []
    for row in _result("encoders")["decoders"]:
        theirs = f"{_db(row['theirs_db'])} (`{row['encoder']}`)" if row["encoder"] else ""
        ours = _db(row["ours_db"]) if row["run"] else "not run"
        rows.append((f"`{row['codec']}`", f"`{row['decoder']}`", ours, theirs, _db(row["bound_db"])))
    return _table(("codec", "decoder", "our files", "theirs", "the tests ask for"), rows)


def fuzz() -> str:
    """What came of damaged files."""
    result = _result("fuzz")
    head = ("files", "damaged", "a picture", "refused", "other errors", "crashes", "hangs")
    rows = [
        (name.replace("decode:", "decoded as "), str(sum(row.values())), *(str(row[kind]) for kind in _KINDS))
        for name, row in result["formats"].items()
    ]
    totals = result["totals"]
    rows.append(("all", str(result["n_files"]), *(str(totals[kind]) for kind in _KINDS)))
    left = f"\n\nFiles left behind in the folder for temporary files: {result['n_leaked_files']}."
    return _table(head, rows) + left


_KINDS = ("picture", "refused", "foreign", "crash", "hang")

TABLES: dict[str, Callable[[], str]] = {"encoders": encoders, "decoders": decoders, "fuzz": fuzz}


def render(text: str) -> str:
    """`text` with every table made anew."""
    return _BLOCK.sub(lambda match: f"{match[1]}{TABLES[match['name']]()}\n{match[3]}", text)


def _result(name: str) -> Any:
    return json.loads((ROOT / "benchmarks" / f"{name}.json").read_text("utf-8"))


def _db(value: float | str) -> str:
    return "the same pixels" if value == "same" else f"{value:g} dB"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where a table differs")
    text = PAGE.read_text("utf-8")
    if parser.parse_args().check:
        if render(text) != text:
            raise SystemExit(f"{PAGE.name} is out of date; run python docs/encoder_tables.py")
    else:
        PAGE.write_text(render(text), "utf-8")


if __name__ == "__main__":
    main()
