"""The JSON records that commands print: every key always there, null where it does not apply."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sursmr_codec import codecs
from sursmr_codec.codecs._local import find, on_path
from sursmr_codec.codecs.base import Codec
from sursmr_codec.errors import UnavailableError
from sursmr_codec.types import (
    CodecSummary,
    Curve,
    FileScore,
    Pick,
    PredictorSummary,
    Probe,
    Rival,
    Score,
    Source,
)
from sursmr_codec.version import __version__

PICK_SCHEMA = "sursmr-qp/pick/1"
CURVE_SCHEMA = "sursmr-qp/curve/1"

Record = dict[str, Any]


def pick_record(pick: Pick) -> Record:
    """The whole result of a pick, as `pick --json` prints it."""
    score = _written_score(pick)
    return {
        **_head(PICK_SCHEMA, pick.source, pick.codec, pick.predictor, pick.jury),
        "targets": asdict(pick.targets),
        "search": asdict(pick.search),
        "met": pick.met,
        "binding": pick.binding,
        "qp": pick.qp,
        "native": None if pick.native is None else dict(pick.native),
        **_ratios(score),
        "sur_low": score.sur_low,
        "smr_low": score.smr_low,
        "n_bytes": pick.n_bytes,
        "bpp": pick.bpp,
        "saved_percent": pick.saved_percent,
        "kept_original": pick.kept_original,
        "output": None if pick.output is None else asdict(pick.output),
        "probes": [_probe(probe) for probe in pick.probes],
        "n_encodes": pick.n_encodes,
        "seconds": asdict(pick.seconds),
        "warnings": [*pick.warnings, *(rival_line(rival, pick) for rival in pick.rivals)],
        "explain": [_explained(probe) for probe in pick.probes] if pick.explain else None,
    }


def rival_line(rival: Rival, pick: Pick) -> str:
    """What another codec reached, and why it was not taken."""
    if rival.qp is None:
        return f"{rival.codec}: nothing to write: the targets cannot be met"
    reached = f"{rival.codec}: {rival.n_bytes} bytes at QP {rival.qp}"
    if not rival.met:
        return f"{reached}, targets not met"
    return f"{reached}, targets met; {pick.codec.id} is no larger"


def failure_record(path: str, message: str, asked: Mapping[str, object]) -> Record:
    """The record of a pick that failed before there was a result.

    `asked` holds the question (`targets`, `search`, `machines`); `message` stands in `warnings`.
    """
    known: Record = {
        "schema": PICK_SCHEMA,
        "version": __version__,
        "input": {**dict.fromkeys(("path", "sha256", *_INPUT_FACTS)), "path": path},
        "met": False,
        "kept_original": False,
        "probes": [],
        "n_encodes": 0,
        "warnings": [message],
        **asked,
    }
    return {key: _finite(known.get(key)) for key in PICK_KEYS}


def _finite(value: object) -> object:
    """JSON knows no NaN and no infinity, which may have been asked for."""
    if isinstance(value, Mapping):
        return {name: _finite(one) for name, one in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def curve_record(curve: Curve) -> Record:
    """A whole ladder, as `curve --json` prints it."""
    n_pixels = curve.source.width * curve.source.height
    return {
        **_head(CURVE_SCHEMA, curve.source, curve.codec, curve.predictor, curve.jury),
        "rungs": [{**_probe(probe), "bpp": 8.0 * probe.n_bytes / n_pixels} for probe in curve.rungs],
        "seconds": asdict(curve.seconds),
        "warnings": list(curve.warnings),
    }


def score_record(scores: Sequence[FileScore]) -> list[Record]:
    """One object a file, as `score --json` prints them."""
    return [{"path": one.path, **_ratios(one.score), "n_bytes": one.n_bytes} for one in scores]


def curve_csv(curve: Curve) -> str:
    """A whole ladder as CSV: one header line, one line a rung, empty where a ratio is not defined."""
    rows = curve_record(curve)["rungs"]
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def codec_records() -> list[Record]:
    """One object a codec, as `codecs --json` prints them."""
    return [_codec_record(codecs.get(codec_id)) for codec_id in codecs.ids()]


def _codec_record(codec: Codec) -> Record:
    found = codec.availability()
    return {
        "id": codec.id,
        "available": found.usable,
        "reason": found.reason,
        "remedy": found.remedy,
        "versions": dict(found.versions),
        "qp_range": [codec.qp_range[0], codec.qp_range[-1]],
        "extension": codec.extension,
        "local": [_local_record(name, path) for name, path in on_path(codec.id)],
    }


def _local_record(name: str, path: str) -> Record:
    """A program on the PATH that encodes in the codec's place where its option names it."""
    try:
        version, reason = find(name, path).version, None
    except UnavailableError as trouble:
        version, reason = None, str(trouble)
    return {"option": f"--{name}", "path": path, "version": version, "reason": reason}


_INPUT_FACTS = ("width", "height", "n_bytes", "format", "jpeg_quality")

PICK_KEYS = (
    *("schema", "version", "input", "codec", "model", "protocol", "machines", "targets", "search"),
    *("met", "binding", "qp", "native", "sur", "smr", "smr_classification", "smr_detection"),
    *("sur_low", "smr_low", "n_bytes", "bpp", "saved_percent", "kept_original", "output", "probes"),
    *("n_encodes", "seconds", "warnings", "explain"),
)
"""The keys of a pick record, in order."""


def _head(schema: str, source: Source, codec: CodecSummary, model: PredictorSummary, jury: str) -> Record:
    facts: Mapping[str, object] = {name: getattr(source, name) for name in _INPUT_FACTS}
    return {
        "schema": schema,
        "version": __version__,
        "input": {"path": source.path, "sha256": source.sha256, **facts},
        "codec": {**asdict(codec), "options": dict(codec.options)},
        "model": {"id": model.id, "sha256": model.sha256},
        "protocol": model.protocol,
        "machines": jury,
    }


def _written_score(pick: Pick) -> Score:
    """Ratios of the file that is written: the original satisfies everyone who is satisfied by itself."""
    if pick.kept_original:
        low = None if pick.targets.risk is None else 1.0
        return Score(1.0, 1.0, 1.0, 1.0, low, low)
    return Score(None, None) if pick.chosen is None else pick.chosen.score


def _ratios(score: Score) -> Record:
    return {
        "sur": score.sur,
        "smr": score.smr,
        "smr_classification": score.smr_classification,
        "smr_detection": score.smr_detection,
    }


def _probe(probe: Probe) -> Record:
    return {"qp": probe.qp, **_ratios(probe.score), "n_bytes": probe.n_bytes}


def _explained(probe: Probe) -> Record | None:
    evidence = probe.score.evidence
    if evidence is None:
        return None
    return {
        "qp": probe.qp,
        "teachers": {
            teacher: {"score": score, "sur": sur} for teacher, (score, sur) in evidence.teachers.items()
        },
        "binding_teacher": evidence.binding_teacher,
        "flipped": list(evidence.flipped),
        "n_counting": evidence.n_counting,
    }
