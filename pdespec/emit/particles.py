"""A density as particles: velocity, noise, start, and the steps in time.

    dθ = b(θ) dt + √(2c) dW       d(log weight) = s(θ) dt
b and s are functions of the particles alone: integrals against p are means over them.
"""

from __future__ import annotations

from sympy import Add, Expr, Rational, Symbol

from pdespec.derive.components import scalar as in_coordinates
from pdespec.derive.notation import unicode
from pdespec.diagnostics import SpecError
from pdespec.emit.arrays import Points
from pdespec.emit.axes import scalar, vector
from pdespec.emit.code import Precedence
from pdespec.emit.expression import Printer
from pdespec.emit.flow_reports import flow_influence, flow_leaf, flow_measure, kept_times
from pdespec.emit.flow_scope import ADVANCE, Laws, Representation, along, covariance_code, law_code, scope_for, space
from pdespec.emit.layout import docstring, statement
from pdespec.emit.names import escape, literal
from pdespec.emit.parts import Script, Section, SolveCode, prefix, shown_name, solution_name, term_key
from pdespec.emit.regions import bounds, box_code, number
from pdespec.emit.sharing import returned
from pdespec.model.bindings import Law
from pdespec.model.refusal import refuse
from pdespec.model.sets import Interval, RealSpace, Set, Torus, plain, product
from pdespec.model.terms import VectorVariable
from pdespec.plan.flows import start_density
from pdespec.plan.plan import Particles


def emit_particles(plan: Particles, script: Script) -> SolveCode:
    """The sections of a solve by particles."""
    stem = prefix(plan.solve, script)
    solution = solution_name(plan.solve, script)
    laws = Laws(script)
    here, *others = space(plan.flow.field)
    if others:
        message = "particles with several coordinates of their own are not supported yet"
        refuse("PDE909", plan.solve.method_span, message, hint="declare one vector coordinate, X(x) = R^2, or use grid")
    name = script.names.name(here.name)
    p = Representation(plan.flow.field, (name,), weights="weights" if plan.flow.growth != 0 else "")
    drift = _velocity(stem, plan, here, name, p, laws, script)
    watched = _watched(stem, plan, name, p, laws, script)
    energy = [code for _, code in watched if code.startswith("def ")]
    drift = "\n\n\n".join([drift, *energy])
    sections = (
        Section(escape(plan.flow.equation.text.strip()), drift, f"spec:{plan.flow.equation.span.line}"),
        Section("start", _start(stem, plan, here, script), f"spec:{plan.start.equation.span.line}"),
        Section("solve", _solve(stem, plan, here, name, watched, laws, script), f"spec:{plan.solve.span.line}"),
    )
    steps = round((plan.end - plan.begin) / plan.dt)
    labels = tuple(term_key(plan.solve, key, script) for key in ("time", *(k for k, _ in watched)))
    return SolveCode(
        plan.solve.label,
        solution,
        f"{stem}solve",
        sections,
        steps,
        labels,
        why=plan.why,
        save=lambda: _save(plan, name, solution, script),
        leaf=flow_leaf(plan, name),
        measure=flow_measure(plan, name),
        influence=flow_influence(plan, name),
    )


def _save(plan: Particles, name: str, solution: str, script: Script) -> tuple[str, ...]:
    """The states that were kept."""
    entry = f"{shown_name(plan.solve)}.{script.names.name(plan.flow.field.name)}"
    flow = f'solutions["{solution}"]'
    lines = (f'arrays["{entry}.times"], arrays["{entry}.particles"] = kept_states({flow}, "{name}")',)
    if plan.flow.growth == 0:
        return lines
    weights = f'kept_states({flow}, "weights")[1].squeeze(-1)'
    return (*lines, f'arrays["{entry}.weights"] = {weights}')


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
    text = code.text if code.axes else f"torch.zeros_like({name})" + (f" + {code.text}" if velocity != 0 else "")
    lines = [
        f"def {stem}velocity({name}: Tensor{weights}{laws.arguments()}) -> Tensor:",
        docstring(escape(f"b = {unicode(velocity)}, for particles {shape}.")),
        returned(text, script.names),
    ]
    if decay is not None:
        lines += [
            "",
            "",
            f"def {stem}decay({name}: Tensor{weights}{laws.arguments()}) -> Tensor:",
            docstring(escape(f"−s = {unicode(-growth)}: weights fall at this rate.")),
            returned(decay.text if decay.axes else f"torch.full_like({p.weights}, {decay.text})", script.names),
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
        except SpecError as problem:
            if any(d.code != "PDE524" for d in problem.diagnostics):
                raise
            # an entropy, whose value needs an estimator, is left out
    if not codes:
        return found
    key = "energy" if len(codes) == len(summands) else "potential"
    total = Add(*(term for term, _ in codes))
    text = " + ".join(code.within(Precedence.PRODUCT) for _, code in codes)
    function = "\n".join(
        [
            f"def {stem}{key}({name}: Tensor{weights}{laws.arguments()}) -> Tensor:",
            docstring(escape(unicode(total))),
            returned(text, script.names),
        ]
    )
    return [(key, function), *found]


def _start(stem: str, plan: Particles, here: Expr, script: Script) -> str:
    law = plan.start.equation.rhs
    column = "" if isinstance(here, VectorVariable) else "[:, 0]"
    if isinstance(law, Law) and law.family == "gauss":
        lines, draw, text = _from_gauss(plan, law, here, script)
    elif isinstance(law, Law) and law.family == "points":
        lines, draw, text = [], _from_points(plan, law, script), "The particles, as written."
    else:
        lines, draw = [], _from_density(plan, here, script)
        text = "Particles of the initial density, by rejection from uniform points."
    head = [f"def {stem}start(config: Config) -> Tensor:", docstring(escape(text))]
    return "\n".join([*head, *lines, statement("return", f"{draw}{column}.to(config.device, dtype)")])


def _from_gauss(plan: Particles, law: Law, here: Expr, script: Script) -> tuple[list[str], str, str]:
    """Draws of a Gaussian, and what they are in words."""
    d = here.dimension if isinstance(here, VectorVariable) else 1
    exact = plan.method.option("moments") is not None
    lines = [
        statement("mean =", law_code(law.parameters[0], d, script)),
        statement("covariance =", covariance_code(law.parameters[1], d, script)),
    ]
    draw = f"gauss_particles({plan.count}, mean, covariance, config.seed{', exact=True' if exact else ''})"
    text = f"{plan.count} particles of {unicode(law)}" + (", moved so that mean and covariance are exact" * exact)
    return lines, draw, f"{text}."


def _from_points(plan: Particles, law: Law, script: Script) -> str:
    """The points written in the spec, one for each particle."""
    if len(law.parameters) != plan.count:
        message = f"{len(law.parameters)} points for {plan.count} particles"
        refuse("PDE525", plan.start.equation.rhs_span, message, hint="set n to their number")
    rows = ", ".join("[" + ", ".join(number(c, script) for c in (q.args or (q,))) + "]" for q in law.parameters)
    return f"torch.tensor([{rows}], dtype=dtype)"


def _from_density(plan: Particles, here: Expr, script: Script) -> str:
    """Rejection sampling on a bounded domain."""
    name = script.names.name(here.name)
    columns = here.components() if isinstance(here, VectorVariable) else (here,)
    time = Symbol(plan.flow.field.slots[-1], real=True)
    term = in_coordinates(start_density(plan.start, columns)).subs(time, Rational(*plan.begin.as_integer_ratio()))
    texts = {c: f"{name}[:, {k}]" for k, c in enumerate(columns)}
    write = Printer({**texts, **script.constants(term)}, set(texts.values()))
    box = box_code(_domain(plan, script), script)
    value = write.code(term)
    text = value.text if value.tensor else f"torch.full_like({name}[:, 0], {value.text})"
    return f"rejection_particles(lambda {name}: {text}, {box}, {plan.count}, config.seed)"


def _domain(plan: Particles, script: Script) -> Set:
    return product(*(d.set for d in script.model.unknown(plan.flow.field.name).space))


def _solve(
    stem: str, plan: Particles, here: Expr, name: str, watched: list[tuple[str, str]], laws: Laws, script: Script
) -> str:
    steps = round((plan.end - plan.begin) / plan.dt)
    noisy, weighted = plan.flow.diffusion != 0, plan.flow.growth != 0
    text = f"{steps} steps of {plan.dt:g} by {plan.integrator}{' with noise √(2c dt)' * noisy}."
    c = Printer(script.constants(plan.flow.diffusion))(plan.flow.diffusion)
    state = [f'"{name}": {stem}start(config)']
    if weighted:
        equal = f"torch.full(({plan.count},), {1 / plan.count!r}, dtype=dtype, device=config.device)"
        state.append(f'"weights": {equal}')
    flow = (
        f'Evolution("{plan.solve.title or "flow"}", config.share({steps}), {literal(plan.dt)}, {{{", ".join(state)}}}, '
        f"advance, monitor, config.seed, {literal(plan.begin)}, keep)"
    )
    return "\n".join(
        [
            f"def {stem}solve(config: Config) -> tuple[Evolution, list[Stage]]:",
            docstring(escape(text)),
            *(f"    {line}" for line in laws.lines()),
            *([f"    diffusion = {c}"] if noisy else []),
            "",
            f"    def advance({ADVANCE}) -> dict[str, Tensor]:",
            *(f"        {line}" for line in _advance(stem, plan, name, laws, script)),
            "",
            "    def monitor(state: dict[str, Tensor], t: float) -> dict[str, float | Tensor]:",
            f"        return {{{_told(stem, plan, name, watched, laws, script)}}}",
            "",
            kept_times(plan, script),
            f"    flow = {flow}",
            "    return flow, [flow]",
        ]
    )


def _told(stem: str, plan: Particles, name: str, watched: list[tuple[str, str]], laws: Laws, script: Script) -> str:
    """The entries of what is monitored."""
    more = "".join(f", {n}" for n in laws.names)
    given = f'state["{name}"]' + (', state["weights"]' if plan.flow.growth != 0 else "") + more
    told = [f'"{term_key(plan.solve, "time", script)}": t']
    for key, code in watched:
        value = f"{stem}{key}({given})" if code.startswith("def ") else code
        told.append(f'"{term_key(plan.solve, key, script)}": {value}')
    return ", ".join(told)


def _advance(stem: str, plan: Particles, name: str, laws: Laws, script: Script) -> list[str]:
    """One step: the particles move, walls send them back, weights follow the growth."""
    weighted = plan.flow.growth != 0
    more = (', state["weights"]' if weighted else "") + "".join(f", {n}" for n in laws.names)
    b = f"lambda {name}: {stem}velocity({name}{more})" if more else f"{stem}velocity"
    lines, moved = _moved(plan, f'state["{name}"]', b)
    walls = _walls(plan, script)
    if not weighted and not walls:
        return [*lines, f'return {{"{name}": {moved}}}']
    lines.append(f"moved = {moved}")
    after = walls or "moved"
    if not weighted:
        return [*lines, f'return {{"{name}": {after}}}']
    lines.append(f'weights = reweight(state["weights"], {stem}decay(moved{more}), dt)')
    return [*lines, f'return {{"{name}": {after}, "weights": weights}}']


def _moved(plan: Particles, x: str, b: str) -> tuple[list[str], str]:
    """The line that draws the noise, and the code of the particles after a step."""
    draw = f"torch.randn({x}.shape, generator=random, dtype=dtype, device=random.device)"
    if plan.flow.diffusion == 0:
        return [], f"{plan.integrator}({b}, {x}, dt)"
    if plan.integrator in NOISY:
        return [f"z = {draw}"], f"{NOISY[plan.integrator]}({b}, {x}, dt, diffusion, z)"
    return [f"z = {draw}, {draw}"], f"split_noise({plan.integrator}, {b}, {x}, dt, diffusion, z)"


NOISY = {"euler": "euler_maruyama", "heun": "stochastic_heun"}
"""Integrators with a form of their own for √(2c) dW; half a kick before and after serves the others."""


def _walls(plan: Particles, script: Script) -> str:
    """The particles after the walls: circles wrap, intervals reflect; "" where there are none."""
    domain = _domain(plan, script)
    kinds = {type(plain(f)) for f in plain(domain).factors}
    if kinds == {RealSpace}:
        return ""
    if kinds not in ({Torus}, {Interval}):
        message = f"particles in {domain} are not supported yet"
        refuse("PDE908", plan.solve.method_span, message, hint="R^d, boxes and tori are")
    sides = bounds(domain, script)
    low, high = ([pair[k] for pair in sides] for k in (0, 1))
    ends = [f"[{', '.join(side)}]" if len(side) > 1 else side[0] for side in (low, high)]
    rule = "wrap" if kinds == {Torus} else "reflect"
    return f"{rule}(moved, moved.new_tensor({ends[0]}), moved.new_tensor({ends[1]}))"
