"""Self-scaled Broyden: a quasi-Newton method with a dense inverse Hessian H over all parameters.

    s = θ⁺ − θ = −α H g,   y = g⁺ − g,   v = √(yᵀHy) (s/yᵀs − Hy/yᵀHy)
    H⁺ = (H − Hy yᵀH/yᵀHy + φ v vᵀ)/τ + s sᵀ/yᵀs
The scale τ and the mixture φ of BFGS (φ = 1) and DFP (φ = 0) are those of Al-Baali, Comput. Optim. Appl. 9 (1998), as
Urbán, Stefanou & Pons, J. Comput. Phys. 523 (2025) 113656, use them for networks trained on residuals.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from pdespec.runtime.wolfe import wolfe_step


@dataclass
class SelfScaledBroyden:
    """Minimise Σᵢ wᵢ·termᵢ(θ) by quasi-Newton steps, each of a length α that meets Wolfe's conditions.

    H tends to be too large, by a factor that changes slowly, so a search begins with the α that was right before, at
    most `longest`. Where it fails, H starts from the identity; where that fails too, rounding hides all descent.
    """

    name: str
    steps: int
    parameters: Sequence[Tensor]
    terms: Callable[[int], dict[str, Tensor]]
    weights: Mapping[str, float] = field(default_factory=dict)
    longest: float = 1.0

    def __post_init__(self) -> None:
        self.first, self.stationary = self.longest, False
        self.inverse: Tensor | None = None  # None stands for the identity
        self.here: tuple[float, Tensor, dict[str, float]] | None = None  # loss, gradient and terms of the present θ

    def evaluate(self, theta: Tensor, k: int) -> tuple[float, Tensor, dict[str, float]]:
        """The loss at θ, its gradient, and its terms."""
        nn.utils.vector_to_parameters(theta, self.parameters)
        terms = self.terms(k)
        loss = torch.stack([self.weights.get(label, 1.0) * term for label, term in terms.items()]).sum()
        gradient = nn.utils.parameters_to_vector(torch.autograd.grad(loss, self.parameters, materialize_grads=True))
        return loss.item(), gradient, {label: term.item() for label, term in terms.items()}

    def step(self, k: int) -> dict[str, float]:
        theta = nn.utils.parameters_to_vector(self.parameters).detach()
        self.here = self.here or self.evaluate(theta, k)
        loss, _, told = self.here
        if self.stationary or not math.isfinite(loss) or self.search(theta, k):
            return told
        if self.inverse is not None:
            print(f"{self.name}: no descent at step {k}, the inverse Hessian starts anew", file=sys.stderr)
            self.inverse = None
            if self.search(theta, k):
                return told
        print(f"{self.name}: from step {k} on, rounding hides all descent", file=sys.stderr)
        self.stationary = True
        return told

    def search(self, theta: Tensor, k: int) -> bool:
        """Go along −H g; without success, everything stays as it is."""
        assert self.here is not None
        start = self.here
        loss, gradient, _ = start
        direction = -gradient if self.inverse is None else -(self.inverse @ gradient)

        def line(alpha: float) -> tuple[float, float]:
            self.here = self.evaluate(theta + alpha * direction, k)
            return self.here[0], (self.here[1] @ direction).item()

        slope = (gradient @ direction).item()
        # a gradient alone has no scale: where H is the identity, the step is no longer than 1
        first = self.first if self.inverse is not None else self.longest / max(1.0, gradient.norm().item())
        alpha = wolfe_step(line, loss, slope, first) if slope < 0 else None
        if alpha is None:
            nn.utils.vector_to_parameters(theta, self.parameters)
            self.here = start
            return False
        s, y = alpha * direction, self.here[1] - gradient
        bend = (y @ s).item()
        if bend > 0:
            curvature = alpha * alpha * abs(slope)  # sᵀH⁻¹s
            if self.inverse is None:
                self.inverse = torch.eye(len(s), dtype=s.dtype, device=s.device)
            else:  # the quotient is where the slope along the line vanishes
                self.first = min(max(curvature / bend, 0.1 * self.longest), self.longest)
            self.inverse = broyden_update(self.inverse, s, y, curvature)
        return True

    def state_dict(self) -> dict[str, Any]:
        return {
            "parameters": [p.detach() for p in self.parameters],
            "inverse": self.inverse,
            "here": self.here,
            "lengths": [self.first, self.longest],
            "stationary": self.stationary,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for parameter, saved in zip(self.parameters, state["parameters"], strict=True):
            parameter.detach().copy_(saved)
        self.inverse, self.here, self.stationary = state["inverse"], state["here"], state["stationary"]
        self.first, self.longest = state["lengths"]

    def forget(self) -> None:
        self.here, self.stationary = None, False

    def slow_down(self) -> None:
        self.longest /= 2
        self.first, self.inverse, self.here = self.longest, None, None


def broyden_update(inverse: Tensor, s: Tensor, y: Tensor, curvature: float) -> Tensor:
    """H⁺, which overwrites H; the `curvature` is sᵀH⁻¹s, and yᵀs > 0."""
    hy = inverse @ y
    ys, yhy = (y @ s).item(), (y @ hy).item()
    tau, phi = scales(curvature / ys, yhy / ys, len(s))
    # all that is added lies in the span of Hy and s
    span = torch.stack([hy, s])
    mixed = -phi / (tau * ys)
    matrix = span.new_tensor([[(phi - 1) / (tau * yhy), mixed], [mixed, phi * yhy / (tau * ys * ys) + 1 / ys]])
    return inverse.addmm_(span.T @ matrix, span, beta=1 / tau)


def scales(b: float, h: float, n: int) -> tuple[float, float]:
    """τ and φ in dimension n from b = sᵀH⁻¹s/yᵀs and h = yᵀHy/yᵀs.

    θ, the share of DFP in the Hessian's update, is as near to (1 − b)/b as the update's condition allows.
    """
    a = max(b * h - 1, 1e-12)  # ≥ 0 by Cauchy and Schwarz, in exact numbers
    low = min(1.0, h * (1 - math.sqrt(a / (1 + a))))
    theta = max((low - 1) / a, min(1 / low, (1 - b) / b))
    sigma = 1 + a * theta
    tau = min(1.0, 1 / b)
    volume = tau * sigma ** (-1 / max(1, n - 1))
    tau = min(volume, tau / theta) if theta > 0 else min(volume, sigma)
    return tau, (1 - theta) / sigma
