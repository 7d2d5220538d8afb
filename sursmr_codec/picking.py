"""The main job: the highest QP of one image whose own rung meets the targets, under one codec or several."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sursmr_codec import codecs, images, predict
from sursmr_codec.choosing import Candidate, pick_of
from sursmr_codec.codecs.base import Codec
from sursmr_codec.errors import TargetNotReachable, UsageError
from sursmr_codec.predict.base import Predictor
from sursmr_codec.probing import Image, Prober
from sursmr_codec.search import Answer, margins, most_encodes, rungs_of, steps
from sursmr_codec.types import Jury, Pick, Probe, SearchSettings, Targets

Codecs = Codec | str | Sequence[Codec | str]
"""A codec, its id, ids with commas between, or several of these."""


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
    """Probes that the search may need at most under this codec."""
    codec: str | None = None
    """Id of the codec, where several are searched."""


def pick(
    image: Image,
    targets: Targets | None = None,
    *,
    codec: Codecs = "jpeg",
    predictor: Predictor | None = None,
    settings: PickSettings | None = None,
    reading: images.Reading | None = None,
) -> Pick:
    """The highest QP of `image` under `codec` that meets `targets`, with the bytes to write.

    Of several codecs it is the smallest such file; the first where two are equal.

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
    codec: Codecs = "jpeg",
    predictor: Predictor | None = None,
    settings: PickSettings | None = None,
    reading: images.Reading | None = None,
) -> Iterator[Probed | Pick]:
    """The same as `pick`, as a stream: a `Probed` for each rung and codec, then the `Pick`, met or not."""
    targets = targets or Targets()
    settings = settings or PickSettings()
    predictor = predictor or predict.load()
    predictor.check(targets)
    wanted = _codecs_of(codec)
    if len(wanted) > 1 and (settings.search.min_qp, settings.search.max_qp) != (None, None):
        raise UsageError("min QP and max QP belong to one codec; leave them out, or name one codec only")
    for one in wanted:
        one.require()
        if targets.risk is not None:
            predictor.margins(one.id, targets, settings.jury)
    first = Prober(image, wanted[0], predictor, targets=targets, jury=settings.jury, reading=reading)
    fitting = [one for one in wanted if one.unfit(first.source) is None] or wanted
    candidates = []
    for one in fitting:
        prober = first if one is first.codec else first.under(one)
        answer = yield from _search(prober, targets, settings, one.id if len(wanted) > 1 else None)
        candidates.append(Candidate(prober, answer))
        if len(fitting) > 1:
            prober.ladder.drop_pixels()
    found = pick_of(
        candidates,
        targets,
        settings.search,
        jury=settings.jury,
        explain=settings.explain,
        min_savings=settings.min_savings,
    )
    passed_over = [one for one in wanted if one not in fitting]
    notes = tuple(f"{one.id} {one.unfit(first.source)}, and was left out" for one in passed_over)
    yield replace(found, warnings=(*found.warnings, *notes))


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
    tried = ", ".join([pick.codec.id, *(rival.codec for rival in pick.rivals)])
    if pick.binding == "max_bytes":
        smallest = min(probe.n_bytes for probe in pick.probes)
        return (
            f"{name}: no rung of {tried} within {pick.search.max_bytes} bytes meets the targets "
            f"(smallest probed: {smallest} bytes); raise --max-bytes or lower the targets"
        )
    wanted = {"sur": pick.targets.sur, "smr": pick.targets.smr}[pick.binding]
    nearest = min(pick.probes, key=lambda probe: -min(margins(probe.score, pick.targets).values()))
    cautious = pick.targets.risk is not None
    ratio = getattr(nearest.score, f"{pick.binding}_low" if cautious else pick.binding)
    if ratio is None:
        return (
            f"{name}: {pick.binding.upper()} is not defined for this image, so it meets no target; "
            f"switch it off with --{pick.binding} 0"
        )
    at = f"QP {nearest.qp}{f' with risk {pick.targets.risk:g}' if cautious else ''}"
    who = "it" if not pick.rivals else pick.codec.id
    cannot = "cannot meet" if not pick.rivals else "cannot meet the targets; nearest to"
    lower = f"--{pick.binding}" if pick.search.min_qp is None else f"--{pick.binding} or --min-qp"
    return (
        f"{name}: {tried} {cannot} {pick.binding.upper()} {wanted:g}: {who} reaches {ratio:.3f} at "
        f"{at}; lower {lower}, try --search exhaustive, or take --best-effort"
    )


def _codecs_of(wanted: Codecs) -> tuple[Codec, ...]:
    """Each codec that is asked for, once; raises UsageError for none and for one that is named twice."""
    named = [wanted] if isinstance(wanted, Codec | str) else list(wanted)
    chosen: list[Codec] = []
    for one in named:
        chosen += [one] if isinstance(one, Codec) else codecs.several(one)
    if not chosen:
        raise UsageError("no codec is named")
    for codec_id in (one.id for one in chosen):
        if sum(other.id == codec_id for other in chosen) > 1:
            raise UsageError(f"codec {codec_id} is named twice")
    return tuple(chosen)


def _search(
    prober: Prober, targets: Targets, settings: PickSettings, label: str | None
) -> Generator[Probed, None, Answer]:
    """Search under one codec."""
    rungs = rungs_of(prober.codec.qp_range, settings.search)
    n_most = len(rungs) if settings.search.method == "exhaustive" else most_encodes(len(rungs))
    walk = steps(
        prober.codec.qp_range,
        targets,
        settings.search,
        start=prober.start(targets),
        expected=prober.expected(),
        best_effort=settings.best_effort,
    )
    n_probed = 0
    try:
        qp = next(walk)
        while True:
            probe = prober.at(qp)
            if probe is not None:
                n_probed += 1
                yield Probed(probe, n_probed, max(n_most, n_probed), label)
            qp = walk.send(probe)
    except StopIteration as end:
        answer: Answer = end.value
    prober.require_any(answer.probes)
    return answer


def _suffixes(extension: str) -> tuple[str, ...]:
    return (".jpg", ".jpeg") if extension == ".jpg" else (extension,)
