"""The machine side of measured scores: a zoo's jury, and how it votes on the rungs of a source."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from sursmr_codec.errors import UsageError
from sursmr_codec.labels import smr
from sursmr_codec.labels.machines.jury import Jury
from sursmr_codec.labels.machines.output import Output
from sursmr_codec.labels.machines.zoo import read_zoo
from sursmr_codec.types import Pixels

Outputs = Mapping[str, Output]
"""Machine name -> what it says of a picture."""


class Voting:
    """Every jury machine of a zoo folder, loaded once."""

    def __init__(self, folder: str | Path, threads: int | None = None) -> None:
        """Load the machines; `threads` of them look at a picture at a time, None for one a core."""
        zoo = read_zoo(folder)
        self.digest = zoo.digest
        self._jury = Jury(zoo, workers=threads or os.cpu_count() or 1)
        self._rows = {row.name: row for row in self._jury.rows}

    def check_task(self, task: str) -> None:
        """Raise UsageError where the zoo has too few machines of a task for an SMR of them alone."""
        n_machines = sum(row.task == task for row in self._rows.values())
        if n_machines < smr.MIN_COUNTING_TASK:
            raise UsageError(
                f"SMR over machines of {task} alone needs at least {smr.MIN_COUNTING_TASK} of them, and "
                f"the zoo has {n_machines}; take --machines all"
            )

    def look(self, rgb: Pixels) -> Outputs:
        """What every machine says of (H, W, 3) uint8 sRGB."""
        return self._jury.run_all(rgb)

    def votes(self, original: Outputs, compressed: Outputs) -> dict[str, bool | None]:
        """Machine name -> satisfied, or None where it does not count for the original."""
        return {
            name: smr.satisfied(output, compressed[name], self._rows[name])
            for name, output in original.items()
        }

    def ratios(self, votes: smr.Votes) -> smr.Ratios:
        """The shares of satisfied machines."""
        return smr.smr(votes, {name: row.task for name, row in self._rows.items()})

    def warnings(self, original: Outputs) -> tuple[str, ...]:
        """One line where too few machines count for SMR to be defined."""
        n_counting = sum(smr.counts(output, self._rows[name]) for name, output in original.items())
        if n_counting >= smr.MIN_COUNTING:
            return ()
        return (
            f"only {n_counting} machines have a confident opinion on this image; "
            f"SMR is not defined below {smr.MIN_COUNTING}",
        )
