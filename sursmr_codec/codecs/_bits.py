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


class BitWriter:
    """Writes bits, most significant first."""

    def __init__(self) -> None:
        self._digits: list[str] = []

    def u(self, n_bits: int, value: int) -> None:
        """Unsigned number on `n_bits` bits, 0 .. 2^n_bits - 1."""
        self._digits.append(f"{value:0{n_bits}b}"[-n_bits:] if n_bits else "")

    def flags(self, *values: bool | int) -> None:
        """One bit for each value."""
        self._digits.extend("1" if value else "0" for value in values)

    def ue(self, *values: int) -> None:
        """Unsigned Exp-Golomb numbers, each 0 .. 2^32 - 2."""
        for value in values:
            n_bits = (value + 1).bit_length()
            self.u(2 * n_bits - 1, value + 1)

    def aligned(self, stop_bit: bool = False) -> bytes:
        """All bits, after a 1 where `stop_bit`, filled up with zeros to whole bytes."""
        digits = "".join(self._digits) + ("1" if stop_bit else "")
        n_bytes = -(-len(digits) // 8)
        return int(digits.ljust(8 * n_bytes, "0") or "0", 2).to_bytes(n_bytes, "big")
