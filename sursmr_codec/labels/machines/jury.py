"""The jury: machines that are loaded once and look at one picture after another."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

from sursmr_codec.errors import SursmrError, UnavailableError, UsageError
from sursmr_codec.labels.machines.machine import Machine, load
from sursmr_codec.labels.machines.output import Output
from sursmr_codec.labels.machines.zoo import MachineRow, Task, Zoo
from sursmr_codec.types import Pixels


class Jury:
    """Some machines of a zoo, by default those that vote in `smr`.

    `workers` machines look at a picture at the same time, each on `threads` threads of its own. Neither
    changes an answer: every machine looks at one picture at a time and keeps no state. One jury may be used
    by several threads; a process forked from one that holds a jury should make its own.
    """

    def __init__(
        self,
        zoo: Zoo,
        *,
        rows: Sequence[MachineRow] | None = None,
        workers: int = 1,
        threads: int = 1,
    ) -> None:
        """Load the machines; raises as `machine.load` does, and UsageError for counts below 1."""
        if workers < 1 or threads < 1:
            raise UsageError(f"workers and threads must be at least 1, not {workers} and {threads}")
        self.rows = tuple(zoo.jury if rows is None else rows)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="jury") if workers > 1 else None
        self._machines = {row.name: load(row, threads) for row in self.rows}
        self._locks = {row.name: threading.Lock() for row in self.rows}

    def __enter__(self) -> Jury:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the threads go; the jury cannot be asked afterwards if it had more than one worker."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def machine(self, name: str) -> Machine:
        """One of the jury's machines; raises UsageError for a name that is not among them."""
        try:
            return self._machines[name]
        except KeyError:
            raise UsageError(f"the jury has no machine {name!r}") from None

    def run_all(self, rgb: Pixels, task: Task | None = None) -> dict[str, Output]:
        """Show (H, W, 3) uint8 RGB to every machine, or to those of one task.

        Returns name -> output in the jury's order. A machine that fails raises UnavailableError with its
        name; no machine is left out silently, since that would change what the label means.
        """
        names = [row.name for row in self.rows if task is None or row.task == task]
        if self._pool is None:
            return {name: self._run(name, rgb) for name in names}
        # The slowest first: a slow machine that starts last leaves the other workers idle.
        by_cost = sorted(names, key=lambda name: -self._machines[name].row.ms_busy_core)
        running = {name: self._pool.submit(self._run, name, rgb) for name in by_cost}
        return {name: running[name].result() for name in names}

    def _run(self, name: str, rgb: Pixels) -> Output:
        try:
            with self._locks[name]:
                return self._machines[name].run(rgb)
        except SursmrError:
            raise
        except Exception as error:
            # Whatever a runtime raises must come with the machine's name.
            height, width = rgb.shape[:2]
            raise UnavailableError(f"machine {name} failed on a {width}x{height} picture: {error}") from error
