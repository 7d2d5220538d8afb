"""The contract of engines, kept by each of them; what processes bear beyond it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest

from sursmr_codec.batch import engines
from sursmr_codec.batch.engines import Answer, Engine, Lost, Pause
from sursmr_codec.batch.engines.process import Process
from sursmr_codec.errors import ImageError, MissingExtra, SursmrError, UnavailableError, UsageError

HERE = Path(__file__).parent


@dataclass
class Chore:
    """A function with fates; `loaded` shows that it is kept where it was sent."""

    log: Path
    loaded: bool = False

    def __call__(self, item: str) -> str:
        with self.log.open("a") as file:
            file.write(f"{'do' if self.loaded else 'load'} {os.getpid()} {item}\n")
        self.loaded = True
        match item.split(":")[0]:
            case "sleep":
                time.sleep(float(item.split(":")[1]))
            case "raise":
                raise ValueError("of this item\nonly")
            case "stop":
                raise ImageError("the whole run")
            case "extra":
                raise MissingExtra("torch", "this", "torch")
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "die once" if self._times(item) < 2:
                os.kill(os.getpid(), signal.SIGKILL)
            case "threads":
                return os.environ["OMP_NUM_THREADS"]
        return item.upper()

    def lines(self, start: str) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if line.startswith(start)]

    def _times(self, item: str) -> int:
        return sum(line.endswith(f" {item}") for line in self.lines(""))


@pytest.fixture
def chore(tmp_path: Path) -> Chore:
    return Chore(tmp_path / "chores")


@pytest.fixture(params=["serial", "process"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with engines.get(request.param)(2) as made:
        yield made


Result = Answer[str, str] | Lost[str]


def results_of(results: Iterable[Result | Pause]) -> list[Result]:
    return [result for result in results if not isinstance(result, Pause)]


def answers(results: list[Result]) -> dict[str, str]:
    return {result.item: result.value for result in results if isinstance(result, Answer)}


def test_every_item_gets_one_answer(engine: Engine, chore: Chore) -> None:
    items = [f"item {number}" for number in range(40)]
    results = results_of(engine.map(chore, items))
    assert len(results) == 40
    assert answers(results) == {item: item.upper() for item in items}


def test_no_items_give_no_answers(engine: Engine, chore: Chore) -> None:
    assert results_of(engine.map(chore, [])) == []
    assert not chore.log.exists()


def test_an_exception_loses_its_item_only(engine: Engine, chore: Chore) -> None:
    results = results_of(engine.map(chore, ["a", "raise", "b"]))
    (lost,) = [result for result in results if isinstance(result, Lost)]
    assert (lost.item, lost.reason) == ("raise", "internal error: ValueError: of this item only")
    assert answers(results) == {"a": "A", "b": "B"}


@pytest.mark.parametrize(
    ("item", "kind", "words"),
    [("stop", ImageError, "the whole run"), ("extra", UnavailableError, "pip install 'sursmr-qp")],
)
def test_an_error_of_ours_ends_the_run(
    engine: Engine, chore: Chore, item: str, kind: type[SursmrError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        results_of(engine.map(chore, ["a", item, *"bcdefgh"]))


def test_items_are_taken_when_there_is_room(engine: Engine, chore: Chore) -> None:
    taken: list[str] = []

    def items() -> Iterator[str]:
        for number in range(100):
            taken.append(f"item {number}")
            yield taken[-1]

    results = engine.map(chore, items())
    n_answered = 0
    for result in results:
        n_answered += not isinstance(result, Pause)
        assert len(taken) <= n_answered + 2 * engine.jobs
        if n_answered == 20:
            break
    results.close()


def test_it_stops_when_items_end_and_finishes_what_was_taken(engine: Engine, chore: Chore) -> None:
    stopped: list[bool] = []

    def items() -> Iterator[str]:
        for number in range(100):
            if stopped:
                return
            yield f"item {number}"

    results = engine.map(chore, items())
    seen = list(islice((result for result in results if not isinstance(result, Pause)), 5))
    stopped.append(True)
    seen += results_of(results)
    assert len(seen) == len(chore.lines("")) < 5 + 2 * engine.jobs + 1


def test_the_function_is_kept_from_one_map_to_the_next(engine: Engine, chore: Chore) -> None:
    first = results_of(engine.map(chore, ["a"]))
    second = results_of(engine.map(chore, ["b"]))
    assert answers(first + second) == {"a": "A", "b": "B"}
    assert len(chore.lines("load")) == 1


def test_another_function_takes_over(engine: Engine, chore: Chore, tmp_path: Path) -> None:
    results_of(engine.map(chore, ["a"]))
    other = Chore(tmp_path / "other")
    results_of(engine.map(other, ["b"]))
    assert other.lines("load")


def test_processes_work_side_by_side_and_load_once_each(chore: Chore) -> None:
    with Process(3) as engine:
        results_of(engine.map(chore, [f"sleep:0.02:{number}" for number in range(30)]))
    workers = {line.split()[1] for line in chore.lines("")}
    assert len(workers) == len(chore.lines("load")) == 3
    assert str(os.getpid()) not in workers


def test_threads_are_shared_out(chore: Chore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with Process(1, threads=3) as engine:
        assert answers(results_of(engine.map(chore, ["threads"]))) == {"threads": "3"}
    assert "OMP_NUM_THREADS" not in os.environ
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    with Process(1, threads=3) as engine:
        assert answers(results_of(engine.map(chore, ["threads"]))) == {"threads": "7"}


def test_a_killed_process_costs_nobody_anything(chore: Chore) -> None:
    items = ["a", "die once", *"bcdefghij"]
    with Process(2) as engine:
        results = results_of(engine.map(chore, items))
    assert answers(results) == {item: item.upper() for item in items}


def test_an_item_that_kills_is_lost_after_two_deaths_and_alone(chore: Chore) -> None:
    items = [f"item {number}" for number in range(20)]
    with Process(2) as engine:
        results = results_of(engine.map(chore, [*items[:10], "die", *items[10:]]))
    (lost,) = [result for result in results if isinstance(result, Lost)]
    assert lost.item == "die"
    assert "short of memory" in lost.reason
    assert sorted(answers(results)) == sorted(items)
    assert sum(line.endswith(" die") for line in chore.lines("")) == 2


def test_processes_that_only_die_end_the_run(chore: Chore) -> None:
    with Process(2) as engine, pytest.raises(UnavailableError, match="10 worker processes died"):
        results_of(engine.map(chore, [f"die:{number}" for number in range(100)]))


def test_leaving_early_ends_what_runs(chore: Chore) -> None:
    with Process(2) as engine:
        results = engine.map(chore, ["a", *(f"sleep:60:{number}" for number in range(9))])
        while isinstance(next(results), Pause):
            pass
        results.close()
    pids = {int(line.split()[1]) for line in chore.lines("")}
    assert pids
    assert not any(map(is_alive, pids))


def test_workers_die_with_their_driver(chore: Chore) -> None:
    script = (
        f"import sys; sys.path.insert(0, {str(HERE)!r})\n"
        "from pathlib import Path\n"
        "from test_batch_engines import Chore, Process\n"
        "if __name__ == '__main__':\n"
        f"    list(Process(2).map(Chore(Path({str(chore.log)!r})), ['sleep:60:1', 'sleep:60:2']))\n"
    )
    path = chore.log.with_name("driver.py")
    path.write_text(script)
    driver = subprocess.Popen([sys.executable, str(path)])
    wait_until(lambda: chore.log.exists() and len(chore.lines("load")) == 2)
    driver.kill()
    driver.wait()
    pids = [int(line.split()[1]) for line in chore.lines("load")]
    wait_until(lambda: not any(map(is_alive, pids)))


def test_a_new_engine_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "backwards.py").write_text(
        "from sursmr_codec.batch.engines.serial import Serial\n"
        "class Backwards(Serial):\n"
        "    id = 'backwards'\n"
        "    def map(self, function, items):\n"
        "        yield from super().map(function, reversed(list(items)))\n"
    )
    monkeypatch.setattr(engines, "__path__", [*engines.__path__, str(tmp_path)])
    assert "backwards" in engines.ids()
    with engines.get("backwards")(1) as engine:
        assert [result.item for result in results_of(engine.map(str, [1, 2, 3]))] == [3, 2, 1]


def test_unknown_engines_are_refused() -> None:
    assert {"serial", "process"} <= set(engines.ids())
    with pytest.raises(UsageError, match="known: "):
        engines.get("nonsense")


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_until(holds, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
