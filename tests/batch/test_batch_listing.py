"""What is found behind inputs: sources, what is skipped and why, and what fails before it is read."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from fake_batch import paint
from surroundings import as_nobody

from sursmr_codec.batch.listing import Listing, Selection
from sursmr_codec.errors import ImageError, UsageError


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "in"
    for name in ("b.png", "a.jpg", "sub/c.PNG", "sub/deep/d.webp", "thumbs/e.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        paint(root / name.lower() if name != "sub/c.PNG" else root / name, 1)
    return root


def found(*inputs, out="/nowhere/out", base=None, **selection):
    """Name -> status and the start of the reason, or None for a source."""
    listing = Listing([str(one) for one in inputs], str(out), Selection(**selection), base)
    return {one.name: one.status and (one.status, one.reason) for one in listing}


def sources(*inputs, **others):
    return [name for name, status in found(*inputs, **others).items() if status is None]


def test_a_folder_alone_or_with_those_inside(tree):
    assert sources(tree) == ["a.jpg", "b.png"]
    everything = ["a.jpg", "b.png", "sub/c.PNG", "sub/deep/d.webp", "thumbs/e.png"]
    assert sources(tree, recursive=True) == everything


@pytest.mark.parametrize(
    ("include", "exclude", "names"),
    [
        (("*.png",), (), ["b.png", "thumbs/e.png"]),
        (("*.png", "*.PNG"), (), ["b.png", "sub/c.PNG", "thumbs/e.png"]),
        (("sub/*",), (), ["sub/c.PNG", "sub/deep/d.webp"]),
        ((), ("thumbs",), ["a.jpg", "b.png", "sub/c.PNG", "sub/deep/d.webp"]),
        ((), ("sub/*", "thumbs/*"), ["a.jpg", "b.png"]),
        (("*.png",), ("b*",), ["thumbs/e.png"]),
        ((), ("sub/deep",), ["a.jpg", "b.png", "sub/c.PNG", "thumbs/e.png"]),
    ],
)
def test_patterns(tree, include, exclude, names):
    assert sources(tree, recursive=True, include=include, exclude=exclude) == names


def test_files_are_named_from_the_deepest_folder_that_holds_them(tree):
    assert sources(tree / "b.png") == ["b.png"]
    assert sources(tree / "sub/c.PNG", tree / "thumbs/e.png") == ["sub/c.PNG", "thumbs/e.png"]
    assert sources(tree / "sub", tree / "thumbs", recursive=True) == [
        *("sub/c.PNG", "sub/deep/d.webp", "thumbs/e.png"),
    ]
    assert sources(tree / "sub/c.PNG", base=str(tree.parent)) == ["in/sub/c.PNG"]
    with pytest.raises(UsageError, match="not in the base folder"):
        sources(tree / "b.png", base=str(tree / "sub"))


def test_a_file_that_is_given_twice_counts_once(tree, monkeypatch):
    monkeypatch.chdir(tree.parent)
    assert sources("in/b.png", "in/../in/b.png", tree / "b.png") == ["b.png"]


def test_globs(tree, monkeypatch):
    assert sources(f"{tree}/*.png") == ["b.png"]
    assert sources(f"{tree}/**/*.png") == ["b.png", "thumbs/e.png"]
    assert sources(f"{tree}/*/c.*") == ["sub/c.PNG"]
    monkeypatch.chdir(tree)
    assert sources("*.jpg") == ["a.jpg"]
    # A file may be called like a pattern.
    paint(tree / "[x].png", 2)
    assert sources("[x].png") == ["[x].png"]


def test_what_does_not_exist(tree, tmp_path):
    for missing in (tmp_path / "absent", f"{tree}/*.nothing"):
        with pytest.raises(ImageError, match="no such file or folder"):
            found(missing)
    assert found(tree / "b.png", tree / "absent.png")["absent.png"] == (
        *("failed", "no such file; check the path"),
    )


def test_an_empty_name_is_not_the_current_folder(tree, monkeypatch):
    monkeypatch.chdir(tree)
    assert "b.png" in found(".")
    for names in (("",), (tree / "b.png", "")):
        with pytest.raises(ImageError, match="name of an input is empty"):
            found(*names)


def test_magic_and_extension(tmp_path):
    paint(tmp_path / "picture.png", 1)
    (tmp_path / "picture.png").rename(tmp_path / "no extension")
    (tmp_path / "broken.png").write_bytes(b"nothing of the kind")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "notes.txt").write_text("words")
    (tmp_path / "sursmr-qp.toml").write_text("sur = 0.5")
    listed = found(tmp_path)
    assert sources(tmp_path) == ["broken.png", "empty.jpg", "no extension"]
    assert listed["notes.txt"][0] == "skipped"
    assert "not an image" in listed["notes.txt"][1]
    assert "sursmr-qp.toml" not in listed


def test_hidden_names_are_passed_over_unless_given(tree):
    paint(tree / "hidden.png", 1)
    (tree / "hidden.png").rename(tree / ".hidden.png")
    (tree / ".folder").mkdir()
    paint(tree / ".folder" / "x.png", 1)
    assert not any("hidden" in name or "folder" in name for name in found(tree, recursive=True))
    assert sources(tree / ".hidden.png") == [".hidden.png"]
    assert sources(tree / ".folder") == ["x.png"]


def test_links(tree):
    (tree / "to file.png").symlink_to("b.png")
    (tree / "to folder").symlink_to("sub")
    (tree / "to nothing.png").symlink_to("absent.png")
    (tree / "to nothing.txt").symlink_to("absent.txt")
    (tree / "sub" / "loop").symlink_to("..")
    listed = found(tree, recursive=True)
    assert listed["to file.png"] is None
    assert listed["to folder/"] == ("skipped", "is a symbolic link to a folder; not followed")
    assert listed["sub/loop/"][0] == "skipped"
    assert listed["to nothing.png"][0] == "failed"
    assert listed["to nothing.txt"][0] == "skipped"
    # As an input of its own it is entered.
    assert sources(tree / "to folder") == ["c.PNG"]


def test_pipes_and_sockets_are_skipped(tree, monkeypatch):
    os.mkfifo(tree / "pipe.png")
    monkeypatch.chdir(tree)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket")
    listed = found(tree)
    assert listed["pipe.png"][0] == listed["socket"][0] == "skipped"


def test_folders_that_cannot_be_read_fail_and_the_others_go_on(open_folder):
    for name in ("a.png", "closed/b.png", "unentered/c.png"):
        (open_folder / name).parent.mkdir(exist_ok=True)
        paint(open_folder / name, 1)
    (open_folder / "closed").chmod(0o000)
    (open_folder / "unentered").chmod(0o444)
    with as_nobody(open_folder):
        listed = found(open_folder, recursive=True)
    assert listed["a.png"] is None
    assert listed["closed/"] == ("failed", "cannot be listed: no permission; check its mode and owner")
    assert listed["unentered/c.png"][0] == "failed"
    assert "no permission" in listed["unentered/c.png"][1]


def test_the_output_folder_is_no_source(tree):
    paint(tree / "small.png", 1)
    (tree / "out").mkdir()
    paint(tree / "out" / "small.png", 1)
    assert not any(name.startswith("out") for name in found(tree, out=tree / "out", recursive=True))
    assert found(tree / "b.png", tree / "out/small.png", out=tree / "out")["out/small.png"][0] == "skipped"
    for inside in (tree, tree / "sub"):
        with pytest.raises(UsageError, match="holds the sources"):
            found(inside, out=tree)


def test_names_that_are_no_text(tree):
    os.rename(tree / "b.png", os.fsencode(tree) + b"/odd\xff.png")  # noqa: PTH104
    assert "odd\udcff.png" in sources(tree)
