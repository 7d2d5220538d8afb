"""`sursmr-qp` with the fake predictor in place of the real ones, also in its worker processes.

FAKE_SECONDS: what a picture takes. FAKE_LOG: where it notes what it is asked.
"""

from __future__ import annotations

import os
from pathlib import Path

from fake_batch import FakeLoad

from sursmr_codec import predict
from sursmr_codec.predict.base import Predictor


def load(name: str, *, threads: int, **_: object) -> Predictor:
    log = os.environ.get("FAKE_LOG")
    seconds = float(os.environ.get("FAKE_SECONDS", "0"))
    return FakeLoad(seconds, Path(log) if log else None, version=name)(threads)


# Workers import this module too, before they load; for tests that merely import it nothing changes.
if __name__ in ("__main__", "__mp_main__"):
    predict.load = load  # type: ignore[assignment]

if __name__ == "__main__":
    from sursmr_codec.cli import main

    main()
