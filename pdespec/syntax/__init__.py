"""Text to syntax tree and back.

`parse(source)` gives the tree and the diagnostics, `format_spec(source, spelling=…)` the text again.  Importing this
package loads Lark, and neither SymPy nor torch.
"""

from __future__ import annotations

from pdespec.syntax.parse import parse

__all__ = ["parse"]
