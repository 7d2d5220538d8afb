"""`pick` on every kind of input and output: a correct result, or one clear line and nothing written."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli.disks import fill
from images.bad_inputs import ROWS
from images.input_rows.row import OK, Row

from sursmr_codec import codecs, images

ONE_RUNG = ("--sur", "0", "--smr", "0", "--min-qp", "30", "--max-qp", "30", "--quiet", "--json")


def files_below(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_kind_of_input(run, tmp_path, row: Row):
    inputs, outputs = tmp_path / "in", tmp_path / "out"
    inputs.mkdir()
    outputs.mkdir()
    path = row.build(inputs)
    target = outputs / "picked.jpg"
    if row.unprivileged and not package_is_readable_by_all():
        pytest.skip("a user without rights cannot read this checkout, let alone run it")
    # Nor could such a user write here, which is not what the row asks.
    writing = () if row.unprivileged else ("-o", target)
    with row.user():
        ran = run("pick", path, *ONE_RUNG, *row.options, *writing)
    if row.exit_code == OK:
        assert ran.exit_code == 0, ran.stderr
        source = images.read(path, options_of(row))
        assert target.read_bytes() == codecs.get("jpeg").encode(source, 30)
        assert ran.record["input"]["width"] == source.width
        assert any(row.message in line for line in ran.record["warnings"]) or not row.message
        assert set(files_below(outputs)) == {target}
    else:
        assert ran.exit_code == 4, ran.stderr
        assert len(ran.error_lines) == 1
        assert ran.stderr.count("\n") == 1
        assert repr(path.name)[1:-1] in ran.error_lines[0]
        assert ran.record["output"] is None
        assert files_below(outputs) == {}


def package_is_readable_by_all() -> bool:
    home = Path(images.__file__).resolve()
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in home.parents)


def options_of(row: Row) -> images.Reading:
    return images.Reading(
        alpha=images.parse_alpha(row.setting("--alpha") or "refuse"),
        max_pixels=int(row.setting("--max-pixels") or images.MAX_PIXELS),
        gain_map=row.setting("--gain-map") or "refuse",
    )


def test_output_folder_absent(run, photo, tmp_path):
    ran = run("pick", photo, *ONE_RUNG, "-o", tmp_path / "absent" / "out.jpg")
    refused(ran, 6, "absent")
    assert list(tmp_path.iterdir()) == []


def test_output_is_a_folder(run, photo, tmp_path):
    refused(run("pick", photo, *ONE_RUNG, "-o", tmp_path), 6, "folder")
    assert list(tmp_path.iterdir()) == []


def test_output_folder_read_only(run, photo, tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o555)
    with as_nobody(tmp_path):
        ran = run("pick", photo, *ONE_RUNG, "-o", folder / "out.jpg")
    refused(ran, 6, "locked")
    assert list(folder.iterdir()) == []


def test_output_disk_full(run, photo, small_disk):
    fill(small_disk)
    before = set(small_disk.iterdir())
    ran = run("pick", photo, *ONE_RUNG, "-o", small_disk / "out.jpg")
    refused(ran, 6, "full")
    assert set(small_disk.iterdir()) == before


def test_a_full_disk_leaves_the_old_output(run, photo, small_disk):
    target = small_disk / "out.jpg"
    target.write_bytes(b"the old result")
    fill(small_disk)
    refused(run("pick", photo, *ONE_RUNG, "-o", target), 6, "full")
    assert target.read_bytes() == b"the old result"


def test_input_as_output(run, photo, tmp_path):
    copy = tmp_path / "photo.png"
    copy.write_bytes(photo.read_bytes())
    link = tmp_path / "link.png"
    link.symlink_to(copy)
    for target in (copy, link):
        refused(run("pick", copy, *ONE_RUNG, "-o", target), 2, "--in-place")
    assert copy.read_bytes() == photo.read_bytes()


def refused(ran, exit_code: int, words: str) -> None:
    assert ran.exit_code == exit_code, ran.stderr
    assert len(ran.error_lines) == 1
    assert ran.stderr.count("\n") == 1
    assert words in ran.error_lines[0]
    assert ran.record["output"] is None


@contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """Without root's rights, which no mode bits stop; `folder` stays reachable."""
    folder.chmod(0o777)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


@pytest.mark.parametrize("option", ["--sur", "--smr", "--risk", "--tolerance"])
@pytest.mark.parametrize("number", ["nan", "inf"])
def test_what_is_no_number_is_refused_with_a_record(run, photo, option, number):
    ran = run("pick", photo, option, number, "--json")
    assert ran.exit_code == 2
    assert number in ran.record["warnings"][0]
    assert None in (*ran.record["targets"].values(), *ran.record["search"].values())


def test_a_range_that_begins_too_high_is_named(run, photo):
    ran = run("pick", photo, "--smr", "0", "--sur", "0.9", "--min-qp", "95")
    assert ran.exit_code == 3
    assert "lower --sur or --min-qp" in ran.stderr
