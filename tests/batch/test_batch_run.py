"""One run after another on the same folders: what is done, what is left alone, and what is said about it."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from batch_runs import bare, files, run, statuses
from fake_batch import FakeLoad, make_pictures, paint, request

from sursmr_codec import batch, codecs, images
from sursmr_codec.batch import places
from sursmr_codec.batch.driver import Batch
from sursmr_codec.batch.dry import dry_run
from sursmr_codec.batch.outcome import EXTRA_KEYS
from sursmr_codec.batch.settings import Settings
from sursmr_codec.errors import OutputError, UnavailableError, UsageError
from sursmr_codec.picking import PickSettings
from sursmr_codec.records import PICK_KEYS
from sursmr_codec.types import SearchSettings


def test_the_tree_is_mirrored_with_the_scored_bytes(folder, out):
    outcomes = run(folder, out)
    sources = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))
    assert sorted(outcomes) == sources
    assert set(statuses(outcomes).values()) == {"done"}
    assert set(files(out)) == {source.replace(".png", ".jpg") for source in sources}
    for source, outcome in outcomes.items():
        picture = images.read(folder / source)
        written = (out / outcome.target).read_bytes()
        assert written == codecs.get("jpeg").encode(picture, outcome.record["qp"])
        assert outcome.sha256 == picture.sha256
        assert outcome.output_sha256 == hashlib.sha256(written).hexdigest()


def test_all_that_is_its_own_is_in_one_folder_and_sources_are_untouched(folder, out):
    before = {path: path.read_bytes() for path in folder.rglob("*.png")}
    run(folder, out)
    assert {path.name for path in (out / batch.STATE_FOLDER).iterdir()} == {"journal.sqlite", "lock"}
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_records(folder, out):
    (folder / "notes.txt").write_text("words")
    (folder / "broken.png").write_bytes(b"words")
    outcomes = run(folder, out)
    records = {record["source"]: record for record in batch.records(out)}
    assert records == {source: outcome.record for source, outcome in outcomes.items()}
    for record in records.values():
        assert list(record) == [*PICK_KEYS, *EXTRA_KEYS]
    done = records["0000.png"]
    assert (done["status"], done["reason"], done["retry"]) == ("done", None, None)
    assert (done["met"], done["target"]) == (True, "0000.jpg")
    assert done["output"]["path"] == str(out / "0000.jpg")
    assert done["finished"].endswith("+00:00")
    assert done["seconds"]["total"] >= done["seconds"]["read"] > 0
    assert records["notes.txt"]["status"] == "skipped"
    assert (records["broken.png"]["status"], records["broken.png"]["output"]) == ("failed", None)
    assert "--retry-failed" in records["broken.png"]["retry"]
    assert str(folder) not in records["broken.png"]["reason"]


def test_unmet_targets_write_nothing_and_say_what_to_do(folder, out):
    outcomes = run(folder, out, targets={"sur": 1.0})
    assert set(statuses(outcomes).values()) == {"unmet"}
    assert files(out) == {}
    one = outcomes["0000.png"]
    assert one.reason.startswith("jpeg cannot meet SUR 1")
    assert "--best-effort" in one.retry
    assert (one.record["met"], one.record["output"]) == (False, None)
    assert one.record["probes"]
    assert run(folder, out, targets={"sur": 1.0}) == {}
    assert set(statuses(run(folder, out, targets={"sur": 0.5})).values()) == {"done"}


def test_best_effort_writes_what_is_unmet(folder, out):
    settings = Settings(load_predictor=FakeLoad(), pick=PickSettings(best_effort=True))
    outcomes = run(folder, out, settings=settings, targets={"sur": 1.0})
    assert set(statuses(outcomes).values()) == {"unmet"}
    assert len(files(out)) == 9
    assert "best effort" in outcomes["0000.png"].reason


def test_an_original_that_is_kept_keeps_its_name(folder, out):
    settings = Settings(load_predictor=FakeLoad(), pick=PickSettings(min_savings=99.0))
    outcomes = run(folder, out, settings=settings)
    assert files(out) == files(folder)
    assert outcomes["0000.png"].target == "0000.png"
    assert outcomes["0000.png"].record["kept_original"]
    assert run(folder, out, settings=settings) == {}


def test_colliding_names(folder, out):
    shutil.copy(folder / "0000.png", folder / "0000.bmp")
    run(folder, out)
    assert {"0000.png.jpg", "0000.bmp.jpg", "0003.jpg"} <= set(files(out))
    assert "0000.jpg" not in files(out)


def test_files_of_others_are_left_alone_unless_told(folder, out):
    out.mkdir()
    (out / "0000.jpg").write_bytes(b"somebody's own")
    (out / "unrelated.txt").write_bytes(b"words")
    first = run(folder, out)
    assert first["0000.png"].status == "failed"
    assert "not of this batch" in first["0000.png"].reason
    assert "--overwrite" in first["0000.png"].retry
    assert list(statuses(first).values()).count("done") == 8
    assert (out / "0000.jpg").read_bytes() == b"somebody's own"
    # Said in each run, as it may have been moved away.
    assert statuses(run(folder, out)) == {"0000.png": "failed"}
    assert statuses(run(folder, out, overwrite=True)) == {"0000.png": "done"}
    assert (out / "unrelated.txt").read_bytes() == b"words"


def test_links_in_out_do_not_lead_out_of_it(folder, out, tmp_path):
    out.mkdir()
    (out / "a").symlink_to(folder / "a")
    (out / "0000.jpg").symlink_to(tmp_path / "elsewhere.jpg")
    outcomes = run(folder, out, overwrite=True)
    assert outcomes["0000.png"].status == outcomes["a/0001.png"].status == "failed"
    assert "symbolic link" in outcomes["0000.png"].reason
    assert not (tmp_path / "elsewhere.jpg").exists()
    assert not list(folder.rglob("*.jpg"))


def test_a_file_where_a_folder_is_needed(folder, out):
    out.mkdir()
    (out / "a").write_text("a file")
    outcomes = run(folder, out)
    assert {source for source, one in outcomes.items() if one.status == "failed"} == {
        source for source in outcomes if source.startswith("a/")
    }


def test_another_folder_does_not_go_into_the_same_out(folder, out, tmp_path):
    run(folder, out)
    make_pictures(tmp_path / "other", 1)
    with pytest.raises(UsageError, match="holds the results of"):
        run(tmp_path / "other", out)
    # One that was only moved is known by its content.
    folder.rename(tmp_path / "moved")
    assert run(tmp_path / "moved", out, overwrite=True) == {}


def test_a_whole_number_is_the_same_target(folder, out):
    assert len(run(folder, out, targets={"sur": 0.75, "smr": 0})) == 9
    assert run(folder, out, targets={"sur": 0.75, "smr": 0.0}) == {}


def test_folders_have_targets_of_their_own_and_the_request_wins(folder, out):
    (folder / "sursmr-qp.toml").write_text("sur = 0.8\nsmr = 0.0\n")
    (folder / "a" / "b" / "sursmr-qp.toml").write_text("sur = 0.6")
    targets = {source: one.record["targets"] for source, one in run(folder, out).items()}
    assert targets["0000.png"] == targets["a/0001.png"] == {"sur": 0.8, "smr": 0.0, "risk": None}
    assert targets["a/b/0002.png"] == {"sur": 0.6, "smr": 0.0, "risk": None}
    asked = run(folder, out, targets={"sur": 0.7})
    assert {one.record["targets"]["sur"] for one in asked.values()} == {0.7}
    assert {one.record["targets"]["smr"] for one in asked.values()} == {0.0}
    (folder / "a" / "b" / "sursmr-qp.toml").write_text("sur = 0.5")
    assert all(source.startswith("a/b/") for source in run(folder, out)) is False
    assert run(folder, out) == {}


@pytest.mark.parametrize("text", ["sur = 2.0", "quality = 5", "sur = 'high'", "sur = true", "not toml"])
def test_bad_files_of_targets_are_named_before_anything_is_written(folder, out, text):
    (folder / "a" / "sursmr-qp.toml").write_text(text)
    with pytest.raises(UsageError, match=r"a/sursmr-qp\.toml"):
        run(folder, out)
    assert files(out) == {}


def test_it_stops_when_told(folder, out):
    running = Batch(request(folder, out))
    seen = []
    for outcome in running:
        seen.append(outcome)
        running.stop()
    assert len(seen) == 1
    assert running.progress.n_left == 8
    assert len(run(folder, out)) == 8


def test_leaving_the_loop_leaves_a_whole_journal(folder, out):
    for _ in Batch(request(folder, out)):
        break
    assert len(list(batch.records(out))) == len(files(out)) == 1
    assert len(run(folder, out)) == 8


def test_what_cannot_work_at_all_writes_nothing(folder, out):
    with pytest.raises(UsageError, match="unknown codec"):
        run(folder, out, settings=Settings(codec="nonsense", load_predictor=FakeLoad()))
    picking = PickSettings(SearchSettings(min_qp=90, max_qp=10))
    with pytest.raises(UsageError, match="min QP"):
        run(folder, out, settings=Settings(load_predictor=FakeLoad(), pick=picking))
    with pytest.raises(UnavailableError, match="cannot be loaded: internal error: FileNotFound"):
        run(folder, out, FakeLoad(log=out / "absent" / "log"))
    assert not out.exists()


def test_out_that_cannot_be_made(folder, out):
    out.write_text("a file")
    with pytest.raises(OutputError, match="out"):
        run(folder, out)


def test_a_dry_run_says_what_a_run_does_and_writes_nothing(folder, out):
    (folder / "notes.txt").write_text("words")
    planned = {one.source: one for one in dry_run(request(folder, out))}
    assert not out.exists()
    assert planned["notes.txt"].action == "skip"
    assert (planned["a/0001.png"].action, planned["a/0001.png"].targets) == ("work", ("a/0001.jpg",))
    run(folder, out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    paint(folder / "0003.png", 99)
    planned = {one.source: one.action for one in dry_run(request(folder, out))}
    assert [source for source, action in planned.items() if action == "work"] == ["0003.png"]
    assert [one.source for one in dry_run(request(folder, out, limit=1)) if one.action == "work"] == [
        "0003.png"
    ]
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_drafts_of_killed_workers_are_swept(folder, out):
    run(folder, out)
    left = out / "a" / f"{places.DRAFT_START}0123{places.DRAFT_END}"
    left.write_bytes(b"half of a picture")
    (out / "a" / "0001.jpg").unlink()
    run(folder, out)
    assert not left.exists()


def test_names_that_are_no_text(folder, out):
    os.rename(folder / "0000.png", os.fsencode(folder) + b"/odd\xff.png")  # noqa: PTH104
    outcome = run(folder, out)["odd\udcff.png"]
    assert outcome.status == "done"
    assert os.path.exists(os.fsencode(out) + b"/odd\xff.jpg")  # noqa: PTH110
    (record,) = [one for one in batch.records(out) if "odd" in one["source"]]
    assert record["source"] == "odd\\xff.png"
    assert run(folder, out) == {}


def test_several_codecs_hold_every_name(folder, out):
    settings = Settings(codec="jpeg,webp", load_predictor=FakeLoad())
    outcomes = run(folder, out, settings=settings)
    assert set(statuses(outcomes).values()) == {"done"}
    assert {Path(name).suffix for name in files(out)} <= {".jpg", ".webp"}
    assert run(folder, out, settings=settings) == {}


def test_serial_and_processes_give_the_same(folder, out):
    (folder / "broken.png").write_bytes(b"no picture")
    run(folder, out)
    other = out.with_name("other")
    run(folder, other, engine="process", jobs=2)
    assert files(out) == files(other)
    assert [bare(record) for record in batch.records(out)] == [
        bare(record) for record in batch.records(other)
    ]


def test_from_python_it_is_a_generator_of_results(folder, out):
    outcomes = batch.run(folder, out, targets={"sur": 0.5}, predictor=FakeLoad(), engine="serial")
    first = next(outcomes)
    assert (first.source, first.status, first.target) == ("0000.png", "done", "0000.jpg")
    assert first.record["targets"]["sur"] == 0.5
    assert [outcome.source for outcome in outcomes] == ["0003.png", "0006.png"]


def test_progress_adds_up(folder, out):
    running = Batch(replace(request(folder, out), limit=5))
    assert running.progress.n_total is None
    for number, _ in enumerate(running, 1):
        progress = running.progress
        assert (progress.n_total, progress.n_left, progress.counts["done"]) == (9, 9 - number, number)
    assert running.progress.saved_bytes == progress.source_bytes - progress.output_bytes
    assert progress.source_bytes == sum(record["input"]["n_bytes"] for record in batch.records(out))
    assert progress.output_bytes == sum(len(written) for written in files(out).values())
    assert progress.rate > 0
    assert progress.eta_seconds > 0
