"""Results as a person reads them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from sursmr_codec.cli.console import ratio, size
from sursmr_codec.records import rival_line

if TYPE_CHECKING:
    from sursmr_codec.types import Curve, FileScore, Pick, Probe, Score

_BINDS = {
    "sur": "SUR: viewers would see the next rung",
    "smr": "SMR: machines would stumble over the next rung",
    "range": "the end of the QP range",
    "max_bytes": "the byte limit",
}


def pick_tables(pick: Pick) -> RenderableType:
    """The answer, then every probe in the order tried."""
    source = pick.source
    facts = _table(show_header=False)
    facts.add_row(
        "image", f"{source.path or 'in memory'}  {source.width}x{source.height}{_source_file(pick)}"
    )
    facts.add_row("pick", _answer(pick))
    score = pick.chosen.score if pick.chosen else None
    low = (score.sur_low, score.smr_low) if score else (None, None)
    facts.add_row("SUR", _against(score.sur if score else None, pick.targets.sur, low[0]))
    facts.add_row("SMR", _against(score.smr if score else None, pick.targets.smr, low[1]))
    if pick.n_bytes is not None:
        facts.add_row("size", f"{size(pick.n_bytes)}  {pick.bpp:.3f} bpp{_saving(pick)}")
    facts.add_row("binds" if pick.met else "misses", _BINDS[pick.binding] if pick.met else _missed(pick))
    if pick.met and not pick.kept_original and (risk := _risk(pick)):
        facts.add_row("risk", risk)
    for rival in pick.rivals:
        facts.add_row("instead of", rival_line(rival, pick))
    if pick.output is not None:
        facts.add_row("written", pick.output.path)
    facts.add_row("scored by", f"{pick.predictor.id} ({pick.predictor.protocol})")
    facts.add_row("time", f"{pick.seconds.total:.1f} s, {pick.n_encodes} encodes")
    parts: list[RenderableType] = [facts, Text(), _probe_table(pick)]
    if pick.explain:
        parts += [Text(), _evidence_table(pick.probes)]
    return Group(*parts)


def curve_table(curve: Curve) -> RenderableType:
    """One row a rung, in QP order."""
    table = _table()
    native_names = [name for name in curve.natives[0] if name != "qp"]
    headings = _ratio_headings([probe.score for probe in curve.rungs])
    for heading in ("QP", *native_names, *headings, "bytes", "bpp"):
        table.add_column(heading, justify="right")
    n_pixels = curve.source.width * curve.source.height
    for probe, native in zip(curve.rungs, curve.natives, strict=True):
        table.add_row(
            str(probe.qp),
            *(str(native[name]) for name in native_names),
            *_ratios(probe.score, headings),
            str(probe.n_bytes),
            f"{8 * probe.n_bytes / n_pixels:.3f}",
        )
    return table


def score_table(scores: Sequence[FileScore]) -> RenderableType:
    """One row a file, in the order given."""
    table = _table()
    table.add_column("file", overflow="fold")
    headings = _ratio_headings([one.score for one in scores])
    for heading in (*headings, "bytes"):
        table.add_column(heading, justify="right")
    for one in scores:
        table.add_row(one.path, *_ratios(one.score, headings), str(one.n_bytes))
    return table


def codec_table(rows: Sequence[Mapping[str, object]]) -> RenderableType:
    """One row a codec: whether it can be used here, and if not what mends it."""
    table = _table()
    for heading in ("codec", "QP", "file", "usable", "with"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        low, high = row["qp_range"] if isinstance(row["qp_range"], list) else ("", "")
        versions = row["versions"] if isinstance(row["versions"], Mapping) else {}
        usable = "yes" if row["available"] else f"no: {row['reason']}"
        remedy = ", ".join(f"{name} {version}" for name, version in versions.items())
        table.add_row(
            str(row["id"]),
            f"{low}..{high}",
            str(row["extension"]),
            usable,
            remedy if row["available"] else f"try: {row['remedy']}",
        )
        for local in row["local"] if isinstance(row["local"], list) else []:
            table.add_row(
                "", "", "", "", f"or {local['option']} {local['path']} {local['version'] or local['reason']}"
            )
    return table


def _table(*, show_header: bool = True) -> Table:
    return Table(box=None, show_header=show_header, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")


def _answer(pick: Pick) -> str:
    if pick.kept_original:
        return "the original, kept as it is"
    if pick.chosen is None:
        return f"nothing: {pick.codec.id} cannot meet the targets"
    native = ", ".join(f"{name} {value}" for name, value in (pick.native or {}).items() if name != "qp")
    note = "" if pick.met else "  (best effort: targets not met)"
    return f"QP {pick.chosen.qp} of {pick.codec.id}{f' ({native})' if native else ''}{note}"


def _source_file(pick: Pick) -> str:
    if pick.source.n_bytes is None:
        return ""
    quality = f" quality {pick.source.jpeg_quality}" if pick.source.jpeg_quality else ""
    return f"  {pick.source.format}{quality}  {size(pick.source.n_bytes)}"


def _against(value: float | None, target: float, low: float | None = None) -> str:
    """A ratio and its target; `low` is how low it may truly be, and decides where a risk was set."""
    if not target:
        return f"{ratio(value)}  (no target)"
    if value is None:
        return f"-  (target {target:g})"
    met = (value if low is None else low) >= target
    cautious = "" if low is None else f", perhaps {low:.3f}"
    return f"{value:.3f}{cautious}  (target {target:g}, {'met' if met else 'missed'})"


def _risk(pick: Pick) -> str | None:
    """What share of such picks misses a target in truth; None where nothing is known of it."""
    if not pick.targets.sur and not pick.targets.smr:
        return None
    if pick.targets.risk is not None:
        # What was asked for, not what was found: the margins were calibrated on other pictures.
        return f"margins that let at most {100 * pick.targets.risk:g} % of such picks miss a target in truth"
    misses = pick.misses
    if misses is None:
        return None
    picks = f"picks at {misses.at}" if misses.at else "such picks"
    told = f"{misses.percent:.0f} % of {picks} miss a target in truth, by {misses.shortfall:.3f} on average"
    return told if misses.risk is None else f"{told}; --risk {misses.risk:g} asks for fewer"


def _saving(pick: Pick) -> str:
    if pick.saved_percent is None:
        return ""
    word = "smaller" if pick.saved_percent >= 0 else "larger"
    return f"  {abs(pick.saved_percent):.1f} % {word} than the file"


def _missed(pick: Pick) -> str:
    return {"sur": "the SUR target", "smr": "the SMR target"}.get(pick.binding, "the byte limit")


def _probe_table(pick: Pick) -> Table:
    table = _table()
    headings = _ratio_headings([probe.score for probe in pick.probes])
    for heading in ("probe", "QP", *headings, "bytes", ""):
        table.add_column(heading, justify="right" if heading else "left")
    for number, probe in enumerate(pick.probes, 1):
        chosen = pick.chosen is not None and probe.qp == pick.chosen.qp
        table.add_row(
            str(number),
            str(probe.qp),
            *_ratios(probe.score, headings),
            str(probe.n_bytes),
            "picked" if chosen else "",
            style="bold" if chosen else None,
        )
    return table


def _evidence_table(probes: Sequence[Probe]) -> Table:
    table = _table()
    for heading in ("QP", "teachers", "machines that flip"):
        table.add_column(heading, overflow="fold")
    for probe in probes:
        evidence = probe.score.evidence
        if evidence is None:
            continue
        teachers = ", ".join(
            f"{name} {score:.2f} -> {sur:.3f}{' binds' if name == evidence.binding_teacher else ''}"
            for name, (score, sur) in evidence.teachers.items()
        )
        flips = ", ".join(evidence.flipped) or "none"
        table.add_row(str(probe.qp), teachers, f"{flips} (of {evidence.n_counting})")
    return table


_RATIO_FIELDS = {
    "SUR": "sur",
    "SMR": "smr",
    "SMR cls": "smr_classification",
    "SMR det": "smr_detection",
}


def _ratio_headings(scores: Sequence[Score]) -> list[str]:
    """Headings of the ratios that any of the scores has."""
    return [
        heading
        for heading, name in _RATIO_FIELDS.items()
        if any(getattr(score, name) is not None for score in scores)
    ]


def _ratios(score: Score, headings: Sequence[str]) -> list[str]:
    return [ratio(getattr(score, _RATIO_FIELDS[heading])) for heading in headings]


def bench_table(record: Mapping[str, object], gates: Sequence[str]) -> RenderableType:
    """A benchmark: the picks and each baseline, then facts and gates."""
    from sursmr_codec.bench import summary

    table = _table()
    for number, heading in enumerate(summary.HEAD):
        table.add_column(heading, justify="left" if number < 2 else "right")
    for row in summary.rows(record):
        table.add_row(*row, style="bold" if row[1] == "picks" else None)
    return Group(table, Text(), *(Text(line) for line in (*summary.lines(record), *gates)))


def print_table(renderable: RenderableType) -> None:
    """Print to stdout, without padding at line ends; as wide as it needs where that is not a terminal."""
    console = Console() if sys.stdout.isatty() else Console(width=200, no_color=True)
    with console.capture() as captured:
        console.print(renderable, soft_wrap=False, highlight=False)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))
