"""One input file and what has to become of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

OK, BAD_IMAGE = 0, 4
_NOBODY = 65534


@dataclass(frozen=True, eq=False)
class Row:
    """A file that `build` makes in a folder, and the outcome of reading it."""

    name: str
    build: Callable[[Path], Path]
    exit_code: int = OK
    message: str = ""
    """Part of the error's one line; for readable files, of one of the warnings ("" for no warning)."""
    pixels: NDArray[np.uint8] | None = None
    """(H, W, 3) sRGB that has to come out; None where only success counts."""
    tolerance: int = 0
    """Largest difference from `pixels`, in levels."""
    options: tuple[str, ...] = ()
    """Reading options as on the command line."""
    n_pixels: int = 0
    """Pixels of pictures too large for an encoder in a test; 0 for small ones."""
    unprivileged: bool = False
    """Whether the outcome needs a user who is not root."""

    @property
    def large(self) -> bool:
        return self.n_pixels > 0

    def setting(self, option: str) -> str | None:
        """Value of one reading option, such as `--alpha`; None where it is not given."""
        return dict(zip(self.options[::2], self.options[1::2], strict=True)).get(option)

    @contextmanager
    def user(self) -> Iterator[None]:
        """Drop root's rights where the row asks for it and the tests have them."""
        with without_root() if self.unprivileged else nullcontext():
            yield


@contextmanager
def without_root() -> Iterator[None]:
    """Work as nobody where the tests run as root."""
    drop = os.geteuid() == 0
    if drop:
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        if drop:
            os.seteuid(0)


def saved(name: str, data: bytes | Callable[[], bytes]) -> Callable[[Path], Path]:
    """A builder that writes bytes, made only when they are needed, to a file of that name."""

    def build(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(data if isinstance(data, bytes) else data())
        return path

    return build
