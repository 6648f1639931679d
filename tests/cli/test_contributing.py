"""CONTRIBUTING's examples of extensions, carried out to the letter in a copy of the package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SPECS = re.findall(r"^```pde\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
FILES = re.findall(r"^```python\n# (pdespec/runtime/\w+\.py)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
LINES = {"SAMPLERS": r'^    ("latin": .*)$', "NETWORKS": r'^    ("fourier": .*)$'}


def run(spec: str, folder: Path, package: Path) -> subprocess.CompletedProcess[str]:
    path = folder / "extended.pde"
    path.write_text(spec, encoding="utf-8")
    command = [sys.executable, "-m", "pdespec", "run", str(path), "--out", str(folder / "run"), "--threads", "1"]
    environment = {**os.environ, "PYTHONPATH": str(package)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder, check=False)


def test_a_metric_needs_no_change_of_the_package(tmp_path: Path) -> None:
    done = run(SPECS[0], tmp_path, ROOT)
    assert done.returncode == 0, done.stderr
    assert "mean(p)" in done.stdout and "yes" in done.stdout


def test_a_sampler_and_a_network_are_a_file_and_a_line_each(tmp_path: Path) -> None:
    for name in ("pdespec", "grammar"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    assert "fourier" in run(SPECS[1], tmp_path, tmp_path).stderr  # refused before
    assert [Path(path).name for path, _ in FILES] == ["latin.py", "fourier_net.py"]
    for path, content in FILES:
        (tmp_path / path).write_text(content.lstrip("\n"), encoding="utf-8")
    registry = tmp_path / "pdespec" / "model" / "methods.py"
    text = registry.read_text(encoding="utf-8")
    for name, pattern in LINES.items():
        line = re.search(pattern, TEXT, re.MULTILINE)
        assert line is not None
        text, found = re.subn(rf'(^{name} = Entry\(\n    "\w+",\n    {{)', rf"\1{line[1]}", text, flags=re.MULTILINE)
        assert found == 1
    registry.write_text(text, encoding="utf-8")
    done = run(SPECS[1], tmp_path, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "latin_cube" in (tmp_path / "run" / "extended.py").read_text(encoding="utf-8")
