"""The lines of a method that forms u from f(N): numerator, denominator, their derivatives, and the quotient rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sympy import Basic, Expr

from pdespec.emit import layout
from pdespec.emit.channels import Channel, channel_name
from pdespec.emit.network_scope import BODY, Scope, assign
from pdespec.emit.quotient import OUTER, Quotient

NOTES = {"dv": "dv/dn", "d2v": "d²v/dn²", "d3v": "d³v/dn³", "d4v": "d⁴v/dn⁴", "u": "the derivatives of p = q u"}


def piece_lines(
    scope: Scope, form: Quotient, channels: Sequence[Channel], network: Mapping[Basic, str]
) -> tuple[list[str], list[str]]:
    """The lines, and the texts of the wanted channels; `network` names the derivatives of N."""
    inputs, jets, zero = scope.ansatz.input_names, form.jets, (0,) * len(scope.ansatz.inputs)
    pieces = form.pieces(channels)
    lines = scope.coordinates([e for _, _, e in pieces])
    atoms: dict[Basic, str] = dict(network)
    numbers: dict[Basic, Expr] = {}

    def define(atom: Basic, name: str, expr: Expr, note: str = "") -> None:
        expr = expr.xreplace(numbers)
        if expr.is_Number:
            numbers[atom] = expr
        else:
            line = assign(name, scope.printer(dict(reversed(atoms.items())), last=True)(expr))
            lines.append(layout.comment(line, note, layout.COMMENT_COLUMN - BODY) if note else line)
            atoms[atom] = name

    for atom, slope in zip(OUTER, form.slopes, strict=False):
        define(atom, scope.local(atom.name), slope, NOTES.get(atom.name, ""))
        atoms[jets("v", zero)] = scope.local("v")
    noted = {"v"} if form.below != 1 else {"v", "u"}
    for function, channel, expr in pieces:
        base = scope.ansatz.name if function == "u" else function
        note = NOTES.get(function, "") if any(channel) and function not in noted else ""
        noted |= {function} if note else set()
        define(jets(function, channel), scope.local(channel_name(base, channel, inputs)), expr, note)
    printer = scope.printer(atoms)
    return lines, [printer(form.wanted(c).xreplace(numbers)) for c in channels]
