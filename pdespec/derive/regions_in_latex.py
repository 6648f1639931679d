r"""Regions of integrals and equations, and the names of metrics, in LaTeX.

\partial\Omega \times I, \left\{x \in X : x_1 + 1 \le 0\right\}; an integral over all of a space names no region, one
over an interval that is no domain has its ends as limits, and any other has its region below: \int_\Omega.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pdespec.derive.glyphs import latex_name
from pdespec.model.sets import (
    Ball,
    Boundary,
    Difference,
    Finite,
    Interval,
    Named,
    Point,
    Product,
    RealSpace,
    Set,
    Sphere,
    Sublevel,
    Torus,
    Union,
    plain,
)

if TYPE_CHECKING:
    from pdespec.derive.notation import Printer
    from pdespec.model.bindings import Integrate

METRICS = {"L2": "L^2", "Hm1": "H^{-1}", "W2": "W_2", "FR": r"\mathrm{FR}", "WFR": r"\mathrm{WFR}"}


def metric_name(metric: str) -> str:
    """W_2, H^{-1}, \\mathrm{Stein}(K): a metric as it is written in the language."""
    name, bracket, inside = metric.partition("(")
    shown = METRICS.get(name.strip(), latex_name(name.strip()))
    return shown + (f"({re.sub('[^ (),]+', lambda m: latex_name(m[0]), inside)}" if bracket else "")


def region_in_latex(region: Set, printer: Printer) -> str:
    """A region by its declared name, or by its formula."""
    if not isinstance(region, Named) and region in printer.regions:
        return printer.name(printer.regions[region])
    match region:
        case Named(name=name):
            return printer.name(name)
        case Boundary(of=of):
            inner = region_in_latex(of, printer)
            return rf"\partial {inner}" if isinstance(of, (Named, Ball)) else rf"\partial \left({inner}\right)"
        case Product(parts=parts):
            return r" \times ".join(_bracketed(p, printer) for p in parts)
        case Union(parts=parts):
            return r" \cup ".join(_bracketed(p, printer) for p in parts)
        case Difference(whole=whole, hole=hole):
            return rf"{_bracketed(whole, printer)} \setminus {_bracketed(hole, printer)}"
        case Sublevel(within=within, variables=variables, condition=condition):
            names = ", ".join(printer.name(v.name) for v in variables)
            names = f"({names})" if len(variables) > 1 else names
            home = region_in_latex(within, printer)
            return rf"\left\{{{names} \in {home} : {printer.print(condition).text} \le 0\right\}}"
    return _elementary(region, printer)


def _bracketed(region: Set, printer: Printer) -> str:
    text = region_in_latex(region, printer)
    return rf"\left({text}\right)" if isinstance(region, (Product, Union, Difference)) else text


def _elementary(region: Set, printer: Printer) -> str:
    def numbers(values: tuple[Any, ...]) -> str:
        return ", ".join(printer.print(v).text for v in values)

    match region:
        case Interval(lo=lo, hi=hi):
            return rf"\left[{numbers((lo, hi))}\right]"
        case RealSpace(d=d):
            return r"\mathbf{R}" if d == 1 else rf"\mathbf{{R}}^{{{d}}}"
        case Torus(periods=periods):
            return r" \times ".join(rf"\mathbf{{R}}/{printer.within(p, 4)}\mathbf{{Z}}" for p in periods)
        case Ball(center=center, radius=radius):
            middle = numbers(center) if len(center) == 1 else rf"\left({numbers(center)}\right)"
            return rf"B_{{{numbers((radius,))}}}\left({middle}\right)"
        case Sphere(d=d):
            return rf"S^{{{d - 1}}}"
        case Point(coordinates=values) | Finite(values=values):
            return rf"\left\{{{numbers(values)}\right\}}"
    raise TypeError(f"no notation for {type(region).__name__}")


def integral(term: Integrate, folds: int, printer: Printer) -> str:
    """The integral sign with its region."""
    region = term.region
    if isinstance(plain(region), Boundary):
        return rf"\int_{{{region_in_latex(region, printer)}}}"
    if isinstance(region, Interval) and region not in printer.regions:
        return rf"\int_{{{printer.print(region.lo).text}}}^{{{printer.print(region.hi).text}}}"
    sign = "\\" + {2: "iint", 3: "iiint"}.get(folds, "int")
    part = isinstance(plain(region), (Sublevel, Difference, Union)) and folds == len(term.variables)
    return sign + (rf"_{{{region_in_latex(region, printer)}}}" if part else "")
