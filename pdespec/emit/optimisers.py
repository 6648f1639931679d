"""The chain of a `with … then …` as stages: torch's optimisers, quasi-Newton on the loss, Gauss–Newton on the rows.

Descent("adam", …, terms, weights, …)                       gradients of the weighted terms
SelfScaledBroyden("ssbroyden", …, terms, weights)           the same, and a dense inverse Hessian
LevenbergMarquardt("lm", …, rows, lambda k: points, …)      residuals and their Jacobian
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pdespec.emit.layout import statement
from pdespec.emit.names import literal
from pdespec.plan.plan import Descent

ITERATIONS_A_STEP = 10
"""Iterations of L-BFGS between two looks at the loss."""

BY_ROWS = {"natural_gradient": "NaturalGradient", "lm": "LevenbergMarquardt", "spring": "Spring"}
"""Iterations that read residuals and their Jacobian, with their stages."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What the stages of a solve read: its networks by their variables, the call that gives the terms of its loss, and
    whether these have `weights`.

    Its functions begin with `stem`; `nested` says that derivatives are nested automatic differentiation. After
    `renewal` steps, unless that is 0, points are drawn anew by the residual.
    """

    title: str
    nets: tuple[str, ...]
    terms: str
    weighted: bool
    stem: str = ""
    nested: bool = False
    renewal: int = 0


def stage_steps(d: Descent) -> int:
    """The steps of a stage: L-BFGS takes several iterations in one."""
    return -(-d.steps // ITERATIONS_A_STEP) if d.name == "lbfgs" else d.steps


def evaluations(iterations: Sequence[Descent]) -> int:
    """How often a chain evaluates its objective: a line search takes about five evaluations for four iterations."""
    searched = sum(d.steps for d in iterations if d.name in ("lbfgs", "ssbroyden"))
    return searched * 5 // 4 + sum(d.steps for d in iterations if d.name in ("adam", "soap"))


def stage_lines(iterations: Sequence[Descent], trained: Trained) -> list[str]:
    """The optimisers and the list of their stages."""
    lines: list[str] = []
    if any(d.name not in BY_ROWS for d in iterations):
        lines += ["", "    def terms(k: int) -> dict[str, Tensor]:", statement("return", trained.terms, 8), ""]
    parameters = f"{trained.nets[0]}.parameters()"
    if len(trained.nets) > 1 and lines:
        lines.append(f"    parameters = [{', '.join(f'*{n}.parameters()' for n in trained.nets)}]")
        parameters = "parameters"
    if any(d.name in BY_ROWS for d in iterations):
        more = (", weights" if trained.weighted else "") + (", nested=True" if trained.nested else "")
        lines.append(f"    rows = ResidualRows(Residuals([{', '.join(trained.nets)}], {trained.stem}residuals){more})")
    stages = []
    for k, d in enumerate(iterations):
        if d.name in BY_ROWS:
            stage = _by_rows(d, trained)
        elif d.name == "ssbroyden":
            own = parameters if len(trained.nets) > 1 else f"list({parameters})"
            given = f"{own}, terms" + (", weights" if trained.weighted else "")
            stage = f"SelfScaledBroyden({_head(d, trained)}, {given})"
        else:
            optimiser = d.name if [i.name for i in iterations].count(d.name) == 1 else f"{d.name}_{k + 1}"
            note = [f"    # a step of L-BFGS is {ITERATIONS_A_STEP} of its iterations"] if d.name == "lbfgs" else []
            lines += [*note, f"    {optimiser} = {_optimiser(d, parameters)}"]
            stage = _descent(d, optimiser, trained)
        stages.append(f"Renewed({stage}, points, every={trained.renewal})" if trained.renewal else stage)
    return [*lines, "    stages: list[Stage] = [", *(f"        {s}," for s in stages), "    ]"]


def _head(d: Descent, trained: Trained) -> str:
    return f'"{f"{trained.title} {d.name}".strip()}", config.share({stage_steps(d)})'


def _descent(d: Descent, optimiser: str, trained: Trained) -> str:
    """A stage of one of torch's optimisers, at a rate that falls; small losses are scaled for L-BFGS."""
    more = ["weights"] if trained.weighted else []
    falling = f"falling(config.share({stage_steps(d)}))"
    more.append("scale=1e6" if d.name == "lbfgs" else falling if trained.weighted else f"schedule={falling}")
    return f"Descent({_head(d, trained)}, {optimiser}, terms, {', '.join(more)})"


def _by_rows(d: Descent, trained: Trained) -> str:
    """A stage that reads rows: SPRING at fresh points in every step, the others at those that there are."""
    points = "points.now" if trained.renewal else f"{trained.stem}sample(config, k)" if d.name == "spring" else "points"
    options = [f"damping={literal(d.damping)}"]
    if d.name == "spring":
        options += [f"rate={literal(d.rate)}", f"momentum={literal(d.momentum)}"]
        options.append(f"schedule=falling(config.share({d.steps}))")
    return f"{BY_ROWS[d.name]}({_head(d, trained)}, rows, lambda k: {points}, {', '.join(options)})"


def _optimiser(d: Descent, parameters: str) -> str:
    if d.name in ("adam", "soap"):
        return f"{'torch.optim.Adam' if d.name == 'adam' else 'Soap'}({parameters}, lr={literal(d.rate)})"
    rate = f"lr={literal(d.rate)}, " if d.rate != 1.0 else ""
    return (
        f"torch.optim.LBFGS({parameters}, {rate}max_iter={ITERATIONS_A_STEP}, history_size=50, "
        'tolerance_grad=0, tolerance_change=0, line_search_fn="strong_wolfe")'
    )
