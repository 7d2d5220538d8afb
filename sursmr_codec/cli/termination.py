"""Ending on SIGTERM and SIGHUP as on an interrupt: encoders that were started end too, temporary files go."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class _Terminated(BaseException):
    """Carries the signal up through everything that has to be put in order."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def unwinding() -> Iterator[None]:
    """Let these signals unwind what runs inside, and only then end the process as they do by default."""
    if os.name != "posix" or threading.current_thread() is not threading.main_thread():
        yield
        return
    for number in (signal.SIGTERM, signal.SIGHUP):
        # Where a caller has it ignored, as nohup does, it stays so.
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _raise)
    try:
        yield
    except _Terminated as ended:
        signal.signal(ended.number, signal.SIG_DFL)
        os.kill(os.getpid(), ended.number)


def _raise(number: int, _: FrameType | None) -> None:
    # A second one must not cut the putting in order short.
    signal.signal(number, signal.SIG_IGN)
    raise _Terminated(number)
