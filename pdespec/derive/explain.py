"""The derivation told to a person: each term with the rule that gave it and the place of the rule.

Energies come first with their variations, then every equation with its steps, what it means for particles, what it
dissipates and where it comes to rest, then objectives; a check stands under the equation that it is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sympy import Expr, Mul, S, Symbol, exp, sqrt

from pdespec.derive.derivation import Derivation, Flow, Identity, Objective, Residual, Step
from pdespec.derive.gradient import gradient
from pdespec.derive.notation import latex as latex_of
from pdespec.derive.notation import unicode
from pdespec.derive.operators import region_name
from pdespec.derive.resolve import rewritten, slots
from pdespec.derive.tensors import ParticleMean
from pdespec.model.bindings import Defined, Expect, Integrate, Law
from pdespec.model.fields import FieldValue
from pdespec.model.model import Definition, Model, Unknown
from pdespec.model.sets import Set, plain
from pdespec.model.substitution import substitute
from pdespec.model.terms import Parameter, VectorVariable, shape
from pdespec.model.vectors import Grad
from pdespec.source import Span

RULES_AT, PLACES_AT = 54, 86
COUNTS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the account: what precedes the term, the term, the rule and its place.

    The term is words, an expression, or a formula of pieces (a tuple of symbols as text and of expressions).
    """

    lead: str
    term: Any
    rule: str = ""
    span: Span | None = None
    indent: int = 2

    def text(self) -> str:
        """The line for the terminal; a rule that does not fit beside its term stands below it."""
        left = " " * self.indent + self.lead + "".join(map(_unicode, self._pieces()))
        right = self.rule.ljust(PLACES_AT - RULES_AT) + ("  " + place(self.span) if self.span else "")
        if not right.strip():
            return left.rstrip()
        if len(left) >= RULES_AT:
            left += "\n"
            return (left + " " * RULES_AT + right).rstrip() if self.rule else f"{left[:-1]}  {place(self.span)}"
        return (left.ljust(RULES_AT) + right).rstrip()

    def latex(self) -> str:
        """The line as one row of an `align*`."""
        term = rf"\text{{{escaped(self.term)}}}" if isinstance(self.term, str) else "".join(map(_latex, self._pieces()))
        lead = rf"\text{{{escaped(self.lead)}}}" if self.lead.strip(" =") else self.lead.strip()
        rule = " ".join(filter(None, (self.rule, place(self.span))))
        return rf"{lead} & {term}" + (rf" && \text{{{escaped(rule)}}}" if rule else "")

    def _pieces(self) -> tuple[Any, ...]:
        return self.term if isinstance(self.term, tuple) else (self.term,)


def _unicode(piece: Any) -> str:
    return piece if isinstance(piece, str) else unicode(piece)


def _latex(piece: Any) -> str:
    if not isinstance(piece, str):
        return latex_of(piece)
    if " on " in piece:
        return rf"\text{{{escaped(piece)}}}"
    return piece.replace("≤", r"\le").replace(" dt", r"\,dt").replace(" dW", r"\,dW")


def text(derivation: Derivation) -> str:
    """The account for the terminal."""
    blocks = [_head(derivation)]
    blocks += ["\n".join(line.text() for line in block) for block in _blocks(derivation)]
    return "\n\n".join(blocks) + "\n"


def latex(derivation: Derivation) -> str:
    """The account as a LaTeX fragment of `align*` environments."""
    blocks = [rf"\paragraph{{{escaped(_head(derivation))}}}"]
    for block in _blocks(derivation):
        rows = " \\\\\n".join(line.latex() for line in block)
        blocks.append(r"\begin{align*}" + f"\n{rows}\n" + r"\end{align*}")
    return "\n\n".join(blocks) + "\n"


def place(span: Span | None) -> str:
    """`sgd.pde:7`."""
    return f"{Path(span.source.name).name}:{span.line}" if span is not None else ""


def escaped(words: str) -> str:
    """Words for LaTeX's text mode."""
    for c in "\\{}$&#^_%~":
        words = words.replace(c, {"\\": r"\textbackslash{}", "^": r"\^{}", "~": r"\~{}"}.get(c, "\\" + c))
    return words


# ── blocks ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _head(derivation: Derivation) -> str:
    model = derivation.model
    name = Path(model.source.name).name if model.source.name else model.name
    return " · ".join([name, *map(declared, model.unknowns), *_flows_of(derivation.flows)])


def _flows_of(flows: tuple[Flow, ...]) -> list[str]:
    """`three flows of one energy`."""
    energies = {f.energy_name for f in flows if f.energy_name}
    if len(flows) < 2 or len(energies) != 1:
        return []
    return [f"{COUNTS.get(len(flows), str(len(flows)))} flows of one energy"]


def declared(unknown: Unknown) -> str:
    """`p : P(Θ) over I`, `u : X × I → R²`."""
    if unknown.kind == "density":
        over = f" over {unknown.time.name}" if unknown.time else ""
        return f"{unknown.name} : P({' × '.join(d.name for d in unknown.space)}){over}"
    target = "R" + "".join(f"^{n}" for n in unknown.field.shape)
    source = " × ".join(d.name for d in unknown.domains)
    return f"{unknown.name} : {source} → {target}" if source else f"{unknown.name} : {target}"


def _blocks(derivation: Derivation) -> Iterator[list[Line]]:
    told: set[str] = set()
    yield from _energies(derivation)
    for r in derivation.residuals:
        block = _equation(r, derivation.flow(r.label))
        block += _checks(derivation.identities, r.label, told)
        yield block
    for o in derivation.objectives:
        yield _objective(o, derivation.model)
    rest = [i for i in derivation.identities if i.check.text not in told]
    if rest:
        yield [line for i in rest for line in _identity(i)]


def _energies(derivation: Derivation) -> Iterator[list[Line]]:
    """Each energy of a flow with its first variation."""
    seen: set[str] = set()
    for flow in derivation.flows:
        if flow.energy is None or flow.variation is None or flow.energy_name in seen:
            continue
        seen.add(flow.energy_name)
        definition = next((d for d in derivation.model.definitions if d.name == flow.energy_name), None)
        name = f"δ{flow.energy_name}/δ{flow.field.name} = "
        head = _definition(definition) if definition else Line(f"{flow.energy_name} = ", flow.energy, indent=0)
        yield [head, Line(name, flow.variation, _leaves(flow))]


def _definition(definition: Definition) -> Line:
    return Line("", definition.text.replace(":=", "="), span=definition.span, indent=0)


def _leaves(flow: Flow) -> str:
    """How often the field occurs in its energy."""
    assert flow.energy is not None
    n = sum(1 for _ in _occurrences(flow.energy, flow.field))
    times = {1: "once", 2: "twice"}.get(n, f"{n} times")
    return f"leaf rule: {flow.field.name} appears {times}"


def _occurrences(term: Any, field: Any) -> Iterator[Any]:
    if isinstance(term, FieldValue) and term.field == field:
        yield term
    for a in getattr(term, "args", ()):
        yield from _occurrences(a, field)


def _equation(residual: Residual, flow: Flow | None) -> list[Line]:
    equation = residual.equation
    written = equation.text.partition(":")[2].strip() if ":" in equation.text else equation.text
    lines = [Line(f"{equation.label}  ", written, span=equation.span, indent=0)]
    if flow is None:
        if residual.role == "interior" and residual.components:
            lines.append(Line("residual: ", residual.term, "linear" if residual.linear else "nonlinear"))
        return lines
    if flow.energy is None and not flow.conservative:
        lines.append(Line("= ", flow.right, "linear" if residual.linear else "nonlinear"))
    steps = [s for s in flow.steps if not s.rule.startswith("dE/dt")]
    lines += [Line("= ", s.term, _rule(s), s.span) for s in steps]
    lines += _transport(flow)
    for s in flow.steps:
        if s.rule.startswith("dE/dt"):
            signed = " ≤ 0" if flow.metric.split("(")[0] in ("W2", "L2", "Hm1", "Stein", "FR", "WFR") else ""
            lines.append(Line(f"d{flow.energy_name}/dt = ", (s.term, signed), "monitored as an identity"))
    if flow.stationary is not None:
        lines.append(Line(f"stationary: {flow.field.name}∞ ∝ ", _gibbs(flow.stationary)))
    return lines


def _rule(step: Step) -> str:
    return step.rule.replace(":=", "=")


def _gibbs(law: Law) -> Expr:
    potential, inverse = law.parameters[:2]
    return exp(-inverse * potential)


# ── particles ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _transport(flow: Flow) -> list[Line]:
    """What the flow does to a particle, or why it needs the density's value."""
    if not flow.conservative or flow.velocity is None:
        return []
    if flow.pressure is not None or (flow.velocity.has(FieldValue) and _needs_value(flow.velocity, flow)):
        return [Line("particles: ", "need the value of the density", "density = knn | kde | blob in `using`")]
    x = _point(flow)
    interacting = flow.velocity.has(Integrate)
    velocity = rewritten(flow.velocity, {Grad: _explicit})
    moved = _as_means(velocity, x, flow) if interacting else velocity
    drift: tuple[Any, ...] = () if moved == 0 else ("(", moved, ") dt") if moved.is_Add else (moved, " dt")
    noise: tuple[Any, ...] = () if flow.diffusion == 0 else (sqrt(2 * flow.diffusion), " dW")
    join = (" + ",) if drift and noise else ()
    rule = "linear diffusion is Brownian noise" if noise else "the density is carried along"
    here = _renamed(x, "ᵢ") if interacting else x
    lines = [Line("particles: ", ("d", here, " = ", *(drift + join + noise or ("0",))), rule)]
    if flow.growth != 0:
        lines.append(Line("weights: d ln w/dt = ", flow.growth, "births and deaths"))
    return lines


def _explicit(node: Grad) -> Expr:
    """∇(x²/2) written as x; what has a name keeps it."""
    if node.operand.has(Defined, FieldValue, Integrate, Expect) or shape(node.operand) or len(node.variables) != 1:
        return node
    return gradient(node.operand, node.variables[0])


def _needs_value(velocity: Expr, flow: Flow) -> bool:
    """Whether the density at the particle's own point, or a derivative of it, stands in the velocity."""
    return any(v.field == flow.field and _bare(v, velocity) for v in velocity.atoms(FieldValue))


def _bare(v: FieldValue, velocity: Expr) -> bool:
    own = [s for s in v.point if isinstance(s, (Symbol, VectorVariable))]
    return bool(own) and all(not _bound(s, velocity) for s in own)


def _bound(s: Any, term: Any) -> bool:
    return any(s in n.variables for n in term.atoms(Integrate)) if hasattr(term, "atoms") else False


def _point(flow: Flow) -> Any:
    return slots(flow.field)[0]


def _as_means(velocity: Expr, x: Any, flow: Flow) -> Expr:
    """∫ p(φ) f(θ, φ) dφ written as 1/n Σⱼ f(θᵢ, θⱼ)."""
    here, there = _renamed(x, "ᵢ"), _renamed(x, "ⱼ")

    def replaced(term: Any) -> Any:
        coefficient, integral = S.One, term
        if term.is_Mul:
            coefficient = Mul(*(f for f in term.args if f.is_number or isinstance(f, Parameter) or _is_constant(f)))
            integral = term / coefficient
        mean = _mean(integral, there, coefficient, flow)
        if mean is not None:
            return mean
        if not getattr(term, "args", ()) or not term.has(Integrate):
            return term
        return term.func(*(replaced(a) if isinstance(a, Expr) else a for a in term.args))

    return substitute(replaced(velocity), {x: here})


def _is_constant(f: Expr) -> bool:
    return f.is_Pow and all(isinstance(s, Parameter) for s in f.free_symbols)


def _mean(term: Any, there: Any, coefficient: Expr, flow: Flow) -> Expr | None:
    if not isinstance(term, Integrate) or len(term.variables) != 1:
        return None
    factors = Mul.make_args(term.body)
    weight = [f for f in factors if isinstance(f, FieldValue) and f.field == flow.field]
    if len(weight) != 1:
        return None
    rest = substitute(Mul(*(f for f in factors if f is not weight[0])), {term.variables[0]: there})
    if (rest * coefficient).could_extract_minus_sign() and coefficient.could_extract_minus_sign():
        return -ParticleMean(rest, -coefficient)
    return ParticleMean(rest, coefficient)


def _renamed(x: Any, mark: str) -> Any:
    return (
        VectorVariable(x.name + mark, x.dimension)
        if isinstance(x, VectorVariable)
        else Symbol(x.name + mark, real=True)
    )


# ── objectives and checks ─────────────────────────────────────────────────────────────────────────────────────────────


def _objective(objective: Objective, model: Model) -> list[Line]:
    solve = next(s for s in model.solves if s.label == objective.solve)
    names = ", ".join(f"{kind}[{name}]" for kind, name in solve.optima)
    label = f"{solve.label}  " if solve.label else ""
    lines = [Line(label, f"{names} {solve.objective_text}", span=solve.span, indent=0)]
    for field, term in objective.variations:
        lines.append(Line(f"δ/δ{field.name}: ", (term, " = 0"), "stationary: the Euler–Lagrange equation"))
    declared_as = {plain(d.set): d.name for d in model.domains}
    for n in objective.natural:
        where = region_name(n.region, declared_as) if isinstance(n.region, Set) else str(n.region)
        lines.append(Line("", (n.term, f" = 0 on {where}"), "natural boundary condition"))
    lines += [Line("", s.term, s.rule) for s in objective.steps]
    return lines


def _checks(identities: Iterable[Identity], label: str, told: set[str]) -> list[Line]:
    """The checks that end with this equation."""
    found = []
    for i in identities:
        if i.check.kind == "equations" and i.check.rhs == label:
            told.add(i.check.text)
            found += _identity(i)
    return found


def _identity(outcome: Identity) -> list[Line]:
    mark = {"proved": "✓ proved", "refuted": "✗ refuted", "undecided": "? undecided"}[outcome.verdict]
    words = outcome.check.text.removeprefix("check ").strip()
    if outcome.verdict == "proved":
        why = _proof(outcome)
    elif outcome.verdict == "refuted":
        why = f"residual {unicode(outcome.residual)}" if outcome.residual is not None else outcome.value
    elif outcome.factor is not None:
        why = f"factor {unicode(outcome.factor)}, which may vanish"
    else:
        why = f"holds at {outcome.points} points to {outcome.digits} digits" if outcome.points else "not testable"
    lines = [Line("check ", words, f"{mark}: {why}", outcome.check.span)]
    if outcome.verdict != "proved":
        lines += [Line("", s.rule, "", s.span, indent=4) for s in outcome.steps]
    return lines


def _proof(outcome: Identity) -> str:
    if outcome.check.kind == "solution":
        return "it satisfies " + ", ".join(s.rule.partition(": ")[0] for s in outcome.steps)
    if outcome.factor is None or outcome.factor == S.One:
        return "the difference has normal form 0"
    return f"factor {unicode(outcome.factor)}, nowhere zero"
