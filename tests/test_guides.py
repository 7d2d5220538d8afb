"""Every command in the README and the guides is one that the program takes, and every guide is found."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import typer

from sursmr_codec.cli.app import app

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```bash\n(.*?)^```", re.DOTALL | re.MULTILINE)
COMMANDS = [
    pytest.param(line, id=f"{page.name}: {line.partition('#')[0].strip()}")
    for page in PAGES
    for block in BLOCK.findall(page.read_text("utf-8"))
    for line in block.replace("\\\n", " ").splitlines()
    if line.startswith("sursmr-qp ")
]


def parsed(words: Sequence[str]) -> dict[str, Any]:
    """Option -> value of the command that the words call; raises for words that it does not take."""
    command: Any = typer.main.get_command(app)
    rest = list(words)
    while hasattr(command, "commands"):
        command = command.commands[rest.pop(0)]
    values: dict[str, Any] = command.make_context(command.name, rest).params
    return values


def test_every_page_is_linked_from_another() -> None:
    linked = {
        target
        for page in PAGES
        for target in re.findall(r"\]\((?:docs/)?([\w-]+\.md)", page.read_text("utf-8"))
        if target != page.name
    }
    assert {page.name for page in PAGES} - {"README.md"} <= linked


def test_there_are_commands_to_look_at() -> None:
    assert len(COMMANDS) > 30


@pytest.mark.parametrize("line", COMMANDS)
def test_the_program_takes_it(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SURSMR_ZOO", raising=False)
    words = shlex.split(line, comments=True)[1:]
    values = parsed(words)
    # What is refused later than options are read: a zoo that nobody asks.
    asked = values.get("predictor") != "trained" or values.get("truth") == "measured"
    assert values.get("zoo") is None or asked


def test_a_wrong_one_is_not_taken() -> None:
    for words in (["pick", "photo.png", "--zooo", "machines"], ["zoo", "list", "--only", "it"]):
        with pytest.raises(Exception, match="No such option"):
            parsed(words)
