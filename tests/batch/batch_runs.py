"""Runs with the fake predictor, in this process or in one of their own, and what can be said of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import fake_cli
from fake_batch import request

from sursmr_codec import batch
from sursmr_codec.batch.driver import Batch

CLI = Path(fake_cli.__file__)


def run(*arguments, **others):
    """Outcomes of a run by source."""
    return {outcome.source: outcome for outcome in Batch(request(*arguments, **others))}


def statuses(outcomes):
    return {source: outcome.status for source, outcome in outcomes.items()}


def files(out: Path) -> dict[str, bytes]:
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file() and batch.STATE_FOLDER not in path.parts
    }


def bare(record):
    """A record without what differs from run to run."""
    return {
        **record,
        "seconds": None,
        "finished": None,
        "output": record["output"] and record["output"]["sha256"],
    }


def start(*arguments, **environment):
    """The command line in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, CLI, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, **{name: str(value) for name, value in environment.items()}},
    )
