"""What is each part of the paper's model worth on our labels, and what are its rivals and other inputs?

    python benchmarks/study.py --images DIR --work DIR            train what is not trained yet, print
    python benchmarks/study.py --images DIR --work DIR --variant paper --variant mlp    these alone
    python benchmarks/study.py --images DIR --work DIR --write    also write benchmarks/study.json

Everything is trained on features of one frozen backbone, on a small part of the labels, with three seeds.
The network of the epoch that is best on `val` is tested once on `test`, and nothing is chosen there. `--work`
keeps the features, and a JSON and a log for every variant and seed, so the same command goes on where it was
stopped, and processes with different variants may share it. Variants that were not trained there keep what
the result says of them, as long as protocol and labels are the same. `python docs/study.py` writes
docs/study.md from the result.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import time
from collections import Counter
from collections.abc import Container, Generator, Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
import torch
from study_features import Eyes, Features, gather
from study_pretraining import SPLITS, Proxies, StageOne, body_of, pretrained
from study_train import Split, unit
from study_variants import Protocol, Variant, variants

from sursmr_codec.network import views as viewing
from sursmr_codec.training.baseline import QpBaseline
from sursmr_codec.training.data import LabelledRungs, read_rungs, stage_targets
from sursmr_codec.training.evaluate import evaluate
from sursmr_codec.training.rungs import RungStore

RESULT = Path(__file__).with_suffix(".json")
LABELS = Path(__file__).resolve().parent.parent / "models" / "labels"
RATIOS = ("sur", "smr")
SCHEMA = "sursmr-qp/study/1"


class Study:
    """The protocol over one folder of pictures, label tables and a folder of work."""

    def __init__(
        self,
        protocol: Protocol,
        images: Path,
        labels: Iterable[Path],
        work: Path,
        stage_one: StageOne | None = None,
    ) -> None:
        self.protocol, self.work, self.stage_one = protocol, work, stage_one or StageOne()
        whole = read_rungs(list(labels), splits=("train", "val", "test"))
        limits = {"train": protocol.n_train, "val": protocol.n_validation, "test": protocol.n_test}
        self.rungs = {
            split: chosen(whole[split], n, None if split == "test" else protocol.most_rungs)
            for split, n in limits.items()
        }
        self._images = images
        self.key = hashlib.sha256(
            json.dumps([SCHEMA, asdict(protocol), viewing.VERSION, _identity(self.rungs)]).encode()
        ).hexdigest()[:16]

    def run(self, only: Container[str] | None = None) -> Iterator[str]:
        """Train every unit of all or some variants that is not there; yields lines about what is done."""
        store = RungStore(self._images, self.work / "views", self.protocol.size, 1)
        for split, rungs in self.rungs.items():
            for done in store.prepare(rungs):
                if done.n_done % 50 == 0 or done.n_done == done.n_total:
                    yield f"views of {split}: {done.n_done} of {done.n_total}"
        due: dict[tuple[bool, tuple[str, ...]], list[tuple[Variant, int]]] = {}
        for variant in variants(self.protocol):
            for seed in self.protocol.seeds:
                if (only is None or variant.name in only) and not self.unit_path(variant, seed).exists():
                    backbone = variant.inputs != "random maps", variant.proxy
                    due.setdefault(backbone, []).append((variant, seed))
        for (trained, metrics), units in due.items():
            name = f"{self.protocol.backbone} {self.protocol.grid} {trained}"
            body = None
            if metrics:
                body = yield from self._stage_one(metrics)
                name += f" {self._key_of(metrics)} {' '.join(metrics)}"
            eyes = Eyes(self.protocol, trained=trained, body=body)
            features = Features(self.work / "features", eyes, store, name)
            for split, rungs in self.rungs.items():
                for n_done, n_total in features.prepare(rungs):
                    if n_done % 50 == 0 or n_done == n_total:
                        yield f"features of {split}: {n_done} of {n_total}"
            yield from self._units(units, features, eyes)

    def _stage_one(self, metrics: tuple[str, ...]) -> Generator[str, None, Mapping[str, torch.Tensor]]:
        """Train the backbone on a proxy and SMR, if it is not trained yet; its weights."""
        proxies = Proxies(self._images, self.work / "proxies")
        learned = {}
        for split in SPLITS:
            for n_done, n_total in proxies.prepare(self.rungs[split]):
                if n_done % 100 == 0 or n_done == n_total:
                    yield f"proxies of {split}: {n_done} of {n_total}"
            learned[split] = proxies.learned(self.rungs[split], metrics)
        run = self.work / "stage_one" / self._key_of(metrics) / "+".join(metrics)
        yield from pretrained(self.protocol, self.stage_one, learned, self._images, self.work, run)
        return body_of(run)

    def _key_of(self, metrics: tuple[str, ...]) -> str:
        """The protocol's key, and with a stage 1 its settings too."""
        if not metrics:
            return self.key
        return hashlib.sha256(json.dumps([self.key, asdict(self.stage_one)]).encode()).hexdigest()[:16]

    def _units(self, due: list[tuple[Variant, int]], features: Features, eyes: Eyes) -> Iterator[str]:
        latest: tuple[Variant, dict[str, Split]] | None = None
        for variant, seed in due:
            if latest is None or latest[0] != variant:
                latest = None  # what one variant sees makes room for what the next does
                splits = {
                    split: Split(rungs, gather(variant, rungs, features, eyes.channels))
                    for split, rungs in self.rungs.items()
                }
                latest = variant, splits
            path = self.unit_path(variant, seed)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.with_suffix(".log").open("w") as log:
                record = unit(
                    variant,
                    seed,
                    self.protocol,
                    latest[1],
                    lambda line: print(line, file=log, flush=True),
                )
            temporary = path.with_suffix(".tmp")
            temporary.write_text(json.dumps(record, indent=1) + "\n")
            temporary.replace(path)
            yield f"{variant.name}, seed {seed}: {record['seconds']} s"

    def unit_path(self, variant: Variant, seed: int) -> Path:
        """Where the result of one variant and seed is kept; another protocol or other labels have others."""
        return self.work / "units" / self._key_of(variant.proxy) / f"{variant.name}-{seed}.json"

    def result(self, earlier: Mapping[str, Any] | None = None) -> dict[str, object]:
        """Every unit that is there, summed up; of others what an `earlier` result of this very study says."""
        found: dict[str, object] = {}
        known: Mapping[str, object] = {}
        if earlier is not None and earlier.get("key") == self.key:
            known = earlier["variants"]
        for variant in variants(self.protocol):
            paths = [self.unit_path(variant, seed) for seed in self.protocol.seeds]
            units = [json.loads(path.read_text()) for path in paths if path.exists()]
            if not units and variant.name in known:
                found[variant.name] = known[variant.name]
            if units:
                found[variant.name] = {
                    "table": variant.table,
                    "what": variant.what,
                    "n_learned": units[0]["n_learned"],
                    "seconds": round(fmean(one["seconds"] for one in units), 1),
                    "seeds": [one["seed"] for one in units],
                    "epochs": units[0]["epochs"],
                    "best_epochs": [one["best_epoch"] for one in units],
                    "test": _summed([measures(one["test"]) for one in units]),
                }
        return {
            "schema": SCHEMA,
            "key": self.key,
            "date": datetime.now(UTC).date().isoformat(),
            "machine": {"cpu": platform.machine(), "cores": os.cpu_count(), "torch": torch.__version__},
            "protocol": asdict(self.protocol),
            "stage_one": asdict(self.stage_one),
            "n_pictures": {split: len(set(rungs.images)) for split, rungs in self.rungs.items()},
            "n_rungs": {split: len(rungs) for split, rungs in self.rungs.items()},
            "codecs": sorted(set(self.rungs["train"].codecs)),
            "codec_and_qp": measures(self._opponent()),
            "variants": found,
        }

    def _opponent(self) -> dict[str, object]:
        train, test = self.rungs["train"], self.rungs["test"]
        known = QpBaseline(train, stage_targets(train, RATIOS, {}, required=True))
        labels = stage_targets(test, RATIOS, {}, required=False)
        return evaluate(test, RATIOS, known.predict(test), labels).record()


def chosen(rungs: LabelledRungs, n_images: int, most: int | None) -> LabelledRungs:
    """Rungs of the first pictures by the digest of their names; of each at most so many, as many a codec.

    They are spread over each ladder from a place that its picture and codec decide, so that no part of the
    ladders is left out of all.
    """
    names = sorted(set(rungs.images), key=lambda image: hashlib.sha256(image.encode()).hexdigest())
    rungs = rungs.where(np.isin(np.array(rungs.images, dtype=object), names[:n_images]))
    ladders = rungs.ladders()
    n_codecs = Counter(image for image, _ in ladders)
    kept: list[int] = []
    for (image, codec), rows in ladders.items():
        n = len(rows) if most is None else min(len(rows), max(1, most // n_codecs[image]))
        begin = hashlib.sha256(f"{image} {codec}".encode()).digest()[0] / 256
        kept += [int(rows[int((i + begin) * len(rows) / n)]) for i in range(n)]
    return rungs.take(kept)


def measures(fit: dict[str, object]) -> dict[str, float]:
    """The numbers of a fit that the tables show; those that it lacks are left out."""
    found: dict[str, float | None] = {}
    for ratio, one in fit["ratios"].items():
        found |= {f"{ratio}_mae": one["mae"], f"{ratio}_srocc": one["srocc"]}
    for one in fit["sur_qp"]:
        found[f"qp_error_{one['level']}"] = one["mean_qp_error"]
    found["bhattacharyya"] = fit["bhattacharyya"]
    return {name: round(float(value), 4) for name, value in found.items() if value is not None}


def _summed(units: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Mean over seeds, and their standard deviation where there are several."""
    return {
        name: {
            "mean": round(fmean(one[name] for one in units), 4),
            "deviation": round(stdev(one[name] for one in units), 4) if len(units) > 1 else 0.0,
        }
        for name in units[0]
    }


def _identity(rungs: dict[str, LabelledRungs]) -> str:
    rows = [
        [split, some.images, some.codecs, some.qps.tolist(), some.n_bytes.tolist(), some.fingerprints]
        + [np.round(some.labels[ratio].astype(float), 5).tolist() for ratio in RATIOS]
        for split, some in rungs.items()
    ]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, required=True, help="folder that the labels' images are below")
    parser.add_argument("--labels", type=Path, default=LABELS, help="folder of label tables")
    parser.add_argument("--work", type=Path, required=True, help="folder of features and of finished units")
    names = [variant.name for variant in variants(Protocol())]
    parser.add_argument("--variant", action="append", choices=names)
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.name}")
    arguments = parser.parse_args()
    tables = [arguments.labels / f"{split}.parquet" for split in ("train", "val", "test")]
    study = Study(Protocol(), arguments.images, tables, arguments.work)
    began = time.monotonic()
    for line in study.run(arguments.variant):
        print(f"{time.monotonic() - began:7.0f} s  {line}", flush=True)
    earlier = json.loads(RESULT.read_text()) if RESULT.exists() else None
    text = json.dumps(study.result(earlier), indent=1) + "\n"
    print(text)
    if arguments.write:
        RESULT.write_text(text)


if __name__ == "__main__":
    main()
