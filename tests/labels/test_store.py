"""Label tables on disk: what is written comes back, and nothing that is no table of labels passes."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sursmr_codec.errors import OutputError, UsageError
from sursmr_codec.labels import store
from sursmr_codec.labels.measuring import Failure
from sursmr_codec.labels.rows import LabelRow

ROW = LabelRow(
    image="train/a.png",
    split="train",
    codec="jpeg",
    qp=40,
    n_bytes=1000,
    bpp=1.5,
    fingerprint="jpeg 1",
    cvvdp_jod=9.5,
    ssimulacra2=70.25,
    sur=0.75,
    sur_proxy=None,
    smr=0.875,
    smr_classification=1.0,
    smr_detection=0.75,
    smr_strict=0.5,
    smr_unseen=None,
    n_machines=8,
    votes={"one": 1, "two": 2},
)
FAILURE = Failure("train/b.png", "jpeg", 3, "machine one", "ValueError: no")


def table_of(*rows: LabelRow, machines: tuple[str, ...] = ("one", "two")) -> pa.Table:
    return store.to_table(rows, machines)


def test_columns_are_those_of_the_contract() -> None:
    named = (
        "image split codec qp n_bytes bpp fingerprint cvvdp_jod ssimulacra2 sur sur_proxy smr "
        "smr_classification smr_detection smr_strict smr_unseen n_machines m_one m_two"
    )
    assert table_of(ROW).column_names == named.split()


def test_a_table_comes_back(tmp_path: Path) -> None:
    rows = [ROW, replace(ROW, qp=50, sur=0.5, smr=None, votes={"one": 0, "two": 1})]
    store.write_labels(table_of(*rows), tmp_path / "x.parquet", [FAILURE])
    read = store.read_labels(tmp_path)
    assert read.equals(table_of(*rows))
    assert read["m_two"].to_pylist() == [2, 1]
    assert read["sur"].to_pylist() == [0.75, 0.5]
    assert store.read_failures(tmp_path / "x.parquet") == (FAILURE,)
    assert [path.name for path in tmp_path.iterdir()] == ["x.parquet"]


def test_the_same_table_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("x", "y"):
        store.write_labels(table_of(ROW), tmp_path / f"{name}.parquet", [FAILURE])
    assert (tmp_path / "x.parquet").read_bytes() == (tmp_path / "y.parquet").read_bytes()


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.parquet"
    store.write_labels(table_of(ROW), path)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        store.write_labels(table_of(replace(ROW, qp=50)), path)
    assert path.read_bytes() == before


def test_an_empty_table_is_one(tmp_path: Path) -> None:
    store.write_labels(table_of(), tmp_path / "x.parquet")
    assert store.read_labels(tmp_path).num_rows == 0
    assert store.read_failures(tmp_path / "x.parquet") == ()


def test_merging_fills_machines_that_a_table_lacks(tmp_path: Path) -> None:
    store.write_labels(table_of(ROW, machines=("one",)), tmp_path / "x.parquet")
    store.write_labels(
        table_of(replace(ROW, image="b.png", votes={"three": 0}), machines=("three",)), tmp_path / "y.parquet"
    )
    read = store.read_labels([tmp_path / "x.parquet", tmp_path / "y.parquet"])
    assert read.column_names[-2:] == ["m_one", "m_three"]
    assert read["m_one"].to_pylist() == [1, 2]
    assert read["m_three"].to_pylist() == [2, 0]


def test_ratios_of_further_tasks_have_columns_where_they_are_asked_for(tmp_path: Path) -> None:
    row = replace(ROW, smr_face=0.5, smr_segmentation=1.0)
    machines = list(ROW.votes)
    plain, faces = (
        store.to_table([ROW], machines),
        store.to_table([replace(row, qp=ROW.qp + 1)], machines, ["face"]),
    )
    assert [name for name in faces.column_names if name not in plain.column_names] == ["smr_face"]
    store.write_labels(faces, tmp_path / "faces.parquet")
    assert store.read_labels(tmp_path / "faces.parquet").equals(faces)
    merged = store.merge([plain, faces])
    assert merged["smr_face"].to_pylist() == [None, 0.5]
    assert merged.column_names == faces.column_names
    wrong = store.to_table([replace(row, smr_segmentation=1.5)], machines, ["segmentation"])
    with pytest.raises(UsageError, match=r"column smr_segmentation holds values outside 0\.0\.\.1\.0"):
        store.check_labels(wrong, "it")


def test_one_rung_in_two_tables_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"train/a\.png, jpeg at QP 40 is there twice"):
        store.merge([table_of(ROW), table_of(ROW)])
    with pytest.raises(UsageError, match="twice"):
        store.write_labels(table_of(ROW, ROW), tmp_path / "x.parquet")


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"sur": 1.5}, "sur"),
        ({"smr": -0.1}, "smr"),
        ({"smr_unseen": float("nan")}, "smr_unseen"),
        ({"sur_proxy": float("inf")}, "sur_proxy"),
        ({"cvvdp_jod": 10.5}, "cvvdp_jod"),
        ({"ssimulacra2": 101.0}, "ssimulacra2"),
        ({"n_bytes": 0}, "n_bytes"),
        ({"qp": -1}, "qp"),
        ({"votes": {"one": 3, "two": 1}}, "m_one"),
    ],
)
def test_values_outside_their_range_are_refused(
    tmp_path: Path, change: dict[str, object], column: str
) -> None:
    with pytest.raises(UsageError, match=f"x.parquet: column {column} holds values outside"):
        store.write_labels(table_of(ROW, replace(ROW, image="b", **change)), tmp_path / "x.parquet")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda t: t.drop_columns(["sur"]), "missing or out of order: sur"),
        (lambda t: t.select(list(reversed(t.column_names))), "out of order"),
        (lambda t: t.append_column("extra", pa.array([1], pa.uint8())), "unknown column extra"),
        (lambda t: t.set_column(3, "qp", pa.array([40], pa.int64())), "qp is int64, not int16"),
        (lambda t: t.set_column(3, "qp", pa.array([None], pa.int16())), "qp has nulls"),
        (lambda t: t.set_column(17, "m_one", pa.array([None], pa.uint8())), "m_one has nulls"),
    ],
)
def test_other_tables_are_refused_by_name(tmp_path: Path, spoil: object, complaint: str) -> None:
    path = tmp_path / "other.parquet"
    pq.write_table(spoil(table_of(ROW)), path)  # type: ignore[operator]
    with pytest.raises(UsageError, match=f"other.parquet: .*{complaint}"):
        store.read_labels(path)


def test_places_without_tables_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"^no labels in {tmp_path}, {tmp_path}: expected"):
        store.read_labels([tmp_path, str(tmp_path)])


def test_what_cannot_be_read_or_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 and no more")
    for read in (store.read_labels, store.read_failures):
        with pytest.raises(UsageError, match=r"torn\.parquet is no table"):
            read(tmp_path / "torn.parquet")
    with pytest.raises(UsageError, match=r"absent\.parquet is no table"):
        store.read_labels(tmp_path / "absent.parquet")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no labels in"):
        store.read_labels(tmp_path / "empty")
    with pytest.raises(OutputError, match=r"x\.parquet cannot be written"):
        store.write_labels(table_of(ROW), tmp_path / "absent" / "x.parquet")
