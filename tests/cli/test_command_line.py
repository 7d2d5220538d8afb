"""The command line as a process of its own: entry points, streams, interruption, what importing costs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sursmr_codec.version import __version__

FULL = Path("/dev/full")
HEAVY = ("torch", "onnxruntime", "av", "ray", "pillow_heif", "cv2", "scipy", "matplotlib", "rich.console")


def python(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=120, **options
    )


@pytest.mark.parametrize(
    "module", ["sursmr_codec", "sursmr_codec.codecs", "sursmr_codec.predict", "sursmr_codec.picking"]
)
def test_importing_is_light(module):
    code = f"import sys, {module}; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = python("-c", code)
    assert done.stdout.strip() == "[]", done.stderr


def test_version_and_module_entry_point():
    assert python("-m", "sursmr_codec", "--version").stdout == f"sursmr-qp {__version__}\n"


def test_no_arguments_show_the_commands():
    done = python("-m", "sursmr_codec")
    for command in ("pick", "curve", "score", "codecs"):
        assert command in done.stdout + done.stderr


def test_unknown_option_is_usage():
    assert python("-m", "sursmr_codec", "pick", "x.png", "--nonsense").returncode == 2


def test_result_on_stdout_and_people_on_stderr(photo):
    done = python("-m", "sursmr_codec", "pick", str(photo), "--smr", "0", "--json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("{")
    assert "probe 1 of at most" in done.stderr
    assert "\x1b" not in done.stderr


def test_interrupt_is_130_and_leaves_nothing(kodim23, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "sursmr_codec", "pick", str(kodim23), "--smr", "0", "-o", "out.jpg"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    process.stderr.readline()  # the first probe is done
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert list(tmp_path.iterdir()) == []


def test_shell_completion_installs_into_home(tmp_path):
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "SHELL": "/bin/bash",
        "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1",
    }
    done = python("-m", "sursmr_codec", "--show-completion", "bash", env=environment)
    assert "sursmr-qp" in done.stdout or "sursmr_qp" in done.stdout.lower(), done.stderr


def test_an_interrupt_while_loading_is_exit_130_without_a_word():
    code = """
import sys
class Interrupted:
    def find_spec(self, name, path=None, target=None):
        if name == "sursmr_codec.cli.app":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupted())
from sursmr_codec.cli import main
main()
"""
    done = python("-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
def test_output_that_cannot_be_written_is_one_line_and_exit_6(photo):
    with FULL.open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "sursmr_codec", "pick", photo, "--json", "--quiet"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
        )
    assert done.returncode == 6
    assert done.stderr.splitlines()[0].startswith("error: stdout cannot be written: ")
    assert "Traceback" not in done.stderr
