"""Points that follow the residual: drawn anew now and then, and more of them where the equations hold less.

    p(x) ∝ |r(x)|/mean |r| + 1      over a pool of fresh points, `pool` times as many as are kept
Wu, Zhu, Tan, Kartha & Lu, Comput. Methods Appl. Mech. Engrg. 403 (2023) 115671 (RAD with k = c = 1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor

from pdespec.runtime.residual_rows import Places, by_point, nowhere_of
from pdespec.runtime.seeds import seeded
from pdespec.runtime.stages import Stage


class ResidualPoints:
    """The points `now`, at first draw(0); nodes of integrals stay as they are."""

    def __init__(
        self, draw: Callable[[int], Places], residuals: Callable[[Places], dict[str, Tensor]], seed: int, pool: int = 4
    ) -> None:
        self.draw, self.residuals, self.seed, self.pool = draw, residuals, seed, pool
        self.now, self.draws = dict(draw(0)), 0

    @torch.no_grad()
    def renew(self) -> None:
        """Draw all points anew by the present residuals."""
        nowhere = nowhere_of(self.now)
        integrals = {label for label, r in self.residuals(nowhere).items() if r.shape[-1] > 0}
        fresh = [self.draw(self.draws + j + 1) for j in range(self.pool)]
        self.draws += self.pool
        for place, given in self.now.items():
            pool = tuple(torch.cat(parts) for parts in zip(*(f[place] for f in fresh), strict=True))
            found = self.residuals({**nowhere, place: pool})
            own = [by_point(r) for label, r in found.items() if r.shape[-1] > 0 and label not in integrals]
            if own:
                size = torch.cat(own, 1).norm(dim=1)
                share = size + (size.mean().item() or 1.0)  # all alike where there is no residual at all
                chosen = torch.multinomial(share.cpu(), len(given[0]), generator=seeded(self.seed, self.draws))
                self.now[place] = tuple(part[chosen.to(part.device)] for part in pool)

    def state_dict(self) -> dict[str, Any]:
        return {"now": self.now, "draws": self.draws}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        like = next(iter(self.now.values()))[0]
        self.now = {place: tuple(part.to(like) for part in given) for place, given in state["now"].items()}
        self.draws = state["draws"]


class Minimiser(Stage, Protocol):
    """A stage that may keep what it computed at its points until it is told to forget it."""

    def forget(self) -> None: ...


class Renewed:
    """A stage that draws its points anew before every `every`-th step."""

    def __init__(self, stage: Minimiser, points: ResidualPoints, every: int) -> None:
        self.name, self.steps = stage.name, stage.steps
        self.stage, self.points, self.every = stage, points, every

    def step(self, k: int) -> Mapping[str, float | Tensor]:
        if k > 0 and k % self.every == 0:
            self.points.renew()
            self.stage.forget()
        return self.stage.step(k)

    def state_dict(self) -> dict[str, Any]:
        return {"stage": self.stage.state_dict(), "points": self.points.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.stage.load_state_dict(state["stage"])
        self.points.load_state_dict(state["points"])

    def slow_down(self) -> None:
        self.stage.slow_down()
