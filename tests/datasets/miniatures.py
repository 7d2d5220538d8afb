"""What miniature copies of data sets are written with."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

JPEG_RATINGS = [10, 40, 40, 70]
BPG_RATINGS = [1, 50, 51, 61]
"""On the half-step slider: levels 1, 25, 26, 31."""
SUBJECTS = [[29, 18, 13], [23, 12], [31, 17, 11, 8]]


def picture(path: Path, size: tuple[int, int] = (16, 8)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(3).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)


def write_csv(path: Path, rows: Sequence[Mapping[str, object]], encoding: str = "utf-8") -> None:
    with path.open("w", newline="", encoding=encoding) as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def rating_row(image: str, kind: str, ratings: Sequence[int]) -> dict[str, object]:
    levels = [rating / 2 for rating in ratings] if kind == "BPG" else ratings
    return {
        "image_id": image,
        "Compression type": kind,
        "No. of ratings": len(ratings),
        "mean": np.mean(levels),
        "std": np.std(levels),
        "ratings": json.dumps(list(ratings)),
    }


def write_workbook(path: Path, cells: Sequence[str]) -> None:
    """A workbook as Excel writes it: texts in a table of their own, number in column A, list in column B."""
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    strings = "".join(f"<si><t>{cell}</t></si>" for cell in cells)
    rows = "".join(
        f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="B{n}" t="s"><v>{n - 1}</v></c></row>'
        for n in range(1, len(cells) + 1)
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/sharedStrings.xml", f"<sst {space}>{strings}</sst>")
        archive.writestr(
            "xl/worksheets/sheet1.xml", f"<worksheet {space}><sheetData>{rows}</sheetData></worksheet>"
        )
