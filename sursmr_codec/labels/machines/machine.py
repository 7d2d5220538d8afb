"""A machine: a network with all that turns a picture into its opinion, and its rule of satisfaction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from sursmr_codec.errors import SursmrError, UnavailableError
from sursmr_codec.labels import smr
from sursmr_codec.labels.machines.hub import HubModel
from sursmr_codec.labels.machines.output import Output
from sursmr_codec.labels.machines.runtimes import RUNTIMES, Runtime
from sursmr_codec.labels.machines.zoo import MachineRow
from sursmr_codec.types import Pixels


class Machine(ABC):
    """One vision model of the zoo, loaded."""

    def __init__(self, row: MachineRow) -> None:
        self.row = row
        self.weights_file: Path | None = row.weights
        """The file whose weights it runs; None for random ones."""

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


class NetworkMachine(Machine):
    """A machine whose network is a file of the zoo, with its preparation in the table."""

    def __init__(self, row: MachineRow, runtime: Runtime) -> None:
        super().__init__(row)
        self.runtime = runtime


class HubMachine(Machine):
    """A machine of a collection, which prepares pictures itself."""

    def __init__(self, row: MachineRow) -> None:
        super().__init__(row)
        self.weights_file = None


def load(row: MachineRow, threads: int = 1, *, download: bool = False) -> Machine:
    """Load a machine; `threads` is how many its runtime may use for one picture.

    Weights of a collection's model come from the local cache; `download` lets those that are missing there be
    fetched, and nothing else ever uses the network. Raises MissingExtra without the runtime's library,
    UnavailableError for weights that it cannot load or that are not here.
    """
    try:
        return _load_file(row, threads) if row.hub is None else _load_hub(row, row.hub, threads, download)
    except SursmrError:
        raise
    except Exception as error:
        # Runtimes raise types of their own that need not even be importable by name.
        raise UnavailableError(f"machine {row.name} cannot be loaded from {row.weights}: {error}") from error


# The kinds of machine build on this file, so that they can be named only once it is complete.


def _load_file(row: MachineRow, threads: int) -> Machine:
    from sursmr_codec.labels.machines.classify import Classifier
    from sursmr_codec.labels.machines.detect import Detector
    from sursmr_codec.labels.machines.segment import Segmenter

    kinds: dict[str, type[NetworkMachine]] = {
        "classification": Classifier,
        "detection": Detector,
        "face": Detector,
        "segmentation": Segmenter,
    }
    return kinds[row.task](row, RUNTIMES[row.weights.suffix](row.weights, threads))


def _load_hub(row: MachineRow, hub: HubModel, threads: int, download: bool) -> Machine:
    from sursmr_codec.labels.machines.hub_classify import TimmClassifier
    from sursmr_codec.labels.machines.hub_detect import TorchvisionDetector

    if hub.library == "timm":
        return TimmClassifier(row, hub, threads, download=download)
    return TorchvisionDetector(row, hub, threads, download=download)
