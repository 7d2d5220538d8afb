"""Batches killed at random moments: does the same command always end with the same files and journal?

    python tests/batch/kill_job.py --kills 60            print a line a kill, and a JSON summary at the end
    python tests/batch/kill_job.py --kills 12 --seed 7

Each time a batch is started and, at a random moment from its start to its end, SIGKILL goes to its driver,
to one of its workers or to all of them at once; then it is started again, until it is through. One of its
pictures does not decode, another kills the process that works on it. After every kill each file in sight must
be whole, and at every end files and journal must be those of a run that nobody disturbed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from fake_batch import make_pictures, paint

from sursmr_codec import batch
from sursmr_codec.batch.places import is_draft

DRIVER = Path(__file__).with_name("fake_batch.py")
N_PICTURES = 24
VICTIMS = ("driver", "worker", "all")


class Differs(Exception):
    """Something is not as it should be."""


def run_job(
    folder: Path, n_kills: int, seed: int, *, deadly: bool = True, talk: bool = False
) -> dict[str, Any]:
    """Kill `n_kills` times; returns what happened, raises Differs where anything was lost.

    `deadly` adds the picture that kills.
    """
    moments = random.Random(seed)
    pictures = folder / "in"
    make_pictures(pictures, N_PICTURES)
    (pictures / "a" / "broken.png").write_bytes(b"no picture")
    if deadly:
        paint(pictures / "a" / "kills.png", 5)
    sources = visible(pictures)
    seconds = finish(pictures, folder / "whole")
    whole = visible(folder / "whole"), journal(folder / "whole")
    out = folder / "out"
    kills: Counter[str] = Counter()
    n_compared = n_in_the_middle = 0
    while kills.total() < n_kills:
        victim = moments.choice(VICTIMS)
        # In one process the picture that kills would kill for ever.
        engine = "serial" if victim == "driver" and not deadly else "process"
        # While it loads and plans, or around the end of a picture.
        early = moments.random() < 0.25
        after = moments.uniform(0, seconds) if early else moments.uniform(0, 0.03)
        n_ends = 0 if early else moments.randint(1, N_PICTURES)
        killed = kill_one(start(pictures, out, engine), victim, n_ends, after)
        kills[victim] += killed
        written = visible(out)
        if any(whole[0].get(name) != content for name, content in written.items()):
            raise Differs(f"after a kill of {victim}, a file in {out} is not whole")
        n_in_the_middle += killed and 0 < len(written) < len(whole[0])
        if talk and killed:
            print(
                f"{kills.total():3} {victim:<7} with {len(written)} of {len(whole[0])} files written",
                flush=True,
            )
        if len(written) == len(whole[0]):
            if victim != "worker":
                finish(pictures, out)
            compare(out, whole)
            n_compared += 1
            shutil.rmtree(out)
    if out.exists():
        finish(pictures, out)
        compare(out, whole)
        n_compared += 1
    if visible(pictures) != sources:
        raise Differs("the sources were touched")
    return {
        "kills": dict(kills),
        "n_in_the_middle": n_in_the_middle,
        "n_compared_ends": n_compared,
        "n_pictures": len(whole[1]),
        "seed": seed,
    }


def kill_one(driver: subprocess.Popen[bytes], victim: str, n_ends: int, after: float) -> bool:
    """Kill a victim so many seconds after so many pictures; False where the batch was through before."""
    assert driver.stdout is not None
    for _ in range(n_ends):
        driver.stdout.readline()
    time.sleep(after)
    children = workers_of(driver.pid)
    with contextlib.suppress(ProcessLookupError):
        if victim == "all":
            os.killpg(driver.pid, signal.SIGKILL)
        elif victim == "driver":
            driver.kill()
        elif children:
            os.kill(children[0], signal.SIGKILL)
    driver.communicate()
    ended = driver.returncode
    wait_until_gone(driver.pid)
    if victim == "worker":
        # The run goes on without it.
        if ended != 0:
            raise Differs(f"a run whose worker was killed ended with {ended}")
        return bool(children)
    return ended == -signal.SIGKILL


def finish(pictures: Path, out: Path) -> float:
    """Run the batch to its end; its seconds."""
    began = time.monotonic()
    driver = start(pictures, out)
    driver.communicate()
    if driver.returncode != 0:
        raise Differs(f"a run that nobody killed ended with {driver.returncode}")
    return time.monotonic() - began


def start(pictures: Path, out: Path, engine: str = "process") -> subprocess.Popen[bytes]:
    """The driver in a process group of its own."""
    command = [sys.executable, DRIVER, pictures, out, engine, 2, 0.004]
    return subprocess.Popen(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def workers_of(driver: int) -> list[int]:
    """Process ids of a driver's workers."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            after_name = stat.read_text().rpartition(")")[2].split()
            command = stat.with_name("cmdline").read_bytes()
            if int(after_name[1]) == driver and b"spawn_main" in command:
                found.append(int(stat.parent.name))
    return sorted(found)


def wait_until_gone(group: int) -> None:
    """Until nothing of a process group is alive: workers end with their driver."""
    deadline = time.monotonic() + 30
    while group_alive(group):
        if time.monotonic() > deadline:
            raise Differs("workers outlive their driver")
        time.sleep(0.02)


def group_alive(group: int) -> bool:
    """Whether any process of a group is more than a name."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[2]) == group and fields[0] != "Z":
                return True
    return False


def visible(folder: Path) -> dict[str, bytes]:
    """Files that are in sight, by their path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and batch.STATE_FOLDER not in path.parts and not is_draft(path.name)
    }


def journal(out: Path) -> list[dict[str, Any]]:
    """Records without what differs from run to run."""
    rows = []
    for record in batch.records(out):
        output = record["output"] and record["output"]["sha256"]
        rows.append({**record, "output": output, "seconds": None, "finished": None})
    return rows


def compare(out: Path, whole: tuple[dict[str, bytes], list[dict[str, Any]]]) -> None:
    """Raise Differs where a finished OUT is not as one that nobody disturbed."""
    if visible(out) != whole[0]:
        raise Differs(f"the files of {out} differ")
    if journal(out) != whole[1]:
        raise Differs(f"the journal of {out} differs")
    if drafts := [path for path in out.rglob("*") if is_draft(path.name)]:
        raise Differs(f"drafts are left: {drafts}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = run_job(Path(folder), arguments.kills, arguments.seed, talk=True)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
