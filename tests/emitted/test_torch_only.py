"""An emitted script needs torch and nothing else: it runs in a virtual environment that has no numpy, sympy or pdespec."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

import pytest

from pdespec import compiler
from pdespec.source import Source

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["poisson", "kuramoto", "svgd"])
def test_a_script_runs_with_torch_alone(name: str, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "-c", str(ROOT / "constraints.txt"), "torch"]
    subprocess.run(install, check=True)
    for module in ("numpy", "pdespec", "lark"):
        absent = subprocess.run([str(python), "-c", f"import {module}"], capture_output=True, check=False, cwd=tmp_path)
        assert absent.returncode != 0, f"{module} is there"
    path = ROOT / "specs" / f"{name}.pde"
    script = compiler.compile(Source(path.name, path.read_text(encoding="utf-8"))).require().source
    assert script is not None
    (tmp_path / "script.py").write_text(script, encoding="utf-8")
    command = [str(python), "script.py", "--out", "run", "--threads", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "run" / "solution.npz").is_file()
