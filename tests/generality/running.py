"""A spec compiled, and its script run on one thread in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from pdespec import compiler


def reports(text: str, folder: Path, seconds: float, *flags: str) -> list[dict[str, Any]]:
    """What the emitted script reports; it must finish within `seconds` and exit with 0."""
    script = folder / "spec.py"
    source = compiler.compile(text).require().source
    assert source is not None
    script.write_text(source, encoding="utf-8")
    command = [sys.executable, str(script), "--out", str(folder / "run"), "--threads", "1", *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, timeout=seconds)
    assert done.returncode == 0, f"{text}\n{done.stdout[-1000:]}{done.stderr[-2000:]}"
    metrics = json.loads((folder / "run" / "metrics.json").read_text())
    found: list[dict[str, Any]] = metrics["reports"]
    return found
