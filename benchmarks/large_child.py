"""What benchmarks/large.py runs in processes of their own, so that each has its own peak of memory.

    python benchmarks/large_child.py make WIDTH HEIGHT FILE     write a photograph, as PNG or JPEG
    python benchmarks/large_child.py pick FILE CODEC OPTIONS    search with a predictor that costs nothing
    python benchmarks/large_child.py rung FILE CODEC OPTIONS    read, encode and decode one rung
    python benchmarks/large_child.py time FILE PREDICTOR        where the time of a JPEG pick goes

OPTIONS is JSON. All but `make` print one JSON line.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from sursmr_codec import Targets, codecs, images, pick, predict
from sursmr_codec.predict.base import Embedding, Predictor
from sursmr_codec.types import PredictorSummary, Rung, Score, Source

EXAMPLES = Path(__file__).parent.parent / "docs" / "examples"
RUNG_QP = {"heic": 26}
"""Where the rung is not a third up the ladder: libheif reads at most 16 MiB of a picture back."""
_NOISE = 2.0
"""Standard deviation of what is added to the tiles, in levels, so that none of them is like another."""
_COMPARED = 1000
"""Rows and columns at most in which a decoded picture is compared with its source."""


class Ladders(Embedding):
    """Nothing of the source."""


class Stub(Predictor):
    """Ratios that fall in a straight line with QP and cost nothing."""

    id = "stub"

    def embed(self, source: Source) -> Ladders:
        return Ladders()

    def score(self, embedding: Embedding, rungs: Sequence[Rung]) -> list[Score]:
        return [Score(sur=1 - (rung.qp or 0) / 130, smr=1.0) for rung in rungs]

    def summary(self) -> PredictorSummary:
        return PredictorSummary("stub", None, "stub/none")


def photograph(width: int, height: int) -> np.ndarray:
    """(height, width, 3) uint8: the example pictures, mirrored at their edges, with noise of its own."""
    tiles = [images.read(path).rgb for path in sorted(EXAMPLES.glob("*.png"))]
    tile = np.concatenate([one[:512, :512] if one.shape[0] > one.shape[1] else one for one in tiles], axis=1)
    rows, columns = (
        _mirrored(asked, there) for asked, there in ((height, len(tile)), (width, tile.shape[1]))
    )
    chance = np.random.default_rng(0)
    pixels = np.empty((height, width, 3), dtype=np.uint8)
    for top in range(0, height, 256):
        strip = tile[rows[top : top + 256]][:, columns]
        noise = _NOISE * chance.standard_normal(strip.shape, dtype=np.float32)
        pixels[top : top + 256] = np.clip(strip + noise, 0, 255)
    return pixels


def _mirrored(asked: int, there: int) -> np.ndarray:
    place = np.arange(asked) % (2 * there)
    return np.where(place < there, place, 2 * there - 1 - place)


def run_pick(file: str, codec_id: str, options: str) -> dict[str, object]:
    """A whole search, as `pick` does it."""
    picked = pick(file, Targets(smr=0.0), codec=codecs.get(codec_id, **json.loads(options)), predictor=Stub())
    return {"qp": picked.qp, "n_bytes": picked.n_bytes, "n_encodes": picked.n_encodes}


def run_rung(file: str, codec_id: str, options: str) -> dict[str, object]:
    """One rung of good quality, and how near its pixels are to the source's."""
    source, codec = images.read(file), codecs.get(codec_id, **json.loads(options))
    qp = RUNG_QP.get(codec_id, codec.qp_range[len(codec.qp_range) // 3])
    encoded = codec.encode(source, qp)
    decoded = codec.decode(encoded, source.width, source.height)
    # The last rows and columns are where odd sizes go wrong.
    corner = (slice(-_COMPARED, None), slice(-_COMPARED, None))
    error = np.mean((source.rgb[corner].astype(np.float32) - decoded[corner]) ** 2)
    return {
        "qp": qp,
        "n_bytes": len(encoded),
        "psnr_db": round(float(10 * np.log10(255.0**2 / error)), 2),
    }


def run_time(file: str, predictor_id: str) -> dict[str, object]:
    """Stages of a JPEG pick in processor seconds, beside one plain encode of the same picture."""
    predictor = Stub() if predictor_id == "stub" else predict.load(predictor_id, threads=1)
    small = Source.from_array(np.zeros((64, 64, 3), dtype=np.uint8))
    pick(small, Targets(sur=0.01, smr=0.0), predictor=predictor)
    picked = pick(file, Targets(smr=0.0), predictor=predictor)
    jpeg = codecs.get("jpeg")
    plain = []
    for _ in range(3):
        began = time.perf_counter()
        jpeg.encode(picked.source, picked.qp or 1)
        plain.append(time.perf_counter() - began)
    stages = {
        name: getattr(picked.seconds, name) for name in ("read", "encode", "decode", "predict", "total")
    }
    return {
        "predictor": predictor.summary().id,
        "qp": picked.qp,
        "n_encodes": picked.n_encodes,
        "plain_encode": statistics.median(plain),
        "stages": stages,
    }


def peak_bytes() -> int:
    """Most memory that this process has held so far; unlike getrusage's, not its parent's before it."""
    for row in Path("/proc/self/status").read_text().splitlines():
        if row.startswith("VmHWM:"):
            return int(row.split()[1]) * 1024
    raise SystemExit("no VmHWM in /proc/self/status here; memory cannot be measured")


def main() -> None:
    task, *arguments = sys.argv[1:]
    if task == "make":
        width, height, file = int(arguments[0]), int(arguments[1]), arguments[2]
        kind = {"compress_level": 1} if file.endswith(".png") else {"quality": 92}
        Image.fromarray(photograph(width, height)).save(file, **kind)
        return
    if task == "time":
        # Other work on the machine lengthens wall time, and this much less.
        time.perf_counter = time.process_time
    answer = {"pick": run_pick, "rung": run_rung, "time": run_time}[task](*arguments)
    print(json.dumps({**answer, "peak_bytes": peak_bytes()}))


if __name__ == "__main__":
    main()
