"""Running external programs: what comes back, what is killed, what is said."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from sursmr_codec.codecs._process import run
from sursmr_codec.errors import EncodeError, UnavailableError

PYTHON = [sys.executable, "-c"]


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def dies(pid: int) -> bool:
    """Whether a process ends within seconds; a killed one may take a moment."""
    for _ in range(250):
        if not is_alive(pid):
            return True
        time.sleep(0.02)
    return False


def wait_for(file: Path) -> int:
    """The number in a file that another process writes."""
    for _ in range(500):
        if file.exists() and file.read_text().strip():
            return int(file.read_text())
        time.sleep(0.02)
    raise AssertionError(f"{file} was never written")


def test_bytes_in_bytes_out() -> None:
    data = bytes(range(256)) * 4000
    done = run(
        [*PYTHON, "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read()[::-1])"], data, seconds=30
    )
    assert done.stdout == data[::-1]
    assert done.code == 0
    assert done.require() is done


def test_full_pipes_do_not_block() -> None:
    program = "import sys; sys.stderr.write('e' * 3000000); sys.stdout.write('o' * 3000000); sys.stdin.read()"
    done = run([*PYTHON, program], b"i" * 3_000_000, seconds=60)
    assert (len(done.stdout), len(done.stderr)) == (3_000_000, 1 << 20)


def test_input_that_is_not_read_is_no_trouble() -> None:
    assert run([*PYTHON, "print('done')"], b"x" * 5_000_000, seconds=30).stdout.strip() == b"done"


def test_failure_says_command_code_and_the_end_of_its_words() -> None:
    program = "import sys; print('start' + 'x' * 9000 + 'the end', file=sys.stderr); sys.exit(3)"
    done = run([*PYTHON, program], seconds=30)
    assert done.code == 3
    with pytest.raises(EncodeError, match="code 3") as caught:
        done.require()
    text = str(caught.value)
    assert sys.executable in text
    assert text.endswith("the end")
    assert "x" * 2001 not in text.split("code 3")[1]


def test_silent_failure_says_so() -> None:
    with pytest.raises(EncodeError, match="said nothing"):
        run([*PYTHON, "raise SystemExit(1)"], seconds=30).require()


@pytest.mark.parametrize("program", ["/no/such/program", "/", "no-such-program-on-the-path"])
def test_program_that_cannot_start(program: str) -> None:
    with pytest.raises(UnavailableError, match="cannot run"):
        run([program], seconds=5)


NEST = ["sh", "-c", 'sleep 600 & echo $! > "$0"; echo half-way >&2; wait']
"""A shell with a child, which notes the child's id in the file that is named after it."""


@pytest.mark.skipif(sys.platform != "linux", reason="process groups are looked at through /proc")
def test_timeout_kills_children_too(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    start = time.monotonic()
    with pytest.raises(EncodeError, match=r"took more than 3 s: half-way"):
        run([*NEST, str(note)], seconds=3)
    assert time.monotonic() - start < 20
    assert dies(wait_for(note))


@pytest.mark.skipif(sys.platform != "linux", reason="process groups are looked at through /proc")
def test_interrupt_kills_children_and_goes_on(tmp_path: Path) -> None:
    note = tmp_path / "pid"

    def interrupt() -> None:
        wait_for(note)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        run([*NEST, str(note)], seconds=60)
    assert dies(wait_for(note))


@pytest.mark.skipif(sys.platform != "linux", reason="counts open files through /proc")
def test_nothing_stays_open() -> None:
    def n_open() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = n_open()
    for _ in range(5):
        run([*PYTHON, "pass"], b"x", seconds=30)
        with pytest.raises(EncodeError):
            run([*PYTHON, "import time; time.sleep(60)"], seconds=0.2)
    assert n_open() == before
