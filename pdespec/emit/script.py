"""Plan ─emit▶ one readable, standalone PyTorch script.

The order of the script is the order in which one explains it: what is solved and what was derived (the docstring),
parameters, definitions, ansätze, equations, points, solves, reports; then the runtime pieces it uses, inlined, and
`main`. The text depends on the plan alone: no time, no path, no order of a set.  It is parsed again and checked before
it is returned.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import PurePath

from sympy import S

import pdespec
from pdespec.derive.derivation import Residual
from pdespec.derive.notation import unicode
from pdespec.diagnostics import Diagnostic, SpecError, error
from pdespec.emit.definitions import definitions_section, parameters_section
from pdespec.emit.inline import defined_names, inline, merge_imports
from pdespec.emit.layout import WIDTH, fit, ruler
from pdespec.emit.names import DRAFT, Namespace, escape, literal
from pdespec.emit.parts import Script, Section, SolveCode, parameters, signature
from pdespec.emit.pictures import exact_section, save_section
from pdespec.emit.realisations import emit_solve
from pdespec.emit.regions import sets_section
from pdespec.emit.reports import reports_section
from pdespec.emit.scopes import global_names, own_names
from pdespec.emit.verify import verify
from pdespec.model.fields import FieldValue
from pdespec.model.model import Equation, Param, Solve, Unknown
from pdespec.model.sets import Interval, plain
from pdespec.model.terms import NoRule
from pdespec.plan.plan import Grid, Particles, Plan

BASE = (
    "Config",
    "Progress",
    "Report",
    "Run",
    "Step",
    "Stage",
    "exit_code",
    "finish",
    "read_config",
    "run_stages",
    "write_npz",
)


def emit(plan: Plan, *, engine: str = "auto") -> tuple[str | None, tuple[Diagnostic, ...]]:
    """The text of the script; what has no form in code is an error."""
    try:
        return verify(_emit(plan, engine)), ()
    except SpecError as problem:
        return None, problem.diagnostics
    except NoRule as problem:
        return None, (error("PDE405", None, f"the script: {problem}"),)


def costs(plan: Plan, *, engine: str = "auto") -> dict[str, str]:
    """What an evaluation of each solve's networks costs, by the label of the solve; nothing for a solve without one."""
    script = Script(plan, Namespace(draft=True), engine)
    _claim_names(script)
    codes = [emit_solve(realisation, script) for realisation in plan.solves]
    return {code.label: code.cost.text for code in codes if code.cost.entries}


def _emit(plan: Plan, engine: str) -> str:
    """The script after a draft, which tells what it calls itself: users' names give way to that."""
    if not plan.solves:
        raise SpecError([error("PDE487", None, "the spec has no `solve`, so there is nothing to build")])
    draft = Script(plan, Namespace(draft=True), engine)
    own = own_names(_written(draft), draft.names.users)
    latin = {ord(other): letter for letter, other in DRAFT.items()}
    avoided = frozenset(name.translate(latin) for name in own)
    return _written(Script(plan, Namespace(defined_names(), avoided), engine))


def _written(script: Script) -> str:
    plan = script.plan
    _claim_names(script)
    solves = [emit_solve(realisation, script) for realisation in plan.solves]
    sections = [s for code in solves for s in code.sections]
    definitions = definitions_section(script)
    head = [s for s in (parameters_section(script), definitions, sets_section(script)) if s is not None]
    precision = Section("precision", "dtype = torch.float64")
    train = Section("training", _train(solves, script))
    reports = _report_sections(solves, script)
    text = "\n".join(s.code for s in (*head, *sections, train, *reports))
    imports, runtime = inline(sorted({*BASE, *(global_names(text) & defined_names())}))
    parts = [
        ruler(escape(section.title), section.provenance) + "\n" + fit(section.code)
        for section in (precision, *head, *sections, train, *reports)
    ]
    parts.append(ruler("runtime: the pieces of pdespec.runtime that this script uses") + "\n" + runtime)
    parts.append(ruler("main") + "\n" + _main(plan, solves, script))
    body = "\n\n\n".join(p.strip("\n") for p in parts) + "\n"
    top = f"{_docstring(plan, solves)}\n\nfrom __future__ import annotations\n\n{_imports(imports, body)}"
    return f"{top}\n\n\n{body}"


def _report_sections(solves: list[SolveCode], script: Script) -> list[Section]:
    """Reports and saved solutions, after the parameters and definitions that they alone use: nothing of them comes
    before."""
    names, functions = frozenset(script.parameters), frozenset(script.requested)
    evaluate = reports_section(solves, script)
    save = save_section(solves, script)
    exact = exact_section(script)
    definitions = definitions_section(script, "definitions of the reports", functions)
    own = (parameters_section(script, "parameters of the reports", names), definitions, exact)
    return [*(s for s in own if s is not None), evaluate, save]


def _claim_names(script: Script) -> None:
    """User names first, so that names made up by the compiler give way."""
    model = script.model
    for param in model.params:
        script.names.name(param.symbol.name, param.span)
    for domain in model.domains:
        for c in domain.coordinates:
            script.names.name(c.name, domain.span)
    for unknown in model.unknowns:
        script.names.name(unknown.name, unknown.span)
    for definition in model.definitions:
        script.names.name(definition.name, definition.span)
    for equation in model.equations:
        script.names.name(equation.label, equation.span)


def stem(plan: Plan) -> str:
    """The name of the spec as a file name."""
    return PurePath(plan.derivation.model.name).stem


def _docstring(plan: Plan, solves: list[SolveCode]) -> str:
    """What is solved, what was derived, what was planned, and by whom."""
    model = plan.derivation.model
    lines = [f"{escape(stem(plan))}: {', '.join(_unknown(u) for u in model.unknowns)}.", ""]
    used = {label for s in model.solves for label in s.equations}
    rows = [(e.label, escape(_body(e)), f"spec:{e.span.line}") for e in model.equations if e.label in used]
    rows += [(s.title, escape(_optimum(s)), f"spec:{s.span.line}") for s in model.solves if s.optima]
    widths = [max((len(row[k]) for row in rows), default=0) for k in range(2)]
    lines += [f"    {label:<{widths[0]}}  {text:<{widths[1]}}  {place}" for label, text, place in rows]
    lines += ["", *_derived(plan)]
    for s in solves:
        costs = (s.cost.text,) if s.cost.entries else ()
        lines.append(f"Planned{_for(s)}: {escape('; '.join((*s.why, *costs)))}.")
    lines.append(
        f"Emitted by pdespec {pdespec.__version__} from {escape(stem(plan))}.pde (sha256 {model.source.sha256})."
    )
    lines.append(f"Needs torch alone; `python {escape(stem(plan))}.py --help`.")
    return '"""' + "\n".join(folded for line in lines for folded in _folded(line)) + '\n"""'


def _for(s: SolveCode) -> str:
    return f" for {escape(s.label)}" if s.solution != "solution" else ""


def _folded(line: str) -> list[str]:
    """A line of the docstring within the width of the script."""
    if len(line) <= WIDTH:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    return textwrap.wrap(line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _body(e: Equation) -> str:
    """An equation as written, without its label."""
    text = " ".join(e.text.split())
    return text.removeprefix(f"{text.partition(':')[0]}:").strip() if ":" in text.partition("=")[0] else text


def _derived(plan: Plan) -> list[str]:
    """One line for each flow and each equation in the interior."""
    lines = []
    solved = {label for s in plan.derivation.model.solves for label in s.equations}
    for flow in plan.derivation.flows:
        if flow.label in solved and (flow.metric or flow.conservative):
            lines.append(
                f"Derived: {escape(flow.label)} is ∂t {escape(flow.field.name)} = {escape(unicode(flow.right))}."
            )
            if flow.dissipation is not None:
                lines.append(f"    d{escape(flow.energy_name)}/dt = {escape(unicode(flow.dissipation))}")
    described = {f.label for f in plan.derivation.flows if f.metric or f.conservative}
    for r in plan.derivation.residuals:
        if r.role == "interior" and r.label in solved - described:
            kind = "linear" if r.linear else "nonlinear"
            lines.append(f"Derived: {escape(r.label)} is {kind}, of order {_order(r)}.")
    for o in plan.derivation.objectives:
        for f, variation in o.variations:
            lines.append(
                f"Derived: the variation of the objective by {escape(f.name)} is {escape(unicode(variation))}."
            )
    return lines


def _order(r: Residual) -> int:
    """The highest order of a derivative in a residual."""
    orders = [sum(v.orders) for c in r.components for v in c.atoms(FieldValue)]
    return max(orders, default=0)


def _unknown(u: Unknown) -> str:
    """An unknown as the spec declares it: u : Ω → [0, 1], p : P(X) over I."""
    if u.kind == "density":
        space = " × ".join(d.name for d in u.space)
        return escape(f"{u.name} : P({space})" + (f" over {u.time.name}" if u.time else ""))
    return escape(f"{u.name} : {signature(u)}")


def _optimum(solve: Solve) -> str:
    """What a solve minimises or maximises."""
    return f"{' '.join(f'{kind}[{name}]' for kind, name in solve.optima)} {solve.objective_text}"


OWN = {
    "math": "import math",
    "sys": "import sys",
    "Callable": "from collections.abc import Callable",
    "Mapping": "from collections.abc import Mapping",
    "Path": "from pathlib import Path",
    "Any": "from typing import Any",
    "torch": "import torch",
    "Tensor": "from torch import Tensor",
    "nn": "from torch import nn",
}
"""What the sections of a script may use without asking."""


def _imports(runtime: tuple[str, ...], text: str) -> str:
    """Standard library first, then torch, each module once, nothing that is not used."""
    used = set(re.findall(r"[A-Za-z_]+", text))
    lines = merge_imports([*runtime, *(line for name, line in OWN.items() if name in used)])
    standard = [line for line in lines if not line.split()[1].startswith("torch")]
    torch = [line for line in lines if line.split()[1].startswith("torch")]
    return "\n".join(standard) + "\n\n" + "\n".join(torch)


def _train(solves: list[SolveCode], script: Script) -> str:
    """All solves in file order, as one chain of stages."""
    lines = [
        "def train("
        "config: Config, on_step: Callable[[Step], object] = lambda step: None) -> tuple[dict[str, object], Run]:",
        '    """Run every solve; returns the solutions by label, and how the run went."""',
        "    globals().update(config.parameters)  # --set",
    ]
    stages = []
    for s in solves:
        arguments = "".join(f", {a}" for a in s.arguments)
        lines.append(f"    {s.solution}, {s.solution}_stages = {s.function}(config{arguments})")
        stages.append(f"*{s.solution}_stages")
    labels = literal(tuple(dict.fromkeys(label for s in solves for label in s.labels)))
    chain = f"[{', '.join(stages)}]" if len(stages) > 1 else stages[0].removeprefix("*")
    lines.append(f"    run = run_stages({chain}, config, labels={labels}, on_step=on_step)")
    entries = ", ".join(f'"{s.solution}": {s.solution}' for s in solves)
    lines.append(f"    return {{{entries}}}, run")
    return "\n".join(lines)


def _settable(script: Script) -> list[Param]:
    """The parameters that `--set` of the script may change: not those on which others, a box or the time steps rest."""
    used = [p for p in script.model.params if p.symbol in script.parameters]
    fixed = parameters(*(p.value for p in used))
    for solve in script.plan.solves:
        box = getattr(solve, "box", None)
        if isinstance(solve, (Grid, Particles)):
            domain = script.model.unknown(solve.flow.field.name).time
            interval = plain(domain.set) if domain is not None else None
            if isinstance(interval, Interval):
                fixed |= parameters(interval.lo, interval.hi)
            if box is not None and solve.flow.stationary is not None:
                fixed |= parameters(*solve.flow.stationary.parameters[:2])
        elif box is not None:
            terms = [c.residual.term for c in getattr(solve, "conditions", ())]
            fixed |= parameters(*terms, getattr(solve, "objective", S.Zero))
    return [p for p in used if p.symbol not in fixed]


def _costs(solves: list[SolveCode], planned: int, script: Script) -> list[str]:
    """What decides whether the script compiles its objectives, where it has networks."""
    entries = sum(s.cost.entries * s.evaluations for s in solves)
    if not entries:
        return []
    return [
        f"        entries={float(f'{entries / planned:.2g}')!r},  # of all layers' channels, in a step",
        f'        engine="{script.engine}",',
    ]


def _main(plan: Plan, solves: list[SolveCode], script: Script) -> str:
    name = escape(stem(plan))
    changeable = _settable(script)
    settable = ", ".join(
        f'"{script.names.name(p.symbol.name)}": {script.names.name(p.symbol.name)}' for p in changeable
    )
    positive = [script.names.name(p.symbol.name) for p in changeable if p.symbol.is_positive]
    planned = sum(s.steps for s in solves)
    return "\n".join(
        [
            "def main() -> int:",
            "    default = Config(",
            f'        out=Path("runs") / "{name}",',
            f'        spec="{plan.derivation.model.source.sha256}",',
            f"        planned={planned},",
            *_costs(solves, planned, script),
            f"        parameters={{{settable}}},",
            *([f"        positive={literal(tuple(positive))},  # as the derivation assumed"] if positive else []),
            "    )",
            "    config = read_config(__doc__.splitlines()[0], default)",
            "    solutions, run = train(config, Progress())",
            "    save(solutions, config)",
            "    return finish(config, run, evaluate(solutions, config))",
            "",
            "",
            'if __name__ == "__main__":',
            "    sys.exit(exit_code(main))",
        ]
    )
