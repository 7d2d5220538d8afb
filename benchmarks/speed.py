"""How long does a pick take, beside a plain encode, the whole ladder and a search by a metric?

    python benchmarks/speed.py --part ratios --part stages    print some parts
    SURSMR_DATA=... python benchmarks/speed.py                print all
    SURSMR_DATA=... python benchmarks/speed.py --write        also write benchmarks/speed.json

*ratios*: one 768x512 photograph, as multiples of one plain encode of it, the ways interleaved: a pick, one
that stops within 0.02 of the targets, the search of every rung, and a binary search on SSIMULACRA2 with the
same encoder. *stages*: seconds of a JPEG pick by stage at 0.4, 2 and 12 megapixels, warm, and cold as a
process of its own. *encodes*: how many rungs picks of every test picture try, strictly and within 0.02,
with the start that the model guesses and from the middle; `--pictures N` takes N of them. All take about
ten minutes on two idle cores. `cpu` is processor time of all threads, which a busy machine changes less
than `wall`. Parts that are left out stay as they are in the file.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PIL import Image

from sursmr_codec import codecs, images, pick, predict
from sursmr_codec.asked import Targets
from sursmr_codec.ladder import Ladder
from sursmr_codec.picking import PickSettings
from sursmr_codec.predict.base import Predictor
from sursmr_codec.probing import Prober
from sursmr_codec.search import meets, steps
from sursmr_codec.types import Probe, SearchSettings

RESULT = Path(__file__).with_suffix(".json")
PICTURE = Path(__file__).resolve().parent.parent / "docs" / "examples" / "kodim23.png"
CODECS = ("jpeg", "hevc")
TARGETS = Targets(0.75, 0.9)
TOLERANCE = 0.02
SIDES = ((768, 512), (1800, 1200), (4240, 2832))
REPEATS = {"jpeg": 5, "hevc": 2}
METRIC_TARGET = 80.0
"""Of SSIMULACRA2."""
BOUNDS = {"warm_seconds": 0.4, "cold_seconds": 1.5}
"""Of a JPEG pick of 768x512 on two idle cores."""
COLD = "from sursmr_codec.cli import main; main()"

Record = dict[str, Any]


def ratios(predictor: Predictor) -> Record:
    """Multiples of one plain encode, by codec and way."""
    return {codec: _ratios(codec, predictor) for codec in CODECS}


def _ratios(codec_id: str, predictor: Predictor) -> Record:
    from sursmr_codec.labels import teachers

    metric = teachers.get("ssimulacra2")
    source = images.read(PICTURE)
    codec = codecs.get(codec_id)
    middle = codec.qp_range[len(codec.qp_range) // 2]

    def by_metric() -> int:
        ladder = Ladder(source, codec)
        low, high = codec.qp_range[0] - 1, codec.qp_range[-1] + 1
        while high - low > 1:
            qp = (low + high) // 2
            met = metric.score(source.rgb, ladder[qp].decoded) >= METRIC_TARGET
            low, high = (qp, high) if met else (low, qp)
        return ladder.n_encodes

    def searched(**settings: Any) -> Callable[[], int]:
        chosen = PickSettings(search=SearchSettings(**settings))
        return lambda: pick(source, TARGETS, codec=codec, predictor=predictor, settings=chosen).n_encodes

    ways: dict[str, Callable[[], int]] = {
        "encode": lambda: len(codec.encode(source, middle)) and 1,
        "pick": searched(),
        "pick_within_0.02": searched(tolerance=TOLERANCE),
        "ssimulacra2_search": by_metric,
        "every_rung": searched(method="exhaustive"),
    }
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    encodes = {name: way() for name, way in ways.items() if name != "every_rung"}
    for turn in range(REPEATS[codec_id]):
        for name, way in ways.items():
            if name == "every_rung" and turn:
                continue  # as long as all others together
            began = time.perf_counter(), _cpu()
            encodes[name] = way()
            spent[name].append((time.perf_counter() - began[0], _cpu() - began[1]))
    wall, cpu = ({name: min(one[i] for one in some) for name, some in spent.items()} for i in (0, 1))
    return {
        name: {
            "n_encodes": encodes[name],
            "wall_seconds": round(wall[name], 4),
            "cpu_seconds": round(cpu[name], 4),
            "wall_ratio": round(wall[name] / wall["encode"], 1),
            "cpu_ratio": round(cpu[name] / cpu["encode"], 1),
        }
        for name in ways
    }


def stages(predictor: Predictor, folder: Path) -> list[Record]:
    """Seconds of a JPEG pick by stage, for each size; the picture is an example, enlarged."""
    rows = []
    for width, height in SIDES:
        path = folder / f"{width}.png"
        enlarged = Image.open(PICTURE).convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
        enlarged.save(path, compress_level=1)
        pick(path, TARGETS, predictor=predictor)
        warm = [pick(path, TARGETS, predictor=predictor) for _ in range(5)]
        best = min(warm, key=lambda one: one.seconds.total).seconds
        cold = [_cold(path) for _ in range(4)][1:]
        rows.append(
            {
                "width": width,
                "height": height,
                "n_encodes": warm[0].n_encodes,
                "warm": {
                    name: round(getattr(best, name), 4)
                    for name in ("read", "encode", "decode", "predict", "total")
                },
                "cold": {
                    "wall_seconds": round(min(one[0] for one in cold), 3),
                    "cpu_seconds": round(min(one[1] for one in cold), 3),
                },
            }
        )
    return rows


def _cold(path: Path) -> tuple[float, float]:
    """Wall and processor seconds of `sursmr-qp pick` in a process of its own."""
    before, began = _cpu(), time.perf_counter()
    command = [sys.executable, "-c", COLD, "pick", str(path), "--quiet", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    wall = time.perf_counter() - began
    if done.returncode != 0:
        raise SystemExit(f"a measured process failed:\n{done.stderr}")
    return wall, _cpu() - before


def encodes(predictor: Predictor, pictures: list[Path]) -> Record:
    """How many rungs a search tries, on average over pictures whose targets can be met, and at most."""
    found: dict[str, dict[str, list[int]]] = {codec: {} for codec in CODECS}
    unmet = dict.fromkeys(CODECS, 0)
    for path in pictures:
        source = images.read(path)
        first = Prober(source, CODECS[0], predictor, targets=TARGETS)
        for codec in CODECS:
            prober = first if codec == CODECS[0] else first.under(codecs.get(codec))
            tried = _tried(prober)
            unmet[codec] += tried is None
            for name, n in (tried or {}).items():
                found[codec].setdefault(name, []).append(n)
    return {
        codec: {
            "n_pictures": len(next(iter(ways.values()))),
            "n_not_reachable": unmet[codec],
            "mean": {name: round(statistics.fmean(some), 3) for name, some in ways.items()},
            "most": {name: max(some) for name, some in ways.items()},
        }
        for codec, ways in found.items()
    }


def _tried(prober: Prober) -> dict[str, int] | None:
    """Rungs that each way of searching tries; None where the targets cannot be met. Each is scored once."""
    known: dict[int, Probe | None] = {}
    ways = {"strict": (0.0, True), "within_0.02": (TOLERANCE, True)}
    ways |= {"strict_from_middle": (0.0, False), "within_0.02_from_middle": (TOLERANCE, False)}
    counts = {}
    for name, (tolerance, started) in ways.items():
        expected = prober.expected() if started else None
        walk = steps(prober.codec.qp_range, TARGETS, SearchSettings(tolerance=tolerance), expected=expected)
        try:
            qp = next(walk)
            while True:
                if qp not in known:
                    known[qp] = prober.at(qp)
                qp = walk.send(known[qp])
        except StopIteration as end:
            answer = end.value
        if answer.chosen is None:
            return None
        if not meets(answer.chosen.score, TARGETS):
            raise SystemExit(f"{prober.source.path}: the picked rung misses its targets")
        counts[name] = len(answer.probes)
    return counts


def _cpu() -> float:
    """Processor seconds of this process and of those it waited for."""
    every = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in every)


def _pictures(n: int | None) -> list[Path]:
    """Test pictures of SURSMR_DATA; of a part of them, spread evenly over their sorted list."""
    if "SURSMR_DATA" not in os.environ:
        raise SystemExit("set SURSMR_DATA to the folder that holds images/, or leave out --part encodes")
    found = sorted((Path(os.environ["SURSMR_DATA"]) / "images" / "test").iterdir())
    return found if n is None else [found[i * len(found) // n] for i in range(n)]


def _facts(predictor: Predictor) -> Record:
    """What every part says of how it was run."""
    summary = predictor.summary()
    machine = {
        "python": platform.python_version(),
        "system": platform.system(),
        "cpu": platform.machine(),
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
    }
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine,
        "model": {"id": summary.id, "sha256": summary.sha256},
    }


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", action="append", choices=("ratios", "stages", "encodes"))
    parser.add_argument("--pictures", type=int, help="of --part encodes, for a trial")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    predictor = predict.load()
    result: Record = {"schema": "sursmr-qp/speed/1", "targets": {"sur": TARGETS.sur, "smr": TARGETS.smr}}
    parts: Record = json.loads(RESULT.read_text())["parts"] if RESULT.exists() else {}
    for part in asked.part or ("ratios", "stages", "encodes"):
        facts = _facts(predictor)
        if part == "ratios":
            found: Record = {"codecs": ratios(predictor)}
        elif part == "stages":
            with tempfile.TemporaryDirectory() as folder:
                found = {"bounds": BOUNDS, "sizes": stages(predictor, Path(folder))}
        else:
            found = {"codecs": encodes(predictor, _pictures(asked.pictures))}
        parts[part] = facts | found
        print(json.dumps({part: parts[part]}, indent=1), flush=True)
    if asked.write:
        RESULT.write_text(json.dumps(result | {"parts": parts}, indent=1) + "\n")


if __name__ == "__main__":
    main()
