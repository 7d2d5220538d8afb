"""The command line that benchmarks of labels and models share, and what becomes of their result."""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Mapping
from pathlib import Path


def parser(doc: str | None) -> argparse.ArgumentParser:
    """Where the labels' pictures are, and whether to write; `doc` is the script's own text."""
    asked = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--images", type=Path, required=True)
    asked.add_argument("--write", action="store_true")
    return asked


def of_model(doc: str | None) -> argparse.ArgumentParser:
    """The same, and which model; the default one where none is named."""
    asked = parser(doc)
    asked.add_argument("--model")
    return asked


def tell(record: Mapping[str, object], result: Path, *, write: bool) -> None:
    """Print a result, with the machine that found it; with `write`, keep it as well."""
    machine = {"python": platform.python_version(), "system": platform.system(), "cpu": platform.machine()}
    text = json.dumps({"machine": machine, **record}, indent=1, allow_nan=False) + "\n"
    print(text, end="")
    if write:
        result.write_text(text)
