"""Folders of small pictures, and a small disk to fill."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import fake_cli
import pytest
from fake_batch import FakeLoad, make_pictures
from surroundings import mount
from typer.testing import CliRunner

from sursmr_codec import predict
from sursmr_codec.cli.app import app


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Nine pictures in three folders."""
    make_pictures(tmp_path / "in", 9)
    return tmp_path / "in"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def load(tmp_path: Path) -> FakeLoad:
    """A fake predictor that notes what it is asked."""
    return FakeLoad(log=tmp_path / "log")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Outside the tests' own folder, which nobody but its owner may enter."""
    folder = Path(tempfile.mkdtemp(prefix="sursmr-qp-tests-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        for path in (folder, *folder.rglob("*")):
            if path.is_dir():
                path.chmod(0o755)
        shutil.rmtree(folder)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = mount("-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk))
    if mounted.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture
def run(monkeypatch):
    """Run the command line in this process, with the fake predictor."""
    monkeypatch.setattr(predict, "load", fake_cli.load)

    def run_cli(*arguments, stdin=None):
        given = [str(argument) for argument in arguments]
        if given[0] == "batch":
            given += ["--engine", "serial"]
        return CliRunner().invoke(app, given, prog_name="sursmr-qp", input=stdin)

    return run_cli
