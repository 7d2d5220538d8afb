"""The cache of raw answers: what was put comes back, for exactly the question that was asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from sursmr_codec.errors import OutputError
from sursmr_codec.labels.raw_cache import PictureKey, RawCache, Stored

RUNG = PictureKey("aa", "jpeg 1", 40)


def test_answers_come_back_exactly(tmp_path: Path) -> None:
    answer = {"kind": "labels", "indices": [1, 2], "scores": [0.1, 1 / 3]}
    with RawCache(tmp_path) as cache:
        cache.put({RUNG: Stored({"n_bytes": 7}, {"machine a 1": answer, "teacher t 1": 9.123456789012345})})
    with RawCache(tmp_path) as cache:
        found = cache.get(RUNG, ["teacher t 1", "machine a 1", "machine b 1"])
    assert found == Stored({"n_bytes": 7}, {"machine a 1": answer, "teacher t 1": 9.123456789012345})


def test_every_part_of_the_key_counts(tmp_path: Path) -> None:
    with RawCache(tmp_path) as cache:
        cache.put({RUNG: Stored({}, {"machine a 1": 1})})
        for other in (
            PictureKey("ab", "jpeg 1", 40),
            PictureKey("aa", "jpeg 2", 40),
            PictureKey("aa", "jpeg 1", 41),
            PictureKey("aa"),
        ):
            assert cache.get(other, ["machine a 1"]) is None
        assert cache.get(RUNG, ["machine a 2"]) == Stored({}, {})


def test_later_answers_join_earlier_ones(tmp_path: Path) -> None:
    with RawCache(tmp_path) as cache:
        cache.put({RUNG: Stored({"n_bytes": 7}, {"a": 1, "b": 2})})
        cache.put({RUNG: Stored({"n_bytes": 7}, {"b": 3, "c": 4})})
        assert cache.get(RUNG, ["a", "b", "c"]) == Stored({"n_bytes": 7}, {"a": 1, "b": 3, "c": 4})


def test_two_processes_may_share_it(tmp_path: Path) -> None:
    with RawCache(tmp_path) as one, RawCache(tmp_path) as two:
        one.put({RUNG: Stored({}, {"a": 1})})
        two.put({PictureKey("bb"): Stored({}, {"b": 2, "a": 3})})
        assert one.get(PictureKey("bb"), ["a", "b"]) == Stored({}, {"a": 3, "b": 2})
        assert two.get(RUNG, ["a"]) == Stored({}, {"a": 1})


def test_a_put_is_all_or_nothing(tmp_path: Path) -> None:
    with RawCache(tmp_path) as cache:
        with pytest.raises(TypeError):
            cache.put({RUNG: Stored({}, {"a": 1}), PictureKey("bb"): Stored({}, {"a": object()})})
        assert cache.get(RUNG, ["a"]) is None


def test_a_file_that_is_no_cache_is_named(tmp_path: Path) -> None:
    (tmp_path / "raw.sqlite").write_text("this is no database, and long enough to show it " * 20)
    with pytest.raises(OutputError, match=r"raw\.sqlite cannot be used"):
        RawCache(tmp_path)
    with pytest.raises(OutputError, match="cannot be used"):
        RawCache(tmp_path / "raw.sqlite" / "below")
