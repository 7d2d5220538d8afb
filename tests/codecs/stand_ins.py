"""Programs that stand in for encoders that no package holds: they take the published options and no others.

    stand_ins.py vvencapp|bpgenc ARGUMENTS

What they write comes from the built-in encoders, so that every byte of it is a real stream.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

VVENCAPP_VERSION = "1.13.1"
BPGENC_VERSION = "0.9.8"


def install(folder: Path, name: str) -> str:
    """Make a program of that name in `folder`, and return its path."""
    script = folder / name
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).resolve()}" {name} "$@"\n')
    script.chmod(0o755)
    return str(script)


def vvencapp(arguments: list[str]) -> None:
    """As VVenC's wiki documents its easy application; ffmpeg's VVenC does the work."""
    if arguments == ["--version"]:
        print(f"vvencapp: Fraunhofer VVC Encoder, VVenC version {VVENCAPP_VERSION}")
        return
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("-i", "--input", required=True)
    parser.add_argument("-s", "--size", required=True)
    parser.add_argument("-c", "--format", choices=["yuv420_10"], required=True)
    parser.add_argument("-r", "--framerate", type=int, required=True)
    parser.add_argument("-f", "--frames", type=int, choices=[1], required=True)
    parser.add_argument("--preset", choices=["faster", "fast", "medium", "slow", "slower"], required=True)
    parser.add_argument("-q", "--qp", type=int, choices=range(64), required=True)
    parser.add_argument("--qpa", type=int, required=True)
    parser.add_argument("-t", "--threads", type=int, required=True)
    parser.add_argument("--additional", required=True)
    parser.add_argument("-o", "--output", required=True)
    asked = parser.parse_args(arguments)
    from imageio_ffmpeg import get_ffmpeg_exe

    argv = [get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-f", "rawvideo"]
    argv += ["-pix_fmt", "yuv420p10le", "-s", asked.size, "-r", str(asked.framerate), "-i", asked.input]
    argv += ["-frames:v", "1", "-c:v", "libvvenc", "-preset", asked.preset, "-qp", str(asked.qp)]
    argv += ["-qpa", str(asked.qpa), "-threads", str(asked.threads), "-vvenc-params", asked.additional]
    raise SystemExit(subprocess.run([*argv, "-f", "vvc", asked.output], check=False).returncode)


def bpgenc(arguments: list[str]) -> None:
    """As its help documents it; built with x265 it lowers the QP by STAND_IN_SHIFT, 3 by default."""
    if arguments == ["-h"]:
        print(f"BPG Image Encoder version {BPGENC_VERSION}\nusage: bpgenc [options] infile.[jpg|png]")
        raise SystemExit(1)
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("-q", type=int, choices=range(52), required=True)
    parser.add_argument("-f", choices=["420"], required=True)
    parser.add_argument("-c", choices=["ycbcr"], required=True)
    parser.add_argument("-b", type=int, choices=[8], required=True)
    parser.add_argument("-m", type=int, choices=range(1, 10), required=True)
    parser.add_argument("-o", required=True)
    parser.add_argument("picture")
    asked = parser.parse_args(arguments)
    import numpy as np
    from PIL import Image

    from sursmr_codec.codecs.bpg import PRESETS, Bpg
    from sursmr_codec.types import Source

    with Image.open(asked.picture, formats=["png"]) as picture:
        source = Source.from_array(np.asarray(picture))
    qp = max(0, asked.q - int(os.environ.get("STAND_IN_SHIFT", "3")))
    Path(asked.o).write_bytes(Bpg(PRESETS[asked.m - 1]).encode(source, qp))


if __name__ == "__main__":
    {"vvencapp": vvencapp, "bpgenc": bpgenc}[sys.argv[1]](sys.argv[2:])
