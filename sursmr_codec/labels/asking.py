"""Answers for one image after another: from the cache where they are known, from workers where not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sursmr_codec.labels.measuring import Answers, Ask, Failure, Reply, Request
from sursmr_codec.labels.panel import PanelSetup
from sursmr_codec.labels.plan import Task
from sursmr_codec.labels.raw_cache import PictureKey, RawCache, Stored
from sursmr_codec.labels.rows import scored_qps
from sursmr_codec.labels.workers import Workers


@dataclass(frozen=True)
class _Known:
    """What the cache has of one image."""

    task: Task
    source: str
    original: Answers | None
    rungs: Mapping[tuple[str, int], Answers]


class Asking:
    """Ties plan, cache and workers; every new answer is stored before it is handed on."""

    def __init__(
        self,
        folder: Path,
        setup: PanelSetup,
        fingerprints: Mapping[str, str],
        cache: RawCache,
        workers: Workers,
    ) -> None:
        self._folder = folder
        self._fingerprints = fingerprints
        self._cache = cache
        self._workers = workers
        self._teachers = {name: f"teacher {name} {version}" for name, version in setup.teachers.items()}
        # One tuple for all rungs nobody knows: it is sent once, however many these are.
        self._everyone = tuple(setup.machines)
        self._machines = {name: f"machine {name} {digest}" for name, digest in setup.machines.items()}

    def replies(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, Reply, bool]]:
        """(task, all that is known, whether a worker was asked), in the order in which they are complete."""
        waiting: dict[str, _Known] = {}
        for task in tasks:
            prepared = self._prepare(task)
            if isinstance(prepared, Reply):
                yield task, prepared, False
                continue
            known, request = prepared
            if request is None:
                yield task, Reply(task.image, known.original, known.rungs, (), {}), False
                continue
            while self._workers.full:
                yield from self._collect(waiting)
            waiting[task.image] = known
            self._workers.submit(request)
        while self._workers.busy:
            yield from self._collect(waiting)

    def _collect(self, waiting: dict[str, _Known]) -> Iterator[tuple[Task, Reply, bool]]:
        for reply in self._workers.collect():
            known = waiting.pop(reply.image)
            self._store(known, reply)
            yield known.task, _together(known, reply), True

    def _prepare(self, task: Task) -> tuple[_Known, Request | None] | Reply:
        path = self._folder / task.image
        try:
            with path.open("rb") as file:
                source = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            failure = Failure(task.image, None, None, "image", f"ImageError: {path} cannot be read: {error}")
            return Reply(task.image, None, {}, (failure,), {})
        original = self._answers(PictureKey(source), teachers=False)
        # A machine without an answer on the original may fail for good: then it is not asked about rungs.
        machines = self._everyone if original is None else self._missing(original)
        rungs: dict[tuple[str, int], Answers] = {}
        asks: list[Ask] = []
        for codec, qps in task.ladders.items():
            scored = set(scored_qps(qps))
            for qp in qps:
                known = self._answers(PictureKey(source, self._fingerprints[codec], qp))
                if known is not None:
                    rungs[codec, qp] = known
                teachers = self._teachers if qp in scored else ()
                ask = Ask(
                    codec,
                    qp,
                    tuple(n for n in teachers if known is None or n not in known.teachers),
                    self._everyone if known is None else self._missing(known),
                )
                if known is None or ask.teachers or ask.machines:
                    asks.append(ask)
        found = _Known(task, source, original, rungs)
        if original is not None and not machines and not asks:
            return found, None
        return found, Request(task.image, path, machines, tuple(asks))

    def _missing(self, known: Answers) -> tuple[str, ...]:
        return tuple(name for name in self._everyone if name not in known.machines)

    def _answers(self, key: PictureKey, *, teachers: bool = True) -> Answers | None:
        questions = [*(self._teachers.values() if teachers else ()), *self._machines.values()]
        stored = self._cache.get(key, questions)
        if stored is None:
            return None
        return Answers(
            stored.facts,
            {name: stored.answers[q] for name, q in self._teachers.items() if q in stored.answers},
            {name: stored.answers[q] for name, q in self._machines.items() if q in stored.answers},
        )

    def _store(self, known: _Known, reply: Reply) -> None:
        if reply.original is None:
            return
        pictures = {PictureKey(known.source): self._stored(reply.original)}
        for (codec, qp), answers in reply.rungs.items():
            pictures[PictureKey(known.source, self._fingerprints[codec], qp)] = self._stored(answers)
        self._cache.put(pictures)

    def _stored(self, answers: Answers) -> Stored:
        return Stored(
            answers.facts,
            {
                **{self._teachers[name]: score for name, score in answers.teachers.items()},
                **{self._machines[name]: output for name, output in answers.machines.items()},
            },
        )


def _together(known: _Known, reply: Reply) -> Reply:
    if reply.original is None:
        return reply
    rungs = dict(known.rungs)
    for key, answers in reply.rungs.items():
        rungs[key] = _union(rungs.get(key), answers)
    return replace(reply, original=_union(known.original, reply.original), rungs=rungs)


def _union(known: Answers | None, new: Answers) -> Answers:
    if known is None:
        return new
    return Answers(new.facts, {**known.teachers, **new.teachers}, {**known.machines, **new.machines})
