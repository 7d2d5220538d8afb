"""Results are written whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from images.bad_outputs import FULL_BYTES, ROWS, OutputRow

from sursmr_codec import images
from sursmr_codec.errors import OutputError, SursmrError

ENCODED = bytes(range(256)) * 512
assert len(ENCODED) > FULL_BYTES


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "input" / "photo.png"
    path.parent.mkdir()
    path.write_bytes(b"the original")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "output"
    path.mkdir()
    return path


def _tree(*folders: Path) -> dict[str, bytes | None]:
    found = (path for folder in folders for path in sorted(folder.rglob("*")))
    return {str(path): path.read_bytes() if path.is_file() else None for path in found}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_refused_targets_are_left_as_they_were(row: OutputRow, folder: Path, source: Path):
    with row.arrange(folder, source) as target:
        before = _tree(folder, source.parent, target.parent if target.parent.is_dir() else folder)
        with row.user(), pytest.raises(SursmrError) as caught:
            images.write(target, ENCODED, source_path=str(source))
        assert _tree(folder, source.parent, target.parent if target.parent.is_dir() else folder) == before
    text = str(caught.value)
    assert caught.value.exit_code == row.exit_code
    assert row.message in text
    assert text.startswith(str(target))
    assert "\n" not in text


@pytest.mark.parametrize("row", [row for row in ROWS if row.early], ids=lambda row: row.name)
def test_refused_targets_are_refused_before_the_work(row: OutputRow, folder: Path, source: Path):
    with row.arrange(folder, source) as target, row.user(), pytest.raises(SursmrError) as caught:
        images.check_target(target, source_path=str(source))
    assert caught.value.exit_code == row.exit_code
    assert row.message in str(caught.value)


def test_a_check_writes_nothing(folder: Path, source: Path):
    images.check_target(folder / "out.jpg", source_path=str(source))
    images.check_target(source, source_path=source, in_place=True)
    assert list(folder.iterdir()) == []


def test_new_file(folder: Path, source: Path):
    output = images.write(folder / "out.jpg", ENCODED, source_path=str(source))
    assert output.path == str(folder / "out.jpg")
    assert output.sha256 == hashlib.sha256(ENCODED).hexdigest()
    assert _tree(folder) == {output.path: ENCODED}


def test_file_and_folder_reach_the_disk_in_that_order(folder: Path, monkeypatch: pytest.MonkeyPatch):
    synced: list[str] = []
    real = os.fsync

    def note(handle: int) -> None:
        folder_synced = stat.S_ISDIR(os.fstat(handle).st_mode)
        synced.append("folder" if folder_synced else f"file, old is {(folder / 'out.jpg').exists()}")
        real(handle)

    monkeypatch.setattr(os, "fsync", note)
    images.write(folder / "out.jpg", ENCODED)
    assert synced == ["file, old is False", "folder"]


def test_relative_names_in_the_working_folder(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(folder)
    assert images.write("out.jpg", ENCODED).path == "out.jpg"
    assert (folder / "out.jpg").read_bytes() == ENCODED


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o000])
def test_new_file_gets_what_the_umask_leaves(umask: int, folder: Path):
    before = os.umask(umask)
    try:
        images.write(folder / "out.jpg", ENCODED)
    finally:
        os.umask(before)
    assert (folder / "out.jpg").stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
def test_existing_file_keeps_its_mode(mode: int, folder: Path):
    target = folder / "out.jpg"
    target.write_bytes(b"old")
    target.chmod(mode)
    images.write(target, ENCODED)
    assert target.stat().st_mode & 0o777 == mode
    assert target.read_bytes() == ENCODED


def test_overwriting_can_be_forbidden(folder: Path):
    target = folder / "out.jpg"
    target.write_bytes(b"old")
    with pytest.raises(OutputError, match="exists already"):
        images.write(target, ENCODED, overwrite=False)
    assert target.read_bytes() == b"old"


def test_in_place(source: Path):
    images.write(source, ENCODED, source_path=str(source), in_place=True)
    assert _tree(source.parent) == {str(source): ENCODED}


def test_a_link_stays_a_link(folder: Path):
    real, link = folder / "real.jpg", folder / "link.jpg"
    real.write_bytes(b"old")
    link.symlink_to(real)
    images.write(link, ENCODED)
    assert link.is_symlink()
    assert real.read_bytes() == ENCODED


def test_a_source_that_is_gone_forbids_nothing(folder: Path):
    target = folder / "out.jpg"
    target.write_bytes(b"old")
    images.write(target, ENCODED, source_path=str(folder / "gone.png"))
    assert target.read_bytes() == ENCODED


@contextmanager
def _largest_file(n_bytes: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_write_that_stops_halfway_keeps_the_old_file(folder: Path):
    target = folder / "out.jpg"
    target.write_bytes(b"old")
    with _largest_file(1000), pytest.raises(OutputError, match="File too large"):
        images.write(target, ENCODED)
    assert _tree(folder) == {str(target): b"old"}


@pytest.mark.parametrize("call", ["os.fsync", "pathlib.Path.replace", "pathlib.Path.read_bytes"])
@pytest.mark.parametrize("trouble", [OSError(errno.EIO, os.strerror(errno.EIO)), KeyboardInterrupt()])
def test_trouble_at_any_step_leaves_no_draft(
    call: str, trouble: BaseException, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    target = folder / "out.jpg"
    target.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise trouble

    with monkeypatch.context() as patched:
        patched.setattr(call, fail)
        with pytest.raises(KeyboardInterrupt if isinstance(trouble, KeyboardInterrupt) else OutputError):
            images.write(target, ENCODED)
    assert _tree(folder) == {str(target): b"old"}


def test_bytes_that_read_back_otherwise_replace_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch):
    target = folder / "out.jpg"
    target.write_bytes(b"old")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", lambda path: ENCODED[:-1])
        with pytest.raises(OutputError, match="reads back otherwise"):
            images.write(target, ENCODED)
    assert _tree(folder) == {str(target): b"old"}
