"""How many bytes do picks save, against one setting for all, against metric searches, and beside the limit?

    SURSMR_DATA=... python benchmarks/bits.py --cache DIR --dry-run         what is asked, and what it takes
    SURSMR_DATA=... python benchmarks/bits.py --cache DIR --minutes 60      answer, keep, stop in time
    SURSMR_DATA=... python benchmarks/bits.py --cache DIR --minutes 60 --write
    SURSMR_DATA=... python benchmarks/bits.py --cache DIR --part kodak --codec jpeg --write

Picks by the default predictor, each file scored in truth at its own QP: by both metrics of SUR and by every
machine that votes, those included that the predictor never learned from. DIR keeps every answer, so that a
run which was stopped goes on, and the same rung is measured once for all targets and baselines. `--write`
puts each answered question into bits.json as soon as it is complete, and draws one picture a codec.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from sursmr_codec import codecs, images, locking
from sursmr_codec.bench import baselines
from sursmr_codec.bench.events import Progress, events
from sursmr_codec.bench.question import Question, listed
from sursmr_codec.bench.record import bench_record
from sursmr_codec.bench.remembered import Remembered, Remembering
from sursmr_codec.bench.result import Result
from sursmr_codec.errors import UsageError
from sursmr_codec.labels.raw_cache import FILE
from sursmr_codec.types import Targets

RESULT = Path(__file__).with_suffix(".json")
TRIPLES = ((0.75, 0.9), (0.5, 0.8), (0.9, 0.95))
TARGETS = (
    *(Targets(sur, smr) for sur, smr in TRIPLES),
    *(Targets(sur, 0) for sur, _ in TRIPLES),
    *(Targets(0, smr) for _, smr in TRIPLES),
)
RISKS = (None, 0.2)
"""Picks as predicted, of which about half miss by a little, and picks that are held back as `--risk` does."""
EVERYDAY = {"jpeg": "quality=75"}
OTHERS_EVERYDAY = "qp=32"
RUNGS_AN_IMAGE = {"jpeg": (45, 40), "hevc": (32, 15), "vvc": (32, 15), "bpg": (32, 15)}
"""Rungs measured for all targets, and how many more the oracle takes; seen on the first pictures."""
SECONDS_A_RUNG = (0.1, 4.2)
"""Of one core of the machine that wrote the first result, and a megapixel more."""


@dataclass(frozen=True)
class Part:
    """Pictures that are asked about together."""

    name: str
    folder: str
    """Below `images` of SURSMR_DATA."""
    codecs: tuple[str, ...]
    limit: int | None = None
    oracle: bool = False

    def first(self, limit: int) -> Part:
        """At most so many of its pictures, under a name that says so."""
        limit = min(n for n in (self.limit, limit) if n)
        return replace(self, name=f"{self.folder}, {limit} pictures", limit=limit)

    def path(self) -> Path:
        """Where they are."""
        return Path(os.environ["SURSMR_DATA"]) / "images" / self.folder


PARTS = (
    Part("test, 40 pictures", "test", ("jpeg", "hevc"), limit=40, oracle=True),
    Part("test", "test", ("jpeg", "hevc")),
    Part("kodak", "kodak", ("jpeg", "hevc")),
    Part("large", "large/test", ("jpeg", "hevc")),
    Part("test, 20 pictures", "test", ("vvc", "bpg"), limit=20, oracle=True),
)


class OutOfTime(Exception):
    """The time that was given is over."""


@dataclass(frozen=True)
class Shared:
    """Makes one `Remembered` a process, so that machines are loaded once for all questions."""

    made_by: Remembering

    def __call__(self, threads: int) -> Remembered:
        return _shared(self.made_by)


@cache
def _shared(made_by: Remembering) -> Remembered:
    return made_by(1)


def questions(
    parts: Sequence[Part], only: Sequence[str] | None, made_by: Remembering, jobs: int
) -> Iterator[tuple[Part, str, Question]]:
    """Each part's codecs, each at all targets and risks."""
    every = [replace(targets, risk=risk) for risk in RISKS for targets in TARGETS]
    for part in parts:
        for codec in part.codecs:
            if only and codec not in only:
                continue
            names = [EVERYDAY.get(codec, OTHERS_EVERYDAY), "best-fixed", "ssimulacra2", "cvvdp"]
            asked = baselines.several([*names, "oracle"] if part.oracle else names)
            for targets in every:
                yield (
                    part,
                    codec,
                    Question(
                        str(part.path()),
                        codec,
                        targets=targets,
                        truth="measured",
                        load_judge=Shared(made_by),
                        baselines=asked,
                        limit=part.limit,
                        jobs=jobs,
                    ),
                )


def answered(question: Question, deadline: float) -> Result:
    """The result; raises OutOfTime where that would come too late. What was measured is kept."""
    told = ""
    for event in events(question):
        if isinstance(event, Result):
            return event
        assert isinstance(event, Progress)
        if event.stage != told:
            told = event.stage
            print(f"  {told}: {event.n_all} pictures", flush=True)
        if time.monotonic() > deadline:
            raise OutOfTime
    raise AssertionError("the last event is the result")


def found(result: Result, codec: str) -> dict[str, Any]:
    """What is kept of an answer: totals without the machine's time, and each baseline's curve."""
    record = bench_record(result, (), {})
    totals = dict(record["totals"][codec])
    del totals["seconds_mean"]
    comparison = result.by_codec[codec]
    for one in comparison.baselines:
        totals["baselines"][one.name]["curve"] = [
            [tried.setting, round(tried.met_percent, 3), tried.n_bytes] for tried in one.tried
        ]
    n_pixels = sum(comparison.picks[k].width * comparison.picks[k].height for k in comparison.judged)
    return {**asdict(result.question.targets), "n_pixels": n_pixels, **_rounded(totals)}


def put(part: Part, codec: str, result: Result, answer: dict[str, Any]) -> None:
    """Put one answer into the kept result; those of another model leave it. Several processes may do so."""
    with RESULT.with_suffix(".lock").open("a") as lock:
        if not locking.take(lock.fileno(), patience_seconds=60):
            raise SystemExit(f"{lock.name} is held by another process; the same command goes on")
        _put(part, codec, result, answer)


def _put(part: Part, codec: str, result: Result, answer: dict[str, Any]) -> None:
    record = json.loads(RESULT.read_text()) if RESULT.is_file() else {}
    model = {"id": result.predictor.id, "sha256": result.predictor.sha256}
    if record.get("model") != model:
        record = {"schema": "sursmr-qp/bits/1", "model": model, "truth": result.judge.sha256, "parts": {}}
    kept = record["parts"].setdefault(part.name, {"codecs": {}})
    kept["date"] = datetime.now(UTC).date().isoformat()
    kept["machine"] = {
        "python": platform.python_version(),
        "system": platform.system(),
        "cpu": platform.machine(),
    }
    of_codec = kept["codecs"].setdefault(codec, {"fingerprint": "", "results": []})
    of_codec["fingerprint"] = result.by_codec[codec].codec.fingerprint
    others = [one for one in of_codec["results"] if _targets(one) != _targets(answer)]
    of_codec["results"] = sorted([*others, answer], key=_order)
    kept["codecs"] = {one: kept["codecs"][one] for one in part.codecs if one in kept["codecs"]}
    images.write(RESULT, (json.dumps(record, indent=1) + "\n").encode())


def _targets(answer: dict[str, Any]) -> tuple[Any, ...]:
    return answer["sur"], answer["smr"], answer["risk"]


def _order(answer: dict[str, Any]) -> tuple[Any, ...]:
    sur, smr, risk = _targets(answer)
    return (sur == 0 or smr == 0), sur == 0, -sur, -smr, -(risk or 1.0)


def dry(asked: list[tuple[Part, str, Question]], folder: str) -> None:
    """Print what measuring takes at most, beside what the cache holds already."""
    known = _known(Path(folder) / FILE)
    total = 0.0
    for part, codec in dict.fromkeys((part, codec) for part, codec, _ in asked):
        first = next(one for at, of, one in asked if (at, of) == (part, codec))
        sources = [images.read(part.path() / name) for name in listed(str(part.path()), first.limit)]
        each, oracle = RUNGS_AN_IMAGE[codec]
        wanted = each + (oracle if part.oracle else 0)
        fingerprint = codecs.get(codec).fingerprint()
        missing = [max(0, wanted - known.get((str(one.sha256), fingerprint), 0)) for one in sources]
        fixed, more = SECONDS_A_RUNG
        seconds = sum(
            n * (fixed + more * one.width * one.height / 1e6) for n, one in zip(missing, sources, strict=True)
        )
        total += seconds
        print(
            f"{part.name}, {codec}: {len(sources)} pictures, about {wanted} rungs each of which "
            f"{sum(missing):,} are missing: {seconds / 60:.0f} minutes of one core"
        )
    print(f"at most {total / 60:.0f} minutes of one core in all; pictures that two parts share count twice")


def _known(path: Path) -> dict[tuple[str, str], int]:
    if not path.is_file():
        return {}
    with sqlite3.connect(path) as db:
        counted = db.execute("SELECT source, fingerprint, COUNT(*) FROM picture WHERE qp >= 0 GROUP BY 1, 2")
        return {(source, fingerprint): n for source, fingerprint, n in counted}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(one) for one in value]
    return value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", required=True, help="folder of the answers")
    parser.add_argument("--part", action="append", choices=[part.name for part in PARTS])
    parser.add_argument("--codec", action="append")
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--limit", type=int, help="so many pictures a part, to try it")
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.name}")
    arguments = parser.parse_args()
    data = os.environ.get("SURSMR_DATA")
    if not data:
        raise SystemExit("set SURSMR_DATA to the folder that holds images/ and machines/")
    deadline = time.monotonic() + 60 * arguments.minutes
    parts = [part for part in PARTS if not arguments.part or part.name in arguments.part]
    if arguments.limit:
        parts = [part.first(arguments.limit) for part in parts]
    made_by = Remembering(arguments.cache, str(Path(data) / "machines"))
    asked = list(questions(parts, arguments.codec, made_by, arguments.jobs))
    if arguments.dry_run:
        dry(asked, arguments.cache)
        return
    for number, (part, codec, question) in enumerate(asked):
        print(f"{part.name}, {codec}, {question.targets} ({number + 1} of {len(asked)})", flush=True)
        try:
            result = answered(question, deadline)
        except OutOfTime:
            print("out of time; the same command goes on", flush=True)
            break
        except UsageError as error:
            # No margin holds there, for this codec and these targets.
            print(f"  refused: {error}", flush=True)
            continue
        answer = found(result, codec)
        print(f"  saved {answer['saved_percent']}, missed {answer['missed_percent']:.1f} %", flush=True)
        if arguments.write:
            put(part, codec, result, answer)
    if arguments.write and RESULT.is_file():
        import bits_plot

        bits_plot.draw(json.loads(RESULT.read_text()), RESULT.parent)


if __name__ == "__main__":
    main()
