"""A density in cells by finite volumes, or a periodic field by Fourier modes: the potential, the start, the steps in
time.
"""

from __future__ import annotations

from math import prod

from sympy import Expr, Rational, S, Symbol, log

from pdespec.derive.components import scalar as in_coordinates
from pdespec.derive.derivation import Flow
from pdespec.derive.notation import unicode
from pdespec.derive.spread import antiderivative
from pdespec.emit.arrays import Array, Points
from pdespec.emit.axes import scalar, vector
from pdespec.emit.code import Precedence
from pdespec.emit.conduction import conduction
from pdespec.emit.expression import Printer
from pdespec.emit.flow_reports import flow_leaf, flow_measure, kept_times
from pdespec.emit.flow_scope import ADVANCE, Laws, Representation, along, corners, scope_for, space
from pdespec.emit.layout import docstring, statement
from pdespec.emit.names import escape, latin, literal
from pdespec.emit.parts import Script, Section, SolveCode, prefix, shown_name, solution_name, term_key
from pdespec.emit.regions import bounds, joined, number
from pdespec.emit.sharing import mentions, returned
from pdespec.emit.spectral import spectral_lines, spectral_section
from pdespec.model.bindings import Law
from pdespec.model.fields import FieldValue
from pdespec.model.refusal import refuse
from pdespec.model.sets import Interval, Torus, plain, product
from pdespec.model.terms import Variable, VectorVariable, flat
from pdespec.plan.flows import needs_density, start_density
from pdespec.plan.plan import Grid


def emit_grid(plan: Grid, script: Script) -> SolveCode:
    """The sections of a solve on a grid."""
    stem = prefix(plan.solve, script)
    solution = solution_name(plan.solve, script)
    laws = Laws(script)
    key = script.names.name(plan.flow.field.name)
    flow = (
        spectral_section(stem, plan, script) if plan.scheme == "spectral" else _potential(stem, plan, key, laws, script)
    )
    sections = (
        Section(escape(plan.flow.equation.text.strip()), flow, f"spec:{plan.flow.equation.span.line}"),
        Section("start", _start(stem, plan, script), f"spec:{plan.start.equation.span.line}"),
        Section("solve", _solve(stem, plan, key, laws, script), f"spec:{plan.solve.span.line}"),
    )
    steps = round((plan.end - plan.begin) / plan.dt)
    keys = ("time", *(("energy",) if plan.flow.energy is not None else ()), "mass", "minimum")
    labels = tuple(term_key(plan.solve, k, script) for k in keys)
    return SolveCode(
        plan.solve.label,
        solution,
        f"{stem}solve",
        sections,
        steps,
        labels,
        why=plan.why,
        save=lambda: _save(plan, key, solution, script),
        leaf=flow_leaf(plan, key),
        measure=flow_measure(plan, key),
    )


def representation(plan: Grid, script: Script) -> tuple[Representation, dict[Variable, Points]]:
    """p in cells: values `p` over centres, which are named after the coordinates and share the axis of the cells."""
    here = space(plan.flow.field)
    names = tuple(script.names.name(v.name) for v in here)
    values = script.names.name(plan.flow.field.name)
    p = Representation(plan.flow.field, names, values, "grid.volume", cells=prod(plan.cells))
    return p, {v: Points(name, "i") for v, name in zip(here, names, strict=True)}


def centres(here: dict[Variable, Points], plan: Grid, text: str) -> list[str]:
    """The line that gives the centres of the cells by coordinate, where code mentions them."""
    names = [points.code for points in here.values()]
    if not any(mentions(text, name) for name in names):
        return []
    (first, *_) = here
    rows = "grid.centres()"
    code = f"{rows}.flatten()" if len(plan.cells) == 1 else f"{rows}.reshape(-1, {len(plan.cells)})"
    if len(plan.cells) == 1 and isinstance(first, VectorVariable):
        code = f"{rows}.reshape(-1, 1)"
    return [f"    {', '.join(names)} = {code}{'.unbind(-1)' if len(names) > 1 else ''}"]


def _function(stem: str, name: str, term: Expr, plan: Grid, laws: Laws, script: Script, what: str) -> str:
    """A field over the cells as a function of the density."""
    p, here = representation(plan, script)
    scope = scope_for(p, here, script, laws, term)
    code = scalar(term, scope)
    depends = term.has(FieldValue)
    (first, *_) = here
    like = f"{here[first].code}{'' if first.is_Symbol else '[..., 0]'}"
    text = code.text if code.axes else f"torch.full_like({like}, {code.text})"
    given = f"{p.values}: Tensor, " if depends else ""
    lines = [
        f"def {stem}{name}({given}grid: Grid{laws.arguments()}) -> Tensor:",
        docstring(escape(f"{what} = {unicode(term)}, in the cells.")),
        *centres(here, plan, text),
    ]
    if depends:
        lines.append(f"    {p.values} = {p.values}.flatten()")
    whole = Array(text, level=code.level if code.axes else Precedence.ATOM).tight()
    lines.append(returned(f"{whole}.reshape(grid.cells)", script.names))
    return "\n".join(lines)


def _potential(stem: str, plan: Grid, key: str, laws: Laws, script: Script) -> str:
    """The functions of the cells that the scheme needs: Φ or b, δE/δp without linear diffusion, D, s, E."""
    flow = plan.flow
    wanted, parts = _wanted(plan), []
    if plan.scheme == "scharfetter-gummel" and flow.potential is None:
        parts.append(_drift(stem, plan, laws, script))
    # a first pass finds the rules and convolutions that all of them take as arguments
    for _ in range(2):
        functions = [_function(stem, name, term, plan, laws, script, what) for name, (term, what) in wanted.items()]
        energy = [_energy(stem, plan, laws, script)] if flow.energy is not None else []
    return "\n\n\n".join([*parts, *functions, *energy])


def _wanted(plan: Grid) -> dict[str, tuple[Expr, str]]:
    """The fields over the cells, with what they are called in words."""
    flow = plan.flow
    found: dict[str, tuple[Expr, str]] = {}
    if plan.scheme == "upwind" and not _rests(flow):
        variation, slope = _nonlinear(plan)
        found |= {"variation": (variation, "ξ"), "diffusivity": (slope, "c + P′(p)")}
    elif plan.scheme == "mobility":
        found |= conduction(plan)
    elif plan.scheme != "upwind" and flow.potential is not None:
        found["potential"] = (flow.potential, "Φ")
    return found | ({"decay": (-flow.growth, "−s")} if flow.growth != 0 else {})


def _rests(flow: Flow) -> bool:
    """Whether nothing moves, so that mass is only born and dies in its place."""
    return flow.potential == 0 and flow.diffusion == 0 and flow.pressure is None and flow.growth != 0


def _nonlinear(plan: Grid) -> tuple[Expr, Expr]:
    """(ξ, D): ∂t p = ∇·(p ∇ξ) + c Δp and D = c + P′(p); ξ is δE/δp without c ln p in W2, else Φ + ∫P′(p)/p dp."""
    flow = plan.flow
    steepest = flow.mobility == flow.field.here()
    if flow.potential is None and not steepest:
        refuse(
            "PDE921",
            plan.solve.method_span,
            "a drift without a potential is supported on a grid only beside linear diffusion yet",
            hint="take a drift -∇V" if needs_density(flow) else "use particles, or take a drift -∇V",
        )
    value, symbol = flow.field.here(), Symbol("_p", positive=True)
    pressure = flow.pressure if flow.pressure is not None else S.Zero
    slope = pressure.xreplace({value: symbol}).diff(symbol).xreplace({symbol: value})
    if steepest:
        return (flow.variation - flow.diffusion * log(value)).expand(), flow.diffusion + slope
    height = antiderivative(slope / value, value)
    assert height is not None, "a pressure is a sum of powers of p"
    return (flow.potential + height).expand(), flow.diffusion + slope


def _drift(stem: str, plan: Grid, laws: Laws, script: Script) -> str:
    """A drift without a potential, at any points."""
    flow = plan.flow
    p, here = representation(plan, script)
    if flow.velocity is None or flow.velocity.has(FieldValue):
        refuse(
            "PDE921",
            plan.solve.method_span,
            "a drift that depends on p and has no potential is not supported on a grid yet",
            hint="use particles, or write the flow as ∂t p = -grad(E, p; metric=W2)",
        )
    scope = scope_for(p, here, script, laws, flow.velocity)
    names = [points.code for points in here.values()]
    (only, *others) = here
    if others or isinstance(only, VectorVariable):
        text = vector(flow.velocity, scope).text
        first = [f"    {', '.join(names)} = z.unbind(-1)"] if others else []
    else:
        text = f"({scalar(along(flow.velocity, only), scope).text})[..., None]"
        first = [f"    {names[0]} = {names[0]}[..., 0]"]
    given = "z" if others else names[0]
    lines = [f"def {stem}drift({given}: Tensor) -> Tensor:", docstring(escape(f"b = {unicode(flow.velocity)}")), *first]
    return "\n".join([*lines, statement("return", text)])


def _energy(stem: str, plan: Grid, laws: Laws, script: Script) -> str:
    p, here = representation(plan, script)
    term = plan.flow.energy
    assert term is not None
    code = scalar(term, scope_for(p, {}, script, laws, term))
    return "\n".join(
        [
            f"def {stem}energy({p.values}: Tensor, grid: Grid{laws.arguments()}) -> Tensor:",
            docstring(escape(f"{plan.flow.energy_name or 'E'} = {unicode(term)}")),
            *centres(here, plan, code.text),
            f"    {p.values} = {p.values}.flatten()",
            returned(code.text, script.names),
        ]
    )


def _start(stem: str, plan: Grid, script: Script) -> str:
    variables = space(plan.flow.field)
    flat = tuple(c for v in variables for c in (v.components() if isinstance(v, VectorVariable) else (v,)))
    time = Symbol(plan.flow.field.slots[-1], real=True)
    term = in_coordinates(start_density(plan.start, flat)).subs(time, number_of(plan.begin))
    names = {c: f"z[..., {k}]" for k, c in enumerate(flat)}
    write = Printer({**names, **script.constants(term)}, set(names.values()))
    value = write.code(term)
    text = value.text if value.tensor else f"torch.full_like(z[..., 0], {value.text})"
    law = plan.start.equation.rhs
    what = f"The density of {unicode(law)}." if isinstance(law, Law) else unicode(term)
    lines = [f"def {stem}initial(z: Tensor) -> Tensor:", docstring(escape(what)), statement("return", text)]
    return "\n".join(lines)


def number_of(value: float) -> Expr:
    """A float as an exact decimal."""
    return Rational(*value.as_integer_ratio())


def _grid(plan: Grid, script: Script) -> str:
    domain = product(*(d.set for d in script.model.unknown(plan.flow.field.name).space))
    if plan.box is not None:
        sides = [(number(a, script), number(b, script)) for a, b in plan.box]
        periodic = (False,) * len(sides)
    else:
        sides = bounds(domain, script)
        parts = [plain(f) for f in plain(domain).factors]
        if not all(isinstance(f, (Interval, Torus)) for f in parts):
            refuse(
                "PDE923",
                plan.solve.method_span,
                f"a grid on {domain} is not supported yet",
                hint="intervals, boxes and tori are",
            )
        periodic = tuple(isinstance(f, Torus) for f in parts for _ in range(f.dimension))
    low, high = (joined([pair[k] for pair in sides]) for k in (0, 1))
    return f"Grid({low}, {high}, {literal(plan.cells)}, {literal(periodic)}, config.device)"


def _solve(stem: str, plan: Grid, key: str, laws: Laws, script: Script) -> str:
    steps = round((plan.end - plan.begin) / plan.dt)
    lines = [
        f"def {stem}solve(config: Config) -> tuple[GridFlow, list[Stage]]:",
        docstring(escape(f"{steps} steps of {plan.dt:g}.")),
        f"    grid = {_grid(plan, script)}",
    ]
    lines += [f"    {line}" for line in laws.lines()]
    density = plan.scheme != "spectral"
    if density:
        lines.append(f"    {key} = probability(cell_averages({stem}initial, grid), grid)")
    else:
        lines.append(f"    {key} = {stem}initial({corners(plan)})")
    before, step = (
        spectral_lines(stem, plan, key, script) if not density else _density_step(stem, plan, key, laws, script)
    )
    lines += [f"    {line}" for line in before]
    energy = plan.flow.energy is not None
    given = "".join(f", {n}" for n in laws.names) if density else ""
    values = {"time": "t", "energy": f'{stem}energy(state["{key}"], grid{given})'} if energy else {"time": "t"}
    values |= {"mass": f'mass(state["{key}"], grid)', "minimum": f'state["{key}"].min()'}
    monitored = [f'"{term_key(plan.solve, name, script)}": {value}' for name, value in values.items()]
    lines += [
        "",
        f"    def advance({ADVANCE}) -> dict[str, Tensor]:",
        f'        return {{"{key}": {step}}}',
        "",
        "    def monitor(state: dict[str, Tensor], t: float) -> dict[str, float | Tensor]:",
        f"        return {{{', '.join(monitored)}}}",
        "",
        kept_times(plan, script),
        f'    flow = GridFlow("{plan.solve.title or "flow"}", config.share({steps}), '
        f'{literal(plan.dt)}, {{"{key}": {key}}}, '
        f"advance, monitor, config.seed, {literal(plan.begin)}, keep, grid)",
        "    return flow, [flow]",
    ]
    return "\n".join(lines)


def _density_step(stem: str, plan: Grid, key: str, laws: Laws, script: Script) -> tuple[list[str], str]:
    """Lines before the steps, and the step of a density: transport, with births and deaths in Strang's splitting."""
    flow = plan.flow
    c = Printer(script.constants(flow.diffusion))(flow.diffusion)
    given = "".join(f", {n}" for n in laws.names)
    before: list[str] = []

    def field_at(name: str) -> str:
        depends = _wanted(plan)[name][0].has(FieldValue)
        return f"{stem}{name}({f'{key}, ' if depends else ''}grid{given})"

    def field_of(name: str) -> str:
        return f"lambda {key}: {field_at(name)}"

    def moved(state: str, dt: str) -> str:
        if plan.scheme == "upwind":
            return f"aggregate({state}, {field_of('variation')}, {field_of('diffusivity')}, {c}, grid, {dt})"
        if plan.scheme == "mobility":
            mobility = f"({field_of('per_mass')}, {field_of('slope')})"
            others = ", ".join(map(field_of, ("pressure", "diffusivity")))
            return f"conduct({state}, {field_of('variation')}, {mobility}, {others}, grid, {dt})"
        if flow.potential is not None and flow.potential.has(FieldValue):
            return f"mean_field_step({state}, {field_of('potential')}, {c}, grid, {dt})"
        return f"transport({state}, chain, {dt})"

    state = f'state["{key}"]'
    if _rests(flow):
        return before, f"react({state}, {field_of('decay')}, dt)"
    if "chain" in moved("", ""):
        jumps = (
            f"drift_jumps({stem}drift, grid)"
            if flow.potential is None
            else f"potential_jumps({field_at('potential')}, grid)"
        )
        before.append(f"chain = hops({jumps}, {c}, grid)")
    if flow.growth == 0:
        return before, moved(state, "dt")
    before += [
        "",
        "def react_by(density: Tensor, span: float) -> Tensor:",
        f"    return react(density, {field_of('decay')}, span)",
        "",
        "def move_by(density: Tensor, span: float) -> Tensor:",
        f"    return {moved('density', 'span')}",
    ]
    return before, f"strang(react_by, move_by, {state}, dt)"


def _save(plan: Grid, key: str, solution: str, script: Script) -> tuple[str, ...]:
    """The states that were kept, over their axes."""
    names = [
        f"{latin(v.name)}{k}" if isinstance(v, VectorVariable) else latin(v.name)
        for v in space(plan.flow.field)
        for k in range(1, len(flat((v,))) + 1)
    ]
    shown = shown_name(plan.solve)
    time = latin(plan.flow.field.slots[-1])
    kept = f'kept_fields(solutions["{solution}"], "{key}")'
    lines = [f'grid = solutions["{solution}"].grid']
    for k, name in enumerate(names):
        index = ", ".join([":" if j == k else "0" for j in range(len(names))] + [str(k)])
        places = "grid.centres()" if plan.scheme != "spectral" else corners(plan)
        lines.append(f'arrays["{shown}.{key}.axis.{name}"] = {places}[{index}]')
    return (*lines, f'arrays["{shown}.{key}.time.{time}"], arrays["{shown}.{key}"] = {kept}')
