"""The description of an ansatz from which its class is emitted.

u(z) = F(z, N(ζ(z))): a network N of the features ζ (the inputs themselves, or cos and sin of a periodic one), and a
form F, an expression in the inputs and in the network's outputs, such as l(z) + g(z) N.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sympy import Basic, Expr, Symbol

from pdespec.plan.plan import Mlp, Module


@dataclass(frozen=True, slots=True)
class Ansatz:
    """One unknown and how it is represented.

    `inputs` are the flat scalar coordinates, `input_names` their identifiers, in the order of the columns of z;
    `features` are expressions in them (empty: the inputs themselves).  `form` holds one expression per output in the
    inputs, the constants and `network_output(k)` (empty: the network itself).  `constants` maps parameters to their
    names in the script, Python floats.  `summary` opens the class's docstring.
    """

    class_name: str
    name: str
    inputs: tuple[Symbol, ...]
    input_names: tuple[str, ...]
    net: Mlp | Module
    outputs: int = 1
    features: tuple[Expr, ...] = ()
    form: tuple[Expr, ...] = ()
    constants: Mapping[Basic, str] = field(default_factory=dict)
    summary: str = ""
