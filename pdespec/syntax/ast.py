"""The syntax tree: what a spec says, before any name is resolved.

Few and generic nodes.  Two spellings of one thing give equal trees: `Δu` and `lap(u)`, `x²` and `x^2`, `β` and `beta`,
`∂xx u` and `diff(u, x, x)`.  Therefore spans, the spelling of a name and the digits of a number do not take part in
comparison.  Parentheses leave no trace; the tree's shape is their meaning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from pdespec.source import Source, Span

NOWHERE = Span(Source("<text>", ""), 0, 0)
"""The span of a node that no text stands behind (built in a test, say)."""

BinaryOperator = Literal["+", "-", "*", "/", "^", "dot", "cross", "union", "minus", "intersection", "compose"]
Relation = Literal["=", "<", "<=", ">", ">=", "!="]
BinderKind = Literal["sum", "prod", "mean", "max", "min", "sup", "inf", "argmax", "argmin"]
ExtremumKind = Literal["max", "min", "sup", "inf"]
DifferentialKind = Literal["grad", "div", "lap", "curl", "hess"]
BindingRelation = Literal["in", "~", "<", "!=", ""]
ToleranceKind = Literal["absolute", "percent", "stderr"]


@dataclass(frozen=True, slots=True)
class Node:
    """Anything in the tree; `span` is where it was written."""

    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Expr(Node):
    """A value, a function, a set, a measure or an operator; the types are found later."""


@dataclass(frozen=True, slots=True)
class Statement(Node):
    """One of the nine statements, or an import."""


# ── leaves ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Num(Expr):
    """A literal number, exact: `2.740962e-3` is a fraction.  `text` is how it was written."""

    value: Fraction
    text: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Str(Expr):
    """A text in double quotes: the name of a file."""

    value: str


@dataclass(frozen=True, slots=True)
class Name(Expr):
    """A name.  `id` is its ASCII spelling with primes kept (`beta`, `ell`, `u'`); `shown` is the author's."""

    id: str
    shown: str = field(default="", compare=False, repr=False)


# ── arithmetic, sets and relations ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Unary(Expr):
    """A sign before a whole product: `-a*b` is `Unary("-", a*b)`."""

    op: Literal["-", "+"]
    operand: Expr


@dataclass(frozen=True, slots=True)
class Binary(Expr):
    """`left op right`, associated to the left, except `^` to the right.

    `dot` is `a · b`; `cross` is `A × B` (a product of sets, or of vectors); `union`, `minus` and `intersection` are
    `∪`, `\\` and `∩`; `compose` is `f ∘ g`.
    """

    op: BinaryOperator
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Compare(Expr):
    """`left op right` as a condition; `a < x < b` is written as two of them."""

    op: Relation
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Abs(Expr):
    """`|x|`: modulus or Euclidean norm at a point."""

    operand: Expr


@dataclass(frozen=True, slots=True)
class Norm(Expr):
    """`‖f‖` (no options), or `norm(f; measure=ρ)`: the L² norm of a function."""

    operand: Expr
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Tuple(Expr):
    """`(a, b, …)` with two or more items: a tuple or a vector."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Rows(Expr):
    """`rows((…), (…))`: a matrix by its rows."""

    rows: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class SetLiteral(Expr):
    """`{a, b, …}`: a finite set."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Range(Expr):
    """`first .. last`, or `{first, second .. last}` with the step `second - first`: an arithmetic progression."""

    first: Expr
    second: Expr | None
    last: Expr


@dataclass(frozen=True, slots=True)
class Interval(Expr):
    """`[low, high]`, closed."""

    low: Expr
    high: Expr


@dataclass(frozen=True, slots=True)
class Comprehension(Expr):
    """`{x in X : c}` or `{(x, s) in X × S : c, d}`: the points of a set at which every condition holds."""

    names: tuple[Name, ...]
    set: Expr
    conditions: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Boundary(Expr):
    """`∂Ω`, `∂(A ∪ B)`, `boundary(Omega)`."""

    set: Expr


# ── application ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Option(Node):
    """`name=value` in a call, or (`law` true) `name ~ value`.  A bare `name` after `;` is `name=name`."""

    name: Name
    value: Expr
    law: bool = False


@dataclass(frozen=True, slots=True)
class Call(Expr):
    """`function(arguments; options)`.  `solution[u](eq)` is a call of `Index(Name("solution"), (u,))`."""

    function: Expr
    arguments: tuple[Expr, ...] = ()
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Index(Expr):
    """`base[i, j]`: entries count from one."""

    base: Expr
    indices: tuple[Expr, ...]


# ── calculus ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Partial(Expr):
    """`∂xx u`, `diff(u, x, x)`: the coordinates in the order written, as ids.

    A run `∂xy` is split with the coordinates that the spec's domains declare; one that cannot be split is kept as a
    single coordinate, for the model to refuse.
    """

    coordinates: tuple[str, ...]
    operand: Expr


@dataclass(frozen=True, slots=True)
class NormalDerivative(Expr):
    """`∂n u`, `diff(u, n)`: the outward normal derivative."""

    operand: Expr


@dataclass(frozen=True, slots=True)
class Differential(Expr):
    """`∇u`, `∇·v`, `Δu`, `∇×v`, `hess(u)`.  The metric gradient `grad(E, p; metric=M)` is a `Call` of `grad`."""

    op: DifferentialKind
    operand: Expr


@dataclass(frozen=True, slots=True)
class Variation(Expr):
    """`δE/δp`, `variation(E, p)`: a functional derivative."""

    functional: Expr
    field: Name


@dataclass(frozen=True, slots=True)
class Integral(Expr):
    """`∫ f dx`, `∬ f dx dy`, `∫[x in S] f dx`.  `region` is `None` for the declared domain of the variables."""

    variables: tuple[Name, ...]
    region: Expr | None
    body: Expr


@dataclass(frozen=True, slots=True)
class Binding(Node):
    """What stands in a binder's brackets: `i in 1..N`, `(m, d) ~ pairs`, `i < j`, `i != j`, or a bare `i`.

    `i < j` and `i != j` bind both names and have no `domain`; a bare name has the relation `""`.
    """

    names: tuple[Name, ...]
    relation: BindingRelation
    domain: Expr | None


@dataclass(frozen=True, slots=True)
class Binder(Expr):
    """`∑[i < j] f`, `𝔼[x ~ μ] f`, `max[a in A] f`, …: the body is one product."""

    kind: BinderKind
    bindings: tuple[Binding, ...]
    body: Expr


@dataclass(frozen=True, slots=True)
class Braket(Expr):
    """`⟨bra|operator|ket⟩`, or `⟨bra|ket⟩` with `operator` absent."""

    bra: Expr
    operator: Expr | None
    ket: Expr


@dataclass(frozen=True, slots=True)
class Arrow(Expr):
    """`source -> target`, in signatures only: the functions from one set to another."""

    source: Expr
    target: Expr


# ── statements ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Import(Statement):
    """`import "file.pde"`."""

    path: Str


@dataclass(frozen=True, slots=True)
class Param(Statement):
    """`param β = 5`, or (`sweep` true) `param β in {1, 5, 10}`."""

    name: Name
    value: Expr
    sweep: bool = False


@dataclass(frozen=True, slots=True)
class DomainDecl(Statement):
    """`domain Ω(x, y) = [0, 1]^2`; a subset such as `A = {x in X : …}` names no coordinates."""

    name: Name
    coordinates: tuple[Name, ...]
    set: Expr


@dataclass(frozen=True, slots=True)
class UnknownDecl(Statement):
    """`unknown u : X -> R with antisymmetric(spins=(1, 1))`, `unknown p : P(Θ) over I`.

    `signature` is an `Arrow`, or a set for a scalar, a measure or a vector; `properties` are names or calls.
    """

    name: Name
    signature: Expr
    over: Expr | None = None
    properties: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Data(Statement):
    """`data q : P(X) from "file.npz"`, or `from simulate(h; m ~ law, samples=…)`."""

    name: Name
    signature: Expr
    origin: Expr


@dataclass(frozen=True, slots=True)
class Definition(Statement):
    """`name(formals)(formals) := body`, one group of formals per curried argument list."""

    name: Name
    formals: tuple[tuple[Name, ...], ...]
    body: Expr


@dataclass(frozen=True, slots=True)
class Equation(Statement):
    """`label(formals): left relation right on region`.

    A condition without a relation, `send(s): radiating(u; k) on ∂Ω`, has the relation `holds` and no right side.
    """

    label: Name | None
    formals: tuple[Name, ...]
    relation: Literal["=", "<=", ">=", "holds"]
    left: Expr
    right: Expr | None
    region: Expr | None = None


@dataclass(frozen=True, slots=True)
class Ansatz(Statement):
    """`ansatz u := (1 - x²) * mlp(x, t; width=32)`."""

    name: Name
    formals: tuple[tuple[Name, ...], ...]
    body: Expr


@dataclass(frozen=True, slots=True)
class Optimum(Node):
    """`min[g]` at the head of a `solve`."""

    kind: ExtremumKind
    names: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class Solve(Statement):
    """`label: solve min[u] E(u), atA, atB on S using METHOD with a, b then c`.

    `conditions` are labels, names or calls.  `stages` are chained by `then`, each a group joined by commas:
    `with a, b then c` is `((a, b), (c,))`.
    """

    label: Name | None
    optima: tuple[Optimum, ...]
    objective: Expr | None
    conditions: tuple[Expr, ...]
    region: Expr | None = None
    method: Expr | None = None
    stages: tuple[tuple[Expr, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Tolerance(Node):
    """`within 1e-3`, `within 5%` (value 5), `within 3*stderr` (value 3)."""

    kind: ToleranceKind
    value: Expr


@dataclass(frozen=True, slots=True)
class ReportItem(Node):
    """`expr`, `expr < bound`, or `expr ~ bound within tolerance`."""

    expr: Expr
    relation: Literal["<", "<=", ">", ">=", "~", ""] = ""
    bound: Expr | None = None
    tolerance: Tolerance | None = None


@dataclass(frozen=True, slots=True)
class Report(Statement):
    """`report item, item, …`."""

    items: tuple[ReportItem, ...]


@dataclass(frozen=True, slots=True)
class Check(Statement):
    """`check left = right`; a side may be a label."""

    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Comment(Node):
    """`# …`, kept for the formatter."""

    text: str


@dataclass(frozen=True, slots=True)
class Spec(Node):
    """A whole file, in file order.  A comma list such as `param a = 1, b = 2` gives one statement per declaration."""

    statements: tuple[Statement, ...]
    comments: tuple[Comment, ...] = field(default=(), compare=False, repr=False)


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below, in the order of their fields."""
    for part in node.__dataclass_fields__:
        if part != "span":
            yield from _nodes(getattr(node, part))


def _nodes(value: object) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _nodes(item)


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, in preorder, without recursion."""
    pending = [node]
    while pending:
        top = pending.pop()
        yield top
        pending.extend(reversed(tuple(children(top))))
