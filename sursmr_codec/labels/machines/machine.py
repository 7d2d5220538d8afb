"""A machine: a network with all that turns a picture into its opinion, and its rule of satisfaction."""

from __future__ import annotations

from abc import ABC, abstractmethod

from sursmr_codec.errors import SursmrError, UnavailableError
from sursmr_codec.labels import smr
from sursmr_codec.labels.machines.output import Output
from sursmr_codec.labels.machines.runtimes import RUNTIMES, Runtime
from sursmr_codec.labels.machines.zoo import MachineRow
from sursmr_codec.types import Pixels


class Machine(ABC):
    """One vision model of the zoo, loaded."""

    def __init__(self, row: MachineRow, runtime: Runtime) -> None:
        self.row = row
        self.runtime = runtime

    @property
    def name(self) -> str:
        """The row's name."""
        return self.row.name

    @abstractmethod
    def run(self, rgb: Pixels) -> Output:
        """(H, W, 3) uint8 RGB of any size -> what the machine says of it. Pure: no state is kept."""

    def satisfied(self, original: Output, compressed: Output) -> bool | None:
        """Whether the opinion on the original survived; None where it does not count for this picture."""
        return smr.satisfied(original, compressed, self.row)


def load(row: MachineRow, threads: int = 1) -> Machine:
    """Load a machine; `threads` is how many its runtime may use for one picture.

    Raises MissingExtra without the runtime's library, UnavailableError for weights that it cannot load.
    """
    # These build on this file, so that they can be named only once it is complete.
    from sursmr_codec.labels.machines.classify import Classifier
    from sursmr_codec.labels.machines.detect import Detector
    from sursmr_codec.labels.machines.segment import Segmenter

    kinds: dict[str, type[Machine]] = {
        "classification": Classifier,
        "detection": Detector,
        "face": Detector,
        "segmentation": Segmenter,
    }
    try:
        return kinds[row.task](row, RUNTIMES[row.weights.suffix](row.weights, threads))
    except SursmrError:
        raise
    except Exception as error:
        # Runtimes raise types of their own that need not even be importable by name.
        raise UnavailableError(f"machine {row.name} cannot be loaded from {row.weights}: {error}") from error
