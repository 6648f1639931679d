"""poisson: u(x, y) on [0, 1]².

    bulk   −Δu = f,  f = 2π²κ sin(πx) sin(πy)     on Ω        spec:7
    wall   u = 0                                  on ∂Ω       spec:8

Derived: one residual, linear and of second order; the wall is built into the ansatz by the factor x(1 − x)y(1 − y).
Planned: channels u and Δu pushed forward through the network; Adam for 500 steps, then L-BFGS for 40.
A script as the compiler emits it, but for what stands inlined there and is imported here.
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from pdespec.runtime.config import Config, read_config
from pdespec.runtime.endings import exit_code
from pdespec.runtime.loop import Run, Step, run_stages
from pdespec.runtime.npz import write_npz
from pdespec.runtime.progress import Progress
from pdespec.runtime.report import Report, finish
from pdespec.runtime.seeds import seeded
from pdespec.runtime.stages import Descent

CONFIG = Config(out=Path("runs/poisson"), spec="5c1f", planned=540, parameters={"kappa": 1.0})

# ── parameters ────────────────────────────────────────────────────────────────────────────────────────────────────
kappa = 1.0  # spec:2  κ
dtype = torch.float64


# ── ansatz: u := x (1 − x) y (1 − y) mlp(x, y; width=24, depth=2) ─────────────────────────────────────────────────
class U(nn.Module):
    """u : Ω → R. Points z = (x, y) have shape (n, 2); every output has shape (n,)."""

    def __init__(self, random: torch.Generator, width: int = 24, depth: int = 2) -> None:
        super().__init__()
        sizes = [2, *[width] * depth, 1]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))
        for layer in self.layers:
            nn.init.xavier_uniform_(layer.weight, generator=random)
            nn.init.zeros_(layer.bias)

    def forward(self, z: Tensor) -> Tensor:
        a = z
        for layer in self.layers[:-1]:
            a = torch.tanh(layer(a))
        return (z * (1 - z)).prod(1) * self.layers[-1](a).squeeze(-1)

    def laplacian(self, z: Tensor) -> Tensor:
        """Δu in one forward sweep: each layer maps the stacked channels n, n_x, n_y, Δn by one matrix product."""
        first, *hidden, last = self.layers
        a = torch.tanh(first(z))
        s = 1 - a.square()  # tanh′
        w = first.weight
        channels = torch.stack([a, s * w[:, 0], s * w[:, 1], -2 * a * s * w.square().sum(1)])
        for layer in hidden:
            h, h_x, h_y, lap_h = channels @ layer.weight.T
            a = torch.tanh(h + layer.bias)
            s = 1 - a.square()
            channels = torch.stack([a, s * h_x, s * h_y, s * (lap_h - 2 * a * (h_x.square() + h_y.square()))])
        n, n_x, n_y, lap_n = (channels @ last.weight.T).squeeze(-1)
        n = n + last.bias

        (x, y), (p, q) = z.T, (z * (1 - z)).T  # product rule with the wall factor g = p q
        return p * q * lap_n + 2 * ((1 - 2 * x) * q * n_x + (1 - 2 * y) * p * n_y) - 2 * (p + q) * n


# ── equations ─────────────────────────────────────────────────────────────────────────────────────────────────────
def bulk(u: U, z: Tensor) -> Tensor:  # spec:7
    """Δu + f"""
    return u.laplacian(z) + 2 * math.pi**2 * kappa * torch.sin(math.pi * z).prod(1)


# ── points ────────────────────────────────────────────────────────────────────────────────────────────────────────
def sample(config: Config) -> dict[str, Tensor]:
    """Sobol points of Ω."""
    z = torch.quasirandom.SobolEngine(2, scramble=True, seed=config.seed).draw(1024, dtype=dtype)
    return {"bulk": z.to(config.device)}


def objective(u: U, points: dict[str, Tensor]) -> dict[str, Tensor]:
    return {"bulk": bulk(u, points["bulk"]).square().mean()}


# ── training ──────────────────────────────────────────────────────────────────────────────────────────────────────
def train(config: Config, on_step: Callable[[Step], object] = lambda step: None) -> tuple[U, Run]:
    globals().update(config.parameters)  # --set
    u = U(seeded(config.seed)).to(config.device, dtype)
    points = sample(config)
    adam = torch.optim.Adam(u.parameters(), lr=5e-3)
    lbfgs = torch.optim.LBFGS(u.parameters(), max_iter=20, history_size=50, line_search_fn="strong_wolfe")
    stages = [
        Descent("adam", config.share(500), adam, lambda k: objective(u, points)),
        Descent("lbfgs", config.share(40), lbfgs, lambda k: objective(u, points), scale=1e6),
    ]
    return u, run_stages(stages, config, labels=("bulk",), on_step=on_step)


# ── reports ───────────────────────────────────────────────────────────────────────────────────────────────────────
def evaluate(u: U, config: Config) -> list[Report]:
    ticks = torch.linspace(0, 1, 101, dtype=dtype, device=config.device)
    z = torch.cartesian_prod(ticks, ticks)
    with torch.no_grad():
        value, exact = u(z), kappa * torch.sin(math.pi * z).prod(1)
    write_npz(config.out / "solution.npz", {"x": ticks, "y": ticks, "u": value.reshape(101, 101)})
    error = float((value - exact).norm() / exact.norm())
    return [Report("error(u)", error, bound="< 1e-3", met=error < 1e-3)]


def main() -> int:
    config = read_config("poisson: u(x, y) on [0, 1]²", CONFIG)
    u, run = train(config, Progress())
    return finish(config, run, evaluate(u, config))


if __name__ == "__main__":
    sys.exit(exit_code(main))
