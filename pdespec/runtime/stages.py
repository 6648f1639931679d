"""A run is a chain of stages, each a number of steps: a descent in the parameters, or an evolution in time.

Whatever a step reads is either a function of its number k (points are drawn from (seed, k)) or part of the stage's
state, so a run that is resumed from a saved state takes the same steps bit for bit. A stage is free in how it steps: by
gradients of scalar terms here, by per-sample residuals in a Gauss–Newton stage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

from pdespec.runtime.seeds import seeded


class Stage(Protocol):
    """Steps k = 0, …, steps − 1, each telling values by label. The tensors of its state are finite."""

    name: str
    steps: int

    def step(self, k: int) -> Mapping[str, float | Tensor]: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any]) -> None: ...
    def slow_down(self) -> None: ...  # halve the rate: the last step was not finite


@dataclass
class Descent:
    """Minimise Σᵢ wᵢ·termᵢ(θ; k) over θ by any torch optimiser, at the optimiser's rate times `schedule(k)`.

    `scale` multiplies the sum: L-BFGS of torch drops curvature pairs with y·s ≤ 1e-10, which small losses fall below.
    """

    name: str
    steps: int
    optimiser: torch.optim.Optimizer
    terms: Callable[[int], dict[str, Tensor]]
    weights: Mapping[str, float] = field(default_factory=dict)
    schedule: Callable[[int], float] = lambda k: 1.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        for group in self.optimiser.param_groups:
            group["initial_lr"] = group["lr"]

    def step(self, k: int) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}

        def loss() -> Tensor:
            self.optimiser.zero_grad()
            terms = self.terms(k)
            parts = [self.scale * self.weights.get(label, 1.0) * term for label, term in terms.items()]
            total = torch.stack(parts).sum()
            total.backward()  # type: ignore[no-untyped-call]
            for label, term in terms.items():
                found.setdefault(label, term.detach())  # a line search comes here again: tell where the step starts
            return total

        for group in self.optimiser.param_groups:
            group["lr"] = group["initial_lr"] * self.schedule(k)
        self.optimiser.step(loss)  # type: ignore[arg-type]
        return found

    def parameters(self) -> list[Tensor]:
        return [parameter.detach() for group in self.optimiser.param_groups for parameter in group["params"]]

    def state_dict(self) -> dict[str, Any]:
        return {"parameters": self.parameters(), "optimiser": self.optimiser.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for parameter, saved in zip(self.parameters(), state["parameters"], strict=True):
            parameter.copy_(saved)
        self.optimiser.load_state_dict(state["optimiser"])

    def forget(self) -> None:
        """What was found at points that have changed: nothing, as every step evaluates the terms anew."""

    def slow_down(self) -> None:
        for group in self.optimiser.param_groups:
            group["initial_lr"] /= 2


@dataclass
class Evolution:
    """Carry `state` in time from `start`: state ← advance(state, t, dt, random), its randomness drawn from (seed, k).

    `trace` has what `monitor(state, t)` tells after each step, `kept` the states at the times in `keep`; one between
    two steps is reached on the side, from the step before it, so that looking at a flow does not change it. After a
    step that was not finite, every dt is taken in twice as many parts.
    """

    name: str
    steps: int
    dt: float
    state: dict[str, Tensor]
    advance: Callable[[dict[str, Tensor], float, float, torch.Generator], dict[str, Tensor]]
    monitor: Callable[[dict[str, Tensor], float], Mapping[str, float | Tensor]]
    seed: int = 0
    start: float = 0.0
    keep: Sequence[float] = ()

    def __post_init__(self) -> None:
        self.parts, self.device = 1, next(iter(self.state.values())).device
        self.trace: dict[str, list[float]] = {}
        self.kept = {self.start: self.state} if self.start in self.keep else {}

    def moved(self, t: float, span: float, random: torch.Generator) -> dict[str, Tensor]:
        """The state after another `span` from t."""
        state = self.state
        for part in range(self.parts):
            state = self.advance(state, t + part * span / self.parts, span / self.parts, random)
        return state

    def step(self, k: int) -> Mapping[str, float | Tensor]:
        t = self.start + k * self.dt
        after = self.moved(t, self.dt, seeded(self.seed, k, device=self.device))
        for time in self.keep:
            share = (time - t) / self.dt
            if 1e-9 < share <= 1 + 1e-9:
                aside = seeded(self.seed, k, 1, device=self.device)
                self.kept[time] = after if share > 1 - 1e-9 else self.moved(t, time - t, aside)
        self.state = after
        told = self.monitor(self.state, t + self.dt)
        for label, value in told.items():
            self.trace.setdefault(label, []).append(float(value))
        return told

    def state_dict(self) -> dict[str, Any]:
        return {"state": self.state, "parts": self.parts, "trace": self.trace, "kept": self.kept}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.parts, self.trace = state["parts"], state["trace"]
        self.state = {name: x.to(self.device) for name, x in state["state"].items()}
        self.kept = {k: {name: x.to(self.device) for name, x in kept.items()} for k, kept in state["kept"].items()}

    def slow_down(self) -> None:
        self.parts *= 2
