"""What do the teachers say along JPEG ladders? Scores that `calibration.py` fits constants on.

    SURSMR_DATA=... python benchmarks/ladder_scores.py --write

Studies of people that publish answers but no pictures can still bound a teacher's constants: over many
pictures, the mean of its SUR at a JPEG quality must be the pooled SUR of the study. The pictures here are
the middle 768x512 of large training photographs. One process, one thread.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
from datetime import UTC, datetime
from pathlib import Path

RESULT = Path(__file__).with_suffix(".json")
WIDTH, HEIGHT = 768, 512
QUALITIES = (10, 15, 20, 25, 30, 35, 40, 50, 60, 70, 80, 90)
TEACHERS = ("cvvdp", "ssimulacra2", "vmaf", "vmaf_neg", "ms_ssim", "ssim", "fsim", "gmsd")


def measure(data: Path, n_images: int) -> dict[str, object]:
    """Every teacher's score of every rung; the pictures are spread evenly over the sorted list."""
    from sursmr_codec import codecs, images
    from sursmr_codec.labels import teachers
    from sursmr_codec.ladder import Ladder
    from sursmr_codec.types import Source

    jpeg = codecs.get("jpeg")
    asked = {name: teachers.get(name) for name in TEACHERS}
    rows = []
    for name in _pictures(data, n_images):
        rgb = images.read(data / "images" / name).rgb
        top, left = (rgb.shape[0] - HEIGHT) // 2, (rgb.shape[1] - WIDTH) // 2
        source = Source.from_array(rgb[top : top + HEIGHT, left : left + WIDTH])
        ladder = Ladder(source, jpeg)
        for quality in QUALITIES:
            decoded = ladder[101 - quality].decoded
            scores = {teacher: round(asked[teacher].score(source.rgb, decoded), 6) for teacher in TEACHERS}
            rows.append({"image": name, "quality": quality, **scores})
        print(name, flush=True)
    return {
        "schema": "sursmr-qp/ladder-scores/1",
        "date": datetime.now(UTC).date().isoformat(),
        "crop": [WIDTH, HEIGHT],
        "codec": jpeg.fingerprint(),
        "teachers": {name: teacher.version() for name, teacher in asked.items()},
        "rows": rows,
    }


def _pictures(data: Path, n_images: int) -> list[str]:
    with (data / "images" / "index.csv").open(encoding="utf-8", newline="") as file:
        found = sorted(
            row["file"]
            for row in csv.DictReader(file)
            if row["split"] == "large_train" and int(row["width"]) >= WIDTH and int(row["height"]) >= HEIGHT
        )
    return [found[i * len(found) // n_images] for i in range(min(n_images, len(found)))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.name}")
    arguments = parser.parse_args()
    if "SURSMR_DATA" not in os.environ:
        raise SystemExit("set SURSMR_DATA to the folder that holds images/")
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))
    result = measure(Path(os.environ["SURSMR_DATA"]), arguments.images)
    if arguments.write:
        rows = ",\n".join(json.dumps(row) for row in result.pop("rows"))
        head = json.dumps(result, indent=2).removesuffix("\n}")
        RESULT.write_text(f'{head},\n  "rows": [\n{rows}\n  ]\n}}\n')


if __name__ == "__main__":
    main()
