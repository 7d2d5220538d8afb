"""What a batch would do, with nothing written anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sursmr_codec.batch import places
from sursmr_codec.batch.driver import check_known, describe
from sursmr_codec.batch.journal import NEEDS_WORK, Journal, text
from sursmr_codec.batch.listing import Listing
from sursmr_codec.batch.planning import checks
from sursmr_codec.batch.request import Request, engine_of, planner
from sursmr_codec.batch.work import Work

Action = Literal["work", "finished", "skip", "fail"]


@dataclass(frozen=True)
class Planned:
    """What would become of one source."""

    source: str
    action: Action
    """work: its result would be looked for; finished: it is there; skip, fail: `reason` says why."""
    targets: tuple[str, ...] = ()
    """Below OUT: the names that its result may get; the one it has, where it is finished."""
    reason: str | None = None


def dry_run(request: Request) -> Iterator[Planned]:
    """The plan of a request, in its order; raises what the run would raise before its first picture."""
    listing = Listing(request.inputs, request.out, request.selection, request.base)
    out = places.tree(request.out_place)
    with engine_of(request) as engine, Journal(None, copy_of=request.state_folder) as journal:
        work = Work(request.settings, listing.tree, out, engine.threads)
        description = describe(engine, work)
        planner(request, description, listing, out, dry=True).plan(journal, listing)
        check_known(journal, engine, work, checks(journal))
        rows = journal.db.execute(
            "SELECT name, todo, status, reason, stem, output FROM source WHERE number IS NOT NULL "
            "ORDER BY number"
        )
        n_work = 0
        for name, todo, status, reason, stem, output in rows:
            source = text(name)
            if todo == NEEDS_WORK:
                if n_work == request.limit:
                    continue
                n_work += 1
                yield Planned(source, "work", tuple(text(stem) + ending for ending in description.extensions))
            elif status == "failed":
                yield Planned(source, "fail", reason=reason)
            elif status == "skipped":
                yield Planned(source, "skip", reason=reason)
            else:
                yield Planned(source, "finished", () if output is None else (text(output),), reason)
