"""Everything that follows a new default model, in one command that may be stopped and started anew.

    python benchmarks/shipped.py --images DIR --zoo DIR --dry-run       what is due, and what it took last
    python benchmarks/shipped.py --images DIR --zoo DIR                 measure the model in its place
    python benchmarks/shipped.py --images DIR --zoo DIR --train CONFIG  train it and put it there before

A step that was finished for this model and these labels is passed over, unless a file that it made is
another by now (`--again STEP` takes it anew); within a step, predictions, views and features are kept in
`.cache`. Every step writes its results when it is done, and none of them otherwise. `--pictures N` holds
what asks about labels alone (codecs left out, learning curve, tries) to N training pictures and a quarter as
many of the others. At the end it names committed results that are of an earlier model still, since they
belong to other questions (`bits.py`, `practice.py`, `speed.py`); the card names worst pictures that nobody
has written of.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STAMPS = ROOT / ".cache" / "shipped"


@dataclass(frozen=True)
class Step:
    """One command, run at the root of the checkout."""

    name: str
    command: tuple[str, ...]
    """After the interpreter."""
    makes: tuple[str, ...]
    """Files that it writes, from the root or absolute; none for a step that is cheap and always taken."""


def steps(
    images: Path, zoo: Path, n_pictures: int | None, cache: Path | None, root: Path = ROOT
) -> list[Step]:
    """What follows a model that lies in its place, in order."""
    listed = tomllib.loads((root / "models" / "manifest.toml").read_text("utf-8"))
    model = f"models/{listed['default']}"
    of = ("--images", str(images), "--write")
    test = ("--labels", "models/labels/test.parquet")
    fewer = () if n_pictures is None else ("--train", str(n_pictures), "--test", str(max(1, n_pictures // 4)))
    kept = () if cache is None else ("--cache", str(cache))

    def step(name: str, *options: str, beside: tuple[str, ...] = ()) -> Step:
        return Step(name, (f"benchmarks/{name}.py", *of, *options), (f"benchmarks/{name}.json", *beside))

    return [
        step("model", *test),
        step("risk", beside=(f"{model}/risk.json",)),
        step("novelty", "--zoo", str(zoo), beside=(f"{model}/novelty.json",)),
        step("start", beside=(f"{model}/start.json",)),
        step("gate"),  # after `start`, which says where searches begin
        step("reliability"),
        step("worst"),  # after `novelty`, which it tells
        step("unseen_codec", *fewer, *kept),
        step("learning_curve", *fewer, *kept),
        step("tries", *fewer, *kept),
        Step("card", ("docs/model_card.py",), ()),
        Step("readme", ("docs/generate.py",), ()),
        Step("page", ("benchmarks/generate.py",), ()),
    ]


def train(config: Path, images: Path, run: Path) -> Sequence[Step]:
    """From committed labels to a model in its place; a run that was stopped is taken up."""
    out = ("--data", str(images), "--out", str(run), "--resume")
    made = tuple(str(run / "model" / name) for name in ("model.onnx", "model.safetensors", "metrics.json"))
    return (
        Step("train", ("-m", "sursmr_codec", "train", str(config), *out), made),
        Step("ship", ("docs/model_card.py", "--ship", str(run / "model")), ()),
    )


def learned(config: Path, root: Path = ROOT) -> str:
    """What a finished training was of: configuration and labels, as a short name."""
    return _digest([config, *_tables(root)])


def subject(root: Path = ROOT) -> str:
    """What a finished step was finished for: model and labels, as a short name."""
    return _digest([root / "models" / "manifest.toml", *_tables(root)])


def is_done(step: Step, stamps: Path, root: Path = ROOT) -> bool:
    """Whether it was finished with this command, and its files are what they were then."""
    found = _stamp(step, stamps)
    return (
        bool(step.makes)
        and found.get("command") == list(step.command)
        and found["files"] == _files(step, root)
    )


def take(step: Step, stamps: Path, root: Path = ROOT) -> None:
    """Run one step; raises SystemExit naming it where it fails."""
    print(f"{step.name}: {' '.join(step.command)}", flush=True)
    began = time.monotonic()
    done = subprocess.run([sys.executable, *step.command], cwd=root, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{step.name} failed; the same command goes on there")
    seconds = round(time.monotonic() - began)
    said = {"command": list(step.command), "files": _files(step, root), "seconds": seconds}
    stamps.mkdir(parents=True, exist_ok=True)
    temporary = stamps / f".{step.name}.{os.getpid()}.tmp"
    temporary.write_text(json.dumps(said))
    temporary.replace(stamps / f"{step.name}.json")
    print(f"{step.name}: {seconds} s", flush=True)


def outdated(root: Path = ROOT) -> list[str]:
    """Committed results that name a model, and another one than the default."""
    listed = tomllib.loads((root / "models" / "manifest.toml").read_text("utf-8"))
    sha256 = listed["models"][listed["default"]]["sha256"]
    found = []
    for path in sorted((root / "benchmarks").glob("*.json")):
        named = set(_models(json.loads(path.read_text("utf-8"))))
        if named and named != {sha256}:
            found.append(path.name)
    return found


def _models(record: object) -> list[str]:
    """Digests that stand under `model`, at any depth."""
    if isinstance(record, list):
        return [one for part in record for one in _models(part)]
    if not isinstance(record, dict):
        return []
    own = record.get("model")
    here = [str(own["sha256"])] if isinstance(own, dict) and own.get("sha256") else []
    return here + [one for part in record.values() for one in _models(part)]


def _tables(root: Path) -> list[Path]:
    return sorted((root / "models" / "labels").glob("*.parquet"))


def _digest(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _stamp(step: Step, stamps: Path) -> dict[str, object]:
    path = stamps / f"{step.name}.json"
    found: dict[str, object] = json.loads(path.read_text()) if path.exists() else {}
    return found


def _files(step: Step, root: Path) -> list[str | None]:
    paths = [root / name for name in step.makes]
    return [hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None for path in paths]


def _plan(due: Sequence[Step], stamps: Path) -> None:
    for step in due:
        latest = max(STAMPS.glob(f"*/{step.name}.json"), key=lambda path: path.stat().st_mtime, default=None)
        took = f"took {json.loads(latest.read_text())['seconds']} s" if latest else "not taken here yet"
        print(f"{'done' if is_done(step, stamps) else 'due ':4}  {step.name:15} {took}")


def main() -> None:
    """Run from the command line; stops at the first step that fails."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--zoo", type=Path, required=True)
    parser.add_argument("--train", type=Path, metavar="CONFIG", help="train this and make it the default")
    parser.add_argument("--run", type=Path, default=ROOT / "runs" / "shipped", help="folder of that run")
    parser.add_argument("--pictures", type=int, metavar="N")
    parser.add_argument("--again", action="append", default=[], metavar="STEP")
    parser.add_argument("--dry-run", action="store_true")
    asked = parser.parse_args()
    images, zoo, run = asked.images.resolve(), asked.zoo.resolve(), asked.run.resolve()
    cache = run / "cache" if asked.train and not asked.pictures else None
    if asked.train and not asked.dry_run:
        trained = STAMPS / f"trained-{learned(asked.train)}"
        for step in train(asked.train.resolve(), images, run):
            if not is_done(step, trained):
                take(step, trained)
    stamps = STAMPS / subject()
    due = steps(images, zoo, asked.pictures, cache)
    if unknown := set(asked.again) - {step.name for step in due}:
        parser.error(
            f"no step {', '.join(sorted(unknown))}; there are {', '.join(step.name for step in due)}"
        )
    if asked.dry_run:
        _plan(due, stamps)
        return
    for step in due:
        if step.name in asked.again or not is_done(step, stamps):
            take(step, stamps)
    if late := outdated():
        print(f"of an earlier model still: {', '.join(late)}")


if __name__ == "__main__":
    main()
