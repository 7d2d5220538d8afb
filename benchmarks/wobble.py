"""By how much do a codec's files grow from one QP to the next, although quality falls?

    python benchmarks/wobble.py            measure and print
    python benchmarks/wobble.py --write    also write benchmarks/wobble.json

Every rung of every codec under its default options, on the three example photographs whole (768x512), on a
64x48 piece of each, on the same pieces with a ramp of transparency where the codec keeps it, and on the
structured 64x48 picture of the contract suite. Growth counts from files of 1000 bytes on, since of smaller
ones a single byte is a large share; on the contract suite's picture it counts at every size, as there.
`wobble` is what the codec's class states and is held to.
"""

from __future__ import annotations

import argparse
import json
import platform
import runpy
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np

from sursmr_codec import codecs, images
from sursmr_codec.codecs.base import Codec
from sursmr_codec.images.alpha import as_seen
from sursmr_codec.types import Source

RESULT = Path(__file__).with_suffix(".json")
EXAMPLES = Path(__file__).parent.parent / "docs" / "examples"
CONTRACT = Path(__file__).parent.parent / "tests" / "codecs" / "conftest.py"
LEAST_BYTES = 1000
STRUCTURED = "structured 64x48"
PIECE = (slice(100, 148), slice(300, 364))


def sources(codec: Codec) -> Iterator[tuple[str, Source]]:
    """Each picture with its name, the smaller ones first."""
    yield STRUCTURED, Source.from_array(runpy.run_path(str(CONTRACT))["make_picture"](64, 48))
    whole = {path.stem: images.read(path) for path in sorted(EXAMPLES.glob("*.png"))}
    pieces = {name: Source.from_array(source.rgb[PIECE].copy()) for name, source in whole.items()}
    for name, source in pieces.items():
        yield f"{name} 64x48", source
    if "alpha" in codec.keeps:
        for name, source in pieces.items():
            ramp = np.linspace(0, 255, source.width).round().astype(np.uint8)
            alpha = np.tile(ramp, (source.height, 1))
            yield f"{name} 64x48 transparent", replace(source, rgb=as_seen(source.rgb, alpha), alpha=alpha)
    for name, source in whole.items():
        yield f"{name} {source.width}x{source.height}", source


def measure(codec: Codec, source: Source, least_bytes: int) -> dict[str, object]:
    """How often and by how much a ladder's sizes grow, from files of `least_bytes` on."""
    sizes = [len(codec.encode(source, qp)) for qp in codec.qp_range]
    growth = [higher / lower - 1 for lower, higher in pairwise(sizes)]
    counted = [share if lower >= least_bytes else 0.0 for share, lower in zip(growth, sizes, strict=False)]
    worst = max(counted)
    return {
        "n_rungs": len(sizes),
        "n_distinct_sizes": len(set(sizes)),
        "n_growing": sum(share > 0 for share in growth),
        "largest_growth": round(max(worst, 0.0), 4),
        "at_qp": codec.qp_range[counted.index(worst) + 1] if worst > 0 else None,
        "largest_growth_of_any_size": round(max(0.0, *growth), 4),
    }


def measure_all(codec_ids: list[str]) -> dict[str, object]:
    """One entry a codec: what it states, what was measured, and on which versions."""
    found = {}
    for codec_id in codec_ids:
        codec = codecs.get(codec_id)
        pictures = {
            name: measure(codec, source, 0 if name == STRUCTURED else LEAST_BYTES)
            for name, source in sources(codec)
        }
        found[codec_id] = {
            "wobble": codec.wobble,
            "largest_growth": max(float(str(one["largest_growth"])) for one in pictures.values()),
            "fingerprint": codec.fingerprint(),
            "pictures": pictures,
        }
        print(codec_id, codec.wobble, found[codec_id]["largest_growth"], flush=True)
    return {
        "schema": "sursmr-qp/wobble/1",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {"python": platform.python_version(), "system": platform.system()},
        "codecs": found,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--codec", default=",".join(codecs.ids()), help="only these, with commas between")
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.name}")
    arguments = parser.parse_args()
    result = measure_all(arguments.codec.split(","))
    if arguments.write:
        RESULT.write_text(json.dumps(result, indent=2) + "\n")
    else:
        print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
