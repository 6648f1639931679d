"""Plan ─emit▶ one readable, standalone PyTorch script.

The order of the script is the order in which one explains it: what is solved and what was derived (the docstring), parameters,
definitions, ansätze, equations, points, solves, reports; then the runtime pieces it uses, inlined, and `main`.
The text depends on the plan alone: no time, no path, no order of a set.  It is parsed again and checked before it is returned.
"""

from __future__ import annotations

import re
from pathlib import PurePath

import pdespec
from pdespec.diagnostics import Diagnostic, SpecError
from pdespec.emit.definitions import definitions_section, parameters_section
from pdespec.emit.inline import defined_names, inline, merge_imports
from pdespec.emit.layout import ruler
from pdespec.emit.names import Namespace, escape
from pdespec.emit.parts import Script, Section, SolveCode
from pdespec.emit.realisations import emit_solve
from pdespec.emit.reports import evaluate_section, solution_section
from pdespec.emit.scopes import global_names
from pdespec.emit.verify import verify
from pdespec.plan.plan import Plan

BASE = ("Config", "Progress", "Report", "Run", "Step", "Stage", "exit_code", "finish", "read_config", "run_stages", "write_npz")


def emit(plan: Plan, *, engine: str = "auto") -> tuple[str | None, tuple[Diagnostic, ...]]:
    """The text of the script; what has no form in code is an error."""
    try:
        return _emit(plan, engine), ()
    except SpecError as problem:
        return None, problem.diagnostics


def _emit(plan: Plan, engine: str) -> str:
    script = Script(plan, Namespace(sorted(defined_names())), engine)
    _claim_names(script)
    solves = [emit_solve(realisation, script) for realisation in plan.solves]
    sections = [s for code in solves for s in code.sections]
    train = Section("training", _train(solves, script))
    evaluate = evaluate_section(solves, script)
    save = solution_section(solves, script)
    precision = Section("precision", "dtype = torch.float64")
    head = [s for s in (parameters_section(script), definitions_section(script)) if s is not None]
    text = "\n".join(s.code for s in (*head, *sections, train, evaluate, save))
    imports, runtime = inline(sorted({*BASE, *(global_names(text) & defined_names())}))
    parts = [
        ruler(escape(section.title), section.provenance) + "\n" + section.code
        for section in (precision, *head, *sections, train, evaluate, save)
    ]
    parts.append(ruler("runtime: the pieces of pdespec.runtime that this script uses") + "\n" + runtime)
    parts.append(ruler("main") + "\n" + _main(plan, solves, script))
    body = "\n\n\n".join(p.strip("\n") for p in parts) + "\n"
    top = f"{_docstring(plan, solves)}\n\nfrom __future__ import annotations\n\n{_imports(imports, body)}"
    return verify(f"{top}\n\n\n{body}")


def _claim_names(script: Script) -> None:
    """User names first, so that names made up by the compiler give way."""
    model = script.model
    for param in model.params:
        script.names.name(param.symbol.name, param.span)
    for domain in model.domains:
        for c in domain.coordinates:
            script.names.name(c.name, domain.span)
    for item in (*model.unknowns, *model.definitions):
        script.names.name(item.name, item.span)
    for equation in model.equations:
        script.names.name(equation.label, equation.span)


def stem(plan: Plan) -> str:
    """The name of the spec as a file name."""
    return PurePath(plan.derivation.model.name).stem


def _docstring(plan: Plan, solves: list[SolveCode]) -> str:
    model = plan.derivation.model
    lines = [f"{escape(stem(plan))}: {', '.join(_unknown(u) for u in model.unknowns)}.", ""]
    used = {label for s in model.solves for label in s.equations}
    for e in model.equations:
        if e.label in used:
            lines.append(f"    {escape(e.text.strip())}    spec:{e.span.line}")
    lines.append("")
    for s in solves:
        title = s.label or "solve"
        lines += [f"{escape(title)}: {escape(reason)}." for reason in s.why]
    lines.append(f"Emitted by pdespec {pdespec.__version__} from {escape(stem(plan))}.pde (sha256 {model.source.sha256}).")
    lines.append(f"Needs torch alone; `python {escape(stem(plan))}.py --help`.")
    return '"""' + "\n".join(lines) + '\n"""'


def _unknown(u: object) -> str:
    domain = " × ".join(str(d.name) for d in u.domains)  # type: ignore[attr-defined]
    return escape(f"{u.name} on {domain}")  # type: ignore[attr-defined]


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
        "def train(config: Config, on_step: Callable[[Step], object] = lambda step: None) -> tuple[dict[str, object], Run]:",
        '    """Run every solve; returns the solutions by label, and how the run went."""',
        "    globals().update(config.parameters)  # --set",
    ]
    stages = []
    for s in solves:
        arguments = "".join(f", {a}" for a in s.arguments)
        lines.append(f"    {s.solution}, {s.solution}_stages = {s.function}(config{arguments})")
        stages.append(f"*{s.solution}_stages")
    labels = ", ".join(f'"{label}"' for label in dict.fromkeys(label for s in solves for label in s.labels))
    lines.append(f"    run = run_stages([{', '.join(stages)}], config, labels=({labels},), on_step=on_step)")
    entries = ", ".join(f'"{s.solution}": {s.solution}' for s in solves)
    lines.append(f"    return {{{entries}}}, run")
    return "\n".join(lines)


def _main(plan: Plan, solves: list[SolveCode], script: Script) -> str:
    name = escape(stem(plan))
    settable = ", ".join(
        f'"{script.names.name(p.symbol.name)}": {script.names.name(p.symbol.name)}'
        for p in script.model.params
        if p.symbol in script.parameters
    )
    planned = sum(s.steps for s in solves)
    return "\n".join(
        [
            "def main() -> int:",
            "    default = Config(",
            f'        out=Path("runs") / "{name}",',
            f'        spec="{plan.derivation.model.source.sha256}",',
            f"        planned={planned},",
            f"        parameters={{{settable}}},",
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
