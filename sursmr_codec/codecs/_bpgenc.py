"""bpgenc of libbpg, which reads a PNG and converts colours by itself.

Built with JCT-VC's encoder it writes the slice QP that it is asked for, built with x265 one that lies 3
lower. Which of the two stands behind a program is tried once, and what is asked for is shifted to match.
"""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image

from sursmr_codec.codecs._bitstream import read_intra_picture
from sursmr_codec.codecs._bpg import unpack
from sursmr_codec.codecs._local import find, seconds_for, workspace
from sursmr_codec.codecs._process import run
from sursmr_codec.errors import DecodeError, EncodeError
from sursmr_codec.types import Pixels

_TRIED_QP = 30
_MOST_QP = 51


def encode_bpg(path: str, pixels: Pixels, qp: int, level: int) -> bytes:
    """Encode (H, W, 3) RGB to a BPG file, 4:2:0 at 8 bit, at slice QP `qp` and compression level 1..9.

    Raises UnavailableError where the program cannot be used, and EncodeError where it fails, where the
    slice has another QP, or where the program cannot reach so high a QP.
    """
    asked = qp + shift_of(path)
    if asked > _MOST_QP:
        raise EncodeError(
            f"{path} writes slice QP {qp} for no -q up to {_MOST_QP}, as its HEVC encoder lowers it by "
            f"{asked - qp}; give --max-qp {_MOST_QP - asked + qp}"
        )
    file = _run_bpgenc(path, pixels, asked, level)
    height, width = pixels.shape[:2]
    found, shown = _read_back(path, file)
    if found != qp:
        raise EncodeError(f"{path} wrote slice QP {found}, not {qp}")
    if shown != (width, height):
        raise EncodeError(f"{path} wrote {shown[0]}x{shown[1]}, not {width}x{height}")
    return file


@lru_cache(maxsize=16)
def shift_of(path: str) -> int:
    """What has to be added to a slice QP to get it from this program; EncodeError where it can't be told."""
    slope = np.arange(32 * 32 * 3, dtype=np.uint32).reshape(32, 32, 3)
    found, _ = _read_back(path, _run_bpgenc(path, (slope % 251).astype(np.uint8), _TRIED_QP, 1))
    return _TRIED_QP - found


def _read_back(path: str, file: bytes) -> tuple[int, tuple[int, int]]:
    """Slice QP, and columns and rows, of what a program wrote."""
    try:
        picture = unpack(file)
        written = read_intra_picture(picture.annex_b())
    except DecodeError as trouble:
        raise EncodeError(f"{path} wrote a file that cannot be read back: {trouble}") from trouble
    if written.picture.varies_qp:
        raise EncodeError(f"{path} wrote a picture whose blocks depart from the slice's QP")
    return written.qp, (picture.width, picture.height)


def _run_bpgenc(path: str, pixels: Pixels, qp: int, level: int) -> bytes:
    height, width = pixels.shape[:2]
    program = find("bpgenc", path).path
    png = io.BytesIO()
    Image.fromarray(pixels).save(png, "PNG", compress_level=1)
    with workspace("bpgenc") as folder:
        picture, file = folder / "in.png", folder / "out.bpg"
        picture.write_bytes(png.getvalue())
        argv = [program, "-q", str(qp), "-f", "420", "-c", "ycbcr", "-b", "8", "-m", str(level)]
        run([*argv, "-o", str(file), str(picture)], seconds=seconds_for(width, height)).require()
        return file.read_bytes() if file.exists() else b""
