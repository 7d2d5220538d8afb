"""Zoos as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sursmr_codec.cli.console import ratio
from sursmr_codec.labels import smr
from sursmr_codec.labels.machines.checking import Checked
from sursmr_codec.labels.machines.class_names import ClassNames
from sursmr_codec.labels.machines.zoo import Zoo
from sursmr_codec.zoo_records import Prediction, prediction, satisfied

_RATIOS = {
    "SMR": "smr",
    "SMR cls": "smr_classification",
    "SMR det": "smr_detection",
    "SMR strict": "smr_strict",
    "SMR faces": "smr_face",
    "SMR segments": "smr_segmentation",
}


def list_table(zoo: Zoo) -> RenderableType:
    """One row a machine, in the table's order."""
    table = _table("name", "task", "input", "runtime", "votes", "licence")
    voters = {row.name for row in zoo.jury}
    for row in zoo.rows:
        votes = "yes" if row.name in voters else "no"
        table.add_row(row.name, row.task, row.input_size, row.runtime, votes, row.licence)
    return table


def check_table(
    checked: Sequence[Checked], names: ClassNames, *, compared: bool, ratios: smr.Ratios | None
) -> RenderableType:
    """One row a machine; with a compressed picture also each verdict, and then the ratios."""
    verdict = ("satisfied",) if compared else ()
    table = _table("name", "task", "status", "ms", *verdict, "says")
    for one in checked:
        table.add_row(
            one.row.name,
            one.row.task,
            "ok" if one.ok else "failed",
            "-" if one.milliseconds is None else f"{one.milliseconds:.1f}",
            *((_verdict(one),) if compared else ()),
            _opinion(one, names),
        )
    if not compared:
        return table
    shares = _table("ratio", "of machines that count")
    for heading, name in _RATIOS.items():
        shares.add_row(heading, ratio(getattr(ratios, name) if ratios else None))
    return Group(table, Text(), shares)


def _opinion(one: Checked, names: ClassNames) -> str:
    if one.output is None:
        return one.error or ""
    said = prediction(one.output, one.row, names)
    if said.share is not None:
        return f"{_name(said)} on {said.share:.0%} of the pixels" if said.index else "background alone"
    if said.n_boxes == 0:
        return "no box that is sure enough"
    boxes = "" if said.n_boxes is None else f", best of {said.n_boxes}"
    sure = "" if smr.counts(one.output, one.row) else " (too unsure to count)"
    return f"{_name(said)} {said.score:.2f}{boxes}{sure}"


def _name(said: Prediction) -> str:
    # Of ImageNet's synonyms the first is enough.
    return f"class {said.index}" if said.label is None else said.label.partition(",")[0]


def _verdict(one: Checked) -> str:
    if not one.ok:
        return "-"
    return {True: "yes", False: "no", None: "does not count"}[satisfied(one)]


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in headings:
        table.add_column(heading, justify="right" if heading == "ms" else "left", overflow="fold")
    return table
