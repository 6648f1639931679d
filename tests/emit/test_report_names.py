"""What a report's function names is named once: pieces that read alike, such as two means of a sine, stay apart."""

from __future__ import annotations

import ast
import sys
import types

import pytest
import torch

from pdespec import compiler

SPEC = """\
domain  X(x) = torus(2*π, 2*π), I(t) = [0, 1]
unknown p : P(X) over I
V(x) := -cos(x[1]) - cos(x[2])
W(x, y) := cos(x[1] - y[1]) + 2*cos(x[2] - y[2])
E(p) := ∫ V*p dx + 1/2 * ∬ W(x, y)*p(x)*p(y) dx dy
m1(p) := ∫ sin(x[1])*p dx
m2(p) := ∫ sin(x[2])*p dx
c12(p) := ∫ (sin(x[1]) - m1(p))*(sin(x[2]) - m2(p))*p dx
flow:  ∂t p = -grad(E, p; metric=W2) on X × I
start: p = 1/(2*π)^2*(1 + 1/2*sin(x[1]))*(1 + 1/4*sin(x[2])) on X × {0}
a: solve flow, start using particles(n=20)
b: solve flow, start using grid(cells=(16, 16))
report a(c12(p)), b(c12(p))
"""


@pytest.fixture(scope="module")
def source() -> str:
    found = compiler.compile(SPEC).require().source
    assert found is not None
    return found


def test_no_report_names_two_things_alike(source: str) -> None:
    functions = [n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef) and n.name.startswith("report_")]
    named = [[ast.unparse(n.targets[0]) for n in f.body if isinstance(n, ast.Assign)] for f in functions]
    assert max(map(len, named)) >= 5, "pieces are shared here, or this shows nothing"
    assert all(len(set(names)) == len(names) for names in named), named


def test_a_covariance_of_two_sines(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("emitted")
    monkeypatch.setitem(sys.modules, "emitted", module)
    exec(compile(source, "emitted", "exec"), module.__dict__)
    grid = module.Grid((0.0, 0.0), (6.25, 6.25), (16, 16), (True, True), "cpu")
    x = grid.centres()
    p = (1 + x[..., 0].sin() / 2) * (1 + (x[..., 0] - x[..., 1]).sin() / 4)
    p = p / (p.sum() * grid.volume)
    states = {1.0: {"p": p}}
    flow = types.SimpleNamespace(kept=states, grid=grid, name="b")
    found = module.report_2({"b": flow}, None)
    mass, one, two = (v.flatten() for v in (p * grid.volume, x[..., 0].sin(), x[..., 1].sin()))
    assert found == pytest.approx((mass @ (one * two) - (mass @ one) * (mass @ two)).item(), abs=1e-14)


def test_a_kernel_by_its_components_moves_particles(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """∇W(x, y) of a kernel without one radius is a vector of sums over pairs."""
    module = types.ModuleType("emitted")
    monkeypatch.setitem(sys.modules, "emitted", module)
    exec(compile(source, "emitted", "exec"), module.__dict__)
    x = 3 * torch.rand(20, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    apart = (x[:, None] - x).sin().mean(1)
    expected = torch.stack([apart[:, 0], 2 * apart[:, 1]], -1) - x.sin()
    assert torch.allclose(module.a_velocity(x), expected, atol=1e-13)
