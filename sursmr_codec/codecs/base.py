"""The contract that every codec keeps, and the value that says whether it can be used here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from sursmr_codec.codecs._density import loses_density
from sursmr_codec.errors import EncodeError, UnavailableError, UsageError
from sursmr_codec.types import CodecSummary, Pixels, Source

Part = Literal["icc", "exif", "xmp", "density", "alpha"]
"""What a picture file may hold beside opaque sRGB pixels."""


@dataclass(frozen=True)
class Availability:
    """Whether a codec can be used on this machine, and if not, what mends it."""

    usable: bool
    reason: str | None = None
    """What is missing; None where usable."""
    remedy: str | None = None
    """The one command that mends it; None where usable."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Library and encoder versions that were found."""


class Codec(ABC):
    """Encodes a source at a QP and decodes it again.

    QP always rises as quality falls; only this type knows which way a codec's own number runs. Pictures
    below a codec's smallest size or of odd size are edge-padded inside the codec and cropped on decode.
    The same source, QP and options give the same bytes. Instances hold options only and are safe to share
    between threads.
    """

    id: ClassVar[str]
    """Name on the command line and in every result."""
    extension: ClassVar[str]
    """Of written files, with the dot."""
    qp_range: ClassVar[range]
    """Every QP the codec takes, in steps of 1."""
    wobble: ClassVar[float] = 0.0
    """Largest share by which size may grow from one QP to the next (0: strictly falling or equal).

    As measured under default options, from files of 1000 bytes on; of smaller ones a byte is a large share.
    """
    keeps: ClassVar[frozenset[Part]] = frozenset()
    """What of the source its files hold; without "icc" the colours are converted to sRGB."""
    most_side: ClassVar[int | None] = None
    """Most pixels a side that its files can state; None: more than any picture has that is read here."""

    @abstractmethod
    def encode(self, source: Source, qp: int) -> bytes:
        """Compress `source` at `qp`; the bytes are a complete file.

        Raises UsageError for a QP outside `qp_range`, UnavailableError where the encoder is missing, and
        EncodeError where it fails; FileTooLarge where at higher QPs it may not.
        """

    @abstractmethod
    def decode(self, data: bytes, width: int, height: int) -> Pixels:
        """Decode `data` to (height, width, 3) uint8 sRGB.

        Raises DecodeError where `data` is not a picture of this codec that is at least that large; never
        any other error, whatever the bytes.
        """

    @abstractmethod
    def fingerprint(self) -> str:
        """One line naming every library, encoder version and option that changes bytes."""

    def log_step(self, qp: int) -> float:
        """Logarithm of the quantiser's step, up to a factor and a constant: quality falls evenly along it."""
        return float(qp)

    @abstractmethod
    def native(self, qp: int) -> Mapping[str, object]:
        """The QP in the words of the codec's own users, for example `{"quality": 61}`."""

    @abstractmethod
    def availability(self) -> Availability:
        """Whether the codec can be used here; cheap, and never raises."""

    def finish(self, source: Source, qp: int, encoded: bytes) -> bytes:
        """The file to write for a rung that was picked: of the same pixels, and never larger.

        For what costs too much, or changes nothing that is scored, while rungs are compared.
        """
        return encoded

    def unfit(self, source: Source) -> str | None:
        """Why its files cannot hold the source, in words that follow the codec's id; None where they can."""
        if source.alpha is not None and "alpha" not in self.keeps:
            return "cannot keep transparency"
        return self._too_long(source)

    def left_out(self, source: Source) -> tuple[str, ...]:
        """What of the source its files cannot hold, one line each; the rest they do hold."""
        lines = []
        if source.icc_profile is not None and "icc" not in self.keeps:
            lines.append(f"{self.id} files hold no colour profile here: colours were converted to sRGB")
        blocks: tuple[tuple[Part, bytes | None], ...] = (("exif", source.exif), ("xmp", source.xmp))
        gone = [name.upper() for name, block in blocks if block and name not in self.keeps]
        if gone:
            lines.append(f"{self.id} files hold no metadata: {' and '.join(gone)} left out")
        if "density" not in self.keeps and loses_density(source, with_exif="exif" in self.keeps):
            across, down = source.density or (0, 0)
            lines.append(f"{self.id}: the density of {across:.0f}x{down:.0f} dots an inch was left out")
        return tuple(lines)

    @property
    def options(self) -> Mapping[str, object]:
        """Options that change bytes, as set on this instance."""
        return {}

    def summary(self) -> CodecSummary:
        """What results say about the encoder."""
        return CodecSummary(self.id, self.extension, self.fingerprint(), dict(self.options))

    def check_qp(self, qp: int) -> None:
        """Raise UsageError where `qp` is outside the range."""
        if qp not in self.qp_range:
            low, high = self.qp_range[0], self.qp_range[-1]
            raise UsageError(f"{self.id} takes QP {low}..{high}, not {qp}")

    def check_side(self, source: Source) -> None:
        """Raise EncodeError where the source has more pixels a side than the files can state."""
        if reason := self._too_long(source):
            raise EncodeError(f"{self.id} {reason}")

    def _too_long(self, source: Source) -> str | None:
        if self.most_side is None or max(source.width, source.height) <= self.most_side:
            return None
        return f"holds at most {self.most_side} pixels a side, not {source.width}x{source.height}"

    def require(self) -> None:
        """Raise UnavailableError, naming the remedy, where the codec cannot be used here."""
        found = self.availability()
        if not found.usable:
            raise UnavailableError(f"codec {self.id} is not usable: {found.reason}; try: {found.remedy}")


def check_option(codec_id: str, name: str, value: object, known: Collection[object]) -> None:
    """Raise UsageError, naming what is known, where an option's value is not; True is no 1 here."""
    if not any(value == one and type(value) is type(one) for one in known):
        choices = ", ".join(str(one) for one in known)
        raise UsageError(f"{codec_id} {name} is one of {choices}, not {value!r}")
