"""The table of `practice.py`."""

from __future__ import annotations

from typing import Any

from bits_tables import table

HEAD = (
    "way",
    "bytes",
    "people and machines satisfied",
    "people",
    "machines",
    "encodes",
    "time, in encodes",
)


def markdown(record: dict[str, Any]) -> str:
    """One table for each set of pictures."""
    bar = record["satisfied"]
    parts = [
        "## Beside what people do today",
        "The same pictures by the same JPEG encoder; only the choice of the quality differs. Every file was "
        f"scored in truth; people are satisfied at SUR {bar['sur']:g}, machines at SMR {bar['smr']:g}. Time "
        "is the median over pictures, with the metrics' Python packages: other builds of a metric take less.",
    ]
    for name, part in record["parts"].items():
        parts.append(f"### {name}: {part['n_images']} pictures")
        parts.append(table([HEAD, *(_row(one) for one in part["rows"])]))
    return "\n\n".join(parts) + "\n"


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    shares = (one[f"{who}_percent"] for who in ("both", "viewers", "machines"))
    return (
        one["way"],
        f"{one['n_bytes']:,}",
        *(f"{share:.0f} %" for share in shares),
        f"{one['n_encodes_mean']:.1f}",
        f"{one['encodes_of_time']:.0f}",
    )
