"""From labels to views: nothing but the labelled rungs is learned from."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_labels import QPS, Labelled

from sursmr_codec import codecs, images
from sursmr_codec.codecs.jpeg import Jpeg
from sursmr_codec.errors import ImageError, UnavailableError, UsageError
from sursmr_codec.ladder import Ladder
from sursmr_codec.network.views import views
from sursmr_codec.training.batches import Targets, ViewFeed, epoch_batches, flipped, n_batches, plain_batches
from sursmr_codec.training.data import LabelledRungs, half_of, read_rungs, stage_targets, teacher_scores
from sursmr_codec.training.rungs import RungStore


def rungs_of(labelled: Labelled, split: str = "train") -> LabelledRungs:
    return read_rungs([labelled.labels], splits=(split,))[split]


def store_of(labelled: Labelled, cache: Path, size: int = 32, n_crops: int = 1) -> RungStore:
    return RungStore(labelled.images, cache, size, n_crops)


def feed_of(labelled: Labelled, cache: Path, *, flips: bool = True) -> ViewFeed:
    rungs, store = rungs_of(labelled), store_of(labelled, cache, n_crops=0)
    list(store.prepare(rungs, 1))
    ratios = stage_targets(rungs, ("sur", "smr"), {}, required=True)
    targets = Targets(ratios, rungs.votes, teacher_scores(rungs, ()))
    return ViewFeed(store, rungs, targets, flips=flips)


def test_views_are_of_the_rungs_that_the_codec_gives(labelled: Labelled, tmp_path: Path) -> None:
    rungs, store = rungs_of(labelled, "val"), store_of(labelled, tmp_path / "cache")
    steps = list(store.prepare(rungs, 2))
    assert [(step.n_done, step.n_total, step.n_encoded) for step in steps] == [(1, 2, 1), (2, 2, 2)]
    source = images.read(labelled.images / "val/1.png")
    ladder = Ladder(source, codecs.get("jpeg"))
    assert np.array_equal(store.source("val/1.png"), views(source.rgb, 32, 1))
    for qp in QPS:
        assert np.array_equal(store.rung("val/1.png", "jpeg", qp), views(ladder[qp].decoded, 32, 1))


def test_what_is_in_the_cache_is_not_encoded_again(
    labelled: Labelled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rungs = rungs_of(labelled, "val")
    first = store_of(labelled, tmp_path)
    list(first.prepare(rungs, 1))
    monkeypatch.setattr(Jpeg, "encode", lambda *_: pytest.fail("encoded again"))
    again = store_of(labelled, tmp_path)
    assert list(again.prepare(rungs, 1))[-1].n_encoded == 0
    assert np.array_equal(again.rung("val/0.png", "jpeg", 45), first.rung("val/0.png", "jpeg", 45))


@pytest.mark.parametrize(
    "spoil", [lambda p: p.write_bytes(p.read_bytes()[:-9]), lambda p: p.write_bytes(b"")]
)
def test_a_broken_cache_is_made_anew(
    labelled: Labelled, tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    rungs = rungs_of(labelled, "val")
    list(store_of(labelled, tmp_path).prepare(rungs, 1))
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    for path in before:
        spoil(path)
    assert list(store_of(labelled, tmp_path).prepare(rungs, 1))[-1].n_encoded == 2
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_another_size_is_another_cache_entry(labelled: Labelled, tmp_path: Path) -> None:
    rungs = rungs_of(labelled, "val")
    for size, n_crops in ((32, 0), (16, 0), (32, 1)):
        store = store_of(labelled, tmp_path, size, n_crops)
        assert list(store.prepare(rungs, 1))[-1].n_encoded == 2
        assert store.source("val/0.png").shape == (1 + n_crops, 3, size, size)


def test_rungs_of_another_size_are_refused(labelled: Labelled, tmp_path: Path) -> None:
    rows = [
        replace(row, n_bytes=row.n_bytes + 1) if (row.image, row.qp) == ("val/1.png", 65) else row
        for row in labelled.rows
    ]
    table = labelled.rewritten(tmp_path / "other.parquet", rows)
    rungs = read_rungs([table], splits=("val",))["val"]
    with pytest.raises(UsageError, match=r"val/1\.png: jpeg at QP 65 gives \d+ bytes here, but \d+ were"):
        list(store_of(labelled, tmp_path).prepare(rungs, 1))


def test_rungs_by_other_encoders_are_refused(labelled: Labelled, tmp_path: Path) -> None:
    rows = [replace(row, fingerprint="jpeg pillow/1.0") for row in labelled.rows]
    table = labelled.rewritten(tmp_path / "other.parquet", rows)
    rungs = read_rungs([table], splits=("val",))["val"]
    with pytest.raises(UsageError, match=r"labelled with 'jpeg pillow/1\.0', here is .*sursmr-qp\[labels\]"):
        list(store_of(labelled, tmp_path).prepare(rungs, 1))


def test_another_picture_under_the_same_name_is_refused(labelled: Labelled, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    shutil.copytree(labelled.images, folder)
    cache = tmp_path / "cache"
    rungs = rungs_of(labelled, "val")
    list(RungStore(folder, cache, 32, 0).prepare(rungs, 1))
    shutil.copy(folder / "val/0.png", folder / "val/1.png")
    with pytest.raises(UsageError, match=r"val/1\.png: .* were labelled"):
        list(RungStore(folder, cache, 32, 0).prepare(rungs, 1))


def test_rungs_that_people_judged_are_read_from_their_files(labelled: Labelled, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    shutil.copytree(labelled.images, folder)
    source = images.read(folder / "val/0.png")
    ladder = Ladder(source, codecs.get("jpeg"))
    rows = []
    for row in labelled.rows:
        if row.image == "val/0.png":
            name = f"rungs/{row.qp}.jpg"
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(ladder.encoded(row.qp))
            rows.append(replace(row, codec="bpg", fingerprint=f"file:{name}"))
    table = labelled.rewritten(tmp_path / "people.parquet", rows)
    rungs = read_rungs([table], splits=("val",))["val"]
    cache = tmp_path / "cache"
    store = RungStore(folder, cache, 32, 0)
    assert list(store.prepare(rungs, 1))[-1].n_encoded == 1
    assert np.array_equal(store.rung("val/0.png", "bpg", 45), views(ladder[45].decoded, 32, 0))
    assert list(RungStore(folder, cache, 32, 0).prepare(rungs, 1))[-1].n_encoded == 0
    # The right size, but another picture: not what was cached, and not what was labelled.
    (folder / "rungs/45.jpg").write_bytes(ladder.encoded(5)[: len(ladder.encoded(45))])
    with pytest.raises(ImageError, match=r"rungs/45\.jpg"):
        list(RungStore(folder, cache, 32, 0).prepare(rungs, 1))
    (folder / "rungs/45.jpg").write_bytes(ladder.encoded(5))
    with pytest.raises(UsageError, match=r"rungs/45\.jpg has \d+ bytes and 64x64 pixels, but \d+ bytes were"):
        list(RungStore(folder, cache, 32, 0).prepare(rungs, 1))


def test_a_missing_picture_folder_or_encoder_is_named(
    labelled: Labelled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rungs = rungs_of(labelled, "val")
    with pytest.raises(UsageError, match=r"no folder of images .* --data"):
        list(RungStore(tmp_path / "none", tmp_path, 32, 0).prepare(rungs, 1))
    with pytest.raises(ImageError, match=r"val/0\.png: no such file"):
        list(RungStore(tmp_path, tmp_path, 32, 0).prepare(rungs, 1))
    gone = Jpeg().availability()
    monkeypatch.setattr(
        Jpeg, "availability", lambda _: replace(gone, usable=False, reason="gone", remedy="x")
    )
    with pytest.raises(UnavailableError, match="codec jpeg is not usable"):
        list(store_of(labelled, tmp_path).prepare(rungs, 1))


def test_unknown_codecs_and_machines_and_no_tables_are_refused(labelled: Labelled) -> None:
    with pytest.raises(UsageError, match="no rungs of hevc"):
        read_rungs([labelled.labels], splits=("train",), codecs=("hevc",))
    with pytest.raises(UsageError, match="no votes of machine m9"):
        read_rungs([labelled.labels], splits=("train",), machines=("m9",))
    with pytest.raises(UsageError, match="--labels"):
        read_rungs([], splits=("train",))


def test_a_column_without_values_cannot_be_learned(labelled: Labelled) -> None:
    rungs = rungs_of(labelled)
    with pytest.raises(UsageError, match="column smr_strict, which smr is to be learned from"):
        stage_targets(rungs, ("smr",), {"smr": "smr_strict"}, required=True)
    assert np.isnan(stage_targets(rungs, ("smr",), {"smr": "smr_strict"}, required=False)).all()


def test_an_epoch_shows_every_rung_once_in_an_order_of_its_own(labelled: Labelled, tmp_path: Path) -> None:
    feed = feed_of(labelled, tmp_path, flips=False)
    plain = np.concatenate([batch.ratios.numpy() for batch in plain_batches(feed, 8)])
    orders = []
    for epoch in (0, 1, 0):
        batches = list(epoch_batches(feed, 8, 0, "s", epoch))
        assert [len(batch.ratios) for batch in batches] == [8, 8, 8, 8, 4]
        shown = np.concatenate([batch.ratios.numpy() for batch in batches])
        assert sorted(map(tuple, np.nan_to_num(shown))) == sorted(map(tuple, np.nan_to_num(plain)))
        orders.append(shown)
    assert np.array_equal(orders[0], orders[2], equal_nan=True)
    assert not np.array_equal(orders[0], orders[1], equal_nan=True)


def test_a_batch_is_of_several_pictures_and_looks_at_each_once(labelled: Labelled, tmp_path: Path) -> None:
    feed = feed_of(labelled, tmp_path)
    shown = feed._rungs.images
    for epoch in range(5):
        order = [shown[i] for i in feed.order(np.random.default_rng(epoch))]
        assert sorted(order) == sorted(shown)
        threes = [order[i : i + 3] for i in range(0, len(order), 3)]
        assert all(len(set(three)) == 1 for three in threes)
        # Six rungs a picture, of which three come together: all six only where two threes meet by chance.
        assert any(threes[i][0] != threes[i + 1][0] for i in range(0, len(threes), 2))
        halves = [{three[0] for three in threes[:6]}, {three[0] for three in threes[6:]}]
        assert halves[0] & halves[1]


def test_an_epoch_may_be_cut_short_and_shows_other_rungs_in_the_next(
    labelled: Labelled, tmp_path: Path
) -> None:
    feed = feed_of(labelled, tmp_path, flips=False)
    assert (n_batches(feed, 8, 2), n_batches(feed, 8, 99)) == (2, n_batches(feed, 8))
    cut, other = (list(epoch_batches(feed, 8, 0, "s", epoch, 0, 2)) for epoch in (0, 1))
    whole = list(epoch_batches(feed, 8, 0, "s", 0))
    for one, its in zip(cut, whole[:2], strict=True):
        assert np.array_equal(one.ratios, its.ratios, equal_nan=True)
    assert not np.array_equal(cut[0].ratios, other[0].ratios, equal_nan=True)


def test_an_epoch_can_be_taken_up_in_its_middle(labelled: Labelled, tmp_path: Path) -> None:
    feed = feed_of(labelled, tmp_path)
    whole = list(epoch_batches(feed, 8, 0, "s", 0))
    rest = list(epoch_batches(feed, 8, 0, "s", 0, first=3))
    assert len(rest) == 2
    for one, other in zip(whole[3:], rest, strict=True):
        assert all(bool((a == b).all()) for a, b in zip(one.inputs, other.inputs, strict=True))


def test_source_and_rung_are_mirrored_alike(labelled: Labelled, tmp_path: Path) -> None:
    feed = feed_of(labelled, tmp_path)
    plain = next(iter(plain_batches(feed, len(feed))))
    known = {one.numpy().tobytes(): i for i, one in enumerate(plain.inputs[1])}
    kinds = set()
    for batch in epoch_batches(feed, 8, 0, "s", 0):
        sources, rungs, which = batch.inputs
        assert len(sources) == len(set(which.tolist())) < len(rungs) == len(which)
        for source, rung in zip(sources[which], rungs, strict=True):
            for kind in ((False, False), (True, False), (False, True), (True, True)):
                back = flipped(rung.numpy(), *kind)
                if back.tobytes() in known:
                    place = plain.inputs[2][known[back.tobytes()]]
                    assert np.array_equal(flipped(source.numpy(), *kind), plain.inputs[0][place].numpy())
                    kinds.add(kind)
                    break
            else:
                pytest.fail("neither a rung nor its mirror image")
    assert len(kinds) == 4


@pytest.mark.parametrize(("n", "expected"), [(16, 2), (17, 2), (18, 3), (1, 1), (7, 1)])
def test_a_single_rung_is_no_batch_of_its_own(n: int, expected: int) -> None:
    assert n_batches(range(n), 8) == expected


def test_halves_of_a_split_share_no_picture_and_leave_none_out(labelled: Labelled, tmp_path: Path) -> None:
    names = [f"val/{i}.png" for i in range(200)]
    rows = [replace(labelled.rows[0], image=name, split="val") for name in names]
    table = labelled.rewritten(tmp_path / "many.parquet", [*rows, *labelled.rows[:6]])
    splits = ("val", "val/choosing", "val/risk", "train")
    found = {split: set(some.images) for split, some in read_rungs([table], splits=splits).items()}
    assert found["val/choosing"] | found["val/risk"] == found["val"] == set(names)
    assert not found["val/choosing"] & found["val/risk"]
    assert 70 < len(found["val/risk"]) < 130
    assert found["train"] == {"train/0.png"}
    assert {half_of(name) for name in found["val/risk"]} == {"risk"}
