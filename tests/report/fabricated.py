"""Results of batch runs that never were, with every key that real ones have."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from sursmr_codec.records import PICK_KEYS

Record = dict[str, Any]

_PROTOCOL = "calibrated/cvvdp+ssimulacra2"


def done(source: str = "a.png", **changes: Any) -> Record:
    """A pick that met its targets: QP 33, bound by viewers."""
    probes = [
        probe(50, 0.47, 0.70, 28_000),
        probe(25, 0.85, 0.98, 43_000),
        probe(37, 0.69, 0.93, 34_000),
        probe(33, 0.751, 0.95, 36_354),
        probe(34, 0.729, 0.95, 35_421),
    ]
    record: Record = {
        **_blank(source, "done"),
        "input": _input(source, 557_604),
        "codec": _codec("jpeg", ".jpg"),
        "met": True,
        "binding": "sur",
        "qp": 33,
        "native": {"quality": 68},
        **{key: probes[3][key] for key in ("sur", "smr", "smr_classification", "smr_detection", "n_bytes")},
        "bpp": 0.74,
        "saved_percent": 93.48,
        "output": {"path": source.rsplit(".", 1)[0] + ".jpg", "sha256": "b" * 64},
        "probes": probes,
        "n_encodes": 5,
        "seconds": {"read": 0.02, "encode": 0.1, "decode": 0.1, "predict": 1.2, "total": 1.5},
    }
    return {**record, **changes}


def kept(source: str = "kept.jpg", **changes: Any) -> Record:
    """A pick that saved too little, so that the original was kept."""
    record = done(
        source,
        qp=None,
        native=None,
        sur=1.0,
        smr=1.0,
        kept_original=True,
        n_bytes=557_604,
        saved_percent=0.0,
        warnings=["the original is kept: no met rung saves 5 %"],
    )
    return {**record, **changes}


def unmet(source: str = "noise.png", **changes: Any) -> Record:
    """Targets out of reach: nothing written."""
    nothing = ("qp", "native", "sur", "smr", "smr_classification", "smr_detection", "n_bytes", "bpp")
    record = done(
        source,
        status="unmet",
        met=False,
        binding="smr",
        reason="jpeg cannot meet SMR 0.99: it reaches 0.980 at QP 25",
        retry="lower --smr, or give --best-effort",
        output=None,
        saved_percent=None,
        **dict.fromkeys(nothing),
    )
    record["targets"] = {"sur": 0.75, "smr": 0.99, "risk": None}
    return {**record, **changes}


def failed(source: str = "broken.png", **changes: Any) -> Record:
    """An image that does not decode: little is known of it."""
    return {
        **_blank(source, "failed"),
        "reason": "is broken or cut off; get a whole copy",
        "retry": "mend the file, then run the batch again",
        "warnings": ["is broken or cut off; get a whole copy"],
        **changes,
    }


def skipped(source: str = "notes.txt", **changes: Any) -> Record:
    """A file that is no image."""
    return {**_blank(source, "skipped"), "reason": "not an image", "targets": None, "search": None, **changes}


def many(count: int, seed: int = 0) -> Iterator[Record]:
    """A large run, mostly done."""
    chance = random.Random(seed)
    for number in range(count):
        source = f"{chance.choice(['holiday', 'cameras/north', 'archive/2024'])}/IMG_{number:05}.png"
        other = chance.random()
        if other < 0.03:
            yield chance.choice([failed, unmet, skipped])(source)
        elif other < 0.08:
            yield kept(source)
        else:
            yield _random_pick(source, chance)


def _random_pick(source: str, chance: random.Random) -> Record:
    centre = min(90, max(8, round(chance.gauss(42, 12))))
    qps = sorted({50, 25, *(centre + step for step in (-3, 0, 1, 6))})
    source_bytes = chance.randrange(300_000, 9_000_000)
    binding = chance.choices(["sur", "smr"], [3, 1])[0]
    # How far each ratio still is above its target at the picked QP.
    spare = {"sur": 0.004, "smr": 0.004} | {("smr" if binding == "sur" else "sur"): 0.06}
    probes = [
        probe(
            qp,
            max(0.0, min(1.0, 0.75 + spare["sur"] - (qp - centre) * 0.01)),
            max(0.0, min(1.0, 0.90 + spare["smr"] - (qp - centre) * (0.02 if qp > centre else 0.003))),
            round(source_bytes * 0.4 / (1 + qp / 12)),
        )
        for qp in qps
    ]
    picked = next(probe for probe in probes if probe["qp"] == centre)
    chance.shuffle(probes)
    return done(
        source,
        input=_input(source, source_bytes),
        binding=binding,
        qp=centre,
        native={"quality": 101 - centre},
        **{key: picked[key] for key in ("sur", "smr", "smr_classification", "smr_detection", "n_bytes")},
        saved_percent=100 * (1 - picked["n_bytes"] / source_bytes),
        probes=probes,
    )


def _blank(source: str, status: str) -> Record:
    known: Record = {
        "schema": "sursmr-qp/pick/1",
        "version": "0.1.0",
        "input": {
            **dict.fromkeys(("path", "sha256", "width", "height", "n_bytes", "format", "jpeg_quality")),
            "path": f"/photos/{source}",
        },
        "model": {"id": "measured", "sha256": "c" * 64},
        "protocol": _PROTOCOL,
        "machines": "all",
        "targets": {"sur": 0.75, "smr": 0.9, "risk": None},
        "search": {"method": "binary", "tolerance": 0.0, "min_qp": None, "max_qp": None, "max_bytes": None},
        "met": False,
        "kept_original": False,
        "probes": [],
        "n_encodes": 0,
        "warnings": [],
    }
    return {
        **{key: known.get(key) for key in PICK_KEYS},
        "status": status,
        "reason": None,
        "retry": None,
        "source": source,
        "finished": "2026-11-21T08:12:45+00:00",
    }


def _input(source: str, n_bytes: int) -> Record:
    return {
        "path": f"/photos/{source}",
        "sha256": "a" * 64,
        "width": 768,
        "height": 512,
        "n_bytes": n_bytes,
        "format": "png",
        "jpeg_quality": None,
    }


def _codec(codec_id: str, extension: str) -> Record:
    fingerprint = f"{codec_id} pillow/13.0.0 libjpeg-turbo/3.1.2 4:2:0 optimize=0 progressive=0"
    return {"id": codec_id, "extension": extension, "fingerprint": fingerprint, "options": {}}


def probe(qp: int, sur: float | None, smr: float | None, n_bytes: int) -> Record:
    return {
        "qp": qp,
        "sur": sur,
        "smr": smr,
        "smr_classification": smr,
        "smr_detection": None,
        "n_bytes": n_bytes,
    }
