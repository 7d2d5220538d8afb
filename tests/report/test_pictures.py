"""What a page shows of each picture, and the copies made for those that browsers cannot show."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from urllib.parse import unquote

import fabricated
import numpy as np
import pytest
from PIL import Image

from sursmr_codec import codecs, images
from sursmr_codec.report import pictures, previews


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """The folder of a page, below that of the run."""
    folder = tmp_path / "out" / ".sursmr-qp" / "report"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def out(page: Path) -> Path:
    """The folder of the run."""
    return page.parent.parent


def all_of(records, out, page, n_most=100):
    found = [pictures.find(record, out, page) for record in records]
    for index, shown in pictures.preview(records, found, out, page, n_most):
        found[index] = shown
    return found


def test_files_that_browsers_show_are_shown_themselves(out, page, real_done):
    record = real_done(out, "sub/a #1 ä?.png", "jpeg")
    (found,) = all_of([record], out, page)
    assert (page / unquote(found.whole.before)).resolve() == Path(record["input"]["path"])
    assert (page / unquote(found.whole.after)).resolve() == out / "sub" / "a #1 ä?.jpg"
    assert "#" not in found.whole.after
    assert found.cut is None
    assert found.note is None
    assert not (page / "previews").exists()


def test_a_small_picture_is_copied_without_loss(out, page, real_done):
    record = real_done(out, "a.png", "hevc")
    (found,) = all_of([record], out, page)
    assert found.cut is None
    before, after = (
        np.asarray(Image.open(page / name).convert("RGB")) for name in (found.whole.before, found.whole.after)
    )
    np.testing.assert_array_equal(before, images.read(record["input"]["path"]).rgb)
    written = (out / "a.hevc").read_bytes()
    np.testing.assert_array_equal(after, codecs.get("hevc").decode(written, 192, 128))


def test_a_large_picture_is_scaled_and_has_a_cut_where_the_two_differ_most(out, page, real_done):
    record = real_done(out, "large.png", "hevc", size=(2000, 1000))
    source = images.read(record["input"]["path"]).rgb
    # One corner of the written picture is replaced, so that nothing differs more.
    spoiled = source.copy()
    spoiled[600:, 1500:] = 255 - spoiled[600:, 1500:]
    encoded = codecs.get("hevc", preset="ultrafast").encode(
        images.read(record["input"]["path"]).from_array(spoiled), 10
    )
    (out / "large.hevc").write_bytes(encoded)
    record["output"]["sha256"] = hashlib.sha256(encoded).hexdigest()
    (found,) = all_of([record], out, page)
    with Image.open(page / found.whole.before) as whole:
        assert whole.size == (1600, 800)
    with Image.open(page / found.cut.before) as cut:
        assert cut.size == previews.CUT
        pixels = np.asarray(cut.convert("RGB"))
    corners = [
        (top, left)
        for top in range(0, 1000 - 480 + 1, 8)
        for left in range(0, 2000 - 640 + 1, 16)
        if np.array_equal(source[top, left : left + 640], pixels[0])
    ]
    (corner,) = corners
    assert corner[0] >= 500
    assert corner[1] >= 1340


def test_a_second_page_takes_the_copies_again(out, page, real_done):
    record = real_done(out, "a.png", "hevc")
    (found,) = all_of([record], out, page)
    copies = sorted(page.glob("previews/*"))
    stamps = [copy.stat().st_mtime_ns for copy in copies]
    assert all_of([record], out, page) == [found]
    assert [copy.stat().st_mtime_ns for copy in copies] == stamps


def test_only_so_many_are_copied_and_the_least_satisfied_first(out, page, real_done):
    good, bad = real_done(out, "good.png", "hevc"), real_done(out, "bad.png", "hevc", 50)
    bad["sur"] = 0.3
    first, second = all_of([good, bad], out, page, n_most=1)
    assert first.whole is None
    assert "--previews" in first.note
    assert second.whole is not None


def test_what_is_gone_or_has_changed_is_said(out, page, real_done):
    gone, changed, unreadable = (real_done(out, f"{name}.png", "hevc") for name in "abc")
    (out / "a.hevc").unlink()
    Path(changed["input"]["path"]).write_bytes(b"other")
    (out / "c.hevc").write_bytes(b"no stream")
    found = all_of([gone, changed, unreadable], out, page)
    assert [one.whole for one in found] == [None, None, None]
    assert "written file is not where it was" in found[0].note
    assert "source has changed" in found[1].note
    assert "c.hevc has changed since" in found[2].note
    assert not list(page.glob("previews/*"))


def test_a_run_that_was_moved_still_finds_what_it_wrote(tmp_path, out, page, real_done):
    record = real_done(out, "sub/a.png", "jpeg")
    moved = tmp_path / "moved"
    shutil.move(out, moved)
    found = pictures.find(record, moved, moved / ".sursmr-qp" / "report")
    assert found.output == "../../sub/a.jpg"


def test_addresses_hold_whatever_name_a_linked_folder_is_opened_by(tmp_path, out, page, real_done):
    record = real_done(out, "sub/a.png", "jpeg")
    link = tmp_path / "somewhere" / "deeper" / "link"
    link.parent.mkdir(parents=True)
    link.symlink_to(out)
    found = pictures.find(record, link, link / ".sursmr-qp" / "report")
    assert found.source == Path(record["input"]["path"]).as_uri()
    assert (
        unquote(pictures.address(link / "sub" / "a.jpg", link / ".sursmr-qp" / "report")) == "../../sub/a.jpg"
    )


def test_records_without_files_have_no_pictures(out, page):
    for record in (fabricated.failed(), fabricated.unmet(), fabricated.skipped()):
        found = pictures.find(record, out, page)
        assert found == pictures.Pictures()
    remote = fabricated.done()
    remote["input"]["path"], remote["output"]["path"] = "s3://bucket/a.png", "s3://bucket/out/a.jpg"
    found = pictures.find(remote, out, page)
    assert (found.source, found.output, found.whole) == (None, None, None)
    assert "object storage" in found.note


def test_a_transparent_source_is_laid_on_white(out, page, real_done):
    record = real_done(out, "glass.png", "hevc")
    path = Path(record["input"]["path"])
    with Image.open(path) as opaque:
        glass = opaque.convert("RGBA")
    glass.putalpha(128)
    glass.save(path)
    source = images.read(path, alpha=images.parse_alpha("flatten=#ffffff"))
    record["input"] |= {"sha256": source.sha256, "n_bytes": source.n_bytes}
    (found,) = all_of([record], out, page)
    with Image.open(page / found.whole.before) as copy:
        np.testing.assert_array_equal(np.asarray(copy.convert("RGB")), source.rgb)
