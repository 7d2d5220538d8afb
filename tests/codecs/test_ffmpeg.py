"""Finding ffmpeg: the order, and what is said where none will do."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sursmr_codec.codecs import _ffmpeg
from sursmr_codec.errors import UnavailableError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are shell scripts")


def stand_in(folder: Path, version: str, *encoders: str) -> str:
    """A script that answers as an ffmpeg of this version with these encoders."""
    folder.mkdir(parents=True, exist_ok=True)
    listing = "\\n".join(f" V....D {name} {name} encoder" for name in encoders)
    script = folder / "ffmpeg"
    script.write_text(
        "#!/bin/sh\n"
        f'case "$2" in -version) echo "ffmpeg version {version} Copyright" ;;\n'
        f'-encoders) printf "Encoders:\\n V..... = Video\\n ------\\n{listing}\\n" ;; esac\n'
    )
    script.chmod(0o755)
    return str(script)


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A stand-in for the binary of imageio-ffmpeg, with nothing else to be found."""
    path = stand_in(tmp_path / "bundled", "8.0-bundled", "libx264", "libvvenc")
    monkeypatch.delenv(_ffmpeg.ENVIRONMENT, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setattr("imageio_ffmpeg.get_ffmpeg_exe", lambda: path)
    return path


def test_the_bundled_one_comes_before_the_path(
    bundled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path / "bin", "7.0-path", "libvvenc")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    found = _ffmpeg.find("libvvenc")
    assert (found.path, found.version) == (bundled, "8.0-bundled")
    assert found.encoders == {"libx264", "libvvenc"}


def test_the_environment_comes_first(bundled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(_ffmpeg.ENVIRONMENT, stand_in(tmp_path / "named", "6.0-named", "libvvenc"))
    assert _ffmpeg.find("libvvenc").version == "6.0-named"


def test_an_explicit_path_beats_the_environment(
    bundled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(_ffmpeg.ENVIRONMENT, stand_in(tmp_path / "named", "6.0-named", "libvvenc"))
    explicit = stand_in(tmp_path / "given", "5.0-given", "libvvenc")
    assert _ffmpeg.find("libvvenc", explicit).version == "5.0-given"


def test_one_without_the_encoder_is_passed_over(
    bundled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path / "bin", "7.0-path", "libkvazaar")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert _ffmpeg.find("libkvazaar").version == "7.0-path"


def test_an_order_is_not_passed_over(bundled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = stand_in(tmp_path / "named", "6.0-named", "libx264")
    monkeypatch.setenv(_ffmpeg.ENVIRONMENT, named)
    with pytest.raises(
        UnavailableError, match=rf"{_ffmpeg.ENVIRONMENT}: {named} .*6\.0-named\) lacks libvvenc"
    ):
        _ffmpeg.find("libvvenc")


def test_all_that_was_found_is_named(bundled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path = stand_in(tmp_path / "bin", "7.0-path", "libx264")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(UnavailableError) as caught:
        _ffmpeg.find("libsvtav1")
    assert bundled in str(caught.value)
    assert on_path in str(caught.value)


def test_nothing_found(bundled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> str:
        raise RuntimeError("No ffmpeg exe could be found")

    monkeypatch.setattr("imageio_ffmpeg.get_ffmpeg_exe", absent)
    with pytest.raises(UnavailableError, match="no ffmpeg was found"):
        _ffmpeg.find("libvvenc")


def test_programs_that_are_no_ffmpeg(bundled: str, tmp_path: Path) -> None:
    mute = tmp_path / "mute"
    mute.write_text("#!/bin/sh\n")
    mute.chmod(0o755)
    for path in (str(mute), "/bin/false", str(tmp_path / "absent"), str(tmp_path)):
        with pytest.raises(UnavailableError, match="the path that was given"):
            _ffmpeg.find("libvvenc", path)
