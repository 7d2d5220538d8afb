"""Decodes hundreds of damaged copies of one file; run as a program, so that a crash ends only this process.

    python damage.py CODEC_ID FILE WIDTH HEIGHT SEED

Prints a JSON object: how many copies gave a picture, how many a DecodeError, and the first other outcome.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sursmr_codec import codecs
from sursmr_codec.errors import DecodeError

_MOST_MEMORY = 4 << 30
_N_FLIPPED = 300
_N_CUTS = 60


def damaged(data: bytes, rng: np.random.Generator) -> Iterator[bytes]:
    """Flipped bits (half of them near the front, where headers are), cuts, splices, and garbage."""
    for turn in range(_N_FLIPPED):
        copy = np.frombuffer(data, np.uint8).copy()
        reach = min(len(data), 160) if turn % 2 else len(data)
        places = rng.integers(0, reach, size=rng.integers(1, 9))
        copy[places] ^= (1 << rng.integers(0, 8, size=places.size)).astype(np.uint8)
        yield copy.tobytes()
    for kept in np.linspace(0, len(data) - 1, _N_CUTS, dtype=int):
        yield data[:kept]
    for _ in range(_N_CUTS):
        start, stop = sorted(rng.integers(0, len(data), size=2))
        yield data[:start] + data[stop:]
        yield data[:stop] + data[start:]
        yield rng.bytes(int(rng.integers(1, 400)))
        yield data[:64] + rng.bytes(200)
    yield data + data
    yield bytes(5000)
    yield b"\xff" * 5000


def main(codec_id: str, path: str, width: int, height: int, seed: int) -> None:
    """Decode every damaged copy and print what came of them."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    codec = codecs.get(codec_id)
    n_pictures = n_errors = 0
    other = None
    for copy in damaged(Path(path).read_bytes(), np.random.default_rng(seed)):
        try:
            pixels = codec.decode(copy, width, height)
        except DecodeError:
            n_errors += 1
        except Exception as trouble:
            other = other or repr(trouble)
        else:
            n_pictures += 1
            if pixels.shape != (height, width, 3) or pixels.dtype != np.uint8:
                other = other or f"{pixels.shape} {pixels.dtype}"
    print(json.dumps({"pictures": n_pictures, "errors": n_errors, "other": other}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *(int(word) for word in sys.argv[3:6]))
