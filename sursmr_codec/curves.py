"""Scores without a search: along a whole ladder, and of files that exist already."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sursmr_codec import codecs, images, predict
from sursmr_codec.codecs.base import Codec
from sursmr_codec.errors import DecodeError, ImageError, UsageError
from sursmr_codec.picking import Probed
from sursmr_codec.predict.base import Predictor
from sursmr_codec.probing import Image, Prober
from sursmr_codec.search import rungs_of
from sursmr_codec.types import Curve, FileScore, Jury, Pixels, Probe, Rung, SearchSettings, Source


def curve(
    image: Image,
    *,
    codec: Codec | str = "jpeg",
    predictor: Predictor | None = None,
    step: int = 1,
    settings: SearchSettings | None = None,
    jury: Jury = "all",
    reading: images.Reading | None = None,
) -> Curve:
    """SUR, SMR and size of `image` at every `step`-th QP of the ladder, in QP order.

    `settings` may narrow the range by its `min_qp` and `max_qp`. Raises as `pick` does, save for targets.
    """
    events = curve_events(
        image, codec=codec, predictor=predictor, step=step, settings=settings, jury=jury, reading=reading
    )
    *_, outcome = events
    assert isinstance(outcome, Curve)  # the last event always is the curve
    return outcome


def curve_events(
    image: Image,
    *,
    codec: Codec | str = "jpeg",
    predictor: Predictor | None = None,
    step: int = 1,
    settings: SearchSettings | None = None,
    jury: Jury = "all",
    reading: images.Reading | None = None,
) -> Iterator[Probed | Curve]:
    """The same as `curve`, as a stream: a `Probed` for each rung, then the `Curve`."""
    if step < 1:
        raise UsageError(f"step must be at least 1, not {step}")
    predictor = predictor or predict.load()
    prober = Prober(image, codec, predictor, jury=jury, reading=reading)
    rungs = rungs_of(prober.codec.qp_range, settings or SearchSettings())[::step]
    probes: list[Probe] = []
    for qp in rungs:
        if (probe := prober.at(qp)) is not None:
            probes.append(probe)
            yield Probed(probe, len(probes), len(rungs))
    prober.require_any(probes)
    yield Curve(
        source=prober.source,
        codec=prober.codec.summary(),
        predictor=predictor.summary(),
        jury=jury,
        rungs=tuple(probes),
        natives=tuple(prober.codec.native(probe.qp) for probe in probes),
        seconds=prober.seconds(),
        warnings=prober.warnings(),
    )


def score(
    original: Image,
    compressed: Sequence[str | Path],
    *,
    predictor: Predictor | None = None,
    jury: Jury = "all",
    reading: images.Reading | None = None,
) -> list[FileScore]:
    """SUR and SMR of files that exist already, from any encoder, against their original.

    Reads every format that `images.read` does, and the raw streams of this package's own codecs by their
    extension. Raises ImageError where a file cannot be read or differs from the original in size.
    """
    return list(scored(original, compressed, predictor=predictor, jury=jury, reading=reading).files)


@dataclass(frozen=True)
class Scored:
    """Files that were scored, and what a reader of their scores should know."""

    files: tuple[FileScore, ...]
    warnings: tuple[str, ...]


def scored(
    original: Image,
    compressed: Sequence[str | Path],
    *,
    predictor: Predictor | None = None,
    jury: Jury = "all",
    reading: images.Reading | None = None,
) -> Scored:
    """The same as `score`, with warnings."""
    predictor = predictor or predict.load()
    predictor.check_jury(jury)
    source = original if isinstance(original, Source) else images.read(original, reading)
    embedding = predictor.embed(source)
    scores: list[FileScore] = []
    extrapolated: dict[str, None] = {}
    for path in compressed:
        began = time.perf_counter()
        rung = _rung_of(path, source, reading)
        (found,) = predictor.score(embedding, [rung])
        scores.append(FileScore(str(path), found.for_jury(jury), rung.n_bytes, time.perf_counter() - began))
        extrapolated |= dict.fromkeys(predictor.extrapolation(rung.codec))
    warnings = (*source.warnings, *predictor.warnings(embedding), *extrapolated)
    return Scored(tuple(scores), warnings)


def _rung_of(path: str | Path, source: Source, reading: images.Reading | None) -> Rung:
    stream_codec = codecs.for_stream(Path(path).suffix)
    if stream_codec is not None:
        encoded = images.read_bytes(path)
        try:
            decoded = stream_codec.decode(encoded, source.width, source.height)
        except DecodeError as error:
            raise DecodeError(f"{path}: {error}") from error
        return Rung(stream_codec.id, None, encoded, decoded)
    other = images.read(path, reading)
    _check_shape(path, other.rgb, source)
    assert other.encoded is not None  # it was read from a file
    return Rung(other.format or "file", None, other.encoded, other.rgb)


def _check_shape(path: str | Path, decoded: Pixels, source: Source) -> None:
    if decoded.shape != source.rgb.shape:
        height, width = decoded.shape[:2]
        raise ImageError(
            f"{path}: is {width}x{height}, but the original is {source.width}x{source.height}; "
            "score compares pictures of one size"
        )
