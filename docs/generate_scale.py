"""Writes the generated blocks of docs/scale.md from benchmarks/batch.json.

python docs/generate_scale.py            rewrite the blocks
python docs/generate_scale.py --check    exit 1 where one differs
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).with_name("scale.md")

RESULT = Path(__file__).resolve().parent.parent / "benchmarks" / "batch.json"
BILLION = 10**9
_DAY = 86400
_BLOCK = re.compile(r"(<!-- generated: (?P<name>[\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_NOT_YET = "Not measured for this version yet."


def parts() -> dict[str, Any]:
    """Each part that was measured."""
    found: dict[str, Any] = json.loads(RESULT.read_text())["parts"]
    return found


def scale() -> str:
    """What the driver costs, beside its bounds."""
    part, bounds = parts()["scale"], json.loads(RESULT.read_text())["bounds"]
    rows = [
        ("pictures", f"{part['n_pictures']:,}", ""),
        (
            "until the first result",
            f"{part['seconds_to_first_result']:.1f} s",
            f"{bounds['seconds_to_first_result']:g} s",
        ),
        ("largest memory of the driver", _mega(part["driver_bytes"]), _mega(bounds["driver_bytes"])),
        ("its growth after 2,000 pictures", _kilo(part["growth_bytes"]), _kilo(bounds["growth_bytes"])),
        ("journal, a picture", f"{part['journal_ms_mean']:.2f} ms", f"{bounds['journal_ms_mean']:g} ms"),
        ("journal on disk, a picture", f"{part['journal_bytes_per_picture'] / 1e3:.1f} kB", ""),
        ("pictures a second", f"{part['pictures_per_second']:.0f}", ""),
        ("a second run, with nothing to do", f"{part['seconds_to_find_nothing_to_do']:.1f} s", ""),
    ]
    return "\n".join(("| | measured | bound |", "| --- | --- | --- |", *map(_row, rows), "", _where(part)))


def throughput() -> str:
    """Real pictures a second, and a day."""
    part = parts().get("throughput")
    if part is None:
        return _NOT_YET
    rows = [
        (
            f"`{run['engine']}`",
            str(run["jobs"]),
            str(run["threads"]),
            f"{run['pictures_per_second']:.2f}",
            f"{run['pictures_per_second'] * _DAY:,.0f}",
        )
        for run in part["runs"]
    ]
    told = (
        f"{part['n_pictures']} pictures of {part['megapixels_mean']:.2f} megapixels and "
        f"{part['bytes_mean'] / 1e3:.0f} kB on average, predictor `{part['predictor']}`: two processes are "
        f"{part['speedup']:.2f} times as fast as `serial`.\n\n{_where(part)}"
    )
    head = ("engine", "pictures at a time", "cores for each", "pictures a second", "pictures a day")
    return "\n".join((_row(head), _row(("---",) * len(head)), *map(_row, rows), "", told))


def billion() -> str:
    """What a billion such pictures take, of everything that was measured."""
    part, driver = parts().get("throughput"), parts()["scale"]
    if part is None:
        return _NOT_YET
    one_core, rate = (part["runs"][number]["pictures_per_second"] for number in (0, -1))
    journal_ms, journal_kb = driver["journal_ms_mean"], driver["journal_bytes_per_picture"] / 1e3
    source_kb = part["bytes_mean"] / 1e3
    days = BILLION / rate / _DAY
    look_ms = 1e3 * driver["seconds_to_find_nothing_to_do"] / driver["n_pictures"]
    rows = [
        ("days of a machine like this one", f"10^9 / ({rate:.2f}/s x 86,400 s)", f"{days:,.0f}"),
        ("such machines, to be done in 30 days", f"{days:,.0f} / 30", f"{days / 30:,.0f}"),
        (
            "time that the journal takes of it",
            f"{rate:.2f}/s x {journal_ms:.2f} ms",
            f"{rate * journal_ms / 10:.2f} %",
        ),
        (
            "workers that one driver keeps busy",
            f"{driver['pictures_per_second']:.0f}/s / {one_core:.2f}/s",
            f"{driver['pictures_per_second'] / one_core:,.0f}",
        ),
        ("journals on disk, together", f"10^9 x {journal_kb:.1f} kB", f"{journal_kb:,.1f} TB"),
        ("sources to be read", f"10^9 x {source_kb:.0f} kB", f"{source_kb:,.0f} TB"),
        (
            "to see that nothing is to be done",
            f"10^9 x {look_ms:.2f} ms",
            f"{BILLION * look_ms / 3.6e6:,.0f} hours of one core",
        ),
    ]
    return "\n".join(("| | from | comes to |", "| --- | --- | --- |", *map(_row, rows)))


def kills() -> str:
    """How often it was killed, and that nothing was lost."""
    part = parts().get("kills")
    if part is None:
        return _NOT_YET
    number, n_middle, n_ends = part["kills"], part["n_in_the_middle"], part["n_compared_ends"]
    return (
        f"{sum(number.values())} SIGKILLs at random moments: {number['driver']} to the driver, "
        f"{number['worker']} to a worker, {number['all']} to all at once. {n_middle} left some but\n"
        f"not all files. At all {n_ends} ends that were looked at, files and journal were those of a run\n"
        f"that nobody disturbed. (`tests/batch/kill_job.py` does it.)\n\n{_where(part)}"
    )


BLOCKS = {
    "batch-scale": scale,
    "batch-throughput": throughput,
    "batch-billion": billion,
    "batch-kills": kills,
}


def _where(part: dict[str, Any]) -> str:
    found = part["machine"]
    machine = f"{found['cores']} cores ({found['cpu']}, {found['system']})"
    return (
        f"Measured {part['date']} on {machine}, of version {part['code']['version']} "
        f"({part['code']['commit']}); the load average was {found['load_average']:g} when it began."
    )


def _mega(n_bytes: float) -> str:
    return f"{n_bytes / 1e6:.1f} MB"


def _kilo(n_bytes: float) -> str:
    return f"{n_bytes / 1e3:,.0f} kB"


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def render(text: str) -> str:
    """`text` with every generated block made anew."""
    return _BLOCK.sub(lambda match: f"{match[1]}{BLOCKS[match['name']]()}\n{match[3]}", text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where a block differs")
    text = DOCUMENT.read_text("utf-8")
    if not parser.parse_args().check:
        DOCUMENT.write_text(render(text), "utf-8")
    elif render(text) != text:
        raise SystemExit(f"{DOCUMENT.name} is out of date; run python docs/generate_scale.py")


if __name__ == "__main__":
    main()
