"""Runtime definitions as text to be put into a script: byte for byte as they stand in `pdespec/runtime`.

From the wanted names follow all that they use, by Python's own scoping; what comes from `pdespec.runtime` is inlined,
all else is imported. Order: a definition stands after what it needs when it is executed (base classes, decorators,
defaults, values of constants), and otherwise after what it uses.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Never

from pdespec.diagnostics import SpecError, error
from pdespec.emit.names import escape
from pdespec.emit.scopes import bound_names, global_names

RUNTIME = "pdespec.runtime"
Key = tuple[str, str]  # module and name


@dataclass(frozen=True, slots=True)
class Definition:
    """One top-level statement of a runtime module: its text and what it uses (`eager`: when it is executed)."""

    module: str
    names: tuple[str, ...]
    line: int
    text: str
    uses: frozenset[str]
    eager: frozenset[str]
    constant: bool


@dataclass(frozen=True, slots=True)
class Runtime:
    """The runtime's modules: definitions by name, and what each module imports from others and from elsewhere."""

    definitions: dict[Key, Definition]
    internal: dict[Key, Key]
    external: dict[Key, str]

    def resolve(self, module: str, name: str) -> Key | None:
        """Where a name used in a module is defined in the runtime."""
        key = (module, name)
        if key in self.internal:
            return self.internal[key]
        return key if key in self.definitions else None


def inline(wanted: Iterable[str], sources: Mapping[str, str] | None = None) -> tuple[tuple[str, ...], str]:
    """The import lines and the text of the wanted definitions and of all that they use.

    `sources` maps module names to texts, by default those of `pdespec.runtime`. Raises SpecError (PDE485) for a name
    that is defined nowhere, or twice among what is inlined.
    """
    runtime = _installed() if sources is None else read_runtime(sources)
    ordered = _in_order([_find(name, runtime) for name in sorted(set(wanted))], runtime)
    _refuse_twins(ordered)
    imports: set[str] = set()
    for definition in ordered:
        used = {(definition.module, name) for name in definition.uses}
        imports |= {runtime.external[key] for key in used if key in runtime.external}
    text = ""
    for before, definition in zip([None, *ordered], ordered, strict=False):
        together = before is not None and before.constant and definition.constant
        text += ("" if before is None else "\n" if together else "\n\n\n") + definition.text
    return merge_imports(imports), text + ("\n" if text else "")


def defined_names() -> frozenset[str]:
    """Every name that the runtime's modules define: names that a script must not use otherwise."""
    return frozenset(name for _, name in _installed().definitions)


def merge_imports(lines: Iterable[str]) -> tuple[str, ...]:
    """Import lines, one for each module: plain imports first, both kinds sorted; `__future__` is left out."""
    plain: set[str] = set()
    names: dict[str, set[str]] = {}
    for line in lines:
        for node in ast.parse(line).body:
            if isinstance(node, ast.Import):
                plain |= {f"import {_alias(alias)}" for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and node.module != "__future__":
                names.setdefault(node.module, set()).update(_alias(alias) for alias in node.names)
    parts = (f"from {m} import {', '.join(sorted(n, key=_import_key))}" for m, n in sorted(names.items()))
    return (*sorted(plain), *parts)


def _import_key(name: str) -> tuple[bool, bool, str]:
    """Constants, classes, functions, each in order, as isort has it."""
    return (not name.isupper(), name[:1].islower(), name)


def _alias(alias: ast.alias) -> str:
    return f"{alias.name} as {alias.asname}" if alias.asname else alias.name


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@cache
def _installed() -> Runtime:
    found = sorted((f for f in files(RUNTIME).iterdir() if f.name.endswith(".py")), key=lambda f: f.name)
    return read_runtime({f.name.removesuffix(".py"): f.read_text(encoding="utf-8") for f in found})


def read_runtime(sources: Mapping[str, str]) -> Runtime:
    """The modules' definitions and imports."""
    runtime = Runtime({}, {}, {})
    for module in sorted(sources):
        _read_module(module, sources[module], runtime)
    return runtime


def _read_module(module: str, text: str, runtime: Runtime) -> None:
    lines = text.split("\n")
    tree = ast.parse(text)
    end_of_last = 0
    for statement in tree.body:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            _read_import(module, statement, runtime)
        elif names := tuple(bound_names(ast.Module([statement], []))):
            definition = _definition(module, names, statement, lines, end_of_last)
            for name in names:
                runtime.definitions[module, name] = definition
        end_of_last = statement.end_lineno or 0


def _read_import(module: str, statement: ast.Import | ast.ImportFrom, runtime: Runtime) -> None:
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            runtime.external[module, alias.asname or alias.name.split(".")[0]] = f"import {_alias(alias)}"
        return
    source = statement.module or ""
    for alias in statement.names:
        key = (module, alias.asname or alias.name)
        if source.startswith(RUNTIME + "."):
            if alias.asname:
                _fail(f"`{alias.name}` is imported under another name in {module}, which inlining cannot keep")
            runtime.internal[key] = (source.removeprefix(RUNTIME + "."), alias.name)
        elif source == RUNTIME or statement.level:
            _fail(f"{module} imports a module of the runtime as a whole")
        elif source != "__future__":
            runtime.external[key] = f"from {source} import {_alias(alias)}"


def _definition(module: str, names: tuple[str, ...], statement: ast.stmt, lines: list[str], after: int) -> Definition:
    """A statement with its decorators and with the comment lines that stand directly above it."""
    decorators = getattr(statement, "decorator_list", [])
    start = min([statement.lineno, *(d.lineno for d in decorators)])
    while start - 1 > after and lines[start - 2].startswith("#"):
        start -= 1
    if start <= statement.lineno and lines[start - 1].startswith("# ──"):
        start += 1  # a ruler belongs to the module's layout
    end = statement.end_lineno or statement.lineno
    text = "\n".join(lines[start - 1 : end])
    constant = not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    eager = global_names(text) if constant else _eager(statement)
    return Definition(module, names, start, text, frozenset(global_names(text)), frozenset(eager), constant)


def _eager(statement: ast.stmt) -> set[str]:
    """The names that a function or class looks up when its definition is executed."""
    parts: list[ast.AST] = list(getattr(statement, "decorator_list", []))
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
        parts += [*statement.args.defaults, *(d for d in statement.args.kw_defaults if d)]
    elif isinstance(statement, ast.ClassDef):
        parts += [*statement.bases, *statement.keywords]
        found = set().union(*(_eager(s) for s in statement.body))
        return found | _names(parts)
    elif isinstance(statement, ast.AnnAssign):
        parts += [statement.value] if statement.value else []
    else:
        parts.append(statement)
    return _names(parts)


def _names(parts: Iterable[ast.AST]) -> set[str]:
    return {n.id for part in parts for n in ast.walk(part) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


# ── ordering ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _find(name: str, runtime: Runtime) -> Definition:
    found = [d for (_, n), d in runtime.definitions.items() if n == name]
    if len(found) != 1:
        places = ", ".join(d.module for d in found) or "nowhere"
        _fail(f"the runtime definition `{escape(name)}` must be in one module, and is in: {places}")
    return found[0]


def _used(definition: Definition, names: Iterable[str], runtime: Runtime) -> list[Definition]:
    """The runtime's definitions behind the names, in the order of modules and lines."""
    keys = {runtime.resolve(definition.module, name) for name in names} - {None}
    missing = sorted(f"{m}.{n}" for m, n in keys - runtime.definitions.keys())  # type: ignore[misc]
    if missing:
        _fail(f"{definition.module} uses {', '.join(missing)}, which is not defined")
    found = {runtime.definitions[key] for key in keys if key}
    return sorted(found - {definition}, key=lambda d: (d.module, d.line))


def _in_order(wanted: list[Definition], runtime: Runtime) -> list[Definition]:
    """All that the wanted definitions use, each after what it uses; where uses form a circle, after its eager ones."""
    preferred: dict[Definition, None] = {}
    _visit_all(wanted, lambda d: _used(d, d.uses, runtime), preferred)
    ordered: dict[Definition, None] = {}
    _visit_all(list(preferred), lambda d: _used(d, d.eager, runtime), ordered)
    return list(ordered)


def _visit_all(
    roots: list[Definition], before: Callable[[Definition], list[Definition]], done: dict[Definition, None]
) -> None:
    """Depth first, each definition after those before it; an edge that closes a circle is ignored."""
    open_: set[Definition] = set()

    def visit(d: Definition) -> None:
        if d in done or d in open_:
            return
        open_.add(d)
        for other in before(d):
            visit(other)
        done[d] = None

    for root in roots:
        visit(root)


def _refuse_twins(definitions: list[Definition]) -> None:
    owner: dict[str, str] = {}
    for definition in definitions:
        for name in definition.names:
            if owner.setdefault(name, definition.module) != definition.module:
                _fail(f"`{name}` is defined in {owner[name]} and in {definition.module}")


def _fail(message: str) -> Never:
    raise SpecError([error("PDE485", None, message)])
