"""Encoder programs that a user has: finding them, and knowing them by their own words.

None of them is ever used unless its path is given, so that the same command gives the same bytes on every
machine; those on the PATH are only listed.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sursmr_codec.codecs._process import run
from sursmr_codec.errors import EncodeError, UnavailableError

_SECONDS_TO_ANSWER = 30.0
_SECONDS_TO_START = 120.0
_PIXELS_A_SECOND = 1000.0
"""Slower than any preset on any machine that was measured, by a factor of about ten."""


@dataclass(frozen=True)
class Kind:
    """A program that can stand in for a built-in encoder."""

    name: str
    """As it is called on a PATH, and with two dashes before it the option that names one."""
    codecs: tuple[str, ...]
    """Ids of the codecs that can use it."""
    question: str
    """Argument that makes it tell its version."""
    answer: str
    """Pattern of that answer; its first group is the version."""
    oldest: tuple[int, ...]
    """First version that has every option that is passed."""


KINDS = (
    Kind("cjpeg", ("jpeg",), "-version", r"(?:libjpeg-turbo|mozjpeg) version (\d+(?:\.\d+)+)", (1, 5)),
    Kind("x265", ("hevc", "bpg"), "--version", r"HEVC encoder version (\d+(?:\.\d+)+\S*)", (3, 0)),
    Kind("vvencapp", ("vvc",), "--version", r"(?i)vvenc.*?\bversion:? v?(\d+(?:\.\d+)+\S*)", (1, 9)),
    Kind("bpgenc", ("bpg",), "-h", r"BPG Image Encoder version (\d+(?:\.\d+)+\S*)", (0, 9, 5)),
)
"""Every kind of program that can be used, in the order of the codecs."""


@dataclass(frozen=True)
class Program:
    """A program that was found and answered."""

    kind: Kind
    path: str
    version: str
    words: str
    """The whole answer."""


def kind_of(name: str) -> Kind:
    """The kind of that name; KeyError for others."""
    return {kind.name: kind for kind in KINDS}[name]


@lru_cache(maxsize=32)
def find(name: str, path: str) -> Program:
    """The program at `path`, or of that name on the PATH, once it has answered as one of its kind.

    Raises UnavailableError where there is none, where it is something else, and where it is too old.
    """
    kind = kind_of(name)
    asked = run([path, kind.question], seconds=_SECONDS_TO_ANSWER)
    words = asked.stdout.decode(errors="replace") + asked.stderr
    answer = re.search(kind.answer, words)
    if answer is None:
        raise UnavailableError(f"{path} does not answer as {name} does")
    if _numbers(answer[1]) < kind.oldest:
        oldest = ".".join(str(number) for number in kind.oldest)
        raise UnavailableError(
            f"{path} is {name} {answer[1]}, which is too old: {oldest} is the oldest usable"
        )
    return Program(kind, path, answer[1], words)


def remedy(name: str) -> str:
    """What mends a program that cannot be used."""
    return f"name another with --{name}, or leave the option out to use the built-in encoder"


def on_path(codec_id: str) -> Iterator[tuple[str, str]]:
    """Name and path of each program on the PATH that the codec could use if it were asked to."""
    for kind in KINDS:
        if codec_id in kind.codecs and (path := shutil.which(kind.name)):
            yield kind.name, path


def seconds_for(width: int, height: int) -> float:
    """How long an encoder may take over a picture before it counts as hanging."""
    return _SECONDS_TO_START + width * height / _PIXELS_A_SECOND


@contextmanager
def workspace(name: str) -> Iterator[Path]:
    """A temporary folder for a program that takes no pipes; EncodeError where it cannot be made or filled."""
    try:
        with tempfile.TemporaryDirectory(prefix="sursmr-qp-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)
    except OSError as trouble:
        raise EncodeError(
            f"{name} needs temporary files, which cannot be written: {trouble.strerror or trouble}; "
            "free some space or name another folder in TMPDIR"
        ) from trouble


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.split("+")[0].split("-")[0]))
