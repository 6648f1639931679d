"""The last look at an emitted script: parsed again, and held against what such a script may do.

Identifiers, literals and comments are safe by construction (`names`); this is the second lock. Refused are imports
outside a list, calls that run text or reach into objects by name, undefined names, and characters that hide something.
"""

from __future__ import annotations

import ast
import builtins
import io
import tokenize
import unicodedata
from collections.abc import Iterator

from pdespec.diagnostics import SpecError, error
from pdespec.emit.scopes import bound_names, global_names

IMPORTS = frozenset(
    "__future__ argparse bisect collections collections.abc contextlib copy csv dataclasses fcntl functools hashlib io "  # noqa: SIM905
    "itertools json math operator os pathlib platform re shutil signal statistics struct sys tempfile threading time "
    "torch torch.func torch.nn types typing traceback warnings zipfile zlib".split()
)
"""Modules that a script may import: torch, and harmless parts of the standard library."""

CALLS = frozenset(
    "eval exec compile __import__ getattr setattr delattr globals locals input breakpoint open_code".split()  # noqa: SIM905
)
"""Builtins that a script may not mention."""

ATTRIBUTES = frozenset(
    "system popen execv execve execl execlp execvp execvpe spawnv spawnl spawnve fork forkpty posix_spawn "  # noqa: SIM905
    "rmtree import_module hub cpp_extension __globals__ __builtins__ __subclasses__ __bases__ __mro__ __code__ "
    "__getattribute__ __reduce__ __reduce_ex__ __import__ __loader__ __spec__".split()
)
"""Attributes that a script may not mention: they start programs, load code or reach behind an object."""


def verify(text: str) -> str:
    """The text itself; raises SpecError (PDE486) with everything that is wrong with it."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as problem:
        raise SpecError([error("PDE486", None, f"the emitted script does not parse: {problem}")]) from problem
    found = [*_hidden(text), *_forbidden(tree), *_undefined(text, tree)]
    if found:
        raise SpecError([error("PDE486", None, f"the emitted script {problem}") for problem in dict.fromkeys(found)])
    return text


def _hidden(text: str) -> Iterator[str]:
    """Control, bidirectional and invisible characters, and a declared encoding other than UTF-8."""
    for number, line in enumerate(text.split("\n"), 1):
        for c in line:
            if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
                yield f"holds the hidden character U+{ord(c):04X} (line {number})"
    encoding, _ = tokenize.detect_encoding(io.BytesIO(text.encode("utf-8", "replace")).readline)
    if encoding != "utf-8":
        yield f"declares the encoding {encoding}"


def _forbidden(tree: ast.Module) -> Iterator[str]:
    allowed = {name for name in map(_harmless, ast.walk(tree)) if name}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (f"imports {a.name} (line {node.lineno})" for a in node.names if a.name not in IMPORTS)
        elif isinstance(node, ast.ImportFrom):
            if node.level or node.module not in IMPORTS or any(a.name == "*" for a in node.names):
                yield f"imports from {node.module or '.'} (line {node.lineno})"
            yield from (f"imports {a.name} (line {node.lineno})" for a in node.names if a.name in ATTRIBUTES)
        elif isinstance(node, ast.Name) and node.id in CALLS and node not in allowed:
            yield f"mentions {node.id} (line {node.lineno})"
        elif isinstance(node, ast.Attribute) and node.attr in ATTRIBUTES:
            yield f"mentions .{node.attr} (line {node.lineno})"
        elif isinstance(node, ast.Call):
            yield from _unsafe_call(node)


def _harmless(node: ast.AST) -> ast.expr | None:
    """The two uses of a refused builtin that do no more than plain code could: its name where it stands.

    `globals().update(…)` sets a script's parameters from the command line; `getattr(x, "name")` with a public name
    written out is `x.name`.
    """
    if not isinstance(node, ast.Call):
        return None
    if _is_name(node.func, "getattr") and len(node.args) > 1:
        attribute = node.args[1]
        written = isinstance(attribute, ast.Constant) and isinstance(attribute.value, str)
        return node.func if written and not _reaches(str(attribute.value)) else None  # type: ignore[attr-defined]
    inner = node.func.value if isinstance(node.func, ast.Attribute) and node.func.attr == "update" else None
    return inner.func if isinstance(inner, ast.Call) and _is_name(inner.func, "globals") and not inner.args else None


def _reaches(attribute: str) -> bool:
    return attribute.startswith("_") or attribute in ATTRIBUTES


def _unsafe_call(node: ast.Call) -> Iterator[str]:
    """`torch.load` without `weights_only=True`, which could run code from a file."""
    callee = node.func
    if isinstance(callee, ast.Attribute) and callee.attr == "load" and _is_name(callee.value, "torch"):
        safe = any(k.arg == "weights_only" and isinstance(k.value, ast.Constant) and k.value.value is True
                   for k in node.keywords)  # fmt: skip
        if not safe:
            yield f"calls torch.load without weights_only=True (line {node.lineno})"


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _undefined(text: str, tree: ast.Module) -> Iterator[str]:
    known = {*bound_names(tree), *dir(builtins), "__file__", "__name__", "__doc__"}
    for name in sorted(global_names(text) - known):
        yield f"uses {name}, which nothing defines"
