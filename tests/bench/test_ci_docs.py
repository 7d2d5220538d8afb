"""The workflow of docs/ci.md, its run steps executed on a tiny folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from PIL import Image
from typer.testing import CliRunner

from sursmr_codec.cli.app import app

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "ci.md").read_text("utf-8")
WORKFLOW = yaml.safe_load(re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[1])


class Runner:
    """Runs steps as GitHub does, in a checkout with two small photographs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "photos").mkdir()
        for name, left in (("kodim05", 300), ("kodim23", 100)):
            with Image.open(ROOT / "docs" / "examples" / f"{name}.png") as whole:
                whole.crop((left, 100, left + 128, 196)).save(folder / "photos" / f"{name}.png")
        programs = folder / "bin"
        programs.mkdir()
        # The package is what is tested, so nothing is installed; all else runs as it stands.
        self._program(programs / "pip", 'echo "$@" >> installed')
        self._program(programs / "sursmr-qp", f'exec "{sys.executable}" -m sursmr_codec "$@"')
        self.summary = folder / "step_summary.md"
        self.summary.touch()
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        self.environment = {**os.environ, "PATH": path, "GITHUB_STEP_SUMMARY": str(self.summary)}

    def job(self, *, main: bool) -> int:
        """The exit code of a job on the main branch or on another, and the steps that run after a failure."""
        failed = 0
        for step in WORKFLOW["jobs"]["bench"]["steps"]:
            condition = step.get("if", "success()")
            assert condition in ("success()", "always()", "github.ref == 'refs/heads/main'")
            due = condition == "always()" or (not failed and (condition == "success()" or main))
            if "run" in step and due:
                failed = self._run(step["run"], "main" if main else "change") or failed
        return failed

    def _run(self, script: str, branch: str) -> int:
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        environment = {**self.environment, "GITHUB_REF": f"refs/heads/{branch}"}
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300
        )
        self.stderr = done.stderr
        if done.returncode not in (0, 8):
            pytest.fail(f"{script}\n{done.stderr}")
        return done.returncode

    def _program(self, path: Path, line: str) -> None:
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)


def test_run_steps_do_what_the_page_says(tmp_path):
    runner = Runner(tmp_path)
    assert runner.job(main=True) == 0
    assert (tmp_path / "installed").read_text() == "install sursmr-qp\n"
    kept = json.loads((tmp_path / "main.json").read_text())
    assert kept["regression"] is None
    assert [gate["name"] for gate in kept["gates"]] == ["min-saved jpeg best-fixed", "max-missed jpeg"]
    assert runner.summary.read_text().startswith("# Bytes saved on 2 images")

    # As if a pull request made every file a fiftieth larger than those of main.
    for image in kept["images"]:
        image["codecs"]["jpeg"]["pick"]["n_bytes"] /= 1.02
    (tmp_path / "main.json").write_text(json.dumps(kept))
    assert runner.job(main=False) == 8
    assert "- **not met**: max-regression jpeg bytes: 2.00 %" in runner.summary.read_text()
    assert json.loads((tmp_path / "main.json").read_text()) == kept

    # Merged all the same, it is what is held against from then on.
    assert runner.job(main=True) == 0
    assert runner.job(main=False) == 0
    assert "max-regression jpeg bytes: 0.00 %" in runner.summary.read_text()


def test_workflow_restores_what_it_saves():
    steps = {step.get("uses"): step.get("with") for step in WORKFLOW["jobs"]["bench"]["steps"]}
    restored, saved = steps["actions/cache/restore@v4"], steps["actions/cache/save@v4"]
    assert restored["path"] == saved["path"] == "main.json"
    assert saved["key"].startswith(restored["restore-keys"])
    assert re.search(r"hashFiles\('(.+?)'\)", saved["key"])[1] in PAGE.partition("```yaml")[0]


def test_every_option_on_the_page_exists():
    help_text = CliRunner().invoke(app, ["bench", "--help"]).stdout
    named = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", PAGE))
    assert len(named) > 10
    # `--best-effort` is pick's.
    assert [option for option in named - {"--best-effort"} if f"{option} " not in help_text] == []
