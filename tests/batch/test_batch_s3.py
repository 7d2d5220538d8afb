"""Sources and results on object storage, against a server in a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_batch import make_pictures, paint, request

from sursmr_codec import batch
from sursmr_codec.batch import addresses, journal, status
from sursmr_codec.batch.driver import Batch
from sursmr_codec.batch.dry import dry_run
from sursmr_codec.batch.places import Unwritable
from sursmr_codec.cli import main
from sursmr_codec.errors import ImageError, MissingExtra, OutputError, UsageError

s3fs = pytest.importorskip("s3fs")
pytest.importorskip("moto.server")
HERE = Path(__file__).parent
BUCKET = "s3://photos"
# What the libraries below leave to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def server() -> Iterator[subprocess.Popen[str]]:
    started = subprocess.Popen(
        [sys.executable, str(HERE / "s3_server.py")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert started.stdout is not None
    with started.stdout:
        yield started
        started.kill()
        started.wait()


@pytest.fixture(scope="module")
def address(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    return server.stdout.readline().strip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures in three folders."""
    make_pictures(tmp_path / "in", 3)
    return tmp_path / "in"


@pytest.fixture
def store(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The server's files, with the bucket `photos` empty."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    files = s3fs.S3FileSystem(endpoint_url=address, use_listings_cache=False)
    if files.exists(BUCKET):
        files.rm(BUCKET, recursive=True)
    files.mkdir(BUCKET)
    return files


def up(store, folder: Path, to: str) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            store.pipe_file(f"{to}/{path.relative_to(folder).as_posix()}", path.read_bytes())


def objects(store, at: str) -> dict[str, bytes]:
    start = at.removeprefix("s3://") + "/"
    return {path.removeprefix(start): store.cat_file(path) for path in store.find(at)}


def local(out: Path) -> dict[str, bytes]:
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file() and batch.STATE_FOLDER not in path.parts
    }


def run(inputs, out, load=None, **others):
    return {one.source: one for one in Batch(request(inputs, out, load, **others))}


def test_bucket_to_bucket_is_as_folder_to_folder(store, folder, out, load):
    (folder / "sursmr-qp.toml").write_text("sur = 0.9\n")
    up(store, folder, f"{BUCKET}/in")
    here = run(folder, out)
    there = run(f"{BUCKET}/in", f"{BUCKET}/out", load)
    assert {name: one.status for name, one in there.items()} == {n: one.status for n, one in here.items()}
    assert objects(store, f"{BUCKET}/out") == local(out)
    assert objects(store, f"{BUCKET}/in") == local(folder)
    done = there["0000.png"].record
    assert done["input"]["path"] == f"{BUCKET}/in/0000.png"
    assert done["output"]["path"] == f"{BUCKET}/out/0000.jpg"
    assert there["0000.png"].output_sha256 == here["0000.png"].output_sha256
    # Again: nothing is read, and the journal is found by the address, however it is given.
    again = Batch(request(f"{BUCKET}/in/", f"{BUCKET}/out/", load))
    assert list(again) == []
    assert again.progress.n_up_to_date == load.count("embed") == 3
    assert len(list(batch.records(f"{BUCKET}/out"))) == 3
    assert status.read(f"{BUCKET}/out").n_left == 0


def test_only_what_is_new_changed_missing_or_damaged_is_done(store, folder, tmp_path):
    paint(folder / "changed.png", 7)
    up(store, folder, f"{BUCKET}/in")
    run(f"{BUCKET}/in", f"{BUCKET}/out")
    paint(tmp_path / "other.png", 99)
    store.pipe_file(f"{BUCKET}/in/changed.png", (tmp_path / "other.png").read_bytes())
    store.pipe_file(f"{BUCKET}/in/new.png", (tmp_path / "other.png").read_bytes())
    store.rm_file(f"{BUCKET}/out/a/0001.jpg")
    store.pipe_file(f"{BUCKET}/out/a/b/0002.jpg", b"damaged")
    # The same bytes once more.
    store.pipe_file(f"{BUCKET}/in/0000.png", (folder / "0000.png").read_bytes())
    redone = run(f"{BUCKET}/in", f"{BUCKET}/out")
    assert sorted(redone) == ["a/0001.png", "a/b/0002.png", "changed.png", "new.png"]
    assert {one.status for one in redone.values()} == {"done"}


def test_objects_that_are_not_of_the_batch_are_left_alone(store, folder):
    store.pipe_file(f"{BUCKET}/out/0000.jpg", b"mine")
    outcomes = run(folder, f"{BUCKET}/out")
    assert "not of this batch" in outcomes["0000.png"].reason
    assert store.cat_file(f"{BUCKET}/out/0000.jpg") == b"mine"


def test_a_failing_upload_fails_its_picture_alone(store, folder):
    paint(folder / "refused.png", 1)
    outcomes = run(folder, f"{BUCKET}/out")
    failed = outcomes.pop("refused.png")
    assert failed.status == "failed"
    assert "refused on purpose" in failed.reason
    assert "--retry-failed" in failed.retry
    assert {one.status for one in outcomes.values()} == {"done"}
    assert len(objects(store, f"{BUCKET}/out")) == 3


@pytest.mark.parametrize(
    ("name", "to", "why"),
    [
        ("forbidden.png", BUCKET, "forbidden on purpose"),
        ("plain.png", "s3://nobody-has-this", "bucket does not"),
    ],
)
def test_where_nothing_can_be_put_the_run_stops(store, tmp_path, name, to, why):
    (tmp_path / "in").mkdir()
    paint(tmp_path / "in" / name, 1)
    with pytest.raises(OutputError, match=why) as stopped:
        run(tmp_path / "in", f"{to}/out")
    assert isinstance(stopped.value, Unwritable)
    assert status.read(f"{to}/out").state == "stopped"


def test_a_killed_writer_leaves_nothing_to_be_seen(store, server, tmp_path):
    make_pictures(tmp_path / "in", 1)
    paint(tmp_path / "in" / "hangs.png", 1)
    driver = subprocess.Popen(
        [
            sys.executable,
            str(HERE / "fake_batch.py"),
            str(tmp_path / "in"),
            f"{BUCKET}/out",
            "serial",
            "1",
            "0",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert driver.stdout is not None
    with driver.stdout:
        assert driver.stdout.readline() == "done 0000.png\n"
        assert server.stdout.readline() == "hangs\n"
        driver.send_signal(signal.SIGKILL)
        driver.wait()
    assert "hangs.jpg" not in objects(store, f"{BUCKET}/out")
    (tmp_path / "in" / "hangs.png").rename(tmp_path / "in" / "moves.png")
    run(tmp_path / "in", f"{BUCKET}/out")
    run(tmp_path / "in", tmp_path / "out")
    assert objects(store, f"{BUCKET}/out") == local(tmp_path / "out")


def test_listing(store, folder, out):
    up(store, folder, f"{BUCKET}/in")
    store.pipe_file(f"{BUCKET}/in/a/", b"")
    store.pipe_file(f"{BUCKET}/in/a/empty.png", b"")
    store.pipe_file(f"{BUCKET}/in/.hidden/0.png", b"")
    store.pipe_file(f"{BUCKET}/in//0.png", b"")
    store.pipe_file(f"{BUCKET}/input-of-others.png", b"")
    outcomes = run(f"{BUCKET}/in", out)
    assert len(outcomes) == 4
    assert "is empty" in outcomes["a/empty.png"].reason
    assert set(local(out)) == {name.replace(".png", ".jpg") for name in local(folder)}
    single = run(f"{BUCKET}/in/a/0001.png", out.with_name("single"))
    assert list(single) == ["0001.png"]


def test_a_large_object_is_read_whole(store, tmp_path, monkeypatch):
    from sursmr_codec.batch import places_s3

    monkeypatch.setattr(places_s3, "_FIRST_BYTES", 500)
    paint(tmp_path / "0.png", 1)
    store.pipe_file(f"{BUCKET}/in/0.png", (tmp_path / "0.png").read_bytes())
    (outcome,) = run(f"{BUCKET}/in", tmp_path / "out").values()
    assert outcome.source_bytes == (tmp_path / "0.png").stat().st_size > 500


def test_a_dry_run_writes_nothing(store, folder, tmp_path):
    assert [one.action for one in dry_run(request(folder, f"{BUCKET}/out"))] == ["work"] * 3
    assert store.find(BUCKET) == []
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("inputs", "kind", "words"),
    [
        (["s3://photos/nothing"], ImageError, "nothing is there"),
        (["s3://photos/*.png"], ImageError, "--include"),
        (["gs://photos/in"], UsageError, "known: s3://"),
        (["s3:/photos/in"], UsageError, "lost a slash"),
        (["s3://"], UsageError, "names no bucket"),
        (["s3://photos", "s3://others"], UsageError, "in one bucket"),
    ],
)
def test_addresses_that_make_no_sense_are_refused(store, out, inputs, kind, words):
    store.pipe_file(f"{BUCKET}/0.png", b"")
    if not store.exists("s3://others"):
        store.mkdir("s3://others")
    asked = request("in", out)
    with pytest.raises(kind, match=words):
        Batch(type(asked)(tuple(inputs), str(out)))


def test_the_state_lies_where_it_is_told_to(store, folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    by_default = addresses.state_folder(f"{BUCKET}/out/")
    assert by_default == addresses.state_folder(f"{BUCKET}/out")
    assert by_default != addresses.state_folder(f"{BUCKET}/out2")
    assert by_default.is_relative_to(tmp_path / "cache" / "sursmr-qp" / "batches")
    state = tmp_path / "state"
    run(folder, f"{BUCKET}/out", state=str(state))
    assert not by_default.exists()
    with journal.reading(state / batch.STATE_FOLDER) as db:
        assert len(list(journal.outcomes(db, "1"))) == 3
    monkeypatch.setattr(sys, "argv", ["sursmr-qp", "status", str(state), "--json"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    assert json.loads(capsys.readouterr().out)["out"] == f"{BUCKET}/out"


def test_without_the_library_it_says_how_to_get_it(folder, out, monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(MissingExtra, match=r"pip install 'sursmr-qp\[s3\]'"):
        Batch(request(folder, "s3://photos/out"))
