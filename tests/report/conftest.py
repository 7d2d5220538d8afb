"""A run with real pictures, its page, and a browser to open it in."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fabricated
import pytest
from PIL import Image

from sursmr_codec import codecs, images


@pytest.fixture(scope="session")
def real_done(tmp_path_factory: pytest.TempPathFactory, kodim23: Path) -> Any:
    """Write a source and its result to a folder, and give their record: `real_done(out, name, codec, qp)`."""
    sources = tmp_path_factory.mktemp("sources")

    def make(out: Path, name: str, codec_id: str, qp: int = 33, size: tuple[int, int] = (192, 128)) -> Any:
        path = sources / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(kodim23) as whole:
            whole.resize(size).save(path)
        options = {"preset": "ultrafast"} if codec_id == "hevc" else {}
        source, codec = images.read(path), codecs.get(codec_id, **options)
        encoded = codec.encode(source, qp)
        output = out / Path(name).with_suffix(codec.extension)
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_bytes(encoded)
        return fabricated.done(
            name,
            input={
                "path": str(path),
                "sha256": source.sha256,
                "width": source.width,
                "height": source.height,
                "n_bytes": source.n_bytes,
                "format": source.format,
                "jpeg_quality": source.jpeg_quality,
            },
            codec={"id": codec_id, "extension": codec.extension, "fingerprint": "made here", "options": {}},
            output={"path": str(output), "sha256": hashlib.sha256(encoded).hexdigest()},
        )

    return make


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A real Chromium without a window."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no chromium: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        chromium.close()
