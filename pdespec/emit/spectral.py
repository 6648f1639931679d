"""L² and H⁻¹ flows of periodic fields: u_t = M(−Lu + g(u)) with L and M constant-coefficient, g pointwise.

The variation δE/δu is split into its linear constant-coefficient part, a symbol in Fourier space, and the nonlinear
pointwise rest.
"""

from __future__ import annotations

from sympy import Expr, I, Poly, S, Symbol

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
from pdespec.model.terms import flat
from pdespec.plan.plan import Grid


def split(plan: Grid) -> tuple[Expr, Expr, Expr]:
    """(σ, m, g): û_t = σ û + m ĝ(u), with σ and m polynomials in the wave numbers k₁ … k_d and g a function of u."""
    right = in_coordinates(plan.flow.right).expand()
    coordinates = flat(space(plan.flow.field))
    waves = [Symbol(f"k[{j + 1}]", real=True) for j in range(len(coordinates))]
    u = Symbol("u", real=True)
    symbol, rest = S.Zero, S.Zero
    for term in right.as_ordered_terms():
        values = list(term.atoms(FieldValue))
        if len(values) == 1 and not (term / values[0]).has(FieldValue):
            symbol += term / values[0] * _multiplier(values[0], waves)
        else:
            rest += term
    return _with_mobility(symbol, rest, coordinates, waves, u, plan)


def _multiplier(value: FieldValue, waves: list[Symbol]) -> Expr:
    """∂^α as multiplication by (ik)^α."""
    factor = S.One
    for order, k in zip(value.orders, waves, strict=False):
        factor *= (I * k) ** order
    return factor


def _with_mobility(
    symbol: Expr, rest: Expr, coordinates: tuple[Expr, ...], waves: list[Symbol], u: Symbol, plan: Grid
) -> tuple[Expr, Expr, Expr]:
    """The rest as m applied to a pointwise function: itself, or a Laplacian of one."""
    here = next((v for v in rest.atoms(FieldValue) if not any(v.orders)), None)
    if rest == 0:
        return symbol, S.One, S.Zero
    names = set(rest.atoms(FieldValue))
    base = next(iter(names))
    plain_value = here or FieldValue(base.field, (), *base.point)
    if all(not any(v.orders) for v in names):
        return symbol, S.One, rest.xreplace({plain_value: u})
    potential = _laplacian_potential(rest, coordinates, plain_value, u)
    if potential is None:
        refuse(
            "PDE924",
            plan.solve.span,
            "this flow is not of the form u_t = Lu + M g(u)",
            hint="solve it by collocation",
        )
    return symbol, -sum((k**2 for k in waves), S.Zero), potential


def _laplacian_potential(rest: Expr, coordinates: tuple[Expr, ...], value: FieldValue, u: Symbol) -> Expr | None:
    """g with Δg(u) = rest: from the coefficient g′(u) of u_xx, checked."""
    orders = [0] * (len(coordinates) + 1)
    orders[0] = 2
    second = FieldValue(value.field, tuple(orders), *value.point)
    slope = rest.expand().coeff(second)
    polynomial = Poly(slope.xreplace({value: u}), u) if slope != 0 else None
    if polynomial is None:
        return None
    g = polynomial.as_expr().integrate(u)
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
    point = Printer({Symbol("u", real=True): key, **script.constants(g)}, {key})
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
        f"def {stem}rest({key}: Tensor) -> Tensor:\n"
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
    before = [
        "k = wavenumbers(grid)",
        f"dealiased = {stem}mobility(k) * low_modes(grid)",
    ]
    return before, f'etdrk4(state["{key}"], etdrk4_coefficients({stem}symbol(k), dt), {stem}rest, dealiased)'
