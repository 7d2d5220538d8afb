"""One thread for all: tiny networks are slower on several."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from tiny_labels import Labelled, make_labelled


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Labelled:
    """Ten pictures of 64x64 and a table of invented labels of their true rungs."""
    return make_labelled(tmp_path_factory.mktemp("labelled"))
