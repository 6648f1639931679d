"""Unknowns that a solve fixes up to a constant: u and u + c satisfy the same equations.

That is so where every listed equation, the Euler-Lagrange equation and its natural conditions contain the unknown
through its derivatives alone: Neumann's problem and a pressure without their means.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sympy import Expr

from pdespec.derive.components import expand, flatten
from pdespec.derive.derivation import Objective, Residual
from pdespec.diagnostics import Diagnostic, warning
from pdespec.model.fields import Field, FieldValue
from pdespec.model.model import Model, Solve


def free_constants(
    model: Model, residuals: Mapping[str, Residual], objectives: Iterable[Objective]
) -> Iterator[Diagnostic]:
    """A warning for each unknown function that a solve leaves a constant to."""
    optimised = {o.solve: o for o in objectives}
    for solve in model.solves:
        terms = _terms(solve, residuals, optimised.get(solve.label))
        if terms is None:
            continue
        values = {v for c in terms for v in c.atoms(FieldValue) if not v.field.solve}
        for field in sorted({v.field for v in values}, key=str):
            if model.unknown(field.name).kind == "function" and all(any(v.orders) for v in values if v.field == field):
                mean = f"∫ {field.name} {_measure(model, field)}"
                yield warning(
                    "PDE316",
                    solve.span,
                    f"`{field.name}` is determined only up to a constant: it occurs through its derivatives alone",
                    hint=f"list a value at a point, or its mean, such as `gauge: {mean} = 0`",
                )


def _measure(model: Model, field: Field) -> str:
    return " ".join(f"d{v.name}" for d in model.unknown(field.name).space for v in d.coordinates)


def _terms(solve: Solve, residuals: Mapping[str, Residual], objective: Objective | None) -> list[Expr] | None:
    """Everything that must vanish, in components; None where a part of it could not be derived."""
    if any(label not in residuals for label in solve.equations):
        return None
    found = [c for label in solve.equations for c in residuals[label].components]
    if not solve.optima:
        return found
    if objective is None or len(objective.variations) < len(solve.optima):
        return None
    conditions = [term for _, term in objective.variations] + [n.term for n in objective.natural]
    return found + [c for term in conditions for c in flatten(expand(term))]
