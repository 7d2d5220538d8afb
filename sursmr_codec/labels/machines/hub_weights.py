"""Where the weights of a collection's model lie on this computer, and how they get there.

The libraries' own caches are used, so that a model that timm or torchvision has fetched before is there at
once. Nothing here touches the network without `download`. What is loaded is a safetensors file, or a
PyTorch file that is read with `weights_only=True`: neither can run code.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from sursmr_codec.errors import MissingExtra, UnavailableError
from sursmr_codec.labels.machines.hub import HubModel

SAFE = "model.safetensors"
"""The file that timm's repositories keep their weights in."""
_DIGEST_IN_NAME = re.compile(r"-([0-9a-f]{8,})\.")


def library(name: str, hub: HubModel) -> Any:
    """The module `name`; raises MissingExtra that says which model wants it."""
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtra(name.partition(".")[0], f"running {hub}", "torch") from error


def from_hugging_face(hub: HubModel, repository: str, filename: str | None, *, download: bool) -> Path:
    """The safetensors file of a Hugging Face repository, `owner/name` or `owner/name@revision`.

    Raises UnavailableError where it is not in the cache and may not, or cannot, be fetched, and where its
    digest is not the table's.
    """
    filename = filename or SAFE
    if not filename.endswith(".safetensors"):
        raise UnavailableError(f"{hub} is published as {filename} alone, and only safetensors are loaded")
    found = _in_hugging_face_cache(hub, repository, filename)
    if found is None:
        if not download:
            raise _not_here(hub)
        found = _fetched_from_hugging_face(hub, repository, filename)
    return _checked(hub, found, hub.sha256)


def from_pytorch(hub: HubModel, url: str, *, download: bool) -> Path:
    """The file of a PyTorch address, whose name ends in the first digits of its digest.

    Raises UnavailableError as `from_hugging_face` does.
    """
    torch_hub = library("torch.hub", hub)
    name = Path(urlparse(url).path).name
    published = _DIGEST_IN_NAME.search(name)
    wanted = hub.sha256 or (published[1] if published else "")
    path = Path(torch_hub.get_dir()) / "checkpoints" / name
    if not path.is_file():
        if not download:
            raise _not_here(hub)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            torch_hub.download_url_to_file(url, str(path), hash_prefix=wanted or None, progress=False)
        except (OSError, RuntimeError) as error:
            raise UnavailableError(f"{hub} cannot be fetched from {url}: {error}") from error
    return _checked(hub, path, wanted)


def _in_hugging_face_cache(hub: HubModel, repository: str, filename: str) -> Path | None:
    # `hf_hub_download(local_files_only=True)` is no way to look: the headers that it prepares first can have
    # the library ask its server who is calling.
    huggingface_hub = library("huggingface_hub", hub)
    name, _, revision = repository.partition("@")
    found = huggingface_hub.try_to_load_from_cache(name, filename, revision=revision or None)
    return Path(found) if isinstance(found, str) else None


def _fetched_from_hugging_face(hub: HubModel, repository: str, filename: str) -> Path:
    huggingface_hub = library("huggingface_hub", hub)
    name, _, revision = repository.partition("@")
    try:
        with _without_progress_bars(hub):
            # All of these are public: nobody's token has a place in the request.
            found = huggingface_hub.hf_hub_download(name, filename, revision=revision or None, token=False)
    except Exception as error:
        # Errors of the HTTP library come through, and which one that is changes between versions.
        raise UnavailableError(f"{hub} cannot be fetched from {repository}: {error}") from error
    return Path(found)


@contextmanager
def _without_progress_bars(hub: HubModel) -> Iterator[None]:
    utils = library("huggingface_hub.utils", hub)
    shown = not utils.are_progress_bars_disabled()
    if shown:
        utils.disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            utils.enable_progress_bars()


def _not_here(hub: HubModel) -> UnavailableError:
    return UnavailableError(
        f"{hub} has no weights in the local cache: fetch them with sursmr-qp zoo check DIR --download"
    )


def _checked(hub: HubModel, path: Path, wanted: str) -> Path:
    if wanted:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if not digest.startswith(wanted):
            raise UnavailableError(
                f"{hub}: {path} has the digest {digest[:16]}, not {wanted}; remove it and fetch it anew"
            )
    return path
