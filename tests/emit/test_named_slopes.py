"""The gradient of a known function in a residual is written by named lines, V_x1 = …, and the residual is the same."""

from __future__ import annotations

import ast
import sys
import types
from pathlib import Path

import pytest
import torch

from pdespec import compiler
from pdespec.source import Source

SPECS = Path(__file__).resolve().parents[2] / "specs"
LINEAR = """\
domain  X(x) = [0, 1]^2
unknown u : X -> R
b := 3*x[1] + x[2]^2
flow: -Δu + ∇b·∇u + div(∇b) = 1 on X
rim:  u = 0 on ∂X
solve flow, rim using collocation(points=16) with adam(steps=5)
report u((0.5, 0.5))
"""


def emitted(text: str, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, list[str]], types.ModuleType]:
    """The lines of each function of a script, and its module."""
    source = compiler.compile(Source("spec.pde", text), folder=SPECS).require().source
    assert source is not None
    module = types.ModuleType("emitted")
    monkeypatch.setitem(sys.modules, "emitted", module)
    exec(compile(source, "emitted", "exec"), module.__dict__)
    functions = [n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef)]
    return {n.name: [ast.unparse(line) for line in n.body[1:]] for n in functions}, module


def test_the_generator_of_a_diffusion(monkeypatch: pytest.MonkeyPatch) -> None:
    lines, module = emitted((SPECS / "committor.pde").read_text(encoding="utf-8"), monkeypatch)
    assert [line.partition(" = ")[0] for line in lines["strong"][:-1]] == ["V_x1", "V_x2"]
    assert "V_x1 * u_x1" in lines["strong"][-1] and "V_x2 * u_x2" in lines["strong"][-1]
    g = torch.Generator().manual_seed(0)
    x1, x2, a, b, lap = torch.randn(5, 9, generator=g, dtype=torch.float64)
    z = torch.stack([x1, x2], -1).requires_grad_()
    (slope,) = torch.autograd.grad(((z[:, 0] ** 2 - 1) ** 2 + 0.3 * z[:, 1] ** 2).sum(), z)
    expected = lap / 2 - slope[:, 0] * a - slope[:, 1] * b
    torch.testing.assert_close(module.strong(x1, x2, a, b, lap), expected)


@pytest.mark.parametrize(("more", "named"), [("div(∇b)", ["b_x2"]), ("div(u*∇b)", [])])
def test_only_what_is_not_differentiated_is_named(more: str, named: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    lines, module = emitted(LINEAR.replace("div(∇b)", more), monkeypatch)
    assert [line.partition(" = ")[0] for line in lines["flow"][:-1]] == named
    x2, u, u1, u2, u11, u22 = torch.rand(6, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    arguments = {"x2": x2, "u_x1": u1, "u_x2": u2, "lap_u": u11 + u22}
    transport = 3 * u1 + 2 * x2 * u2
    added = 2 if named else transport + 2 * u
    found = module.flow(**arguments, **({} if named else {"u": u}))
    torch.testing.assert_close(found, -u11 - u22 + transport + added - 1)
