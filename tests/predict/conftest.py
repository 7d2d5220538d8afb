"""Fixtures of predictors."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_model import make_model


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that `--model` takes."""
    return make_model(tmp_path_factory.mktemp("models") / "tiny")
