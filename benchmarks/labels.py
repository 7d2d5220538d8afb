"""How good are the labels?

    python benchmarks/labels.py models/labels            print
    python benchmarks/labels.py models/labels --write    also write labels.json, the plots and docs/labels.md

Reads label tables (files, or folders of Parquet) and answers from them alone: how ratios spread along the
ladder, how often SMR rises as quality falls, how many images have no jury, how far two random halves of the
machines disagree (the noise floor of SMR), how far the teachers of SUR disagree, and whether SMR says
anything that SUR does not. What happens from one QP to the next is asked of the whole ladders in the
folder's `every_qp`. Whether labels can be made again exactly is asked by `labels_repeat.py`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import runpy
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import labels_answers as answers
import labels_curves
import numpy as np
from numpy.typing import NDArray

from sursmr_codec.labels import store
from sursmr_codec.labels.machine_split import unseen_names

WHOLE = "every_qp"
"""Folder of tables, in one of tables, that hold whole ladders of images which the others sample."""
RESULT = Path(__file__).with_suffix(".json")
PAGE = RESULT.parent.parent / "docs" / "generate_labels.py"


def report(tables: Sequence[Path], seed: int = 0) -> dict[str, object]:
    """Every answer, as one JSON object."""
    files = store.files_of(tables)
    whole = [path for one in tables for path in sorted((one / WHOLE).glob("*.parquet"))]
    columns = _columns(files)
    voters = [name for name in columns if name.startswith(store.VOTE_PREFIX)]
    apart = unseen_names()
    seen = [name for name in voters if name.removeprefix(store.VOTE_PREFIX) not in apart]
    random = np.random.default_rng(seed)
    ids = answers.codecs(columns)
    return {
        "schema": "sursmr-qp/labels/2",
        "date": datetime.now(UTC).date().isoformat(),
        "tables": [{"file": path.name, "sha256": _digest(path)} for path in files]
        + [{"file": f"{WHOLE}/{path.name}", "sha256": _digest(path)} for path in whole],
        "n_rungs": len(columns["image"]),
        "n_images": len(set(columns["image"])),
        "contents": answers.contents(columns),
        "alike": answers.alike(columns),
        "images_without": answers.without_jury(columns),
        "machines_counting_mean": round(float(columns["n_machines"].mean()), 2),
        "along_the_ladder": {codec: answers.along_the_ladder(columns, codec) for codec in ids},
        "rising_steps": {codec: answers.rising(columns, codec) for codec in ids},
        "every_qp": _every_qp(_columns(whole)) if whole else {},
        "split_half_mae": {
            "seen": answers.split_half(np.stack([columns[name] for name in seen], 1), random),
            "all": answers.split_half(np.stack([columns[name] for name in voters], 1), random),
        },
        "unseen": {codec: answers.unseen(columns, codec) for codec in ids},
        "teachers": {codec: answers.teachers(columns, codec) for codec in ids},
        "smr_against_sur": {codec: answers.smr_against_sur(columns, codec) for codec in ids},
        "machines": answers.machines(columns, apart, store.VOTE_PREFIX),
        "examples": labels_curves.examples(columns),
    }


def _every_qp(ladders: answers.Columns) -> dict[str, object]:
    return {
        codec: {"rising_steps": answers.rising(ladders, codec), "smr": answers.highest(ladders, codec)}
        for codec in answers.codecs(ladders)
    }


def _columns(files: Sequence[Path]) -> dict[str, NDArray[Any]]:
    table = store.read_labels(files)
    return {name: np.asarray(table[name].to_numpy(zero_copy_only=False)) for name in table.column_names}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", type=Path, nargs="+")
    parser.add_argument("--write", action="store_true", help="write the result, its plots and its page")
    arguments = parser.parse_args()
    result = report(arguments.tables)
    text = json.dumps(result, indent=1) + "\n"
    print(text, end="")
    if arguments.write:
        import labels_plot

        RESULT.write_text(text)
        labels_plot.draw_all(result)
        runpy.run_path(str(PAGE))["write"]()


if __name__ == "__main__":
    main()
