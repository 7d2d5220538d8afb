"""Fixtures for all tests: where real data lies, and no skips where a run promises to hold everything."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

# Times differ too much between machines to be a property of the code.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

# A shell without job control lets what it starts in the background ignore interrupts, and so would all that
# the tests start and then interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

EXAMPLES = Path(__file__).resolve().parent.parent / "docs" / "examples"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with images/, machines/ and human/, named by SURSMR_DATA."""
    folder = os.environ.get("SURSMR_DATA")
    if not folder:
        pytest.skip("SURSMR_DATA names no folder with images/, machines/ and human/")
    return Path(folder)


@pytest.fixture(scope="session")
def kodim23() -> Path:
    """A real photograph, 768x512 PNG."""
    return EXAMPLES / "kodim23.png"


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    # Shell completion and caches write below HOME.
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.delenv("SURSMR_ZOO", raising=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With SURSMR_NO_SKIPS set, a skipped test is a failed one."""
    report = yield
    if report.skipped and os.environ.get("SURSMR_NO_SKIPS") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {report.longrepr}"
    return report
