"""`sursmr-qp status`: how far the batch of a folder is, whether it runs or not."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sursmr_codec.cli import console, options


def status(
    out: Annotated[
        str, typer.Argument(metavar="OUT", show_default=False, help="What `batch` writes to, or its --state.")
    ],
    json: options.Json = False,
) -> None:
    """Say how far the batch in OUT is, live or finished."""
    with console.failures():
        from sursmr_codec.batch import status as reading

        found = reading.read(out)
        if json:
            console.print_json(reading.record(found))
            return
        from rich.table import Table

        from sursmr_codec.cli import tables

        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        for row in _rows(found):
            table.add_row(*row)
        tables.print_table(table)


def _rows(found: Any) -> list[tuple[str, str]]:
    from sursmr_codec.cli.batch_view import duration

    rows = [("batch", f"{found.base} -> {found.out}"), ("state", _state(found))]
    rows.append(("started", found.started))
    if found.ended:
        rows.append(("ended", found.ended))
    rows.append(("pictures", "being looked for" if found.n_total is None else str(found.n_total)))
    rows += [(status, str(number)) for status, number in found.counts.items() if number]
    if found.n_left:
        pace = f", {found.rate:.2f}/s, {duration(found.eta_seconds)} to go" if found.rate else ""
        rows.append(("left", f"{found.n_left}{pace}"))
    if found.output_bytes:
        saved = 100 * (1 - found.output_bytes / found.source_bytes) if found.source_bytes else 0.0
        before, after = console.size(found.source_bytes), console.size(found.output_bytes)
        rows.append(("size", f"{before} -> {after}, {saved:.1f} % saved"))
    return rows


def _state(found: Any) -> str:
    match found.state:
        case "running":
            by = found.by
            return f"running, process {by['pid']} on {by['host']}" if by else "running"
        case "killed":
            return "was killed; the same command goes on where it was"
        case "interrupted":
            return "was interrupted; the same command goes on where it was"
        case "stopped":
            return f"stopped: {found.why or 'internal error'}"
        case _ if found.n_left:
            return "finished its share; the same command goes on"
    return "finished"
