"""The commands of docs/training.md, word by word but for a network that is small enough for a test."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from tiny_labels import Labelled
from typer.testing import CliRunner

from sursmr_codec.cli.app import app
from sursmr_codec.labels import annotate, panel
from sursmr_codec.predict.trained import Trained

ROOT = Path(__file__).resolve().parents[2]


def test_the_guide_trains_a_model(
    labelled: Labelled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(ROOT / "tests" / "labels")
    from fake_panel import FakeSetup, InProcess

    setup = FakeSetup()
    monkeypatch.setattr(panel, "ZooSetup", lambda *_: setup)
    monkeypatch.setattr(annotate, "Workers", InProcess)
    shutil.copytree(labelled.images, tmp_path / "pictures")
    guide = (ROOT / "docs" / "training.md").read_text("utf-8")
    (block,) = re.findall(r"<!-- commands: training -->\n```bash\n(.*?)```", guide, re.DOTALL)
    lines = [shlex.split(line) for line in block.splitlines()]
    assert [line[:2] for line in lines] == [["sursmr-qp", name] for name in ("annotate", "train", "train")]
    tiny = str(ROOT / "models" / "configs" / "tiny.toml")
    tables = []
    for line in lines:
        asked = [tiny if word == "models/configs/paper.toml" else word for word in line[1:]]
        result = CliRunner().invoke(app, asked, prog_name="sursmr-qp")
        assert result.exit_code == 0, (line, result.stderr)
        tables.append(result.stdout)
    assert tables[1] == tables[2]
    assert {line.split()[0] for line in tables[1].splitlines()[1:]} == {"val", "test"}
    assert Trained(tmp_path / "runs" / "paper").trained_codecs == {"hevc", "jpeg"}
