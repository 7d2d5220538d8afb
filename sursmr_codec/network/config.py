"""What a network is made of: one small dataclass, of which every variant of the paper is a value.

"Predicting Satisfied User and Machine Ratio for Compressed Images: A Unified Approach", 2024,
https://arxiv.org/abs/2412.17477. The defaults are the paper's own model.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sursmr_codec.errors import UsageError

Family = Literal["unified", "pretraining", "moments", "sur_featnet", "smr_net"]
Features = Literal["difference", "with_source", "all"]
Pooling = Literal["mhaap", "conv"]
Regressor = Literal["mixer", "transformer", "mlp"]

RATIOS = ("sur", "smr", "smr_classification", "smr_detection")
"""Every ratio that a network can be asked for."""
TEACHERS = ("cvvdp", "ssimulacra2")
"""Teachers whose scores are in the label tables."""
_OF_CROPS: tuple[Family, ...] = ("unified", "pretraining", "moments")


@dataclass(frozen=True)
class NetworkConfig:
    """One network; raises UsageError for values that make none."""

    family: Family = "unified"
    backbone: str = "caformer_s18"
    """Name of a timm model."""
    size: int = 224
    """Height and width of every view, in pixels."""
    n_crops: int = 0
    """Native crops that are seen beside the whole picture."""
    features: Features = "difference"
    """`difference`: F*; `with_source`: F0 and F*; `all`: F0, Fq and F*."""
    refine: bool = True
    """Whether DFRL stands between the differences and the pooling."""
    pooling: Pooling = "mhaap"
    """`conv` is the paper's "without MHAAP": a 1x1 convolution and global average pooling."""
    regressor: Regressor = "mixer"
    grid: int = 14
    """Side of the one map that features of all layers are resized to; the paper leaves it open."""
    n_queries: int = 49
    """Y, the number of pooled tokens."""
    n_heads: int = 8
    """h, of the pooling and of the transformer."""
    width: int = 512
    """Z, channels of a pooled token."""
    depth: int = 4
    """Layers of the mixer or transformer."""
    semantic: bool = False
    """Whether the backbone's own classifier says how its opinion changed (`moments` only)."""
    fidelity: bool = False
    """Whether statistics of what changed pixel by pixel stand beside the features (`moments` only)."""
    hidden: int = 512
    """Widest layer of the regressor of `moments`."""
    dropout: float = 0.0
    """Share of that regressor's inputs and neurons that are left out in training."""
    ratios: tuple[str, ...] = ("sur", "smr")
    """What is predicted, in the order of the outputs."""
    classifiers: tuple[str, ...] = ()
    """Machines with outputs of their own; with any, every SMR is put together from them."""
    detectors: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    """Machines of other tasks, or of tasks that nobody told: they vote in `smr` alone."""
    teachers: tuple[str, ...] = ()
    """Teachers with outputs of their own; with any, SUR is put together from them."""

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> NetworkConfig:
        """From `dataclasses.asdict`, as JSON gives it back; raises TypeError for unknown names."""
        values: dict[str, Any] = dict(record)
        lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        return cls(**values | lists)

    @property
    def n_views(self) -> int:
        """Pictures that are made of one picture: the whole one, then the crops."""
        return 1 + self.n_crops

    @property
    def any_crops(self) -> bool:
        """Whether a trained network takes more or fewer crops than it was trained with: it averages them."""
        return self.family == "moments" and self.n_crops > 0

    @property
    def machines(self) -> tuple[str, ...]:
        """Classifiers, then detectors, then others."""
        return self.classifiers + self.detectors + self.others

    def __post_init__(self) -> None:
        self._check_choice("family", self.family, get_args(Family))
        self._check_choice("features", self.features, get_args(Features))
        self._check_choice("pooling", self.pooling, get_args(Pooling))
        self._check_choice("regressor", self.regressor, get_args(Regressor))
        for name in ("size", "grid", "n_queries", "n_heads", "width", "depth", "hidden"):
            if getattr(self, name) < 1:
                raise UsageError(f"network: {name} must be at least 1, not {getattr(self, name)}")
        if not 0 <= self.n_crops <= 16:
            raise UsageError(f"network: n_crops must lie in 0..16, not {self.n_crops}")
        if not 0.0 <= self.dropout < 1.0:
            raise UsageError(f"network: dropout must be at least 0 and below 1, not {self.dropout}")
        if self.n_crops and self.family not in _OF_CROPS:
            raise UsageError(f"network: {self.family} sees the whole picture only; n_crops must be 0")
        for name in ("semantic", "fidelity"):
            if getattr(self, name) and self.family != "moments":
                raise UsageError(f"network: {self.family} has no {name} inputs; only moments has")
        if self.width % self.n_heads:
            raise UsageError(f"network: width {self.width} is no multiple of n_heads {self.n_heads}")
        self._check_outputs()

    def _check_outputs(self) -> None:
        if not self.ratios:
            raise UsageError("network: ratios names nothing to predict")
        for ratio in self.ratios:
            self._check_choice("ratios", ratio, RATIOS)
        for teacher in self.teachers:
            self._check_choice("teachers", teacher, TEACHERS)
        for name in ("ratios", "machines", "teachers"):
            if len(set(getattr(self, name))) != len(getattr(self, name)):
                raise UsageError(f"network: {name} names one twice")
        if self.machines:
            for ratio, needed in (
                ("smr_classification", self.classifiers),
                ("smr_detection", self.detectors),
            ):
                if ratio in self.ratios and not needed:
                    raise UsageError(f"network: {ratio} is asked for, but no machine of that task is named")

    @staticmethod
    def _check_choice(name: str, value: str, known: Collection[str]) -> None:
        if value not in known:
            raise UsageError(f"network: {name} must be one of {', '.join(known)}, not {value!r}")
