"""What workers do, one source at a time: pick, write, and say what became of it.

Everything here may be repeated: the same source and settings give the same bytes, and a file is put in its
place whole or not at all.
"""

from __future__ import annotations

import contextlib
import socket
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sursmr_codec import picking
from sursmr_codec.batch.outcome import EXTRA_KEYS, Outcome, Status
from sursmr_codec.batch.places import Tree, Unwritable
from sursmr_codec.batch.settings import Description, Settings, fingerprint
from sursmr_codec.codecs.base import Codec
from sursmr_codec.errors import SursmrError, UnavailableError
from sursmr_codec.images.files import one_line, shown
from sursmr_codec.predict.base import Predictor
from sursmr_codec.records import failure_record, pick_record
from sursmr_codec.types import Pick, Targets

_MOST_READS = 3
RETRY_UNMET = "lower --sur or --smr, or take --best-effort, and run again"
RETRY_FAILED = "mend or replace the file and run again; as it is, with --retry-failed"
RETRY_CHANGED = "run again when the file is at rest"


@dataclass(frozen=True)
class Describe:
    """Asks what the settings mean; the answer is a Description."""


@dataclass(frozen=True)
class Check:
    """Asks whether a source and its output still have the bytes of an earlier run; the answer is Checked."""

    source: str
    sha256: str
    output: str | None
    output_sha256: str | None


@dataclass(frozen=True)
class Checked:
    """Whether they have; if so, with stamps that show it the next time."""

    same: bool
    source_stamp: str | None = None
    output_stamp: str | None = None


@dataclass(frozen=True)
class Job:
    """Asks for a source's result; the answer is an Outcome."""

    source: str
    stem: str
    """Where the result goes, without the extension of its codec."""
    targets: Targets
    fingerprint: str
    """Of everything else that decides the result; for the journal."""


Request = Describe | Check | Job
Reply = Description | Checked | Outcome


class Work:
    """The function that engines run: loads codec and predictor on its first call, where that is."""

    def __init__(self, settings: Settings, sources: Tree, out: Tree, threads: int) -> None:
        self.settings = settings
        self.sources = sources
        self.out = out
        self._threads = threads
        self._loaded: tuple[tuple[Codec, ...], Predictor] | None = None
        self._agreed: set[str] = set()

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_loaded": None, "_agreed": set()}

    def __call__(self, request: Request) -> Reply:
        """Raises SursmrError only where no source at all can be worked on."""
        match request:
            case Describe():
                return self._describe()
            case Check():
                return self._check(request)
            case Job():
                self._agree(request)
                return self._work(request)

    def _load(self) -> tuple[tuple[Codec, ...], Predictor]:
        if self._loaded is None:
            self._loaded = self.settings.load_codecs(), self.settings.load_predictor(self._threads)
        return self._loaded

    def _describe(self) -> Description:
        codecs, predictor = self._load()
        predictor.check_jury(self.settings.pick.jury)
        return Description(tuple(codec.summary() for codec in codecs), predictor.summary())

    def _agree(self, job: Job) -> None:
        """See that what is loaded here is what the plan was made for, on this machine or another."""
        if job.fingerprint in self._agreed:
            return
        if fingerprint(self.settings, self._describe(), job.targets) != job.fingerprint:
            raise UnavailableError(
                f"{socket.gethostname()}: has other versions of encoders, library or model than the plan was "
                "made with; install the same on all machines, and run again"
            )
        self._agreed.add(job.fingerprint)

    def _check(self, check: Check) -> Checked:
        before = self.sources.entry(check.source)
        try:
            if self.sources.sha256(check.source) != check.sha256:
                return Checked(False)
            output_stamp = None
            if check.output is not None:
                output_stamp = self.out.entry(check.output).stamp
                if self.out.sha256(check.output) != check.output_sha256:
                    return Checked(False)
        except OSError:
            return Checked(False)
        return Checked(True, before.lasting_stamp, output_stamp)

    def _work(self, job: Job) -> Outcome:
        for _ in range(_MOST_READS):
            before = self.sources.entry(job.source)
            picked = self._pick(job)
            if self.sources.entry(job.source).stamp == before.stamp:
                return replace(self._written(job, picked), source_stamp=before.lasting_stamp)
        return self._failed(job, "changes while it is being read", retry=RETRY_CHANGED)

    def _pick(self, job: Job) -> Pick | str:
        """The pick, or why there is none."""
        codecs, predictor = self._load()
        began = time.perf_counter()
        try:
            source = self.sources.source(job.source, self.settings.reading)
            read = time.perf_counter() - began
            *_, picked = picking.pick_events(
                source, job.targets, codec=codecs, predictor=predictor, settings=self.settings.pick
            )
        except SursmrError as error:
            return self._said(job, str(error))
        except MemoryError:
            return "does not fit in memory; scale it down first, or run with fewer --jobs"
        except Exception as error:
            return f"internal error: {type(error).__name__}: {one_line(error)}"
        assert isinstance(picked, Pick)  # the last event always is the pick
        seconds = replace(picked.seconds, read=read, total=time.perf_counter() - began)
        return replace(picked, seconds=seconds)

    def _written(self, job: Job, picked: Pick | str) -> Outcome:
        if isinstance(picked, str):
            return self._failed(job, picked)
        if picked.encoded is None:
            return self._outcome(job, picked, "unmet", self._said(job, picking.not_reachable(picked)))
        name = job.source if picked.kept_original else job.stem + picked.codec.extension
        try:
            written = replace(picked, output=self.out.publish(name, picked.encoded))
        except Unwritable:
            raise
        except SursmrError as error:
            return self._failed(job, str(error), sha256=picked.source.sha256)
        if picked.met:
            end = self._outcome(job, written, "done", None, name)
        else:
            reason = next(line for line in picked.warnings if "targets not met" in line)
            end = self._outcome(job, written, "unmet", reason, name)
        return replace(end, output_stamp=self.out.entry(name).stamp)

    def _said(self, job: Job, message: str) -> str:
        """A message without the file's name in front, which stands beside it anyway."""
        return message.removeprefix(f"{shown(self.sources.path(job.source))}: ").removeprefix(
            f"{self.sources.path(job.source)}: "
        )

    def _outcome(
        self, job: Job, picked: Pick, status: Status, reason: str | None, target: str | None = None
    ) -> Outcome:
        return outcome(
            job.source,
            status,
            reason,
            RETRY_UNMET if status == "unmet" else None,
            pick_record(picked),
            target=target,
            sha256=picked.source.sha256,
            output_sha256=None if picked.output is None else picked.output.sha256,
            source_bytes=picked.source.n_bytes,
            output_bytes=None if picked.output is None else picked.n_bytes,
        )

    def _failed(
        self, job: Job, reason: str, *, retry: str = RETRY_FAILED, sha256: str | None = None
    ) -> Outcome:
        return failed(self.settings, self.sources, job, reason, retry, sha256)


def failed(
    settings: Settings, sources: Tree, job: Job, reason: str, retry: str, sha256: str | None = None
) -> Outcome:
    """The outcome of a source that could not be done; its digest is taken where it is not given."""
    if sha256 is None:
        with contextlib.suppress(OSError, MemoryError):
            sha256 = sources.sha256(job.source)
    record = failure_record(sources.path(job.source), reason, settings.question(job.targets))
    return outcome(job.source, "failed", reason, retry, record, sha256=sha256)


def outcome(
    source: str,
    status: Status,
    reason: str | None,
    retry: str | None,
    record: dict[str, Any],
    *,
    target: str | None = None,
    **facts: Any,
) -> Outcome:
    """An outcome of this moment, with its record completed."""
    finished = datetime.now(UTC).isoformat(timespec="milliseconds")
    extra = dict(zip(EXTRA_KEYS, (status, reason, retry, source, target, finished), strict=True))
    return Outcome(source, status, reason, retry, finished, _clean({**record, **extra}), target, **facts)


def _clean(value: Any) -> Any:
    """A record that is Unicode throughout: bytes of odd file names as `\\xff`."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if isinstance(value, dict):
        return {name: _clean(one) for name, one in value.items()}
    return [_clean(one) for one in value] if isinstance(value, list | tuple) else value
