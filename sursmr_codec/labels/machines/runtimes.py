"""The libraries that run a network, each behind one small class with the same face.

Which one runs a machine follows from the `file` column alone. A further runtime is one class and one line in
`RUNTIMES`.

ONNX Runtime sessions may be called from several threads. A LiteRT interpreter holds the input and output of
one call in itself, so that a lock lets one thread in at a time; use one machine a thread for speed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sursmr_codec import onnx_runtime
from sursmr_codec.errors import MissingExtra, UnavailableError

Array = NDArray[Any]


class Runtime(Protocol):
    """A loaded network."""

    def __call__(self, pixels: NDArray[np.float32]) -> list[Array]:
        """(H, W, 3) float32, normalised -> the network's outputs in its own order, batch axis kept.

        Quantised outputs are turned into float32 where the network holds the constants for that, and left as
        integers where it does not.
        """
        ...


class OnnxRuntime:
    """A network in an ONNX file, on the CPU."""

    def __init__(self, weights: Path, threads: int = 1) -> None:
        try:
            onnxruntime = onnx_runtime.load()
        except ImportError as error:
            raise MissingExtra("onnxruntime", f"running {weights}", "measured") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Each of many machines would keep its own, as large as its largest layers; without, none is slower.
        options.enable_cpu_mem_arena = False
        self._session = onnxruntime.InferenceSession(
            str(weights), options, providers=["CPUExecutionProvider"]
        )
        entry = self._session.get_inputs()[0]
        self._input = entry.name
        self._channels_first = entry.shape[1] == 3
        self._takes_bytes = entry.type == "tensor(uint8)"
        self._size = _fixed_size(entry.shape, self._channels_first)

    def __call__(self, pixels: NDArray[np.float32]) -> list[Array]:
        _check_size(pixels, self._size)
        tensor: Array = pixels.transpose(2, 0, 1) if self._channels_first else pixels
        if self._takes_bytes:
            tensor = np.clip(np.round(tensor), 0, 255).astype(np.uint8)
        outputs: list[Array] = self._session.run(None, {self._input: np.ascontiguousarray(tensor)[None]})
        return outputs


class LiteRtRuntime:
    """A network in a TFLite file, on the CPU."""

    def __init__(self, weights: Path, threads: int = 1) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise MissingExtra("ai-edge-litert", f"running {weights}", "measured") from error
        with _native_stderr_closed():
            self._interpreter = Interpreter(model_path=str(weights), num_threads=threads)
            self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        self._outputs = self._interpreter.get_output_details()
        self._channels_first = bool(self._input["shape"][1] == 3)
        self._size = _fixed_size(self._input["shape"].tolist(), self._channels_first)
        self._lock = threading.Lock()

    def __call__(self, pixels: NDArray[np.float32]) -> list[Array]:
        _check_size(pixels, self._size)
        tensor: Array = pixels.transpose(2, 0, 1) if self._channels_first else pixels
        dtype = self._input["dtype"]
        if dtype != np.float32:
            scale, zero = self._input["quantization"]
            limits = np.iinfo(dtype)
            tensor = np.clip(np.round(tensor / scale + zero), limits.min, limits.max)
        with self._lock:
            self._interpreter.set_tensor(
                self._input["index"], np.ascontiguousarray(tensor.astype(dtype))[None]
            )
            self._interpreter.invoke()
            return [self._dequantised(entry) for entry in self._outputs]

    def _dequantised(self, entry: dict[str, Any]) -> Array:
        values: Array = self._interpreter.get_tensor(entry["index"])
        scale, zero = entry["quantization"]
        if values.dtype == np.float32 or not scale:
            return values
        return (values.astype(np.float32) - np.float32(zero)) * np.float32(scale)


def _fixed_size(shape: Sequence[Any], channels_first: bool) -> tuple[int, int] | None:
    """Width and height of a network's input; None where it takes any."""
    height, width = shape[2:4] if channels_first else shape[1:3]
    return (width, height) if isinstance(width, int) and isinstance(height, int) else None


def _check_size(pixels: NDArray[np.float32], size: tuple[int, int] | None) -> None:
    height, width = pixels.shape[:2]
    if size is not None and size != (width, height):
        raise UnavailableError(f"input: the network takes {size[0]}x{size[1]}, not {width}x{height}")


_STDERR_LOCK = threading.Lock()


@contextmanager
def _native_stderr_closed() -> Iterator[None]:
    """Keep what native code writes to the process's stderr away from people, meanwhile.

    LiteRT announces its delegate there and has no switch for that; its failures come as exceptions.
    """
    with _STDERR_LOCK:
        kept = os.dup(2)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)


RUNTIMES: dict[str, Callable[[Path, int], Runtime]] = {".onnx": OnnxRuntime, ".tflite": LiteRtRuntime}
"""Suffix of the weight file -> what runs it."""
