"""Which encoder and decoder programs were run, and how near are they to what is built in?

    python benchmarks/encoders.py                                 print
    python benchmarks/encoders.py --also cjpeg=/opt/mozjpeg/cjpeg run a program that is not on the PATH too
    python benchmarks/encoders.py --write                         also write benchmarks/encoders.json

Encoders: at every QP of their codec, whether the written QP (the luma table of JPEG) is the one asked for,
and, at six QPs of a photograph, bytes and PSNR beside the built-in encoder at the same QP. Decoders: PSNR
between their pixels and ours, of our files and of files from encoders of the same origin.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from sursmr_codec import codecs, images
from sursmr_codec.codecs._local import KINDS, find
from sursmr_codec.codecs.base import Codec
from sursmr_codec.errors import EncodeError
from sursmr_codec.types import Pixels, Source

ROOT = Path(__file__).resolve().parent.parent
RESULT = Path(__file__).with_suffix(".json")
PHOTO = ROOT / "docs" / "examples" / "kodim23.png"
N_COMPARED = 6

sys.path.insert(0, str(ROOT / "tests" / "codecs"))
from other_programs import HEIGHT, OTHERS, WIDTH, NotInstalled, Other, call, decode  # noqa: E402


def encoders(also: dict[str, str]) -> list[dict[str, object]]:
    """One row for each program and codec that it can encode; those that are not here only say so."""
    photo = images.read(PHOTO)
    rows: list[dict[str, object]] = []
    for kind in KINDS:
        paths = [path for path in (shutil.which(kind.name), also.get(kind.name)) if path]
        for codec_id in kind.codecs:
            rows += [_encoder(kind.name, path, codec_id, photo) for path in paths]
            if not paths:
                rows.append({"program": kind.name, "codec": codec_id, "version": None})
    return rows


def _encoder(name: str, path: str, codec_id: str, photo: Source) -> dict[str, object]:
    local, built_in = codecs.get(codec_id, **{name: path}), codecs.get(codec_id)
    local.require()
    small = Source.from_array(np.ascontiguousarray(photo.rgb[100:148, 300:364]))
    qps = np.linspace(local.qp_range[0], local.qp_range[-1], N_COMPARED + 2).round().astype(int)[1:-1]
    sizes, differences = [], []
    for qp in map(int, qps):
        ours, theirs = built_in.encode(photo, qp), local.encode(photo, qp)
        sizes.append(len(theirs) / len(ours))
        differences.append(_quality(local, theirs, photo) - _quality(built_in, ours, photo))
    words = find(name, path).words
    return {
        "program": name,
        "of": "mozjpeg" if "mozjpeg" in words else "libjpeg-turbo" if name == "cjpeg" else name,
        "codec": codec_id,
        "version": find(name, path).version,
        "n_qps": len(local.qp_range),
        "n_qps_exact": sum(_is_exact(local, small, qp) for qp in local.qp_range),
        "bytes_percent": round(100 * (float(np.mean(sizes)) - 1), 2),
        "psnr_db": round(float(np.mean(differences)), 3),
    }


def _is_exact(codec: Codec, source: Source, qp: int) -> bool:
    # Each encoder reads the QP back and raises where it is another.
    try:
        return len(codec.encode(source, qp)) > 0
    except EncodeError:
        return False


def decoders() -> list[dict[str, object]]:
    """One row for each decoder program; null where it is not here, and for pixels that are the same."""
    photo = images.read(PHOTO)
    crop = Source.from_array(np.ascontiguousarray(photo.rgb[100 : 100 + HEIGHT, 300 : 300 + WIDTH]))
    with tempfile.TemporaryDirectory() as folder:
        return [_decoder(other, crop, Path(folder)) for other in OTHERS]


def _decoder(other: Other, crop: Source, folder: Path) -> dict[str, object]:
    codec = codecs.get(other.codec)
    row: dict[str, object] = {"codec": other.codec, "decoder": other.decode[0], "bound_db": _db(other.ours)}
    try:
        found = []
        for qp in (codec.qp_range[0], codec.qp_range[len(codec.qp_range) // 2], codec.qp_range[-1]):
            file = folder / f"{other.codec}-{qp}{codec.extension}"
            file.write_bytes(codec.encode(crop, qp))
            found.append(_psnr(codec.decode(file.read_bytes(), WIDTH, HEIGHT), decode(other, file)))
        row |= {"run": True, "ours_db": _db(min(found)), "encoder": None, "theirs_db": None}
        if other.encode:
            png, file = folder / "in.png", folder / f"{other.codec}-theirs{codec.extension}"
            from PIL import Image

            Image.fromarray(crop.rgb).save(png)
            call(other.encode, png=png, file=file)
            theirs = _psnr(codec.decode(file.read_bytes(), WIDTH, HEIGHT), decode(other, file))
            row |= {"encoder": other.encode[0], "theirs_db": _db(theirs)}
    except NotInstalled:
        row |= {"run": False, "ours_db": None, "encoder": None, "theirs_db": None}
    return row


def _quality(codec: Codec, encoded: bytes, source: Source) -> float:
    return _psnr(source.rgb, codec.decode(encoded, source.width, source.height))


def _psnr(one: Pixels, other: Pixels) -> float:
    error = float(np.mean((one.astype(np.float64) - other) ** 2))
    return math.inf if error == 0 else 10 * math.log10(255.0**2 / error)


def _db(value: float) -> float | str:
    return "same" if math.isinf(value) else round(value, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--also", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.name}")
    arguments = parser.parse_args()
    also = dict(pair.split("=", 1) for pair in arguments.also)
    built_in: dict[str, str] = {}
    for kind in KINDS:
        for codec_id in kind.codecs:
            built_in.update(codecs.get(codec_id).availability().versions)
    result = {
        "schema": "sursmr-qp/encoders/1",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {"python": platform.python_version(), "system": platform.system()},
        "built_in": built_in,
        "encoders": encoders(also),
        "decoders": decoders(),
    }
    text = json.dumps(result, indent=1)
    print(text)
    if arguments.write:
        RESULT.write_text(text + "\n")


if __name__ == "__main__":
    main()
