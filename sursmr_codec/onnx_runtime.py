"""The one way to ONNX Runtime, whose Linux builds from 1.29 on would report each use to their makers."""

from __future__ import annotations

import os
from typing import Any


def load() -> Any:
    """The library, told to report nothing; raises ImportError where it is not installed."""
    # Read when the library is loaded; no call from Python comes early enough.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime
