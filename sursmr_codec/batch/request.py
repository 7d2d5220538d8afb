"""What a batch is asked to do."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sursmr_codec.batch import addresses, engines
from sursmr_codec.batch.engines import Engine
from sursmr_codec.batch.folder_targets import FolderTargets
from sursmr_codec.batch.listing import Listing, Selection
from sursmr_codec.batch.places import Tree
from sursmr_codec.batch.planning import Planner
from sursmr_codec.batch.settings import Description, Settings

AUTO = "auto"


@dataclass(frozen=True)
class Request:
    """All that a batch is asked to do."""

    inputs: tuple[str, ...]
    """Folders, files and glob patterns."""
    out: str
    """A folder, or `s3://bucket/folder`."""
    settings: Settings = field(default_factory=Settings)
    targets: Mapping[str, float] = field(default_factory=dict)
    """Targets of all pictures, by the names of `Targets`; folders may set the others."""
    selection: Selection = field(default_factory=Selection)
    base: str | None = None
    """What names in OUT are relative to; None: what the inputs suggest, see Listing."""
    engine: str = AUTO
    """An engine's id; auto: processes."""
    jobs: int | None = None
    """Pictures at a time; None: one a core."""
    engine_options: Mapping[str, Any] = field(default_factory=dict)
    limit: int | None = None
    """Most pictures that this run works on."""
    overwrite: bool = False
    """Replace files in OUT that are not of this batch."""
    retry_failed: bool = False
    """Try again what failed before, though nothing changed."""
    state: str | None = None
    """The folder that journal, lock and report are kept in instead of OUT; see addresses.state_folder."""

    @property
    def out_place(self) -> str:
        """OUT by its full name."""
        return addresses.absolute(self.out)

    @property
    def state_folder(self) -> Path:
        """Of journal, lock and report."""
        return addresses.state_folder(self.out, self.state)


def engine_of(request: Request) -> Engine:
    """The engine that a request asks for, with its cores shared out; raises UsageError for an unknown one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    kind = engines.get("process" if request.engine == AUTO else request.engine)
    return kind(*kind.shares(request.jobs, cores), **request.engine_options)


def planner(
    request: Request, description: Description, listing: Listing, out: Tree, *, dry: bool = False
) -> Planner:
    """What makes the plan of a request."""
    return Planner(
        request.settings,
        description,
        FolderTargets(listing.tree, request.targets),
        out,
        overwrite=request.overwrite,
        retry_failed=request.retry_failed,
        dry=dry,
    )
