"""The chain of `with … then …` for trained networks, and the one that is taken where the spec does not say.

On points that stay, a network of moderate size takes a short Adam and then self-scaled Broyden, whose inverse Hessian
is a matrix of all parameters: in the same time it went further than L-BFGS, Gauss–Newton and Adam, on linear, nonlinear
and sharp equations alike. Larger networks have no room for that matrix and take L-BFGS; an objective whose points
change in every step is stochastic, and takes Adam.
"""

from __future__ import annotations

from itertools import pairwise

from pdespec.model.model import Call, Solve
from pdespec.model.refusal import refuse
from pdespec.plan.options import number, whole
from pdespec.plan.plan import Descent, Mlp, Network

MOST_PARAMETERS = 5000
"""Up to which the planner takes a dense inverse Hessian (200 MB)."""
MOST_ENTRIES = 2.5e8
"""Of a dense matrix that a method may ask for (2 GB)."""

KNOWN = {
    "adam": Descent("adam", 1000, rate=5e-3),
    "soap": Descent("soap", 1000, rate=5e-3),
    "lbfgs": Descent("lbfgs", 1000),
    "ssbroyden": Descent("ssbroyden", 2000),
    "natural_gradient": Descent("natural_gradient", 200, damping=1e-2),
    "lm": Descent("lm", 200, damping=1e-1),
    "spring": Descent("spring", 500, rate=0.3, damping=1e-3, momentum=0.9),
}
"""Iterations with the options that they have where the spec does not say."""
SYNONYMS = {"engd": "natural_gradient"}
BY_ROWS = ("natural_gradient", "lm", "spring")


def descents(
    solve: Solve, networks: tuple[Network, ...], rows: int | None, moving: bool = False
) -> tuple[tuple[Descent, ...], str]:
    """The chain, and why it is that one (nothing, where the spec says it).

    `rows` is the number of residuals, None where the loss is no sum of their squares; `moving` says that points change
    in every step.
    """
    count = sum(map(parameters, networks))
    if solve.iterations:
        return tuple(_asked(call, count, rows, moving) for call in solve.iterations), ""
    if moving:
        return (Descent("adam", 2000, 5e-3),), "adam: the points change in every step"
    if 0 < count <= MOST_PARAMETERS:
        size = f"{count**2 * 8 / 1e6:.0f} MB" if count > 354 else f"{count**2 * 8 / 1e3:.0f} kB"
        chain = (Descent("adam", 300, 5e-3), KNOWN["ssbroyden"])
        return chain, f"adam then ssbroyden: the points stay, and an inverse Hessian of {count} parameters takes {size}"
    reason = (
        f"{count} parameters are too many for an inverse Hessian" if count else "the network's size is not known here"
    )
    return (Descent("adam", 1000, 5e-3), Descent("lbfgs", 1500)), f"adam then lbfgs: {reason}"


def parameters(n: Network) -> int:
    """The number of a network's parameters; 0 for one that is known by its code alone."""
    if not isinstance(n.net, Mlp):
        return 0
    sizes = [len(n.features or n.coordinates), *[n.net.width] * n.net.depth, len(n.form)]
    return sum((a + 1) * b for a, b in pairwise(sizes))


def _asked(call: Call, count: int, rows: int | None, moving: bool) -> Descent:
    """An iteration as the spec asks for it."""
    name = SYNONYMS.get(call.name, call.name)
    default = KNOWN.get(name)
    text = f"`with {call.name}` is not supported here yet"
    if default is None:
        refuse("PDE902", call.span, text, hint=f"{', '.join(KNOWN)} are")
    if name in BY_ROWS and rows is None:
        hint = "a functional is no sum of squared residuals: adam, soap, lbfgs and ssbroyden descend it"
        refuse("PDE902", call.span, text, hint=hint)
    if name == "ssbroyden" and moving:
        refuse("PDE902", call.span, text, hint="its points change in every step: adam and soap stand that")
    momentum = number(call, "momentum", default.momentum)
    if momentum >= 1:
        refuse("PDE106", call.span, "the momentum is below one")
    entries = count**2 if name == "ssbroyden" else count * (rows or 0) if name in BY_ROWS else 0
    if entries > MOST_ENTRIES:
        message = f"`{call.name}` needs a matrix of {entries:.1e} numbers"
        refuse("PDE537", call.span, message, hint="take fewer points, a smaller network, or adam then lbfgs")
    return Descent(
        name,
        whole(call, "steps", default.steps),
        number(call, "lr", default.rate),
        number(call, "damping", default.damping),
        momentum,
    )
