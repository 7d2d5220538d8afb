"""Density in containers that have no field for it but EXIF."""

from __future__ import annotations

from sursmr_codec.images.exif import density_block, states_density
from sursmr_codec.types import Source

_UNSAID = (72, 72)
"""What readers take where a file says nothing (Exif 3.0, section 4.6.5.1.8)."""


def exif_of(source: Source) -> bytes | None:
    """The source's EXIF; where it has none but a density, a block that tells it."""
    if source.exif or not has_density(source):
        return source.exif
    assert source.density is not None
    return density_block(source.density)


def has_density(source: Source) -> bool:
    """Whether the source has a density that readers would not take anyway."""
    if source.density is None:
        return False
    return tuple(round(dots) for dots in source.density) != _UNSAID


def loses_density(source: Source, *, with_exif: bool) -> bool:
    """Whether a file without a field for density loses it; `with_exif`: it holds what `exif_of` gives."""
    if not has_density(source):
        return False
    return not with_exif or bool(source.exif and not states_density(source.exif))
