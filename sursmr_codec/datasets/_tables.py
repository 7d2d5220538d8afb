"""Small tables: CSV with line numbers, and one column of a workbook without a library for workbooks."""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from sursmr_codec.errors import ImageError

_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def csv_rows(table: Path, needed: Sequence[str]) -> list[tuple[int, Mapping[str, str]]]:
    """(line number, cells by lower-case column name) of every row.

    Raises ImageError, naming the file, where it cannot be read, lacks one of the columns, or has one twice.
    """
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            names = _names(reader.fieldnames)
            for name in names:
                if name and names.count(name) > 1:
                    raise ImageError(f"{table} has two columns {name}")
            absent = [name for name in needed if name not in names]
            if absent:
                raise ImageError(f"{table} has no column {', '.join(absent)}")
            return [
                (
                    reader.line_num,
                    {name: row[own] or "" for name, own in zip(names, row, strict=False) if own},
                )
                for row in reader
            ]
    except FileNotFoundError:
        raise ImageError(f"{table} is missing: without it there is no label") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ImageError(f"{table} cannot be read: {error}") from error


def columns(table: Path) -> frozenset[str]:
    """The lower-case names in the first line of a CSV table; none where it cannot be read."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            return frozenset(_names(next(csv.reader(file), [])))
    except (OSError, UnicodeDecodeError, csv.Error):
        return frozenset()


def whole_number(name: str, cell: str) -> int:
    """The number in a cell; programs that know no other numbers write 30 as 30.0. Raises ValueError."""
    value = number(name, cell)
    if not value.is_integer():
        raise ValueError(f"{name} {cell!r} is no whole number")
    return int(value)


def number(name: str, cell: str) -> float:
    """The number in a cell, NaN too; raises ValueError, naming the column."""
    try:
        return float(cell)
    except ValueError:
        raise ValueError(f"{name} {cell!r} is no number") from None


def _names(cells: Sequence[str] | None) -> list[str]:
    return [(cell or "").strip().lower() for cell in cells or ()]


def workbook_column(workbook: Path, column: str) -> dict[int, str]:
    """Row number -> text of one column of a workbook's first sheet; raises ImageError for another file."""
    try:
        with zipfile.ZipFile(workbook) as archive:
            strings = []
            if "xl/sharedStrings.xml" in archive.namelist():
                for item in ElementTree.fromstring(archive.read("xl/sharedStrings.xml")).iter(f"{_SHEET}si"):
                    strings.append("".join(text.text or "" for text in item.iter(f"{_SHEET}t")))
            sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
            found = {}
            for cell in sheet.iter(f"{_SHEET}c"):
                place = re.fullmatch(r"([A-Z]+)(\d+)", cell.get("r", ""))
                value = cell.find(f"{_SHEET}v")
                if place is None or place[1] != column or value is None or value.text is None:
                    continue
                found[int(place[2])] = strings[int(value.text)] if cell.get("t") == "s" else value.text
            return found
    except (OSError, zipfile.BadZipFile, KeyError, IndexError, ValueError, ElementTree.ParseError) as error:
        raise ImageError(f"{workbook} is no readable workbook: {error}") from error
