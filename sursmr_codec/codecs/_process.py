"""Running external programs: bytes in, bytes out, within time and memory, and nothing left behind."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from sursmr_codec.errors import EncodeError, UnavailableError

_TAIL_CHARACTERS = 1000
_SECONDS_TO_DIE = 5.0
_MOST_OUTPUT = 1 << 30
_MOST_WORDS = 1 << 20
_PIECE = 1 << 16


@dataclass(frozen=True)
class Finished:
    """What a program left that ended by itself."""

    argv: tuple[str, ...]
    code: int
    """Exit code; 0 where it did its work, negative the signal that killed it."""
    stdout: bytes
    stderr: str
    """The last megabyte of what it wrote for people."""

    def require(self) -> Finished:
        """Itself; raises EncodeError, with command, exit code and the end of its words, where it failed."""
        if self.code:
            raise EncodeError(f"{shlex.join(self.argv)} {_ending(self.code)}: {self.last_words}")
        return self

    @property
    def last_words(self) -> str:
        """The end of what it wrote for people, fit to stand in a message."""
        return _tail(self.stderr)


def run(
    argv: Sequence[str], stdin: bytes = b"", *, seconds: float, most_output: int = _MOST_OUTPUT
) -> Finished:
    """Run a program in a process group of its own, feed it `stdin`, and wait at most `seconds`.

    The whole group is killed where time runs out, where it writes more than `most_output` bytes, and where
    this thread is interrupted. Raises UnavailableError where the program cannot be started, and
    EncodeError, with the command and the end of its error output, where it is killed for one of these. Its
    exit code is the caller's to judge.
    """
    deadline = time.monotonic() + seconds
    try:
        process = subprocess.Popen(
            argv,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=os.name == "posix",
        )
    except (OSError, ValueError) as trouble:
        reason = getattr(trouble, "strerror", None) or trouble
        raise UnavailableError(f"cannot run {shlex.join(argv)}: {reason}") from trouble
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    output = _Output(process, process.stdout, most_output)
    words = _Words(process.stderr)
    helpers = (threading.Thread(target=_feed, args=(process.stdin, stdin), daemon=True), output, words)
    try:
        for helper in helpers:
            helper.start()
        in_time = _wait(process, helpers, deadline)
    except BaseException:
        _end(process, helpers)
        raise
    if not in_time:
        _end(process, helpers)
        raise EncodeError(f"{shlex.join(argv)} took more than {seconds:g} s: {_tail(words.text())}")
    if output.overflowed:
        raise EncodeError(f"{shlex.join(argv)} wrote more than {most_output} bytes: {_tail(words.text())}")
    return Finished(tuple(argv), process.returncode, b"".join(output.pieces), words.text())


class _Output(threading.Thread):
    """Keeps what a program writes; kills it where that grows too long."""

    def __init__(self, process: subprocess.Popen[bytes], pipe: IO[bytes], most_bytes: int) -> None:
        super().__init__(daemon=True)
        self.pieces: list[bytes] = []
        self.overflowed = False
        self._process = process
        self._pipe = pipe
        self._most_bytes = most_bytes

    def run(self) -> None:
        with self._pipe as pipe:
            n_bytes = 0
            while piece := pipe.read(_PIECE):
                n_bytes += len(piece)
                if n_bytes <= self._most_bytes:
                    self.pieces.append(piece)
                elif not self.overflowed:
                    self.overflowed = True
                    self.pieces.clear()
                    _kill(self._process)


class _Words(threading.Thread):
    """Keeps the end of what a program writes for people."""

    def __init__(self, pipe: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._kept = b""
        self._pipe = pipe

    def run(self) -> None:
        with self._pipe as pipe:
            while piece := pipe.read(_PIECE):
                self._kept = (self._kept + piece)[-_MOST_WORDS:]

    def text(self) -> str:
        return self._kept.decode(errors="replace")


def _feed(pipe: IO[bytes], data: bytes) -> None:
    """Write all of `data`; a program that does not want it all may close its end."""
    with contextlib.suppress(OSError), pipe:
        rest = memoryview(data)
        while rest:
            rest = rest[pipe.write(rest[:_PIECE]) :]


def _wait(process: subprocess.Popen[bytes], helpers: Sequence[threading.Thread], deadline: float) -> bool:
    """Whether the program ended and closed its pipes before the deadline."""
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    for helper in helpers:
        helper.join(max(0.0, deadline - time.monotonic()))
    return not any(helper.is_alive() for helper in helpers)


def _end(process: subprocess.Popen[bytes], helpers: Sequence[threading.Thread]) -> None:
    """Kill the process with its children, and give its pipes a moment to run dry."""
    _kill(process)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_SECONDS_TO_DIE)
    for helper in helpers:
        # A grandchild that left the group may still hold a pipe; its reader then ends with it.
        if helper.ident is not None:
            helper.join(_SECONDS_TO_DIE)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def _tail(stderr: str) -> str:
    """The end of a program's words, without what would steer a terminal."""
    words = stderr.strip()[-_TAIL_CHARACTERS:]
    return "".join(c if c.isprintable() or c.isspace() else "?" for c in words) or "it said nothing"
