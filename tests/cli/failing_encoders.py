"""Encoder programs that go wrong, each in its own way: small scripts, written where a test wants them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

STAND_INS = Path(__file__).resolve().parents[1] / "codecs" / "stand_ins.py"


@dataclass(frozen=True)
class Encoder:
    """A program that `pick` can be told to encode with."""

    name: str
    codec: str
    answer: str
    """What it says when it is asked for its version."""
    old_answer: str
    """The same of one that is too old."""
    output: str
    """Where it writes its stream: a shell word."""
    real: Callable[[], str]
    """Command line of one that works, as a shell writes it."""
    is_tried: bool = False
    """Whether it has to prove that it writes the QP it is asked for before it encodes the picture."""

    def options(self, path: object) -> tuple[str, ...]:
        """What makes `pick` use the program at that path."""
        named = () if self.name == "ffmpeg" else (f"--{self.name}", str(path))
        return ("--codec", self.codec, *named)


def _stand_in(name: str) -> Callable[[], str]:
    return lambda: f'"{sys.executable}" "{STAND_INS}" {name}'


def _ffmpeg() -> str:
    from imageio_ffmpeg import get_ffmpeg_exe

    return f'"{get_ffmpeg_exe()}"'


_FFMPEG_ANSWER = "ffmpeg version 9.0\\n V....D libvvenc VVC"
_X265_ANSWER = "x265 [info]: HEVC encoder version"
_AFTER_O = '"$(while [ "$1" != -o ]; do shift; done; echo "$2")"'
_STDOUT = "/dev/stdout"

ENCODERS = (
    Encoder("x265", "hevc", f"{_X265_ANSWER} 3.5", f"{_X265_ANSWER} 1.9", _STDOUT, lambda: "x265"),
    Encoder("x265", "bpg", f"{_X265_ANSWER} 3.5", f"{_X265_ANSWER} 1.9", _STDOUT, lambda: "x265"),
    Encoder(
        *("cjpeg", "jpeg", "libjpeg-turbo version 2.1.5", "libjpeg-turbo version 1.2.0"),
        *(_STDOUT, lambda: "cjpeg"),
    ),
    Encoder(
        "ffmpeg",
        "vvc",
        _FFMPEG_ANSWER,
        "ffmpeg version 5.1\\n V....D libx264",
        _STDOUT,
        _ffmpeg,
        is_tried=True,
    ),
    Encoder(
        *("vvencapp", "vvc", "vvencapp: VVenC version 1.13.1", "vvencapp: VVenC version 1.2.0"),
        *(_AFTER_O, _stand_in("vvencapp"), True),
    ),
    Encoder(
        *("bpgenc", "bpg", "BPG Image Encoder version 0.9.8", "BPG Image Encoder version 0.9.1"),
        *(_AFTER_O, _stand_in("bpgenc"), True),
    ),
)
"""ffmpeg is named by the environment variable that imageio-ffmpeg reads, the others by their options."""


@dataclass(frozen=True)
class Failure:
    """A way to go wrong, and words that have to be in the one line that is printed."""

    name: str
    does: str
    message: str
    old: bool = False


FAILURES = (
    Failure("too old", "exit 0", "", old=True),
    Failure("killed half-way", 'head -c 3000 /dev/zero > "$OUT"; kill -9 $$', "was killed by SIGKILL"),
    Failure("crashed", "kill -SEGV $$", "was killed by SIGSEGV"),
    Failure("failed", "echo 'no such luck' >&2; exit 3", "no such luck"),
    Failure("wrote garbage", 'head -c 5000 /dev/urandom > "$OUT"', ""),
    Failure("wrote nothing", "cat > /dev/null", ""),
    Failure("wrote an empty file", ': > "$OUT"', ""),
    Failure("wrote the front of it", 'head -c 40 /dev/zero > "$OUT"', ""),
    Failure("10 MB of words", "head -c 10000000 /dev/zero | tr '\\0' 'e' >&2; exit 1", "eeee"),
    Failure("odd words", "printf 'a\\033[31m\\007\\377\\nb\\n' >&2; exit 1", "ended with code 1"),
)
ENDLESS = (
    Failure("hangs", 'echo half-way >&2; echo $$ > "$0.pid"; sleep 600', "took more than 1 s"),
    Failure("never stops writing", "yes", "wrote more than 4194304 bytes"),
)

QUESTIONS = "-version|--version|-h|-encoders"


def script(encoder: Encoder, folder: Path, does: str, *, old: bool = False, n_good: int = 0) -> Path:
    """A program that answers, works `n_good` times, and then does what is written in shell.

    In `does`, `$OUT` is where the stream belongs, and `real "$@"` calls one that works.
    """
    path, count = folder / encoder.name, folder / "count"
    path.write_text(
        "#!/bin/sh\n"
        f'for word in "$@"; do case "$word" in {QUESTIONS})\n'
        f"  printf '{encoder.old_answer if old else encoder.answer}\\n'; exit 0;; esac; done\n"
        f'echo x >> "{count}"\n'
        f'real() {{ {encoder.real()} "$@"; }}\n'
        f'if [ "$(wc -l < "{count}")" -le {n_good} ]; then real "$@"; exit $?; fi\n'
        f"OUT={encoder.output}\n"
        f"{does}\n"
    )
    path.chmod(0o755)
    return path


def works_here(encoder: Encoder) -> bool:
    """Whether there is one that works to be tried or called."""
    program = encoder.real().split('"')[1] if '"' in encoder.real() else encoder.real()
    return shutil.which(program) is not None
