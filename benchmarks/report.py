"""How long does a browser take to open the page of a run of 1,000 images?

    python benchmarks/report.py            measure and print
    python benchmarks/report.py --write    also write benchmarks/report.json

Each opening is a fresh profile of Chromium without a window, from file://. `open` is the time until totals,
histograms and the first rows of the table are painted (at most 3 s), `details` the time from the first click
on a name to the drawn curve and both pictures, the loading of the plotting library included. Every image of
the run has its own source and result, copies of one photograph. The results themselves are made up, with a
probe at each of seven QPs. `open_cpu` is the processor time behind `open`, which other work on the machine
does not lengthen as much.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from sursmr_codec import codecs, images
from sursmr_codec.records import PICK_KEYS
from sursmr_codec.report.html import write_page

RESULT = Path(__file__).with_suffix(".json")
PICTURE = Path(__file__).parent.parent / "docs" / "examples" / "kodim23.png"
BOUND_SECONDS = 3.0


def measure(n_images: int, repeats: int) -> dict[str, object]:
    """Median seconds of each question over `repeats` openings, the first left out."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        out = Path(folder) / "out"
        began = time.perf_counter()
        page = write_page(made_up(n_images, Path(folder)), out)
        write_seconds = time.perf_counter() - began
        chromium = playwright.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
        openings = [_open(chromium, page.as_uri()) for _ in range(repeats + 1)][1:]
        version = chromium.version
        chromium.close()
        page_bytes = page.stat().st_size
    return {
        "schema": "sursmr-qp/report-opening/1",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {
            "system": platform.system(),
            "cpu": platform.machine(),
            "n_cores": os.cpu_count(),
            "load_average": round(os.getloadavg()[0], 1),
            "chromium": version,
        },
        "n_images": n_images,
        "repeats": repeats,
        "page_bytes": page_bytes,
        "write_seconds": round(write_seconds, 2),
        "seconds": {
            name: {
                "median": round(statistics.median(one[name] for one in openings), 3),
                "largest": round(max(one[name] for one in openings), 3),
            }
            for name in openings[0]
        },
        "bound_seconds": BOUND_SECONDS,
    }


def made_up(n_images: int, folder: Path) -> Iterator[dict[str, Any]]:
    """Records of a run whose files are all there."""
    chance = random.Random(0)
    source, codec = images.read(PICTURE), codecs.get("jpeg")
    summary = codec.summary()
    encoded = {qp: codec.encode(source, qp) for qp in range(20, 60)}
    (folder / "in").mkdir()
    (folder / "out").mkdir()
    for number in range(n_images):
        picked = chance.randrange(26, 54)
        original, written = folder / "in" / f"IMG_{number:05}.png", folder / "out" / f"IMG_{number:05}.jpg"
        shutil.copyfile(PICTURE, original)
        written.write_bytes(encoded[picked])
        probes = [_probe(qp, picked, len(encoded[qp])) for qp in range(picked - 5, picked + 2)]
        known: dict[str, Any] = {
            "input": {
                "path": str(original),
                "sha256": source.sha256,
                "width": source.width,
                "height": source.height,
                "n_bytes": source.n_bytes,
                "format": source.format,
            },
            "codec": {"id": summary.id, "extension": summary.extension, "fingerprint": summary.fingerprint},
            "targets": {"sur": 0.75, "smr": 0.9, "risk": None},
            "search": {"method": "exhaustive", "tolerance": 0.0, "max_bytes": None},
            "met": True,
            "binding": "sur",
            "qp": picked,
            "native": dict(codec.native(picked)),
            "sur": probes[-2]["sur"],
            "smr": probes[-2]["smr"],
            "n_bytes": len(encoded[picked]),
            "saved_percent": 100 * (1 - len(encoded[picked]) / (source.n_bytes or 1)),
            "kept_original": False,
            "output": {"path": str(written), "sha256": hashlib.sha256(encoded[picked]).hexdigest()},
            "probes": probes,
            "n_encodes": len(probes),
            "warnings": [],
            "status": "done",
            "source": original.name,
        }
        yield {**dict.fromkeys((*PICK_KEYS, "reason", "retry", "finished")), **known}


def _probe(qp: int, picked: int, n_bytes: int) -> dict[str, Any]:
    above = picked - qp
    return {"qp": qp, "sur": 0.752 + 0.01 * above, "smr": 0.93 + 0.005 * above, "n_bytes": n_bytes}


def _open(chromium: Browser, address: str) -> dict[str, float]:
    page = chromium.new_context(viewport={"width": 1440, "height": 900}).new_page()
    metrics = page.context.new_cdp_session(page)
    metrics.send("Performance.enable")
    seconds = {}
    began = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector("#table tbody tr")
    page.locator(".histogram svg").nth(2).wait_for()
    # The second frame begins when the first one has been painted.
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    seconds["open"] = time.perf_counter() - began
    measured = metrics.send("Performance.getMetrics")["metrics"]
    seconds["open_cpu"] = next(one["value"] for one in measured if one["name"] == "ProcessTime")
    began = time.perf_counter()
    page.locator("#table tbody a").first.click()
    page.locator("#curve svg.main-svg").first.wait_for()
    for image in page.locator(".layer img").all():
        image.evaluate("image => image.decode()")
    seconds["details"] = time.perf_counter() - began
    page.context.close()
    return seconds


def _chromium() -> str:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        raise SystemExit("no chromium: apt-get install chromium")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.name}")
    arguments = parser.parse_args()
    result = measure(arguments.images, arguments.repeats)
    print(json.dumps(result, indent=2))
    if arguments.write:
        RESULT.write_text(json.dumps(result, indent=2) + "\n")
    if result["seconds"]["open"]["median"] > BOUND_SECONDS:
        raise SystemExit(f"above the bound of {BOUND_SECONDS} s")


if __name__ == "__main__":
    main()
