"""Tables of what picks risk, from the committed check on test pictures: for README and card."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

RESULT = Path(__file__).resolve().parent.parent / "benchmarks" / "risk.json"
RISKS = (0.05, 0.1, 0.2)
SHOWN = ((0.75, 0.9), (0.75, 0.0), (0.0, 0.9))
"""SUR and SMR of the targets whose risks are shown."""

Rows = list[tuple[str, ...]]
"""The head first."""


def misses() -> Rows:
    """What share of picks misses a target where no risk is set, by targets, codecs together."""
    together: dict[tuple[float, float], list[dict[str, Any]]] = {}
    for row in _checks():
        if row["risk"] is None:
            together.setdefault((row["sur"], row["smr"]), []).append(row)
    rows = []
    for (sur, smr), some in sorted(together.items(), key=lambda one: (not all(one[0]), one[0])):
        n_picks, n_missed = (sum(row[name] for row in some) for name in ("n_picks", "n_missed"))
        short = sum(row["mean_shortfall"] * row["n_missed"] for row in some) / max(n_missed, 1)
        rows.append((*_asked(sur, smr), str(n_picks), f"{100 * n_missed / n_picks:.0f} %", f"{short:.3f}"))
    return [("SUR asked", "SMR asked", "picks", "miss", "by, on average"), *rows]


def risks() -> Rows:
    """What each risk does to the misses, to the bytes, and to the pictures without a pick."""
    head = (
        "SUR asked",
        "SMR asked",
        "codec",
        "`--risk`",
        "picks",
        "miss",
        "95 % interval",
        "bytes",
        "no pick",
    )
    return [head, *(_risk_row(row) for pair in SHOWN for row in _checks() if _asks(row) == pair)]


def short() -> Rows:
    """What no risk, 0.2 and 0.1 do to misses and bytes, for the two commonest targets."""
    rows = []
    for pair in SHOWN[:2]:
        asked = [row for row in _checks() if _asks(row) == pair]
        for risk in (None, 0.2, 0.1):
            some = [row for row in asked if row["risk"] == risk]
            costs = {row["codec"]: _cost(row) for row in some}
            cost = ", ".join(
                f"{codec} {costs.get(codec, 'refused')}" for codec in sorted({row["codec"] for row in asked})
            )
            n_picks, n_missed = (sum(row[name] for row in some) for name in ("n_picks", "n_missed"))
            n_pictures = sum(row["n_pictures"] for row in some)
            if not n_picks:
                continue
            rows.append(
                (
                    *_asked(*pair),
                    "-" if risk is None else f"{risk:g}",
                    f"{100 * n_missed / n_picks:.0f} %",
                    "" if risk is None else cost,
                    f"{100 * (1 - n_picks / n_pictures):.0f} %",
                )
            )
    return [("SUR asked", "SMR asked", "`--risk`", "miss", "bytes", "no pick"), *rows]


def lacking() -> str:
    """Codecs and kinds of targets without margins, in words; empty for none."""
    held = [(row["kind"], row["risk"], row["codec"]) for row in _read()["checks"]]
    asked = dict.fromkeys((kind, codec) for kind, _, codec in held)
    return grouped(
        [
            (kind, risk, codec)
            for kind, codec in asked
            for risk in RISKS
            if (kind, risk, codec) not in set(held)
        ]
    )


def grouped(found: Iterable[tuple[str, float, str]]) -> str:
    """Kinds of targets, risks and codecs in words, those of a kind and risk together."""
    codecs: dict[tuple[str, float], list[str]] = {}
    for kind, risk, codec in found:
        codecs.setdefault((kind, risk), []).append(codec)
    return "; ".join(
        f"{kind} at {risk:g}: {', '.join(sorted(some))}" for (kind, risk), some in sorted(codecs.items())
    )


def _risk_row(row: dict[str, Any]) -> tuple[str, ...]:
    low, high = row["interval_percent"]
    too_many = row["risk"] is not None and low > 100 * row["risk"]
    return (
        *_asked(*_asks(row)),
        row["codec"],
        "-" if row["risk"] is None else f"{row['risk']:g}",
        str(row["n_picks"]),
        f"{row['missed_percent']:.0f} %{', too many' if too_many else ''}",
        f"{low:.0f} .. {high:.0f} %",
        _cost(row),
        f"{100 * (1 - row['n_picks'] / row['n_pictures']):.0f} %",
    )


def _cost(row: dict[str, Any]) -> str:
    """Bytes against picks without a risk, where a picture has both."""
    return "unknown" if row["bytes_ratio"] is None else f"{100 * (row['bytes_ratio'] - 1):+.0f} %"


def _asks(row: dict[str, Any]) -> tuple[float, float]:
    return row["sur"], row["smr"]


def _read() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RESULT.read_text("utf-8"))
    return found


def _checks() -> list[dict[str, Any]]:
    """Of picks among all QPs, for all machines, where there are some."""
    kinds = ("sur", "smr", "sur+smr")
    rows = [row for row in _read()["checks"] if row["every_qp"] and row["n_picks"] and row["kind"] in kinds]
    return sorted(rows, key=lambda row: (row["codec"], row["risk"] or 0.0))


def _asked(sur: float, smr: float) -> tuple[str, str]:
    return f"{sur:g}" if sur else "-", f"{smr:g}" if smr else "-"
