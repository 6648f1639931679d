"""Random features: the equations of a solve as rows of one least-squares problem.

    def bulk_rows(z, features, blocks):
        x, y = z.split(1, dim=1)
        phi_xx, phi_yy = features.derivatives(z, (2, 0), (0, 2))
        u_xx = phi_xx @ blocks[0]
        u_yy = phi_yy @ blocks[0]
        return bulk(x, y, u_xx, u_yy).squeeze(1), -phi_xx - phi_yy
Points, coordinates and values are columns (n, 1), so that the same residual function serves them and matrices (n, K).
"""

from __future__ import annotations

import re

from sympy import Add, Expr, Symbol

from pdespec.emit.channels import channel_name, unit
from pdespec.emit.expression import Printer
from pdespec.emit.layout import docstring, statement
from pdespec.emit.names import escape, literal
from pdespec.emit.parts import Script, Section, SolveCode, prefix, solution_name, term_key, unpacked
from pdespec.emit.pictures import saved_fields
from pdespec.emit.regions import box_code, sampler
from pdespec.emit.residuals import by_points, equations_section, less, printer, spell, used
from pdespec.plan.collapse import slope_by
from pdespec.plan.plan import Condition, Derivative, Features, Laplacian, Orders

Output = tuple[object, int | None]


def outputs(plan: Features) -> list[Output]:
    """The scalar functions to be found, in the order of the coefficient blocks."""
    return [(f, k) for f in plan.fields for k in (range(1, f.shape[0] + 1) if f.shape else [None])]


def emit_features(plan: Features, script: Script) -> SolveCode:
    """The sections of a least-squares solve."""
    stem = prefix(plan.solve, script)
    conditions = (*plan.conditions, *plan.constraints)
    rows = "\n\n\n".join(rows_function(stem, c, plan, script) for c in conditions)
    title = f"least squares for {', '.join(c.label for c in conditions)}"
    sections = (
        *equations_section(conditions, script),
        Section(escape(title), rows + "\n\n\n" + _equations(stem, plan, conditions, script)),
        Section("points", sampler(stem, conditions, script)),
        Section("solve", _solve(stem, plan, conditions, script), f"spec:{plan.solve.span.line}"),
    )
    return SolveCode(
        plan.solve.label,
        solution_name(plan.solve, script),
        f"{stem}solve",
        sections,
        1,
        tuple(_key(c, plan, script) for c in conditions),
        why=plan.why,
        save=saved_fields(plan.solve, plan.fields, plan.region, script),
    )


def rows_function(stem: str, condition: Condition, plan: Features, script: Script) -> str:
    """Residual and rows of one condition."""
    names = spell(condition, script)
    arguments = used(names, condition)
    inputs = list(names.coordinates.values())
    phi = {o: channel_name("phi", o, inputs) for o in dict.fromkeys(c.orders for c in condition.channels)}
    parts, sums = _derivatives_of_features(tuple(phi), inputs)
    write = printer(names, condition, script, {phi_symbol(o): t for o, t in phi.items()})
    rows = [_row(e, condition, plan, write) for e in condition.components]
    mentioned = set(re.findall(r"\w+", " ".join([*(t for row in rows for t in row), *arguments])))
    boundary = condition.points.kind == "boundary" and mentioned & set(names.normals.values())
    lines = _columns(inputs, "z", mentioned)
    lines += _columns([*names.normals.values()], "normals", mentioned) if boundary else []
    lines.append(unpacked(list(parts.values()), f"features.derivatives(z, {', '.join(map(literal, parts))})"))
    lines += sums
    blocks = outputs(plan)
    for channel, name in names.channels.items():
        lines.append(f"{name} = {phi[channel.orders]} @ blocks[{blocks.index((channel.field, channel.component))}]")
    if any(ZERO in row for row in rows):
        lines.append(f"{ZERO} = torch.zeros_like({next(iter(phi.values()))})")
    label = script.names.name(condition.label)
    given = "normals: Tensor, " if boundary else "weights: Tensor, " if condition.points.kind == "integral" else ""
    head = f"def {stem}{label}_rows(z: Tensor, {given}features: Features, blocks: Tensor) -> tuple[Tensor, Tensor]:"
    text = docstring(escape(f"The residual of {condition.label} and its derivative by every coefficient."))
    body = [f"    {line}" for line in lines]
    call = f"{label}({', '.join(arguments)})"
    return "\n".join([head, text, *body, *_returned(call, rows, condition, script)])


def _derivatives_of_features(wanted: tuple[Derivative, ...], inputs: list[str]) -> tuple[dict[Orders, str], list[str]]:
    """The partial derivatives that the wanted ones need, by name, and the lines that sum Laplacians from them."""
    pure = {o: [unit(i, len(inputs), 2) for i in o.over] for o in wanted if isinstance(o, Laplacian)}
    needed = dict.fromkeys(p for o in wanted for p in (pure[o] if isinstance(o, Laplacian) else [o]))
    parts = {p: channel_name("phi", p, inputs) for p in needed}
    sums = [f"{channel_name('phi', o, inputs)} = {' + '.join(parts[p] for p in found)}" for o, found in pure.items()]
    return parts, sums


ZERO = "zero"
"""The rows of an unknown that does not occur."""


def _columns(names: list[str], array: str, mentioned: set[str]) -> list[str]:
    """The line that takes an array apart into columns (n, 1), where some are mentioned."""
    if not mentioned & set(names):
        return []
    shown = [n if n in mentioned else "_" for n in names]
    return [f"{', '.join(shown)} = {array}.split(1, dim=1)" if len(shown) > 1 else f"{shown[0]} = {array}"]


def _returned(call: str, rows: list[list[str]], condition: Condition, script: Script) -> list[str]:
    """The residual (n,) and the rows (n, K) of all components one below another; of an integral, their one sum."""
    blocks = ", ".join(f"[{', '.join(row)}]" for row in rows)
    matrix = rows[0][0] if len(rows) == len(rows[0]) == 1 else f"block_rows({blocks})"
    if condition.points.kind == "integral":
        integral = f"weights @ {call}{less(condition.total, script)}"
        return [f"    rows = {matrix}", statement("return", f"{integral}, weights[None] @ rows")]
    if len(rows) == 1:
        return [statement("return", f"{call}.squeeze(1), {matrix}")]
    return [statement("residual =", f"torch.cat({call}).squeeze(1)"), statement("return", f"residual, {matrix}")]


def phi_symbol(orders: Derivative) -> Expr:
    """The symbol of a feature's derivative."""
    return Symbol(f"phi{orders}", real=True)


def _row(component: Expr, condition: Condition, plan: Features, write: Printer) -> list[str]:
    """∂R/∂c: for each scalar unknown the Gateaux derivative in the direction of all features."""
    texts = []
    for block in outputs(plan):
        own = [c for c in condition.channels if (c.field, c.component) == block]
        total = Add(*(slope_by(c, component, condition.coordinates) * phi_symbol(c.orders) for c in own))
        texts.append(ZERO if total == 0 else write(total))
    return texts


def _equations(stem: str, plan: Features, conditions: tuple[Condition, ...], script: Script) -> str:
    entries = []
    place = {c.label: script.names.name(group[0].label) for group in by_points(conditions) for c in group}
    for c in conditions:
        rows = f'{stem}{script.names.name(c.label)}_rows(*points["{place[c.label]}"], features, blocks)'
        entries.append(f'        "{_key(c, plan, script)}": {rows},')
    return "\n".join(
        [
            f"def {stem}equations(coefficients: Tensor, features: Features, "
            "points: Mapping[str, tuple[Tensor, ...]]) -> Rows:",
            docstring("Residuals and rows of all equations, a block of K coefficients for each unknown function."),
            "    blocks = coefficients.reshape(-1, features.count, 1)",
            "    return {",
            *entries,
            "    }",
        ]
    )


def _key(condition: Condition, plan: Features, script: Script) -> str:
    """The name of an equation in the history."""
    return term_key(plan.solve, script.names.name(condition.label), script)


def _solve(stem: str, plan: Features, conditions: tuple[Condition, ...], script: Script) -> str:
    blocks = outputs(plan)
    importance = ", ".join(f'"{_key(c, plan, script)}": {literal(c.weight)}' for c in conditions)
    steps = 1 if plan.linear else GAUSS_NEWTON
    fields = []
    for f in plan.fields:
        first, parts = blocks.index((f, 1 if f.shape else None)), f", {f.shape[0]}" if f.shape else ""
        fields.append(f'"{script.names.name(f.name)}": ExpansionField(expansion, {first}{parts})')
    size = f"{len(blocks)} × {plan.count} coefficients"
    how = "" if plan.linear else f", by up to {GAUSS_NEWTON} Gauss–Newton steps"
    box = f"{box_code(plan.region, script)}, {plan.count}, {len(blocks)}"
    return "\n".join(
        [
            f"def {stem}solve(config: Config) -> tuple[dict[str, ExpansionField], list[Stage]]:",
            docstring(f"{size}{how}; equations weigh by the size of their rows, conditions ten times."),
            f"    expansion = Expansion({box}, config.seed, config.device, {literal(plan.periodic)})",
            f"    points, held_out = {stem}sample(config, 0), {stem}sample(config, 1)",
            f"    importance = {{{importance}}}",
            f'    stage = LeastSquares("{plan.solve.title or "fit"}", expansion, {stem}equations, points, held_out, '
            f"importance, {steps})",
            f"    return {{{', '.join(fields)}}}, [stage]",
        ]
    )


GAUSS_NEWTON = 12
"""Steps of Gauss–Newton for equations that are not linear."""
