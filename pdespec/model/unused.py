"""What is written and never used: an equation in no solve and no check."""

from __future__ import annotations

from collections.abc import Iterator

from pdespec.diagnostics import Diagnostic, warning
from pdespec.model.model import Model
from pdespec.syntax import ast


def unused(spec: ast.Spec, model: Model) -> Iterator[Diagnostic]:
    """A warning for each equation that nothing rests on."""
    used = {label for s in model.solves for label in s.equations}
    used |= {side for c in model.checks if c.kind == "equations" for side in (c.lhs, c.rhs)}
    for e in model.equations:
        if e.label not in used:
            yield warning("PDE312", e.span, f"the equation `{e.label}` is in no solve and no check")
    for s in spec.statements:
        if isinstance(s, ast.Equation) and s.label is None:
            yield warning(
                "PDE312", s.span, "an equation without a label is in no solve", hint="write `label: left = right`"
            )
