"""Reading and writing of single bits, in the descriptors of ITU-T H.265, section 7.2 and 9.2."""

from __future__ import annotations

from sursmr_codec.errors import DecodeError

_MOST_LEADING_ZEROS = 32


class BitReader:
    """Reads bits from the front of `data`, most significant first; DecodeError past its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def u(self, n_bits: int) -> int:
        """Unsigned number of `n_bits` bits."""
        end = self._at + n_bits
        if end > 8 * len(self._data):
            raise DecodeError(f"header ends after {8 * len(self._data)} bits, before bit {end}")
        held = int.from_bytes(self._data[self._at // 8 : (end + 7) // 8], "big")
        self._at = end
        return held >> (-end % 8) & ((1 << n_bits) - 1)

    def flag(self) -> bool:
        """One bit."""
        return self.u(1) == 1

    def ue(self) -> int:
        """Unsigned Exp-Golomb number, 0 .. 2^32 - 2."""
        zeros = 0
        while not self.flag():
            zeros += 1
            if zeros > _MOST_LEADING_ZEROS:
                raise DecodeError("header holds a number of more than 32 bits")
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self) -> int:
        """Signed Exp-Golomb number."""
        code = self.ue()
        return (code + 1) // 2 if code % 2 else -(code // 2)
