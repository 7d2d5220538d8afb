"""The main job: the highest QP of one image whose own rung meets the targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from sursmr_codec import images, predict
from sursmr_codec.codecs.base import Codec
from sursmr_codec.errors import TargetNotReachable, UsageError
from sursmr_codec.predict.base import Predictor
from sursmr_codec.probing import Image, Prober
from sursmr_codec.search import Answer, margins, most_encodes, rungs_of, steps
from sursmr_codec.types import Jury, Pick, Probe, SearchSettings, Targets


@dataclass(frozen=True)
class PickSettings:
    """Everything beside image, codec, predictor and targets that changes what is picked."""

    search: SearchSettings = field(default_factory=SearchSettings)
    jury: Jury = "all"
    """Which machines `smr` is taken over."""
    best_effort: bool = False
    """Choose the nearest rung where the targets cannot be met, and say so."""
    min_savings: float | None = None
    """Keep the source's own bytes where the pick saves less than this many percent; None: never."""
    explain: bool = False
    """Keep the evidence of each probe in the result."""

    def __post_init__(self) -> None:
        if self.jury not in ("all", "classification", "detection"):
            raise UsageError(f"machines must be all, classification or detection, not {self.jury}")
        if self.min_savings is not None and not 0 <= self.min_savings < 100:
            raise UsageError(f"min savings must lie in 0..100 percent, not {self.min_savings}")


@dataclass(frozen=True)
class Probed:
    """Progress: one more rung was scored."""

    probe: Probe
    n_probed: int
    n_most: int
    """Probes that the search may need at most."""


def pick(
    image: Image,
    targets: Targets | None = None,
    *,
    codec: Codec | str = "jpeg",
    predictor: Predictor | None = None,
    settings: PickSettings | None = None,
    reading: images.Reading | None = None,
) -> Pick:
    """The highest QP of `image` under `codec` that meets `targets`, with the bytes to write.

    `predictor` None takes the default one (`predict.load()`). Raises TargetNotReachable, carrying all that
    was probed, where the targets cannot be met and `settings.best_effort` is off; ImageError for a bad
    image; UnavailableError for a missing encoder or library; UsageError for arguments out of range.
    """
    outcome: Pick | None = None
    for event in pick_events(
        image, targets, codec=codec, predictor=predictor, settings=settings, reading=reading
    ):
        if isinstance(event, Pick):
            outcome = event
    assert outcome is not None  # the last event always is the pick
    if outcome.encoded is None:
        raise TargetNotReachable(not_reachable(outcome), outcome)
    return outcome


def pick_events(
    image: Image,
    targets: Targets | None = None,
    *,
    codec: Codec | str = "jpeg",
    predictor: Predictor | None = None,
    settings: PickSettings | None = None,
    reading: images.Reading | None = None,
) -> Iterator[Probed | Pick]:
    """The same as `pick`, as a stream: a `Probed` for each rung, then the `Pick`, met or not."""
    targets = targets or Targets()
    settings = settings or PickSettings()
    predictor = predictor or predict.load()
    predictor.check(targets)
    prober = Prober(image, codec, predictor, jury=settings.jury, reading=reading)
    rungs = rungs_of(prober.codec.qp_range, settings.search)
    n_most = len(rungs) if settings.search.method == "exhaustive" else most_encodes(len(rungs))
    walk = steps(
        prober.codec.qp_range,
        targets,
        settings.search,
        start=prober.start(targets),
        best_effort=settings.best_effort,
    )
    n_probed = 0
    try:
        qp = next(walk)
        while True:
            probe = prober.at(qp)
            n_probed += 1
            yield Probed(probe, n_probed, max(n_most, n_probed))
            qp = walk.send(probe)
    except StopIteration as end:
        answer: Answer = end.value
    yield _outcome(prober, targets, settings, answer)


def save(pick: Pick, path: str | Path, *, in_place: bool = False) -> Pick:
    """Write the picked bytes to `path`, atomically, and say so in the returned pick.

    Raises OutputError where that fails, UsageError where `path` is the source and `in_place` is off.
    """
    if pick.encoded is None:
        raise UsageError("nothing was picked, so there is nothing to write")
    output = images.write(path, pick.encoded, source_path=pick.source.path, in_place=in_place)
    warnings = pick.warnings
    if not pick.kept_original and Path(path).suffix.lower() not in _suffixes(pick.codec.extension):
        warnings += (f"{path} holds a {pick.codec.id} picture, whose files end in {pick.codec.extension}",)
    return replace(pick, output=output, warnings=warnings)


def not_reachable(pick: Pick) -> str:
    """One line for people: what could not be met, how near it came, and what to try."""
    name = pick.source.path or "image"
    if pick.binding == "max_bytes":
        smallest = min(probe.n_bytes for probe in pick.probes)
        return (
            f"{name}: no {pick.codec.id} rung within {pick.search.max_bytes} bytes meets the targets "
            f"(smallest probed: {smallest} bytes); raise --max-bytes or lower the targets"
        )
    wanted = {"sur": pick.targets.sur, "smr": pick.targets.smr}[pick.binding]
    nearest = min(pick.probes, key=lambda probe: -min(margins(probe.score, pick.targets).values()))
    ratio = getattr(nearest.score, pick.binding)
    if ratio is None:
        return (
            f"{name}: {pick.binding.upper()} is not defined for this image, so it meets no target; "
            f"switch it off with --{pick.binding} 0"
        )
    return (
        f"{name}: {pick.codec.id} cannot meet {pick.binding.upper()} {wanted:g}: it reaches {ratio:.3f} at "
        f"QP {nearest.qp}; lower --{pick.binding}, try --search exhaustive, or take --best-effort"
    )


def _suffixes(extension: str) -> tuple[str, ...]:
    return (".jpg", ".jpeg") if extension == ".jpg" else (extension,)


def _outcome(prober: Prober, targets: Targets, settings: PickSettings, answer: Answer) -> Pick:
    source, chosen = prober.source, answer.chosen
    encoded = None if chosen is None else prober.ladder.encoded(chosen.qp)
    native = None if chosen is None else prober.codec.native(chosen.qp)
    warnings = list(prober.warnings())
    kept = False
    if chosen is not None and not answer.met:
        warnings.append(f"targets not met ({answer.binding} binds): best effort, QP {chosen.qp}")
    if encoded is not None and source.encoded is not None:
        kept = answer.met and _saves_too_little(len(encoded), len(source.encoded), settings.min_savings)
        if kept:
            encoded, chosen, native = source.encoded, None, None
            warnings.append(f"the original is kept: no met rung saves {settings.min_savings:g} %")
        elif len(encoded) >= len(source.encoded):
            warnings.append("the picked rung is not smaller than the source file; see --keep-smaller")
    return Pick(
        source=source,
        codec=prober.codec.summary(),
        predictor=prober.predictor.summary(),
        jury=settings.jury,
        targets=targets,
        search=settings.search,
        met=answer.met,
        binding=answer.binding,
        probes=answer.probes,
        chosen=chosen,
        native=native,
        encoded=encoded,
        kept_original=kept,
        n_encodes=prober.ladder.n_encodes,
        seconds=prober.seconds(),
        explain=settings.explain,
        warnings=tuple(warnings),
    )


def _saves_too_little(n_bytes: int, source_bytes: int, min_savings: float | None) -> bool:
    return min_savings is not None and 100.0 * (1 - n_bytes / source_bytes) < min_savings
