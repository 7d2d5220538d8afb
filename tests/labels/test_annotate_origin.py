"""What tables say of themselves: metrics behind `sur_proxy`, and machines that are kept from training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fake_panel import FakeSetup, calls, finish, make_pictures, make_run
from typer.testing import CliRunner

from sursmr_codec.cli.app import app
from sursmr_codec.errors import UsageError
from sursmr_codec.labels import panel, proxy, store, teachers
from sursmr_codec.labels.machine_split import unseen_in, unseen_names
from sursmr_codec.labels.origin import Origin
from sursmr_codec.labels.plan import Rungs

ENDS = Rungs(qps=(1, 60, 100))


pytestmark = pytest.mark.usefixtures("in_process")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_pictures(tmp_path / "pictures", 1)
    return tmp_path / "pictures"


def test_every_part_says_who_is_unseen_and_what_the_proxy_is_of(folder: Path, tmp_path: Path) -> None:
    finished = finish(make_run(folder, FakeSetup()), tmp_path / "out")
    wanted = Origin(("c5", "d2", "d3"), {"cvvdp": "fake 1", "ssimulacra2": "fake 1"})
    assert [store.read_origin(part) for part in finished.parts] == [wanted]


def test_the_proxy_is_of_the_metrics_that_were_asked_for(folder: Path, tmp_path: Path) -> None:
    log, cache = tmp_path / "log", tmp_path / "cache"
    plain = finish(make_run(folder, FakeSetup(log), ENDS), tmp_path / "plain", cache=cache)
    calls(log)
    setup = FakeSetup(log, further_teachers=("gmsd",))
    run = replace(make_run(folder, setup, ENDS), proxy=("gmsd",))
    finished = finish(run, tmp_path / "out", cache=cache)
    # Only what is new is measured, and SUR stays what it was.
    assert calls(log) == {"gmsd": 3}
    before, after = (store.read_labels(one.parts[0]).to_pylist() for one in (plain, finished))
    assert [row["sur"] for row in before] == [row["sur"] for row in after]
    # The fake `gmsd` is the square of the error whose plain value the other two fall with.
    assert [row["sur_proxy"] for row in before] == pytest.approx([1.0, before[1]["sur_proxy"], 0.0])
    error = [(100 - row["ssimulacra2"]) / 4 for row in before]
    middle = (error[2] ** 2 - error[1] ** 2) / (error[2] ** 2 - error[0] ** 2)
    assert [row["sur_proxy"] for row in after] == pytest.approx([1.0, middle, 0.0], abs=1e-5)
    assert abs(middle - before[1]["sur_proxy"]) > 0.05
    assert store.read_origin(finished.parts[0]) == Origin(("c5", "d2", "d3"), {"gmsd": "fake 1"})


def test_lists_of_metrics_by_name() -> None:
    assert proxy.metrics("") == ()
    assert proxy.metrics("piq") == proxy.DEFAULT_METRICS
    assert proxy.metrics(" gmsd, piq,vmaf ") == ("gmsd", "ssim", "ms_ssim", "fsim", "vmaf")
    assert proxy.metrics("paper") == teachers.PAPER
    assert len(teachers.PAPER) == 14
    with pytest.raises(UsageError, match="unknown teacher nonsense"):
        proxy.metrics("piq,nonsense")


def test_the_option_reaches_panel_and_table(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    def setup(zoo: Path, names: tuple[str, ...], also: tuple[str, ...]) -> FakeSetup:
        asked.append(names)
        return FakeSetup(further_teachers=names[2:])

    monkeypatch.setattr(panel, "ZooSetup", setup)
    split = tmp_path / "split.toml"
    split.write_text('[unseen]\nmachines = ["d1", "c1"]\n')
    out = tmp_path / "out"
    command = ["annotate", folder, "--qps", "1,100", "--zoo", tmp_path, "--out", out]
    options = ["--proxy", "gmsd,cvvdp", "--machine-split", split]
    assert CliRunner().invoke(app, [*map(str, command), *map(str, options)]).exit_code == 0
    assert asked == [("cvvdp", "ssimulacra2", "gmsd")]
    origin = store.read_origin(out / "part-00000.parquet")
    assert origin == Origin(("c1", "d1"), {"gmsd": "fake 1", "cvvdp": "fake 1"})
    failed = CliRunner().invoke(app, [*map(str, command[:-1]), str(tmp_path / "x"), "--proxy", "nonsense"])
    assert (failed.exit_code, "unknown teacher nonsense" in failed.stderr) == (2, True)


def test_of_tables_that_do_not_say_the_packages_list_holds(folder: Path, tmp_path: Path) -> None:
    finished = finish(make_run(folder, FakeSetup()), tmp_path / "out")
    assert unseen_in(tmp_path / "out") == {"c5", "d2", "d3"}
    silent = tmp_path / "silent.parquet"
    store.write_labels(store.read_labels(finished.parts[0]), silent)
    assert store.read_origin(silent) is None
    assert unseen_in([silent]) == unseen_names() != frozenset()
    assert unseen_in([silent, tmp_path / "out"]) == unseen_names() | {"c5", "d2", "d3"}
