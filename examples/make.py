"""The gallery: `python examples/make.py [NAME …]` runs some specs and keeps derivation, script and pictures of each."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SPECS = HERE.parent / "specs"
GALLERY = {
    "poisson": "A linear equation, left to the planner: one least-squares solve in random features.",
    "kuramoto": "A nonlocal Wasserstein flow on a circle, by finite volumes.",
    "cahn_hilliard": "An H⁻¹ flow of a field, by Fourier modes.",
}


def pdespec(*arguments: str) -> str:
    """The output of a command."""
    command = [sys.executable, "-m", "pdespec", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=HERE.parent).stdout


def make(name: str) -> None:
    """The folder of one spec."""
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "derivation.txt").write_text(pdespec("explain", f"specs/{name}.pde"), encoding="utf-8")
    with tempfile.TemporaryDirectory() as place:
        run = Path(place) / name  # a picture's heading is the name of its folder
        pdespec("run", f"specs/{name}.pde", "--out", str(run), "--threads", "1")
        shutil.copy(run / f"{name}.py", folder)
        for picture in sorted(run.glob("*.png")):
            shutil.copy(picture, folder)


def index() -> str:
    """The page that shows all of them."""
    parts = [
        "# Gallery",
        "",
        "Each folder holds what `pdespec` makes of a spec; `python examples/make.py` makes them anew.",
    ]
    for name, text in GALLERY.items():
        pictures = " ".join(f"![{name}: {p.stem}]({name}/{p.name})" for p in sorted((HERE / name).glob("*.png")))
        links = f"[spec](../specs/{name}.pde) · [derivation]({name}/derivation.txt) · [script]({name}/{name}.py)"
        parts += ["", f"## {name}", "", text, "", links, "", pictures]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    for chosen in sys.argv[1:] or GALLERY:
        make(chosen)
    (HERE / "README.md").write_text(index(), encoding="utf-8")
