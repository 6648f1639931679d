"""A density as particles: velocity, noise, start, and the steps in time.

    dθ = b(θ) dt + √(2c) dW       d(log weight) = s(θ) dt
b and s are functions of the particles alone: integrals against p are means over them.
"""

from __future__ import annotations

from sympy import Add, Expr

from pdespec.derive.components import scalar as in_coordinates
from pdespec.derive.notation import unicode
from pdespec.diagnostics import SpecError
from pdespec.emit.axes import Points, scalar, vector
from pdespec.emit.code import Precedence
from pdespec.emit.expression import Printer
from pdespec.emit.flow_reports import flow_leaf, flow_measure, flow_stderr
from pdespec.emit.flow_scope import Laws, Representation, along, covariance_code, law_code, scope_for, space
from pdespec.emit.layout import docstring, statement
from pdespec.emit.names import escape, literal
from pdespec.emit.parts import Script, Section, SolveCode, prefix, shown_name, solution_name, term_key
from pdespec.emit.regions import bounds, number
from pdespec.model.refusal import refuse
from pdespec.model.sets import Interval, Set, Torus, plain, product
from pdespec.model.terms import Law, VectorVariable
from pdespec.plan.plan import Particles


def emit_particles(plan: Particles, script: Script) -> SolveCode:
    """The sections of a solve by particles."""
    stem = prefix(plan.solve, script)
    solution = solution_name(plan.solve, script)
    laws = Laws(script)
    (here,) = space(plan.flow.field)
    name = script.names.name(here.name)
    p = Representation(plan.flow.field, name, weights="weights" if plan.flow.growth != 0 else "")
    drift = _velocity(stem, plan, here, name, p, laws, script)
    watched = _watched(stem, plan, name, p, laws, script)
    energy = [code for _, code in watched if code.startswith("def ")]
    drift = "\n\n\n".join([drift, *energy])
    sections = (
        Section(f"flow: {escape(plan.flow.equation.text.strip())}", drift, f"spec:{plan.flow.equation.span.line}"),
        Section("start", _start(stem, plan, here, script), f"spec:{plan.start.equation.span.line}"),
        Section("solve", _solve(stem, plan, here, name, watched, laws, script), f"spec:{plan.solve.span.line}"),
    )
    steps = round((plan.end - plan.begin) / plan.dt)
    labels = tuple(term_key(plan.solve, key, script) for key in ("time", *(k for k, _ in watched)))
    shown = shown_name(plan.solve)
    save = (
        f'arrays["{shown}.{script.names.name(plan.flow.field.name)}.particles"] = '
        f'torch.stack([s["{name}"].reshape(len(s["{name}"]), -1) for s in solutions["{solution}"].kept.values()])',
        f'arrays["{shown}.{script.names.name(plan.flow.field.name)}.times"] = '
        f'torch.tensor(list(solutions["{solution}"].kept))',
    )
    return SolveCode(
        plan.solve.label,
        solution,
        f"{stem}solve",
        sections,
        steps,
        labels,
        why=plan.why,
        save=lambda: save,
        leaf=flow_leaf(plan, name),
        measure=flow_measure(plan, name),
        stderr=flow_stderr(plan, name),
    )


def _velocity(stem: str, plan: Particles, here: Expr, name: str, p: Representation, laws: Laws, script: Script) -> str:
    """b, and −s where particles carry weights."""
    velocity, growth = plan.flow.velocity, plan.flow.growth
    if velocity is None:
        refuse("PDE521", plan.solve.method_span, f"`{plan.flow.label}` has no velocity for particles")
    weights = f", {p.weights}: Tensor" if p.weights else ""
    shape = f"(n, {here.dimension})" if isinstance(here, VectorVariable) else "(n,)"
    scope = scope_for(p, {here: Points(name, "i")}, script, laws, velocity, growth)
    code = (vector if isinstance(here, VectorVariable) else scalar)(along(velocity, here), scope)
    decay = scalar(-growth, scope) if growth != 0 else None
    text = code.text if code.axes else f"torch.zeros_like({name}) + {code.text}"
    lines = [
        f"def {stem}velocity({name}: Tensor{weights}{laws.arguments()}) -> Tensor:",
        docstring(escape(f"b = {unicode(velocity)}, for particles {shape}.")),
        statement("return", text),
    ]
    if decay is not None:
        lines += [
            "",
            "",
            f"def {stem}decay({name}: Tensor{weights}{laws.arguments()}) -> Tensor:",
            docstring(escape(f"−s = {unicode(-growth)}: weights fall at this rate.")),
            statement("return", decay.text if decay.axes else f"torch.full_like({p.weights}, {decay.text})"),
        ]
    return "\n".join(lines)


def _watched(
    stem: str, plan: Particles, name: str, p: Representation, laws: Laws, script: Script
) -> list[tuple[str, str]]:
    """What is monitored: the energy, or its part that needs no value of p ("potential"), and the spread."""
    found = [("spread", f'state["{name}"].std()')]
    if plan.flow.energy is None:
        return found
    summands, codes = Add.make_args(plan.flow.energy.expand(deep=False)), []
    weights = f", {p.weights}: Tensor" if p.weights else ""
    for term in summands:
        try:
            codes.append((term, scalar(term, scope_for(p, {}, script, laws, term))))
        except SpecError:  # an entropy: its value needs an estimator
            continue
    if not codes:
        return found
    key = "energy" if len(codes) == len(summands) else "potential"
    total = Add(*(term for term, _ in codes))
    text = " + ".join(code.within(Precedence.PRODUCT) for _, code in codes)
    function = "\n".join(
        [
            f"def {stem}{key}({name}: Tensor{weights}{laws.arguments()}) -> Tensor:",
            docstring(escape(unicode(total))),
            statement("return", text),
        ]
    )
    return [(key, function), *found]


def _start(stem: str, plan: Particles, here: Expr, script: Script) -> str:
    law = plan.start.equation.rhs
    d = here.dimension if isinstance(here, VectorVariable) else 1
    end = "" if d > 1 else "[:, 0]"
    if isinstance(law, Law) and law.family == "gauss":
        mean, covariance = law_code(law.parameters[0], d, script), covariance_code(law.parameters[1], d, script)
        exact = plan.method.option("moments") is not None
        more = ", exact=True" if exact else ""
        draw = f"gauss_particles({plan.count}, {mean}, {covariance}, config.seed{more}){end}"
        text = f"{plan.count} particles of {law}" + (", moved so that mean and covariance are exact." if exact else ".")
    elif isinstance(law, Law) and law.family == "points":
        rows = ", ".join("[" + ", ".join(number(c, script) for c in (q.args or (q,))) + "]" for q in law.parameters)
        if len(law.parameters) != plan.count:
            refuse(
                "PDE525",
                plan.start.equation.rhs_span,
                f"{len(law.parameters)} points for {plan.count} particles",
                hint="set n to their number",
            )
        draw, text = f"torch.tensor([{rows}], dtype=torch.float64){end}", "The particles, as written."
    else:
        draw, text = (
            _from_density(plan, here, script),
            "Particles of the initial density, by rejection from uniform points.",
        )
    return "\n".join(
        [
            f"def {stem}start(config: Config) -> Tensor:",
            docstring(escape(text)),
            statement("return", f"({draw}).to(config.device, dtype)"),
        ]
    )


def _from_density(plan: Particles, here: Expr, script: Script) -> str:
    """Rejection sampling on a bounded domain in one dimension or more."""
    domain = _domain(plan, script)
    name = script.names.name(here.name)
    columns = here.components() if isinstance(here, VectorVariable) else (here,)
    term = in_coordinates(plan.start.equation.rhs)
    texts = {c: (f"{name}[:, {k}]") for k, c in enumerate(columns)}
    write = Printer({**texts, **script.constants(term)}, set(texts.values()))
    sides = bounds(domain, script)
    box = ", ".join(f"({a}, {b})" for a, b in sides)
    end = "" if len(columns) > 1 else "[:, 0]"
    return f"rejection_particles(lambda {name}: {write(term)}, ({box},), {plan.count}, config.seed){end}"


def _domain(plan: Particles, script: Script) -> Set:
    return product(*(d.set for d in script.model.unknown(plan.flow.field.name).space))


def _solve(
    stem: str, plan: Particles, here: Expr, name: str, watched: list[tuple[str, str]], laws: Laws, script: Script
) -> str:
    steps = round((plan.end - plan.begin) / plan.dt)
    lines = [f"def {stem}solve(config: Config) -> tuple[Evolution, list[Stage]]:"]
    method = plan.integrator
    noisy = plan.flow.diffusion != 0
    lines.append(
        docstring(escape(f"{steps} steps of {plan.dt:g} by {method}" + (" with noise √(2c dt)." if noisy else ".")))
    )
    lines += [f"    {line}" for line in laws.lines()]
    if noisy:
        c = Printer(script.constants(plan.flow.diffusion))(plan.flow.diffusion)
        lines.append(f"    diffusion = {c}")
    weighted = plan.flow.growth != 0
    given = (', state["weights"]' if weighted else "") + "".join(f", {n}" for n in laws.names)
    b = f"{stem}velocity" if not given else f"lambda {name}: {stem}velocity({name}{given})"
    advance = _step(plan, name, b, noisy, script)
    wall = _walls(plan, name, script)
    after = f'{{"{name}": {wall}}}'
    if weighted:
        rates = "".join(f", {n}" for n in laws.names)
        advance.append(f'weights = reweight(state["weights"], {stem}decay(moved, state["weights"]{rates}), dt)')
        after = f'{{"{name}": {wall}, "weights": weights}}'
    first = f'{{"{name}": {stem}start(config)}}'
    if weighted:
        equal = f"torch.full(({plan.count},), {1 / plan.count!r}, dtype=dtype, device=config.device)"
        first = f'{{"{name}": {stem}start(config), "weights": {equal}}}'
    told = [f'"{term_key(plan.solve, "time", script)}": t']
    for key, code in watched:
        value = f'{stem}{key}(state["{name}"]{given})' if code.startswith("def ") else code
        told.append(f'"{term_key(plan.solve, key, script)}": {value}')
    monitored = ", ".join(told)
    lines += [
        "",
        "    def advance(state: dict[str, Tensor], t: float, dt: float, random: torch.Generator) -> dict[str, Tensor]:",
        *(f"        {line}" for line in advance),
        f"        return {after}",
        "",
        "    def monitor(state: dict[str, Tensor], t: float) -> dict[str, float | Tensor]:",
        f"        return {{{monitored}}}",
        "",
        f'    keep = report_times()["{solution_name(plan.solve, script)}"]',
        f'    flow = Evolution("{plan.solve.title or "flow"}", config.share({steps}), {literal(plan.dt)}, {first}, '
        f"advance, monitor, config.seed, {literal(plan.begin)}, keep)",
        "    return flow, [flow]",
    ]
    return "\n".join(lines)


def _step(plan: Particles, name: str, b: str, noisy: bool, script: Script) -> list[str]:
    """The lines that move the particles by one step."""
    draw = f'torch.randn(state["{name}"].shape, generator=random, dtype=dtype, device=random.device)'
    x = f'state["{name}"]'
    if not noisy:
        return [f"moved = {plan.integrator}({b}, {x}, dt)"]
    if plan.integrator == "euler":
        return [f"z = {draw}", f"moved = euler_maruyama({b}, {x}, dt, diffusion, z)"]
    if plan.integrator == "heun":
        return [f"z = {draw}", f"moved = stochastic_heun({b}, {x}, dt, diffusion, z)"]
    return [f"z = {draw}, {draw}", f"moved = split_noise({plan.integrator}, {b}, {x}, dt, diffusion, z)"]


def _walls(plan: Particles, name: str, script: Script) -> str:
    """Circles wrap, walls reflect."""
    domain = _domain(plan, script)
    parts = [plain(f) for f in plain(domain).factors]
    kinds = {type(f) for f in parts}
    if not kinds & {Torus, Interval}:
        return "moved"
    if len(kinds) > 1:
        refuse(
            "PDE908",
            plan.solve.method_span,
            "particles on a product of circles and intervals are not supported yet",
        )
    rule = "wrap" if Torus in kinds else "reflect"
    sides = bounds(domain, script)
    low, high = ([pair[k] for pair in sides] for k in (0, 1))
    ends = [f"[{', '.join(side)}]" if len(side) > 1 else side[0] for side in (low, high)]
    return f"{rule}(moved, moved.new_tensor({ends[0]}), moved.new_tensor({ends[1]}))"
