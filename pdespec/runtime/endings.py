"""How a script ends.

0 ok · 1 a report's bound fell short · 2 usage · 3 internal · 4 diverged · 5 resume mismatch · 130 interrupted ·
141 nobody reads the output.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable

from pdespec.runtime.checkpoint import ResumeMismatch
from pdespec.runtime.loop import Diverged


def exit_code(main: Callable[[], int]) -> int:
    """Run `main` and say how it ended: 0 to 5, or 130 where it was interrupted."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # SIGTERM like Ctrl-C
    try:
        return main()
    except KeyboardInterrupt as stop:
        print("interrupted", *stop.args, sep=": ", file=sys.stderr)
        return 130
    except (Diverged, ResumeMismatch) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 4 if isinstance(failure, Diverged) else 5
    except BrokenPipeError:  # who reads the output has gone: end as quietly as he
        for stream in (sys.stdout, sys.stderr):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return 141
    except OSError as failure:  # a folder that cannot be written, a full disk
        print(f"error: {failure}", file=sys.stderr)
        return 3
    except Exception:
        traceback.print_exc()
        return 3
