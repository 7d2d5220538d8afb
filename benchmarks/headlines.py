"""Each benchmark's result in one line, from its JSON; `generate.py` puts them into the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from model_headlines import OF_MODELS

Record = dict[str, Any]


def headline(name: str, record: Record) -> str:
    """The line of a script; its JSON's first numbers where it has none, or one for another JSON."""
    if name in HEADLINES:
        try:
            return HEADLINES[name](record)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            pass  # the numbers speak for themselves until the line follows
    numbers = list(_numbers(record))
    shown = [
        f"{path} {value:,}" if isinstance(value, int) else f"{path} {value:.4g}" for path, value in numbers
    ]
    return ", ".join(shown[:4]) + (", ..." if len(shown) > 4 else "")


def _annotate(record: Record) -> str:
    rates = ", ".join(f"{run['rungs_per_second']:.2f} with {run['jobs']}" for run in record["runs"])
    return f"rungs a second, by processes: {rates}; {record['speedup']:.2f} times as many"


def _batch(record: Record) -> str:
    lines = []
    for part, facts in record["parts"].items():
        match part:
            case "scale":
                lines.append(
                    f"{facts['n_pictures']:,} pictures at {facts['pictures_per_second']:.0f} a second beside "
                    f"the predictor, in {facts['driver_bytes'] / 1e6:.0f} MB"
                )
            case "throughput":
                runs = facts["runs"]
                lines.append(
                    f"real pictures: {runs[-1]['pictures_per_second']:.2f} a second in {runs[-1]['jobs']} "
                    f"processes, {facts['speedup']:.2f} times as many as `serial`"
                )
            case "kills":
                lines.append(f"{sum(facts['kills'].values())} kills")
            case _:
                lines.append(f"{part}: " + headline("", facts))
    return "; ".join(lines)


def _bits(record: Record) -> str:
    lines = []
    for name, part in record["parts"].items():
        for codec, of_codec in part["codecs"].items():
            for one in of_codec["results"]:
                saved = one["saved_percent"].get("best-fixed")
                if one["sur"] == 0.75 and one["smr"] == 0.9 and saved is not None:
                    risk = f" with risk {one['risk']:g}" if one["risk"] else ""
                    lines.append(f"{saved:.1f} % for {codec} on {name}{risk}")
    return "at SUR 0.75 and SMR 0.9 picks save against the best single QP: " + ", ".join(lines)


def _calibration(record: Record) -> str:
    ours, constant = record["all"]["both"], record["all"]["constant"]
    return (
        f"simulated SUR is off by {ours['mae']:.2f} on average on {record['n_stimuli']} stimuli of "
        f"{record['study']}, a constant by {constant['mae']:.2f}"
    )


def _codecs(record: Record) -> str:
    smallest: dict[str, float] = {}
    for one in record["settings"]:
        smallest[one["codec"]] = min(one["bytes_ratio"], smallest.get(one["codec"], one["bytes_ratio"]))
    ranked = sorted(smallest.items(), key=lambda one: one[1])
    return (
        f"bytes beside plain jpeg at SUR {record['target_sur']:g}, each codec's best setting: "
        + ", ".join(f"{codec} {ratio:.2f}" for codec, ratio in ranked)
    )


def _complexity(record: Record) -> str:
    network = record["networks"]["unified"]
    return (
        f"{network['million_parameters']:.1f} M parameters for the paper's network, "
        f"{network['published']['million_parameters']:.1f} M published"
    )


def _encoders(record: Record) -> str:
    ran = [one for one in record["encoders"] if one["version"] is not None]
    exact = sum(one["n_qps"] == one["n_qps_exact"] for one in ran)
    decoders = sum(one["run"] for one in record["decoders"])
    return f"{exact} of {len(ran)} encoders that were run write every QP as asked; {decoders} decoders run"


def _fuzz(record: Record) -> str:
    totals = record["totals"]
    return (
        f"{record['n_files']:,} damaged files: {totals['crash']} crashes, {totals['hang']} hangs, "
        f"{totals['foreign']} foreign errors, {record['n_leaked_files']} files left behind"
    )


def _gate(record: Record) -> str:
    folders = record["folders"].values()
    n_images, n_bytes = (sum(one[key] for one in folders) for key in ("n_images", "n_bytes"))
    missed = sum(one["n_images"] * one["missed_percent"] for one in folders) / n_images
    return f"{n_bytes:,} bytes for {n_images} pictures, {missed:.1f} % of them miss a target as predicted"


def _ladder_scores(record: Record) -> str:
    return f"{len(record['rows'])} rungs scored by {len(record['teachers'])} teachers"


def _large(record: Record) -> str:
    pick = max(record["picks"], key=lambda one: one["width"] * one["height"])
    size = f"{pick['format']} of {pick['width']}x{pick['height']}"
    return f"a pick from a {size} takes {pick['peak_bytes'] / 1e6:.0f} MB at most"


def _practice(record: Record) -> str:
    lines = []
    for name, part in record["parts"].items():
        rows = {row["way"]: row for row in part["rows"]}
        today, ours = rows["Pillow, quality 75"], rows["picks, SUR 0.75 and SMR 0.9"]
        lines.append(
            f"{name}: picks come to {ours['n_bytes'] / today['n_bytes']:.2f} of the bytes of quality 75 and "
            f"satisfy people and machines on {ours['both_percent']:.0f} % of the pictures, it on "
            f"{today['both_percent']:.0f} %"
        )
    return "; ".join(lines)


def _report(record: Record) -> str:
    return (
        f"a page of {record['n_images']:,} images opens in {record['seconds']['open']['median']:.2f} s, "
        f"at most {record['bound_seconds']:g} s allowed"
    )


def _speed(record: Record) -> str:
    parts = record["parts"]
    lines = []
    for codec, ways in parts["ratios"]["codecs"].items():
        named = ("pick", "pick_within_0.02", "ssimulacra2_search", "every_rung")
        pick, near, metric, every = (f"{ways[name]['wall_ratio']:,.1f}" for name in named)
        lines.append(
            f"in plain encodes of {codec}: a pick {pick}, one within 0.02 {near}, a search by SSIMULACRA2 "
            f"{metric}, every rung {every}"
        )
    for codec, found in parts["encodes"]["codecs"].items():
        mean = found["mean"]
        lines.append(f"{codec} picks try {mean['strict']:.1f} rungs, {mean['within_0.02']:.1f} within 0.02")
    first, bounds = parts["stages"]["sizes"][0], parts["stages"]["bounds"]
    warm, cold = first["warm"]["total"], first["cold"]["wall_seconds"]
    lines.append(
        f"a JPEG pick of {first['width']}x{first['height']} takes {warm:.2f} s warm (goal "
        f"{bounds['warm_seconds']:g}) and {cold:.2f} s cold (goal {bounds['cold_seconds']:g})"
    )
    return "; ".join(lines)


def _startup(record: Record) -> str:
    ratios = {name: answer["ratio"] for name, answer in record["answers"].items()}
    return (
        f"`--help` takes {ratios['help']:.2f} times, what `pick` imports {ratios['pick_imports']:.2f} times "
        "as long"
    )


def _wobble(record: Record) -> str:
    grown = {codec: one["largest_growth"] for codec, one in record["codecs"].items()}
    most = max(grown, key=grown.__getitem__)
    n_never = sum(not one for one in grown.values())
    return f"{n_never} of {len(grown)} codecs never grow; {most} most, by {grown[most]:.1%}"


HEADLINES: dict[str, Callable[[Record], str]] = {
    **OF_MODELS,
    "annotate": _annotate,
    "batch": _batch,
    "bits": _bits,
    "calibration": _calibration,
    "codecs": _codecs,
    "complexity": _complexity,
    "encoders": _encoders,
    "fuzz": _fuzz,
    "gate": _gate,
    "labels": lambda record: (
        f"{record['n_rungs']:,} rungs; {record['machines_counting_mean']:.1f} machines count on average"
    ),
    "labels_repeat": lambda record: (
        f"{record['n_rungs']} rungs made anew, {record['n_rungs_that_differ']} of them differ"
    ),
    "ladder_scores": _ladder_scores,
    "large": _large,
    "practice": _practice,
    "report": _report,
    "speed": _speed,
    "startup": _startup,
    "wobble": _wobble,
}
"""By script. A script without a line here is shown by its first numbers."""

_ABOUT = ("date", "machine", "bounds")


def _numbers(record: object, path: str = "") -> Iterator[tuple[str, int | float]]:
    """Path and value of the numbers in a record's objects; lists are left out."""
    if isinstance(record, int | float) and not isinstance(record, bool):
        yield path.strip().replace("_", " "), record
    elif isinstance(record, dict):
        items: Iterable[tuple[str, object]] = record.items()
        for name, value in items:
            if name not in _ABOUT:
                yield from _numbers(value, f"{path} {name}")
