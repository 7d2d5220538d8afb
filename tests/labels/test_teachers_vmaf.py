"""VMAF's process: what becomes of it when ffmpeg hangs, fails or is not there."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from sursmr_codec.errors import UnavailableError
from sursmr_codec.labels import teachers
from sursmr_codec.types import Source


@pytest.fixture
def photo() -> Source:
    return Source.from_array(np.random.default_rng(0).integers(0, 256, (40, 48, 3), dtype=np.uint8))


POSIX = pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for ffmpeg")


@pytest.fixture
def fake_ffmpeg(tmp_path, monkeypatch):
    def write(script: str) -> None:
        program = tmp_path / "ffmpeg"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program))

    return write


@POSIX
def test_a_hanging_vmaf_is_killed_with_its_children(photo, fake_ffmpeg, tmp_path):
    import time

    from sursmr_codec.labels.teachers.vmaf import Vmaf

    fake_ffmpeg(f"sleep 60 &\necho $! > {tmp_path}/child\nwait")
    began = time.monotonic()
    with pytest.raises(UnavailableError, match=r"stopped after 1 s"):
        Vmaf(timeout_seconds=1).score(photo.rgb, photo.rgb)
    # Far from the minute that its child would take.
    assert time.monotonic() - began < 45
    child = int((tmp_path / "child").read_text())
    for _ in range(100):
        if not _runs(child):
            return
        time.sleep(0.02)
    pytest.fail("the child of ffmpeg is still there")


def _runs(pid: int) -> bool:
    import os

    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # What was killed stays in the table until its new parent looks at it.
    state = Path(f"/proc/{pid}/stat")
    return not (state.exists() and ") Z " in state.read_text())


@POSIX
@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("cat > /dev/null; echo boom >&2; exit 3", r"exit code 3: boom"),
        ("exit 1", r"exit code 1: no message"),
        ("cat > /dev/null; echo 'No such filter: libvmaf' >&2", r"no score: No such filter"),
    ],
)
def test_a_failing_ffmpeg_says_what_it_said(photo, fake_ffmpeg, script, message):
    fake_ffmpeg(script)
    with pytest.raises(UnavailableError, match=message):
        teachers.get("vmaf").score(photo.rgb, photo.rgb)


def test_an_absent_ffmpeg_is_named(photo, tmp_path, monkeypatch):
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "nothing"))
    with pytest.raises(UnavailableError, match="nothing cannot be started"):
        teachers.get("vmaf").score(photo.rgb, photo.rgb)


def test_vmaf_leaves_no_file(photo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for variable in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.setenv(variable, str(tmp_path))
    teachers.get("vmaf").score(photo.rgb, photo.rgb)
    assert not list(tmp_path.iterdir())
