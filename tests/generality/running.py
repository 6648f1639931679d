"""A spec compiled, and its script run on one thread in a process of its own."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from pdespec import compiler


def built(text: str, folder: Path) -> Path:
    """The emitted script as a file."""
    script = folder / "spec.py"
    source = compiler.compile(text).require().source
    assert source is not None
    script.write_text(source, encoding="utf-8")
    return script


def run(command: list[str], folder: Path, seconds: int) -> str:
    """What a Python program prints; it must exit with 0 within `seconds` of processor time, of whatever share it gets."""
    limit = lambda: resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))  # noqa: E731
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=False, cwd=folder, preexec_fn=limit
    )
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout[-1000:]}{done.stderr[-2000:]}"
    return done.stdout


def reports(text: str, folder: Path, seconds: int) -> list[dict[str, Any]]:
    """What the emitted script of a spec reports."""
    script = built(text, folder)
    run([str(script), "--out", "run", "--threads", "1"], folder, seconds)
    found: list[dict[str, Any]] = json.loads((folder / "run" / "metrics.json").read_text())["reports"]
    return found
