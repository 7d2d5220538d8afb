"""What do damaged files do to the readers and decoders?

    python benchmarks/fuzz.py                       20,000 files, printed
    python benchmarks/fuzz.py --files 500 --seed 7  fewer, or others
    python benchmarks/fuzz.py --write               also write benchmarks/fuzz.json
    python benchmarks/fuzz.py --one 1234            what came of one of them, and the file itself

Every container that `images.read` takes and every codec of the registry gets its share. Each file has to
give a picture or one of the package's own errors, within limits of time and memory, without a temporary
file left behind. The files are read in a child process; where it dies or hangs, that counts, and a new one
goes on with the next file.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

RESULT = Path(__file__).with_suffix(".json")
CHILD = Path(__file__).with_name("fuzz_child.py")
N_FILES = 20_000
SEED = 1
MEGABYTES = 4096
SECONDS_A_FILE = 60.0
"""A machine under load may take seconds over a large picture; what hangs takes for ever."""
SECONDS_TO_START = 300.0
FILES_A_CHILD = 2500
OUTCOMES = ("picture", "refused", "foreign", "crash", "hang")


@dataclass
class Tally:
    """What came of the files so far."""

    by_format: dict[str, Counter[str]] = field(default_factory=dict)
    findings: list[dict[str, object]] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)
    slowest_seconds: float = 0.0

    def add(self, number: int, name: str, words: str, seconds: float) -> None:
        """Count one file; all but pictures and refusals are findings."""
        kind, _, detail = words.partition(" ")
        self.by_format.setdefault(name, Counter())[kind] += 1
        self.slowest_seconds = max(self.slowest_seconds, seconds)
        if kind not in ("picture", "refused"):
            self.findings.append({"file": number, "format": name, "outcome": kind, "detail": detail})
            print(f"{name}, file {number}: {words}", file=sys.stderr)


def run(n_files: int, seed: int) -> Tally:
    """Read `n_files` damaged files."""
    tally = Tally()
    at = 0
    while at < n_files:
        with tempfile.TemporaryDirectory() as folder:
            own, temporary = Path(folder) / "own", Path(folder) / "temporary"
            own.mkdir()
            temporary.mkdir()
            at = _run_child(tally, seed, at, min(n_files, at + FILES_A_CHILD), own, temporary)
            tally.leaked += [str(path.relative_to(temporary)) for path in temporary.rglob("*")]
            print(f"{at} of {n_files}: {len(tally.findings)} findings", file=sys.stderr)
    return tally


def _run_child(tally: Tally, seed: int, first: int, stop: int, own: Path, temporary: Path) -> int:
    """Work through files first .. stop - 1, and return the number of the next file to be read."""
    argv = [sys.executable, str(CHILD), str(seed), str(first), str(stop), str(own), str(MEGABYTES)]
    child = subprocess.Popen(
        argv,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_forward, args=(child, lines), daemon=True).start()
    number, name, limit = first, "start", SECONDS_TO_START
    try:
        while True:
            began = time.perf_counter()
            head = lines.get(timeout=limit)
            if head is None:
                break
            number, name = int(head.split()[0]), head.split()[1]
            words = lines.get(timeout=SECONDS_A_FILE)
            if words is None:
                tally.add(number, name, f"crash {_ending(child.wait())}", 0.0)
                return number + 1
            seconds = time.perf_counter() - began
            tally.add(number, name, words, seconds if limit == SECONDS_A_FILE else 0.0)
            limit = SECONDS_A_FILE
    except queue.Empty:
        child.kill()
        tally.add(number, name, f"hang longer than {limit:g} s", limit)
        return number + 1
    finally:
        child.wait()
    if number + 1 != stop:
        raise SystemExit(f"the child ended before file {number}: {_ending(child.returncode)}")
    return stop


def _forward(child: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    assert child.stdout is not None
    with child.stdout as pipe:
        for line in pipe:
            lines.put(line.strip())
    lines.put(None)


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def summary(tally: Tally, n_files: int, seed: int) -> dict[str, object]:
    """The result as it is written."""
    counts = {
        name: {kind: counter[kind] for kind in OUTCOMES} for name, counter in sorted(tally.by_format.items())
    }
    return {
        "schema": "sursmr-qp/fuzz/1",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {"python": platform.python_version(), "system": platform.system()},
        "versions": _versions(),
        "seed": seed,
        "limits": {"megabytes": MEGABYTES, "seconds_a_file": SECONDS_A_FILE},
        "n_files": n_files,
        "totals": {kind: sum(row[kind] for row in counts.values()) for kind in OUTCOMES},
        "n_leaked_files": len(tally.leaked),
        "slowest_seconds": round(tally.slowest_seconds, 3),
        "formats": counts,
        "findings": tally.findings,
    }


def _versions() -> dict[str, dict[str, str]]:
    from sursmr_codec import codecs

    return {name: dict(codecs.get(name).availability().versions) for name in codecs.available_ids()}


def _show_one(seed: int, number: int) -> None:
    from fuzz_child import outcome
    from fuzz_files import damaged, formats

    kinds = formats()
    chosen = kinds[number % len(kinds)]
    data = damaged(chosen, seed, number)
    path = Path(tempfile.gettempdir()) / f"damaged-{seed}-{number}"
    path.write_bytes(data)
    print(f"{chosen.name}: {len(data)} bytes, in {path}", flush=True)
    print(outcome(chosen, data, path))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=N_FILES)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.name}")
    parser.add_argument("--one", type=int, metavar="NUMBER", help="read this file only, in this process")
    arguments = parser.parse_args()
    if arguments.one is not None:
        _show_one(arguments.seed, arguments.one)
        return
    tally = run(arguments.files, arguments.seed)
    result = summary(tally, arguments.files, arguments.seed)
    text = json.dumps(result, indent=1)
    print(text)
    if arguments.write:
        RESULT.write_text(text + "\n")
    if tally.findings or tally.leaked:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
