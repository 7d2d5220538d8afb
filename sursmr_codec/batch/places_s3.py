"""Trees on object storage, by way of fsspec: `s3://bucket/folder`.

An object appears when its upload is complete and its checksum is right, and not before: each is put there by
one request. What is given to `open(..., "wb")` instead would be published half-written when an error comes in
between, and an upload in several parts leaves the finished ones behind when its process is killed.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import functools
import hashlib
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sursmr_codec import images
from sursmr_codec.batch.places import HEAD_BYTES, Entry, Tree, Unwritable
from sursmr_codec.errors import ImageError, MissingExtra, OutputError
from sursmr_codec.images.files import one_line, shown
from sursmr_codec.images.formats import container
from sursmr_codec.types import Output, Source

_FIRST_BYTES = 8 << 20
"""Read at once: all of most pictures, and enough of the others to see that they are some."""
_ONE_REQUEST_BYTES = 5 << 30
"""Larger objects cannot be put by one request."""
_NO_MORE = ("NoSuchBucket", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "QuotaExceeded")


class S3Tree(Tree):
    """A bucket, or the part of one below a prefix; credentials and endpoint come from the environment."""

    def path(self, name: str) -> str:
        return f"{self.root}/{name}" if name else self.root

    def entries(self, folder: str) -> list[Entry]:
        with _as_os_errors():
            found = _files().ls(self.path(folder), detail=True)
        entries = [_entry(one) for one in found]
        # A store may hold an object for the folder itself.
        return sorted((entry for entry in entries if entry.name), key=lambda entry: entry.name)

    def entry(self, name: str) -> Entry:
        last = name.rpartition("/")[2]
        try:
            with _as_os_errors():
                return _entry(_files().info(self.path(name)))
        except FileNotFoundError:
            return Entry(last, "absent")
        except OSError:
            return Entry(last, "unreadable")

    def head(self, name: str) -> bytes:
        return self._range(name, 0, HEAD_BYTES)

    def read(self, name: str) -> bytes:
        with _as_os_errors():
            return bytes(_files().cat_file(self.path(name)))

    def source(self, name: str, reading: images.Reading) -> Source:
        path = self.path(name)
        try:
            encoded = self._range(name, 0, _FIRST_BYTES)
            if not encoded:
                raise ImageError("is empty; give an image file")
            container(encoded)
            if len(encoded) == _FIRST_BYTES:
                encoded = self.read(name)
        except ImageError as trouble:
            raise ImageError(f"{shown(path)}: {trouble}") from trouble
        except FileNotFoundError as trouble:
            raise ImageError(f"{shown(path)}: no such object; check the address") from trouble
        except OSError as trouble:
            raise ImageError(f"{shown(path)}: cannot be read: {_why(trouble)}") from trouble
        return images.from_bytes(path, encoded, reading)

    def publish(self, name: str, encoded: bytes) -> Output:
        path = self.path(name)
        digest = base64.b64encode(hashlib.md5(encoded, usedforsecurity=False).digest()).decode()
        try:
            with _as_os_errors():
                _files().pipe_file(path, encoded, chunksize=_ONE_REQUEST_BYTES, ContentMD5=digest)
        except OSError as trouble:
            kind = Unwritable if _is_for_all(trouble) else OutputError
            raise kind(f"{shown(path)}: cannot be written: {_why(trouble)}") from trouble
        return Output(path, hashlib.sha256(encoded).hexdigest())

    def remove(self, name: str) -> None:
        with contextlib.suppress(OSError), _as_os_errors():
            _files().rm_file(self.path(name))

    def _range(self, name: str, start: int, end: int) -> bytes:
        try:
            with _as_os_errors():
                return bytes(_files().cat_file(self.path(name), start=start, end=end))
        except OSError as trouble:
            # There is no range of an empty object.
            if "InvalidRange" in str(_root(trouble)) or trouble.errno == errno.EINVAL:
                return b""
            raise


def require() -> None:
    """Raise MissingExtra where the library is not installed."""
    try:
        importlib.import_module("s3fs")
    except ImportError as error:
        raise MissingExtra("s3fs", "object storage (s3://)", "s3") from error


@functools.cache
def _files() -> Any:
    require()
    # A listing that is kept would hide what other processes have put there since.
    return importlib.import_module("fsspec").filesystem("s3", use_listings_cache=False)


def _entry(found: dict[str, Any]) -> Entry:
    name = str(found["name"]).rpartition("/")[2]
    if found["type"] == "directory":
        return Entry(name, "folder")
    # Of the content, so that it tells of every change, and of nothing else.
    return Entry(name, "file", f"{found['ETag']}-{found['size']}")


@contextmanager
def _as_os_errors() -> Iterator[None]:
    """Let no error out but OSError and ours, whatever the libraries below raise."""
    try:
        yield
    except (OSError, MissingExtra):
        raise
    except Exception as trouble:
        raise OSError(errno.EIO, one_line(trouble)) from trouble


def _root(trouble: BaseException) -> BaseException:
    """The service's own answer, where there is one behind an error."""
    while trouble.__cause__ is not None:
        trouble = trouble.__cause__
    return trouble


def _is_for_all(trouble: OSError) -> bool:
    """Whether nothing else could be written either: no such bucket, no permission, nobody answers."""
    root = _root(trouble)
    code = getattr(root, "response", {}).get("Error", {}).get("Code", "")
    return isinstance(trouble, PermissionError) or code in _NO_MORE or not hasattr(root, "response")


def _why(trouble: OSError) -> str:
    return one_line(_root(trouble))
