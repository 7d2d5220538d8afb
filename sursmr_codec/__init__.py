"""Picks how hard an image may be compressed: the highest QP that still satisfies viewers and machines."""

from sursmr_codec.version import __version__

__all__ = ["__version__"]
