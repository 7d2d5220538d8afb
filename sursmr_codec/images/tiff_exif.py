"""The EXIF of a TIFF, where it is spread over the same directory as the pixels' layout."""

from __future__ import annotations

from PIL import ExifTags, Image

from sursmr_codec.errors import ImageError

_KEPT = (
    ExifTags.Base.ImageDescription,
    ExifTags.Base.Make,
    ExifTags.Base.Model,
    ExifTags.Base.Software,
    ExifTags.Base.DateTime,
    ExifTags.Base.Artist,
    ExifTags.Base.Copyright,
)
_KEPT_DIRECTORIES = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)


def portable_exif(picture: Image.Image) -> bytes | None:
    """EXIF block of a TIFF without the tags that describe its pixels; None where nothing is left.

    Raises ImageError where the tags cannot be written again.
    """
    kept = Image.Exif()
    try:
        found = picture.getexif()
        kept.update({tag: found[tag] for tag in _KEPT if tag in found})
        directories = {tag: entries for tag in _KEPT_DIRECTORIES if (entries := found.get_ifd(tag))}
        for tag, entries in directories.items():
            kept.get_ifd(tag).update(entries)
        return kept.tobytes() if len(kept) or directories else None
    except Exception as trouble:
        # Pillow raises what the odd tag happens to hit: struct, type, value, key and overflow errors.
        raise ImageError(f"EXIF is broken: {trouble}") from trouble
