"""ONNX Runtime reports nothing, and nothing but the one module loads it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import sursmr_codec

PACKAGE = Path(sursmr_codec.__file__).parent


def test_no_session_of_reports_is_begun(tmp_path: Path) -> None:
    """The reporting library leaves a file in the folder of temporary files when it starts."""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    for name in ("ORT_DISABLE_TELEMETRY", "CI"):
        environment.pop(name, None)
    work = "from sursmr_codec import predict; predict.load()"
    subprocess.run([sys.executable, "-c", work], env=environment, check=True, timeout=120)
    assert list(tmp_path.iterdir()) == []


def test_the_library_is_loaded_in_one_place() -> None:
    found = [path.name for path in PACKAGE.rglob("*.py") if "import onnxruntime" in path.read_text()]
    assert found == ["onnx_runtime.py"]
