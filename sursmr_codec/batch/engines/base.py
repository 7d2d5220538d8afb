"""The contract that every engine keeps: run one function over many items, wherever it likes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import ClassVar, Generic, Self, TypeVar

from sursmr_codec.errors import ImageError, OutputError, SursmrError, UnavailableError, UsageError

Item = TypeVar("Item")
Value = TypeVar("Value")


@dataclass(frozen=True)
class Answer(Generic[Item, Value]):
    """What the function returned for an item."""

    item: Item
    value: Value


@dataclass(frozen=True)
class Lost(Generic[Item]):
    """An item without an answer: the function raised, or killed the process it ran in."""

    item: Item
    reason: str
    """One line for people."""


@dataclass(frozen=True)
class Pause:
    """No result is ready, and the engine waits for one when it is asked on."""

    seconds: float | None = None
    """When it will pause again at the latest; None where it waits for as long as it takes."""


class Engine(ABC):
    """Runs a function over items, `jobs` of them at a time; knows nothing of images.

    Used as a context manager, in one thread. What it started may live from one `map` to the next and ends
    with the context. Items and answers travel by pickle; a function is sent once to where it runs and kept
    there, so what it loads on its first call stays loaded as long as `map` gets the same object.
    """

    id: ClassVar[str]
    """Name on the command line; also the name of the engine's file."""

    def __init__(self, jobs: int, threads: int = 1) -> None:
        """`jobs` items at a time, each with `threads` cores for the libraries that take a number of them."""
        self.jobs = jobs
        self.threads = threads
        self.n_deaths = 0
        """Processes that died at work; what they left undone may lie about."""

    @classmethod
    def shares(cls, jobs: int | None, cores: int) -> tuple[int, int]:
        """`jobs` and `threads` for what was asked, on a machine with so many cores."""
        n_jobs = jobs or cores
        return n_jobs, max(1, cores // n_jobs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(now=error is not None)

    @abstractmethod
    def map(
        self, function: Callable[[Item], Value], items: Iterable[Item]
    ) -> Iterator[Answer[Item, Value] | Lost[Item] | Pause]:
        """One result an item, in any order, and a `Pause` each time before it waits.

        The caller notes results in groups, at pauses; of an engine that never pauses, it notes each by
        itself, which takes longer.

        Items are taken from their iterable, in the caller's thread, only when there is room for them. So a
        caller stops in good order by letting `items` end: what was taken is finished and yielded. It stops
        now by closing this iterator, or by an exception in its own thread: what runs is killed.

        A SursmrError that the function raises concerns the whole run: it is raised here, as its class's
        nearest relative that takes one line of text. Any other exception, or the death of a process, loses
        one item. An item is given to a second process before it counts as lost, because a process may die
        of other causes; so the function must be safe to repeat. Raises UnavailableError where processes
        die one after another without any answer.
        """

    def close(self, *, now: bool) -> None:
        """End what was started: after its present work, or at once."""
        return


_BY_EXIT_CODE = {kind.exit_code: kind for kind in (UsageError, ImageError, UnavailableError, OutputError)}


def as_error(exit_code: int, message: str) -> SursmrError:
    """An error that was raised elsewhere, from what is sent of it."""
    return _BY_EXIT_CODE.get(exit_code, SursmrError)(message)


def loss(error: BaseException) -> str:
    """An exception as the reason of a lost item."""
    return f"internal error: {type(error).__name__}: {' '.join(str(error).split())}"
