"""L² and H⁻¹ flows of periodic fields: u_t = M(−Lu + g(u)) with L and M constant-coefficient, g pointwise.

The variation δE/δu is split into its linear constant-coefficient part, a symbol in Fourier space, and the nonlinear
pointwise rest.
"""

from __future__ import annotations

from sympy import Expr, I, S, Symbol

from pdespec.derive.components import scalar as in_coordinates
from pdespec.derive.notation import unicode
from pdespec.emit.code import Precedence
from pdespec.emit.expression import Printer
from pdespec.emit.flow_scope import corners, space
from pdespec.emit.layout import docstring, statement
from pdespec.emit.names import escape
from pdespec.emit.parts import Script
from pdespec.model.bindings import Integrate
from pdespec.model.fields import FieldValue
from pdespec.model.refusal import refuse
from pdespec.model.terms import flat, variable
from pdespec.plan.plan import Grid


def split(plan: Grid) -> tuple[Expr, Expr, Expr]:
    """(σ, m, g): û_t = σ û + m ĝ, with σ and m polynomials in the wave numbers k₁ … k_d and g a function of u and x."""
    right = in_coordinates(plan.flow.right).expand()
    coordinates = flat(space(plan.flow.field))
    waves = [Symbol(f"k[{j + 1}]", real=True) for j in range(len(coordinates))]
    u = Symbol("u", real=True)
    symbol, rest = S.Zero, S.Zero
    for term in right.as_ordered_terms():
        values = list(term.atoms(FieldValue))
        factor = term / values[0] if len(values) == 1 else term
        if len(values) == 1 and not factor.has(FieldValue, *coordinates):
            symbol += factor * _multiplier(values[0], waves)
        else:
            rest += term
    return symbol, *_with_mobility(rest, coordinates, waves, u, plan)


def _multiplier(value: FieldValue, waves: list[Symbol]) -> Expr:
    """∂^α as multiplication by (ik)^α."""
    factor = S.One
    for order, k in zip(value.orders, waves, strict=False):
        factor *= (I * k) ** order
    return factor


def _with_mobility(
    rest: Expr, coordinates: tuple[Expr, ...], waves: list[Symbol], u: Symbol, plan: Grid
) -> tuple[Expr, Expr]:
    """The rest as m applied to a pointwise function: itself, or a Laplacian of one."""
    values = {v: u for v in rest.atoms(FieldValue) if not any(v.orders)}
    pointwise = rest.xreplace(values)
    time = variable(plan.flow.field.slots[-1])
    if not pointwise.has(Integrate, FieldValue, time):
        return S.One, pointwise
    coefficients = rest.xreplace(dict.fromkeys(rest.atoms(FieldValue), S.One))
    for value in [] if coefficients.has(Integrate, time, *coordinates) else values:
        potential = _laplacian_potential(rest, coordinates, value, u)
        if potential is not None:
            return -sum((k**2 for k in waves), S.Zero), potential
    refuse("PDE924", plan.solve.span, "this flow is not of the form u_t = Lu + M g(u)", hint="solve it by collocation")


def _laplacian_potential(rest: Expr, coordinates: tuple[Expr, ...], value: FieldValue, u: Symbol) -> Expr | None:
    """g with Δg(u) = rest: from the coefficient g′(u) of u_xx, checked."""
    orders = [0] * (len(coordinates) + 1)
    orders[0] = 2
    second = FieldValue(value.field, tuple(orders), *value.point)
    slope = rest.expand().coeff(second).xreplace({value: u})
    if slope == 0 or not slope.is_polynomial(u) or slope.has(FieldValue):
        return None
    g = slope.integrate(u)
    back = S.Zero
    for x in coordinates:
        back += g.xreplace({u: value}).diff(x, 2)
    return g if (back - rest).expand() == 0 else None


def spectral_section(stem: str, plan: Grid, script: Script) -> str:
    """The symbol, the mobility, the nonlinearity, and the energy."""
    symbol, mobility, g = split(plan)
    symbol, mobility = (e.expand() for e in (symbol, mobility))
    key = script.names.name(plan.flow.field.name)
    names = {Symbol(f"k[{j + 1}]", real=True): f"k[..., {j}]" for j in range(len(plan.cells))}
    write = Printer({**names, **script.constants(symbol, mobility)}, set(names.values()))
    places = {c: f"z[..., {k}]" for k, c in enumerate(flat(space(plan.flow.field)))}
    point = Printer({Symbol("u", real=True): key, **places, **script.constants(g)}, {key, *places.values()})
    parts = []
    for name, term, what in (("symbol", symbol, "The linear part"), ("mobility", mobility, "What multiplies the rest")):
        code = write.code(term)
        text = code.text if code.tensor else f"torch.full_like(k[..., 0], {code.text})"
        parts.append(
            f"def {stem}{name}(k: Tensor) -> Tensor:\n"
            + docstring(escape(f"{what}, in Fourier space: {unicode(term)}, wave numbers k (…, {len(plan.cells)})."))
            + "\n"
            + statement("return", text)
        )
    rest = point.code(g)
    parts.append(
        f"def {stem}rest({key}: Tensor{', z: Tensor' if g.has(*places) else ''}) -> Tensor:\n"
        + docstring(escape(f"The rest of the flow, point by point: {unicode(g)}."))
        + "\n"
        + statement("return", rest.text if rest.tensor else f"torch.full_like({key}, {rest.text})")
    )
    if plan.flow.energy is not None:
        parts.append(_energy(stem, plan, key, script))
    return "\n\n\n".join(parts)


def field_integral(term: Integrate, key: str, script: Script, solve: Grid) -> str:
    """∫ of a pointwise expression of the field, its gradient and the coordinates, by the trapezoidal rule."""
    body = in_coordinates(term.body)
    coordinates = flat(term.variables)
    names: dict[Expr, str] = {}
    for v in sorted(body.atoms(FieldValue), key=str):
        order = v.orders[: len(coordinates)]
        if sum(order) == 0:
            names[v] = key
        elif sum(order) == 1:
            names[v] = f"gradient[..., {order.index(1)}]"
        else:
            refuse(
                "PDE925",
                solve.solve.span,
                "a functional of second derivatives is not supported on a grid yet",
                hint="integrate by parts, so that first derivatives are left",
            )
    names |= {c: f"z[..., {k}]" for k, c in enumerate(coordinates)}
    write = Printer({**names, **script.constants(body)}, set(names.values()))
    code = write.code(body)
    if not code.tensor:
        return f"{code.within(Precedence.PRODUCT)} * grid.volume * {key}.numel()"
    return f"{code.operand}.sum() * grid.volume"


def energy_body(expr: Expr, key: str, script: Script, plan: Grid) -> str:
    """A functional of the field: integrals as sums over the grid."""
    found: dict[Expr, str] = {}

    def visit(e: Expr) -> None:
        if isinstance(e, Integrate):
            found[e] = field_integral(e, key, script, plan)
            return
        for a in e.args:
            visit(a)

    visit(expr)
    return Printer({**found, **script.constants(expr)}, set(found.values()))(expr)


def _energy(stem: str, plan: Grid, key: str, script: Script) -> str:
    term = plan.flow.energy
    assert term is not None
    text = energy_body(term, key, script, plan)
    lines = [
        f"def {stem}energy({key}: Tensor, grid: Grid) -> Tensor:",
        docstring(escape(f"{plan.flow.energy_name or 'E'} = {unicode(term)}")),
    ]
    if "gradient[" in text:
        lines.append(f"    gradient = spectral_gradient({key}, grid)")
    if "z[" in text:
        lines.append(f"    z = {corners(plan)}")
    return "\n".join([*lines, statement("return", text)])


def spectral_lines(stem: str, plan: Grid, key: str, script: Script) -> tuple[list[str], str]:
    """What is fixed before the steps, and a step of ETDRK4."""
    before = ["k = wavenumbers(grid)", f"dealiased = {stem}mobility(k) * low_modes(grid)"]
    rest = f"{stem}rest"
    if split(plan)[2].has(*flat(space(plan.flow.field))):
        before.append(f"z = {corners(plan)}")
        rest = f"lambda {key}: {stem}rest({key}, z)"
    return before, f'etdrk4(state["{key}"], etdrk4_coefficients({stem}symbol(k), dt), {rest}, dealiased)'
