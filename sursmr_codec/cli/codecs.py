"""`sursmr-qp codecs`: which encoders can be used here, and what mends the others."""

from __future__ import annotations

from sursmr_codec.cli import console, options


def codecs(json: options.Json = False) -> None:
    """List the encoders: QP range, versions, and what is missing."""
    with console.failures():
        from sursmr_codec.cli import tables
        from sursmr_codec.records import codec_records

        rows = codec_records()
        if json:
            console.print_json(rows)
        else:
            tables.print_table(tables.codec_table(rows))
