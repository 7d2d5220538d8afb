"""Fetching weights from Hugging Face, played by a server in this process; who asks for what is counted."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sursmr_codec.errors import UnavailableError
from sursmr_codec.labels.machines.machine import load
from sursmr_codec.labels.machines.output import Labels
from sursmr_codec.labels.machines.zoo import MachineRow

timm = pytest.importorskip("timm")
constants = pytest.importorskip("huggingface_hub.constants")

Row = Callable[..., MachineRow]

VIT = "timm:test_vit.r160_in1k"
PICTURE = np.full((50, 60, 3), 128, np.uint8)


class Hub:
    """A server that holds one model's file and remembers every request."""

    def __init__(self, weights: bytes) -> None:
        self.requests: list[tuple[str, str | None]] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                hub.requests.append((self.path, self.headers.get("Authorization")))
                known = self.path == "/timm/test_vit.r160_in1k/resolve/main/model.safetensors"
                self.send_response(200 if known else 404)
                self.send_header("X-Repo-Commit", "a" * 40)
                self.send_header("ETag", f'"{hashlib.sha256(weights).hexdigest()}"')
                self.send_header("Content-Length", str(len(weights) if known else 0))
                self.end_headers()

            def do_GET(self) -> None:
                self.do_HEAD()
                if self.path.endswith("model.safetensors"):
                    self.wfile.write(weights)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def hub(caches: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    from safetensors.torch import save

    state = timm.create_model("test_vit").state_dict()
    state["head.bias"][7] = 50.0
    served = Hub(save(state))
    thread = threading.Thread(target=served.server.serve_forever)
    thread.start()
    monkeypatch.setattr(constants, "ENDPOINT", served.address)
    template = served.address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    # Kept by the library for as long as the process lives, and asked for anew where it is absent.
    monkeypatch.setattr(constants, "AGENT_HARNESSES_PATH", str(caches / "none.json"), raising=False)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    yield served
    served.server.shutdown()
    thread.join()
    served.server.server_close()


def test_weights_are_fetched_once_and_only_when_told(hub: Hub, hub_row: Row, caches: Path) -> None:
    row = hub_row(VIT)
    with pytest.raises(UnavailableError, match="--download"):
        load(row)
    assert hub.requests == []

    machine = load(row, download=True)
    assert [path for path, _ in hub.requests if path.endswith("model.safetensors")]
    assert machine.weights_file is not None
    assert machine.weights_file.is_relative_to(caches)
    labels = machine.run(PICTURE)
    assert isinstance(labels, Labels)
    assert labels.top1 == 7

    hub.requests.clear()
    assert load(row).run(PICTURE) == labels
    assert load(row, download=True).run(PICTURE) == labels
    assert hub.requests == []


def test_nobodys_token_is_sent(hub: Hub, hub_row: Row) -> None:
    load(hub_row(VIT), download=True)
    files = [token for path, token in hub.requests if path.endswith("model.safetensors")]
    assert files
    assert set(files) == {None}


def test_what_the_server_does_not_have_is_said(
    hub: Hub, hub_row: Row, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(
        UnavailableError, match=r"timm:resnet10t cannot be fetched from timm/resnet10t\.c3_in1k"
    ):
        load(hub_row("timm:resnet10t"), download=True)
    assert capsys.readouterr() == ("", "")
