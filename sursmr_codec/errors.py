"""Every failure a user can meet, each with the exit code that the command line returns for it.

    SursmrError (1)
    ├── UsageError (2)
    ├── TargetNotReachable (3)
    ├── ImageError (4)
    │   └── DecodeError (4)
    ├── UnavailableError (5)
    │   ├── MissingExtra (5)
    │   └── EncodeError (5)
    │       └── FileTooLarge (5)
    ├── OutputError (6)
    └── GateNotMet (8)

Errors of other libraries are translated into these where they are called, so that a caller needs to know
only this tree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sursmr_codec.types import Pick


class SursmrError(Exception):
    """Base of all errors of this package; its text is one line a person can act on."""

    exit_code = 1


class UsageError(SursmrError):
    """An argument or a combination of arguments makes no sense."""

    exit_code = 2


class TargetNotReachable(SursmrError):
    """No rung meets the targets; `pick` holds everything that was probed on the way."""

    exit_code = 3

    def __init__(self, message: str, pick: Pick) -> None:
        super().__init__(message)
        self.pick = pick


class ImageError(SursmrError):
    """An image is absent, unreadable, undecodable, or of a kind that is refused."""

    exit_code = 4


class DecodeError(ImageError):
    """Compressed bytes that their codec cannot turn into a picture of the stated size."""


class UnavailableError(SursmrError):
    """An encoder, decoder or optional library is missing, too old, or failed at its work."""

    exit_code = 5


class MissingExtra(UnavailableError):
    """An optional part of the package is not installed.

    The text names what was missing, what wanted it, and the one command that installs it.
    """

    def __init__(self, library: str, purpose: str, extra: str) -> None:
        super().__init__(f"{purpose} needs {library}: pip install 'sursmr-qp[{extra}]'")
        self.library = library
        self.extra = extra


class EncodeError(UnavailableError):
    """An encoder refused a picture, failed half-way, or wrote something that is not its format."""


class FileTooLarge(EncodeError):
    """A rung's file is larger than what reads such files takes; those at higher QPs may still do."""


class OutputError(SursmrError):
    """A result could not be written; what was at the target before is untouched."""

    exit_code = 6


class GateNotMet(SursmrError):
    """A benchmark's result is outside a bound that was asked for."""

    exit_code = 8
