"""Problems drawn by seed: traits first, so that together they cover every value; then a problem that has them.

A draw picks, among a few combinations that are well-posed, the one whose values have been seen least.  Its solution is
manufactured: what is asked of the compiler is the text alone, whose right-hand sides and data are differentiated here.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields

TIMES = {"steady": 0, "first": 1, "second": 2}
"""The order in time of an evolution."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What a problem is: `space` counts coordinates of space, `order` is the highest order in space."""

    region: str
    space: int
    time: str
    order: int
    unknowns: str
    condition: str
    form: str

    @property
    def dimensions(self) -> int:
        """All coordinates, time among them."""
        return self.space + (self.time != "steady")

    def values(self) -> Iterator[tuple[str, object]]:
        """Every trait with its value, and the number of dimensions."""
        yield from zip((f.name for f in fields(self)), astuple(self), strict=True)
        yield "dimensions", self.dimensions


VALUES: dict[str, tuple[object, ...]] = {
    "region": ("interval", "box", "disk", "annulus", "torus"),
    "space": (1, 2, 3),
    "time": tuple(TIMES),
    "order": (1, 2, 3, 4),
    "unknowns": ("scalar", "pair", "vector"),
    "condition": ("dirichlet", "neumann", "robin", "periodic"),
    "form": ("linear", "semilinear"),
}
"""What the traits range over; `pair` and `vector` are systems of two, as two unknowns and as one with values in R^2."""

SPACES = {"interval": (1,), "box": (2, 3), "disk": (2,), "annulus": (2,), "torus": (1, 2)}


def admissible(t: Traits) -> bool:
    """Whether problems with these traits are well-posed, and have at most three coordinates."""
    if t.space not in SPACES[t.region] or t.dimensions > 3 or (t.condition == "periodic") != (t.region == "torus"):
        return False
    if t.time == "second" and t.order not in (2, 4):
        return False
    if t.order in (1, 3):
        return t.space == 1 and t.condition in ("dirichlet", "periodic")
    return t.order == 2 or t.dimensions <= 2


def draw_traits(seed: int, count: int) -> list[Traits]:
    """Traits by seed; each is the least seen of eight."""
    rng = random.Random(seed)
    every = [t for values in itertools.product(*VALUES.values()) if admissible(t := Traits(*values))]  # type: ignore[arg-type]
    seen: Counter[tuple[str, object]] = Counter()
    drawn = []
    for _ in range(count):
        chosen = min(rng.sample(every, 8), key=lambda t: sum(seen[v] ** 2 for v in t.values()))
        seen.update(chosen.values())
        drawn.append(chosen)
    return drawn
