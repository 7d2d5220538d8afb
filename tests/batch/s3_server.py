"""A server that speaks S3, for one test run: moto's, with uploads that fail or hang by the object's name.

Prints its address. Uploads of `refused*` get status 400, of `forbidden*` 403; of `hangs*` it takes some,
prints "hangs" and never answers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

ERROR = "<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"


class Faulty:
    """The server with faults in front of it."""

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        name = environ["PATH_INFO"].rpartition("/")[2]
        if environ["REQUEST_METHOD"] == "PUT":
            if name.startswith("refused"):
                return _error(environ, start, "400 Bad Request", "InvalidRequest", "refused on purpose")
            if name.startswith("forbidden"):
                return _error(environ, start, "403 Forbidden", "AccessDenied", "forbidden on purpose")
            if name.startswith("hangs"):
                environ["wsgi.input"].read(100)
                print("hangs", flush=True)
                time.sleep(600)
        return self._moto(environ, start)


def _error(
    environ: dict[str, Any], start: Callable[..., Any], status: str, code: str, message: str
) -> list[bytes]:
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start(status, [("Content-Type", "application/xml")])
    return [ERROR.format(code=code, message=message).encode()]


if __name__ == "__main__":
    server = make_server("127.0.0.1", 0, Faulty(), threaded=True)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
