"""Gradient flows drawn by seed, each solved twice in one spec: `a` by particles, `b` on a grid, from one energy

    E(p) = ∫ V p dx + ½ ∬ W(x, y) p(x) p(y) dx dy + 1/β ∫ p ln p dx.

Traits first, each the least seen of some that go together; then numbers for them.  The moments of both are reported at
the final time.  Drift and width are of order one, so that steps and cells are small beside what n particles resolve.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields

ALONE, TOGETHER = 20_000, 1000
"""How many particles, without and with an interaction, which counts every pair."""

END = {"W2": "1", "WFR": "1/2"}


@dataclass(frozen=True, slots=True)
class FlowTraits:
    """What a flow is."""

    space: int
    potential: str
    interaction: str
    entropy: bool
    metric: str

    def values(self) -> Iterator[tuple[str, object]]:
        """Every trait with its value."""
        return zip((f.name for f in fields(self)), astuple(self), strict=True)


VALUES: dict[str, tuple[object, ...]] = {
    "space": (1, 2),
    "potential": ("quadratic", "anisotropic", "double well", "quartic", "rippled", "circle"),
    "interaction": ("none", "attraction", "repulsion", "both"),
    "entropy": (True, False),
    "metric": ("W2", "WFR"),
}
"""`attraction` is quadratic, `repulsion` Gaussian, `both` a sum; on a `circle` they are by cosines."""


@dataclass(frozen=True, slots=True)
class FlowProblem:
    """A spec, and the traits that it was drawn for."""

    traits: FlowTraits
    text: str

    @property
    def moments(self) -> tuple[str, ...]:
        """The names of what is compared."""
        return ("m1", "c11") if self.traits.space == 1 else ("m1", "m2", "c11", "c12", "c22")


def admissible(t: FlowTraits) -> bool:
    """Births and deaths only without an entropy; axes differ only where there are two."""
    return not (t.entropy and t.metric == "WFR") and not (t.space == 1 and t.potential == "anisotropic")


def draw_flows(seed: int, count: int) -> list[FlowProblem]:
    """`count` problems, each from a generator of its own."""
    rng = random.Random(seed)
    every = [t for values in itertools.product(*VALUES.values()) if admissible(t := FlowTraits(*values))]  # type: ignore[arg-type]
    seen: Counter[tuple[str, object]] = Counter()
    drawn = []
    for k in range(count):
        chosen = min(rng.sample(every, 8), key=lambda t: sum(seen[v] ** 2 for v in t.values()))
        seen.update(chosen.values())
        drawn.append(FlowProblem(chosen, _text(chosen, random.Random(1_000_003 * seed + k))))
    return drawn


def _text(t: FlowTraits, rng: random.Random) -> str:
    """The spec; x is a number in one dimension and a vector in two."""
    axes = ("x",) if t.space == 1 else ("x[1]", "x[2]")
    circle = t.potential == "circle"
    energy = ["∫ V*p dx"]
    if t.interaction != "none":
        energy.append("κ/2 * ∬ W(x, y)*p(x)*p(y) dx dy")
    if t.entropy:
        energy.append("1/β * ∫ p*ln(p) dx")
    used = ["β = 2"] * t.entropy + [f"κ = {rng.choice(('1/2', '1'))}"] * (t.interaction != "none")
    metric = "W2" if t.metric == "W2" else f"WFR({rng.choice(('1/2', '1'))})"
    domain = ("torus(2*π)" if t.space == 1 else "torus(2*π, 2*π)") if circle else ("R" if t.space == 1 else "R^2")
    lines = [f"param   {', '.join(used)}"] * bool(used)
    lines += [f"domain  X(x) = {domain}, I(t) = [0, {END[t.metric]}]", "unknown p : P(X) over I", ""]
    lines.append(f"V(x) := {_potential(t, axes, rng)}")
    lines += [f"W(x, y) := {_interaction(t, axes, rng)}"] * (t.interaction != "none")
    lines += [f"E(p) := {' + '.join(energy)}", *_moments(t, axes), ""]
    lines.append(f"flow:  ∂t p = -grad(E, p; metric={metric}) on X × I")
    lines += [f"start: p = {_start(t, axes, rng)} on X × {{0}}", ""]
    n = ALONE if t.interaction == "none" else TOGETHER
    box = "" if circle else "box=[-7/2, 7/2], " if t.space == 1 else "box=[-7/2, 7/2]^2, "
    side = {(1, True): 400, (1, False): 800, (2, True): 128, (2, False): 192}[t.space, t.entropy]
    cells = f"cells={side if t.space == 1 else (side, side)}"
    lines.append(f"a: solve flow, start using particles(n={n}) with heun(dt=0.01)")
    lines.append(f"b: solve flow, start using grid({box}{cells}) with euler(dt=0.01)")
    names = ("m1", "c11") if t.space == 1 else ("m1", "m2", "c11", "c12", "c22")
    lines.append("report " + ", ".join(f"{label}({name}(p))" for name in names for label in "ab"))
    return "\n".join(lines) + "\n"


def _potential(t: FlowTraits, axes: tuple[str, ...], rng: random.Random) -> str:
    """Curvatures of order one; where there are two axes, they are coupled or unlike."""
    x, y = axes[0], axes[-1]
    centre = rng.choice(("1/5", "1/4", "1/3"))
    stiff = rng.choice(("1/2", "3/4", "1"))
    two = t.space == 2
    if t.potential == "circle":
        return f"-{stiff}*cos({x} - 1/2)" + f" - 1/2*cos({y}) + 1/4*cos({x} + {y})" * two
    if t.potential == "anisotropic":
        slope = rng.choice(("1/5", "-3/10"))
        return f"1/2*(x - (1/5, 0)) · (rows((1, {slope}), ({slope}, 1/2)) · (x - (1/5, 0)))"
    if t.potential == "double well":
        return f"1/4*({x}^2 - 1)^2 + {centre}*{x}" + f" + {stiff}/2*{y}^2" * two
    if t.potential == "quartic":
        return f"1/8*{x}^4 + 1/4*({x} - {centre})^2" + f" + 1/8*{y}^4 + 1/10*{x}*{y}" * two
    if t.potential == "rippled":
        return f"1/4*{x}^2 + 1/4*cos(2*{x} + {stiff})" + f" + 1/4*({y} - {centre})^2 + 1/5*sin({x} + {y})" * two
    return f"{stiff}/2*({x} - {centre})^2" + f" + {stiff}/2*({y} + {centre})^2" * two


def _interaction(t: FlowTraits, axes: tuple[str, ...], rng: random.Random) -> str:
    """W(x, y) of a difference."""
    if t.potential == "circle":
        waves = [f"cos({a} - {a.replace('x', 'y')})" for a in axes]
        push = " + ".join(waves)
        pull = "-" + " - ".join(waves)
        both = f"{push} - 1/2*{waves[0]}^2"
    else:
        square = "(x - y)^2" if t.space == 1 else "|x - y|^2"
        push = f"exp(-{square}/{rng.choice(('1', '2'))})"
        pull = f"1/2*{square}"
        both = f"{push} + 1/4*{square}"
    return {"none": "", "attraction": pull, "repulsion": push, "both": both}[t.interaction]


def _start(t: FlowTraits, axes: tuple[str, ...], rng: random.Random) -> str:
    """A Gaussian well inside the box; on a circle a density with a wave."""
    if t.potential == "circle":
        waves = "*".join(f"(1 + {rng.choice(('1/2', '2/5'))}*cos({a} - {rng.choice(('1', '2'))}))" for a in axes)
        return f"1/(2*π)^{t.space} * {waves}"
    mean = [rng.choice(("1/2", "-1/2", "1/4", "-1/4")) for _ in axes]
    width = [rng.choice(("1/5", "1/4", "3/10")) for _ in axes]
    if t.space == 1:
        return f"gauss({mean[0]}, {width[0]})"
    tilt = rng.choice(("1/10", "-1/10", "1/20"))
    return f"gauss(({', '.join(mean)}), rows(({width[0]}, {tilt}), ({tilt}, {width[1]})))"


def _moments(t: FlowTraits, axes: tuple[str, ...]) -> list[str]:
    """Means and covariances of the coordinates; on a circle of functions on it."""
    found = [f"sin({a})" for a in axes] if t.potential == "circle" else list(axes)
    lines = [f"m{k}(p) := ∫ {f}*p dx" for k, f in enumerate(found, 1)]
    for (j, f), (k, g) in itertools.combinations_with_replacement(enumerate(found, 1), 2):
        spread = f"({f} - m{j}(p))^2" if j == k else f"({f} - m{j}(p))*({g} - m{k}(p))"
        lines.append(f"c{j}{k}(p) := ∫ {spread}*p dx")
    return lines
