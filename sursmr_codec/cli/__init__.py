"""The command line: one file a command; the only place that prints or exits."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Entry point of `sursmr-qp` and `python -m sursmr_codec`."""
    from sursmr_codec.cli.app import run

    run()
