"""How small does each codec make a picture that looks as good, and how long does it take?

    SURSMR_DATA=... python benchmarks/codecs.py                       measure and print
    SURSMR_DATA=... python benchmarks/codecs.py --write               also write benchmarks/codecs.json
    SURSMR_DATA=... python benchmarks/codecs.py --write --resume      search only what that file still lacks

The three example photographs and validation pictures of SURSMR_DATA, spread evenly over their sorted list.
Under each codec and setting the measured predictor scores viewers only (`--smr 0`), as `pick` does, and the
two rungs on either side of the target SUR are found. `bytes_at_target` lies between their sizes where SUR
would be exactly the target, logarithmically, since one codec's steps are coarser than another's. Bytes are
those of the file that would be written.

Times are processor time at the picked rung, of every process that was started for it, the median of a few
repeats in one thread, taken after all searches, also for pictures that `--resume` kept. Ratios are to `jpeg`
on the same picture, of bytes the geometric mean over the pictures, of times that of the sums.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import platform
import resource
import statistics
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import Any

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

from sursmr_codec import codecs, images, predict
from sursmr_codec.codecs.base import Codec
from sursmr_codec.ladder import Ladder
from sursmr_codec.predict.base import Embedding, Predictor
from sursmr_codec.search import search
from sursmr_codec.types import Probe, Rung, Score, SearchSettings, Source, Targets

RESULT = Path(__file__).with_suffix(".json")
PARTIAL = RESULT.with_suffix(".partial")
"""Searches of a run that is still to take times, or was stopped."""
EXAMPLES = Path(__file__).parent.parent / "docs" / "examples"
TARGET = 0.75
SETTINGS: tuple[tuple[str, dict[str, object]], ...] = (
    ("jpeg", {}),
    ("jpeg", {"progressive": True, "optimize": True}),
    ("jpegli", {}),
    ("webp", {"effort": 0}),
    ("webp", {"effort": 4}),
    ("webp", {"effort": 6}),
    ("avif", {"speed": 9}),
    ("avif", {"speed": 6}),
    ("avif", {"speed": 3}),
    ("jxl", {"effort": 4}),
    ("jxl", {"effort": 7}),
    ("heic", {"preset": "ultrafast"}),
    ("heic", {"preset": "medium"}),
    ("hevc", {"preset": "ultrafast"}),
    ("hevc", {"preset": "medium"}),
    ("hevc", {"preset": "slow"}),
    ("bpg", {"preset": "medium"}),
    ("vvc", {"preset": "faster"}),
    ("vvc", {"preset": "medium"}),
)
"""Codecs with the options that differ from row to row; the first is what ratios refer to."""
_ENOUGH_SECONDS = 0.05
_MOST_REPEATS = 15
_REACH = 3
"""Rungs on either side of a guess that are searched first."""


def label(codec_id: str, options: dict[str, object]) -> str:
    """Name of a codec and its options: `jpeg --progressive --optimize`, `avif --speed 6`."""
    return " ".join([codec_id, *(f"--{k}" if v is True else f"--{k} {v}" for k, v in options.items())])


class Viewers:
    """SUR of rungs of one source, each distinct file scored once."""

    def __init__(self, predictor: Predictor, source: Source) -> None:
        self._predictor = predictor
        self._embedding: Embedding = predictor.embed(source)
        self._known: dict[bytes, Score] = {}

    def score(self, rung: Rung) -> Score:
        """The score, from memory where another setting wrote the same file."""
        if rung.encoded not in self._known:
            (self._known[rung.encoded],) = self._predictor.score(self._embedding, [rung])
        return self._known[rung.encoded]


def measure(source: Source, codec: Codec, viewers: Viewers, guess: int | None) -> dict[str, Any]:
    """The picked rung of one source under one codec, its size at exactly the target, and its times."""
    ladder = Ladder(source, codec)
    targets = Targets(sur=TARGET, smr=0.0)

    def written(qp: int) -> int:
        return len(codec.finish(source, qp, ladder.encoded(qp)))

    def probe_at(qp: int) -> Probe:
        return Probe(qp, viewers.score(ladder[qp]), written(qp))

    answer = search(probe_at, codec.qp_range, targets, _near(codec, guess), start=guess)
    if guess is not None and (answer.chosen is None or answer.binding == "range"):
        answer = search(probe_at, codec.qp_range, targets)
    if answer.chosen is None:
        return {"met": False, "n_probes": len(answer.probes)}
    chosen = answer.chosen
    return {
        "met": True,
        "qp": chosen.qp,
        "sur": _sur(chosen),
        "n_bytes": chosen.n_bytes,
        "bytes_at_target": round(bytes_at(answer.probes, chosen)),
        "n_probes": len(answer.probes),
    }


def times(source: Source, codec: Codec, qp: int) -> dict[str, float]:
    """Processor seconds to make and to decode the file at `qp`."""
    encoded = codec.finish(source, qp, codec.encode(source, qp))
    encode = _cpu_seconds(lambda: codec.finish(source, qp, codec.encode(source, qp)))
    decode = _cpu_seconds(lambda: codec.decode(encoded, source.width, source.height))
    return {"encode_seconds": round(encode, 6), "decode_seconds": round(decode, 6)}


def _near(codec: Codec, guess: int | None) -> SearchSettings:
    """The rungs around a guess, in which the answer lies more often than not."""
    if guess is None:
        return SearchSettings()
    low, high = codec.qp_range[0], codec.qp_range[-1]
    return SearchSettings(min_qp=max(low, guess - _REACH), max_qp=min(high, guess + _REACH))


def bytes_at(probes: Iterable[Probe], chosen: Probe) -> float:
    """Size at exactly the target, between the chosen rung and the nearest failing one above it.

    The chosen rung's own where every rung meets the target.
    """
    above = min(
        (p for p in probes if p.qp > chosen.qp and _sur(p) < TARGET), key=attrgetter("qp"), default=None
    )
    if above is None:
        return float(chosen.n_bytes)
    way = (_sur(chosen) - TARGET) / (_sur(chosen) - _sur(above))
    return chosen.n_bytes * math.pow(above.n_bytes / chosen.n_bytes, way)


def _sur(probe: Probe) -> float:
    return probe.score.sur or 0.0


def _cpu_seconds(call: Callable[[], object]) -> float:
    """Median processor seconds of a call, the programs that it starts included."""
    seconds: list[float] = []
    while not seconds or (sum(seconds) < _ENOUGH_SECONDS and len(seconds) < _MOST_REPEATS):
        began = _cpu()
        call()
        seconds.append(_cpu() - began)
    return statistics.median(seconds)


def _cpu() -> float:
    programs = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + programs.ru_utime + programs.ru_stime


def pictures(data: Path, n_val: int) -> list[tuple[str, Path]]:
    """Name and path of every picture, the small ones of the validation split first."""
    with (data / "images" / "index.csv").open(encoding="utf-8", newline="") as file:
        val = sorted(row["file"] for row in csv.DictReader(file) if row["split"] == "val")
    chosen = [val[(2 * i + 1) * len(val) // (2 * n_val)] for i in range(n_val)] if n_val else []
    found = [(name, data / "images" / name) for name in chosen]
    return found + [(f"examples/{path.name}", path) for path in sorted(EXAMPLES.glob("*.png"))]


def summary(codec_id: str, options: dict[str, object], measured: list[dict[str, Any]]) -> dict[str, object]:
    """One setting over all pictures, beside the first setting on the same ones."""
    name, first = label(codec_id, options), label(*SETTINGS[0])
    both = [
        (one["megapixels"], one["settings"][name], one["settings"][first])
        for one in measured
        if one["settings"][name]["met"] and one["settings"][first]["met"]
    ]
    megapixels = sum(size for size, _, _ in both)
    row: dict[str, object] = {
        "name": name,
        "codec": codec_id,
        "options": options,
        "fingerprint": codecs.get(codec_id, **options).fingerprint(),
        "n_met": sum(one["settings"][name]["met"] for one in measured),
    }
    if not both:
        return row
    shares = [mine["bytes_at_target"] / theirs["bytes_at_target"] for _, mine, theirs in both]
    row |= {
        "bytes_ratio": round(statistics.geometric_mean(shares), 4),
        "bytes_ratio_lowest": round(min(shares), 4),
        "bytes_ratio_highest": round(max(shares), 4),
        "bpp": round(8e-6 * sum(mine["bytes_at_target"] for _, mine, _ in both) / megapixels, 4),
    }
    timed = all("encode_seconds" in side for _, *sides in both for side in sides)
    for what in ("encode", "decode") if timed else ():
        mine, theirs = (sum(pair[side][f"{what}_seconds"] for pair in both) for side in (1, 2))
        row[f"{what}_ms_per_megapixel"] = round(1000 * mine / megapixels, 1)
        row[f"{what}_ratio"] = round(mine / theirs, 2)
    return row


def result_of(measured: list[dict[str, Any]], predictor: Predictor) -> dict[str, Any]:
    """All that is written."""
    return {
        "schema": "sursmr-qp/codecs/1",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {
            "python": platform.python_version(),
            "system": platform.system(),
            "cpu": platform.machine(),
            "n_cores": os.cpu_count(),
        },
        "target_sur": TARGET,
        "protocol": predictor.summary().protocol,
        "n_pictures": len(measured),
        "settings": [summary(codec_id, options, measured) for codec_id, options in SETTINGS],
        "pictures": measured,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--val", type=int, default=6, help="validation pictures beside the examples")
    parser.add_argument("--minutes", type=float, default=15.0, help="begin no further picture after these")
    parser.add_argument("--resume", action="store_true", help="keep the pictures of a run before")
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.name}")
    arguments = parser.parse_args()
    if "SURSMR_DATA" not in os.environ:
        raise SystemExit("set SURSMR_DATA to the folder that holds images/")
    began = time.monotonic()
    predictor = predict.load("measured", threads=1)
    made = {label(codec_id, options): codecs.get(codec_id, **options) for codec_id, options in SETTINGS}
    for codec in made.values():
        codec.require()
    wanted = pictures(Path(os.environ["SURSMR_DATA"]), arguments.val)
    paths = dict(wanted)
    measured = [one for one in _kept(made, predictor) if one["name"] in paths] if arguments.resume else []
    guesses: dict[str, int] = {}
    for name, path in wanted:
        if any(one["name"] == name for one in measured):
            continue
        if time.monotonic() - began > 60 * arguments.minutes:
            print("out of time: --resume measures the rest", flush=True)
            break
        measured.append(_searched(name, images.read(path), made, predictor, guesses))
        if arguments.write:
            PARTIAL.write_text(json.dumps(result_of(measured, predictor), indent=1) + "\n")
    for one in measured:
        source = images.read(paths[one["name"]])
        for setting, found in one["settings"].items():
            if found["met"]:
                found |= times(source, made[setting], found["qp"])
        print(one["name"], "timed", flush=True)
    result = result_of(measured, predictor)
    print(json.dumps(result["settings"], indent=1))
    if arguments.write:
        RESULT.write_text(json.dumps(result, indent=1) + "\n")
        PARTIAL.unlink(missing_ok=True)


def _searched(
    name: str, source: Source, made: dict[str, Codec], predictor: Predictor, guesses: dict[str, int]
) -> dict[str, Any]:
    """One picture under every setting; `guesses` holds the latest QP of each codec."""
    viewers = Viewers(predictor, source)
    found = {}
    for setting, codec in made.items():
        found[setting] = measure(source, codec, viewers, guesses.get(codec.id))
        guesses[codec.id] = found[setting].get("qp", codec.qp_range[0])
        print(name, setting, found[setting], flush=True)
    size = {"width": source.width, "height": source.height}
    return {"name": name, **size, "megapixels": source.width * source.height / 1e6, "settings": found}


def _kept(made: dict[str, Codec], predictor: Predictor) -> list[dict[str, Any]]:
    """Pictures of a run before; none where other encoders or teachers made them."""
    found = next((path for path in (PARTIAL, RESULT) if path.exists()), None)
    if found is None:
        return []
    before = json.loads(found.read_text())
    fingerprints = {row["name"]: row["fingerprint"] for row in before["settings"]}
    same = fingerprints == {name: codec.fingerprint() for name, codec in made.items()}
    return before["pictures"] if same and before["protocol"] == predictor.summary().protocol else []


if __name__ == "__main__":
    main()
