"""What picks are held against: everyday settings, the best single setting, metric searches, the limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sursmr_codec.codecs.base import Codec
from sursmr_codec.errors import UsageError


@dataclass(frozen=True)
class Everyday:
    """One setting for all images, chosen by the user: `quality=75`, `qp=32`; at whatever share it reaches."""

    name: str
    parameter: str
    """`qp`, or a name in the codec's own terms."""
    value: float

    def qp(self, codec: Codec) -> int | None:
        """The codec's QP that it stands for; None where the codec has no such setting."""
        if self.parameter == "qp":
            qps = [qp for qp in codec.qp_range if qp == self.value]
        else:
            qps = [qp for qp in codec.qp_range if codec.native(qp).get(self.parameter) == self.value]
        return qps[0] if qps else None


@dataclass(frozen=True)
class BestFixed:
    """The one QP for all images that reaches the picks' share of images meeting the targets."""

    name: str = "best-fixed"

    def settings(self, codec: Codec) -> Sequence[float]:
        """Every QP, from the best quality down."""
        return codec.qp_range


@dataclass(frozen=True)
class MetricSearch:
    """Each image's highest QP whose metric is at least a threshold, one for all, that reaches that share."""

    name: str
    """Also the teacher's id."""
    best: float
    step: float
    n_steps: int

    def settings(self, codec: Codec) -> Sequence[float]:
        """Every threshold, from the best quality down."""
        return [round(self.best - k * self.step, 6) for k in range(self.n_steps)]


@dataclass(frozen=True)
class Oracle:
    """Each image's true highest QP: the limit."""

    name: str = "oracle"


Baseline = Everyday | BestFixed | MetricSearch | Oracle

_KNOWN: dict[str, Baseline] = {
    one.name: one
    for one in (
        BestFixed(),
        MetricSearch("ssimulacra2", best=100.0, step=0.5, n_steps=301),
        MetricSearch("cvvdp", best=10.0, step=0.02, n_steps=301),
        Oracle(),
    )
}


def parse(text: str) -> Baseline:
    """The baseline of that name; raises UsageError."""
    if text in _KNOWN:
        return _KNOWN[text]
    parameter, equals, value = text.partition("=")
    try:
        if not equals:
            raise ValueError
        return Everyday(text, parameter, float(value))
    except ValueError:
        raise UsageError(
            f"unknown baseline {text!r}; known: {', '.join(_KNOWN)}, or a setting such as quality=75 or qp=32"
        ) from None


def several(texts: Sequence[str]) -> tuple[Baseline, ...]:
    """Each baseline once, in the order given; raises UsageError for an unknown one."""
    return tuple(parse(text) for text in dict.fromkeys(texts))


def check(baselines: Sequence[Baseline], codecs: Sequence[Codec]) -> None:
    """Raise what stands in the way: a setting that no codec has, a metric that is not installed."""
    from sursmr_codec.labels import teachers

    for baseline in baselines:
        if isinstance(baseline, Everyday) and all(baseline.qp(codec) is None for codec in codecs):
            raise UsageError(f"baseline {baseline.name} is no setting of {'; '.join(map(_settings, codecs))}")
        if isinstance(baseline, MetricSearch):
            teachers.known(baseline.name).require()


def _settings(codec: Codec) -> str:
    """What `Everyday` can be under a codec, for people."""
    first, last = codec.qp_range[0], codec.qp_range[-1]
    best, worst = ({"qp": qp, **codec.native(qp)} for qp in (first, last))
    said = (f"{name}={value} to {worst[name]}" for name, value in best.items())
    return f"{codec.id}, which has {' and '.join(said)}"
