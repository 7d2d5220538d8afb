"""A benchmark's result as people read it: rows for a table, and a page of Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

HEAD = ("codec", "files", "setting", "meet the targets", "bytes", "bytes compared", "saved by picks (95 %)")
_EXPLAINED = (
    "Bytes compared are those at exactly the picks' share of images that meet the targets; of a setting "
    "such as quality=75 its own, at its own share; of the oracle those where the pick meets the targets too."
)


def rows(record: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """One row for the picks of each codec and one for each baseline, under `HEAD`."""
    found: list[tuple[str, ...]] = []
    for codec, totals in record["totals"].items():
        met, n_bytes = _percent(totals["met_percent"]), f"{totals['n_bytes']:,}"
        found.append((codec, "picks", "", met, n_bytes, "", ""))
        for name, one in totals["baselines"].items():
            setting = "" if one["setting"] is None else f"{one['setting']:g}"
            found.append(
                (
                    codec,
                    name,
                    setting,
                    _percent(one["met_percent"]),
                    _count(one["n_bytes"]),
                    _count(one["n_bytes_compared"]),
                    _saved(totals["saved_percent"][name], totals["saved_interval"][name]),
                )
            )
    return found


def lines(record: Mapping[str, Any]) -> list[str]:
    """What the table does not say, one line a codec or fact."""
    targets = record["settings"]["targets"]
    asked = [f"{name.upper()} {targets[name]:g}" for name in ("sur", "smr") if targets[name]]
    judge = record["settings"]["judge"]
    found = [f"Targets: {' and '.join(asked)}, {record['truth']} by {judge['id']} ({judge['protocol']})."]
    if record["truth"] == "predicted" and judge["id"] != "measured":
        found.append(
            "The judge also picks, which flatters picks; --truth measured asks metrics and machines."
        )
    for codec, totals in record["totals"].items():
        line = (
            f"{codec}: {totals['n_images']} images, {totals['n_encodes_mean']:.1f} encodes and "
            f"{totals['seconds_mean']:.2f} s an image"
        )
        if totals["n_unjudged"]:
            line += f"; {totals['n_unjudged']} more have no truth to be judged by"
        if totals["shortfall_mean"] is not None:
            line += (
                f"; what is missed is missed by {totals['shortfall_mean']:.3f} on average, "
                f"{totals['shortfall_largest']:.3f} at most"
            )
        if totals["oracle_percent"] is not None:
            line += f"; {totals['oracle_percent']:.0f} % of the oracle's saving is reached"
        found.append(f"{line}.")
    for codec, growth in (record["regression"] or {}).items():
        found.append(
            f"{codec} since the earlier result: {growth['bytes_percent']:+.2f} % bytes, "
            f"{growth['missed_points']:+.1f} points of missed images, on {growth['n_images']} images."
        )
    return found


def markdown(record: Mapping[str, Any], gates: Sequence[str]) -> str:
    """The page; `gates` are lines about each gate, in the order of the record's."""
    marks = ["met" if gate["ok"] else "**not met**" for gate in record["gates"]]
    parts = [
        f"# Bytes saved on {len(record['images'])} images",
        "\n".join(f"- {line}" for line in lines(record)),
        _table(HEAD, rows(record)),
        _EXPLAINED,
    ]
    if gates:
        parts.append("\n".join(f"- {mark}: {line}" for mark, line in zip(marks, gates, strict=True)))
    return "\n\n".join(parts) + "\n"


def _table(head: tuple[str, ...], found: list[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ("---",) * len(head), *found))


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} %"


def _count(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def _saved(value: float | None, interval: Sequence[float] | None) -> str:
    if value is None:
        return "does not reach the share"
    return f"{value:.1f} %" + ("" if interval is None else f" ({interval[0]:.1f} to {interval[1]:.1f})")
