"""Densities of probability laws as formulas.

gauss(m, C): exp(−(x−m)·C⁻¹(x−m)/2)/√((2π)ᵈ det C); gibbs(V, β): e^{−βV}/∫e^{−βV}; uniform(S): 1/|S|.
Points here are in scalar coordinates.
"""

from __future__ import annotations

from typing import Any

from sympy import Expr, Matrix, S, Tuple, exp, pi, sqrt

from pdespec.model.bindings import Integrate, Law
from pdespec.model.sets import plain
from pdespec.model.substitution import substitute
from pdespec.model.terms import NoRule, variable
from pdespec.model.vectors import Vec


def density(law: Law, point: tuple[Expr, ...]) -> Expr:
    """The density of a law, written out for scalar coordinates, at a point."""
    if law.family == "gauss":
        mean, covariance = law.parameters
        return _gauss(mean, covariance, point)
    if law.family == "gibbs":
        potential, inverse, variables, region = law.parameters
        weight = exp(-inverse * potential)
        return substitute(weight, dict(zip(variables, point, strict=True))) / Integrate(weight, variables, region)
    if law.family == "uniform":
        from pdespec.derive.integrals import volume

        size = volume(plain(law.parameters[0].value))
        if size is not None:
            return 1 / size
        variables = Tuple(*(variable(f"x[{k}]") for k in range(1, len(point) + 1)))
        return 1 / Integrate(S.One, variables, law.parameters[0])
    raise NoRule(f"the law {law.family} has no density as a formula")


def _gauss(mean: Any, covariance: Any, point: tuple[Expr, ...]) -> Expr:
    d = len(point)
    center = tuple(mean.args) if isinstance(mean, (Vec, Tuple)) else (mean,) * d
    if isinstance(covariance, (Vec, Tuple)):
        matrix = Matrix([list(row.args) for row in covariance.args])
    else:
        matrix = Matrix.eye(d) * covariance
    if matrix.det() == 0:
        raise NoRule(f"the covariance {covariance} of a Gaussian law is singular")
    offset = Matrix([x - m for x, m in zip(point, center, strict=True)])
    exponent = (offset.T * matrix.inv() * offset)[0]
    return exp(-exponent / 2) / sqrt((2 * pi) ** d * matrix.det())
