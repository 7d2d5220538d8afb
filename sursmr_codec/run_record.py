"""`run.json` of a folder in which one run works: another run, with another record, does not go on there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sursmr_codec import images
from sursmr_codec.errors import UsageError

FILE = "run.json"


def read(folder: Path) -> Any:
    """The record that is there, None without one; raises UsageError for no JSON, OSError as files do."""
    path = folder / FILE
    try:
        return json.loads(path.read_text("utf-8")) if path.exists() else None
    except ValueError as error:
        raise UsageError(f"{path} is not the record of a run: {error}") from error


def write(folder: Path, record: Mapping[str, Any]) -> None:
    """Write the record, whole or not at all; raises OutputError where that fails."""
    images.write(folder / FILE, (json.dumps(record, indent=2, sort_keys=True) + "\n").encode())


def difference(earlier: Any, now: Any, name: str = "run") -> str:
    """The first place where two records differ, and both values; a list of plain values is one value."""
    if _is_table(earlier) and _is_table(now) and len(earlier) == len(now):
        earlier, now = dict(enumerate(earlier)), dict(enumerate(now))
    if isinstance(earlier, dict) and isinstance(now, dict):
        for key in [*earlier, *now]:
            if earlier.get(key) != now.get(key):
                return difference(earlier.get(key), now.get(key), f"{name}.{key}")
    return f"{name} ({earlier}, now {now})"


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)
