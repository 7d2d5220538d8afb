"""Words and numbers of reports."""

from __future__ import annotations


def unicode_only(text: str) -> str:
    """`text` without the stand-ins that Python has for the bytes of names that are not valid UTF-8.

    Such a name can be looked at in a report, but not be written to it as it is.
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def size(n_bytes: int) -> str:
    """A size in decimal units, three digits or so: `36.4 kB`."""
    value, unit = float(n_bytes), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(value) < 999.95 or unit == "TB":
            break
        value /= 1000
    return f"{n_bytes} B" if unit == "B" else f"{value:.1f} {unit}"


def moment(iso: str) -> str:
    """A time in ISO 8601 to the minute: `2026-11-21 08:12 UTC`."""
    return iso[:16].replace("T", " ") + (" UTC" if iso.endswith("+00:00") else "")
