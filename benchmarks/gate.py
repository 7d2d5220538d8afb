"""Does a change cost bytes?

    SURSMR_DATA=... python benchmarks/gate.py            pick anew and hold it against the bounds
    SURSMR_DATA=... python benchmarks/gate.py --write    make what is found now the bounds
    python benchmarks/gate.py --images DIR --write       the same, of a folder that holds test/

Picks by the default predictor for JPEG on the three example photographs and on 12 test pictures of
SURSMR_DATA, spread evenly over their sorted list. Bytes in total may be at most 1 % above those of the
committed result, and no more images may miss a target as predicted, as those do whose targets are out of
reach. Nothing here depends on time or on how busy the machine is; other versions of libraries may move a
pick by a QP, which is what the 1 % are for. The tests hold every change against these bounds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sursmr_codec import bench
from sursmr_codec.bench.gates import Gate, missed_percent
from sursmr_codec.bench.question import Question
from sursmr_codec.types import Targets

RESULT = Path(__file__).with_suffix(".json")
EXAMPLES = Path(__file__).resolve().parent.parent / "docs" / "examples"
CODEC = "jpeg"
TARGETS = Targets(sur=0.75, smr=0.9)
N_TEST = 12
MARGIN_PERCENT = 1.0


def places(images: Path | None = None) -> dict[str, tuple[Path, int | None]]:
    """Folders to pick in, and how many pictures of each; the second one only where it is at hand."""
    found: dict[str, tuple[Path, int | None]] = {"examples": (EXAMPLES, None)}
    if images is None and (data := os.environ.get("SURSMR_DATA")):
        images = Path(data) / "images"
    if images is not None:
        found["test"] = (images / "test", N_TEST)
    return found


def measure(folder: Path, limit: int | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """What picks come to in a folder, and by which predictor and encoder."""
    question = Question(str(folder), codec=CODEC, targets=TARGETS, baselines=(), limit=limit)
    result = bench.run(question)
    comparison = result.by_codec[CODEC]
    files = [pick.file for pick in comparison.picks]
    found = {
        "n_images": len(files),
        "n_bytes": sum(file.n_bytes for file in files),
        "missed_percent": round(missed_percent(comparison), 3),
        "n_encodes_mean": round(sum(file.n_encodes for file in files) / len(files), 3),
    }
    by = {
        "model": {"id": result.predictor.id, "sha256": result.predictor.sha256},
        "fingerprint": comparison.codec.fingerprint,
    }
    return found, by


def gates(name: str, found: dict[str, Any], bounds: dict[str, Any]) -> list[Gate]:
    """Bytes and misses held against those of the committed result, both in percent."""
    grown = 100.0 * (found["n_bytes"] - bounds["n_bytes"]) / bounds["n_bytes"]
    missed, allowed = found["missed_percent"], bounds["missed_percent"]
    return [
        Gate(f"{name}: growth of bytes", grown, MARGIN_PERCENT, grown <= MARGIN_PERCENT),
        Gate(f"{name}: images that miss", missed, allowed, missed <= allowed),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.name}")
    parser.add_argument("--images", type=Path, metavar="DIR", help="in place of SURSMR_DATA's images")
    asked = parser.parse_args()
    write, pictures = asked.write, places(asked.images)
    if write and "test" not in pictures:
        raise SystemExit("the bounds need the test pictures too: give --images or set SURSMR_DATA")
    measured = {name: measure(*place) for name, place in pictures.items()}
    if write:
        result = {
            "schema": "sursmr-qp/gate/1",
            "date": datetime.now(UTC).date().isoformat(),
            "machine": {"python": platform.python_version(), "system": platform.system()},
            **measured["examples"][1],
            "targets": {"sur": TARGETS.sur, "smr": TARGETS.smr},
            "margin_percent": MARGIN_PERCENT,
            "folders": {name: found for name, (found, _) in measured.items()},
        }
        RESULT.write_text(json.dumps(result, indent=1) + "\n")
    bounds = json.loads(RESULT.read_text())["folders"]
    held = [gate for name, (found, _) in measured.items() for gate in gates(name, found, bounds[name])]
    for gate in held:
        print(gate)
    if not all(gate.ok for gate in held):
        raise SystemExit("a gate is not met")


if __name__ == "__main__":
    main()
