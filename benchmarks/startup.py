"""How much does starting cost beside the libraries that any such tool must load?

    python benchmarks/startup.py            measure and print
    python benchmarks/startup.py --write    also write benchmarks/startup.json

Two ratios, each of medians over interleaved fresh processes: `sursmr-qp --help` against a bare
`import typer, rich` (at most 1.5), and all that `pick` imports before its first encode against a bare
`import numpy, PIL.Image, typer, rich` (at most 2).
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

RESULT = Path(__file__).with_suffix(".json")
PICTURE = Path(__file__).parent.parent / "docs" / "examples" / "kodim23.png"

BARE_CLI = "import typer, rich"
HELP = "import sys; sys.argv = ['sursmr-qp', '--help']; from sursmr_codec.cli import main; main()"
BARE_PICK = "import numpy, PIL.Image, typer, rich"
# The process ends at the moment the first encode is asked for, so reading the picture is taken off again.
UNTIL_FIRST_ENCODE = f"""
import os, sys
sys.argv = ['sursmr-qp', 'pick', {str(PICTURE)!r}, '--smr', '0', '--quiet']
import sursmr_codec.codecs.jpeg as jpeg, sursmr_codec.images as images
from sursmr_codec.types import Source
import numpy
images.read = lambda *_, **__: Source.from_array(numpy.zeros((8, 8, 3), numpy.uint8))
jpeg.Jpeg.encode = lambda *_: os._exit(0)
from sursmr_codec.cli import main
main()
"""

QUESTIONS = (
    ("help", HELP, BARE_CLI, 1.5),
    ("pick_imports", UNTIL_FIRST_ENCODE, BARE_PICK, 2.0),
)


def measure(repeats: int) -> dict[str, object]:
    """Median seconds and ratio of each question, `repeats` interleaved runs each."""
    answers = {}
    for name, ours, bare, bound in QUESTIONS:
        seconds: dict[str, list[float]] = {ours: [], bare: []}
        for code in (ours, bare):
            _run(code)  # fills the byte-code and disk caches
        for _ in range(repeats):
            for code in (ours, bare):
                seconds[code].append(_run(code))
        median = {code: statistics.median(values) for code, values in seconds.items()}
        answers[name] = {
            "seconds": round(median[ours], 4),
            "bare_seconds": round(median[bare], 4),
            "ratio": round(median[ours] / median[bare], 3),
            "bound": bound,
        }
    return {
        "schema": "sursmr-qp/startup/1",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {
            "python": platform.python_version(),
            "system": platform.system(),
            "cpu": platform.machine(),
        },
        "repeats": repeats,
        "answers": answers,
    }


def _run(code: str) -> float:
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise SystemExit(f"a measured process failed:\n{done.stderr}")
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.name}")
    arguments = parser.parse_args()
    result = measure(arguments.repeats)
    print(json.dumps(result, indent=2))
    if arguments.write:
        RESULT.write_text(json.dumps(result, indent=2) + "\n")
    missed = [name for name, answer in result["answers"].items() if answer["ratio"] > answer["bound"]]
    if missed:
        raise SystemExit(f"above the bound: {', '.join(missed)}")


if __name__ == "__main__":
    main()
