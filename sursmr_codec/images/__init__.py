"""Image files: read into sources, written from bytes, with nothing lost in silence."""

from sursmr_codec.images.alpha import KEEP, REFUSE, AlphaPolicy, parse_alpha
from sursmr_codec.images.files import read_bytes
from sursmr_codec.images.read import MAX_PIXELS, Reading, from_bytes, read
from sursmr_codec.images.write import check_target, write

__all__ = [
    "KEEP",
    "MAX_PIXELS",
    "REFUSE",
    "AlphaPolicy",
    "Reading",
    "check_target",
    "from_bytes",
    "parse_alpha",
    "read",
    "read_bytes",
    "write",
]
