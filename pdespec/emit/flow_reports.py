"""What a report reads from a flow: the state at a time, and integrals against its density."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sympy import Expr, log

from pdespec.derive.variation import NoVariation, variation
from pdespec.emit.arrays import Array, Points, Scope, without_factor
from pdespec.emit.axes import scalar
from pdespec.emit.flow_scope import copy_of, corners, space
from pdespec.emit.names import literal
from pdespec.emit.parts import Script, solution_name
from pdespec.emit.readings import MOMENT, Body
from pdespec.model.bindings import Expect, Integrate
from pdespec.model.fields import FieldValue
from pdespec.model.model import Call
from pdespec.model.refusal import refuse
from pdespec.plan.plan import Grid, Particles, Realisation

Measured = tuple[dict[Expr, Points], Expr]
"""The points and weights of an integral, and what is left to sum."""


def report_times(solves: Sequence[Realisation], script: Script) -> str:
    """`report_times()`: when the reports look at each flow, its end included; it stands with them, apart from the
    training."""
    entries = []
    for plan in solves:
        if not isinstance(plan, (Particles, Grid)):
            continue
        found = {plan.begin, plan.end}
        for report in script.plan.reports:
            for value in report.quantity.atoms(FieldValue):
                same = value.field.name == plan.flow.field.name and value.field.solve in ("", plan.solve.label)
                if same and value.point[-1].is_number:
                    found.add(float(value.point[-1]))
        entries.append(f'"{solution_name(plan.solve, script)}": {literal(tuple(sorted(found)))}')
    if not entries:
        return ""
    return (
        "def report_times() -> dict[str, tuple[float, ...]]:\n"
        '    """When the reports look at each flow."""\n'
        f"    return {{{', '.join(entries)}}}"
    )


def kept_times(plan: Particles | Grid, script: Script) -> str:
    """The line that says which states a flow keeps: those that reports look at, and a few for the pictures."""
    many = isinstance(plan, Grid) and len(plan.cells) == 1
    steps = round((plan.end - plan.begin) / plan.dt)
    pictures = f"*snapshots({literal(plan.begin)}, {literal(plan.dt)}, {steps}, {40 if many else 3})"
    return f'    keep = (*report_times()["{solution_name(plan.solve, script)}"], {pictures})'


def state(plan: Particles | Grid, value: FieldValue, key: str, body: Body, after: str = "") -> str:
    """A name for the state at the time of a field value, as `after` turns it."""
    name, code = state_code(plan, value, key, body)
    return body.line(("state", plan.solve.label, value.point[-1], key), name, code + after)


def state_code(plan: Particles | Grid, value: FieldValue, key: str, body: Body) -> tuple[str, str]:
    """A name and the code of the state at the time of a field value."""
    solution, time = f'solutions["{solution_name(plan.solve, body.script)}"]', value.point[-1]
    if time == MOMENT:
        return key, f'state_at({solution}, t)["{key}"]'
    if not time.is_number:
        refuse("PDE532", None, f"a report asks for the state at `{time}`, which is no time", hint="write a number")
    moment = float(time)
    if not plan.begin <= moment <= plan.end:
        refuse("PDE532", None, f"a report asks for t = {moment:g}, outside [{plan.begin:g}, {plan.end:g}]")
    at = literal(moment).removesuffix(".0").replace(".", "_").replace("-", "m")
    return key if body.once else f"{key}_at_{at}", f'state_at({solution}, {literal(moment)})["{key}"]'


def flow_leaf(plan: Particles | Grid, key: str) -> Callable[[FieldValue, Expr, Scope, Body], Array | None]:
    """The rule for the density itself in a report."""

    def leaf(value: FieldValue, term: Expr, scope: Scope, body: Body) -> Array | None:
        place = next((scope.points[a] for a in value.point if a in scope.points), None)
        if place is None:
            refuse("PDE948", None, f"the value of `{value.field.name}` at a fixed point is not supported yet")
        if isinstance(plan, Grid):
            if isinstance(term, log):
                return None
            if any(value.orders):
                return Array(_slope(plan, value, key, body), (place.axis,))
            return Array(state(plan, value, key, body, ".flatten()"), (place.axis,))
        logarithm = log_density(plan, state(plan, value, key, body), body)
        return Array(logarithm if isinstance(term, log) else f"torch.exp({logarithm})", (place.axis,))

    return leaf


def _slope(plan: Grid, value: FieldValue, key: str, body: Body) -> str:
    """A first derivative of a periodic field, by its Fourier modes."""
    if sum(value.orders) != 1 or plan.scheme != "spectral":
        refuse(
            "PDE925",
            plan.solve.span,
            "a report of this derivative is not supported on a grid yet",
            hint="first derivatives on a torus are",
        )
    solution = solution_name(plan.solve, body.script)
    grid = body.line(("grid", plan.solve.label), "grid", f'solutions["{solution}"].grid')
    name, code = state_code(plan, value, key, body)
    gradient = body.line(("gradient", name), f"gradient_{name}", f"spectral_gradient({code}, {grid})")
    return f"{gradient}[..., {value.orders.index(1)}].flatten()"


def log_density(plan: Particles, particles: str, body: Body) -> str:
    """ln p at the particles by the estimator that `using` names."""
    estimator = plan.method.option("density")
    name = estimator.name if isinstance(estimator, Call) else ""
    if not isinstance(estimator, Call) or name not in ("knn", "kde"):
        refuse(
            "PDE524",
            plan.solve.method_span,
            "a functional of the density's value needs an estimator at its particles",
            hint="add density=knn(10) to `using`",
        )
    size = float(estimator.arguments[0])  # type: ignore[arg-type]
    points = f"{particles}.reshape(len({particles}), -1)"
    code = f"{name}_log_density({points}, {literal(int(size) if name == 'knn' else size)})"
    return body.line(("log density", particles), f"log_density_{particles}", code)


def flow_measure(plan: Particles | Grid, key: str) -> Callable[[Integrate | Expect, Scope, Body], Measured]:
    """The rule for integrals against the density in a report."""

    def measure(term: Integrate | Expect, scope: Scope, body: Body) -> Measured:
        first, *rest = term.variables
        axis = f"axis{len(scope.points)}"
        value = next((v for v in _values(term.body, plan) if first in v.point), None)
        if value is None:
            refuse("PDE948", None, f"an integral over `{first}`, at which no density is taken, is not supported yet")
        if isinstance(plan, Grid):
            solution = solution_name(plan.solve, body.script)
            grid = body.line(("grid", plan.solve.label), "grid", f'solutions["{solution}"].grid')
            places = corners(plan) if plan.scheme == "spectral" else f"{grid}.centres()"
            group, left = copy_of(term, value, len(value.point) - 1)
            found = {}
            for k, v in enumerate(group):
                part = f"[..., {k}]" if len(group) > 1 else ""
                code = f"{places}{part}.reshape({'-1' if v.is_Symbol else f'-1, {len(plan.cells)}'})"
                name = body.script.names.name(v.name.rstrip("'"))
                points = body.line(("cells", plan.solve.label, v.is_Symbol, k), name, code)
                found[v] = Points(points, axis, f"{grid}.volume", uniform=True)
            return found, left
        quotient = without_factor(term.body, value)
        if quotient is None:
            refuse("PDE949", None, f"`{term}` is no mean over particles", hint="use grid for it")
        left = Integrate(quotient, tuple(rest), term.args[2]) if rest else quotient
        weights = state(plan, value, "weights", body) if plan.flow.growth != 0 else ""
        return {first: Points(state(plan, value, key, body), axis, weights)}, left

    return measure


def flow_influence(plan: Particles, key: str) -> Callable[[Expr, Body], tuple[str, ...]]:
    """δF/δp at the particles for a functional F of a density known by n independent ones: its standard error is
    √(Var_p(δF/δp)/n) by the delta method (van der Vaart, Asymptotic Statistics, ch. 20)."""

    def influence(term: Expr, body: Body) -> tuple[str, ...]:
        value = next(iter(term.atoms(FieldValue)))
        if plan.method.option("moments") is not None:
            return ()  # moments that were made exact have no sampling error
        try:
            place = (*space(value.field), value.point[-1])
            function = variation(term, value.field, place).interior
        except NoVariation:
            return ()
        particles = state(plan, value, key, body)
        code = scalar(function, body.scope({space(value.field)[0]: Points(particles, "particle")}, function))
        if not code.axes:
            return ()
        return (code.text, state(plan, value, "weights", body)) if plan.flow.growth != 0 else (code.text,)

    return influence


def _values(expr: Expr, plan: Particles | Grid) -> list[FieldValue]:
    if isinstance(expr, FieldValue):
        return [expr] if expr.field.name == plan.flow.field.name else []
    return [v for a in expr.args for v in _values(a, plan)]
