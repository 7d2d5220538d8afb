"""What `import sursmr_codec` offers, and that the documentation keeps up with the program."""

from __future__ import annotations

import inspect
import re
import runpy
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

import sursmr_codec
from sursmr_codec import errors
from sursmr_codec.cli.app import app
from sursmr_codec.records import PICK_KEYS

ROOT = Path(__file__).resolve().parent.parent


def test_every_public_name_resolves_and_is_documented():
    for name in sursmr_codec.__all__:
        thing = getattr(sursmr_codec, name)
        assert name in dir(sursmr_codec)
        if not isinstance(thing, str):
            assert inspect.getdoc(thing), f"{name} has no docstring"


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nonsense"):
        _ = sursmr_codec.nonsense


def test_every_error_has_its_exit_code():
    codes = {
        kind.__name__: kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.SursmrError)
    }
    assert codes == {
        "SursmrError": 1,
        "UsageError": 2,
        "TargetNotReachable": 3,
        "ImageError": 4,
        "DecodeError": 4,
        "UnavailableError": 5,
        "MissingExtra": 5,
        "EncodeError": 5,
        "FileTooLarge": 5,
        "OutputError": 6,
        "GateNotMet": 8,
    }


def test_every_command_is_in_the_guide_and_named_in_the_readme():
    guide, readme = ((ROOT / name).read_text() for name in ("docs/commands.md", "README.md"))
    names = runpy.run_path(str(ROOT / "docs" / "generate.py"))["command_names"](app)
    assert {"pick", "zoo list", "zoo check"} <= set(names)
    for name in names:
        assert f"<code>sursmr-qp {name}</code>" in guide
        assert f"`{name}`" in readme


def test_every_option_in_the_readmes_examples_exists():
    readme = (ROOT / "README.md").read_text()
    examples = re.findall(r"^(?:.*/bin/)?sursmr-qp (\w+) (.*)$", readme, re.MULTILINE)
    assert len(examples) >= 4
    for command, arguments in examples:
        help_text = CliRunner().invoke(app, [command, "--help"]).stdout
        for option in re.findall(r"(?<=\s)--?[a-z][\w-]*", arguments.split("#")[0]):
            assert re.search(rf"(?<![\w-]){option}(?![\w-])", help_text), f"{command} has no {option}"


def test_readme_and_guides_say_what_the_program_says():
    generate = runpy.run_path(str(ROOT / "docs" / "generate.py"))
    assert ROOT / "README.md" in generate["PAGES"]
    for page in generate["PAGES"]:
        assert generate["differing"](page.read_text()) == []


def test_every_key_of_the_records_is_documented():
    documented = (ROOT / "docs" / "json.md").read_text()
    assert [key for key in PICK_KEYS if f"`{key}`" not in documented] == []


def test_extras_are_those_that_are_promised():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(project["optional-dependencies"]) == {
        *("torch", "measured", "labels", "iqa", "codecs", "report", "ray", "s3", "all", "dev"),
    }
    assert not any("torch" in line or "timm" in line for line in project["dependencies"])
