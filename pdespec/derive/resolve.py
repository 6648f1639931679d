"""What waits for derivation, put in: δE/δu, a metric's gradient, a declared exact solution.

Terms of a derivation hold no `Variation`, `MetricGradient` or `Exact`.  A field may also be replaced by a formula in
the names of its slots, which is how a declared solution enters an equation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sympy import Basic, Expr

from pdespec.derive.leaf import Domain, FirstVariation
from pdespec.derive.variation import variation
from pdespec.model.fields import Exact, Field, FieldValue, MetricGradient, Variation
from pdespec.model.model import Model
from pdespec.model.substitution import substitute
from pdespec.model.terms import Region, variable

Rule = Callable[[Any], Expr]


def rewritten(term: Any, rules: Mapping[type, Rule]) -> Any:
    """A term with the rule of each node class applied, from the leaves up; what a variation asks for stays as it is."""
    if isinstance(term, Variation):
        return rules[Variation](term) if Variation in rules else term
    if not isinstance(term, Basic) or not term.args or isinstance(term, (Field, Region)):
        return term
    arguments = tuple(rewritten(a, rules) for a in term.args)
    new = term if arguments == term.args else term.func(*arguments)
    rule = rules.get(type(new))
    return new if rule is None else rule(new)


def domain_of(field: Field, model: Model) -> Domain:
    """The factors of an unknown's domain with the number of slots of each; empty for a formal function."""
    unknown = next((u for u in model.unknowns if u.name == field.name), None)
    return () if unknown is None else tuple((len(d.coordinates), d.set) for d in unknown.domains)


def first_variation(term: Variation, model: Model) -> FirstVariation:
    """δE/δu of a term that asks for it; raises `NoVariation`."""
    return variation(resolved(term.functional, model), term.field, term.point, domain_of(term.field, model))


def resolved(term: Any, model: Model) -> Any:
    """A term (or a law) with every variation and metric gradient derived; raises `NoVariation`."""
    if not term.has(Variation, MetricGradient):
        return term
    return rewritten(
        term,
        {
            Variation: lambda node: first_variation(node, model).interior,
            MetricGradient: lambda node: node.body,
        },
    )


Formulas = Mapping[str, Expr]
"""A formula for an unknown's name, in variables named like its slots."""


def put(term: Any, formulas: Formulas) -> Any:
    """A term with formulas in place of unknowns."""

    def rule(node: FieldValue) -> Expr:
        formula = formulas.get(node.field.name)
        if formula is None or node.field.solve:
            return node
        return substitute(formula, dict(zip(slots(node.field), node.point, strict=True)))

    return rewritten(term, {FieldValue: rule})


def with_exact(term: Any, formulas: Formulas) -> Any:
    """A term with proved solutions in place of `Exact`."""

    def rule(node: Exact) -> Expr:
        formula = formulas.get(node.field.name)
        if formula is None:
            return node
        return substitute(formula, dict(zip(slots(node.field), node.args[1:], strict=True)))

    return rewritten(term, {Exact: rule})


def slots(field: Field) -> tuple[Any, ...]:
    """The variables named like the slots of a field."""
    return tuple(map(variable, field.slots, field.dimensions))
