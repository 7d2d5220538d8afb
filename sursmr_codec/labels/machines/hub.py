"""Models that a Python collection names: `timm:NAME` for classifiers, `torchvision:NAME` for detectors.

Such a row holds no weight file. The name says which weights are meant; how a picture is prepared is stored
with those weights by the collection itself and is not repeated in the table.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

LIBRARIES = {"timm": "classification", "torchvision": "detection"}
"""Collection -> the task that it is asked for."""
_NAME = re.compile(r"\w+(\.\w+)?", re.ASCII)


@dataclass(frozen=True)
class HubModel:
    """One pretrained model of a collection."""

    library: str
    """`timm` or `torchvision`."""
    name: str
    """Model, and after a dot which of its weights (`resnet50.a1_in1k`); without one the library's default."""
    sha256: str = ""
    """First 16 hex digits that the weight file's digest must begin with; empty for any."""

    def __str__(self) -> str:
        return f"{self.library}:{self.name}"

    @property
    def architecture(self) -> str:
        """The name without its weights."""
        return self.name.partition(".")[0]

    @property
    def tag(self) -> str:
        """Which weights; empty for the library's default."""
        return self.name.partition(".")[2]

    @property
    def identity(self) -> str:
        """16 hex digits that change with the name, the wanted digest and the versions of the libraries.

        It stands where a file's digest would, as the weights need not be on this computer yet. What a name
        gives depends on the library, which holds the network and the preparation of pictures.
        """
        facts = [str(self), self.sha256, *(_version(name) for name in (self.library, "torch"))]
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]


def is_hub(text: str) -> bool:
    """Whether a `file` names a model of a collection."""
    return text.partition(":")[0] in LIBRARIES


def parse_hub(text: str, task: str, sha256: str = "") -> HubModel:
    """Read `timm:NAME` or `torchvision:NAME`; raises ValueError for another task or an odd name."""
    library, _, name = text.partition(":")
    if not _NAME.fullmatch(name):
        raise ValueError(f"{text!r} must be {library}: and a model's name, as resnet50 or resnet50.a1_in1k")
    if LIBRARIES[library] != task:
        raise ValueError(f"{text!r}: models of {library} are for {LIBRARIES[library]}, not for {task}")
    return HubModel(library, name, sha256)


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return package
