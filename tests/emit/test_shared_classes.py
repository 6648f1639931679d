"""One class for one ansatz: solves and unknowns share it where the code is the same, and only there."""

from __future__ import annotations

import ast
import re
import sys
import types
from pathlib import Path

import pytest
import torch

from pdespec import compiler
from pdespec.source import Source

SPECS = Path(__file__).resolve().parents[2] / "specs"
THREE = """\
domain  X(x) = torus(2*π)
unknown u : X -> R, v : X -> R, w : X -> R
ansatz  w := sin(x) * mlp(x)
pu: ∂xx u - u = 1 on X
pv: ∂x v + v = 1 on X
pw: ∂xx w - w = sin(x) on X
a: solve pu using collocation(points=16) with adam(steps=5)
b: solve pv using collocation(points=16) with adam(steps=5)
c: solve pw using collocation(points=16) with adam(steps=5)
report a(u(0.5)), b(v(0.5)), c(w(0.5))
"""


def source_of(text: str) -> str:
    source = compiler.compile(Source("spec.pde", text), folder=SPECS).require().source
    assert source is not None
    return source


def networks(source: str) -> dict[str, list[str]]:
    """The methods of each class that is a network."""
    classes = [n for n in ast.parse(source).body if isinstance(n, ast.ClassDef) and n.bases]
    found = [n for n in classes if ast.unparse(n.bases[0]) == "nn.Module"]
    return {n.name: [m.name for m in n.body if isinstance(m, ast.FunctionDef)] for n in found}


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("committor", {"U": ["first_derivatives", "second_derivatives"]}),
        ("oscillator", {"UV": ["derivatives"]}),
        ("burgers", {"U": ["derivatives"]}),
    ],
)
def test_the_classes_of_shipped_specs(name: str, classes: dict[str, list[str]]) -> None:
    source = source_of((SPECS / f"{name}.pde").read_text(encoding="utf-8"))
    assert networks(source) == {c: ["__init__", "forward", *methods] for c, methods in classes.items()}


def test_other_ansatz_other_class(monkeypatch: pytest.MonkeyPatch) -> None:
    source = source_of(THREE)
    found = networks(source)
    assert sorted(found) == ["CW", "UV"] and {"first_derivatives", "second_derivatives"} <= set(found["UV"])
    assert len(re.findall(r"_net\.second_derivatives\(", source)) == len(re.findall(r"_net\.first_", source)) == 1
    module = types.ModuleType("emitted")
    monkeypatch.setitem(sys.modules, "emitted", module)
    exec(compile(source, "emitted", "exec"), module.__dict__)
    net = module.UV(module.seeded(0)).double()
    z = torch.linspace(0, 1, 9, dtype=torch.float64)[:, None].requires_grad_()
    (slope,) = torch.autograd.grad(net(z).sum(), z, create_graph=True)
    (bend,) = torch.autograd.grad(slope.sum(), z)
    torch.testing.assert_close(net.first_derivatives(z)[-1], slope[:, 0])
    torch.testing.assert_close(net.second_derivatives(z)[-1], bend[:, 0])


def test_no_empty_weights() -> None:
    source = source_of((SPECS / "oscillator.pde").read_text(encoding="utf-8"))
    assert "= {}\n" not in source[: source.index("# ── training")]
    assert source.count('weights = {"excited.orthogonal": 100.0}') == 1
