"""Worker processes of this machine, each with a pipe of its own; one that dies takes nobody along."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import wait
from typing import Any, ClassVar

from sursmr_codec.batch.engines._worker import Failed, Raised, Worker
from sursmr_codec.batch.engines.base import Answer, Engine, Item, Lost, Pause, Value, as_error
from sursmr_codec.errors import UnavailableError

_QUICK_SECONDS = 0.25
"""Items that take less wait in the worker's pipe, so that it never waits for the driver."""
_PAUSE_SECONDS = 0.1
_MOST_DEATHS = 10
"""One after another, without an answer in between."""


class Process(Engine):
    """Processes that are spawned when there is something to do, at most `jobs` of them."""

    id: ClassVar[str] = "process"

    def __init__(self, jobs: int, threads: int = 1) -> None:
        super().__init__(jobs, threads)
        self._function: Callable[..., Any] | None = None
        self._workers: list[Worker] = []
        self._suspects: list[Any] = []
        self._again: deque[Any] = deque()
        self._deaths_in_a_row = 0

    def map(
        self, function: Callable[[Item], Value], items: Iterable[Item]
    ) -> Iterator[Answer[Item, Value] | Lost[Item] | Pause]:
        if function is not self._function:
            self.close(now=True)
            self._function = function
        self._again.clear()
        self._suspects.clear()
        source = iter(items)
        drained = False
        seconds = 0.0
        try:
            while True:
                while not drained and self._has_room():
                    try:
                        self._give(self._again.popleft() if self._again else next(source))
                    except StopIteration:
                        drained = True
                busy = [worker for worker in self._workers if worker.queue]
                if not busy:
                    return
                while not (ready := _ready(busy, seconds)):
                    yield Pause(_PAUSE_SECONDS)
                    seconds = _PAUSE_SECONDS
                seconds = 0.0
                for worker in ready:
                    yield from self._collect(worker)
                drained = drained and not self._again
        except BaseException:
            self.close(now=True)
            raise

    def close(self, *, now: bool) -> None:
        """A worker at rest ends by itself; one at work is told to end, and made to if it does not."""
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.part(now=now)
        for worker in workers:
            worker.end()

    def _has_room(self) -> bool:
        return len(self._workers) < self.jobs or self._least_busy() is not None

    def _give(self, item: Any) -> None:
        worker = self._least_busy()
        if worker is None or (worker.queue and len(self._workers) < self.jobs):
            worker = Worker(self._function, self.threads)
            self._workers.append(worker)
        worker.submit(item)

    def _least_busy(self) -> Worker | None:
        """A worker that an item can be given to; None where all have enough."""
        resting = (worker for worker in self._workers if not worker.queue)
        quick = (w for w in self._workers if len(w.queue) == 1 and w.mean_seconds < _QUICK_SECONDS)
        return next(resting, None) or next(quick, None)

    def _collect(self, worker: Worker) -> Iterator[Answer[Any, Any] | Lost[Any]]:
        try:
            reply = worker.receive()
        except (EOFError, OSError):
            yield from self._bury(worker)
            return
        self._deaths_in_a_row = 0
        item = worker.queue.popleft()
        if isinstance(reply, Raised):
            raise as_error(reply.exit_code, reply.message)
        yield Lost(item, reply.reason) if isinstance(reply, Failed) else Answer(item, reply)

    def _bury(self, worker: Worker) -> Iterator[Lost[Any]]:
        self._workers.remove(worker)
        worker.part(now=True)
        worker.end()
        died = _obituary(worker.process.exitcode)
        self.n_deaths += 1
        self._deaths_in_a_row += 1
        if self._deaths_in_a_row >= _MOST_DEATHS:
            raise UnavailableError(
                f"{self._deaths_in_a_row} worker processes died one after another, the last {died}; run "
                "again, with fewer --jobs if memory is short"
            )
        item, *waiting = worker.queue
        # What only waited in the dead worker's pipe is not to blame.
        self._again.extendleft(reversed(waiting))
        if item in self._suspects:
            self._suspects.remove(item)
            yield Lost(item, f"the process that works on it dies, {died}")
        else:
            self._suspects.append(item)
            self._again.append(item)


def _ready(busy: list[Worker], seconds: float) -> list[Worker]:
    """Those that have answered or died within so many seconds."""
    by_connection: dict[Any, Worker] = {worker.connection: worker for worker in busy}
    found: list[Any] = wait(list(by_connection), seconds)
    return [by_connection[connection] for connection in found]


def _obituary(code: int | None) -> str:
    if code == -9:
        return "killed from outside, as by a system that is short of memory"
    return f"with exit code {code}"
