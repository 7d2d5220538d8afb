"""Names of results: mirrored, never shared, and the same whatever the order."""

from __future__ import annotations

import sqlite3
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sursmr_codec.batch.names import Names


def settled(sources, extensions=(".jpg",), *, may_keep=False):
    db = sqlite3.connect(":memory:")
    names = Names(db, extensions, may_keep=may_keep)
    for source in sources:
        names.add(source)
    names.settle()
    found = {source: names.of(source)[0] for source in sources}
    db.close()
    return found


@pytest.mark.parametrize(
    ("sources", "stems"),
    [
        (["a.png", "sub/b.tiff"], ["a", "sub/b"]),
        (["no-extension", "two.dots.png"], ["no-extension", "two.dots"]),
        # Where two would share a name, each keeps its own.
        (["a.png", "a.jpg", "b.png"], ["a.png", "a.jpg", "b"]),
        (["sub/a.png", "a.jpg"], ["sub/a", "a"]),
        (["A.png", "a.png"], ["A.png.28e6ae4e", "a.png.7f071235"]),
        (["caf\u00e9.png", "cafe\u0301.jpg"], ["caf\u00e9.png", "cafe\u0301.jpg"]),
        # A longer name may be taken too.
        (["a.png", "a.gif", "a.png.bmp"], ["a.png.7f071235", "a.gif", "a.png.bmp"]),
        (["a", "a.png"], ["a", "a.png"]),
        # A folder that is needed has the name of a result.
        (["a.png", "a.jpg/b.png"], ["a.png", "a.jpg/b"]),
        (["same.png", "same.png"], ["same"]),
        (["odd\udcff.png", "odd\udcff.gif"], ["odd\udcff.png", "odd\udcff.gif"]),
    ],
)
def test_names(sources, stems):
    assert list(settled(sources).values()) == stems


def test_an_original_that_may_be_kept_holds_its_name():
    assert settled(["a.jpg", "a.png"]) == settled(["a.jpg", "a.png"], may_keep=True)
    # b.jpeg may stay b.jpeg, which the result of the other would be called.
    assert settled(["b.jpeg", "b.gif"], [".jpeg"], may_keep=True) == {"b.jpeg": "b.jpeg", "b.gif": "b.gif"}
    # Names that sources have anyway do not keep each other busy for ever.
    assert settled(["A.jpg", "a.jpg"], may_keep=True).keys() == {"A.jpg", "a.jpg"}


def test_of_several_codecs_every_extension_is_held():
    assert settled(["a.png", "a.jpg"], [".avif", ".jpg"]) == {"a.png": "a.png", "a.jpg": "a.jpg"}


parts = st.text(st.sampled_from("aAb.é"), min_size=1, max_size=4).filter(lambda part: part.strip(".") != "")
names = st.builds(
    lambda folder, file, suffix: folder + file + suffix,
    st.sampled_from(["", "a/", "a.jpg/"]),
    parts,
    st.sampled_from(["", ".png", ".jpg", ".JPG"]),
)


@given(st.sets(names, max_size=12), st.booleans())
def test_no_two_results_share_a_name(sources, may_keep):
    # A tree in which something is both a file and a folder cannot exist.
    folders = {source.rpartition("/")[0] for source in sources}
    sources = sources - folders
    found = settled(sorted(sources), may_keep=may_keep)
    folded = [unicodedata.normalize("NFC", stem + ".jpg").casefold() for stem in found.values()]
    assert len(set(folded)) == len(folded)
    assert not set(folded) & {folder.casefold() for folder in folders}
    for source, stem in found.items():
        assert stem.rpartition("/")[0] == source.rpartition("/")[0]
        if may_keep:
            assert all(other == source or other != stem + ".jpg" for other in sources)


@given(st.lists(names, unique=True, max_size=8), st.randoms())
def test_names_do_not_depend_on_the_order(sources, random):
    shuffled = random.sample(sources, len(sources))
    assert settled(sources) == settled(shuffled)
