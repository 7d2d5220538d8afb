"""A run's results as the page's scripts read them: short, and said once where many say the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sursmr_codec.records import Record
from sursmr_codec.report.binding import what_binds
from sursmr_codec.report.pictures import Pictures
from sursmr_codec.report.text import unicode_only

_PROBE = ("qp", "sur", "smr", "smr_classification", "smr_detection", "n_bytes")
_SAME = (
    *("status", "reason", "retry", "finished", "met", "binding", "qp", "native", "sur", "smr"),
    *("smr_classification", "smr_detection", "sur_low", "smr_low", "n_bytes", "bpp", "saved_percent"),
    *("kept_original", "n_encodes"),
)
"""Keys of a result that the page takes as they are."""


def payload(records: Sequence[Record], pictures: Sequence[Pictures]) -> Record:
    """All that the page's scripts know: `entries`, one a source, and the `settings` and `warnings` that they
    refer to by their place in the list."""
    known: dict[str, int] = {}
    warnings: dict[str, int] = {}
    entries = [
        {
            **_entry(record, found),
            "settings": None if record["codec"] is None else known.setdefault(_key(record), len(known)),
            "warnings": [warnings.setdefault(line, len(warnings)) for line in record["warnings"]],
        }
        for record, found in zip(records, pictures, strict=True)
    ]
    return {
        "entries": entries,
        "settings": [json.loads(key) for key in known],
        "warnings": list(warnings),
    }


def settings(records: Sequence[Record]) -> list[Record]:
    """Each codec, model and set of targets that a run's results were made with, once."""
    keys = dict.fromkeys(_key(record) for record in records if record["codec"] is not None)
    return [json.loads(key) for key in keys]


def _entry(record: Record, pictures: Pictures) -> dict[str, Any]:
    source = record["input"] or {}
    return {
        "source": unicode_only(record["source"]),
        **{key: record[key] for key in _SAME},
        **{key: source.get(key) for key in ("width", "height", "format", "jpeg_quality")},
        "source_bytes": source.get("n_bytes"),
        "seconds": (record["seconds"] or {}).get("total"),
        "binds": what_binds(record),
        "probes": [[probe.get(key) for key in _PROBE] for probe in record["probes"] or ()],
        "evidence": _evidence(record),
        "pictures": asdict(pictures),
    }


def _evidence(record: Record) -> Record | None:
    """What was explained of the picked rung."""
    return next(
        (one for one in record["explain"] or () if one is not None and one["qp"] == record["qp"]), None
    )


def _key(record: Record) -> str:
    return json.dumps(
        {
            **{key: record[key] for key in ("version", "codec", "model", "protocol", "machines")},
            **{key: record[key] for key in ("targets", "search")},
        },
        sort_keys=True,
    )
