"""Runs asks in this process, or in several of which each keeps to its own images."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from sursmr_codec.batch.engines.base import as_error
from sursmr_codec.bench.asks import Answer, Ask
from sursmr_codec.bench.question import Question
from sursmr_codec.bench.work import Work
from sursmr_codec.errors import SursmrError, UnavailableError

_work: Work | None = None
"""Of a worker process."""


@dataclass(frozen=True)
class Refused:
    """An error of this package, as it travels between processes."""

    exit_code: int
    message: str


class Crew:
    """Answers asks; what is known of an image stays in the one process that it is asked of."""

    def __init__(self, question: Question) -> None:
        self._question = question
        threads = max(1, (os.cpu_count() or 1) // question.jobs)
        self.work = Work(question, threads)
        """That of this process, for what concerns no image."""
        # Spawned, not forked: threads of libraries do not survive a fork.
        context = multiprocessing.get_context("spawn")
        n_others = question.jobs if question.jobs > 1 else 0
        self._others = [ProcessPoolExecutor(1, context, _begin, (question, threads)) for _ in range(n_others)]
        self._homes: dict[str, int] = {}

    def ask(self, asks: Sequence[Ask]) -> Iterator[tuple[int, Answer]]:
        """The number of an ask in `asks` and its answer, in any order.

        Raises the errors of `Work`, and UnavailableError where a process dies.
        """
        if not self._others:
            yield from ((number, self.work(ask)) for number, ask in enumerate(asks))
            return
        numbers = {self._home(ask).submit(_answer, ask): number for number, ask in enumerate(asks)}
        for future in as_completed(numbers):
            yield numbers[future], _result(future)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for other in self._others:
            other.shutdown(wait=error is None, cancel_futures=True)

    def _home(self, ask: Ask) -> ProcessPoolExecutor:
        return self._others[self._homes.setdefault(ask.image, len(self._homes) % len(self._others))]


def _result(future: Future[Answer | Refused]) -> Answer:
    try:
        answer = future.result()
    except BrokenProcessPool:
        raise UnavailableError(
            "a worker process died, as it does when memory is short; run again with fewer --jobs"
        ) from None
    if isinstance(answer, Refused):
        raise as_error(answer.exit_code, answer.message)
    return answer


def _begin(question: Question, threads: int) -> None:
    global _work
    _work = Work(question, threads)


def _answer(ask: Ask) -> Answer | Refused:
    assert _work is not None  # the process began with it
    try:
        return _work(ask)
    except SursmrError as error:
        return Refused(error.exit_code, str(error))
