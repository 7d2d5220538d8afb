"""What machines say of the very pictures that people judged: SMR beside SUR in one row.

The paper's mixed set, SUR-SMR (arXiv 2412.17477), has both ratios of the same published pictures.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from sursmr_codec import images
from sursmr_codec.datasets.rows import FINGERPRINT
from sursmr_codec.errors import SursmrError, UnavailableError
from sursmr_codec.labels.panel import Panel, PanelSetup
from sursmr_codec.labels.raw_cache import PictureKey, RawCache, Stored
from sursmr_codec.labels.rows import LabelRow, Outputs, ballot


def with_machines(
    rows: Iterable[LabelRow],
    folder: Path | str,
    setup: PanelSetup,
    cache: RawCache,
    unseen: frozenset[str] = frozenset(),
) -> Iterator[LabelRow]:
    """The rows of people's judgements with the votes and ratios of a jury.

    Paths of `rows` lie below `folder`. Answers are kept in `cache`, so that a run that was stopped asks only
    what is left. Raises ImageError for a picture that cannot be read, UnavailableError for a machine that
    fails: a label without it would be another one.
    """
    witness = _Witness(Path(folder), setup, cache)
    image = ""
    original: Outputs = {}
    for row in rows:
        if row.image != image:
            image, original = row.image, witness.outputs(row.image)
        said = witness.outputs(row.fingerprint.removeprefix(FINGERPRINT))
        ratios, votes = ballot(original, said, setup.rows, unseen)
        yield replace(
            row,
            smr=ratios.smr,
            smr_classification=ratios.smr_classification,
            smr_detection=ratios.smr_detection,
            smr_strict=ratios.smr_strict,
            smr_unseen=ratios.smr_unseen,
            n_machines=ratios.n_counting,
            votes=votes,
        )


class _Witness:
    def __init__(self, folder: Path, setup: PanelSetup, cache: RawCache) -> None:
        self._folder, self._setup, self._cache = folder, setup, cache
        self._questions = {name: f"machine {name} {digest}" for name, digest in setup.machines.items()}
        self._panel: Panel | None = None

    def outputs(self, name: str) -> Outputs:
        """Machine name -> its output on a picture, from the cache or asked for."""
        path = self._folder / name
        key = PictureKey(hashlib.sha256(images.read_bytes(path)).hexdigest())
        stored = self._cache.get(key, self._questions.values())
        known = {} if stored is None else dict(stored.answers)
        missing = {one: question for one, question in self._questions.items() if question not in known}
        if missing:
            self._panel = self._panel or self._setup.load()
            source = images.read(path)
            asked = {
                question: _asked(self._panel, one, source.rgb, path) for one, question in missing.items()
            }
            self._cache.put({key: Stored({"width": source.width, "height": source.height}, asked)})
            known |= asked
        return {one: known[question] for one, question in self._questions.items()}


def _asked(panel: Panel, machine: str, rgb: Any, path: Path) -> dict[str, Any]:
    try:
        return panel.machine(machine, rgb)
    except Exception as error:
        # Whatever a runtime raises must come with the machine's name.
        reason = str(error) if isinstance(error, SursmrError) else f"{type(error).__name__}: {error}"
        raise UnavailableError(f"machine {machine} failed on {path}: {reason}") from error
