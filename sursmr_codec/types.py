"""The values that flow through the package, left to right, each a frozen dataclass.

    Source -> Rung -> Score -> Probe -> Pick | Curve

Ratios (SUR, SMR) lie in [0, 1]. Pictures are (H, W, 3) uint8 arrays in RGB order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sursmr_codec.asked import SearchMethod as SearchMethod
from sursmr_codec.asked import SearchSettings as SearchSettings
from sursmr_codec.asked import Targets as Targets
from sursmr_codec.errors import UsageError
from sursmr_codec.risk import Misses

Pixels = NDArray[np.uint8]
"""(H, W, 3) uint8, RGB."""
Alpha = NDArray[np.uint8]
"""(H, W) uint8, 0 transparent .. 255 opaque."""

Jury = Literal["all", "classification", "detection"]
Binding = Literal["sur", "smr", "range", "max_bytes"]


@dataclass(frozen=True, eq=False)
class Source:
    """An original picture, as read: the reference that every rung is compared with."""

    rgb: Pixels
    """(H, W, 3) uint8 sRGB: what is seen and scored; on white where `alpha` is kept."""
    native: Pixels
    """(H, W, 3) uint8 in the file's own colour space; the same array as `rgb` where that is opaque sRGB."""
    icc_profile: bytes | None = None
    """The file's own profile where `native` is not sRGB; containers that can hold it keep it."""
    exif: bytes | None = None
    """EXIF block without the orientation tag, which is already applied to the pixels."""
    xmp: bytes | None = None
    """XMP packet; an orientation in it says upright."""
    density: tuple[float, float] | None = None
    """Dots an inch, across and down, where the file states them outside EXIF."""
    alpha: Alpha | None = None
    """Transparency that is to be kept, of `native`'s straight colours; None for opaque pictures."""
    path: str | None = None
    """Where it was read; None for a picture that was made in memory."""
    encoded: bytes | None = None
    """The file's own bytes; None for a picture that was made in memory."""
    sha256: str | None = None
    """Hex digest of `encoded`."""
    format: str | None = None
    """Container name in lower case, as Pillow names it: `png`, `jpeg`, `webp`, `heif`."""
    lossy: bool = False
    """Whether the file was compressed with losses already, which then are part of the original."""
    jpeg_quality: int | None = None
    """IJG quality 1..100 of a JPEG source's luma table; None for other formats or unknown tables."""
    stripped: bool = False
    """Whether the file's metadata was left behind, as asked."""
    warnings: tuple[str, ...] = ()
    """What was changed on the way in, one line each: bit depth, dropped opaque alpha."""

    @property
    def height(self) -> int:
        """Rows of the picture, after orientation."""
        return int(self.rgb.shape[0])

    @property
    def width(self) -> int:
        """Columns of the picture, after orientation."""
        return int(self.rgb.shape[1])

    @property
    def n_bytes(self) -> int | None:
        """Size of the file; None for a picture that was made in memory."""
        return None if self.encoded is None else len(self.encoded)

    @classmethod
    def from_array(cls, rgb: Pixels) -> Source:
        """Wrap an (H, W, 3) uint8 sRGB array; raises UsageError for any other shape or dtype."""
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or rgb.size == 0:
            raise UsageError(f"a picture is an (H, W, 3) uint8 array, not {rgb.shape} {rgb.dtype}")
        pixels = np.ascontiguousarray(rgb)
        return cls(rgb=pixels, native=pixels)


@dataclass(frozen=True, eq=False)
class Rung:
    """One compressed version of a source."""

    codec: str
    """Codec id; for a file from elsewhere, its container's name."""
    qp: int | None
    """Position on the codec's ladder, rising as quality falls; None for a file from elsewhere."""
    encoded: bytes
    """The very bytes that would be written."""
    decoded: Pixels
    """(H, W, 3) uint8 sRGB, what a viewer of `encoded` sees."""

    @property
    def n_bytes(self) -> int:
        """Size of the encoded picture."""
        return len(self.encoded)

    @property
    def bpp(self) -> float:
        """Bits a pixel."""
        height, width = self.decoded.shape[:2]
        return 8.0 * len(self.encoded) / int(height * width)


@dataclass(frozen=True)
class Evidence:
    """Why a measured score is what it is; predictions carry none."""

    teachers: Mapping[str, tuple[float, float]]
    """Teacher id -> (its own score, the SUR that its psychometric curve makes of it)."""
    flipped: tuple[str, ...]
    """Machines that count for this image and are not satisfied with this rung."""
    n_counting: int
    """Machines that count for this image."""
    satisfied: Mapping[str, bool | None] = field(default_factory=dict)
    """Machine name -> satisfied, or None where it does not count."""

    @property
    def binding_teacher(self) -> str | None:
        """The teacher with the lowest SUR; None without teachers."""
        return min(self.teachers, key=lambda name: self.teachers[name][1], default=None)


@dataclass(frozen=True)
class Score:
    """What viewers and machines make of one rung; None where a ratio is not defined for the image."""

    sur: float | None
    smr: float | None
    smr_classification: float | None = None
    smr_detection: float | None = None
    sur_low: float | None = None
    """How low it may truly be at the asked risk; None where no risk was asked."""
    smr_low: float | None = None
    evidence: Evidence | None = None

    def for_jury(self, jury: Jury) -> Score:
        """The same score with `smr` taken over one task's machines only."""
        if jury == "all":
            return self
        return replace(self, smr=getattr(self, f"smr_{jury}"))


@dataclass(frozen=True)
class Probe:
    """A rung that was encoded, decoded and scored during a search."""

    qp: int
    score: Score
    n_bytes: int


@dataclass(frozen=True)
class Seconds:
    """Wall time by stage."""

    read: float = 0.0
    encode: float = 0.0
    decode: float = 0.0
    predict: float = 0.0
    total: float = 0.0


@dataclass(frozen=True)
class CodecSummary:
    """Which encoder made the bytes."""

    id: str
    extension: str
    fingerprint: str
    options: Mapping[str, object]


@dataclass(frozen=True)
class PredictorSummary:
    """What made the scores."""

    id: str
    sha256: str | None
    """Digest of weights, or of constants and machines for measured scores."""
    protocol: str
    """Named viewing protocol, with the teachers that stand behind it."""


@dataclass(frozen=True)
class Output:
    """A file that was written."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Rival:
    """What another codec reached on the same image and targets."""

    codec: str
    """Its id."""
    met: bool
    """Whether a rung of it meets the targets and the byte limit."""
    qp: int | None
    """The QP it would have been picked at; None where nothing of it may be written."""
    n_bytes: int | None
    """Size of that file."""


@dataclass(frozen=True, eq=False)
class Pick:
    """The answer of a search on one image, with all that led to it."""

    source: Source
    codec: CodecSummary
    predictor: PredictorSummary
    jury: Jury
    targets: Targets
    search: SearchSettings
    met: bool
    """Whether the chosen rung meets both targets and the byte limit."""
    binding: Binding
    """What keeps the QP from rising further, or what could not be met."""
    probes: tuple[Probe, ...]
    """Every rung tried, in order."""
    chosen: Probe | None
    """The picked rung's probe; None where nothing may be written."""
    native: Mapping[str, object] | None
    """The picked QP in the codec's own terms."""
    encoded: bytes | None
    """The bytes to write: the picked rung's, or the source's own where it was kept."""
    kept_original: bool
    n_encodes: int
    """Rungs that were encoded, those of rivals included."""
    seconds: Seconds
    explain: bool = False
    """Whether the evidence of each probe was asked for."""
    warnings: tuple[str, ...] = ()
    output: Output | None = None
    rivals: tuple[Rival, ...] = ()
    """The other codecs that were searched, in the order asked for; empty where there was one codec."""
    misses: Misses | None = None
    """What such picks without a risk do in truth; None where one is set, and where it was not measured."""

    @property
    def qp(self) -> int | None:
        """The picked QP; None where nothing may be written."""
        return None if self.chosen is None else self.chosen.qp

    @property
    def n_bytes(self) -> int | None:
        """Size of what is written; None where nothing may be."""
        return None if self.encoded is None else len(self.encoded)

    @property
    def bpp(self) -> float | None:
        """Bits a pixel of what is written; None where nothing may be."""
        if self.encoded is None:
            return None
        return 8.0 * len(self.encoded) / (self.source.width * self.source.height)

    @property
    def saved_percent(self) -> float | None:
        """Bytes saved against the source file, in percent; negative where the pick is larger."""
        if self.encoded is None or not self.source.n_bytes:
            return None
        return 100.0 * (1.0 - len(self.encoded) / self.source.n_bytes)


@dataclass(frozen=True, eq=False)
class Curve:
    """Scores and sizes along a ladder, in QP order."""

    source: Source
    codec: CodecSummary
    predictor: PredictorSummary
    jury: Jury
    rungs: tuple[Probe, ...]
    natives: tuple[Mapping[str, object], ...]
    seconds: Seconds
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileScore:
    """Score of a compressed file that existed already."""

    path: str
    score: Score
    n_bytes: int
    seconds: float
    """Wall time to read and score it."""
