"""COCO (Lin et al., ECCV 2014, https://cocodataset.org): pictures without SUR, which `annotate` labels.

    train2017/000000000009.jpg, val2017/, test2017/, unlabeled2017/     also below images/
    annotations/instances_val2017.json                                   optional: names every picture

COCO-SMR, the machines' data set of the paper, is COCO under HEVC at QP 10..51: `annotate` on this folder with
a zoo follows its recipe.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from sursmr_codec.datasets.base import DataSet, Files, Reader
from sursmr_codec.errors import ImageError

MOST_JSON_BYTES = 64_000_000
"""Annotation files above are not opened to look for missing pictures: they would take gigabytes of memory."""
_FOLDER = re.compile(r"(train|val|test|unlabeled)(\d{4})")


class Coco(Reader):
    """A COCO folder, of any year and any of its splits."""

    id = "coco"
    layout = "train2017/, val2017/, test2017/ or unlabeled2017/"

    def recognises(self, path: Path) -> bool:
        return path.is_dir() and bool(_folders(path))

    def read(self, path: Path) -> DataSet:
        images: dict[str, str] = {}
        missing: list[str] = []
        problems: list[str] = []
        for folder in _folders(path):
            below = folder.relative_to(path).as_posix()
            named = _FOLDER.fullmatch(folder.name)
            split = named[1] if named else ""
            files = Files(folder, ".")
            found = [name for name in files.all() if name.lower().endswith((".jpg", ".jpeg", ".png"))]
            for name in found:
                if files.find(name) is None:
                    missing.append(f"{below}/{name}")
                else:
                    images[f"{below}/{name}"] = split
            wanted = _annotated(path / "annotations" / f"instances_{folder.name}.json", problems)
            missing += [f"{below}/{name}" for name in wanted if f"{below}/{name}" not in images]
        if not images:
            empty = ", ".join(folder.name for folder in _folders(path))
            reason = f"{empty} are empty" if empty else f"it has no {self.layout}"
            raise ImageError(f"{path} holds no COCO pictures: {reason}")
        return DataSet(self.id, "COCO", path, (), images, tuple(dict.fromkeys(missing)), tuple(problems))


def _folders(path: Path) -> list[Path]:
    places = [path, path / "images"]
    return [
        folder
        for place in places
        if place.is_dir()
        for folder in sorted(place.iterdir())
        if folder.is_dir() and _FOLDER.fullmatch(folder.name)
    ]


def _annotated(annotations: Path, problems: list[str]) -> list[str]:
    if not annotations.is_file():
        return []
    if annotations.stat().st_size > MOST_JSON_BYTES:
        problems.append(f"annotations/{annotations.name} is large and was not compared with the folder")
        return []
    try:
        return [str(image["file_name"]) for image in json.loads(annotations.read_bytes())["images"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        problems.append(f"annotations/{annotations.name} cannot be read: {error}")
        return []
