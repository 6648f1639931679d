"""A script as a child process that the terminal still commands.

The child has its own process group, so that Ctrl-C reaches it once and through us: SIGINT, SIGTERM and SIGHUP are
passed on, and by the first two the child saves its state before it ends; SIGTSTP stops both, SIGCONT lets both go on.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType
from typing import TextIO

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def supervised(command: Sequence[str], stdout: TextIO | None = None) -> int:
    """Run a command to its end and return its exit code, 128 + n after signal n; its output is live."""
    sys.stdout.flush()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, process_group=0)

    def forward(number: int, _frame: FrameType | None) -> None:
        if child.poll() is None:
            child.send_signal(number)

    def pause(_number: int, _frame: FrameType | None) -> None:
        child.send_signal(signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGSTOP)
        child.send_signal(signal.SIGCONT)

    previous = {number: signal.signal(number, forward) for number in FORWARDED}
    previous[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, pause)
    try:
        code = child.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code
