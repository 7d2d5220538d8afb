"""One item after another on one core, in the caller's own process: what kills the function kills the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar

from sursmr_codec.batch.engines.base import Answer, Engine, Item, Lost, Pause, Value, loss
from sursmr_codec.errors import SursmrError


class Serial(Engine):
    """Runs the function itself; `jobs` and `threads` are one, whatever was asked: the baseline of others."""

    id: ClassVar[str] = "serial"

    def __init__(self, jobs: int = 1, threads: int = 1) -> None:
        super().__init__(jobs=1, threads=1)

    def map(
        self, function: Callable[[Item], Value], items: Iterable[Item]
    ) -> Iterator[Answer[Item, Value] | Lost[Item] | Pause]:
        for item in items:
            try:
                value = function(item)
            except SursmrError:
                raise
            except Exception as error:
                yield Lost(item, loss(error))
            else:
                yield Answer(item, value)
            # Before another item is taken.
            yield Pause()
