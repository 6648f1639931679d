"""A function through `torch.compile` where the steps that are left pay for it, and as it is elsewhere.

Compilation fuses what happens between two matrix products, so it saves time in proportion to the entries of all
layers' channels, and costs some ten to thirty seconds. It is decided once, before the first step, from the numbers of
steps and entries alone, and is part of what a resumed run must agree in: fused arithmetic rounds in another order.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeVar

import torch

from pdespec.runtime.config import Config

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function, config: Config) -> Function:
    """The function, compiled at its first call where `config.compiles` says so.

    Where that fails, a line on stderr says why, and the function stays as it is.
    """
    if not config.compiles:
        if config.wants_compilation:
            print("not compiled: no C++ compiler is found (g++, clang++ or $CXX)", file=sys.stderr)
        return function
    fused = torch.compile(function, dynamic=False, fullgraph=True)
    chosen: list[Callable[..., object]] = []

    def first(*arguments: object) -> object:
        if chosen:
            return chosen[0](*arguments)
        began = time.perf_counter()
        try:
            value = fused(*arguments)
            chosen.append(fused)
            print(f"compiled {function.__name__} in {time.perf_counter() - began:.0f} s", file=sys.stderr)
        except Exception as problem:  # whatever a compiler's back end raises
            print(f"not compiled: {type(problem).__name__}: {str(problem).splitlines()[0]}", file=sys.stderr)
            chosen.append(function)
            value = function(*arguments)
        return value

    return first  # type: ignore[return-value]
