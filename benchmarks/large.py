"""What do large pictures cost: how much memory, and where does the time of a pick go?

    python benchmarks/large.py                    measure and print
    python benchmarks/large.py --write            also write benchmarks/large.json
    python benchmarks/large.py --most 12          pictures of at most 12 megapixels
    python benchmarks/large.py --codec jpeg,webp  only these in the table of memory; the file's others stay

Photographs are made of the examples, mirrored side by side with noise, and measured in fresh processes.

Memory: a whole JPEG pick of JPEG and PNG files up to 100 megapixels, with a predictor that costs nothing, and
one rung read, encoded and decoded under every codec at 1, 12 and 100 megapixels. The peak is that of the
process and of the encoder programs that it runs, seen many times a second. A JPEG pick may take 12 bytes a
pixel and 500 MB. Above 1 megapixel slow codecs run at a quick setting, which is told.

Time: stages of a JPEG pick in one thread, in processor time, as ratios to one plain encode of the picture
in the same process: with the predictor that costs nothing, and with the default one where it takes pictures
of that size.
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
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sursmr_codec import codecs, predict

RESULT = Path(__file__).with_suffix(".json")
CHILD = Path(__file__).with_name("large_child.py")
SIZES = {0.4: (768, 512), 1.0: (1155, 866), 2.0: (1921, 1041), 12.0: (4000, 3001), 50.0: (8661, 5773)}
SIZES |= {100.0: (12001, 8333)}
"""Megapixels -> width and height, odd ones among them."""
PICKED = ((12.0, "jpg"), (50.0, "jpg"), (100.0, "jpg"), (100.0, "png"))
TIMED = (0.4, 2.0, 12.0, 50.0)
RUNGS = (1.0, 12.0, 100.0)
QUICK: dict[str, dict[str, object]] = {
    "hevc": {"preset": "ultrafast"},
    "bpg": {"preset": "ultrafast"},
    "heic": {"preset": "ultrafast"},
    "avif": {"speed": 10},
    "jxl": {"effort": 3},
}
"""Options of slow codecs above MOST_PLAIN megapixels."""
MOST_PLAIN = 1.0
BYTES_A_PIXEL = 12
BYTES_BESIDE = 500_000_000
MOST_MEASURED = 0.4
"""Megapixels up to which the measured predictor is waited for."""
_SECONDS = 3000.0


def run(*arguments: str) -> dict[str, Any]:
    """One answer of the child, with the peak of it and its programs together."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(CHILD), *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as child:
        until = time.monotonic() + _SECONDS
        together = 0
        while child.poll() is None and time.monotonic() < until:
            together = max(together, sum(_resident(process) for process in _family(child.pid)))
            time.sleep(0.02)
        child.kill()
        answer, trouble = child.communicate()
    if child.returncode != 0:
        return {"refused": (trouble.strip().splitlines() or ["killed"])[-1]}
    found: dict[str, Any] = json.loads(answer or "{}")
    return found | {"peak_bytes": max(found.get("peak_bytes", 0), together)}


def _family(process: int) -> list[int]:
    """A process and its descendants."""
    found = [process]
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            for child in children.read_text().split():
                found += _family(int(child))
        except OSError:
            continue
    return found


def _resident(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


class Photographs:
    """Files of every size, each made when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def file(self, megapixels: float, kind: str = "jpg") -> str:
        """Path of a photograph of that many megapixels."""
        path = self._folder / f"{megapixels:g}.{kind}"
        if not path.exists():
            run("make", *map(str, SIZES[megapixels]), str(path))
        return str(path)


def memory_of_picks(photographs: Photographs, most: float) -> list[dict[str, object]]:
    """Peaks of JPEG picks beside their bound."""
    rows = []
    for megapixels, kind in PICKED:
        if megapixels > most:
            continue
        found = run("pick", photographs.file(megapixels, kind), "jpeg", "{}")
        width, height = SIZES[megapixels]
        bound = BYTES_A_PIXEL * width * height + BYTES_BESIDE
        rows.append({"format": kind, "width": width, "height": height, **found, "bound_bytes": bound})
        print(rows[-1], flush=True)
    return rows


def memory_of_rungs(photographs: Photographs, most: float, codec_id: str) -> list[dict[str, object]]:
    """Peaks of one rung at each size, which also shows that the codec takes pictures of that size."""
    rows = []
    for megapixels in RUNGS:
        if megapixels > most:
            continue
        options = QUICK.get(codec_id, {}) if megapixels > MOST_PLAIN else {}
        found = run("rung", photographs.file(megapixels), codec_id, json.dumps(options))
        width, height = SIZES[megapixels]
        if "peak_bytes" in found:
            found["bytes_a_pixel"] = round(found["peak_bytes"] / (width * height), 1)
        rows.append({"codec": codec_id, "options": options, "width": width, "height": height, **found})
        print(rows[-1], flush=True)
    return rows


def times(photographs: Photographs, most: float) -> list[dict[str, object]]:
    """Stages of a pick as ratios to one plain encode."""
    rows = []
    for predictor in dict.fromkeys(("stub", predict.DEFAULT)):
        for megapixels in TIMED:
            if megapixels > (min(most, MOST_MEASURED) if predictor == "measured" else most):
                continue
            found = run("time", photographs.file(megapixels), predictor)
            width, height = SIZES[megapixels]
            row: dict[str, object] = {"predictor": predictor, "width": width, "height": height}
            if "stages" in found:
                plain = found["plain_encode"]
                row |= {
                    "n_encodes": found["n_encodes"],
                    "plain_encode_ms": round(1000 * plain, 2),
                    "ratios": {name: round(spent / plain, 2) for name, spent in found["stages"].items()},
                }
            else:
                row |= found
            rows.append(row)
            print(rows[-1], flush=True)
    return rows


def _write(result: dict[str, Any], wanted: bool) -> None:
    if wanted:
        RESULT.write_text(json.dumps(result, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=float, default=100.0, help="megapixels of the largest picture")
    parser.add_argument("--codec", default=",".join(codecs.available_ids()), help="with commas between")
    parser.add_argument("--only", choices=("picks", "rungs", "times"), help="the file's other tables stay")
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.name}")
    arguments = parser.parse_args()
    before = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    wanted = arguments.codec.split(",")
    result: dict[str, Any] = {
        "schema": "sursmr-qp/large/1",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {"python": platform.python_version(), "system": platform.system()},
        "versions": before.get("versions", {}) | {one: codecs.get(one).fingerprint() for one in wanted},
        "picks": before.get("picks", []),
        "rungs": before.get("rungs", []),
        "times": before.get("times", []),
    }
    with tempfile.TemporaryDirectory() as folder:
        photographs = Photographs(Path(folder))
        if arguments.only in (None, "picks"):
            result["picks"] = memory_of_picks(photographs, arguments.most)
        if arguments.only in (None, "times"):
            result["times"] = times(photographs, arguments.most)
        for codec_id in wanted if arguments.only in (None, "rungs") else ():
            kept = [row for row in result["rungs"] if row["codec"] != codec_id]
            result["rungs"] = kept + memory_of_rungs(photographs, arguments.most, codec_id)
            _write(result, arguments.write)
    _write(result, arguments.write)
    if above := [row for row in result["picks"] if row.get("peak_bytes", 0) > row["bound_bytes"]]:
        raise SystemExit(f"above the bound: {above}")


if __name__ == "__main__":
    main()
