"""Running external programs: bytes in, bytes out, and nothing left behind."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from sursmr_codec.errors import EncodeError, UnavailableError

_TAIL_CHARACTERS = 2000
_SECONDS_TO_DIE = 5.0


@dataclass(frozen=True)
class Finished:
    """What a program left that ended by itself."""

    argv: tuple[str, ...]
    code: int
    """Exit code; 0 where it did its work."""
    stdout: bytes
    stderr: str
    """All that it wrote for people."""

    def require(self) -> Finished:
        """Itself; raises EncodeError, with command, exit code and the end of its words, where it failed."""
        if self.code:
            raise EncodeError(f"{shlex.join(self.argv)} ended with code {self.code}: {_tail(self.stderr)}")
        return self


def run(argv: Sequence[str], stdin: bytes = b"", *, seconds: float) -> Finished:
    """Run a program in a process group of its own, feed it `stdin`, and wait at most `seconds`.

    The whole group is killed where time runs out and where this thread is interrupted. Raises
    UnavailableError where the program cannot be started, and EncodeError, with the command and the end of
    its error output, where it takes too long. Its exit code is the caller's to judge.
    """
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=os.name == "posix",
        )
    except OSError as trouble:
        raise UnavailableError(f"cannot run {shlex.join(argv)}: {trouble.strerror or trouble}") from trouble
    try:
        stdout, stderr = process.communicate(stdin, timeout=seconds)
    except subprocess.TimeoutExpired as trouble:
        tail = _tail(_end(process).decode(errors="replace"))
        raise EncodeError(f"{shlex.join(argv)} took more than {seconds:g} s: {tail}") from trouble
    except BaseException:
        _end(process)
        raise
    return Finished(tuple(argv), process.returncode, stdout, stderr.decode(errors="replace"))


def _end(process: subprocess.Popen[bytes]) -> bytes:
    """Kill the process with its children, close its pipes, and return what it wrote for people."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    try:
        return process.communicate(timeout=_SECONDS_TO_DIE)[1]
    except subprocess.TimeoutExpired:
        # A grandchild that left the group still holds the pipes; it may keep them.
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        process.wait(_SECONDS_TO_DIE)
        return b""


def _tail(stderr: str) -> str:
    return stderr.strip()[-_TAIL_CHARACTERS:] or "it said nothing"
