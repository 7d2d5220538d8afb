"""The rungs of one source under one codec, each encoded and decoded at most once."""

from __future__ import annotations

import hashlib
import time

import numpy as np

from sursmr_codec.codecs.base import Codec
from sursmr_codec.errors import DecodeError, EncodeError, ImageError
from sursmr_codec.types import Pixels, Rung, Source


class Ladder:
    """`ladder[qp]` is the rung at that QP: the bytes that would be written and the pixels they decode to.

    A rung's pixels are kept only until the next one is asked for, so that a long ladder of large pictures
    fits in memory; its bytes are kept for good.
    """

    def __init__(self, source: Source, codec: Codec) -> None:
        """Raises ImageError where the codec's files cannot hold the source, by its size or transparency."""
        if reason := codec.unfit(source):
            name = source.path or "image"
            if source.alpha is not None and "alpha" not in codec.keeps:
                raise ImageError(
                    f"{name}: has transparent pixels, which {codec.id} files cannot keep; "
                    "choose another codec, or lay them on a colour with --alpha flatten=#ffffff"
                )
            raise ImageError(f"{name}: {codec.id} {reason}; choose another codec")
        self.source = source
        self.codec = codec
        self.encode_seconds = 0.0
        self.decode_seconds = 0.0
        self._encoded: dict[int, bytes] = {}
        self._latest: Rung | None = None

    def __getitem__(self, qp: int) -> Rung:
        """Encode and decode at `qp`; raises EncodeError where the codec cannot read its own bytes."""
        latest = self._latest
        if latest is None or latest.qp != qp:
            # Its pixels go before those of the next one come.
            self._latest = latest = None
            encoded = self.encoded(qp)
            self._latest = latest = Rung(self.codec.id, qp, encoded, self._decode(qp, encoded))
        return latest

    def drop_pixels(self) -> None:
        """Forget the latest rung's pixels; asked for again, they are decoded again."""
        self._latest = None

    def encoded(self, qp: int) -> bytes:
        """The bytes at `qp`, encoded on the first call."""
        if qp not in self._encoded:
            began = time.perf_counter()
            self._encoded[qp] = self.codec.encode(self.source, qp)
            self.encode_seconds += time.perf_counter() - began
        return self._encoded[qp]

    def written(self, qp: int) -> bytes:
        """The file to write for the rung at `qp`, once it has proved to hold the pixels that were scored.

        Raises EncodeError where it does not.
        """
        encoded = self.encoded(qp)
        began = time.perf_counter()
        finished = self.codec.finish(self.source, qp, encoded)
        self.encode_seconds += time.perf_counter() - began
        if finished != encoded:
            # Digests, so that of large pictures only one is held at a time.
            scored = _digest(self[qp].decoded)
            self.drop_pixels()
            if _digest(self._decode(qp, finished)) != scored:
                raise EncodeError(
                    f"{self.codec.id} finished QP {qp} with other pixels than those of the rung"
                )
        return finished

    @property
    def n_encodes(self) -> int:
        """How many rungs were encoded so far."""
        return len(self._encoded)

    def _decode(self, qp: int, encoded: bytes) -> Pixels:
        began = time.perf_counter()
        try:
            decoded = self.codec.decode(encoded, self.source.width, self.source.height)
        except DecodeError as error:
            raise EncodeError(f"{self.codec.id} cannot read what it wrote at QP {qp}: {error}") from error
        self.decode_seconds += time.perf_counter() - began
        return decoded


def _digest(pixels: Pixels) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(pixels).data).digest()
