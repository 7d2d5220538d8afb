"""One Ray actor and its queue."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sursmr_codec.batch.engines._cluster import Share, library
from sursmr_codec.batch.engines._worker import reply
from sursmr_codec.errors import UnavailableError
from sursmr_codec.version import __version__


@dataclass(frozen=True)
class Task:
    """An item on its way."""

    item: Any
    blame: int = 0
    """What is laid to its charge of the deaths that it was part of."""


@dataclass(frozen=True)
class _Greeting:
    """What an actor says of itself."""

    node: str
    version: str


class _Remote:
    """The cluster's end."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def greet(self) -> _Greeting:
        return _Greeting(library().get_runtime_context().get_node_id(), __version__)

    def learn(self, function: Callable[..., Any]) -> None:
        self._function = function

    def reply(self, item: Any) -> Any:
        return reply(self._function, item)


class Actor:
    """The driver's end: what it was given and has not answered yet.

    It may have to wait for room in the cluster; `node` is None until it has greeted.
    """

    def __init__(self, function: Callable[..., Any] | None, share: Share) -> None:
        asked: dict[str, Any] = {"num_cpus": share.cores, "max_restarts": 0, "max_task_retries": 0}
        if share.gpus:
            asked["num_gpus"] = share.gpus
        self.node: str | None = None
        self.queue: deque[Task] = deque()
        self.mean_seconds = 1.0
        """Of its latest answers; a guess before the first."""
        self._since = 0.0
        self._remote = library().remote(**asked)(_Remote).remote(function)
        self._answers = deque([self._remote.greet.remote()])

    @property
    def next_answer(self) -> Any:
        """What to wait for: the greeting, or the answer to the first of its queue; None where it rests."""
        return self._answers[0] if self._answers else None

    def learn(self, function: Callable[..., Any]) -> None:
        """Have it run another function on what is submitted from now on."""
        self._remote.learn.remote(function)

    def submit(self, task: Task) -> None:
        """Give it an item, which it begins after those it has."""
        if not self.queue:
            self._since = time.monotonic()
        self.queue.append(task)
        self._answers.append(self._remote.reply.remote(task.item))

    def receive(self) -> Any:
        """The answer to the first of its queue, which stays there; raises Ray's errors where it died."""
        answer = library().get(self._answers[0])
        self._answers.popleft()
        now = time.monotonic()
        self.mean_seconds += (now - self._since - self.mean_seconds) / 4
        self._since = now
        return answer

    def meet(self) -> None:
        """Take its greeting; raises UnavailableError where it runs another version, Ray's errors as above."""
        greeting = library().get(self._answers[0])
        self._answers.popleft()
        if greeting.version != __version__:
            raise UnavailableError(
                f"a machine of the Ray cluster has sursmr-qp {greeting.version}, this one {__version__}; "
                "install the same on all"
            )
        self.node = greeting.node

    def end(self) -> None:
        """End it, whatever it is doing."""
        library().kill(self._remote)
