"""One worker process and its pipe."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, NoReturn

from sursmr_codec.batch.engines.base import loss
from sursmr_codec.errors import SursmrError

_SECONDS_TO_END = 5.0
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True)
class Raised:
    """The function raised a SursmrError, which concerns the whole run."""

    exit_code: int
    message: str


@dataclass(frozen=True)
class Failed:
    """The function raised another exception, which concerns its item."""

    reason: str


class Worker:
    """The driver's end: what it was given and has not answered yet."""

    def __init__(self, function: Callable[..., Any] | None, threads: int) -> None:
        # Spawned, not forked: threads of the driver's libraries do not survive a fork.
        context = multiprocessing.get_context("spawn")
        self.queue: deque[Any] = deque()
        self.mean_seconds = 1.0
        """Of its latest answers; a guess before the first."""
        self._since = 0.0
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, function), daemon=True)
        with _birth(threads):
            self.process.start()
        theirs.close()

    def submit(self, item: Any) -> None:
        """Give it an item, which it begins after those it has."""
        if not self.queue:
            self._since = time.monotonic()
        self.queue.append(item)
        try:
            self.connection.send(item)
        except OSError:
            # It has died: who waits for its answer finds the closed pipe.
            return

    def receive(self) -> Any:
        """The answer to the first of its queue; raises EOFError or OSError where it died instead."""
        reply = pickle.loads(self.connection.recv_bytes())
        now = time.monotonic()
        self.mean_seconds += (now - self._since - self.mean_seconds) / 4
        self._since = now
        return reply

    def part(self, *, now: bool) -> None:
        """Ask it to end: once it is at rest, or at once."""
        if now:
            self.process.terminate()
        self.connection.close()

    def end(self) -> None:
        """See it end, after `part`; what does not end in time is killed."""
        self.process.join(_SECONDS_TO_END)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


@contextmanager
def _birth(threads: int) -> Iterator[None]:
    """What a process inherits at its start: so many threads for its libraries, and no ear for Ctrl-C.

    The driver hears that too, and ends its workers itself, in good order.
    """
    known = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update({name: str(threads) for name, value in known.items() if value is None})
    try:
        if sys.platform == "win32":
            yield
        else:
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                yield
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
    finally:
        for name in [name for name, value in known.items() if value is None]:
            del os.environ[name]


def _serve(connection: Connection, function: Callable[..., Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    threading.Thread(target=_die_with_driver, daemon=True).start()
    try:
        while True:
            connection.send_bytes(pickle.dumps(reply(function, connection.recv())))
    except (EOFError, OSError):
        return
    except SystemExit as left:
        # Not waiting for what libraries want to tidy up.
        os._exit(int(left.code or 0))


def reply(function: Callable[..., Any], item: Any) -> Any:
    """What a worker sends back: the function's value, or in its place Raised or Failed."""
    try:
        return function(item)
    except SursmrError as error:
        return Raised(error.exit_code, str(error))
    except Exception as error:
        return Failed(loss(error))


def _leave(number: int, _: object) -> NoReturn:
    # An exception, so that a file that is being written is tidied up on the way out.
    raise SystemExit(128 + number)


def _die_with_driver() -> None:
    driver = multiprocessing.parent_process()
    if driver is not None:
        wait([driver.sentinel])
        os._exit(1)
