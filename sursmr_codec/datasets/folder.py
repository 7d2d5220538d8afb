"""A plain folder of pictures, without labels: what `annotate` takes."""

from __future__ import annotations

from pathlib import Path

from sursmr_codec.datasets.base import DataSet, Reader
from sursmr_codec.errors import ImageError
from sursmr_codec.labels.plan import INDEX, list_images


class Folder(Reader):
    """Any folder with pictures; `index.csv` names and splits them where it is there."""

    id = "folder"
    layout = f"pictures, with or without {INDEX}"

    def recognises(self, path: Path) -> bool:
        return path.is_dir()

    def read(self, path: Path) -> DataSet:
        listed = list_images(path)
        images = {image: split for image, split in listed if (path / image).is_file()}
        if not images:
            raise ImageError(f"{path} holds no pictures")
        missing = tuple(image for image, _ in listed if image not in images)
        return DataSet(self.id, path.resolve().name, path, (), images, missing)
