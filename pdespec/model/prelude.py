"""The definitions that every spec may use, and the files that a spec imports.

Both hold definitions in which every name is a formal, bound, or a name of the language.  An imported file lies below
the folder of its spec: no absolute path, no `..`, no link that leads out, a regular file of limited size.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath

from pdespec.diagnostics import Diagnostic, SpecError, error, has_errors
from pdespec.model.refusal import refuse, unsupported
from pdespec.model.scope import Scope
from pdespec.source import Source
from pdespec.syntax import ast
from pdespec.syntax.parse import parse
from pdespec.syntax.resources import grammar_path

LARGEST = 1 << 20
"""The largest file that is imported, in bytes."""

FILES = 32
"""The most files that a spec may import, directly or not."""


@cache
def _metrics() -> tuple[ast.Definition, ...]:
    path = grammar_path("prelude/metrics.pde")
    spec, found = parse(Source(path.name, path.read_text(encoding="utf-8")))
    if has_errors(found):
        raise SpecError(found)
    return tuple(s for s in spec.statements if isinstance(s, ast.Definition))


def prelude() -> Scope:
    """The metrics, in a scope of their own."""
    return Scope(definitions={d.name.id: d for d in _metrics()})


def imported(statement: ast.Import, folder: Path | None, seen: set[Path]) -> list[ast.Definition]:
    """The definitions of a file and of the files that it imports.  Raises SpecError; `seen` grows."""
    path = _inside(statement, folder)
    if path in seen:
        return []
    if len(seen) >= FILES:
        refuse("PDE109", statement.span, f"more than {FILES} files are imported")
    seen.add(path)
    found: list[ast.Definition] = []
    for inner in _read(path, statement).statements:
        if isinstance(inner, ast.Import):
            found += imported(inner, folder, seen)
        elif isinstance(inner, ast.Definition):
            found.append(inner)
        else:
            unsupported(inner.span, "anything but a definition in an imported file")
    return found


def _inside(statement: ast.Import, folder: Path | None) -> Path:
    """The path of an import, if it stays below the folder of the spec."""
    written = statement.path.value
    span = statement.path.span
    if folder is None:
        refuse("PDE109", span, "a spec that is no file has no folder to import from")
    pure = PurePosixPath(written)
    if not written or pure.is_absolute() or ".." in pure.parts or "\\" in written or ":" in written or "\0" in written:
        refuse("PDE109", span, "an import names a file below the spec's folder", hint="no absolute path and no `..`")
    if pure.suffix != ".pde":
        refuse("PDE109", span, "an import names a `.pde` file")
    root = folder.resolve()
    path = (root / pure).resolve()
    if not path.is_relative_to(root):
        refuse("PDE109", span, "the file lies outside the spec's folder")
    return path


def _read(path: Path, statement: ast.Import) -> ast.Spec:
    span = statement.path.span
    try:
        if not path.is_file():
            refuse("PDE109", span, f"there is no file `{statement.path.value}`")
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as failure:
        refuse("PDE109", span, f"the file cannot be read: {failure.strerror}")
    if len(content) > LARGEST:
        refuse("PDE109", span, "the file is larger than 1 MiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        refuse("PDE109", span, "the file is not UTF-8")
    spec, found = parse(Source(statement.path.value, text))
    if has_errors(found):
        raise SpecError(found)
    return spec


def closed(definition: ast.Definition, names: frozenset[str]) -> Iterator[Diagnostic]:
    """Every name of an imported definition is a formal, bound, a name of the language, or defined beside it."""
    from pdespec.model.resolution import Names, resolve

    formals = frozenset(f.id for group in definition.formals for f in group)
    for found in resolve(definition.body, Names(dict.fromkeys(names, "")), formals):
        if found.code == "PDE101":
            yield error(
                "PDE101",
                found.span,
                found.message,
                label=found.label,
                hint="in an imported file every name is a formal, bound, or built in",
            )
        else:
            yield found
