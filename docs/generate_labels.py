"""Writes the generated blocks of docs/labels.md from benchmarks/labels.json and labels_repeat.json.

python docs/generate_labels.py            rewrite the blocks
python docs/generate_labels.py --check    exit 1 where one differs
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).with_name("labels.md")
RESULTS = Path(__file__).resolve().parent.parent / "benchmarks"
_BLOCK = re.compile(r"(<!-- generated: (?P<name>[\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_NAMES = {
    "sur": "SUR",
    "smr": "SMR",
    "smr_classification": "SMR, classifiers",
    "smr_detection": "SMR, detectors",
    "smr_unseen": "SMR, unseen machines",
    "smr_strict": "SMR, strict",
}

Json = dict[str, Any]


def contents(result: Json) -> str:
    """How many images and rungs there are of each split and codec."""
    ids = sorted({one["codec"] for one in result["contents"]})
    cells = {(one["split"], one["codec"]): one for one in result["contents"]}
    rows = []
    for split in dict.fromkeys(one["split"] for one in result["contents"]):
        images = result["images_without"][split]["n_images"]
        row = [f"`{split}`", f"{images:,}"]
        for codec in ids:
            one = cells.get((split, codec))
            row.append("-" if one is None else f"{one['n_rungs']:,} on {one['n_images']:,} images")
        rows.append(row)
    told = (
        f"{result['n_rungs']:,} rungs of {result['n_images']:,} images; on average "
        f"{result['machines_counting_mean']:.1f} machines stand behind an SMR."
    )
    for pair in result["alike"]:
        names = " and ".join(f"`{codec}`" for codec in pair["codecs"])
        same = _percent(pair["n_same"] / pair["n_rungs"])
        told += f" To both metrics {names} look the same on {same} of the rungs that they share."
    return f"{_table(['split', 'images', *(f'rungs of `{codec}`' for codec in ids)], rows)}\n\n{told}"


def ladder(result: Json) -> str:
    """Mean and spread of SUR and SMR in each band of QP."""
    parts = []
    for codec, bands in result["along_the_ladder"].items():
        rows = [
            [
                f"{band['qp'][0]}..{band['qp'][1]}",
                f"{band['n_rungs']:,}",
                *(_spread(band[name]) for name in _NAMES if name != "smr_strict"),
            ]
            for band in bands
        ]
        head = ["QP", "rungs", *(_NAMES[name] for name in _NAMES if name != "smr_strict")]
        parts.append(f"`{codec}`:\n\n{_table(head, rows)}")
    return "\n\n".join(parts)


def jury(result: Json) -> str:
    """Images on which ratios are not defined."""
    names = ("smr", "smr_classification", "smr_detection", "smr_unseen")
    rows = [
        [f"`{split}`", *(_part(found[name], found["n_images"]) for name in names)]
        for split, found in result["images_without"].items()
    ]
    return _table(["split", *(_NAMES[name] for name in names)], rows)


def rising(result: Json) -> str:
    """Steps at which SMR rises though quality falls."""
    return _steps((codec, one) for codec, steps in result["rising_steps"].items() for one in steps)


def every_qp(result: Json) -> str:
    """The same from one QP to the next, and what it means for the highest QP that meets a target."""
    found = result["every_qp"]
    rows = [
        [
            f"`{codec}`",
            f"{one['target']}",
            f"{one['n_images']}",
            f"{one['n_apart']}",
            "-" if one["mean_qps"] is None else f"{one['mean_qps']:.1f} QPs",
            "-" if one["most_qps"] is None else f"{one['most_qps']} QPs",
        ]
        for codec, of in found.items()
        for one in of["smr"]
    ]
    head = [
        "codec",
        "SMR asked for",
        "images",
        "met again after a miss",
        "higher by, on average",
        "by at most",
    ]
    steps = _steps((codec, one) for codec, of in found.items() for one in of["rising_steps"])
    return f"{steps}\n\n{_table(head, rows)}"


def _steps(found: Iterable[tuple[str, Json]]) -> str:
    rows = [
        [
            f"`{codec}`",
            _width(one["qps"]),
            f"{one['n_steps']:,}",
            _percent(one["share"]),
            "-" if one["one_machine_share"] is None else _percent(one["one_machine_share"]),
            _or_dash(one["mean_rise"]),
            _or_dash(one["largest_rise"]),
        ]
        for codec, one in found
    ]
    head = "codec, step, steps, SMR rises at, of these by one machine, by on average, by at most"
    return _table(head.split(", "), rows)


def noise(result: Json) -> str:
    """Split halves, and the machines that are kept from training."""
    rows = [
        [
            label,
            str(found["n_machines"]),
            f"{found['n_rungs_mean']:,}",
            f"{found['mean']:.3f} ± {found['sd']:.3f}",
            f"{found['of_the_whole']:.3f}",
        ]
        for label, found in (
            ("those that vote in `smr`", result["split_half_mae"]["seen"]),
            ("all", result["split_half_mae"]["all"]),
        )
    ]
    head = ["machines", "number", "rungs", "half against half", "half of that"]
    apart = [
        [
            f"`{codec}`",
            f"{one['n_rungs']:,}",
            f"{one['mae']:.3f}",
            f"{one['unseen_minus_seen']:+.3f}",
            f"{one['spearman']:.2f}",
        ]
        for codec, one in result["unseen"].items()
    ]
    apart_head = ["codec", "rungs", "mean absolute difference", "unseen minus seen", "rank correlation"]
    return (
        f"{_table(head, rows)}\n\n"
        "The machines that are kept from training against those that vote in `smr`:\n\n"
        f"{_table(apart_head, apart)}"
    )


def teachers(result: Json) -> str:
    """ColorVideoVDP's viewers against SSIMULACRA2's."""
    rows = [
        [
            f"`{codec}`",
            f"{one['n_rungs']:,}",
            f"{one['mae']:.3f}",
            _or_dash(one["mae_between_0.1_and_0.9"]),
            f"{one['cvvdp_minus_ssimulacra2']:+.3f}",
            f"{one['spearman']:.3f}",
        ]
        for codec, one in result["teachers"].items()
    ]
    return _table(
        [
            "codec",
            "rungs",
            "mean absolute difference of SUR",
            "where SUR is 0.1 to 0.9",
            "ColorVideoVDP minus SSIMULACRA2",
            "rank correlation of scores",
        ],
        rows,
    )


def against(result: Json) -> str:
    """Whether SMR says anything that SUR and QP do not."""
    rows = [
        [f"`{codec}`", f"{one['all']:.2f}", _or_dash(one["within_bands"])]
        for codec, one in result["smr_against_sur"].items()
    ]
    return _table(["codec", "over all rungs", "over images at about the same QP"], rows)


def machines(result: Json) -> str:
    """Every machine: how often it counts, and how often it is satisfied."""
    rows = [
        [
            f"`{one['name']}`",
            "unseen" if one["unseen"] else "",
            _percent(one["counts"]),
            "-" if one["satisfied"] is None else _percent(one["satisfied"]),
        ]
        for one in result["machines"]
    ]
    return _table(["machine", "", "counts on, of the images", "satisfied with, of those rungs"], rows)


def repeat(_: Json) -> str:
    """Whether labels made anew are the same."""
    path = RESULTS / "labels_repeat.json"
    if not path.is_file():
        return "Not measured for these tables yet."
    found = json.loads(path.read_text("utf-8"))
    asked = (
        f"{found['n_rungs']} rungs of {found['n_images']} images ({', '.join(found['codecs'])}) labelled "
        f"anew from nothing on {found['date']}"
    )
    if not found["n_rungs_that_differ"]:
        return f"{asked}: all {found['n_columns']} columns are the same, bit for bit."
    differing = ", ".join(
        f"`{name}` on {one['n_rungs']}" + (f" (by at most {one['largest']:.2g})" if "largest" in one else "")
        for name, one in found["columns_that_differ"].items()
    )
    return f"{asked}: {found['n_rungs_that_differ']} of them differ, in {differing}."


BLOCKS = {
    "labels-contents": contents,
    "labels-ladder": ladder,
    "labels-jury": jury,
    "labels-rising": rising,
    "labels-every-qp": every_qp,
    "labels-noise": noise,
    "labels-teachers": teachers,
    "labels-against": against,
    "labels-machines": machines,
    "labels-repeat": repeat,
}


def _spread(found: Json | None) -> str:
    return "-" if found is None else f"{found['mean']:.2f} ± {found['sd']:.2f}"


def _part(n: int, whole: int) -> str:
    return f"{n} ({_percent(n / whole)})"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _or_dash(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _width(qps: list[int]) -> str:
    low, high = qps
    if low == high:
        return f"{low} QP"
    return f"{low} QPs and more" if high >= 99 else f"{low} to {high} QPs"


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


def render(text: str) -> str:
    """`text` with every generated block made anew."""
    result = json.loads((RESULTS / "labels.json").read_text("utf-8"))
    return _BLOCK.sub(lambda match: f"{match[1]}{BLOCKS[match['name']](result)}\n{match[3]}", text)


def write() -> None:
    """Rewrite the page's blocks."""
    DOCUMENT.write_text(render(DOCUMENT.read_text("utf-8")), "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where a block differs")
    text = DOCUMENT.read_text("utf-8")
    if not parser.parse_args().check:
        write()
    elif render(text) != text:
        raise SystemExit(f"{DOCUMENT.name} is out of date; run python docs/generate_labels.py")


if __name__ == "__main__":
    main()
