"""Does `batch` scale: how many pictures, how fast, in how much memory, and what do kills cost?

    python benchmarks/batch.py --part scale                 20,000 small crops, a predictor that costs nothing
    python benchmarks/batch.py --part throughput FOLDER     real pictures, serial and in two processes
    python benchmarks/batch.py --part kills                 60 SIGKILLs at random moments
    python benchmarks/batch.py --part scale --write         also put it into benchmarks/batch.json

Each part stands in the result by itself, with its date, its machine, and the code that was measured. Run them
on a machine that does nothing else; `--part throughput` takes the default predictor unless `--predictor`
names another.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from array import array
from datetime import UTC, datetime
from pathlib import Path

import batch_stub

from sursmr_codec import predict
from sursmr_codec.batch.driver import Batch
from sursmr_codec.batch.listing import Selection
from sursmr_codec.batch.request import Request, engine_of
from sursmr_codec.batch.settings import NamedPredictor, Settings
from sursmr_codec.version import __version__

RESULT = Path(__file__).with_suffix(".json")
ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "examples" / "kodim23.png"
KILL_JOB = ROOT / "tests" / "batch" / "kill_job.py"
BOUNDS = {
    "driver_bytes": 300_000_000,
    "growth_bytes": 1_000_000,
    "journal_ms_mean": 2.0,
    "seconds_to_first_result": 2.0,
    "speedup": 1.8,
    "kills": 60,
}
_SETTLED = 2000
"""Pictures after which the driver's memory may not grow."""


def scale(n: int, jobs: int) -> dict[str, object]:
    """A driver's memory, journal and start, over `n` small pictures."""
    with tempfile.TemporaryDirectory() as folder:
        pictures, out = Path(folder) / "in", Path(folder) / "out"
        batch_stub.make_crops(PICTURE, pictures, n)
        # So that none of them counts as changed just now.
        time.sleep(3)
        began = time.time()
        lines = _stub(pictures, out, jobs)
        again = time.time()
        _stub(pictures, out, jobs)
        again = time.time() - again
        journal_bytes = sum(path.stat().st_size for path in (out / ".sursmr-qp").iterdir())
    settled = [line["bytes"] for line in lines if line["n"] >= _SETTLED]
    end = lines[-1]
    return {
        "n_pictures": end["n"],
        "jobs": jobs,
        "seconds_to_first_result": round(lines[0]["time"] - began, 3),
        "pictures_per_second": round(end["n"] / end["working_seconds"], 1),
        "driver_bytes": max(line["bytes"] for line in lines),
        "growth_bytes": max(settled) - settled[0],
        "journal_ms_mean": round(end["journal_ms_mean"], 3),
        "journal_ms_p99": round(end["journal_ms_p99"], 3),
        "journal_bytes_per_picture": round(journal_bytes / end["n"]),
        "seconds_to_find_nothing_to_do": round(again, 3),
    }


def throughput(folder: Path, n: int, predictor: str) -> dict[str, object]:
    """Pictures a second on real pictures: in one process on one core, and in worker processes."""
    targets = {} if predictor != "measured" else {"smr": 0.0}
    settings = Settings(load_predictor=NamedPredictor(predictor))
    runs = []
    for engine, jobs in (("serial", 1), ("process", 1), ("process", 2)):
        with tempfile.TemporaryDirectory() as out:
            request = Request(
                *((str(folder),), out, settings, targets, Selection(recursive=True)),
                engine=engine,
                jobs=jobs,
                limit=n,
            )
            times = array("d")
            pixels = bytes_read = 0
            for outcome in Batch(request):
                if outcome.status in ("done", "unmet"):
                    times.append(time.monotonic())
                    pixels += outcome.record["input"]["width"] * outcome.record["input"]["height"]
                    bytes_read += outcome.record["input"]["n_bytes"]
            threads = engine_of(request).threads
        # The first few were done while other processes still loaded.
        warm = 2 * jobs
        if len(times) < 10 * warm:
            raise SystemExit(f"{folder}: {len(times)} pictures are too few to tell a rate")
        rate = (len(times) - warm) / (times[-1] - times[warm - 1])
        runs.append(
            {"engine": engine, "jobs": jobs, "threads": threads, "pictures_per_second": round(rate, 3)}
        )
    rates = [float(run["pictures_per_second"]) for run in runs]
    return {
        "predictor": predictor,
        "n_pictures": len(times),
        "megapixels_mean": round(pixels / len(times) / 1e6, 3),
        "bytes_mean": round(bytes_read / len(times)),
        "runs": runs,
        "speedup": round(rates[-1] / rates[0], 3),
    }


def kills(n: int, seed: int) -> dict[str, object]:
    """What the job of random kills found; it fails where anything was lost."""
    command = [sys.executable, str(KILL_JOB), "--kills", str(n), "--seed", str(seed)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"the job failed with {done.returncode}:\n{done.stdout}")
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def machine() -> dict[str, object]:
    """What the figures were taken on, and how busy it was."""
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "cpu": platform.machine(),
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
    }


def code() -> dict[str, object]:
    """What is measured: the version, and the last commit of it, with a `+` where files differ from that."""
    measured = ("sursmr_codec", "benchmarks/batch.py", "benchmarks/batch_stub.py")
    commit = _git("log", "-1", "--format=%h", "--", *measured)
    changed = _git("status", "--short", "--", "sursmr_codec/batch", *measured[1:])
    return {"version": __version__, "commit": f"{commit}+" if changed else commit}


def _git(*arguments: str) -> str:
    done = subprocess.run(("git", *arguments), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def _stub(pictures: Path, out: Path, jobs: int) -> list[dict[str, float]]:
    command = [sys.executable, batch_stub.__file__, str(pictures), str(out), str(jobs), "500"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", help="real pictures, for --part throughput")
    parser.add_argument("--part", choices=("scale", "throughput", "kills"), required=True)
    parser.add_argument("--pictures", type=int, help="how many; 20000 for scale, 200 for throughput")
    parser.add_argument("--jobs", type=int, default=2, help="worker processes of the scale part")
    parser.add_argument("--predictor", default=predict.DEFAULT, help="of the throughput part")
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1, help="of the kills")
    parser.add_argument("--write", action="store_true", help=f"put the part into {RESULT.name}")
    arguments = parser.parse_args()
    facts = {"date": datetime.now(UTC).date().isoformat(), "code": code(), "machine": machine()}
    if arguments.part == "scale":
        found = scale(arguments.pictures or 20_000, arguments.jobs)
    elif arguments.part == "kills":
        found = kills(arguments.kills, arguments.seed)
    elif arguments.folder is None:
        raise SystemExit("--part throughput needs a folder of pictures")
    else:
        found = throughput(arguments.folder, arguments.pictures or 200, arguments.predictor)
    print(json.dumps({**facts, **found}, indent=2))
    if arguments.write:
        before = json.loads(RESULT.read_text()) if RESULT.exists() else {}
        parts = {**before.get("parts", {}), arguments.part: {**facts, **found}}
        result = {"schema": "sursmr-qp/batch-bench/1", "bounds": BOUNDS, "parts": dict(sorted(parts.items()))}
        RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
