"""Tables of several data sets and of `annotate` as one mixture to train on, as the paper's SUR-SMR set is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from miniatures import picture
from typer.testing import CliRunner

from sursmr_codec import codecs, datasets, images
from sursmr_codec.cli.app import app
from sursmr_codec.labels import store
from sursmr_codec.ladder import Ladder
from sursmr_codec.network.views import views
from sursmr_codec.training.data import read_rungs
from sursmr_codec.training.rungs import RungStore

SPLITS = ("train", "val", "test")
VVC = [{"source": "a.png", "subject": n, "jnd_level": level} for n, level in enumerate((14, 15, 15, 15))]


def annotated(folder, path):
    """One rung of a picture of one's own, with SMR: what `annotate` would write of it."""
    picture(folder / "own" / "one.png")
    ladder = Ladder(images.read(folder / "own" / "one.png"), codecs.get("jpeg"))
    (row,) = [
        replace(
            like,
            image="own/one.png",
            n_bytes=ladder[40].n_bytes,
            fingerprint=codecs.get("jpeg").fingerprint(),
            smr=0.75,
            n_machines=2,
            votes={"c": 1, "d": 0},
        )
        for like in datasets.label_rows(datasets.read(folder / "KonJND-1k"))
        if (like.codec, like.qp) == ("jpeg", 40)
    ]
    store.write_labels(store.to_table([row], ["c", "d"]), path)
    return ladder


def test_any_tables_below_one_folder_are_a_mixture(konjnd, write_study, tmp_path):
    study = write_study(VVC)
    labels = tmp_path / "labels"
    labels.mkdir()
    for place in (konjnd, study):
        arguments = ["data", "labels", place, "--below", tmp_path, "--out", labels / f"{place.name}.parquet"]
        assert CliRunner().invoke(app, [str(one) for one in arguments]).exit_code == 0
    ladder = annotated(tmp_path, labels / "own.parquet")

    mixture = read_rungs([labels], splits=SPLITS, machines=("c", "d"))
    assert sum(map(len, mixture.values())) == 100 + 51 + 3 + 1
    pictures = RungStore(tmp_path, tmp_path / "cache", 32, 0)
    for rungs in mixture.values():
        for _ in pictures.prepare(rungs, 1):
            pass
    kept = {
        ("KonJND-1k/source_image/SRC0001.png", "jpeg", 7): images.read(konjnd / "jpeg/SRC0001_JPEG_007.jpg"),
        ("KonJND-1k/source_image/SRC0505.png", "bpg", 9): images.read(konjnd / "bpg/SRC0505_BPG_009.png"),
        ("study/sources/a.png", "vvc", 14): images.read(study / "distorted/a/a_014.png"),
    }
    for (image, codec, qp), shown in kept.items():
        assert np.array_equal(pictures.rung(image, codec, qp), views(shown.rgb, 32, 0))
    assert np.array_equal(pictures.rung("own/one.png", "jpeg", 40), views(ladder[40].decoded, 32, 0))
    # People say nothing of machines: those rungs have a SUR to learn, and no SMR and no vote.
    (own,) = [rungs for rungs in mixture.values() if "own/one.png" in rungs.images]
    for image, smr, votes in zip(own.images, own.labels["smr"], own.votes.tolist(), strict=True):
        assert votes == ([1, 0] if image == "own/one.png" else [2, 2])
        assert np.isnan(smr) == (image != "own/one.png")
    assert not any(np.isnan(rungs.labels["sur"]).any() for rungs in mixture.values())
