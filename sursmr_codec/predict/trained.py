"""Scores by a trained network: the default predictor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sursmr_codec.errors import UsageError
from sursmr_codec.interpolating import Expected
from sursmr_codec.labels import protocols
from sursmr_codec.labels.smr import MIN_COUNTING, fewest
from sursmr_codec.network import views as viewing
from sursmr_codec.network.config import NetworkConfig
from sursmr_codec.predict import novelty, weights
from sursmr_codec.predict.base import Embedding, Predictor
from sursmr_codec.predict.risk_table import RiskTable, kind_of
from sursmr_codec.predict.seen import TrainedEmbedding, Window
from sursmr_codec.predict.start import N_MAPS, Start, numbers_of
from sursmr_codec.risk import Margins, Misses
from sursmr_codec.types import Evidence, Jury, Pixels, PredictorSummary, Rung, Score, Source, Targets

TRAINED_PROTOCOL = "calibrated"
MOST_CROPS = 16
"""Of a large picture, where accuracy is worth the time; else there are as many as in training."""
WINDOW = 346
"""Side in pixels of a square as large as the pictures that models are trained on. Viewers look at pixels, not
at pictures scaled down: of a picture more than half as large again, SUR is that of such squares."""
N_WINDOWS, N_WINDOWS_ACCURATE = 1, 5
PICTURE_PER_CROP = 2.5
"""Crops' areas that one more crop stands for, as in the pictures that models are trained on."""
LIKELY = 0.5
"""Least probability at which a machine is said to count, or to be lost."""
_ROWS_AT_ONCE = 64


class Network(Protocol):
    """A network under whatever runs it."""

    config: NetworkConfig

    def embed(self, views: Pixels) -> Sequence[Any]:
        """What is kept of a source."""
        ...

    def arrays(self, source: Sequence[Any]) -> Sequence[NDArray[np.float32]]:
        """What is kept of a source, for numpy."""
        ...

    def compare(self, source: Sequence[Any], views: Pixels) -> Mapping[str, NDArray[np.float32]]:
        """Output -> array (N, ...) for the views of N rungs; see `network.heads.named_outputs`."""
        ...


class Trained(Predictor):
    """Views of source and rung through one network."""

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        protocol: str = TRAINED_PROTOCOL,
        threads: int | None = None,
        device: str = "cpu",
        accurate: bool = False,
    ) -> None:
        """Load a model: the default, one by its id, or a user's by its folder.

        Raises UsageError for what is no model, and for a protocol whose teachers it does not predict;
        MissingExtra or UnavailableError where `device` cannot be used.
        """
        self._files = files = weights.find(model)
        self._accurate = accurate
        self.id, self._sha256 = files.id, files.sha256
        self.trained_codecs = files.trained_codecs()
        self._protocol = protocols.load(protocol)
        self._network: Network
        if device == "cpu":
            from sursmr_codec.predict.onnx import OnnxNetwork

            self._network = OnnxNetwork(files.graph, threads)
        else:
            from sursmr_codec.predict.torch import TorchNetwork

            self._network = TorchNetwork(files.for_torch, device)
        self._config = self._network.config
        self._curves = {
            teacher: curve
            for teacher, curve in self._protocol.curves.items()
            if teacher in self._config.teachers
        }
        if self._protocol.id != TRAINED_PROTOCOL and not self._curves:
            raise UsageError(
                f"model {self.id} predicts none of {', '.join(self._protocol.curves)}, on which protocol "
                f"{self._protocol.id} rests; take --predictor measured"
            )

    def check(self, targets: Targets) -> None:
        for name in ("sur", "smr"):
            if getattr(targets, name) > 0 and name not in self._config.ratios:
                raise UsageError(f"model {self.id} does not predict {name.upper()}; take --{name} 0")

    def check_jury(self, jury: Jury) -> None:
        if jury != "all" and f"smr_{jury}" not in self._config.ratios:
            raise UsageError(
                f"model {self.id} does not predict SMR over machines of {jury} alone; take --machines all"
            )

    def margins(self, codec: str, targets: Targets, jury: Jury) -> Margins:
        kind = kind_of(targets, jury)
        if targets.risk is None or not kind:
            return Margins()
        if self._risks is None:
            raise UsageError(
                f"model {self.id} has no margins that were calibrated on picks (risk.json); leave out --risk"
            )
        if self._accurate:
            raise UsageError("margins were calibrated without --accurate: leave out --risk or --accurate")
        if self._protocol.id != TRAINED_PROTOCOL:
            raise UsageError(
                f"margins were calibrated under protocol {TRAINED_PROTOCOL}, not {self._protocol.id}; leave "
                "out --risk or --protocol"
            )
        return self._risks.at(codec, kind, targets)

    def misses(self, codec: str, targets: Targets, jury: Jury) -> Misses | None:
        if self._risks is None or self._accurate or self._protocol.id != TRAINED_PROTOCOL:
            return None
        return self._risks.without_risk(codec, kind_of(targets, jury), targets)

    @cached_property
    def _novelty(self) -> novelty.Novelty | None:
        return self._files.novelty()

    @cached_property
    def _risks(self) -> RiskTable | None:
        return self._files.risks()

    @cached_property
    def _start(self) -> Start | None:
        return self._files.start()

    def start(self, embedding: Embedding, codec: str, targets: Targets) -> int | None:
        if self._start is None or not isinstance(embedding, TrainedEmbedding):
            return None
        return self._start.qp(self.numbers(embedding), codec, targets, self._viewed(embedding))

    def expected(self, embedding: Embedding, codec: str) -> Expected:
        if self._start is None or not isinstance(embedding, TrainedEmbedding):
            return {}
        return self._start.expected(self.numbers(embedding), codec, self._viewed(embedding))

    def numbers(self, embedding: TrainedEmbedding) -> NDArray[np.float64]:
        """(D,) numbers of the source, which a guess of its ratios rests on."""
        if embedding.numbers is None:
            rgb = embedding.source.rgb
            embedding.numbers = self._numbers_of(embedding.features, rgb.shape[0] * rgb.shape[1])
        return embedding.numbers

    def _viewed(self, embedding: TrainedEmbedding) -> NDArray[np.float64] | None:
        if embedding.viewed is None and embedding.windows:
            each = [self._numbers_of(one.features, one.n_pixels) for one in embedding.windows]
            embedding.viewed = np.mean(each, axis=0)
        return embedding.viewed

    def _numbers_of(self, features: Sequence[Any], n_pixels: int) -> NDArray[np.float64]:
        n_maps = N_MAPS if self._config.fidelity else 0
        return numbers_of(self._network.arrays(features), n_maps, n_pixels)

    def embed(self, source: Source) -> TrainedEmbedding:
        views = self.views(source.rgb)
        embedding = TrainedEmbedding(source, self._network.embed(views))
        height, width = source.rgb.shape[:2]
        if height * width > 1.5 * WINDOW**2:
            n_windows = N_WINDOWS_ACCURATE if self._accurate else N_WINDOWS
            embedding.windows = tuple(
                Window(place, self._network.embed(self.views(source.rgb[place])))
                for place in viewing.squares(height, width, WINDOW, n_windows)
            )
        if self._novelty is not None:
            embedding.distance = self._novelty.distance(novelty.statistics(views[0]))
        return embedding

    def views(self, rgb: Pixels) -> Pixels:
        """(1, V, 3, S, S) uint8 views of an (H, W, 3) uint8 picture, as the network takes them."""
        size, n_crops = self._config.size, self._config.n_crops
        if self._accurate and self._config.any_crops:
            n_squares = rgb.shape[0] * rgb.shape[1] / size**2
            n_crops = max(n_crops, min(MOST_CROPS, round(n_squares / PICTURE_PER_CROP)))
        return viewing.views(rgb, size, n_crops)[None]

    def score(self, embedding: Embedding, rungs: Sequence[Rung]) -> list[Score]:
        if not isinstance(embedding, TrainedEmbedding):
            raise TypeError("the embedding comes from another predictor")
        # One at a time: in a batch, sums are made in another order, and the last digits depend on company.
        return [self._score(embedding, rung) for rung in rungs]

    def summary(self) -> PredictorSummary:
        # Without teachers, SUR is of whoever judged the rungs that were learned from.
        of = f"{self._protocol.id}/{'+'.join(self._curves)}" if self._curves else "labels"
        return PredictorSummary(self.id, self._sha256, f"{of}, predicted")

    def warnings(self, embedding: Embedding) -> tuple[str, ...]:
        assert isinstance(embedding, TrainedEmbedding)
        voters = ", ".join(self._curves)
        lines = tuple(
            f"model {self.id} does not predict {teacher}, so SUR rests on {voters} alone"
            for teacher in self._protocol.curves
            if self._curves and teacher not in self._curves
        )
        least = fewest(len(self._config.machines), MIN_COUNTING)
        if embedding.distance is not None and embedding.distance > 1.0:
            lines += (
                f"this picture is unlike those that model {self.id} was trained on "
                f"({embedding.distance:.1f} times as far from them as others of their kind lie): its ratios "
                "may be further off",
            )
        # As it is told: "only 5.0" is not below 5.
        if embedding.n_counting is None or round(embedding.n_counting, 1) >= least:
            return lines
        return (
            *lines,
            f"only {embedding.n_counting:.1f} machines are expected to be sure of what this image shows; "
            f"SMR means little below {least}",
        )

    def _score(self, embedding: TrainedEmbedding, rung: Rung) -> Score:
        numbers = self._outputs(embedding.features, rung.decoded)
        ratios = dict(zip(self._config.ratios, numbers["ratios"].tolist(), strict=True))
        looked = [self._outputs(one.features, rung.decoded[one.place]) for one in embedding.windows]
        seen = {name: np.mean([one[name] for one in looked or [numbers]], axis=0) for name in numbers}
        viewers = self._viewers(seen)
        if viewers:
            ratios["sur"] = sum(sur for _, sur in viewers.values()) / len(viewers)
        elif "sur" in ratios:
            ratios["sur"] = float(seen["ratios"][self._config.ratios.index("sur")])
        if _identical(embedding.source.rgb, rung.decoded):
            # Nobody can tell a picture from itself.
            ratios = dict.fromkeys(ratios, 1.0)
        return Score(
            **{name: ratios.get(name) for name in ("sur", "smr", "smr_classification", "smr_detection")},
            evidence=self._evidence(embedding, numbers, viewers),
        )

    def _outputs(self, source: Sequence[Any], rgb: Pixels) -> dict[str, NDArray[np.float64]]:
        """What the network says of one rung, or of a part of it; by name, without the axis of rungs."""
        found = self._network.compare(source, self.views(rgb))
        return {name: one[0].astype(float) for name, one in found.items()}

    def _viewers(self, numbers: Mapping[str, NDArray[np.float64]]) -> dict[str, tuple[float, float]]:
        """Each teacher's predicted score, and the SUR that the protocol's curve makes of it."""
        if not self._curves:
            return {}
        scores = dict(zip(self._config.teachers, numbers["teachers"].tolist(), strict=True))
        return {
            teacher: (scores[teacher], curve.sur(scores[teacher])) for teacher, curve in self._curves.items()
        }

    def _evidence(
        self,
        embedding: TrainedEmbedding,
        numbers: Mapping[str, NDArray[np.float64]],
        viewers: Mapping[str, tuple[float, float]],
    ) -> Evidence | None:
        if "counting" not in numbers:
            return Evidence(viewers, (), 0) if viewers else None
        embedding.n_counting = float(numbers["counting"].sum())
        counting = numbers["counting"] >= LIKELY
        lost = counting & (numbers["satisfied"] < LIKELY)
        names = self._config.machines
        return Evidence(
            viewers,
            tuple(name for name, one in zip(names, lost.tolist(), strict=True) if one),
            round(embedding.n_counting),
        )


def _identical(one: Pixels, other: Pixels) -> bool:
    """Whether two pictures have the same pixels; different ones are told by their first rows that differ."""
    rows = range(0, len(one), _ROWS_AT_ONCE)
    return one.shape == other.shape and all(
        np.array_equal(one[top : top + _ROWS_AT_ONCE], other[top : top + _ROWS_AT_ONCE]) for top in rows
    )
