"""Actors on the machines of a Ray cluster; one that dies, or its machine, takes nobody along.

The loop that hands out is our own, and Ray restarts no actor: what a dead one had in hand goes to another.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from types import TracebackType
from typing import Any, ClassVar, Self

from sursmr_codec.batch.engines import _cluster
from sursmr_codec.batch.engines._actor import Actor, Task
from sursmr_codec.batch.engines._cluster import Share
from sursmr_codec.batch.engines._worker import Failed, Raised
from sursmr_codec.batch.engines.base import Answer, Engine, Item, Lost, Pause, Value, as_error, loss
from sursmr_codec.errors import UnavailableError
from sursmr_codec.images.files import one_line

_QUICK_SECONDS = 0.25
"""Items that take less wait in their actor's queue, so that it never waits for the driver."""
_LOOK_SECONDS = 1.0
_SECONDS_FOR_ROOM = 600.0
"""Without any actor alive, until the cluster counts as full or gone; new machines may be on their way."""
_PROCESS_DIED, _NODE_DIED, _LOST = 2, 1, 4
"""What an item is charged with that was worked on meanwhile, and when it counts as lost."""
_MOST_DEATHS = 10
"""One after another without an answer in between, beside one of each actor: machines die with all theirs."""


class Ray(Engine):
    """Actors that are made when there is something to do, at most `jobs` of them."""

    id: ClassVar[str] = "ray"

    def __init__(self, jobs: int, threads: int = 1, *, address: str | None = None, gpu: bool = False) -> None:
        """With `jobs` 0 as many as the cluster has cores, or GPUs with `gpu`.

        Cores and GPUs are shared out evenly, so that actors may have several cores each, or a part of a GPU
        each; `threads` is what comes of it. `address` is HOST:PORT of the cluster's head, `auto` for the
        cluster that this machine is part of, or `local` for one of this run's own; None: what the variable
        RAY_ADDRESS says, or `local`.
        """
        super().__init__(jobs, threads)
        self._address = address or os.environ.get("RAY_ADDRESS") or _cluster.LOCAL
        self._gpu = gpu
        self._is_ours = False
        self._share = Share(jobs, threads, threads, 0)
        self._function: Callable[..., Any] | None = None
        self._actors: list[Actor] = []
        self._waiting: deque[Task] = deque()
        self._deaths_in_a_row = 0

    @classmethod
    def shares(cls, jobs: int | None, cores: int) -> tuple[int, int]:
        """Settled when the cluster is known."""
        return jobs or 0, 1

    def __enter__(self) -> Self:
        """Connect; raises MissingExtra, UsageError for a bad address, UnavailableError without a cluster."""
        self._is_ours = _cluster.connect(self._address)
        try:
            self._share = _cluster.share_out(self.jobs, gpu=self._gpu)
        except BaseException:
            self._disconnect()
            raise
        self.jobs, self.threads = self._share.jobs, self._share.threads
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self._disconnect()

    def map(
        self, function: Callable[[Item], Value], items: Iterable[Item]
    ) -> Iterator[Answer[Item, Value] | Lost[Item] | Pause]:
        if function is not self._function:
            # A new actor takes seconds to start.
            for actor in self._actors:
                actor.learn(function)
            self._function = function
        self._waiting.clear()
        source = map(Task, items)
        last_alive = time.monotonic()
        try:
            while True:
                self._hand_out(source)
                if not self._waiting and not any(actor.queue for actor in self._actors):
                    return
                ready = self._ready(seconds=0)
                if not ready:
                    yield Pause()
                    ready = self._ready(_LOOK_SECONDS)
                for actor in ready:
                    yield from self._collect(actor)
                if any(actor.node for actor in self._actors):
                    last_alive = time.monotonic()
                elif time.monotonic() - last_alive > _SECONDS_FOR_ROOM:
                    raise UnavailableError(self._no_room())
        except BaseException:
            self.close(now=True)
            raise

    def close(self, *, now: bool) -> None:
        """Actors at rest and at work end alike: at once."""
        actors, self._actors = self._actors, []
        for actor in actors:
            actor.end()

    def _disconnect(self) -> None:
        if self._is_ours:
            _cluster.library().shutdown()
            self._is_ours = False

    def _hand_out(self, source: Iterator[Task]) -> None:
        """Give to all who have time; what then waits, waits for an actor that itself waits for room."""
        while True:
            actor = self._least_busy()
            if actor is not None:
                task = self._waiting.popleft() if self._waiting else next(source, None)
                if task is None:
                    return
                actor.submit(task)
            elif len(self._actors) == self.jobs:
                return
            else:
                if len(self._waiting) <= sum(actor.node is None for actor in self._actors):
                    task = next(source, None)
                    if task is None:
                        return
                    self._waiting.append(task)
                self._actors.append(Actor(self._function, self._share))

    def _least_busy(self) -> Actor | None:
        """An actor that an item can be given to; None where all have enough."""
        alive = [actor for actor in self._actors if actor.node is not None]
        resting = (actor for actor in alive if not actor.queue)
        found = next(resting, None)
        if found is not None or len(self._actors) < self.jobs:
            return found
        return next((a for a in alive if len(a.queue) == 1 and a.mean_seconds < _QUICK_SECONDS), None)

    def _ready(self, seconds: float) -> list[Actor]:
        """Those that have something to say within so many seconds, or have died."""
        by_answer = {actor.next_answer: actor for actor in self._actors if actor.next_answer is not None}
        ray, answers = _cluster.library(), list(by_answer)
        ray.wait(answers, timeout=seconds)
        found, _ = ray.wait(answers, num_returns=len(answers), timeout=0)
        return [by_answer[answer] for answer in found]

    def _collect(self, actor: Actor) -> Iterator[Answer[Any, Any] | Lost[Any]]:
        errors = _cluster.library().exceptions
        try:
            if actor.node is None:
                actor.meet()
                return
            answer = actor.receive()
        except errors.RayTaskError as error:
            # Not of the function, whose errors are answers: of what it returned, which cannot travel.
            yield Lost(actor.queue.popleft().item, loss(error.cause))
            return
        except errors.RayError as error:
            yield from self._bury(actor, error)
            return
        self._deaths_in_a_row = 0
        task = actor.queue.popleft()
        if isinstance(answer, Raised):
            raise as_error(answer.exit_code, answer.message)
        yield Lost(task.item, answer.reason) if isinstance(answer, Failed) else Answer(task.item, answer)

    def _bury(self, actor: Actor, error: Exception) -> Iterator[Lost[Any]]:
        self._actors.remove(actor)
        actor.end()
        self.n_deaths += 1
        self._deaths_in_a_row += 1
        if self._deaths_in_a_row >= _MOST_DEATHS + self.jobs:
            raise UnavailableError(
                f"{self._deaths_in_a_row} workers of the Ray cluster died one after another, the last: "
                f"{one_line(error)}; run again, with fewer --jobs if memory is short"
            )
        if not actor.queue:
            return
        task, *waiting = actor.queue
        # What only waited in the dead actor's queue is not to blame.
        self._waiting.extendleft(reversed(waiting))
        cut_off = isinstance(error, _cluster.library().exceptions.ActorUnavailableError)
        its_machine_lives = not cut_off and actor.node in _cluster.living_nodes()
        blame = task.blame + (_PROCESS_DIED if its_machine_lives else _NODE_DIED)
        if blame >= _LOST:
            yield Lost(task.item, "the process that works on it dies, on a machine of the Ray cluster")
        else:
            self._waiting.append(replace(task, blame=blame))

    def _no_room(self) -> str:
        gpus = f" and {self._share.gpus:g} GPUs" if self._share.gpus else ""
        return (
            f"the Ray cluster has had no room for a worker with {self._share.cores:g} cores{gpus} in "
            f"{_SECONDS_FOR_ROOM:g} s; see `ray status`, or take more --jobs, which get smaller shares"
        )
