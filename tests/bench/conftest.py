"""Pictures for benchmarks."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_bench import make_pictures


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small noisy pictures."""
    return make_pictures(tmp_path_factory.mktemp("bench") / "pictures")
