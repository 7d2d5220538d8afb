"""Makes docs/report.jpg: one picture's details in the report of a batch over the example pictures.

SURSMR_ZOO=path/to/machines python docs/screenshot.py
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright
from typer.testing import CliRunner

from sursmr_codec.cli.app import app

DOCS = Path(__file__).resolve().parent
RESULT = DOCS / "report.jpg"
SIZE = {"width": 1280, "height": 800}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "examples"
        done = CliRunner().invoke(
            app, ["batch", str(DOCS / "examples"), "-o", str(out), "--predictor", "measured", "--report"]
        )
        if done.exit_code != 0:
            raise SystemExit(done.output)
        shot = Path(folder) / "shot.png"
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            page = chromium.new_page(viewport=SIZE, color_scheme="light")
            page.goto((out / ".sursmr-qp" / "report" / "index.html").as_uri())
            page.get_by_role("link", name="kodim23.png").click()
            page.locator("#curve svg.main-svg").first.wait_for()
            for image in page.locator(".layer img").all():
                image.evaluate("image => image.decode()")
            page.screenshot(path=shot)
            chromium.close()
        with Image.open(shot) as picture:
            picture.convert("RGB").save(RESULT, quality=82, optimize=True)


if __name__ == "__main__":
    main()
