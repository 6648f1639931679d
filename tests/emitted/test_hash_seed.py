"""A build is a function of the spec alone: three values of PYTHONHASHSEED give the same bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SPECS = Path(__file__).resolve().parents[2] / "specs"
BUILD_ALL = """
import hashlib, sys
from pathlib import Path
from pdespec import compiler
from pdespec.source import Source
for path in sorted(Path(sys.argv[1]).glob("*.pde")):
    script = compiler.compile(Source(path.name, path.read_text(encoding="utf-8")), folder=path.parent).require().source
    print(path.stem, hashlib.sha256(script.encode()).hexdigest())
"""


def digests(seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", BUILD_ALL, str(SPECS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=SPECS.parent)
    return done.stdout


def test_the_order_of_sets_leaves_no_trace() -> None:
    first = digests("0")
    assert len(first.splitlines()) == len(list(SPECS.glob("*.pde")))
    assert digests("1") == first
    assert digests("4242") == first
