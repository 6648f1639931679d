"""The states that a flow keeps: at the times asked for, in order, over the cells or as points."""

from __future__ import annotations

import torch
from pytest import approx

from pdespec.runtime.gridflow import kept_fields, kept_states, snapshots
from pdespec.runtime.stages import Evolution


def test_snapshots_stand_between_the_ends_after_whole_steps() -> None:
    assert snapshots(1.0, 0.5, 8, 4) == (2.0, 3.0, 4.0)
    assert snapshots(0.0, 0.1, 3, 40) == approx((0.1, 0.2))
    assert snapshots(0.0, 1.0, 1, 3) == ()


def test_states_are_kept_in_order_and_once() -> None:
    start = torch.tensor([1.0, 2.0], dtype=torch.float64)
    flow = Evolution(
        "decay",
        4,
        0.25,
        {"u": start},
        lambda state, t, dt, random: {"u": state["u"] * torch.exp(torch.tensor(-dt, dtype=torch.float64))},
        lambda state, t: {"time": t},
        keep=(0.0, 0.6, 1.0, *snapshots(0.0, 0.25, 4, 2)),
    )
    for k in range(4):
        flow.step(k)
    times, values = kept_fields(flow, "u")
    assert times.tolist() == [0.0, 0.5, 0.6, 1.0]
    assert torch.allclose(values, start[:, None] * torch.exp(-times))
    assert kept_states(flow, "u")[1].shape == (4, 2, 1)
