"""What decides the results of a batch, and the fingerprint that stands for all of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sursmr_codec import codecs, images, predict
from sursmr_codec.codecs.base import Codec
from sursmr_codec.picking import PickSettings
from sursmr_codec.predict.base import Predictor
from sursmr_codec.search import rungs_of
from sursmr_codec.types import CodecSummary, PredictorSummary, Targets
from sursmr_codec.version import __version__


@dataclass(frozen=True)
class NamedPredictor:
    """A predictor of the registry, loaded where it is needed."""

    name: str = predict.DEFAULT
    options: Mapping[str, Any] = field(default_factory=dict)
    """What `predict.load` takes beside its name and `threads`."""

    def __call__(self, threads: int) -> Predictor:
        """Load it, to use that many cores."""
        return predict.load(self.name, threads=threads, **self.options)


@dataclass(frozen=True)
class Settings:
    """Everything that decides what is written for a picture, its targets aside."""

    codec: str = "jpeg"
    """A codec's id, or several with commas between: the smallest file that meets the targets is taken."""
    codec_options: Mapping[str, object] = field(default_factory=dict)
    """Each goes to the codecs that take it."""
    load_predictor: Callable[[int], Predictor] = field(default_factory=NamedPredictor)
    """Makes the predictor for a number of cores; sent to workers by pickle."""
    pick: PickSettings = field(default_factory=PickSettings)
    reading: images.Reading = field(default_factory=images.Reading)

    def load_codecs(self) -> tuple[Codec, ...]:
        """The codecs; raises UsageError, UnavailableError where one cannot be used as asked."""
        found = codecs.several(self.codec, **self.codec_options)
        for codec in found:
            codec.require()
            rungs_of(codec.qp_range, self.pick.search)
        return found

    def question(self, targets: Targets) -> dict[str, Any]:
        """What was asked, as records of pictures without a result say it."""
        return {
            "machines": self.pick.jury,
            "targets": asdict(targets),
            "search": asdict(self.pick.search),
        }


@dataclass(frozen=True)
class Description:
    """What workers found the settings to mean: the versions behind the names."""

    codecs: tuple[CodecSummary, ...]
    predictor: PredictorSummary

    @property
    def extensions(self) -> tuple[str, ...]:
        """Of every file that may be written."""
        return tuple(dict.fromkeys(codec.extension for codec in self.codecs))


def fingerprint(settings: Settings, description: Description, targets: Targets) -> str:
    """Hex digest of all that decides a picture's result, other than its own bytes."""
    decides = {
        "version": __version__,
        "codecs": [asdict(codec) for codec in description.codecs],
        "predictor": asdict(description.predictor),
        "targets": asdict(targets),
        "pick": asdict(settings.pick),
        "reading": asdict(settings.reading),
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True, default=str).encode()).hexdigest()
