"""What every codec keeps; a new codec joins by one line of CODECS."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from sursmr_codec import codecs
from sursmr_codec.codecs import Codec
from sursmr_codec.errors import DecodeError, UsageError
from sursmr_codec.types import CodecSummary, Pixels, Source

PSNR = Callable[[Pixels, Pixels], float]
Picture = Callable[..., Pixels]


@dataclass(frozen=True)
class Entry:
    """One codec and what only the test needs to know of it."""

    id: str
    floor: float
    """PSNR in dB of the structured picture at the lowest QP."""
    other: Mapping[str, object] = field(default_factory=dict)
    """Options that change bytes; empty for a codec without options."""
    quick: Mapping[str, object] = field(default_factory=dict)
    """Options under which whole ladders are encoded."""


CODECS = [
    Entry("jpeg", floor=40.0, other={"chroma": "444", "progressive": True, "optimize": True}),
    Entry(
        "hevc",
        floor=40.0,
        other={"preset": "ultrafast", "chroma": "444", "bit_depth": 10},
        quick={"preset": "veryfast"},
    ),
    Entry("vvc", floor=40.0, other={"preset": "fast"}),
    Entry(
        "bpg",
        floor=40.0,
        other={"preset": "slow", "chroma": "444", "bit_depth": 10},
        quick={"preset": "veryfast"},
    ),
    Entry(
        "heic",
        floor=40.0,
        other={"preset": "ultrafast", "chroma": "444", "bit_depth": 10},
        quick={"preset": "veryfast"},
    ),
    Entry("avif", floor=40.0, other={"speed": 9, "chroma": "444"}),
    Entry("webp", floor=40.0, other={"effort": 1}),
    Entry("jxl", floor=40.0, other={"effort": 4}),
    Entry("jpegli", floor=40.0),
]
SIZES = [(n, n) for n in range(1, 18)] + [(1, 40), (40, 1), (17, 64), (65, 33), (130, 3), (1, 600), (600, 1)]


@pytest.fixture(params=CODECS, ids=lambda entry: entry.id)
def entry(request: pytest.FixtureRequest) -> Entry:
    found: Entry = request.param
    availability = codecs.get(found.id).availability()
    if not availability.usable:
        pytest.skip(f"{found.id} is not usable here: {availability.reason}")
    return found


@pytest.fixture
def codec(entry: Entry) -> Codec:
    return codecs.get(entry.id, **entry.quick)


def test_every_qp_encodes_decodes_and_shrinks(codec: Codec, source: Source, psnr: PSNR) -> None:
    sizes, qualities = [], []
    for qp in codec.qp_range:
        data = codec.encode(source, qp)
        decoded = codec.decode(data, source.width, source.height)
        assert decoded.shape == source.rgb.shape
        assert decoded.dtype == np.uint8
        sizes.append(len(data))
        qualities.append(psnr(source.rgb, decoded))
    for lower, higher in pairwise(sizes):
        assert higher <= lower * (1 + codec.wobble)
    assert sizes[0] > 3 * sizes[-1]
    assert qualities[0] > qualities[len(qualities) // 2] > qualities[-1]


def test_qp_is_contiguous_and_rises(codec: Codec) -> None:
    assert codec.qp_range.step == 1
    assert len(codec.qp_range) > 10
    assert 0.0 <= codec.wobble < 0.1


def test_lowest_qp_is_near_the_source(entry: Entry, codec: Codec, source: Source, psnr: PSNR) -> None:
    data = codec.encode(source, codec.qp_range[0])
    assert psnr(source.rgb, codec.decode(data, source.width, source.height)) >= entry.floor


def test_grey_stays_grey(entry: Entry, codec: Codec, picture: Picture, psnr: PSNR) -> None:
    grey = Source.from_array(picture(64, 48, grey=True))
    decoded = codec.decode(codec.encode(grey, codec.qp_range[0]), 64, 48)
    assert psnr(grey.rgb, decoded) >= entry.floor
    assert int(np.ptp(decoded.astype(int), axis=2).max()) <= 2


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_any_size(entry: Entry, codec: Codec, picture: Picture, psnr: PSNR, size: tuple[int, int]) -> None:
    width, height = size
    coloured = Source.from_array(picture(width, height))
    for qp in (codec.qp_range[0], codec.qp_range[len(codec.qp_range) // 2], codec.qp_range[-1]):
        decoded = codec.decode(codec.encode(coloured, qp), width, height)
        assert decoded.shape == (height, width, 3)
    # Grey, because halved chroma blurs the hard colour edges that fill so small a picture.
    grey = Source.from_array(picture(width, height, grey=True))
    near = codec.decode(codec.encode(grey, codec.qp_range[0]), width, height)
    assert psnr(grey.rgb, near) >= entry.floor


def test_same_bytes_every_time_and_from_threads(entry: Entry, picture: Picture) -> None:
    first = codecs.get(entry.id, **entry.quick)
    again = codecs.get(entry.id, **entry.quick)
    qps = [first.qp_range[0], first.qp_range[len(first.qp_range) // 2], first.qp_range[-2]]
    sources = [Source.from_array(picture(width, 48, seed)) for seed, width in enumerate((64, 50, 33))]
    work = [(source, qp) for source in sources for qp in qps]
    alone = [first.encode(source, qp) for source, qp in work]
    with ThreadPoolExecutor(2) as pool:
        threaded = list(pool.map(lambda pair: again.encode(*pair), work + work))
    assert threaded == alone + alone


def test_encoding_leaves_the_source_alone(codec: Codec, picture: Picture) -> None:
    pixels = picture(33, 21)
    source = Source.from_array(pixels.copy())
    codec.encode(source, codec.qp_range[5])
    np.testing.assert_array_equal(source.rgb, pixels)


def test_qp_outside_the_range_is_a_usage_error(codec: Codec, source: Source) -> None:
    for qp in (codec.qp_range[0] - 1, codec.qp_range[-1] + 1, -1000, 1000):
        with pytest.raises(UsageError, match=f"{codec.id} takes QP"):
            codec.encode(source, qp)
        with pytest.raises(UsageError, match=f"{codec.id} takes QP"):
            codec.native(qp)


@pytest.mark.parametrize("data", [b"", b"\0", b"garbage", b"\0\0\0\1", bytes(2000), b"\xff\xd8\xff" * 50])
def test_garbage_is_a_decode_error(codec: Codec, data: bytes) -> None:
    with pytest.raises(DecodeError):
        codec.decode(data, 64, 48)


def test_larger_than_encoded_is_a_decode_error(codec: Codec, source: Source) -> None:
    data = codec.encode(source, codec.qp_range[10])
    for width, height in ((65, 48), (64, 49), (640, 480), (100_000, 48)):
        with pytest.raises(DecodeError):
            codec.decode(data, width, height)


@pytest.mark.parametrize("size", [(0, 48), (64, 0), (-1, 48)])
def test_sizes_without_pixels_are_decode_errors(codec: Codec, source: Source, size: tuple[int, int]) -> None:
    with pytest.raises(DecodeError):
        codec.decode(codec.encode(source, codec.qp_range[10]), *size)


def test_damaged_files_decode_or_raise_decode_error(codec: Codec, source: Source, tmp_path: Path) -> None:
    """In a process of its own: a crash or hang of a native decoder fails this test and no other."""
    file = tmp_path / f"whole{codec.extension}"
    file.write_bytes(codec.encode(source, codec.qp_range[len(codec.qp_range) // 3]))
    program = Path(__file__).with_name("damage.py")
    done = subprocess.run(
        [sys.executable, str(program), codec.id, str(file), "64", "48", "7"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr[-2000:]}"
    assert done.stderr == ""
    outcome = json.loads(done.stdout)
    assert outcome["other"] is None
    assert outcome["errors"] > 100
    assert outcome["pictures"] + outcome["errors"] > 500


def test_decoding_prints_nothing(codec: Codec, source: Source, capfd: pytest.CaptureFixture[str]) -> None:
    data = codec.encode(source, codec.qp_range[10])
    codec.decode(data, 64, 48)
    with pytest.raises(DecodeError):
        codec.decode(data[:40], 64, 48)
    assert capfd.readouterr() == ("", "")


def test_fingerprint_is_one_stable_line_of_versions(entry: Entry, codec: Codec) -> None:
    line = codec.fingerprint()
    assert line == codecs.get(entry.id, **entry.quick).fingerprint()
    assert "\n" not in line
    assert line.startswith(f"{entry.id} ")
    for name, version in codec.availability().versions.items():
        assert f"{name}/{version}" in line
        assert any(character.isdigit() for character in version)


def test_each_option_changes_fingerprint_and_the_written_file(entry: Entry, source: Source) -> None:
    plain = codecs.get(entry.id)
    assert set(plain.options) == set(entry.other)
    written = plain.finish(source, 20, plain.encode(source, 20))
    for name, value in entry.other.items():
        changed = codecs.get(entry.id, **{name: value})
        assert changed.options == {**plain.options, name: value}
        assert changed.fingerprint() != plain.fingerprint()
        assert changed.finish(source, 20, changed.encode(source, 20)) != written


def test_a_finished_file_has_the_rungs_pixels_and_is_no_larger(entry: Entry, picture: Picture) -> None:
    codec = codecs.get(entry.id, **entry.other)
    for width, height in ((1, 1), (33, 21), (200, 150)):
        source = Source.from_array(picture(width, height))
        for qp in (codec.qp_range[0], codec.qp_range[len(codec.qp_range) // 2], codec.qp_range[-1]):
            rung = codec.encode(source, qp)
            finished = codec.finish(source, qp, rung)
            assert len(finished) <= len(rung)
            np.testing.assert_array_equal(
                codec.decode(finished, width, height), codec.decode(rung, width, height)
            )


def test_unknown_options_are_usage_errors(entry: Entry) -> None:
    with pytest.raises(UsageError, match="does not take"):
        codecs.get(entry.id, no_such_option=1)
    for name in entry.other:
        with pytest.raises(UsageError):
            codecs.get(entry.id, **{name: "no such value"})


def test_native_names_the_codecs_own_number(codec: Codec) -> None:
    numbers = [codec.native(qp) for qp in codec.qp_range]
    assert len({json.dumps(dict(number)) for number in numbers}) == len(codec.qp_range)
    assert all(len(number) == 1 for number in numbers)


def test_availability_holds_versions(codec: Codec) -> None:
    found = codec.availability()
    assert found.usable
    assert found.reason is None
    assert found.remedy is None
    assert found.versions
    codec.require()


def test_summary_says_all_of_it(codec: Codec) -> None:
    assert codec.summary() == CodecSummary(
        codec.id, codec.extension, codec.fingerprint(), dict(codec.options)
    )
    assert codec.extension.startswith(".")
