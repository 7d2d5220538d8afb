"""Pictures, settings and results that change between runs or during one: what is done again."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace

import pytest
from batch_runs import files, run, statuses
from fake_batch import FakeLoad, make_pictures, paint, request

from sursmr_codec import batch, codecs, images
from sursmr_codec.batch import driver, places
from sursmr_codec.batch.driver import Batch
from sursmr_codec.batch.settings import Settings
from sursmr_codec.errors import UnavailableError
from sursmr_codec.picking import PickSettings
from sursmr_codec.types import PredictorSummary, SearchSettings


@pytest.mark.parametrize("lasting", [True, False], ids=["old files", "fresh files"])
def test_a_second_run_does_nothing(folder, out, load, monkeypatch, lasting):
    monkeypatch.setattr(places, "_FRESH_SECONDS", 0.0 if lasting else 1e9)
    first = run(folder, out, load)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.jpg")}
    again = Batch(request(folder, out, load))
    assert list(again) == []
    assert (again.progress.n_total, again.progress.n_up_to_date, again.progress.n_left) == (9, 9, 0)
    assert load.count("embed") == len(first) == 9
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.jpg")} == before


def test_only_what_is_new_changed_missing_or_damaged_is_done(folder, out):
    run(folder, out)
    make_pictures(folder, 1, start=30)
    paint(folder / "0003.png", 99)
    (out / "a" / "0001.jpg").unlink()
    (out / "a" / "b" / "0002.jpg").write_bytes(b"damaged")
    # Rewritten, but with the same bytes.
    (folder / "0000.png").write_bytes((folder / "0000.png").read_bytes())
    redone = run(folder, out)
    assert sorted(redone) == ["0003.png", "0030.png", "a/0001.png", "a/b/0002.png"]
    fresh = out.with_name("fresh")
    run(folder, fresh)
    assert files(out) == files(fresh)


def test_a_worker_that_has_other_versions_than_the_plan_ends_the_run(folder, out, load, monkeypatch):
    described = driver.describe
    planned = PredictorSummary("fake", "0", "fake/none")
    monkeypatch.setattr(driver, "describe", lambda *of: replace(described(*of), predictor=planned))
    with pytest.raises(UnavailableError, match="other versions of encoders"):
        run(folder, out, load)
    assert load.count("embed") == 0


def test_a_change_that_keeps_size_and_times_of_the_content_is_noticed(folder, out, monkeypatch):
    monkeypatch.setattr(places, "_FRESH_SECONDS", 0.0)
    picture = folder / "0000.png"
    run(folder, out)
    found = picture.stat()
    changed = bytearray(picture.read_bytes())
    changed[-20] ^= 1
    picture.write_bytes(changed)
    os.utime(picture, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert list(run(folder, out)) == ["0000.png"]


@pytest.mark.parametrize(
    "change",
    [
        {"targets": {"sur": 0.5}},
        {"settings": Settings(load_predictor=FakeLoad(version="2"))},
        {"settings": Settings(load_predictor=FakeLoad(), codec_options={"optimize": True})},
        {"settings": Settings(load_predictor=FakeLoad(), pick=PickSettings(SearchSettings("exhaustive")))},
        {"settings": Settings(load_predictor=FakeLoad(), reading=images.Reading(max_pixels=10_000))},
    ],
    ids=["targets", "model", "codec", "search", "reading"],
)
def test_other_settings_do_everything_anew(folder, out, change):
    run(folder, out)
    assert len(run(folder, out, **change)) == 9
    assert run(folder, out, **change) == {}


def test_failed_pictures_are_tried_again_when_asked_or_changed(folder, out, load):
    (folder / "broken.png").write_bytes(b"no picture")
    (folder / "raises.png").write_bytes((folder / "0000.png").read_bytes())
    (folder / "swallows.png").write_bytes((folder / "0000.png").read_bytes())
    first = run(folder, out, load)
    failed = {source: outcome.reason for source, outcome in first.items() if outcome.status == "failed"}
    assert set(failed) == {"broken.png", "raises.png", "swallows.png"}
    assert failed["raises.png"] == "internal error: ZeroDivisionError: on purpose"
    assert "memory" in failed["swallows.png"]
    assert run(folder, out, load) == {}
    assert set(run(folder, out, load, retry_failed=True)) == set(failed)
    paint(folder / "broken.png", 5)
    assert statuses(run(folder, out, load)) == {"broken.png": "done"}


def test_a_limit_works_on_so_many_and_the_next_run_goes_on(folder, out):
    done = [set(run(folder, out, limit=4)) for _ in range(3)]
    assert [len(sources) for sources in done] == [4, 4, 1]
    assert len(set().union(*done)) == 9


def test_a_picture_that_changes_while_it_is_read_is_done_as_it_ended(folder, out, monkeypatch):
    read = places.LocalTree.source
    changes = iter([1])

    def reading(self, name, how):
        source = read(self, name, how)
        if name == "0000.png" and next(changes, None):
            paint(folder / name, 77)
        return source

    monkeypatch.setattr(places.LocalTree, "source", reading)
    outcome = run(folder, out)["0000.png"]
    assert outcome.status == "done"
    assert outcome.sha256 == hashlib.sha256((folder / "0000.png").read_bytes()).hexdigest()
    assert (out / "0000.jpg").read_bytes() == codecs.get("jpeg").encode(
        images.read(folder / "0000.png"), outcome.record["qp"]
    )


def test_a_picture_that_keeps_changing_is_no_result(folder, out, monkeypatch):
    read = places.LocalTree.source
    seeds = iter(range(1000, 2000))

    def reading(self, name, how):
        source = read(self, name, how)
        if name == "0000.png":
            paint(folder / name, next(seeds))
        return source

    monkeypatch.setattr(places.LocalTree, "source", reading)
    outcome = run(folder, out)["0000.png"]
    assert (outcome.status, outcome.reason) == ("failed", "changes while it is being read")
    assert not (out / "0000.jpg").exists()
    monkeypatch.undo()
    assert set(run(folder, out, retry_failed=True)) == {"0000.png"}


def test_a_picture_that_vanishes_fails_and_is_forgotten(folder, out, monkeypatch):
    def reading(self, name, how):
        (folder / name).unlink(missing_ok=True)
        return images.read(folder / name, how)

    monkeypatch.setattr(places.LocalTree, "source", reading)
    outcomes = run(folder, out)
    assert set(statuses(outcomes).values()) == {"failed"}
    assert "no such file" in outcomes["0000.png"].reason
    monkeypatch.undo()
    make_pictures(folder, 1, start=50)
    run(folder, out)
    assert [record["source"] for record in batch.records(out)] == ["a/b/0050.png"]


def test_results_of_sources_that_are_gone_stay(folder, out):
    run(folder, out)
    (folder / "0000.png").unlink()
    again = Batch(request(folder, out))
    assert list(again) == []
    assert again.progress.n_total == 8
    assert len(list(batch.records(out))) == len(files(out)) == 9
