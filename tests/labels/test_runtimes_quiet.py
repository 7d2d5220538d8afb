"""What native libraries print must not reach people's stderr."""

from __future__ import annotations

import subprocess
import sys


def test_loading_a_litert_machine_prints_nothing(shared_data):
    code = (
        "from sursmr_codec.labels.machines.jury import Jury\n"
        "from sursmr_codec.labels.machines.zoo import read_zoo\n"
        f"zoo = read_zoo({str(shared_data / 'machines')!r})\n"
        "Jury(zoo, rows=[zoo['mobilenet_v1_025_128_q']])\n"
        "import sys; print('still open', file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0
    assert done.stdout == ""
    assert done.stderr == "still open\n"
