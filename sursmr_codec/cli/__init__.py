"""The command line: one file a command; the only place that prints or exits."""

from __future__ import annotations

__all__ = ["main"]

INTERRUPTED = 130


def main() -> None:
    """Entry point of `sursmr-qp` and `python -m sursmr_codec`."""
    try:
        from sursmr_codec.cli.app import run
    except KeyboardInterrupt:
        # Once loaded, commands see to interrupts themselves.
        raise SystemExit(INTERRUPTED) from None
    run()
