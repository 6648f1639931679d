"""The registry of methods, iterations, networks, samplers and density estimators, with their options.

One line adds one: its name, and the kind of value that each option takes.  Names that belong to the language but cannot
be compiled yet are listed too, so that they are told apart from slips.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Options = dict[str, str]
"""Kinds of values by the name of each option: "integer", "integers" (one, or a tuple), "number", "name", "set", …

They are the keys of `calls.KINDS`.
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class Entry:
    """What may be written in one place: names with their options, and names to come."""

    what: str
    known: dict[str, Options]
    planned: frozenset[str] = frozenset()
    planned_options: dict[str, frozenset[str]] = field(default_factory=dict)


METHODS = Entry(
    "method",
    {
        "features": {"count": "integer", "points": "integer", "sampler": "sampler"},
        "collocation": {"points": "integer", "sampler": "sampler", "box": "set"},
        "ritz": {"points": "integer", "sampler": "sampler"},
        "particles": {"n": "integer", "density": "estimator", "moments": "name", "dt": "number"},
        "grid": {"box": "set", "cells": "integers", "dt": "number"},
    },
    _words("vmc saddle bsde semigroup pushforward regression rollout policy_iteration fitted_q linear_programme"),
    {"particles": frozenset({"inner"}), "collocation": frozenset({"hard"}), "features": frozenset({"box"})},
)

ITERATIONS = Entry(
    "iteration",
    {
        "adam": {"steps": "integer", "lr": "number"},
        "soap": {"steps": "integer", "lr": "number"},
        "lbfgs": {"steps": "integer", "lr": "number"},
        "ssbroyden": {"steps": "integer"},
        "natural_gradient": {"steps": "integer", "damping": "number"},
        "engd": {"steps": "integer", "damping": "number"},
        "lm": {"steps": "integer", "damping": "number"},
        "spring": {"steps": "integer", "lr": "number", "damping": "number", "momentum": "number"},
        "euler": {"dt": "number"},
        "heun": {"dt": "number"},
        "rk4": {"dt": "number"},
    },
    _words("extragradient sgd kfac"),
    {"adam": frozenset({"epochs"}), "rk4": frozenset({"steps"}), "euler": frozenset({"steps"})},
)

NETWORKS = Entry(
    "network",
    {
        "mlp": {"width": "integer", "depth": "integer", "activation": "name"},
        "residual": {"width": "integer", "depth": "integer"},
    },
    _words("bcr switch unrolled cnn resnet attention conv jastrow slater backflow fno deeponet transformer"),
    {"mlp": frozenset({"outputs"})},
)

SAMPLERS = Entry(
    "sampler",
    {"sobol": {}, "uniform": {}, "residual": {"every": "integer"}},
    _words("tempered mala hmc langevin gauss adaptive gibbs"),
)

ESTIMATORS = Entry(
    "density estimator",
    {"knn": {}, "kde": {}, "blob": {}},
)

NETWORK_NAMES = frozenset(NETWORKS.known) | NETWORKS.planned

FUNCTIONS_TO_COME = _words(
    "solution simulate kernel adjoint transpose linearised inclusions bumps random_waves "
    "maxwellian flow_map pushforward clip choice radiating farfield parameters mmd "
    "wasserstein braket fields"
)
"""Notions of the language that cannot be compiled yet."""
