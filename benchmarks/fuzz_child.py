"""Reads and decodes damaged files; a process of its own, so that a crash or a hang ends only this one.

    fuzz_child.py SEED FIRST STOP FOLDER MEGABYTES

Prints a line before each file, its number, and one after it: what came of it.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from fuzz_files import HEIGHT, WIDTH, Format, damaged, formats

from sursmr_codec import codecs, images
from sursmr_codec.errors import ImageError

MAX_PIXELS = 4_000_000
"""Larger pictures are refused, so that a header that claims them costs no minutes."""
_POLICY = images.parse_alpha("flatten=#ffffff")


def outcome(chosen: Format, data: bytes, file: Path) -> str:
    """`picture`, `refused` with the error's class, or `foreign` with an error of another library."""
    try:
        if chosen.codec_id is None:
            file.write_bytes(data)
            pixels = images.read(file, alpha=_POLICY, max_pixels=MAX_PIXELS).rgb
        else:
            pixels = codecs.get(chosen.codec_id).decode(data, WIDTH, HEIGHT)
            if pixels.shape != (HEIGHT, WIDTH, 3):
                return f"foreign a picture of {pixels.shape}"
    except ImageError as trouble:
        line = " ".join(str(trouble).split())
        return f"refused {type(trouble).__name__}" if line.isprintable() else f"foreign line {line!r}"
    except BaseException as trouble:
        return f"foreign {' '.join(repr(trouble).split())[:300]}"
    return "picture" if pixels.ndim == 3 and pixels.dtype == "uint8" else f"foreign {pixels.dtype} pixels"


def main(seed: int, first: int, stop: int, folder: str, megabytes: int) -> None:
    """Work through the files whose numbers lie in first .. stop - 1; formats take turns."""
    kinds = formats()
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    for number in range(first, stop):
        chosen = kinds[number % len(kinds)]
        print(f"{number} {chosen.name}", flush=True)
        data = damaged(chosen, seed, number)
        print(outcome(chosen, data, Path(folder) / "damaged"), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
