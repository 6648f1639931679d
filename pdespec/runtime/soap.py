"""SOAP: Adam in the basis in which the statistics of a layer's gradient G are diagonal (that of Shampoo).

    L ← β L + (1 − β) G Gᵀ,   R ← β R + (1 − β) GᵀG,   their eigenvectors Q_L and Q_R now and then
    W ← W − η Q_L Adam(Q_Lᵀ G Q_R) Q_Rᵀ
Vyas, Morwani, Zhao, Kwun, Shapira, Brandfonbrener, Janson & Kakade, ICLR 2025. Vectors, such as biases, take Adam.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor


class Soap(torch.optim.Optimizer):
    """SOAP with bias corrections; every `every` steps a power iteration turns the bases after their statistics."""

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 3e-3,
        betas: tuple[float, float] = (0.95, 0.95),
        every: int = 10,
        eps: float = 1e-8,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "betas": betas, "every": every, "eps": eps})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step, with the gradients that `closure` computes."""
        found = None
        if closure is not None:
            with torch.enable_grad():
                found = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.add_(self.direction(parameter, group), alpha=-group["lr"])
        return found

    def direction(self, parameter: Tensor, group: dict[str, Any]) -> Tensor:
        """What a parameter moves along, up to the rate."""
        gradient, state, (mean, square) = parameter.grad, self.state[parameter], group["betas"]
        assert gradient is not None
        if not state:
            state |= {"step": 0, "momentum": torch.zeros_like(gradient), "squares": torch.zeros_like(gradient)}
            if gradient.ndim == 2:
                state |= first_bases(gradient)
        state["step"] += 1
        state["momentum"].lerp_(gradient, 1 - mean)
        rotated = turned(gradient, state)
        state["squares"].mul_(square).addcmul_(rotated, rotated, value=1 - square)
        corrected = turned(state["momentum"], state) / (1 - mean ** state["step"])
        scale = (state["squares"] / (1 - square ** state["step"])).sqrt() + group["eps"]
        direction = turned(corrected / scale, state, back=True)
        if gradient.ndim == 2:
            state["left"].lerp_(gradient @ gradient.T, 1 - square)
            state["right"].lerp_(gradient.T @ gradient, 1 - square)
            if state["step"] % group["every"] == 0:
                follow(state)
        return direction


def first_bases(gradient: Tensor) -> dict[str, Tensor]:
    """The statistics of one gradient and their eigenvectors."""
    left, right = gradient @ gradient.T, gradient.T @ gradient
    return {"left": left, "right": right, "q_left": torch.linalg.eigh(left)[1], "q_right": torch.linalg.eigh(right)[1]}


def turned(matrix: Tensor, state: dict[str, Any], back: bool = False) -> Tensor:
    """A matrix in the bases, or back from them; a vector as it is."""
    if matrix.ndim != 2:
        return matrix
    q_left: Tensor = state["q_left"]
    q_right: Tensor = state["q_right"]
    return q_left @ matrix @ q_right.T if back else q_left.T @ matrix @ q_right


def follow(state: dict[str, Any]) -> None:
    """Turn the bases by one power iteration and orthonormalise, in the order of the eigenvalues they have come to.

    The squares stand in the old bases; each column keeps its own, as the new ones are near by.
    """
    for statistics, basis, axis in (("left", "q_left", 0), ("right", "q_right", 1)):
        q = state[basis]
        order = (q * (state[statistics] @ q)).sum(0).argsort(descending=True)
        state["squares"] = state["squares"].index_select(axis, order)
        state[basis] = torch.linalg.qr(state[statistics] @ q[:, order])[0]
