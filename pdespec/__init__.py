"""pdespec: a symbolic-to-numeric compiler for PDEs, variational problems and gradient flows.

    compiled = pdespec.compile(text)      # .derivation, .source (a PyTorch script), .diagnostics

Importing the package costs nothing: SymPy, Lark and torch are imported by the first stage that needs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pdespec.compiler import Compiled, compile

__version__ = "0.1.0"
__all__ = ["Compiled", "__version__", "compile"]


def __getattr__(name: str) -> object:
    if name in ("compile", "Compiled"):
        from pdespec import compiler

        return getattr(compiler, name)
    raise AttributeError(f"module 'pdespec' has no attribute {name!r}")
