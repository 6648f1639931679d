"""Emitted ansatz classes against nested automatic differentiation of their own `forward`, in float64."""

from __future__ import annotations

import itertools
import math
import os
import subprocess
import sys
from typing import Any

import pytest
import sympy as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from pdespec.diagnostics import SpecError
from pdespec.emit.ansatz import Ansatz
from pdespec.emit.channels import channel_name, set_partitions
from pdespec.emit.network import NetworkClass, emit_network, network_class
from pdespec.plan.networks import circle
from pdespec.plan.plan import Laplacian, Mlp, Module, network_output
from pdespec.runtime.adjoint import cotangent_blocks, cotangent_stack

torch.set_num_threads(1)
x, y, t = sp.symbols("x y t", real=True)
k = sp.Symbol("k", positive=True)
N = network_output()
CONSTANTS = {"k": 0.7}


def instance(emitted: NetworkClass, name: str = "U", seed: int = 0) -> Any:
    scope: dict[str, Any] = {"torch": torch, "nn": nn, "Tensor": Tensor, "math": math, "Any": Any, **CONSTANTS}
    scope |= {"cotangent_stack": cotangent_stack, "cotangent_blocks": cotangent_blocks}
    exec(emitted.source, scope)
    net = scope[name](torch.Generator().manual_seed(seed)).double()
    with torch.no_grad():
        for parameter in net.parameters():  # biases are zero at first, which would hide that one is left out
            shift = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
            parameter += 0.3 * shift
    return net


def nested(net: Any, z: Tensor, channel: Any, component: int | None) -> Tensor:
    """∂^α of one output by repeated torch.autograd.grad, one input at a time."""
    if isinstance(channel, Laplacian):
        d = z.shape[1]
        return sum(nested(net, z, tuple(2 * (i == j) for j in range(d)), component) for i in channel.over)  # type: ignore[return-value]
    z = z.detach().requires_grad_()
    value = net(z) if component is None else net(z)[:, component]
    for i in (i for i, times in enumerate(channel) for _ in range(times)):
        (gradient,) = torch.autograd.grad(value.sum(), z, create_graph=True, materialize_grads=True)
        value = gradient[:, i]
    return value


def compare(ansatz: Ansatz, channels: list[Any], engine: str = "auto", parameters: bool = True) -> NetworkClass:
    """Every channel, and the parameter gradient of a random quadratic residual of them, to 1e-10."""
    emitted = emit_network(ansatz, {"derivatives": channels}, engine=engine)
    net = instance(emitted)
    rng = torch.Generator().manual_seed(3)
    z = 2 * torch.rand(5, len(ansatz.inputs), generator=rng, dtype=torch.float64) - 1
    found = net.derivatives(z)
    assert len(found) == len(channels)
    shape = (5,) if ansatz.outputs == 1 else (5, ansatz.outputs)
    expected = []
    for channel in channels:
        if ansatz.outputs == 1:
            expected.append(nested(net, z, channel, None))
        else:
            expected.append(torch.stack([nested(net, z, channel, c) for c in range(ansatz.outputs)], -1))
    for channel, a, b in zip(channels, found, expected, strict=True):
        assert a.shape == shape, channel
        scale = b.abs().max().clamp(min=1)
        assert ((a - b).abs() / scale).max() < 1e-10, channel
    if parameters:
        weights = torch.randn(len(channels), generator=rng, dtype=torch.float64)
        gradients = []
        for values in (found, expected):
            loss = sum(w * v + v**2 / 2 for w, v in zip(weights, values, strict=True)).square().mean()
            parts = torch.autograd.grad(loss, [*net.parameters()], materialize_grads=True)
            gradients.append(torch.cat([g.flatten() for g in parts]))
        assert (gradients[0] - gradients[1]).norm() <= 1e-10 * gradients[1].norm()
    return emitted


def ansatz(inputs: tuple[sp.Symbol, ...], net: Any = None, **more: Any) -> Ansatz:
    return Ansatz("U", "u", inputs, tuple(s.name for s in inputs), net or Mlp(6, 2), constants={k: "k"}, **more)


def test_burgers_is_written_out() -> None:
    burgers = ansatz((x, t), Mlp(32, 3), form=((1 - x**2) * N,), summary="u : X × I → R.")
    emitted = compare(burgers, [(0, 0), (1, 0), (0, 1), (2, 0)], "channels")
    assert emitted.channels == {"derivatives": ("u", "u_x", "u_t", "u_xx")}
    assert emitted.engines == {"derivatives": "channels"}
    for line in (
        '    """u : X × I → R. Points z = (x, t) have shape (n, 2); every output has shape (n,)."""',
        "    def __init__(self, generator: torch.Generator, width: int = 32, depth: int = 3) -> None:",
        "        return (1 - x.square()) * n",
        "        channels = torch.stack([a, s * w_x, s * w_t, s2 * w_x.square()])",
        "            h, h_x, h_t, h_xx = channels @ layer.weight.T",
        "            channels = torch.stack([a, s * h_x, s * h_t, s * h_xx + s2 * h_x.square()])",
        "        return g * n, g * n_x + g_x * n, g * n_t, g * n_xx + 2 * g_x * n_x - 2 * n",
    ):
        assert line in emitted.source.split("\n")
    assert "autograd" not in emitted.source


CASES: dict[str, tuple[Ansatz, list[Any]]] = {
    "poisson": (ansatz((x, y), Mlp(6, 3, "sin")), [Laplacian((0, 1))]),
    "value and laplacian": (ansatz((x, y)), [(0, 0), Laplacian((0, 1))]),
    "laplacian beside its parts": (ansatz((x, y)), [Laplacian((0, 1)), (2, 0), (0, 2)]),
    "laplacian in space alone": (ansatz((x, y, t), form=(t * x * N + sp.sin(y),)), [(0, 0, 1), Laplacian((0, 1))]),
    "constant factor": (ansatz((x,), form=(k * N + x,)), [(0,), (1,), (2,)]),
    "fourth order": (ansatz((x,), Mlp(6, 2, "gelu"), form=(x**2 * (1 - x) ** 2 * N,)), [(0,), (1,), (2,), (3,), (4,)]),
    "biharmonic": (ansatz((x, y)), [(4, 0), (2, 2), (0, 4)]),
    "only one high derivative": (ansatz((x, t)), [(3, 0)]),
    "parameters in the form": (
        ansatz((x, t), form=(sp.exp(-k * x) + (1 - sp.exp(-k * t)) * N,)),
        [(1, 0), (2, 0), (0, 1)],
    ),
    "nonlinear form": (ansatz((x, t), form=(sp.exp(N) * (1 + x**2),)), [(0, 0), (1, 1), (2, 0), Laplacian((0, 1))]),
    "bounded form": (ansatz((x, t), form=(1 / (1 + sp.exp(-N)),)), [(1, 0), (3, 0)]),
    "periodic": (ansatz((x, t), features=(*circle(x, sp.Integer(2)), t)), [(0, 0), (2, 0), (1, 1), (4, 0)]),
    "periodic laplacian": (ansatz((x, y), features=(*circle(x, 1), *circle(y, sp.pi))), [Laplacian((0, 1))]),
    "periodic with a factor": (
        ansatz((x, t), features=(*circle(x, 2 * k), t), form=(sp.sin(sp.pi * x) + t * N,)),
        [(0, 0), (0, 1), (2, 0)],
    ),
    "scaled inputs": (ansatz((x, t), features=((x - 1) / 8, t / k)), [(0, 0), (1, 0), (2, 1)]),
    "features of one kind": (ansatz((x, t), features=(x - 2 * t, x + 2 * t)), [(2, 0), (0, 2), (1, 1)]),
    "features that mix": (ansatz((x, y), features=(sp.sqrt(1 + x**2 + y**2), x * y)), [(1, 0), (1, 1), (2, 2)]),
    "two outputs": (ansatz((x, y), outputs=2), [(0, 0), (1, 0), (0, 2)]),
    "two outputs, one factor": (
        ansatz((x, y), outputs=2, form=(x * y * N + x, x * y * network_output(1) + x)),
        [(0, 0), (1, 1), Laplacian((0, 1))],
    ),
    "two outputs, two factors": (
        ansatz((x, y), outputs=2, form=(x * (1 - x) * N, sp.cos(y) + y**2 * network_output(1))),
        [(0, 0), (1, 0), (2, 2), Laplacian((0, 1))],
    ),
    "three outputs, one free": (
        ansatz((x, y), outputs=3, form=(x * N, y * network_output(1), network_output(2))),
        [(0, 0), (1, 0), (0, 2)],
    ),
    "one layer": (ansatz((x, t), Mlp(5, 1, "sin")), [(2, 0), (0, 1)]),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("engine", ["explicit", "channels", "autograd"])
def test_derivatives(case: str, engine: str) -> None:
    described, channels = CASES[case]
    emitted = compare(described, channels, engine)
    assert emitted.engines["derivatives"] == engine


FORMS = [
    (),
    (N * (1 - x**2),),
    (sp.sin(x) + x * t * N,),
    (sp.exp(-k * t) + (1 - x**2) * t * N,),
    (x * N**2 + t,),
    (sp.tanh(x * N),),
]
FEATURES = [(), (*circle(x, sp.Integer(2)), t), (x / 3, t - 1)]


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_random_channels(data: st.DataObject) -> None:
    d = data.draw(st.integers(1, 3), "inputs")
    inputs = (x, t, y)[:d]
    plain = d != 2
    form = () if plain else data.draw(st.sampled_from(FORMS), "form")
    features = () if plain else data.draw(st.sampled_from(FEATURES), "features")
    outputs = data.draw(st.integers(1, 3), "outputs") if not form else 1
    net = Mlp(4, data.draw(st.integers(1, 2)), data.draw(st.sampled_from(["tanh", "sin", "gelu"])))
    every = [c for c in itertools.product(range(5), repeat=d) if sum(c) <= 4]
    channels = data.draw(st.lists(st.sampled_from(every), min_size=1, max_size=4, unique=True), "channels")
    described = ansatz(inputs, net, outputs=outputs, form=form, features=features)
    compare(described, channels, parameters=sum(map(sum, channels)) <= 8)


def test_above_order_four_nested_differentiation_stands_in() -> None:
    emitted = compare(ansatz((x,)), [(0,), (5,)])
    assert emitted.engines == {"derivatives": "autograd"}


def test_other_networks_are_differentiated_by_nesting() -> None:
    other = ansatz((x, y), Module("nn.Sequential(nn.Linear(2, 4), nn.Softplus(), nn.Linear(4, 1))"), form=(x * N,))
    assert compare(other, [(0, 0), (1, 0), Laplacian((0, 1))]).engines == {"derivatives": "autograd"}


def test_outputs_that_mix_are_differentiated_by_nesting() -> None:
    stream = ansatz((x, y), outputs=2, form=(x * N - network_output(1), N * network_output(1)))
    assert compare(stream, [(0, 0), (1, 1)]).engines == {"derivatives": "autograd"}


def test_nested_derivatives_work_without_gradients_switched_on() -> None:
    net = instance(emit_network(ansatz((x,)), {"derivatives": [(1,)]}, engine="autograd"))
    z = torch.linspace(-1, 1, 4, dtype=torch.float64)[:, None]
    with torch.no_grad():
        (inside,) = net.derivatives(z)
    torch.testing.assert_close(inside, net.derivatives(z)[0], rtol=0, atol=0)


def test_parameters_come_from_the_generator_alone() -> None:
    emitted = emit_network(ansatz((x, t)), {})
    before = torch.get_rng_state()
    first, again, other = (instance(emitted, seed=s) for s in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not torch.equal(first.layers[0].weight, other.layers[0].weight)


def test_names_of_inputs_and_constants_do_not_meet_the_locals() -> None:
    symbols = sp.symbols("a h n", real=True)
    clash = Ansatz("U", "s", symbols, ("a", "h", "n"), Mlp(4, 2), form=(symbols[0] * N * sp.exp(-k * symbols[2]),),
                   constants={k: "k"})  # fmt: skip
    compare(clash, [(0, 0, 0), (2, 0, 0), (0, 1, 0), (1, 0, 1)])


def test_several_methods_and_none() -> None:
    emitted = emit_network(ansatz((x, y)), {"derivatives": [Laplacian((0, 1))], "flux": [(1, 0), (0, 1)]})
    net = instance(emitted)
    z = torch.rand(3, 2, dtype=torch.float64)
    torch.testing.assert_close(net.flux(z)[1], nested(net, z, (0, 1), None), rtol=1e-12, atol=1e-12)
    assert "derivatives" not in network_class(ansatz((x, y)), [(0, 0)])


def test_long_names_are_kept_apart() -> None:
    assert channel_name("u", (1, 2), ["x", "t"]) == "u_xtt"
    assert channel_name("u", (1, 1), ["theta", "t"]) == "u_theta_t"
    assert channel_name("u", Laplacian((0, 1)), ["x", "y"]) == "lap_u"


def test_lines_are_within_the_width() -> None:
    factor = (1 - x**2) ** 2 * sp.exp(-t * y)
    wide = ansatz((x, y, t), outputs=3, form=tuple(factor * network_output(j) for j in range(3)))
    for engine in ("explicit", "channels", "autograd"):
        source = emit_network(wide, {"derivatives": [(2, 2, 0), (1, 1, 2), (0, 0, 4)]}, engine=engine).source
        assert max(map(len, source.split("\n"))) <= 120


def test_the_class_does_not_depend_on_the_hash_seed() -> None:
    program = (
        "import sympy as sp\n"
        "from pdespec.emit.ansatz import Ansatz\n"
        "from pdespec.plan.networks import circle\n"
        "from pdespec.plan.plan import Mlp, network_output\n"
        "from pdespec.plan.plan import Laplacian\n"
        "from pdespec.emit.network import emit_network\n"
        "x, y, t = sp.symbols('x y t', real=True)\n"
        "form = (sp.sin(x * y) * sp.exp(-t) + x * t * sp.exp(-t) * (1 - y) * network_output(),)\n"
        "features = (*circle(x, 2), y, sp.exp(-t) * y)\n"
        "u = Ansatz('U', 'u', (x, y, t), ('x', 'y', 't'), Mlp(8, 2), features=features, form=form)\n"
        "wanted = [(0, 0, 1), (2, 1, 0), (0, 0, 0), Laplacian((0, 1))]\n"
        "for engine in ('explicit', 'channels', 'autograd'):\n"
        "    print(emit_network(u, {'derivatives': wanted}, engine=engine).source)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    texts = {
        subprocess.run(
            [sys.executable, "-c", program], env=environment | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(texts) == 1


def test_an_unknown_activation_is_an_error() -> None:
    with pytest.raises(SpecError, match="PDE484"):
        network_class(ansatz((x,), Mlp(4, 2, "relu")), [(1,)])


def test_set_partitions_are_counted_by_bell_numbers() -> None:
    assert [len(set_partitions(n)) for n in range(6)] == [1, 1, 2, 5, 15, 52]
