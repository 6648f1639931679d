"""The pipeline: text ─parse▶ Ast ─check▶ Model ─derive▶ Derivation ─plan▶ Plan ─emit▶ one PyTorch script.

| stage  | takes      | gives                                                            |
|--------|------------|------------------------------------------------------------------|
| parse  | `Source`   | `ast.Spec`: the statements, each with its place                  |
| check  | `ast.Spec` | `Model`: names resolved, types and well-posedness checked        |
| derive | `Model`    | `Derivation`: residuals, variations, flows, identities, by rules |
| plan   | `Derivation` | `Plan`: a realisation for each solve, and why                  |
| emit   | `Plan`     | the text of a standalone script                                  |

Every stage is a pure function that also returns its diagnostics; a stage runs only if those before it found no error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pdespec.derive.derivation import Derivation
from pdespec.derive.derive import derive
from pdespec.diagnostics import Diagnostic, SpecError, has_errors
from pdespec.emit.script import emit
from pdespec.model.check import check
from pdespec.model.model import Model
from pdespec.plan.choose import plan as make_plan
from pdespec.plan.plan import Plan
from pdespec.source import Source
from pdespec.syntax.ast import Spec
from pdespec.syntax.parse import parse

STAGES = ("ast", "model", "derivation", "plan", "code")


@dataclass(frozen=True, slots=True)
class Compiled:
    """What the stages gave; a stage that was not reached, or not asked for, is None."""

    diagnostics: tuple[Diagnostic, ...]
    spec: Spec | None = None
    model: Model | None = None
    derivation: Derivation | None = None
    plan: Plan | None = None
    source: str | None = None

    @property
    def ok(self) -> bool:
        """Whether no stage found an error."""
        return not has_errors(self.diagnostics)

    def require(self) -> Compiled:
        """Itself; raises SpecError with all diagnostics if there is an error among them."""
        if not self.ok:
            raise SpecError(self.diagnostics)
        return self


def compile(
    text: str | Source,
    *,
    settings: Mapping[str, str] | None = None,
    folder: Path | None = None,
    upto: str = "code",
    seconds: float = 30.0,
    engine: str = "auto",
) -> Compiled:
    """Run the stages up to `upto` (one of `STAGES`).

    `settings` override params, `folder` is where imports and data may be found, `seconds` bounds the derivation, and
    `engine` is how derivatives of networks are computed: "channels", "autograd", or "auto".
    """
    source = text if isinstance(text, Source) else Source("<text>", text)
    name = Path(source.name).stem if source.name.endswith(".pde") else "spec"
    last = STAGES.index(upto)

    spec, found = parse(source)
    if last == 0 or has_errors(found):
        return Compiled(found, spec)

    model, more = check(spec, settings=settings or {}, folder=folder, name=name)
    found += more
    if model is None or last == 1 or has_errors(found):
        return Compiled(found, spec, model)

    derivation, more = derive(model, seconds=seconds)
    found += more
    if last == 2 or has_errors(found):
        return Compiled(found, spec, model, derivation)

    chosen, more = make_plan(derivation)
    found += more
    if chosen is None or last == 3 or has_errors(found):
        return Compiled(found, spec, model, derivation, chosen)

    script, more = emit(chosen, engine=engine)
    return Compiled(found + more, spec, model, derivation, chosen, script)
