"""The benchmark is honest: both sides of every row compute the same loss and gradient, and FLOPs are counted right."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import pdespec
from tests.benchmarks import limits
from tests.benchmarks.contest import disagreement, interleaved, quartiles, turns
from tests.benchmarks.emitted import SPECS, load, training
from tests.benchmarks.measure import SWEEP, TOLERANCES, by_hand, first_step, nested_step
from tests.benchmarks.nested import VARIANTS
from tests.benchmarks.rows import ROWS, Group

torch.set_num_threads(1)
FAST = sorted(set(ROWS) - {"laplace100", "laplace1000"})


Scripts = Callable[[str], Path]


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Scripts:
    """Builds the script of a row, once."""
    folder = tmp_path_factory.mktemp("scripts")

    @functools.cache
    def built(name: str) -> Path:
        compiled = pdespec.compile((SPECS / f"{name}.pde").read_text()).require()
        path = folder / f"{name}.py"
        path.write_text(compiled.source or "")
        return path

    return built


@pytest.mark.parametrize("name", [*FAST, pytest.param("laplace100", marks=pytest.mark.slow)])
def test_both_sides_of_a_row_have_the_same_loss_and_gradients(name: str, script: Scripts) -> None:
    row, dtype = ROWS[name], torch.float64
    start = training(load(script(name), dtype), row.smaller(6))
    parameters = [p.detach().clone() for p in start.parameters]
    emitted = first_step(start)
    assert len(emitted.gradients) == 2 * row.depth + 2
    for variant, residuals in by_hand(row).items():
        _, sample = nested_step(residuals, start, parameters)
        assert disagreement(emitted, sample) < TOLERANCES[dtype], variant


def test_a_wrong_gradient_is_noticed(script: Scripts) -> None:
    row = ROWS["burgers"]
    start = training(load(script("burgers"), torch.float64), row.smaller(6))
    parameters = [p.detach().clone() for p in start.parameters]
    emitted = first_step(start)
    start.stage.weights = {**start.stage.weights, "start": 1.0}
    _, sample = nested_step(by_hand(row)["grad"], start, parameters)
    assert disagreement(emitted, sample) > 1e-3


def test_points_are_cut_down_to_the_row_and_lie_on_all_of_their_region(script: Scripts) -> None:
    start = training(load(script("navier_stokes"), torch.float64), ROWS["navier_stokes"].groups)
    assert {label: tuple(z.shape) for label, z in start.points.items()} == {"along": (4096, 2), "still": (16, 2)}
    sides = (start.points["still"][:, :, None] == torch.tensor([0.0, 1.0])).any(0)
    assert sides.all()


@pytest.mark.parametrize("channels", [1, 4, 6])
def test_the_formula_for_flops_is_what_the_counter_of_torch_finds(channels: int) -> None:
    row = replace(ROWS["poisson"], width=8, depth=3, inputs=2, outputs=1)
    sizes = [2, 8, 8, 8, 1]
    weights = [torch.randn(b, a, requires_grad=True) for a, b in pairwise(sizes)]
    with FlopCounterMode(display=False) as counter:
        h = torch.randn(20, 2) @ weights[0].T
        stack = torch.stack([torch.tanh(h)] * channels)
        for weight in weights[1:]:
            stack = torch.tanh(stack @ weight.T)
        stack.sum().backward()
    assert counter.get_total_flops() == limits.matmul_flops(row, [Group("bulk", 20, channels)])


def test_the_measured_products_are_those_of_a_hidden_layer() -> None:
    step, flops = limits.products(ROWS["poisson"], [Group("bulk", 10, 4)], torch.float64)
    with FlopCounterMode(display=False) as counter:
        step()
    assert counter.get_total_flops() == flops == 3 * 2 * 40 * 64 * 64


def test_blocks_are_interleaved_and_their_quartiles_are_of_one_step() -> None:
    order: list[str] = []
    found = interleaved({name: turns(partial(order.append, name)) for name in "ab"}, 3, 0.0)
    assert order == ["a"] * 3 + ["b"] * 3 + ["a", "b"] * 3
    assert len(found["a"].blocks) == 3 and found["a"].steps == 1
    assert quartiles([5.0, 1.0, 2.0, 4.0, 3.0]) == (2.0, 3.0, 4.0)


def test_only_variants_that_have_the_orders_of_a_row_enter() -> None:
    assert set(by_hand(ROWS["poisson"])) == set(VARIANTS)
    assert set(by_hand(ROWS["biharmonic"])) == set(VARIANTS) - {"jvp of grad, vmap"}
    assert set(by_hand(ROWS["laplace100"])) == {*VARIANTS, SWEEP}
