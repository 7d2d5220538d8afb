"""Pictures, label tables of their true rungs, and runs, all small enough for a test."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sursmr_codec import codecs, images
from sursmr_codec.labels import store
from sursmr_codec.labels.rows import LabelRow
from sursmr_codec.training.config import TrainingConfig
from sursmr_codec.training.parsing import parse

MACHINES = ("c0", "c1", "d0")
QPS = (5, 25, 45, 65, 85, 99)
SPLITS = {"train": 6, "val": 2, "test": 2}


@dataclass(frozen=True)
class Labelled:
    """A folder of pictures, and a table of labels."""

    images: Path
    labels: Path
    rows: tuple[LabelRow, ...]

    def rewritten(self, path: Path, rows: Iterable[LabelRow]) -> Path:
        """Another table."""
        store.write_labels(store.to_table(list(rows), MACHINES), path)
        return path


def make_labelled(folder: Path) -> Labelled:
    """Pictures of smooth noise; SUR falls along the ladder, one machine stumbles, later in every image."""
    generator = np.random.default_rng(0)
    codec = codecs.get("jpeg")
    rows = []
    for split, n_images in SPLITS.items():
        (folder / "images" / split).mkdir(parents=True)
        for i in range(n_images):
            name = f"{split}/{i}.png"
            coarse = generator.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(coarse).resize((64, 64), Image.Resampling.BICUBIC).save(folder / "images" / name)
            source = images.read(folder / "images" / name)
            threshold = 50.0 + 8.0 * i
            for qp in QPS:
                n_bytes = len(codec.encode(source, qp))
                sur = 1.0 / (1.0 + np.exp((qp - threshold) / 10.0))
                votes = {"c0": int(qp < threshold), "c1": 2 if i == 0 else 1, "d0": int(qp < 90)}
                rows.append(
                    LabelRow(
                        image=name,
                        split=split,
                        codec="jpeg",
                        qp=qp,
                        n_bytes=n_bytes,
                        bpp=8.0 * n_bytes / 64**2,
                        fingerprint=codec.fingerprint(),
                        cvvdp_jod=None,
                        ssimulacra2=None,
                        sur=float(sur),
                        sur_proxy=1.0 - (qp - 5) / 94.0,
                        smr=None if i == 1 else sum(v == 1 for v in votes.values()) / 3,
                        smr_classification=float(qp < threshold),
                        smr_detection=None,
                        smr_strict=None,
                        smr_unseen=None,
                        n_machines=3,
                        votes=votes,
                    )
                )
    made = Labelled(folder / "images", folder / "labels.parquet", tuple(rows))
    made.rewritten(made.labels, rows)
    return made


def tiny_config(labelled: Labelled, cache: Path | str = "", **changes: Any) -> TrainingConfig:
    """Two epochs of the paper's model over timm's smallest backbone, on 32x32 views."""
    values: dict[str, Any] = tomllib.loads(TINY) | changes
    config = parse(TrainingConfig, values)
    data = replace(config.data, images=str(labelled.images), labels=(str(labelled.labels),), cache=str(cache))
    return replace(config, data=data)


TINY = """
name = "test"
checkpoint_steps = 3
[network]
backbone = "test_convnext"
size = 32
grid = 2
n_queries = 4
n_heads = 2
width = 16
depth = 1
hidden = 16
[[stage]]
name = "pretrain"
family = "pretraining"
batch_size = 8
learning_rate = 1e-3
labels = { sur = "sur_proxy" }
[[stage]]
name = "train"
epochs = 2
batch_size = 8
learning_rate = 1e-3
schedule = "cosine"
warmup_steps = 2
"""


def stage(**values: Any) -> dict[str, Any]:
    """A `[[stage]]`, as TOML gives it."""
    return {"name": "train", "batch_size": 8, "learning_rate": 1e-3, **values}


def last(events: Iterable[Any]) -> Any:
    """The last of some events."""
    found: Sequence[Any] = list(events)
    return found[-1]
