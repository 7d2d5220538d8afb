"""Batches that are killed at random moments end as those that are not; `kill_job.py` does it at length."""

from __future__ import annotations

from pathlib import Path

from kill_job import run_job


def test_killed_at_random_moments_nothing_is_lost(tmp_path: Path) -> None:
    done = run_job(tmp_path, n_kills=12, seed=3, deadly=False)
    assert sum(done["kills"].values()) == 12
    assert done["n_in_the_middle"] >= 3
    assert done["n_compared_ends"] >= 2
