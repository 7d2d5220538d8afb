"""What keeps a pick from a higher QP, or from being made at all, in one sentence."""

from __future__ import annotations

from typing import Any

from sursmr_codec.records import Record
from sursmr_codec.report.text import size

_WHO = {"sur": "Viewers", "smr": "Machines"}


def what_binds(record: Record) -> str | None:
    """The sentence for a record of `pick`; None where no rung was tried."""
    probes = record["probes"]
    binding = record["binding"]
    if not probes or binding is None:
        return None
    if record["kept_original"]:
        return "No rung that meets the targets saves enough, so the original was kept."
    if not record["met"]:
        return _missed(record, binding, probes)
    if binding == "range":
        return f"Nothing but the end of the range: QP {record['qp']} is the highest allowed."
    above = min((probe for probe in probes if probe["qp"] > record["qp"]), key=_qp, default=None)
    if binding == "max_bytes":
        return f"The limit of {size(record['search']['max_bytes'])}: higher QPs that fit it miss the targets."
    name, target = binding.upper(), record["targets"][binding]
    if above is None:
        return (
            f"{_WHO[binding]}: {name} is {_ratio(record[binding])}, the closest to its target ({target:g}); "
            "the search stopped there, within its tolerance."
        )
    tried = f"{_WHO[binding]}: at QP {above['qp']}, the next one tried, {name} is"
    if above[binding] is None:
        return f"{tried} not defined."
    if above[binding] >= target:
        return f"{tried} {_ratio(above[binding])}: too near {target:g} for the risk that was allowed."
    return f"{tried} {_ratio(above[binding])}, below {target:g}."


def _missed(record: Record, binding: str, probes: list[dict[str, Any]]) -> str:
    if binding == "max_bytes":
        smallest = min(probe["n_bytes"] for probe in probes)
        return (
            f"No rung within {size(record['search']['max_bytes'])} meets the targets; "
            f"the smallest one tried has {size(smallest)}."
        )
    name = binding.upper()
    known = [probe for probe in probes if probe[binding] is not None]
    if not known:
        return f"{name} is not defined for this picture, so it meets no target."
    best = max(known, key=lambda probe: probe[binding])
    return (
        f"{_WHO[binding]}: {name} never reaches {record['targets'][binding]:g}; "
        f"the best one tried is {_ratio(best[binding])}, at QP {best['qp']}."
    )


def _qp(probe: dict[str, Any]) -> int:
    qp: int = probe["qp"]
    return qp


def _ratio(value: float) -> str:
    return f"{value:.3f}"
