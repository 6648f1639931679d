"""Integrals whose variable is also used around them, with another letter: ∫ p(θ′) (x·θ′)² dθ′ · (x·θ)².

An integral that is a number keeps its letter, as in u ∫ u² dx; one that is itself a function of something would leave
the reader to find out which θ is meant.
"""

from __future__ import annotations

from typing import Any

from sympy import Basic

from pdespec.model.bindings import Integrate
from pdespec.model.fields import Field, FieldValue
from pdespec.model.substitution import substitute
from pdespec.model.terms import Parameter, Region, variable


def distinct(term: Any) -> Any:
    """A term with such variables primed."""
    if not isinstance(term, Basic) or not term.has(Integrate):
        return term
    return _primed(term, {s for s in term.free_symbols if not isinstance(s, Parameter)})


def _primed(term: Any, taken: set[Any]) -> Any:
    if not isinstance(term, Basic) or not term.args or isinstance(term, (Field, Region)) or not term.has(Integrate):
        return term
    if isinstance(term, Integrate):
        clash = [v for v in term.variables if v in taken]
        if clash and _varies(term):
            fresh = {v: variable(v.name + "'", getattr(v, "dimension", 1)) for v in clash}
            body = substitute(term.body, fresh)
            return Integrate(body, tuple(fresh.get(v, v) for v in term.variables), term.args[2])
    return term.func(*(_primed(a, taken) for a in term.args))


def _varies(term: Integrate) -> bool:
    """Whether an integral depends on more than parameters and time, the last coordinate of its fields."""
    times = {v.point[-1] for v in term.atoms(FieldValue) if len(v.point) > 1}
    return any(not isinstance(s, Parameter) for s in term.free_symbols - times)
