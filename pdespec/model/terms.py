"""Mathematics as SymPy expressions: fields, vector calculus, integrals, laws.

A term is a SymPy expression whose leaves may be fields and whose inner nodes may be ∇, Δ, ∇·, ∫, ∑ and 𝔼, kept as they
were written: vectors are not expanded into coordinates (an N-electron Laplacian stays one node).  Every node is
immutable, hashable and commutative; `shape(term)` is `()` for a scalar, `(n,)` for a vector, `(n, m)` for a matrix.
Names are internal strings that never reach a parser.  `derive.components` expands a term into coordinates.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from sympy import Expr, Integer, S, Symbol, Tuple
from sympy.core.basic import Atom, Basic
from sympy.core.symbol import Str

from pdespec.model.sets import Set

Shape = tuple[int, ...]


class Term(Expr):  # type: ignore[misc]
    """The base of every node of this module."""

    is_commutative = True
    is_number = False
    is_real = True
    is_scalar: bool = True

    @property
    def shape(self) -> Shape:
        return ()

    def __new__(cls, *args: Any) -> Term:
        self: Term = Expr.__new__(cls, *map(_basic, args))
        return self


def _basic(value: Any) -> Basic:
    """Python values of our own making as SymPy objects; text becomes a name and is never parsed."""
    if isinstance(value, Basic):
        return value
    if isinstance(value, str):
        return Str(value)
    if isinstance(value, int):
        return Integer(value)
    if isinstance(value, (tuple, list)):
        return Tuple(*map(_basic, value))
    if isinstance(value, Set):
        return Region(value)
    raise TypeError(f"{type(value).__name__} is no term")


def shape(expr: Expr) -> Shape:
    """The shape of any term: a sum has that of its first summand, a product that of its one vector factor."""
    if isinstance(expr, Term):
        return expr.shape
    if expr.is_Add:
        return next((s for s in map(shape, expr.args) if s), ())
    if expr.is_Mul:
        return next((s for s in map(shape, expr.args) if s), ())
    return ()


class Region(Atom):  # type: ignore[misc]
    """A set of the model as a leaf of an expression."""

    def __new__(cls, value: Set) -> Region:
        self: Region = Atom.__new__(cls)
        self.value = value
        return self

    def _hashable_content(self) -> tuple[Any, ...]:
        return (self.value,)

    def sort_key(self, order: Any = None) -> Any:
        return self.class_key(), (1, (str(self.value),)), S.One.sort_key(), S.One

    def compare(self, other: Basic) -> int:
        """An order of regions, by what a person reads and then by structure."""
        if not isinstance(other, Region):
            return int(super().compare(other))
        mine, others = ((str(r.value), repr(r.value)) for r in (self, other))
        return (mine > others) - (mine < others)

    def _sympystr(self, printer: Any) -> str:
        return str(self.value)


# ── variables ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Parameter(Symbol):  # type: ignore[misc]
    """A `param`: a constant whose value may be set from outside; positive if its value is."""


class VectorVariable(Term):
    """A coordinate with several components, `x ∈ R^d`: `VectorVariable(name, d)`."""

    @property
    def name(self) -> str:
        return str(self.args[0].name)

    @property
    def dimension(self) -> int:
        return int(self.args[1])

    @property
    def shape(self) -> Shape:
        return (self.dimension,)

    @property
    def free_symbols(self) -> set[Basic]:
        return {self}

    def components(self) -> tuple[Symbol, ...]:
        """The scalar coordinates x[1] … x[d], as symbols."""
        return tuple(Symbol(f"{self.name}[{k}]", real=True) for k in range(1, self.dimension + 1))

    def _sympystr(self, printer: Any) -> str:
        return self.name


Variable = Any
"""A coordinate: a real `Symbol`, or a `VectorVariable`."""


def variable(name: str, dimension: int = 1) -> Variable:
    """A coordinate: a real symbol, or a vector where the dimension is above one."""
    return Symbol(name, real=True) if dimension == 1 else VectorVariable(name, dimension)


def flat(variables: tuple[Variable, ...] | Tuple) -> tuple[Symbol, ...]:
    """The scalar coordinates of several variables, in order."""
    return tuple(s for v in variables for s in (v.components() if isinstance(v, VectorVariable) else (v,)))


class Normal(Term):
    """The outward unit normal of the boundary on which the current point lies: `Normal(d)`."""

    @property
    def shape(self) -> Shape:
        return (int(self.args[0]),)

    @property
    def free_symbols(self) -> set[Basic]:
        return {self}

    def components(self) -> tuple[Symbol, ...]:
        return tuple(Symbol(f"n[{k}]", real=True) for k in range(1, int(self.args[0]) + 1))


# ── fields ────────────────────────────────────────────────────────────────────────────────────────────────────────


class Field(Basic):  # type: ignore[misc]
    """A function to be found (or a formal one): `Field(name, slot names, slot dimensions, shape, solve)`.

    A slot is one coordinate of its domain.  `solve` names the solve whose solution is meant, "" for the unknown itself.
    """

    def __new__(cls, name: Any, slots: Any, dimensions: Any, shape: Any = (), solve: Any = "") -> Field:
        self: Field = Basic.__new__(cls, *map(_basic, (name, slots, dimensions, shape, solve)))
        return self

    @property
    def name(self) -> str:
        return str(self.args[0].name)

    @property
    def slots(self) -> tuple[str, ...]:
        return tuple(str(s.name) for s in self.args[1])

    @property
    def dimensions(self) -> tuple[int, ...]:
        return tuple(int(d) for d in self.args[2])

    @property
    def shape(self) -> Shape:
        return tuple(int(d) for d in self.args[3])

    @property
    def solve(self) -> str:
        return str(self.args[4].name)

    @property
    def free_symbols(self) -> set[Basic]:
        return set()

    def of(self, solve: str) -> Field:
        """The same unknown as found by a solve."""
        return Field(self.name, self.slots, self.dimensions, self.shape, solve)

    def here(self) -> FieldValue:
        """Its value at the current point, the coordinates by their own names."""
        return value(self, *map(variable, self.slots, self.dimensions))

    def _sympystr(self, printer: Any) -> str:
        return f"{self.solve}({self.name})" if self.solve else self.name


class FieldValue(Term):
    """A field, or a partial derivative of it, at a point: `FieldValue(field, orders, *point)`.

    The point is given slot by slot, or in scalar coordinates (see `derive.components`); `orders` counts the derivatives
    by each scalar coordinate and is empty for the value itself.
    """

    @property
    def field(self) -> Field:
        found: Field = self.args[0]
        return found

    @property
    def orders(self) -> tuple[int, ...]:
        return tuple(int(k) for k in self.args[1])

    @property
    def point(self) -> tuple[Expr, ...]:
        return tuple(self.args[2:])

    @property
    def shape(self) -> Shape:
        return self.field.shape

    def _eval_derivative(self, s: Symbol) -> Expr:
        """The chain rule; only for a point in scalar coordinates."""
        total = S.Zero
        for k, x in enumerate(self.point):
            if shape(x):
                raise TypeError("differentiate a field by coordinate only after the expansion into coordinates")
            inner = x.diff(s)
            if inner != 0:
                orders = self.orders or (0,) * len(self.point)
                total += FieldValue(self.field, (*orders[:k], orders[k] + 1, *orders[k + 1 :]), *self.point) * inner
        return total

    def _sympystr(self, printer: Any) -> str:
        index = "".join(str(x) * n for x, n in zip(self.point, self.orders, strict=False))
        name = printer.doprint(self.field) + ("_" + index if index else "")
        return f"{name}({', '.join(map(printer.doprint, self.point))})"


def value(field: Field, *point: Expr) -> FieldValue:
    """The field at a point."""
    return FieldValue(field, (), *point)


class Defined(Term):
    """A named function of the point alone, kept by its name (`V`, `K(x, y)`): `Defined(name, formals, body, *args)`.

    The formals are variables; `unfold()` is the body at the arguments.
    """

    @property
    def name(self) -> str:
        return str(self.args[0].name)

    @property
    def formals(self) -> tuple[Variable, ...]:
        return tuple(self.args[1])

    @property
    def body(self) -> Expr:
        return self.args[2]

    @property
    def arguments(self) -> tuple[Expr, ...]:
        return tuple(self.args[3:])

    @property
    def shape(self) -> Shape:
        return shape(self.body)

    @cached_property
    def free_symbols(self) -> set[Basic]:
        inner: set[Basic] = self.body.free_symbols - set(self.formals)
        return inner.union(*(a.free_symbols for a in self.arguments))

    def unfold(self) -> Expr:
        return substitute(self.body, dict(zip(self.formals, self.arguments, strict=True)))

    def _sympystr(self, printer: Any) -> str:
        return f"{self.name}({', '.join(map(printer.doprint, self.arguments))})"


# ── vectors ───────────────────────────────────────────────────────────────────────────────────────────────────────


class Vec(Term):
    """A vector by its components, or a matrix by its rows (each a `Vec`)."""

    @property
    def shape(self) -> Shape:
        return (len(self.args), *shape(self.args[0]))


class Component(Term):
    """`v[i]`, counted from one: `Component(v, i)`; `i` is an integer or the index of a sum."""

    def __new__(cls, vector: Expr, index: Any) -> Expr:
        if isinstance(vector, Vec) and isinstance(index, (int, Integer)):
            return vector.args[int(index) - 1]
        return Term.__new__(cls, vector, index)

    @property
    def shape(self) -> Shape:
        return shape(self.args[0])[1:]


class Dot(Term):
    """`a · b`: the last index of `a` with the first of `b`; for two vectors the (symmetric) inner product."""

    def __new__(cls, a: Expr, b: Expr) -> Expr:
        if a == 0 or b == 0:
            return S.Zero
        if len(shape(a)) == len(shape(b)) == 1 and a.compare(b) > 0:
            a, b = b, a
        return Term.__new__(cls, a, b)

    @property
    def shape(self) -> Shape:
        return (*shape(self.args[0])[:-1], *shape(self.args[1])[1:])


class Cross(Term):
    """The cross product of two vectors of three components."""

    @property
    def shape(self) -> Shape:
        return (3,)


# ── derivatives ───────────────────────────────────────────────────────────────────────────────────────────────────


class Partial(Term):
    """∂ of a term by scalar variables, repeated ones counted: `Partial(f, x, x, t)`."""

    @property
    def operand(self) -> Expr:
        return self.args[0]

    @property
    def variables(self) -> tuple[Expr, ...]:
        return tuple(self.args[1:])

    @property
    def shape(self) -> Shape:
        return shape(self.operand)


class VectorOperator(Term):
    """A vector-calculus operator on the operand as a function of the given space variables: `Grad(f, x, y)`."""

    @property
    def operand(self) -> Expr:
        return self.args[0]

    @property
    def variables(self) -> tuple[Variable, ...]:
        return tuple(self.args[1:])

    @property
    def dimension(self) -> int:
        """The number of scalar coordinates that it acts on."""
        return sum(v.dimension if isinstance(v, VectorVariable) else 1 for v in self.variables)


class Grad(VectorOperator):
    """∇f; for a vector `(∇v)[i, j] = ∂ᵢvⱼ`."""

    @property
    def shape(self) -> Shape:
        return (self.dimension, *shape(self.operand))


class Div(VectorOperator):
    """∇·v; for a matrix the derivative meets the first index."""

    @property
    def shape(self) -> Shape:
        return shape(self.operand)[1:]


class Lap(VectorOperator):
    """Δf, component by component."""

    @property
    def shape(self) -> Shape:
        return shape(self.operand)


class Hess(VectorOperator):
    """The matrix of second derivatives."""

    @property
    def shape(self) -> Shape:
        return (self.dimension, self.dimension)


class Curl(VectorOperator):
    """∇×v: a vector in three dimensions, a scalar in two; of a scalar in two the rotated gradient (∂₂f, −∂₁f)."""

    @property
    def shape(self) -> Shape:
        return (3,) if self.dimension == 3 else ((2,) if not shape(self.operand) else ())


# ── integrals, sums, laws ─────────────────────────────────────────────────────────────────────────────────────────


class Binding(Term):
    """A node that binds variables: `args = (body, Tuple(variables), …)`."""

    @property
    def body(self) -> Expr:
        return self.args[0]

    @property
    def variables(self) -> tuple[Variable, ...]:
        return tuple(self.args[1])

    @property
    def shape(self) -> Shape:
        return shape(self.body)

    @cached_property
    def free_symbols(self) -> set[Basic]:
        inner: set[Basic] = self.body.free_symbols - set(self.variables)
        return inner.union(*(a.free_symbols for a in self.args[2:]))

    @property
    def bound_symbols(self) -> list[Basic]:
        return list(self.variables)


class Integrate(Binding):
    """∫ body over a region: `Integrate(body, variables, region)`; over a boundary it is a surface integral."""

    @property
    def region(self) -> Set:
        found: Set = self.args[2].value
        return found

    def _eval_derivative(self, s: Symbol) -> Expr:
        inner = self.body.diff(s)
        return S.Zero if inner == 0 else Integrate(inner, *self.args[1:])


class Expect(Binding):
    """𝔼[x ~ law] body, the law being written in the language: `Expect(body, variables, law)`."""

    @property
    def law(self) -> Law:
        found: Law = self.args[2]
        return found

    def _eval_derivative(self, s: Symbol) -> Expr:
        inner = self.body.diff(s)
        return S.Zero if inner == 0 else Expect(inner, *self.args[1:])


class IndexedSum(Binding):
    """∑[i in lo..hi] body: `IndexedSum(body, (i,), lo, hi)` with an integer symbol i."""

    @property
    def bounds(self) -> tuple[Expr, Expr]:
        return self.args[2], self.args[3]

    def terms(self) -> list[Expr]:
        """The summands, where the bounds are numbers."""
        (i,), (lo, hi) = self.variables, self.bounds
        return [substitute(self.body, {i: Integer(k)}) for k in range(int(lo), int(hi) + 1)]


class IndexedProduct(IndexedSum):
    """∏[i in lo..hi] body."""


class Optimum(Binding):
    """max, min, sup, inf over a point of a set: `Optimum(body, (a,), kind, region)`."""

    @property
    def kind(self) -> str:
        return str(self.args[2].name)

    @property
    def region(self) -> Set:
        found: Set = self.args[3].value
        return found


class Law(Basic):  # type: ignore[misc]
    """A probability law written in the language: `Law(family, *parameters)`.

    Families: `gauss(mean, covariance)` (a scalar covariance c means c·I), `gibbs(potential, inverse temperature,
    variables, region)` with density ∝ exp(−βV), `uniform(region)`, `points((…), …)`.
    """

    def __new__(cls, family: Any, *parameters: Any) -> Law:
        self: Law = Basic.__new__(cls, *map(_basic, (family, *parameters)))
        return self

    @property
    def family(self) -> str:
        return str(self.args[0].name)

    @property
    def parameters(self) -> tuple[Basic, ...]:
        return tuple(self.args[1:])

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables bound by the potential of a Gibbs law."""
        return tuple(self.args[3]) if self.family == "gibbs" else ()

    @property
    def free_symbols(self) -> set[Basic]:
        inner: set[Basic] = set().union(*(a.free_symbols for a in self.args))
        return inner - set(self.variables)


class At(Binding):
    """A derivative evaluated at a point that is no variable: `At(body, variables, *point)`."""

    @property
    def point(self) -> tuple[Expr, ...]:
        return tuple(self.args[2:])


class Density(Term):
    """The density of a law at a point: `Density(law, *point)`."""

    @property
    def law(self) -> Law:
        found: Law = self.args[0]
        return found

    @property
    def point(self) -> tuple[Expr, ...]:
        return tuple(self.args[1:])


# ── what derivation replaces ──────────────────────────────────────────────────────────────────────────────────────


class Variation(Term):
    """δE/δu at a point, to be derived: `Variation(functional, field, name of the functional, *point)`.

    The point has one entry for each slot of the field, time included.
    """

    @property
    def functional(self) -> Expr:
        return self.args[0]

    @property
    def field(self) -> Field:
        found: Field = self.args[1]
        return found

    @property
    def name(self) -> str:
        return str(self.args[2].name)

    @property
    def point(self) -> tuple[Expr, ...]:
        return tuple(self.args[3:])

    @property
    def shape(self) -> Shape:
        return self.field.shape


class MetricGradient(Term):
    """grad(E, p; metric=M): `MetricGradient(body, functional, field, functional name, metric name)`.

    `body` is the metric's operator applied to δE/δp (a `Variation`) by the rules of the language, so that a metric is
    nothing but its definition; the rest records where it came from.
    """

    @property
    def body(self) -> Expr:
        return self.args[0]

    @property
    def functional(self) -> Expr:
        return self.args[1]

    @property
    def field(self) -> Field:
        found: Field = self.args[2]
        return found

    @property
    def functional_name(self) -> str:
        return str(self.args[3].name)

    @property
    def metric(self) -> str:
        return str(self.args[4].name)

    @property
    def shape(self) -> Shape:
        return shape(self.body)


class Exact(Term):
    """The declared and proved exact solution of an unknown: `Exact(field, *point)`; derivation puts it in."""

    @property
    def field(self) -> Field:
        found: Field = self.args[0]
        return found

    @property
    def shape(self) -> Shape:
        return self.field.shape


class RelativeError(Term):
    """‖f − g‖/‖g‖ in L²(weight), the variables being bound: `RelativeError(f, g, variables, region, weight)`."""

    @property
    def free_symbols(self) -> set[Basic]:
        inner = set().union(*(a.free_symbols for a in (self.args[0], self.args[1], self.args[4])))
        return inner - set(self.args[2])


# ── substitution ──────────────────────────────────────────────────────────────────────────────────────────────────


def substitute(expr: Expr, replacements: dict[Expr, Expr]) -> Expr:
    """Replace variables by terms without touching bound ones, renaming a bound variable that would capture.

    A derivative whose variable goes to a term that is no variable, or to one that its operand also holds otherwise,
    becomes the derivative `At` that point.
    """
    if not replacements or expr.is_Number:
        return expr
    if expr in replacements:
        return replacements[expr]
    if not expr.args or isinstance(expr, (Field, VectorVariable, Normal)):
        return expr
    if isinstance(expr, Defined):
        args = [substitute(a, replacements) for a in expr.arguments]
        return Defined(*expr.args[:3], *args)
    if isinstance(expr, Binding):
        return _substitute_binding(expr, replacements)
    if isinstance(expr, RelativeError):
        replacements = {k: v for k, v in replacements.items() if k not in expr.args[2]}
    if isinstance(expr, Law) and expr.variables:
        return _substitute_gibbs(expr, replacements)
    if isinstance(expr, (Partial, VectorOperator)) and (moved := _moved(expr, replacements)):
        return _substitute_derivative(expr, moved, replacements)
    args = [substitute(a, replacements) for a in expr.args]
    return expr if all(a is b for a, b in zip(args, expr.args, strict=True)) else expr.func(*args)


def _substitute_binding(expr: Binding, replacements: dict[Expr, Expr]) -> Expr:
    inner = {k: v for k, v in replacements.items() if k not in expr.variables}
    used: set[Basic] = set().union(*(v.free_symbols for k, v in inner.items() if k in expr.body.free_symbols))
    renamed = {v: fresh(v, used | expr.body.free_symbols) for v in expr.variables if v in used}
    body = substitute(substitute(expr.body, renamed), inner)
    variables = Tuple(*(renamed.get(v, v) for v in expr.variables))
    return expr.func(body, variables, *(substitute(a, replacements) for a in expr.args[2:]))


def _substitute_gibbs(law: Law, replacements: dict[Expr, Expr]) -> Law:
    """The variables of the potential are bound in it."""
    potential, inverse_temperature, variables, region = law.parameters
    inner = {k: v for k, v in replacements.items() if k not in law.variables and k in potential.free_symbols}
    used: set[Basic] = set().union(*(v.free_symbols for v in inner.values()))
    renamed = {v: fresh(v, used | potential.free_symbols) for v in law.variables if v in used}
    potential = substitute(substitute(potential, renamed), inner)
    variables = Tuple(*(renamed.get(v, v) for v in law.variables))
    return Law("gibbs", potential, substitute(inverse_temperature, replacements), variables, region)


def _moved(expr: Partial | VectorOperator, replacements: dict[Expr, Expr]) -> tuple[Variable, ...]:
    """The variables of a derivative that cannot be renamed, because of where they go."""
    variables = tuple(dict.fromkeys(expr.variables))
    free = expr.operand.free_symbols
    moved = []
    for v in (v for v in variables if v in replacements):
        target = replacements[v]
        kept = (replacements[w].free_symbols if w in replacements else {w} for w in free - {v})
        others: set[Basic] = set().union(*kept)
        if not isinstance(target, (Symbol, VectorVariable)) or target in others:
            moved.append(v)
    return tuple(moved)


def _substitute_derivative(
    expr: Partial | VectorOperator, moved: tuple[Variable, ...], replacements: dict[Expr, Expr]
) -> Expr:
    rest = {k: v for k, v in replacements.items() if k not in moved}
    used: set[Basic] = set().union(*(v.free_symbols for k, v in rest.items() if k in expr.free_symbols))
    renamed = {v: fresh(v, used | expr.free_symbols) for v in moved if v in used}
    body = substitute(substitute(expr, renamed), rest)
    return At(body, Tuple(*(renamed.get(v, v) for v in moved)), *(replacements[v] for v in moved))


def fresh(v: Variable, used: set[Basic]) -> Variable:
    """A variable like `v`, with primes added until nothing in `used` has its name."""
    names = {str(getattr(u, "name", "")) for u in used}
    name = v.name + "'"
    while name in names:
        name += "'"
    return VectorVariable(name, v.dimension) if isinstance(v, VectorVariable) else Symbol(name, **v.assumptions0)
