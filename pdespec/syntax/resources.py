"""Where the grammar's files are: inside the package in a wheel (`pdespec/_grammar`), beside it in a checkout."""

from __future__ import annotations

from pathlib import Path


def grammar_folder() -> Path:
    """The folder that holds `pde.lark`, `messages` and `prelude/`."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "_grammar", package.parent / "grammar"):
        if (folder / "pde.lark").is_file():
            return folder
    raise FileNotFoundError(f"pde.lark is neither in {package / '_grammar'} nor in {package.parent / 'grammar'}")


def grammar_path(name: str = "pde.lark") -> Path:
    """One file of the grammar, `pde.lark` without an argument."""
    return grammar_folder() / name
