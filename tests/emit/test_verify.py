"""The last check of an emitted script refuses what no script of ours needs."""

from __future__ import annotations

import pytest

from pdespec.diagnostics import SpecError
from pdespec.emit.verify import verify

GOOD = '''"""A script: u_t = ν u_xx."""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

nu = 0.01 / math.pi  # ν


class U(nn.Module):
    rate: float = nu

    def __init__(self) -> None:
        super().__init__()
        self.layers = [nn.Linear(a, b) for a, b in zip([1, 2], [2, 1])]

    def forward(self, z: Tensor) -> Tensor:
        def inner(q: Tensor) -> Tensor:
            return q * self.rate

        return inner(z)


def train(on_step: Callable[[int], None] = lambda k: None) -> dict[str, float]:
    globals().update({"nu": 0.2})
    rate = getattr(on_step, "rate", 1.0)
    state = torch.load("checkpoint.pt", weights_only=True)
    model = U().eval()
    return {k: v for k, v in state.items() if model and rate}


if __name__ == "__main__":
    train()
'''


def test_a_script_passes_unchanged() -> None:
    assert verify(GOOD) == GOOD


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("import subprocess", "imports subprocess"),
        ("import torch.utils.cpp_extension", "imports torch.utils.cpp_extension"),
        ("from pickle import loads", "imports from pickle"),
        ("from . import x", "imports from ."),
        ("from math import *", "imports from math"),
        ("from os import system", "imports system"),
        ("import os\nos.system('x')", "mentions .system"),
        ("eval('1')", "mentions eval"),
        ("exec('1')", "mentions exec"),
        ("compile('1', 'x', 'exec')", "mentions compile"),
        ("__import__('os')", "mentions __import__"),
        ("f = eval", "mentions eval"),
        ("getattr(math, '__dict__')", "mentions getattr"),
        ("getattr(math, str(1))", "mentions getattr"),
        ("f = getattr", "mentions getattr"),
        ("globals()['nu']", "mentions globals"),
        ("x = ().__class__.__bases__", "mentions .__bases__"),
        ("torch.load('x')", "torch.load"),
        ("torch.load('x', weights_only=False)", "torch.load"),
        ("torch.hub.load('x', 'y')", "mentions .hub"),
        ("print(undefined_name)", "uses undefined_name"),
        ("def f(x: Unknown) -> None: pass", "uses Unknown"),
        ("def f(): return [q for q in r]", "uses r"),
        ("class V(W): pass", "uses W"),
        ("x = 1  # \u202e", "U+202E"),
        ("x = '\u200b'", "U+200B"),
        ("x = (", "does not parse"),
    ],
)
def test_refused(line: str, message: str) -> None:
    with pytest.raises(SpecError, match="PDE486") as refused:
        verify(GOOD + line + "\n")
    assert any(message in d.message for d in refused.value.diagnostics)


def test_a_declared_encoding_is_refused() -> None:
    with pytest.raises(SpecError, match="PDE486"):
        verify("# coding: latin-1\n" + GOOD)


def test_all_problems_are_named() -> None:
    with pytest.raises(SpecError) as refused:
        verify(GOOD + "eval(a)\nexec(b)\n")
    assert len(refused.value.diagnostics) == 4
