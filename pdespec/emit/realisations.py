"""The registry of realisations: which function turns which kind of plan into sections of a script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pdespec.diagnostics import located
from pdespec.emit.collocation import emit_collocation
from pdespec.emit.features import emit_features
from pdespec.emit.grids import emit_grid
from pdespec.emit.particles import emit_particles
from pdespec.emit.parts import Script, SolveCode
from pdespec.emit.ritz import emit_ritz
from pdespec.plan.plan import Collocation, Features, Grid, Particles, Realisation, Ritz

EMITTERS: dict[type, Callable[[Any, Script], SolveCode]] = {
    Features: emit_features,
    Collocation: emit_collocation,
    Ritz: emit_ritz,
    Particles: emit_particles,
    Grid: emit_grid,
}


def emit_solve(realisation: Realisation, script: Script) -> SolveCode:
    """The code of one solve."""
    with located(realisation.solve.method_span or realisation.solve.span):
        return EMITTERS[type(realisation)](realisation, script)
