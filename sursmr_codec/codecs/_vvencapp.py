"""VVenC's own application, vvencapp, which reads and writes files."""

from __future__ import annotations

from sursmr_codec.codecs._local import find, seconds_for, workspace
from sursmr_codec.codecs._process import run
from sursmr_codec.errors import EncodeError
from sursmr_codec.images.colour import Planes


def run_vvencapp(path: str, planes: Planes, qp: int, preset: str, parameters: str) -> bytes:
    """Encode 4:2:0 planes of 10 bits to an Annex B stream.

    `parameters` are in VVenC's own notation: `BIM=0:IntraQPOffset=0`. Raises UnavailableError where the
    program cannot be used, and EncodeError where it fails or writes nothing.
    """
    height, width = planes.y.shape
    program = find("vvencapp", path).path
    with workspace("vvencapp") as folder:
        raw, stream = folder / "in.yuv", folder / "out.266"
        raw.write_bytes(b"".join(plane.astype("<u2").tobytes() for plane in (planes.y, planes.cb, planes.cr)))
        argv = [program, "-i", str(raw), "-s", f"{width}x{height}", "-c", "yuv420_10", "-r", "25", "-f", "1"]
        argv += ["--preset", preset, "-q", str(qp), "--qpa", "0", "-t", "1", "--additional", parameters]
        done = run([*argv, "-o", str(stream)], seconds=seconds_for(width, height)).require()
        encoded = stream.read_bytes() if stream.exists() else b""
    if not encoded:
        raise EncodeError(f"{path} wrote no VVC stream: {done.last_words}")
    return encoded
