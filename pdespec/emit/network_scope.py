"""Names and shapes inside one method of an ansatz's class.

Points z have shape (n, d). A scalar unknown of plain inputs takes its coordinates as x = z[:, 0] of shape (n,); with
several outputs, or with features, coordinates are columns of shape (n, 1), which broadcast against (n, m).
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sympy import Basic, Expr

from pdespec.emit import layout
from pdespec.emit.ansatz import Ansatz
from pdespec.emit.code import Code
from pdespec.emit.expression import Printer
from pdespec.emit.names import Namespace
from pdespec.emit.temporaries import share

BODY = 8  # the indentation of a method's body
LINE = layout.WIDTH - BODY - 4  # what is left for a line of it, also inside a loop


@dataclass(frozen=True, slots=True)
class Scope:
    """The names of one method: inputs and constants first, then locals, which give way to them."""

    ansatz: Ansatz
    names: Namespace
    points: str
    locals: dict[str, str] = field(default_factory=dict)
    bound: set[Basic] = field(default_factory=set)
    temporaries: dict[Basic, str] = field(default_factory=dict)

    @property
    def columns(self) -> bool:
        """Whether coordinates have shape (n, 1) rather than (n,)."""
        return self.ansatz.outputs > 1 or bool(self.ansatz.features)

    def local(self, word: str) -> str:
        """The local name of a quantity; the same one each time."""
        if word not in self.locals:
            self.locals[word] = self.names.fresh(word)
        return self.locals[word]

    def printer(self, atoms: Mapping[Basic, str], last: bool = False) -> Printer:
        """Prints over the given tensors, the inputs, the constants and the temporaries.

        The tensors come first, or stand as fields at the end of products and sums.
        """
        plain = {**dict(zip(self.ansatz.inputs, self.ansatz.input_names, strict=True)), **self.ansatz.constants}
        names = {**plain, **atoms} if last else {**atoms, **plain}
        tensors = {*atoms.values(), *self.ansatz.input_names, *self.temporaries.values()}
        return Printer({**names, **self.temporaries}, tensors, order=tuple(names), fields=set(atoms) if last else set())

    def share(self, expressions: Sequence[Expr], atoms: Mapping[Basic, str]) -> list[str]:
        """The lines that compute what several expressions have in common; later printers use it."""
        assignments, printer = share(expressions, self.printer(atoms), self.names.fresh)
        names = {name for name, _ in assignments}
        self.temporaries.update((node, name) for node, name in printer.names.items() if name in names)
        return [assign(*pair) for pair in assignments]

    def coordinates(self, expressions: Iterable[Basic]) -> list[str]:
        """The line that binds those inputs which occur in the expressions and are not bound yet."""
        free = set().union(*(e.free_symbols for e in expressions)) - self.bound
        self.bound.update(free)
        used = [x in free for x in self.ansatz.inputs]
        names = [name if u else "_" for name, u in zip(self.ansatz.input_names, used, strict=True)]
        if not any(used):
            return []
        if sum(used) == 1:
            k = used.index(True)
            return [f"{names[k]} = {self.points}[:, {f'{k}:{k + 1}' if self.columns else k}]"]
        return [unpack(names, f"{self.points}.{'split(1, -1)' if self.columns else 'unbind(-1)'}")]

    def column(self, code: Code) -> str:
        """A column of the shape of the coordinates, also where its value is one number."""
        if code.tensor:
            return code.text
        column = f"{self.points}[:, :1]"
        return f"torch.zeros_like({column})" if code.text == "0" else f"torch.full_like({column}, {code.text})"

    def stacked(self, components: tuple[Expr, ...], printer: Printer) -> Code:
        """One expression for every output, or a column for each of them side by side."""
        codes = [printer.code(c) for c in components]
        if len(set(components)) == 1:
            return codes[0]
        return Code(f"torch.cat([{', '.join(self.column(c) for c in codes)}], -1)", tensor=True)

    def features(self, printer: Printer) -> str:
        """The network's input: the points themselves, or the features side by side."""
        if not self.ansatz.features:
            return self.points
        columns = [self.column(printer.code(f)) for f in self.ansatz.features]
        return columns[0] if len(columns) == 1 else f"torch.cat([{', '.join(columns)}], -1)"


def scope_of(ansatz: Ansatz) -> Scope:
    """The scope of a new method."""
    names = Namespace((*ansatz.input_names, *ansatz.constants.values()))
    return Scope(ansatz, names, names.fresh("z", "points"))


def unpack(names: list[str], value: str) -> str:
    """`h, h_x = value`, the names over several lines where they are many."""
    left = ", ".join(names)
    if len(left) + 3 + len(value) <= LINE:
        return f"{left} = {value}"
    return f"(\n{textwrap.fill(left, LINE, initial_indent='    ', subsequent_indent='    ')}\n) = {value}"


def assign(name: str, value: str) -> str:
    """An assignment, folded where it is long."""
    return layout.statement(f"{name} =", value, 0, width=LINE)


def returned(value: str) -> str:
    """A return, folded where it is long."""
    return layout.statement("return", value, 0, width=LINE)
