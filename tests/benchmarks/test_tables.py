"""The tables say what was measured: quotients block by block, no result where gradients differ, reasons where none is."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.benchmarks import errors
from tests.benchmarks.rows import VISCOSITY
from tests.benchmarks.table import compilation, error_table, fastest, library_table, shown, speed_table


def entry(**steps: dict[str, Any]) -> dict[str, Any]:
    grad = {"seconds": [4.0, 4.0, 8.0], "far": {"float32": 0.0}, "compile": 0.0}
    slower = {**grad, "seconds": [5.0, 5.0, 9.0]}
    return {
        "told": {"auto": "explicit", "physicsnemo.sym": "no wheel"},
        "nested": ["grad", "grad batched"],
        "libraries": {"PINA": {"torch": "2", "pina": "0.3"}},
        "steps": {"grad": grad, "grad batched": slower, **steps},
        "limit": 0.5,
    }


def script(*seconds: float, far: float = 1e-12, compile_seconds: float = 0.0) -> dict[str, Any]:
    return {"seconds": seconds, "far": {"float32": far, "float64": far}, "compile": compile_seconds}


def test_a_cell_is_the_median_and_the_quartiles_of_quotients_of_the_same_block() -> None:
    found = entry(explicit=script(1.0, 2.0, 1.0))
    assert fastest(found) == "grad"
    assert shown(found, "explicit", "grad") == "4.00× (3.00–6.00)"


def test_a_script_whose_gradients_differ_is_no_result() -> None:
    assert shown(entry(explicit=script(1.0, 1.0, 1.0, far=1e-6)), "explicit", "grad") == "no: differs by 1e-06"


def test_the_reason_stands_where_there_is_no_figure() -> None:
    found = entry() | {"told": {"channels": "PDE901: not supported"}}
    assert shown(found, "channels, compiled", "grad") == "PDE901"
    table = speed_table({"poisson": {"told": {"channels": "PDE901: not supported", "auto": "PDE901: not supported"}}})
    assert table.splitlines()[-1].startswith("| 2-D Poisson | 4096 + 512 | PDE901: not supported |")


def test_compilation_pays_from_the_step_where_it_is_made_up_for() -> None:
    assert compilation(entry(**{"explicit, compiled": script(2.0, 2.0, 2.0, compile_seconds=10.0)})) == "10 s, 5"
    assert compilation(entry(**{"explicit, compiled": script(9.0, 9.0, 9.0, compile_seconds=10.0)})) == "10 s, never"


def test_libraries_stand_beside_the_fastest_script() -> None:
    lines = library_table({"poisson": entry(explicit=script(2.0, 2.0, 4.0), PINA=script(8.0, 8.0, 16.0))}).splitlines()
    assert lines[2] == "| pdespec |  | 2.00× (2.00–2.00), explicit |"
    assert "| PINA | 0.3 | 0.50× (0.50–0.50) |" in lines
    assert "| physicsnemo.sym |  | no wheel |" in lines


def test_errors_are_told_with_their_seconds_or_the_reason() -> None:
    lines = error_table({"poisson": {"a": {"error": 1e-3, "seconds": 30.2}, "b": {"reason": "no wheel"}}}).splitlines()
    assert lines[2:] == ["| a | 1.0e-03 in 30 s |", "| b | no wheel |"]


def test_the_exact_solution_of_burgers_satisfies_the_equation_and_its_conditions() -> None:
    z = errors.points("burgers", 64)
    z = (z * torch.tensor([1.0, 0.7])).requires_grad_()  # before the front is as thin as the rule's nodes are apart
    u = errors.exact("burgers", z)
    (gradient,) = torch.autograd.grad(u.sum(), z, create_graph=True)
    u_x, u_t = gradient.unbind(1)
    u_xx = torch.autograd.grad(u_x.sum(), z)[0][:, 0]
    residual = u_t + u * u_x - VISCOSITY * u_xx
    assert residual.abs().max() < 1e-8 * u_x.abs().max()
    start = torch.tensor([[-0.3, 0.0], [0.8, 0.0]], dtype=torch.float64)
    assert errors.exact("burgers", start).tolist() == pytest.approx((-torch.sin(torch.pi * start[:, 0])).tolist())
    walls = torch.tensor([[-1.0, 0.5], [1.0, 0.9]], dtype=torch.float64)
    assert errors.exact("burgers", walls).abs().max() < 1e-12
