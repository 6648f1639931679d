"""What a decided check says to the author: nothing when proved, an error when refuted, a warning when undecided."""

from __future__ import annotations

from pdespec.derive.derivation import Identity
from pdespec.diagnostics import Diagnostic, Label, error, warning
from pdespec.model.model import Model


def finding(outcome: Identity, model: Model) -> tuple[Diagnostic, ...]:
    """The diagnostic of a check, if it has one."""
    if outcome.verdict == "proved":
        return ()
    return (_refuted(outcome, model) if outcome.verdict == "refuted" else _undecided(outcome),)


def _refuted(outcome: Identity, model: Model) -> Diagnostic:
    from pdespec.derive.notation import unicode

    check = outcome.check
    notes = []
    if outcome.residual is not None:
        notes.append(f"residual: {unicode(outcome.residual)}")
    if outcome.witness:
        notes.append("witness: " + ", ".join(f"{name} = {value}" for name, value in outcome.witness))
    if outcome.value:
        notes.append(f"its value there is {outcome.value}" if outcome.witness else outcome.value)
    failed = [s for s in outcome.steps if s.rule.endswith(": refuted")]
    related = tuple(Label(s.span, "which it does not satisfy") for s in failed if s.span is not None)
    if check.kind == "solution":
        names = ", ".join(s.rule.removesuffix(": refuted") for s in failed)
        message = f"the declared solution does not satisfy {names}"
        return error("PDE401", check.span, message, notes=tuple(notes), related=related)
    message = "the two equations are not equivalent" if check.kind == "equations" else "the two sides are not equal"
    return error("PDE401", check.span, message, notes=tuple(notes))


def _undecided(outcome: Identity) -> Diagnostic:
    check = outcome.check
    if outcome.points and not outcome.digits:
        held = "the quadrature of its integrals is too coarse to tell"
    elif outcome.points:
        held = f"it holds at {outcome.points} random points to {outcome.digits} digits"
    elif outcome.factor is not None:
        held = "the two differ by a factor that may vanish"
    else:
        held = outcome.value or "no point could be tested"
    unsettled = [s.rule.removesuffix(": undecided") for s in outcome.steps if s.rule.endswith(": undecided")]
    notes = (f"open: {', '.join(unsettled)}",) if unsettled else ()
    return warning("PDE402", check.span, f"this check is undecided: {held}", notes=notes)
