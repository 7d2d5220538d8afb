"""Processes that measure: each loads the panel once, and none outlives its driver.

A worker may be killed, as by a system that is short of memory, or crash in a library. Another then takes over
its image; one that ends two workers is reported as a failure.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from multiprocessing.connection import Connection, wait
from types import TracebackType

from sursmr_codec.errors import SursmrError, UnavailableError
from sursmr_codec.labels.measuring import Failure, Reply, Request, measure
from sursmr_codec.labels.panel import PanelSetup

QUEUED = 2
"""Requests a worker holds: the one at work, and the next, so that it need not wait for the driver."""
_MOST_CRASHES = 10
_SECONDS_TO_END = 10.0


class Workers:
    """A fixed number of worker processes, started when there is something to do."""

    def __init__(self, setup: PanelSetup, jobs: int) -> None:
        self._setup = setup
        self._jobs = jobs
        self._workers: list[_Worker] = []
        self._crashes = 0
        self._suspects: set[str] = set()

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.stop(now=error is not None)

    @property
    def busy(self) -> bool:
        """Whether any reply is outstanding."""
        return any(worker.queue for worker in self._workers)

    @property
    def full(self) -> bool:
        """Whether every worker has as much as it may hold."""
        return len(self._workers) == self._jobs and all(len(w.queue) >= QUEUED for w in self._workers)

    def submit(self, request: Request) -> None:
        """Hand a request to the worker with the least to do."""
        idlest = min(self._workers, key=lambda worker: len(worker.queue), default=None)
        if idlest is None or (idlest.queue and len(self._workers) < self._jobs):
            idlest = _Worker(self._setup)
            self._workers.append(idlest)
        idlest.submit(request)

    def collect(self) -> list[Reply]:
        """Wait for a worker and return its replies, perhaps none.

        Raises UnavailableError where a worker cannot load the panel, or too many died.
        """
        by_connection = {worker.connection: worker for worker in self._workers if worker.queue}
        replies: list[Reply] = []
        for connection in wait(list(by_connection)):
            worker = by_connection[connection]  # type: ignore[index]
            try:
                answer = worker.connection.recv()
            except (EOFError, OSError):
                replies += self._replace(worker)
                continue
            if isinstance(answer, str):
                raise UnavailableError(answer)
            worker.queue.popleft()
            replies.append(answer)
        return replies

    def _replace(self, worker: _Worker) -> list[Reply]:
        self._crashes += 1
        worker.stop(now=True)
        code = worker.process.exitcode
        if self._crashes > _MOST_CRASHES:
            raise UnavailableError(
                f"{self._crashes} worker processes died (the last with exit code {code}; out of memory?); "
                "the same command takes up where it stopped, with fewer --jobs if memory is short"
            )
        self._workers.remove(worker)
        lost = worker.queue[0]
        guilty = lost.image in self._suspects
        self._suspects.add(lost.image)
        for request in list(worker.queue)[guilty:]:
            self.submit(request)
        if not guilty:
            return []
        died = Failure(lost.image, None, None, "image", f"its worker process died with exit code {code}")
        return [Reply(lost.image, None, {}, (died,), {})]


class _Worker:
    def __init__(self, setup: PanelSetup) -> None:
        # Spawned, not forked: threads of the driver's libraries do not survive a fork.
        context = multiprocessing.get_context("spawn")
        self.queue: deque[Request] = deque()
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, setup), daemon=True)
        self.process.start()
        theirs.close()

    def submit(self, request: Request) -> None:
        self.queue.append(request)
        try:
            self.connection.send(request)
        except OSError:
            # It has died: `collect` will find the closed pipe and give the request to another.
            return

    def stop(self, *, now: bool) -> None:
        # A worker at rest ends by itself when its pipe closes, and then gives back what its libraries hold.
        self.connection.close()
        self.process.join(0 if now else _SECONDS_TO_END)
        self.process.terminate()
        self.process.join()


def _serve(connection: Connection, setup: PanelSetup) -> None:
    # The driver hears Ctrl-C too, and ends its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_driver, daemon=True).start()
    try:
        panel = setup.load()
    except SursmrError as error:
        connection.send(str(error))
        return
    except Exception as error:
        connection.send(f"teachers and machines cannot be loaded: {type(error).__name__}: {error}")
        return
    while True:
        try:
            request = connection.recv()
        except EOFError:
            return
        connection.send(measure(request, panel))


def _die_with_driver() -> None:
    driver = multiprocessing.parent_process()
    if driver is not None:
        wait([driver.sentinel])
        os._exit(1)
