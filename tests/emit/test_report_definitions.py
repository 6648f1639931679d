"""Definitions that only reports read are functions of the script: with integrals, and of scalars on different axes."""

from __future__ import annotations

import ast
import math
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch

from pdespec import compiler
from pdespec.source import Source

SPECS = Path(__file__).resolve().parents[2] / "specs"
SPEC = """\
domain  X(x) = [-1, 1], I(t) = [0, 1]
unknown u : X × I -> R
bulk:  ∂t u = ∂xx u on X × I
start: u = 1 - x² on X × {0}
walls: u = 0 on ∂X × I
lean(s)  := exp(-s²)
swing(s) := cos(s*x + t)
both(s, r) := s*x + r²*t
one  := ∫[s in [0, 1]] lean(s)*swing(s) ds
two  := ∫[s in [0, 1]] (∫[r in [0, 2]] both(s, r) dr) ds
solve bulk, start, walls using collocation(points=64) with adam(steps=10)
report error(u, one), error(u, two)
"""


def source_of(text: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, types.ModuleType, object]:
    """A script, the module that it makes, and a configuration for the CPU."""
    source = compiler.compile(Source("spec.pde", text), folder=SPECS).require().source
    assert source is not None
    module = types.ModuleType("emitted")
    monkeypatch.setitem(sys.modules, "emitted", module)
    exec(compile(source, "emitted", "exec"), module.__dict__)
    return source, module, module.Config(out=Path("run"), spec="", planned=1, device="cpu")


def test_cole_and_hopf_keep_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    source, module, config = source_of((SPECS / "burgers.pde").read_text(encoding="utf-8"), monkeypatch)
    functions = {n.name: ast.unparse(n) for n in ast.parse(source).body if isinstance(n, ast.FunctionDef)}
    assert "y(" in functions["weight"] and "weight(" in functions["colehopf"] and "y(" in functions["colehopf"]
    assert "colehopf(" in functions["report_1"] and "exp" not in functions["report_1"]
    x, t = np.meshgrid(np.linspace(-0.9, 0.9, 7), [0.01, 0.3, 1.0])
    nu, eta = 0.01 / math.pi, np.linspace(-4, 4, 200_001)
    kernel = -(eta**2) / (4 * nu * t.reshape(-1, 1)) - np.cos(math.pi * (x.reshape(-1, 1) - eta)) / (2 * math.pi * nu)
    kernel = np.exp(kernel - kernel.max(1, keepdims=True))  # the formula over η = z√(2νt), by the trapezoidal rule
    exact = -(np.sin(math.pi * (x.reshape(-1, 1) - eta)) * kernel).sum(1) / kernel.sum(1)
    found = module.colehopf(torch.tensor(x.flatten()), torch.tensor(t.flatten()), config)
    assert np.abs(found.numpy() - exact).max() < 1e-7


def test_functions_of_scalars_on_different_axes(monkeypatch: pytest.MonkeyPatch) -> None:
    _, module, config = source_of(SPEC, monkeypatch)
    x, t = torch.tensor([-0.5, 0.25, 1.0]).double(), torch.tensor([0.0, 0.5, 1.0]).double()
    s = (torch.arange(20_000).double() + 0.5) / 20_000
    midpoint = ((-s.square()).exp() * torch.cos(s * x[:, None] + t[:, None])).mean(1)
    assert module.one(x, t, config).tolist() == pytest.approx(midpoint.tolist(), abs=1e-8)
    assert module.two(x, t, config).tolist() == pytest.approx((x + 8 / 3 * t).tolist(), abs=1e-12)
