"""Writes benchmarks/README.md from the scripts and their committed results.

    python benchmarks/generate.py            rewrite it
    python benchmarks/generate.py --check    exit 1 where it differs

A script whose docstring begins with a question is a benchmark; its commands are the indented lines that
follow. Its result is the JSON beside it, in one line by `headlines.py`; a script that is not known there is
shown by its first numbers, so that a new one needs nothing but to be run and this page to be rewritten.
"""

from __future__ import annotations

import argparse
import ast
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bits_tables
import practice_tables
from headlines import headline

HERE = Path(__file__).resolve().parent
PAGE = HERE / "README.md"

_HEAD = """\
# Benchmarks

One script a question. Each writes its result as JSON beside it, with date and machine; tables in the
documentation are made from these files, and tests hold them to their bounds. This page is generated:
`python benchmarks/generate.py`.
"""
_THIS = ("generate", "headlines", "model_headlines")
_SECTIONS: dict[str, Callable[[dict[str, Any]], str]] = {
    "bits": bits_tables.markdown,
    "practice": practice_tables.markdown,
}
"""Scripts whose whole result stands on the page."""


@dataclass(frozen=True)
class Script:
    """One Python file of this folder."""

    name: str
    question: str
    """First line of its docstring."""
    commands: tuple[str, ...]

    @property
    def asks(self) -> bool:
        """Whether it is a benchmark, rather than a part of one."""
        return "?" in self.question


def scripts(folder: Path = HERE) -> list[Script]:
    """Every script, by name; the two that make the page aside."""
    return [_script(path) for path in sorted(folder.glob("*.py")) if path.stem not in _THIS]


def render(folder: Path = HERE) -> str:
    """The whole page."""
    found = scripts(folder)
    parts = [_HEAD, _table(("question", "result", "date", "machine"), _rows(folder, found))]
    for name, section in _SECTIONS.items():
        if (result := folder / f"{name}.json").is_file():
            parts.append("\n" + section(json.loads(result.read_text("utf-8"))).rstrip())
    parts.append("\n## Commands\n")
    for script in found:
        if script.asks:
            parts.append(f"`{script.name}.py`: {script.question}\n")
            parts.append("\n".join(["```bash", *script.commands, "```", ""]))
    others = [f"- `{script.name}.py`: {script.question}" for script in found if not script.asks]
    if others:
        parts += ["## Parts of these\n", "\n".join(others)]
    return "\n".join(parts).rstrip() + "\n"


def _rows(folder: Path, found: list[Script]) -> Iterator[tuple[str, ...]]:
    for script in found:
        if not script.asks:
            continue
        result = folder / f"{script.name}.json"
        question = f"[{script.question}]({script.name}.py)"
        if not result.is_file():
            yield question, "no result is kept", "-", "-"
            continue
        record = json.loads(result.read_text("utf-8"))
        runs = _runs(record)
        dates = ", ".join(dict.fromkeys(str(run["date"]) for run in runs if "date" in run))
        machines = "; ".join(dict.fromkeys(_machine(run["machine"]) for run in runs if "machine" in run))
        line = f"{headline(script.name, record)} ([all]({result.name}))"
        yield question, line, dates or "not said", machines or "not said"


def _runs(record: dict[str, Any]) -> list[dict[str, Any]]:
    """What carries a date and a machine: the record itself, or its parts where they were run apart."""
    parts = record.get("parts")
    apart = [one for one in parts.values() if isinstance(one, dict)] if isinstance(parts, dict) else []
    return [record, *(one for one in apart if "date" in one or "machine" in one)]


def _machine(facts: object) -> str:
    if not isinstance(facts, dict):
        return str(facts)
    return ", ".join(
        f"{name.replace('_', ' ')} {value}" for name, value in facts.items() if value is not None
    )


def _script(path: Path) -> Script:
    lines = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or path.stem).splitlines()
    commands = [
        " ".join(line.split("  ")[0].split()) for line in map(str.strip, lines[1:]) if _runs_it(line, path)
    ]
    return Script(path.stem, lines[0].strip(), tuple(commands))


def _runs_it(line: str, path: Path) -> bool:
    return f"python benchmarks/{path.name}" in line


def _table(head: tuple[str, ...], found: Iterator[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ("---",) * len(head), *found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where it differs")
    fresh = render()
    if not parser.parse_args().check:
        PAGE.write_text(fresh, "utf-8")
    elif not PAGE.is_file() or PAGE.read_text("utf-8") != fresh:
        raise SystemExit("benchmarks/README.md is out of date; run python benchmarks/generate.py")


if __name__ == "__main__":
    main()
