"""The Python guide's example runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import sursmr_codec
from sursmr_codec.labels.teachers import Cvvdp

ROOT = Path(__file__).resolve().parent.parent
GUIDE = ROOT / "docs" / "python.md"


def test_the_example_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Cvvdp, "installed", classmethod(lambda _: False))
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    exec(compile(code, str(GUIDE), "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    qp, native = printed[0].split(" ", 1)
    assert native.startswith(f"{{'quality': {101 - int(qp)}}}")
    assert printed[-1] == "True"
    assert (tmp_path / "kodim23.jpg").exists()


@pytest.mark.parametrize("name", sorted(set(sursmr_codec.__all__) - {"__version__"}))
def test_every_public_name_is_in_the_guide(name):
    assert f"`{name}" in GUIDE.read_text()
