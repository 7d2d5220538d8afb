"""Which container a file is, by its first bytes; names do not count."""

from __future__ import annotations

from sursmr_codec.errors import ImageError

READABLE = "JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP, GIF and PPM"

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF8", "gif"),
    (b"BM", "bmp"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
)
_HEIF_BRANDS = frozenset(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"mif2", b"msf1")
)


def container(head: bytes) -> str:
    """Name of the container in lower case, as Pillow names it; raises ImageError for anything else.

    `head` holds the first 32 bytes of the file or more.
    """
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[:1] == b"P" and head[1:2] in b"123456f" and head[2:3].isspace():
        return "ppm"
    if head[4:8] == b"ftyp":
        brands = _brands(head)
        if brands & {b"avif", b"avis"}:
            return "avif"
        if brands & _HEIF_BRANDS:
            return "heif"
    raise ImageError(f"is not an image of a kind that is read here ({READABLE})")


def _brands(head: bytes) -> frozenset[bytes]:
    """Major and compatible brands of an ISO base media file (ISO/IEC 14496-12, section 4.3)."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    compatible = (head[at : at + 4] for at in range(16, end - 3, 4))
    return frozenset((head[8:12], *compatible))


def is_lossy(data: bytes, container: str) -> bool:
    """Whether a file of that container holds a picture that lost something when it was compressed.

    HEIC and AVIF can be lossless too, which hardly any file is.
    """
    if container == "webp":
        return b"VP8 " in _webp_chunks(data)
    return container in ("jpeg", "heif", "avif")


def _webp_chunks(data: bytes) -> set[bytes]:
    """Names of the chunks of a WebP file."""
    found, at = set(), 12
    while at + 8 <= len(data):
        found.add(data[at : at + 4])
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + length + length % 2
    return found
