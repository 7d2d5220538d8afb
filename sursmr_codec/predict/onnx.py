"""An exported network under ONNX Runtime: looks at views, and compares rungs with their source."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sursmr_codec import onnx_runtime
from sursmr_codec.errors import UsageError
from sursmr_codec.network import views as viewing
from sursmr_codec.network.config import NetworkConfig
from sursmr_codec.types import Pixels

METADATA = "sursmr-qp/network"
"""Key of a graph's metadata; its value is JSON: the network's configuration, and `views_version`."""

Features = Sequence[NDArray[np.float32]]
"""What a network keeps of one source: arrays (1, V, ...)."""


class OnnxNetwork:
    """One graph, loaded once; raises UsageError for a file that is not one of this program's."""

    def __init__(self, model: Path | bytes, threads: int | None = None) -> None:
        """Load a file or its bytes; `threads` cores work on a picture, None for all."""
        onnxruntime = onnx_runtime.load()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(threads or 0, os.cpu_count() or 1)
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                model if isinstance(model, bytes) else str(model), options, providers=["CPUExecutionProvider"]
            )
            said = json.loads(self._session.get_modelmeta().custom_metadata_map[METADATA])
            version = said.pop("views_version")
            self.config = NetworkConfig.from_record(said)
        except Exception as error:
            # ONNX Runtime's errors have no common base but Exception.
            name = "the graph" if isinstance(model, bytes) else model
            line = " ".join(str(error).split())
            raise UsageError(f"{name} is no model of this program: {line[:200]}") from error
        if version != viewing.VERSION:
            raise UsageError(
                f"{model!s:.200} was trained on views of version {version}, this program makes version "
                f"{viewing.VERSION}: train it anew"
            )
        self._outputs = [one.name for one in self._session.get_outputs()]
        self._features = [name for name in self._outputs if name.startswith("feature_")]
        self._scores = [name for name in self._outputs if name not in self._features]
        shapes = {one.name: one.shape for one in self._session.get_inputs()}
        self._sources = {name: shape for name, shape in shapes.items() if name.startswith("source_")}
        self._only_needed = onnxruntime.RunOptions()
        self._only_needed.only_execute_path_to_fetches = True

    def embed(self, views: Pixels) -> Features:
        """What is kept of the source whose (1, V, 3, S, S) views these are."""
        # Inputs must all be given, also to a run that has no use for them; a number that may vary has a name.
        nothing = {
            name: np.zeros([views.shape[1] if isinstance(side, str) else side for side in shape], np.float32)
            for name, shape in self._sources.items()
        }
        found: list[Any] = self._session.run(self._features, {"views": views, **nothing}, self._only_needed)
        return found

    def arrays(self, source: Features) -> Features:
        """What is kept of a source, for numpy."""
        return source

    def compare(self, source: Features, views: Pixels) -> Mapping[str, NDArray[np.float32]]:
        """Output -> array (N, ...) for the (N, V, 3, S, S) views of N rungs.

        `ratios` always, in the order of the configuration; `teachers` scores, `satisfied` and `counting`
        probabilities where the network has them.
        """
        numbers = [name.removeprefix("feature_") for name in self._features]
        known = {f"source_{number}": one for number, one in zip(numbers, source, strict=True)}
        feed = {"views": views, **{name: known[name] for name in self._sources}}
        return dict(zip(self._scores, self._session.run(self._scores, feed, self._only_needed), strict=True))
