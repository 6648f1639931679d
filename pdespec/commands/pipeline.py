"""Where the command line meets the compiler: a file becomes a `Source`, `--set` a mapping, both a `Compiled`.

Every other command module takes the stages from here, so that this file alone knows the compiler's interface.
"""

from __future__ import annotations

import argparse
import stat
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from pdespec.commands.terminal import UsageError
from pdespec.diagnostics import SpecError, error
from pdespec.source import Source

if TYPE_CHECKING:
    from pdespec.compiler import Compiled

LARGEST = 1 << 20
"""A spec of more bytes is refused unread."""


def compiled(arguments: argparse.Namespace, upto: str = "code") -> Compiled:
    """A command's spec through the stages up to one; raises its diagnostics if there is an error among them."""
    source, folder = read(arguments.spec)
    options = settings(arguments.settings)
    from pdespec import compiler

    engine = getattr(arguments, "engine", "auto")
    return compiler.compile(source, settings=options, folder=folder, upto=upto, engine=engine).require()


def settings(pairs: list[str]) -> dict[str, str]:
    """`--set NAME=VALUE …` as a mapping; the compiler reads the values."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (equals and name.strip() and value.strip()):
            raise UsageError(f"--set takes NAME=VALUE, not {pair!r}")
        if name.strip() in found:
            raise UsageError(f"--set {name.strip()} is given twice")
        found[name.strip()] = value.strip()
    return found


def read(argument: str) -> tuple[Source, Path | None]:
    """The text of a spec and the folder that its data and imports may come from."""
    if argument == "-":
        return Source("<stdin>", _text(sys.stdin.buffer.read(LARGEST + 1), "<stdin>")), None
    path = located(argument)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UsageError(f"{argument} is not a regular file")
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as failure:
        raise UsageError(f"cannot read {argument}: {failure.strerror}{_meant(path)}") from failure
    return Source(str(path), _text(content, argument)), path.parent


def located(argument: str) -> Path:
    """A path as it stands, or else the shipped spec of that name."""
    from pdespec.commands.shipped import specs

    path = Path(argument)
    if not path.exists() and not path.suffix and (known := specs().get(argument)):
        return known
    return path


def _meant(path: Path) -> str:
    """What to do about a file that is not there: add the ending, or take a shipped spec of a similar name."""
    from pdespec.commands.shipped import specs

    if not path.suffix and path.with_name(path.name + ".pde").is_file():
        return f"; did you mean {path}.pde?"
    close = get_close_matches(str(path), specs(), 1)
    return f"; did you mean {close[0]}? `pdespec list` has all" if close else ""


def _text(content: bytes, name: str) -> str:
    if len(content) > LARGEST:
        hint = "split it and `import` the parts"
        raise SpecError([error("PDE006", None, f"{name} is larger than {LARGEST >> 20} MiB", hint=hint)])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        line = content.count(b"\n", 0, failure.start) + 1
        message = f"{name} is not UTF-8: byte 0x{content[failure.start]:02x} in line {line}"
        raise SpecError([error("PDE019", None, message, hint="save it as UTF-8")]) from failure
