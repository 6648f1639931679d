"""Rows ∂r/∂θ of emitted residuals, by every engine, against one gradient for each residual of the nested engine."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from pdespec import compiler
from pdespec.runtime.residual_rows import ResidualRows, Residuals
from pdespec.source import Source
from tests.emitted.test_optimisers import SYSTEM

SPECS = Path(__file__).resolve().parents[2] / "specs"
TEXTS = {name: (SPECS / f"{name}.pde").read_text(encoding="utf-8") for name in
         ("burgers", "committor", "poisson_net", "poisson_5d_net", "wave_net")} | {
    "system": SYSTEM.replace("METHOD", "lm"),
    "plate": """\
domain X(x, y) = [0, 1]^2
unknown u : X -> R
plate: Δ(Δu) = 1 on X
pin: u = 0 on ∂X
bend: Δu = 0 on ∂X
ansatz u := mlp(x, y; width=5, depth=2, activation=sin)
solve plate, pin, bend using collocation(points=12)
report u(1/2, 1/2) < 9
""",
}  # fmt: skip


def rows(
    text: str, engine: str, monkeypatch: pytest.MonkeyPatch
) -> tuple[ResidualRows, dict[str, tuple[torch.Tensor, ...]]]:
    """The rows of a spec's collocation solve with fresh networks, and a few points of each region."""
    source = compiler.compile(Source("spec.pde", text), folder=SPECS, engine=engine).require().source
    assert source is not None
    module = ModuleType("emitted_rows")
    monkeypatch.setitem(sys.modules, module.__name__, module)  # where its dataclasses look for it
    exec(compile(source, "spec.py", "exec"), module.__dict__)
    stem = next(name for name in vars(module) if name.endswith("residuals") and name != "compiled_residuals")[:-9]
    config = module.Config(out=Path("unused"), spec="", planned=100, device="cpu")
    nets, _ = getattr(module, f"{stem}solve")(config)
    few = {
        place: tuple(part[:7] for part in given) for place, given in getattr(module, f"{stem}sample")(config).items()
    }
    residuals = Residuals(list(nets.values()), getattr(module, f"{stem}residuals"))
    return ResidualRows(residuals, nested=engine == "autograd", chunk=3), few


@pytest.mark.parametrize("name", TEXTS)
def test_rows_are_gradients_of_single_residuals(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reference, points = rows(TEXTS[name], "autograd", monkeypatch)
    expected = []
    for r in reference.residuals(points).values():
        count = r.shape[-1]
        for entry in (r.T if r.ndim == 2 else r).flatten():
            parts = torch.autograd.grad(entry, reference.parameters, retain_graph=True, materialize_grads=True)
            expected.append(torch.cat([p.flatten() for p in parts]) / count**0.5)
    exact = torch.stack(expected)
    for engine in ("explicit", "channels", "autograd"):
        own, few = rows(TEXTS[name], engine, monkeypatch)
        found = own.jacobian(few)
        np.testing.assert_allclose(found, exact, rtol=1e-9, atol=1e-9 * exact.abs().max().item(), err_msg=engine)
