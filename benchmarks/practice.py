"""What do people get who set a JPEG quality, or search by a metric, beside picks on the same pictures?

    SURSMR_DATA=... python benchmarks/practice.py --cache DIR --minutes 30            answer, print
    SURSMR_DATA=... python benchmarks/practice.py --cache DIR --minutes 30 --write    into practice.json too
    SURSMR_DATA=... python benchmarks/practice.py --cache DIR --folder test --limit 24

Every way writes JPEG by the same encoder, so that only the choice of the quality is compared;
`practice_ways.py` has them, with where each is described. Every file is scored in truth by both metrics and
all machines: a picture counts as satisfied where SUR is at least 0.75 and SMR at least 0.9. Time is that of
encoding, decoding and deciding, as a multiple of one encode of the same picture, in one run on one core; DIR
keeps what was measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from practice_ways import WAYS, Picture, Way

from sursmr_codec import codecs, images, predict
from sursmr_codec.bench.question import listed
from sursmr_codec.bench.remembered import Remembered, Remembering
from sursmr_codec.ladder import Ladder
from sursmr_codec.predict.base import Predictor
from sursmr_codec.search import meets
from sursmr_codec.types import Targets

RESULT = Path(__file__).with_suffix(".json")
BAR = Targets(sur=0.75, smr=0.9)
N_TIMED = 3
"""Encodes whose median is one encode."""


@dataclass(frozen=True)
class Written:
    """One picture by one way."""

    n_bytes: int
    viewers: bool
    machines: bool | None
    """None where too few machines have an opinion on the original."""
    n_encodes: int
    encodes_of_time: float
    """Time as a multiple of one encode."""


def measured(picture: Path, ways: Sequence[Way], predictor: Predictor, judge: Remembered) -> list[Written]:
    """What each way writes for a picture, and what is true of it."""
    source, codec = images.read(picture), codecs.get("jpeg")
    one_encode = median(_seconds(lambda: codec.encode(source, 26)) for _ in range(N_TIMED))
    found = []
    for way in ways:
        # A ladder of its own, so that no way finds the files of another.
        ladder = Ladder(source, codec)
        began = time.perf_counter()
        qp = way.choose(Picture(source, ladder, predictor))
        ladder.written(qp)
        seconds = time.perf_counter() - began
        n_bytes, truth = judge.file(ladder, qp, BAR)
        found.append(
            Written(
                n_bytes,
                meets(truth, Targets(BAR.sur, 0)),
                None if truth.smr is None else meets(truth, Targets(0, BAR.smr)),
                ladder.n_encodes,
                seconds / one_encode,
            )
        )
    return found


def summary(way: Way, written: Sequence[Written]) -> dict[str, Any]:
    """One row of the table, over the pictures for which SMR is defined."""
    judged = [one for one in written if one.machines is not None]
    both = [one.viewers and bool(one.machines) for one in judged]
    return {
        "way": way.name,
        "n_bytes": sum(one.n_bytes for one in judged),
        "both_percent": _percent(both),
        "viewers_percent": _percent([one.viewers for one in judged]),
        "machines_percent": _percent([bool(one.machines) for one in judged]),
        "n_encodes_mean": round(sum(one.n_encodes for one in judged) / len(judged), 2),
        "encodes_of_time": round(median(one.encodes_of_time for one in judged), 2),
    }


def report(folder: Path, limit: int | None, judge: Remembered, deadline: float) -> dict[str, Any]:
    """Every way on the pictures of a folder, as many of them as there is time for."""
    predictor = predict.load(threads=1)
    written: list[list[Written]] = []
    for name in listed(str(folder), limit):
        if time.monotonic() > deadline:
            print("out of time: the result is of fewer pictures", flush=True)
            break
        written.append(measured(folder / name, WAYS, predictor, judge))
        print(f"{name} {[one.n_bytes for one in written[-1]]}", flush=True)
    judged = [one for one in written if one[0].machines is not None]
    model = predictor.summary()
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {
            "python": platform.python_version(),
            "system": platform.system(),
            "cpu": platform.machine(),
        },
        "model": {"id": model.id, "sha256": model.sha256},
        "n_images": len(judged),
        "rows": [summary(way, [one[k] for one in judged]) for k, way in enumerate(WAYS)],
    }


def _percent(flags: Sequence[bool]) -> float:
    return round(100.0 * sum(flags) / len(flags), 2)


def _seconds(work: Any) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", required=True, help="folder of the answers")
    parser.add_argument("--folder", action="append", choices=["test", "kodak"])
    parser.add_argument("--limit", type=int, default=24)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.name}")
    arguments = parser.parse_args()
    data = os.environ.get("SURSMR_DATA")
    if not data:
        raise SystemExit("set SURSMR_DATA to the folder that holds images/ and machines/")
    deadline = time.monotonic() + 60 * arguments.minutes
    judge = Remembering(arguments.cache, str(Path(data) / "machines"))(1)
    record = json.loads(RESULT.read_text()) if RESULT.is_file() else {}
    for folder in arguments.folder or ["test", "kodak"]:
        found = report(Path(data) / "images" / folder, arguments.limit, judge, deadline)
        print(json.dumps(found, indent=1), flush=True)
        parts = record.get("parts", {}) | {folder: found}
        record = {
            "schema": "sursmr-qp/practice/1",
            "encoder": codecs.get("jpeg").fingerprint(),
            "satisfied": asdict(BAR),
            "parts": parts,
        }
        if arguments.write:
            images.write(RESULT, (json.dumps(record, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
