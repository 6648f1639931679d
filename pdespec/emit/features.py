"""Random features: the equations of a solve as rows of one least-squares problem.

    def bulk_rows(z, features, blocks):
        x, y = z.split(1, dim=1)
        phi_xx, phi_yy = features.derivatives(z, (2, 0), (0, 2))
        u_xx, u_yy = phi_xx @ blocks[0], phi_yy @ blocks[0]
        return bulk(x, y, u_xx, u_yy), -(phi_xx + phi_yy)
Points, coordinates and values are columns (n, 1), so that the same residual function serves them and matrices (n, K).
"""

from __future__ import annotations

import re

from sympy import Expr, Symbol

from pdespec.emit.channels import channel_name
from pdespec.emit.expression import Printer
from pdespec.emit.layout import docstring, statement
from pdespec.emit.names import escape, literal
from pdespec.emit.parts import Script, Section, SolveCode, prefix, solution_name
from pdespec.emit.pictures import saved_fields
from pdespec.emit.regions import box_code, sampler
from pdespec.emit.residuals import coordinate_name, jacobian, printer, residual_function, spell, used
from pdespec.plan.plan import Condition, Features

Output = tuple[object, int | None]


def outputs(plan: Features) -> list[Output]:
    """The scalar functions to be found, in the order of the coefficient blocks."""
    return [(f, k) for f in plan.fields for k in (range(1, f.shape[0] + 1) if f.shape else [None])]


def emit_features(plan: Features, script: Script) -> SolveCode:
    """The sections of a least-squares solve."""
    stem = prefix(plan.solve, script)
    conditions = (*plan.conditions, *plan.constraints)
    equations = "\n\n\n".join(residual_function(c, script) for c in conditions)
    rows = "\n\n\n".join(rows_function(c, plan, script) for c in conditions)
    names = [script.names.name(c.label) for c in conditions]
    title = ", ".join(c.label for c in conditions)
    sections = (
        Section("equations", equations),
        Section(f"least squares for {title}", rows + "\n\n\n" + _equations(stem, names, script)),
        Section("points", sampler(stem, conditions, script)),
        Section("solve", _solve(stem, plan, conditions, script), f"spec:{plan.solve.span.line}"),
    )
    solution = solution_name(plan.solve, script)
    return SolveCode(
        plan.solve.label,
        solution,
        f"{stem}solve",
        sections,
        1,
        tuple(script.names.name(c.label) for c in conditions),
        why=plan.why,
        save=saved_fields(plan.solve, plan.fields, plan.region, script),
    )


def rows_function(condition: Condition, plan: Features, script: Script) -> str:
    """Residual and rows of one condition."""
    names = spell(condition, script)
    orders = list(dict.fromkeys(c.orders for c in condition.channels))
    inputs = [coordinate_name(c, script) for c in condition.coordinates]
    phi = {o: channel_name("phi", o, inputs) for o in orders}
    blocks = outputs(plan)
    lines = []
    normals = list(names.normals.values())
    boundary = condition.points.kind == "boundary" and any(n in used(names, condition) for n in normals)
    if boundary:
        lines.append(
            f"{', '.join(normals)} = normals.split(1, dim=1)" if len(normals) > 1 else f"{normals[0]} = normals"
        )
    lines.append(
        f"{', '.join(phi.values())}{',' if len(phi) == 1 else ''} = "
        f"features.derivatives(z, {', '.join(map(literal, orders))})"
    )
    for channel, name in names.channels.items():
        lines.append(f"{name} = {phi[channel.orders]} @ blocks[{blocks.index((channel.field, channel.component))}]")
    name = script.names.name(condition.label)
    arguments_used = used(names, condition)
    call = f"{name}({', '.join(arguments_used)})"
    write = printer(names, condition, script, {phi_symbol(o): t for o, t in phi.items()})
    first = next(iter(phi.values()))
    rows = [_row(e, condition, blocks, write, first) for e in condition.components]
    mentioned = set(re.findall(r"\w+", " ".join([*rows, *arguments_used])))
    if mentioned & set(inputs):
        shown = [n if n in mentioned else "_" for n in inputs]
        lines.insert(0, f"{', '.join(shown)} = z.split(1, dim=1)" if len(inputs) > 1 else f"{inputs[0]} = z")
    arguments = (
        "z: Tensor, normals: Tensor, features: Features, blocks: Tensor"
        if boundary
        else "z: Tensor, features: Features, blocks: Tensor"
    )
    head = f"def {name}_rows({arguments}) -> tuple[Tensor, Tensor]:"
    body = "\n".join("    " + line for line in lines)
    if condition.points.kind == "integral":
        end = statement("return", f"{call}.mean(0), ({rows[0]}).mean(0, keepdim=True)")
    elif len(rows) == 1:
        end = statement("return", f"{call}.squeeze(1), {rows[0]}")
    else:
        end = f"    residual = torch.cat({call}).squeeze(1)\n" + statement(
            "return", f"residual, torch.cat([{', '.join(rows)}])"
        )
    text = docstring(escape(f"The residual of {condition.label} and its derivative by every coefficient."))
    return f"{head}\n{text}\n{body}\n{end}"


def phi_symbol(orders: tuple[int, ...]) -> Expr:
    """The symbol of a feature's derivative."""
    return Symbol("phi" + "".join(map(str, orders)), real=True)


def _row(component: Expr, condition: Condition, blocks: list[Output], write: Printer, first: str) -> str:
    """∂R/∂c: for each scalar unknown the Gateaux derivative in the direction of all features."""
    texts = []
    for block in blocks:
        total = sum(
            jacobian(condition, component, c) * phi_symbol(c.orders)
            for c in condition.channels
            if (c.field, c.component) == block
        )
        texts.append(None if total == 0 else write(total))
    if len(texts) == 1:
        return str(texts[0])
    return "torch.cat([" + ", ".join(t if t else f"torch.zeros_like({first})" for t in texts) + "], dim=1)"


def _equations(stem: str, names: list[str], script: Script) -> str:
    entries = "\n".join(f'        "{n}": {n}_rows(*points["{n}"], features, blocks),' for n in names)
    return (
        f"def {stem}equations("
        "coefficients: Tensor, features: Features, points: Mapping[str, tuple[Tensor, ...]]) -> Rows:\n"
        '    """Residuals and rows of all equations at these coefficients, a block of K for each unknown function."""\n'
        f"    blocks = coefficients.reshape(-1, features.count, 1)\n"
        f"    return {{\n{entries}\n    }}"
    )


def _solve(stem: str, plan: Features, conditions: tuple[Condition, ...], script: Script) -> str:
    box = box_code(plan.region, script)
    importance = "{" + ", ".join(f'"{script.names.name(c.label)}": {literal(c.weight)}' for c in conditions) + "}"
    steps = 1 if plan.linear else 12
    blocks = outputs(plan)
    size = f"{len(blocks)} × {plan.count} coefficients"
    fields = ", ".join(
        f'"{script.names.name(f.name)}": ExpansionField(expansion, {blocks.index((f, 1 if f.shape else None))}'
        + (f", {f.shape[0]})" if f.shape else ")")
        for f in plan.fields
    )
    return (
        f"def {stem}solve(config: Config) -> tuple[dict[str, ExpansionField], list[Stage]]:\n"
        f'    """{size}; equations weigh by the size of their rows, conditions ten times."""\n'
        f"    expansion = Expansion({box}, {plan.count}, {len(blocks)}, "
        f"config.seed, config.device, {literal(plan.periodic)})\n"
        f"    points, held_out = {stem}sample(config, 0), {stem}sample(config, 1)\n"
        f"    importance = {importance}\n"
        f'    stage = LeastSquares("{plan.solve.title or "fit"}", expansion, {stem}equations, '
        f"points, held_out, importance, {steps})\n"
        f"    return {{{fields}}}, [stage]"
    )
