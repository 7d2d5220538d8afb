"""The driver of a batch: plans, hands sources to an engine, and notes each end in the journal."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import UTC, datetime
from itertools import islice, takewhile
from typing import Any

from sursmr_codec.batch import journal as journals
from sursmr_codec.batch import places
from sursmr_codec.batch.engines import Answer, Engine, Lost, Pause
from sursmr_codec.batch.journal import Journal
from sursmr_codec.batch.listing import Listing
from sursmr_codec.batch.lock import RunLock
from sursmr_codec.batch.outcome import Outcome, Progress, Status
from sursmr_codec.batch.places import sweep
from sursmr_codec.batch.planning import checks, jobs
from sursmr_codec.batch.request import Request, engine_of, planner
from sursmr_codec.batch.settings import Description
from sursmr_codec.batch.work import Check, Checked, Describe, Job, Work, failed
from sursmr_codec.errors import OutputError, SursmrError, UnavailableError, UsageError
from sursmr_codec.images.files import shown
from sursmr_codec.version import __version__

_AT_ONCE = 256
"""Most that is noted in one transaction."""
_GATHER_SECONDS = 0.05
"""Least time between two transactions, as far as the engine allows it: a slow disk takes 10 ms for each."""
_RETRY_LOST = "run again with --retry-failed, with fewer --jobs if memory is short"


class Batch:
    """One run: iterate over it for outcomes as they come, each once it is in the journal."""

    def __init__(self, request: Request) -> None:
        """Raises ImageError where no input exists, UsageError for arguments that make no sense."""
        self._request = request
        self._listing = Listing(request.inputs, request.out, request.selection, request.base)
        self._engine = engine_of(request)
        self._out = places.tree(request.out_place)
        self._state = request.state_folder
        self._stopping = False
        self._progress = Progress()
        self._counts: Counter[Status] = Counter()
        self._current: dict[str, None] = {}
        self._began = time.monotonic()
        self._working_since: float | None = None
        self._noted = 0.0

    def stop(self) -> None:
        """Hand out no more; the iteration ends when what runs is finished. Safe in a signal handler."""
        self._stopping = True

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stopping

    @property
    def progress(self) -> Progress:
        """How far it is now; may be asked from another thread."""
        now = time.monotonic()
        return replace(
            self._progress,
            counts=dict(self._counts),
            seconds=now - self._began,
            working_seconds=0.0 if self._working_since is None else now - self._working_since,
            current=tuple(self._current),
        )

    def __iter__(self) -> Generator[Outcome, None, None]:
        """Run the batch; yields what this run found out, not what earlier ones did.

        Raises UsageError and UnavailableError where nothing can be done as asked, OutputError where OUT
        cannot be written any more or another run is at work in it. Whatever ends a run, the same batch
        again takes up where it was.
        """
        with ExitStack() as held:
            if self._state.exists():
                held.enter_context(RunLock(self._state))
            engine = held.enter_context(self._engine)
            work = Work(self._request.settings, self._listing.tree, self._out, engine.threads)
            # Before OUT is made, as what is asked for may not be possible at all.
            description = describe(engine, work)
            if not self._state.exists():
                self._make_state_folder()
                held.enter_context(RunLock(self._state))
            journal = held.enter_context(Journal(self._state))
            self._begin(journal, description)
            try:
                yield from self._outcomes(journal, engine, work, description)
            except Exception as error:
                _end(journal, "stopped", error)
                raise
            except BaseException:
                # Ctrl-C, a signal that ends the process, or a caller that asks for no more.
                _end(journal, "interrupted")
                raise
            _end(journal, "interrupted" if self._stopping else "finished")

    def _outcomes(
        self, journal: Journal, engine: Engine, work: Work, description: Description
    ) -> Iterator[Outcome]:
        planner(self._request, description, self._listing, self._out).plan(journal, self._listing)
        self._count(journal)
        check_known(journal, engine, work, takewhile(lambda _: not self._stopping, checks(journal)))
        self._count(journal)
        for outcome in journal.finished("fingerprint = ''"):
            self._counts[outcome.status] += 1
            yield outcome
        ended: list[tuple[Outcome, str]] = []
        at_once = 1
        unswept: set[str] = set()
        try:
            for result in engine.map(work, self._handed(jobs(journal))):
                if isinstance(result, Pause):
                    at_once = _AT_ONCE
                    if result.seconds is None or time.monotonic() - self._noted >= _GATHER_SECONDS:
                        yield from self._settle(journal, ended)
                    continue
                if engine.n_deaths:
                    unswept |= {source.rpartition("/")[0] for source in self._current}
                    engine.n_deaths = 0
                ended.append((_outcome(work, result), result.item.fingerprint))
                if len(ended) >= at_once:
                    yield from self._settle(journal, ended)
            yield from self._settle(journal, ended)
        except BaseException:
            # What has ended need not be done again.
            with contextlib.suppress(OutputError):
                journal.record(ended)
            raise
        # Only now nobody is writing, so that every draft is a dead worker's.
        for folder in unswept:
            with contextlib.suppress(OSError):
                sweep(self._out, folder, self._out.entries(folder))

    def _settle(self, journal: Journal, ended: list[tuple[Outcome, str]]) -> Iterator[Outcome]:
        """Put what has ended into the journal, at one go, and tell of it."""
        if ended:
            journal.record(ended)
        self._noted = time.monotonic()
        outcomes = [outcome for outcome, _ in ended]
        ended.clear()
        for outcome in outcomes:
            self._add(outcome)
            yield outcome

    def _handed(self, todo: Iterable[Job]) -> Iterator[Job]:
        """Jobs as the engine takes them, until the limit or the word to stop."""
        for number, job in enumerate(todo):
            if self._stopping or number == self._request.limit:
                return
            if self._working_since is None:
                self._working_since = time.monotonic()
            self._current[job.source] = None
            yield job

    def _count(self, journal: Journal) -> None:
        found = journals.counts(journal.db)
        n_total = sum(count.n for count in found)
        n_left = sum(count.n for count in found if not count.finished)
        n_listed = sum(
            1 for _ in journal.db.execute("SELECT 1 FROM source WHERE fingerprint = '' AND todo = 0")
        )
        self._progress = Progress(n_total=n_total, n_up_to_date=n_total - n_left - n_listed, n_left=n_left)
        journal.note({"n_left_at_start": n_left, "working_since": _now()})

    def _add(self, outcome: Outcome) -> None:
        self._current.pop(outcome.source, None)
        self._counts[outcome.status] += 1
        before = self._progress
        written = outcome.output_bytes is not None
        self._progress = replace(
            before,
            n_left=before.n_left - 1,
            source_bytes=before.source_bytes + ((outcome.source_bytes or 0) if written else 0),
            output_bytes=before.output_bytes + (outcome.output_bytes or 0),
        )

    def _make_state_folder(self) -> None:
        try:
            self._state.mkdir(parents=True, exist_ok=True)
        except OSError as trouble:
            why = trouble.strerror or type(trouble).__name__
            raise OutputError(
                f"{shown(self._state)}: cannot be made: {why}; choose another folder"
            ) from trouble

    def _begin(self, journal: Journal, description: Description) -> None:
        request = self._request
        before = journal.facts().get("base")
        if before not in (None, self._listing.base) and not request.overwrite:
            raise UsageError(
                f"{shown(request.out)}: holds the results of {shown(str(before))}, not of "
                f"{shown(self._listing.base)}; choose another output folder, or take --overwrite"
            )
        journal.note(
            {
                "version": __version__,
                "base": self._listing.base,
                "out": self._out.root,
                "description": asdict(description),
                "targets": dict(request.targets),
                "engine": self._engine.id,
                "jobs": self._engine.jobs,
                "threads": self._engine.threads,
                "state": "running",
                "why": None,
                "started": _now(),
                "ended": None,
                "n_left_at_start": None,
                "working_since": None,
            }
        )


def describe(engine: Engine, work: Work) -> Description:
    """What workers find the settings to mean; raises what makes them impossible."""
    (result,) = (one for one in engine.map(work, [Describe()]) if not isinstance(one, Pause))
    if isinstance(result, Lost):
        raise UnavailableError(f"codec and predictor cannot be loaded: {result.reason}")
    assert isinstance(result.value, Description)
    return result.value


def _outcome(work: Work, result: Answer[Job, Any] | Lost[Job]) -> Outcome:
    if isinstance(result, Answer):
        assert isinstance(result.value, Outcome)
        return result.value
    lost = failed(work.settings, work.sources, result.item, result.reason, _RETRY_LOST)
    return replace(lost, source_stamp=work.sources.entry(result.item.source).lasting_stamp)


def check_known(journal: Journal, engine: Engine, work: Work, wanted: Iterable[Check]) -> None:
    """See which sources of the plan are as an earlier run left them, where their stamps do not tell."""
    checked = (one for one in engine.map(work, wanted) if not isinstance(one, Pause))
    while results := list(islice(checked, _AT_ONCE)):
        journal.confirm(
            (result.item.source, result.value.same, result.value.source_stamp, result.value.output_stamp)
            if not isinstance(result, Lost) and isinstance(result.value, Checked)
            else (result.item.source, False, None, None)
            for result in results
        )


def _end(journal: Journal, state: str, error: Exception | None = None) -> None:
    why = str(error) if isinstance(error, SursmrError) else None
    # The disk may be what stopped it.
    with contextlib.suppress(OutputError):
        journal.note({"state": state, "why": why, "ended": _now()})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
