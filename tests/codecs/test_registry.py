"""The registry: complete, lazy, and cheap to import."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from importlib import import_module

import pytest
from test_contract import CODECS

from sursmr_codec import codecs
from sursmr_codec.codecs import Availability, Codec
from sursmr_codec.errors import UnavailableError, UsageError


def subclasses(of: type[Codec]) -> set[type[Codec]]:
    """Every class of the package below `of`, at any depth."""
    below = {found for found in of.__subclasses__() if found.__module__.startswith("sursmr_codec.")}
    return below.union(*(subclasses(found) for found in below))


def test_every_codec_class_is_registered() -> None:
    for module in pkgutil.iter_modules(codecs.__path__):
        import_module(f"{codecs.__name__}.{module.name}")
    assert subclasses(Codec) == {codecs.codec_class(codec_id) for codec_id in codecs.ids()}


def test_every_registered_codec_runs_the_contract_suite() -> None:
    assert [entry.id for entry in CODECS] == list(codecs.ids())


@pytest.mark.parametrize("codec_id", codecs.ids())
def test_ids_match_classes(codec_id: str) -> None:
    assert codecs.codec_class(codec_id).id == codec_id
    assert codecs.get(codec_id).id == codec_id


def test_extensions_are_distinct() -> None:
    """But for two that write one format."""
    extensions = [codecs.codec_class(codec_id).extension for codec_id in codecs.ids() if codec_id != "jpegli"]
    assert len(set(extensions)) == len(extensions)
    assert codecs.codec_class("jpegli").extension == codecs.codec_class("jpeg").extension


@pytest.mark.parametrize("codec_id", ["", "JPEG", "no-such-codec", "_HOMES"])
def test_unknown_id_names_the_known_ones(codec_id: str) -> None:
    with pytest.raises(UsageError, match="known: jpeg, hevc"):
        codecs.get(codec_id)


def test_available_ids_are_the_usable_ones() -> None:
    usable = [codec_id for codec_id in codecs.ids() if codecs.get(codec_id).availability().usable]
    assert list(codecs.available_ids()) == usable
    assert "jpeg" in usable


def test_importing_the_registry_loads_no_encoder() -> None:
    program = (
        "import sys, sursmr_codec.codecs as c; [c.get(i) for i in c.ids()];"
        "heavy = ('av', 'pillow_heif', 'imageio_ffmpeg', 'imagecodecs', 'pyjpegli');"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_require_names_reason_and_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    codec = codecs.get("jpeg")
    missing = Availability(False, reason="no libjpeg", remedy="pip install pillow")
    monkeypatch.setattr(type(codec), "availability", lambda self: missing)
    with pytest.raises(UnavailableError, match="no libjpeg; try: pip install pillow"):
        codec.require()
