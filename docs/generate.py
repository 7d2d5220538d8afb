"""Writes the generated blocks of the README and the guides from the program itself.

    python docs/generate.py            rewrite the blocks
    python docs/generate.py --check    exit 1 and say which block differs

A block stands between `<!-- generated: NAME -->` and `<!-- end -->`. The example's time is left out, as it
differs from run to run.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import typer

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "docs"))
import codec_tables  # noqa: E402
import risk_tables  # noqa: E402

README = ROOT / "README.md"
PAGES = (README, *(ROOT / "docs" / name for name in ("codecs.md", "commands.md", "risk.md")))
"""Pages with generated blocks."""
EXAMPLE = "docs/examples/kodim23.png"

_BLOCK = re.compile(r"(<!-- generated: (?P<name>[\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_RUN = "from sursmr_codec.cli import main; main()"

_EXIT_CODES = (
    (0, "done"),
    (1, "internal error"),
    (2, "usage: an option or a combination of options makes no sense"),
    (3, "target not reachable: nothing was written"),
    (4, "bad input image: absent, unreadable, undecodable, or refused"),
    (5, "encoder or optional library missing, or an encoder that failed"),
    (6, "output could not be written; what was there before is untouched"),
    (7, "`batch`, `annotate` or `zoo check` finished with some failures"),
    (8, "benchmark gate not met"),
    (130, "interrupted"),
)


def example() -> str:
    """What `pick` prints on the example picture."""
    command = ["pick", EXAMPLE, "--quiet"]
    lines = _cli(*command).splitlines()
    shown = [re.sub(r"^(time\s+).*(, \d+ encodes)", r"\1...\2", line).rstrip() for line in lines]
    return _fenced([f"$ sursmr-qp {' '.join(command[:-1])}", *shown])


def commands() -> str:
    """The help of every command."""
    from sursmr_codec.cli.app import app

    return "\n".join(
        f"<details><summary><code>sursmr-qp {name}</code></summary>\n\n"
        + _fenced(_cli(*name.split(), "--help").strip().splitlines())
        + "\n</details>\n"
        for name in command_names(app)
    )


def command_names(app: typer.Typer) -> list[str]:
    """Every command as it is typed; those of a group after its name."""
    names = [command.name or command.callback.__name__ for command in app.registered_commands]
    for group in app.registered_groups:
        names += [f"{group.typer_instance.info.name} {name}" for name in command_names(group.typer_instance)]
    return names


def exit_codes() -> str:
    """The table of exit codes, checked against the error tree."""
    from sursmr_codec import errors

    documented = {code for code, _ in _EXIT_CODES}
    used = {
        kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.SursmrError)
    }
    if not used <= documented:
        raise SystemExit(f"undocumented exit codes: {sorted(used - documented)}")
    return _table(("code", "meaning"), [(str(code), meaning) for code, meaning in _EXIT_CODES])


def codecs() -> str:
    """The table of codecs, from the registry."""
    from sursmr_codec import codecs as registry

    rows = []
    for codec_id in registry.ids():
        codec = registry.get(codec_id)
        low, high = codec.qp_range[0], codec.qp_range[-1]
        native = ", ".join(f"{name} {value}" for name, value in codec.native(low).items())
        purpose = (type(codec).__doc__ or "").strip().splitlines()[0].rstrip(".")
        rows.append(
            (f"`{codec_id}`", f"{low}..{high}", f"{native} at QP {low}", f"`{codec.extension}`", purpose)
        )
    return _table(("codec", "QP", "native", "file", "what it is"), rows)


def containers() -> str:
    """What each codec's files hold beside pixels, and the options it takes, from the registry."""
    from sursmr_codec import codecs as registry

    parts = ("icc", "exif", "xmp", "density", "alpha")
    rows = []
    for codec_id in registry.ids():
        codec = registry.get(codec_id)
        held = ["yes" if part in codec.keeps else "" for part in parts]
        defaults = [f"`{name}` {value}" for name, value in codec.options.items()]
        rows.append((f"`{codec_id}`", *held, ", ".join(defaults) or "none"))
    head = ("codec", "profile", "EXIF", "XMP", "density", "transparency", "options and their defaults")
    return _table(head, rows)


def wobble() -> str:
    """By how much files grow from one QP to the next, from the committed result."""
    result = json.loads((ROOT / "benchmarks" / "wobble.json").read_text())
    rows = []
    for codec_id, found in result["codecs"].items():
        growing = sum(one["n_growing"] for one in found["pictures"].values())
        steps = sum(one["n_rungs"] - 1 for one in found["pictures"].values())
        rows.append(
            (
                f"`{codec_id}`",
                f"{growing} of {steps}",
                f"{100 * found['largest_growth']:.1f} %",
                f"{100 * found['wobble']:.0f} %",
            )
        )
    return _table(("codec", "steps at which the file grows", "by at most", "held to"), rows)


def calibration() -> str:
    """How far simulated viewers are from real ones, from the committed result."""
    result = json.loads((ROOT / "benchmarks" / "calibration.json").read_text())
    names = {
        "both": "both metrics, as `pick` uses them",
        "cvvdp": "ColorVideoVDP alone",
        "ssimulacra2": "SSIMULACRA2 alone",
        "constant": "a constant",
    }
    rows = [
        (names[name], f"{errors['mae']:.2f}", f"{errors['bias']:+.2f}")
        for name, errors in result["all"].items()
    ]
    return _table(("SUR from", "mean absolute error", "bias"), rows)


def accuracy() -> str:
    """How good the default model is, from the committed result."""
    result = json.loads((ROOT / "benchmarks" / "model.json").read_text())
    names = {
        "sur": "SUR",
        "smr": "SMR",
        "smr_classification": "SMR of classifiers",
        "smr_detection": "SMR of detectors",
    }
    model, simple = (result["fits"][name]["ratios"] for name in ("model", "codec_and_qp"))
    rows = [
        (
            name,
            f"{model[ratio]['mae']:.3f}",
            f"{simple[ratio]['mae']:.3f}",
            f"{model[ratio]['mae'] / simple[ratio]['mae']:.2f}",
        )
        for ratio, name in names.items()
    ]
    trained = json.loads((ROOT / "models" / result["model"]["id"] / "metrics.json").read_text())
    learned = f"{trained['n_rungs']['train']:,} rungs of {', '.join(trained['codecs'])}"
    looked_at = f"{result['n_rungs']:,} rungs of {result['n_images']} photographs"
    return (
        _table(("ratio", "mean absolute error", "of knowing codec and QP alone", "share of that"), rows)
        + f"\n\nIt learned from {learned}; these are errors on {looked_at}."
    )


def bits(*, in_words: bool) -> str:
    """What picks save, from the committed result: a table, or what all tables come to."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    import bits_tables

    record = json.loads((ROOT / "benchmarks" / "bits.json").read_text())
    return bits_tables.reading(record) if in_words else bits_tables.short(record)


def _rows(table: Callable[[], list[tuple[str, ...]]]) -> Callable[[], str]:
    """A block of a table whose first row is its head."""
    return lambda: _table(table()[0], table()[1:])


BLOCKS: dict[str, Callable[[], str]] = {
    "example": example,
    "commands": commands,
    "exit-codes": exit_codes,
    "codecs": codecs,
    "containers": containers,
    "wobble": wobble,
    "calibration": calibration,
    "codec-costs": _rows(codec_tables.costs),
    "codec-pictures": codec_tables.measured_on,
    "codec-advice": _rows(codec_tables.advice),
    "large-memory": _rows(codec_tables.large_memory),
    "large-rungs": _rows(codec_tables.large_rungs),
    "large-times": _rows(codec_tables.large_times),
    "accuracy": accuracy,
    "bits": partial(bits, in_words=False),
    "bits-reading": partial(bits, in_words=True),
    "misses": _rows(risk_tables.misses),
    "risks": _rows(risk_tables.risks),
    "risk-short": _rows(risk_tables.short),
}


def render(text: str) -> str:
    """`text` with every generated block made anew."""
    return _BLOCK.sub(lambda match: f"{match[1]}{BLOCKS[match['name']]()}\n{match[3]}", text)


def differing(text: str) -> list[str]:
    """Names of the blocks of `text` that are not what the program says now."""
    fresh = {match["name"]: match[0] for match in _BLOCK.finditer(render(text))}
    return [match["name"] for match in _BLOCK.finditer(text) if fresh[match["name"]] != match[0]]


def _cli(*arguments: str) -> str:
    environment = {**os.environ, "COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"}
    environment.pop("SURSMR_ZOO", None)
    done = subprocess.run(
        [sys.executable, "-c", _RUN, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode != 0:
        raise SystemExit(f"sursmr-qp {' '.join(arguments)} failed:\n{done.stderr}")
    return done.stdout


def _fenced(lines: list[str]) -> str:
    return "\n".join(["```text", *lines, "```"])


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where a block differs")
    check = parser.parse_args().check
    for page in PAGES:
        text = page.read_text("utf-8")
        if not check:
            page.write_text(render(text), "utf-8")
        elif stale := differing(text):
            raise SystemExit(
                f"{page.name} is out of date in: {', '.join(stale)}; run python docs/generate.py"
            )


if __name__ == "__main__":
    main()
