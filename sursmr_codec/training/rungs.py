"""The pictures behind label tables: rungs encoded anew, checked to be the labelled ones, kept as views.

A label belongs to the very bytes that were judged. So the encoders here must be those that the table names,
and what they write must have the size that it states; anything else stops the run. Rungs that people judged,
and that no encoder here makes, are read from the files that the table names.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sursmr_codec import codecs, images
from sursmr_codec.datasets.rows import FINGERPRINT as FILE
from sursmr_codec.errors import OutputError, UsageError
from sursmr_codec.ladder import Ladder
from sursmr_codec.network import views as viewing
from sursmr_codec.training.data import LabelledRungs
from sursmr_codec.types import Pixels, Source


@dataclass(frozen=True)
class Prepared:
    """How far a store is with the pictures that it was asked for."""

    n_done: int
    n_total: int
    n_encoded: int
    """Ladders that were not in the cache."""


class RungStore:
    """Views of sources and rungs as uint8, from a cache on disk that is filled where it lacks them."""

    def __init__(self, folder: Path | str, cache: Path | str, size: int, n_crops: int) -> None:
        self._folder = Path(folder)
        self._cache = Path(cache)
        self._size, self._n_crops = size, n_crops
        self._shape = (1 + n_crops, 3, size, size)
        self._sources: dict[str, Path] = {}
        self._ladders: dict[tuple[str, str], Path] = {}
        self._rungs: dict[tuple[str, str, int], tuple[Path, int]] = {}

    def prepare(self, rungs: LabelledRungs, jobs: int | None = None) -> Iterator[Prepared]:
        """Make sure that the views of all `rungs` are there; yields after each ladder.

        Raises UsageError where the encoders are not those of the labels, or rungs have another size than the
        labelled ones; UnavailableError where an encoder is missing, ImageError for a picture that cannot be
        read, OutputError where the cache cannot be written.
        """
        check_encoders(rungs)
        if not self._folder.is_dir():
            raise UsageError(f"no folder of images at {self._folder}: name it in [data] or with --data")
        try:
            self._cache.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self._cache} cannot be made: {error}") from error
        ladders = rungs.ladders()
        by_image: dict[str, list[tuple[str, LabelledRungs]]] = {}
        for (image, codec), rows in ladders.items():
            by_image.setdefault(image, []).append((codec, rungs.take(rows)))
        n_done = n_encoded = 0
        with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
            try:
                for found, n_fresh in pool.map(self._image, by_image.items()):
                    n_done += len(found)
                    n_encoded += n_fresh
                    yield Prepared(n_done, len(ladders), n_encoded)
            finally:
                pool.shutdown(cancel_futures=True)

    def source(self, image: str) -> NDArray[np.uint8]:
        """(V, 3, S, S) views of a prepared source."""
        return np.array(np.load(self._sources[image], mmap_mode="r")[0])

    def rung(self, image: str, codec: str, qp: int) -> NDArray[np.uint8]:
        """(V, 3, S, S) views of a prepared rung."""
        path, i = self._rungs[image, codec, qp]
        return np.array(np.load(path, mmap_mode="r")[i])

    def key(self, image: str, codec: str) -> str:
        """What the views of a prepared ladder depend on, as a short name."""
        return self._ladders[image, codec].stem

    def _image(self, work: tuple[str, list[tuple[str, LabelledRungs]]]) -> tuple[list[str], int]:
        image, ladders = work
        encoded = images.read_bytes(self._folder / image)
        digest = hashlib.sha256(encoded).hexdigest()
        source_path = self._path(digest)
        paths = {codec: self._path(digest, rungs) for codec, rungs in ladders}
        missing = [(codec, rungs) for codec, rungs in ladders if not self._is_there(paths[codec], len(rungs))]
        if missing or not self._is_there(source_path, 1):
            source = images.read(self._folder / image)
            self._keep(source_path, [self._views(source.rgb)])
            for codec, rungs in missing:
                self._keep(paths[codec], self._ladder_views(source, rungs))
        self._sources[image] = source_path
        for codec, rungs in ladders:
            self._ladders[image, codec] = paths[codec]
            for i, qp in enumerate(rungs.qps.tolist()):
                self._rungs[image, codec, qp] = (paths[codec], i)
        return [codec for codec, _ in ladders], len(missing)

    def _ladder_views(self, source: Source, rungs: LabelledRungs) -> list[NDArray[np.uint8]]:
        ladder: Ladder | None = None
        found = []
        for i, fingerprint in enumerate(rungs.fingerprints):
            if fingerprint.startswith(FILE):
                found.append(self._views(self._filed(source, rungs, i)))
            else:
                ladder = ladder or Ladder(source, codecs.get(rungs.codecs[i]))
                found.append(self._views(_encoded(ladder, rungs, i)))
        return found

    def _filed(self, source: Source, rungs: LabelledRungs, i: int) -> Pixels:
        name = rungs.fingerprints[i].removeprefix(FILE)
        rung = images.read(self._folder / name)
        if rung.n_bytes != rungs.n_bytes[i] or rung.rgb.shape != source.rgb.shape:
            raise UsageError(
                f"{name} has {rung.n_bytes} bytes and {rung.width}x{rung.height} pixels, but "
                f"{rungs.n_bytes[i]} bytes were labelled, of a source of {source.width}x{source.height}"
            )
        return rung.rgb

    def _views(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return viewing.views(rgb, self._size, self._n_crops)

    def _path(self, digest: str, rungs: LabelledRungs | None = None) -> Path:
        what: list[object] = [viewing.VERSION, self._size, self._n_crops, digest]
        if rungs is not None:
            what += [rungs.codecs[0], rungs.fingerprints[0], rungs.qps.tolist(), rungs.n_bytes.tolist()]
            files = [name.removeprefix(FILE) for name in rungs.fingerprints if name.startswith(FILE)]
            what += [hashlib.sha256(images.read_bytes(self._folder / name)).hexdigest() for name in files]
        return self._cache / f"{hashlib.sha256(json.dumps(what).encode()).hexdigest()}.npy"

    def _is_there(self, path: Path, n: int) -> bool:
        try:
            return bool(np.load(path, mmap_mode="r").shape == (n, *self._shape))
        except (OSError, ValueError, EOFError):
            return False

    def _keep(self, path: Path, pictures: Sequence[NDArray[np.uint8]]) -> None:
        # Not synced: what a power cut cuts short is found by its length and made again.
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            with temporary.open("wb") as file:
                np.save(file, np.stack(pictures))
            temporary.replace(path)
        except OSError as error:
            raise OutputError(f"{path} cannot be written: {error}") from error


def _encoded(ladder: Ladder, rungs: LabelledRungs, i: int) -> Pixels:
    rung, expected = ladder[int(rungs.qps[i])], int(rungs.n_bytes[i])
    if rung.n_bytes != expected:
        raise UsageError(
            f"{rungs.images[i]}: {rung.codec} at QP {rung.qp} gives {rung.n_bytes} bytes here, but "
            f"{expected} were labelled: these are not the labels of these pictures and encoders"
        )
    return rung.decoded


def check_encoders(rungs: LabelledRungs) -> None:
    """Raise UsageError unless the codecs here are the very ones that made the labelled rungs."""
    for codec_id, labelled in sorted(set(zip(rungs.codecs, rungs.fingerprints, strict=True))):
        if labelled.startswith(FILE):
            continue
        codec = codecs.get(codec_id)
        codec.require()
        here = codec.fingerprint()
        if here != labelled:
            raise UsageError(
                f"the labels of {codec_id} are of rungs by other encoders: labelled with {labelled!r}, "
                f"here is {here!r}; install the labelled versions (pip install 'sursmr-qp[labels]')"
            )
