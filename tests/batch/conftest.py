"""Folders of small pictures, and a small disk to fill."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fake_batch import FakeLoad, make_pictures


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
    mounted = _mount("-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk))
    if mounted.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def remount(disk: Path, mode: str) -> None:
    """Make a mounted disk read-only (`ro`) or writable again (`rw`)."""
    done = _mount("-o", f"remount,{mode}", str(disk))
    assert done.returncode == 0, done.stderr


def _mount(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["mount", *arguments], capture_output=True, text=True)


@contextmanager
def as_nobody(*folders: Path) -> Iterator[None]:
    """Without root's rights, which no mode bits stop; `folders` belong to nobody meanwhile."""
    is_root = os.geteuid() == 0
    if is_root:
        for folder in folders:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, 65534, 65534)
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
