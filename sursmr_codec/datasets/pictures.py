"""Whether the pictures of a data set are whole: opened, as large as their source, and not cut short.

Of JPEG and PNG files the head and the tail are read, so that tens of thousands take seconds and not hours.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from sursmr_codec.datasets.base import DataSet

_ENDS = {"JPEG": b"\xff\xd9", "PNG": b"IEND"}
"""Format -> what stands near the end of a whole file."""
_BY_OTHERS = frozenset({".avif", ".heic", ".heif"})
"""Suffixes of what Pillow alone does not open everywhere."""
_ORIENTATION = 0x0112
_TAIL = 4096
"""Bytes in which it must stand; some programs write a little behind it."""


def only_whole(data: DataSet) -> DataSet:
    """The data set without its damaged pictures, which are named among the problems.

    A source is damaged if it is no picture or cut short, a compressed picture also if its size in pixels is
    not its source's.
    """
    problems: list[str] = []
    sizes: dict[str, tuple[int, int]] = {}
    for image in data.images:
        found = picture_size(data.root / image)
        if isinstance(found, str):
            problems.append(f"{image} {found}; left out")
        else:
            sizes[image] = found
    ladders = []
    for ladder in data.ladders:
        wanted = sizes.get(ladder.image)
        files = {}
        for qp, name in ladder.files.items():
            found = picture_size(data.root / name)
            if isinstance(found, str):
                problems.append(f"{name} {found}; left out")
            elif wanted is not None and found != wanted:
                problems.append(
                    f"{name} has {found[0]}x{found[1]} pixels, its source {wanted[0]}x{wanted[1]}; left out"
                )
            else:
                files[qp] = name
        ladders.append(replace(ladder, files=files))
    return replace(
        data,
        ladders=tuple(ladders),
        images={image: split for image, split in data.images.items() if image in sizes},
        problems=(*data.problems, *problems),
    )


def picture_size(path: Path) -> tuple[int, int] | str:
    """Width and height of a picture as it is shown, in pixels; or what is wrong with the file, in words."""
    from PIL import Image, UnidentifiedImageError

    if path.suffix.lower() in _BY_OTHERS:
        return _decoded_size(path)
    try:
        with path.open("rb") as file, Image.open(file) as image:
            # Asked without need, a PNG is decoded in search of it.
            turned = "exif" in image.info and image.getexif().get(_ORIENTATION, 1) >= 5
            if not _ends_well(file, image.format or ""):
                # Cameras write whole videos behind a picture: only decoding tells whether it is complete.
                image.load()
            return image.size[::-1] if turned else image.size
    except UnidentifiedImageError:
        return "is no readable picture"
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        return f"is no readable picture: {error}"


def _decoded_size(path: Path) -> tuple[int, int] | str:
    from sursmr_codec import images
    from sursmr_codec.errors import SursmrError

    try:
        source = images.read(path)
    except SursmrError as error:
        return f"is no readable picture: {error}"
    return source.width, source.height


def _ends_well(file: BinaryIO, kind: str) -> bool:
    end, position = _ENDS.get(kind), file.tell()
    try:
        file.seek(-min(_TAIL, file.seek(0, 2)), 2)
        return end is not None and end in file.read()
    finally:
        file.seek(position)
