"""How far the batch of a folder is, read from outside while it runs or when it has ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from sursmr_codec.batch import addresses, journal, lock
from sursmr_codec.batch.outcome import STATUSES, Status

SCHEMA = "sursmr-qp/status/1"
State = Literal["running", "finished", "interrupted", "stopped", "killed"]


@dataclass(frozen=True)
class RunStatus:
    """One look at a batch."""

    base: str
    out: str
    state: State
    """stopped: by an error, which `why` tells; killed: without a chance to say so."""
    why: str | None
    by: Mapping[str, Any] | None
    """The running process: `pid`, `host`, `since`; None where none runs."""
    started: str
    """ISO 8601, UTC, like `ended`."""
    ended: str | None
    n_total: int | None
    """Sources of the plan; None while they are looked for."""
    n_left: int
    counts: Mapping[Status, int]
    """Finished sources of the plan, by whatever run."""
    source_bytes: int
    """Of sources that results were written for."""
    output_bytes: int
    rate: float | None
    """Pictures a second of a run that is alive; None elsewhere."""
    eta_seconds: float | None


def read(out: str | Path) -> RunStatus:
    """Look at the batch in a folder or at an address; raises UsageError where there is none."""
    state = addresses.state_folder(str(out))
    with journal.reading(state) as db:
        facts = journal.facts(db)
        found = journal.counts(db)
    alive = lock.is_held(state)
    n_left = sum(count.n for count in found if not count.finished)
    planned = facts.get("n_left_at_start") is not None
    rate = _rate(facts, n_left) if alive and planned else None
    return RunStatus(
        base=str(facts.get("base", "")),
        out=str(facts.get("out", out)),
        state=_state(str(facts.get("state", "running")), alive),
        why=facts.get("why"),
        by=(lock.holder(state) or None) if alive else None,
        started=str(facts.get("started", "")),
        ended=facts.get("ended"),
        n_total=sum(count.n for count in found) if planned else None,
        n_left=n_left,
        counts={status: sum(count.n for count in found if count.status == status) for status in STATUSES},
        source_bytes=sum(count.source_bytes for count in found if count.finished),
        output_bytes=sum(count.output_bytes for count in found if count.finished),
        rate=rate,
        eta_seconds=n_left / rate if rate else None,
    )


def record(status: RunStatus) -> dict[str, Any]:
    """The JSON object of `status --json`."""
    return {"schema": SCHEMA, **asdict(status)}


def _state(noted: str, alive: bool) -> State:
    if alive:
        return "running"
    return noted if noted in ("finished", "interrupted", "stopped") else "killed"  # type: ignore[return-value]


def _rate(facts: Mapping[str, Any], n_left: int) -> float:
    since = datetime.fromisoformat(str(facts["working_since"]))
    seconds = (datetime.now(UTC) - since).total_seconds()
    return (int(facts["n_left_at_start"]) - n_left) / seconds if seconds > 0 else 0.0
