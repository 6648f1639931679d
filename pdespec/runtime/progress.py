"""A line that tells how far a run has come: stage, bar, steps, terms and the time left at this stage's pace."""

from __future__ import annotations

import re
import shutil
import sys
import time

from pdespec.runtime.loop import Step


def readable(value: float, form: str = ".2e") -> str:
    """A number as people write it: 2.71e-3, not 2.71e-03."""
    return re.sub(r"e\+?(-?)0*(\d)", r"e\1\2", format(value, form))


class Progress:
    """Called with each step: on a terminal one live line, ten times a second; in a file a line every ten seconds."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty()
        self.stage, self.due = "", 0.0

    def __call__(self, step: Step) -> None:
        now, left = time.monotonic(), step.total - step.number
        if step.stage != self.stage:
            self.stage, self.since, self.first = step.stage, now, step.number
        elif now < self.due and left:
            return
        self.due = now + (0.1 if self.live else 10.0)
        seconds = round((now - self.since) / max(1, step.number - self.first) * left)
        bar = "█" * (32 * step.number // step.total)
        terms = "   ".join(f"{label} {readable(value)}" for label, value in step.terms.items())
        clock = f"{seconds // 60}:{seconds % 60:02} left"
        line = f"{step.stage}  {bar:░<32}  {step.number}/{step.total}   {terms}   {clock}"
        if self.live:
            line = f"\r\x1b[K{line[: shutil.get_terminal_size().columns - 1]}"
        print(line, end="" if self.live and left else "\n", file=sys.stderr, flush=True)
