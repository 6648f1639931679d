"""One step of an ordinary or stochastic differential equation ẋ = f(x) (+ √(2c) Ẇ), as pure functions of the state.

The noise z is an argument, drawn by the caller from the generator that belongs to the step.  Hairer, Nørsett & Wanner,
Solving ODEs I, II.1; Gottlieb, Shu & Tadmor, SIAM Review 43, 2001; Kloeden & Platen, Numerical Solution of SDEs, 14–15.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor


def euler(f: Callable[[Tensor], Tensor], x: Tensor, dt: float) -> Tensor:
    """x + dt f(x): order 1."""
    return x + dt * f(x)


def heun(f: Callable[[Tensor], Tensor], x: Tensor, dt: float) -> Tensor:
    """The explicit trapezoidal rule: order 2."""
    k = f(x)
    return x + dt / 2 * (k + f(x + dt * k))


def rk4(f: Callable[[Tensor], Tensor], x: Tensor, dt: float) -> Tensor:
    """The classical Runge–Kutta method: order 4."""
    k1 = f(x)
    k2 = f(x + dt / 2 * k1)
    k3 = f(x + dt / 2 * k2)
    k4 = f(x + dt * k3)
    return x + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def ssp_rk3(f: Callable[[Tensor], Tensor], x: Tensor, dt: float) -> Tensor:
    """Shu & Osher's method: order 3, a convex combination of Euler steps, so what Euler keeps (p ≥ 0) is kept."""
    y = x + dt * f(x)
    y = (3 * x + y + dt * f(y)) / 4
    return (x + 2 * (y + dt * f(y))) / 3  # one division: 1/3 and 2/3 are not exact, and would leak mass


def euler_maruyama(f: Callable[[Tensor], Tensor], x: Tensor, dt: float, diffusion: float, z: Tensor) -> Tensor:
    """dx = f dt + √(2c) dW with z ~ N(0, 1): weak order 1."""
    return x + dt * f(x) + math.sqrt(2 * diffusion * dt) * z


def stochastic_heun(f: Callable[[Tensor], Tensor], x: Tensor, dt: float, diffusion: float, z: Tensor) -> Tensor:
    """dx = f dt + √(2c) dW with constant c: the same noise in both stages, weak order 2."""
    kick = math.sqrt(2 * diffusion * dt) * z
    k = f(x)
    return x + dt / 2 * (k + f(x + dt * k + kick)) + kick


def split_noise(
    method: Callable[[Callable[[Tensor], Tensor], Tensor, float], Tensor],
    f: Callable[[Tensor], Tensor],
    x: Tensor,
    dt: float,
    diffusion: float,
    z: tuple[Tensor, Tensor],
) -> Tensor:
    """dx = f dt + √(2c) dW with constant c: half the noise, any method for ẋ = f, half the noise; weak order 2."""
    kick = math.sqrt(diffusion * dt)
    return method(f, x + kick * z[0], dt) + kick * z[1]


def strang(
    first: Callable[[Tensor, float], Tensor], second: Callable[[Tensor, float], Tensor], x: Tensor, dt: float
) -> Tensor:
    """Two flows (x, dt) ↦ x alternated as ½, 1, ½ (Strang, SIAM J. Numer. Anal. 5, 1968): order 2."""
    return first(second(first(x, dt / 2), dt), dt / 2)
