"""`pick` with encoders that are missing, too old, killed, hanging, or write what they should not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli.disks import fill
from cli.failing_encoders import ENCODERS, ENDLESS, FAILURES, Encoder, Failure, script, works_here

from sursmr_codec import codecs
from sursmr_codec.codecs import _bpgenc, _ffmpeg, _local, _process, bpg, vvc

ONE_RUNG = ("--sur", "0", "--smr", "0", "--min-qp", "30", "--max-qp", "30", "--quiet")
LONGEST_LINE = 2500
"""Command line of the encoder included."""


@pytest.fixture(autouse=True)
def _fresh_answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What programs said is kept for a process; here each test has programs of its own."""
    remembered = (_local.find, _bpgenc.shift_of, vvc._try_out_app, vvc._try_out, _ffmpeg.probe)
    yield
    for answers in remembered:
        answers.cache_clear()


@pytest.fixture
def _trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs need not prove the QP that they write: the first picture that they encode is the real one."""
    monkeypatch.setattr(vvc, "_try_out", lambda program: "1.13")
    monkeypatch.setattr(vvc, "_try_out_app", lambda program, ffmpeg: None)
    monkeypatch.setattr(bpg, "shift_of", lambda path: 3)
    monkeypatch.setattr(_bpgenc, "shift_of", lambda path: 3)


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Encoders count as hanging after one second, and as running wild after four megabytes."""
    monkeypatch.setattr(_local, "_SECONDS_TO_START", 1.0)
    monkeypatch.setattr(_local, "_PIXELS_A_SECOND", 1e12)
    monkeypatch.setitem(_process.run.__kwdefaults__, "most_output", 1 << 22)


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    """A folder that holds an older result."""
    folder = tmp_path / "outputs"
    folder.mkdir()
    (folder / "out").write_bytes(b"the old result")
    return folder


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, empty."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture(params=ENCODERS, ids=lambda encoder: f"{encoder.name}-{encoder.codec}")
def encoder(request: pytest.FixtureRequest) -> Encoder:
    return request.param


def chosen(encoder: Encoder, path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    if encoder.name == "ffmpeg":
        monkeypatch.setenv(_ffmpeg.ENVIRONMENT, str(path))
    return encoder.options(path)


def refused(ran, outputs: Path, temporary: Path) -> str:
    """The one line that is printed; nothing else may be left of the run."""
    assert ran.exit_code == 5, (ran.stdout, ran.stderr)
    assert ran.stderr.count("\n") == 1
    line = ran.stderr.strip()
    assert line.startswith("error: ")
    assert len(line) < LONGEST_LINE
    assert line.isprintable()
    assert ran.record["output"] is None
    assert {path.name: path.read_bytes() for path in outputs.iterdir()} == {"out": b"the old result"}
    assert list(temporary.iterdir()) == []
    return line


@pytest.mark.usefixtures("_trusted")
@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.name)
def test_one_line_exit_5_and_nothing_written(
    run, photo, tmp_path, outputs, temporary, encoder: Encoder, failure: Failure, monkeypatch
):
    path = script(encoder, tmp_path, failure.does, old=failure.old)
    options = chosen(encoder, path, monkeypatch)
    ran = run("pick", photo, *ONE_RUNG, *options, "-o", outputs / "out", "--json")
    assert failure.message in refused(ran, outputs, temporary)


@pytest.mark.usefixtures("_trusted", "_impatient")
@pytest.mark.parametrize("failure", ENDLESS, ids=lambda failure: failure.name)
def test_what_never_ends_is_ended(
    run, photo, tmp_path, outputs, temporary, encoder: Encoder, failure: Failure, monkeypatch
):
    path = script(encoder, tmp_path, failure.does)
    options = chosen(encoder, path, monkeypatch)
    ran = run("pick", photo, *ONE_RUNG, *options, "-o", outputs / "out", "--json")
    assert failure.message in refused(ran, outputs, temporary)
    note = path.with_name(f"{path.name}.pid")
    assert not note.exists() or ends(int(note.read_text()))


def test_failing_while_it_is_tried(run, photo, tmp_path, outputs, temporary, encoder: Encoder, monkeypatch):
    path = script(encoder, tmp_path, "echo 'no such luck' >&2; exit 3")
    options = chosen(encoder, path, monkeypatch)
    ran = run("pick", photo, *ONE_RUNG, *options, "-o", outputs / "out", "--json")
    line = refused(ran, outputs, temporary)
    assert "no such luck" in line
    assert ("; try: " in line) == encoder.is_tried


@pytest.mark.parametrize("path", ["absent", "a folder", "not executable", "another program"])
def test_missing(run, photo, tmp_path, outputs, temporary, encoder: Encoder, path: str, monkeypatch):
    program = tmp_path / "program"
    if path == "a folder":
        program.mkdir()
    elif path == "not executable":
        program.write_text("#!/bin/sh\n")
    elif path == "another program":
        program.write_text("#!/bin/sh\necho hello\n")
        program.chmod(0o755)
    options = chosen(encoder, program, monkeypatch)
    line = refused(
        run("pick", photo, *ONE_RUNG, *options, "-o", outputs / "out", "--json"), outputs, temporary
    )
    assert str(program) in line
    assert "; try: " in line


WITHOUT = {
    "hevc": "sys.modules['av'] = None",
    "vvc": "sys.modules['imageio_ffmpeg'] = None",
    "bpg": "sys.modules['av'] = None",
    "heic": "sys.modules['pillow_heif'] = None",
    "avif": "from PIL import features; features.modules.pop('avif'); features.check = lambda name: False",
    "webp": "from PIL import features; features.check = lambda name: False",
    "jxl": "sys.modules['imagecodecs'] = None",
    "jpegli": "sys.modules['pyjpegli'] = None",
    "jpeg": "from PIL import features; features.check = lambda name: False",
}
"""What takes the library away that a built-in encoder lies in."""


@pytest.mark.parametrize("codec_id", codecs.ids())
def test_built_in_encoder_missing(photo, outputs, codec_id: str):
    program = f"import sys; {WITHOUT[codec_id]}; from sursmr_codec.cli import main; main()"
    argv = [sys.executable, "-c", program, "pick", str(photo), *ONE_RUNG, "--codec", codec_id]
    environment = {**os.environ, "PATH": "/nowhere"}
    environment.pop(_ffmpeg.ENVIRONMENT, None)
    ran = subprocess.run(
        [*argv, "-o", str(outputs / "out")], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 5, ran.stderr
    assert ran.stderr.count("\n") == 1
    assert ran.stderr.startswith(f"error: codec {codec_id} is not usable: ")
    assert "; try: pip install " in ran.stderr
    assert {path.name: path.read_bytes() for path in outputs.iterdir()} == {"out": b"the old result"}


@pytest.mark.usefixtures("_trusted")
def test_many_words_do_no_harm(run, photo, tmp_path, temporary, encoder: Encoder, monkeypatch):
    if not works_here(encoder):
        pytest.skip(f"{encoder.name} is not on the PATH")
    talk = "head -c 10000000 /dev/zero | tr '\\0' 'e' >&2"
    path = script(encoder, tmp_path, f'{talk}; real "$@"')
    options = chosen(encoder, path, monkeypatch)
    target = tmp_path / f"out{codecs.get(encoder.codec).extension}"
    ran = run("pick", photo, *ONE_RUNG, *options, "-o", target)
    assert (ran.exit_code, ran.stderr) == (0, "")
    codecs.get(encoder.codec).decode(target.read_bytes(), 128, 96)
    assert list(temporary.iterdir()) == []


@pytest.mark.usefixtures("_trusted")
def test_failing_at_a_later_rung(run, photo, tmp_path, outputs, temporary, encoder: Encoder, monkeypatch):
    """The first rungs are good; the search stops at the one that is not, and writes none of them."""
    if not works_here(encoder):
        pytest.skip(f"{encoder.name} is not on the PATH")
    path = script(encoder, tmp_path, "exit 9", n_good=2)
    options = chosen(encoder, path, monkeypatch)
    ran = run("pick", photo, "--smr", "0", "--quiet", *options, "-o", outputs / "out", "--json")
    assert "ended with code 9" in refused(ran, outputs, temporary)


@pytest.mark.usefixtures("_trusted")
@pytest.mark.parametrize("room", ["none at all", "not enough"])
def test_no_temporary_space(
    run, photo, outputs, encoder: Encoder, tmp_path, small_disk, room: str, monkeypatch
):
    """Programs that take no pipes say so; the others never need any."""
    if not works_here(encoder):
        pytest.skip(f"{encoder.name} is not on the PATH")
    path = script(encoder, tmp_path, 'real "$@"')
    options = chosen(encoder, path, monkeypatch)
    folder = small_disk / "temporary"
    if room == "not enough":
        folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    fill(small_disk)
    ran = run("pick", photo, *ONE_RUNG, *options, "-o", outputs / "out", "--json")
    if encoder.name in ("vvencapp", "bpgenc"):
        (outputs_before,) = outputs.iterdir()
        assert ran.exit_code == 5
        assert ran.stderr.count("\n") == 1
        assert "TMPDIR" in ran.stderr
        assert outputs_before.read_bytes() == b"the old result"
    else:
        assert ran.exit_code == 0, ran.stderr
    assert not folder.exists() or list(folder.iterdir()) == []


@pytest.mark.parametrize("codec_id", codecs.available_ids())
def test_full_disk_under_every_codec(run, photo, small_disk, codec_id: str):
    target = small_disk / "out"
    target.write_bytes(b"the old result")
    fill(small_disk)
    before = {path.name for path in small_disk.iterdir()}
    ran = run("pick", photo, *ONE_RUNG, "--codec", codec_id, "-o", target, "--json")
    assert ran.exit_code == 6, ran.stderr
    assert ran.stderr.count("\n") == 1
    assert "the disk is full" in ran.stderr
    assert target.read_bytes() == b"the old result"
    assert {path.name for path in small_disk.iterdir()} == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_ending_the_tool_ends_its_encoder(photo, tmp_path, number: signal.Signals):
    """And takes its temporary files along."""
    encoder = next(one for one in ENCODERS if one.name == "bpgenc")
    path = script(encoder, tmp_path, 'echo $$ > "$0.pid"; sleep 600')
    note, temporary = tmp_path / "bpgenc.pid", tmp_path / "temporary"
    temporary.mkdir()
    argv = [sys.executable, "-m", "sursmr_codec", "pick", str(photo), *ONE_RUNG, *encoder.options(path)]
    process = subprocess.Popen(
        [*argv, "-o", str(tmp_path / "out")],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    child = wait_for(note)
    assert list(temporary.iterdir()) != []
    process.send_signal(number)
    process.wait(60)
    assert process.returncode == (130 if number == signal.SIGINT else -number)
    assert ends(child)
    assert list(temporary.iterdir()) == []
    assert not (tmp_path / "out").exists()


def wait_for(note: Path) -> int:
    for _ in range(1500):
        if note.exists() and note.read_text().strip():
            return int(note.read_text())
        time.sleep(0.02)
    raise AssertionError(f"{note} was never written")


def ends(pid: int) -> bool:
    """Whether a process is gone, or goes within seconds."""
    for _ in range(250):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False
