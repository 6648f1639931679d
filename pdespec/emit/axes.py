"""Terms with bound variables as tensor code: every variable is an axis, every integral a contraction.

A variable stands for an array of points along one axis (particles, cells, quadrature nodes).  The code of a scalar term
has one dimension for each axis that occurs in it, outermost variable first; a vector has a last dimension more. Terms
of different axes are aligned by `[:, None]`.  ∫ g p dφ becomes a mean over particles, a weighted sum over cells or
nodes: `(K @ w)`, `K.mean(-1)`.  Vectors are kept whole: ∫ K(θ, φ) v(φ) p(φ) dφ is the matrix product `K @ v / n`, so no
array over pairs of points ever carries a vector.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Add, Expr, Integer, Mul, S, Symbol, expand_mul, fraction, log

from pdespec.derive.components import scalar as in_coordinates
from pdespec.derive.gradient import gradient
from pdespec.emit.arrays import Array, Points, Scope, unsupported
from pdespec.emit.code import Precedence, precedence
from pdespec.emit.expression import Printer
from pdespec.model.bindings import Defined, Density, Expect, IndexedSum, Integrate
from pdespec.model.fields import FieldValue
from pdespec.model.substitution import summands, unfold
from pdespec.model.terms import Term, Variable, VectorVariable, shape
from pdespec.model.vectors import Component, Dot, Grad, Vec
from pdespec.plan.definitions import is_pointwise


def scalar(term: Expr, scope: Scope) -> Array:
    """The code of a scalar term."""
    atoms: dict[Symbol, Array] = {}
    tree = _leaves(term, scope, atoms)
    axes = scope.order({a for c in atoms.values() for a in c.axes})
    if tree in atoms:
        return atoms[tree]
    ranked = sorted(atoms.items(), key=lambda item: item[0].name)
    texts = {atom: _aligned(code, axes) for atom, code in ranked}
    tensors = {texts[atom] for atom, code in atoms.items() if code.tensor}
    code = Printer({**texts, **scope.names}, tensors).code(tree)
    return Array(code.text, axes, code.tensor, code.precedence)


def _leaves(term: Expr, scope: Scope, atoms: dict[Symbol, Array]) -> Expr:
    """The term with everything that is not pointwise replaced by symbols, whose code goes into `atoms`."""
    if term in scope.names or term.is_number:
        return term
    if isinstance(term, (Integrate, Expect)) and (separated := _separated(term, scope)) is not None:
        return _leaves(separated, scope, atoms)
    code = _entropy(term, scope) or _leaf(term, scope)
    if code is not None and code.text.isdigit():
        return Integer(code.text)
    if code is not None:
        place = code.text if _order(term) else f"{len(atoms):03}"  # derivatives stand first in a sum
        new = Symbol(f"{9 - _order(term)} {place} {len(atoms)}", real=True)
        symbol = next((a for a, c in atoms.items() if c == code), new)
        atoms[symbol] = code
        return symbol
    if not term.args:
        unsupported(f"`{term}`")
    if term.is_Mul and (pair := _logarithm(term)):
        return Mul(_leaves(pair[0], scope, atoms), _leaves(pair[1], scope, atoms))
    return term.func(*(_leaves(a, scope, atoms) for a in term.args))


def _order(term: Expr) -> int:
    """The order of a derivative of a field."""
    value = term.args[0] if isinstance(term, Component) else term
    return min(sum(value.orders), 9) if isinstance(value, FieldValue) else 0


def _logarithm(term: Expr) -> tuple[Expr, Expr] | None:
    """(a ln a, the rest) of a product that contains both, so that it is 0 where a is."""
    for factor in term.args:
        if isinstance(factor, log) and factor.args[0] in term.args:
            pair = Mul(factor.args[0], factor, evaluate=False)
            rest = Mul(*(f for f in term.args if f not in pair.args))
            return (pair, rest) if rest != 1 else None
    return None


def _entropy(term: Expr, scope: Scope) -> Array | None:
    """a ln a as xlogy(a, a), which is 0 at a = 0."""
    if not term.is_Mul or len(term.args) != 2:
        return None
    pair = next((f for f in term.args if isinstance(f, log) and f.args[0] in term.args), None)
    if pair is None or pair.args[0] in scope.names:
        return None
    a = scalar(pair.args[0], scope)
    return Array(f"torch.xlogy({a.text}, {a.text})", a.axes)


def _leaf(term: Expr, scope: Scope) -> Array | None:
    """The code of a term that is not an elementary function of others; None for one that is."""
    own = scope.leaf(term, scope)
    if own is not None:
        return own
    if term in scope.known:
        return _call(scope.known[term], scope)
    if isinstance(term, Symbol):
        if term in scope.points:
            return Array(scope.points[term].code, (scope.points[term].axis,))
        return None
    if isinstance(term, Component) and isinstance(term.args[0], VectorVariable):
        return _coordinate(term, scope)
    if isinstance(term, Component):
        return _component(term, scope)
    if isinstance(term, Dot):
        return _dot(term.args[0], term.args[1], scope)
    if isinstance(term, (Integrate, Expect)):
        return _integral(term, scope)
    if isinstance(term, Defined):
        return _call(term, scope)
    if isinstance(term, Density):
        unsupported(f"the density `{term}`")
    if isinstance(term, IndexedSum):
        return scalar(Add(*summands(term)), scope)
    if isinstance(term, Term):
        unsupported(f"`{type(term).__name__}`")
    return None


def _coordinate(term: Component, scope: Scope) -> Array:
    points = scope.points[term.args[0]]
    return Array(f"{points.code}[..., {_place(term)}]", (points.axis,))


def _place(term: Component) -> int:
    """The index of a component, from zero."""
    if not term.args[1].is_Integer:
        unsupported(f"`{term}`, whose index is no number,")
    return int(term.args[1]) - 1


def _component(term: Component, scope: Scope) -> Array:
    code = vector(term.args[0], scope)
    return Array(f"{code.tight()}[..., {_place(term)}]", code.axes)


def _call(term: Defined, scope: Scope) -> Array | None:
    """V(θ), or a function of two points as a matrix over their axes."""
    if not is_pointwise(term):
        return scalar(unfold(term), scope)
    codes = [(vector if shape(a) else scalar)(a, scope) for a in term.arguments]
    axes = scope.order({a for c in codes for a in c.axes})
    arguments = ", ".join(c.text for c in codes)
    if all(c.axes == codes[0].axes for c in codes):
        return Array(f"{scope.request(term, 'value')}({arguments})", axes)
    if len(codes) == 2 and axes == (*codes[0].axes, *codes[1].axes) and all(a in scope.points for a in term.arguments):
        return Array(f"{scope.request(term, 'matrix')}({arguments})", axes)
    if (whole := _broadcast(term, codes, axes)) is not None:
        return Array(f"{scope.request(term, 'value')}({whole})", axes)
    return scalar(unfold(term), replace(scope, known={f: d for f, d in scope.known.items() if d != term}))


def _broadcast(term: Defined, codes: list[Array], axes: tuple[str, ...]) -> str | None:
    """The arguments of a function of scalars on different axes, f(z, x[:, None]), where its value has them all."""
    if shape(term.body) or not all(isinstance(f, Symbol) for f in term.formals):
        return None
    if not axes or not all(c.axes or a.is_number for c, a in zip(codes, term.arguments, strict=True)):
        return None
    if not set(term.formals) <= in_coordinates(term.body).free_symbols:
        return None
    like = next(c for c in codes if c.axes)
    texts = [_aligned(c, axes) if c.axes else f"torch.full_like({like.text}, {c.text})" for c in codes]
    return ", ".join(texts)


def _aligned(code: Array, axes: tuple[str, ...]) -> str:
    """The code as a tensor over all the axes, by inserting dimensions."""
    if not code.axes or code.axes == axes[-len(code.axes) :]:
        return code.text
    last = max(k for k, a in enumerate(axes) if a in code.axes)
    index = [":" if a in code.axes else "None" for a in axes[: last + 1]] + ["None"] * (len(axes) - last - 1)
    while index and index[0] == "None":
        index.pop(0)
    return f"{code.tight()}[{', '.join(index)}]"


# ── vectors ───────────────────────────────────────────────────────────────────────────────────────────────────────


def parts(term: Expr, scope: Scope) -> list[tuple[Expr, Expr]]:
    """A vector term as Σ scalar · atomic vector."""
    if term == 0:
        return []
    if isinstance(term, Grad) and len(term.variables) == 1 and not _is_plain(term.operand, term.variables[0]):
        return parts(gradient(term.operand, term.variables[0]), scope)
    if term.is_Add:
        return [p for a in term.args for p in parts(a, scope)]
    if term.is_Mul:
        vectors = [a for a in term.args if shape(a)]
        factor = Mul(*(a for a in term.args if not shape(a)))
        return [(factor * s, v) for s, v in parts(vectors[0], scope)]
    return [(S.One, term)]


def _is_plain(operand: Expr, variable: Variable) -> bool:
    """Whether it is a definition at the variable itself, V(x), whose gradient is a function of its own."""
    return isinstance(operand, Defined) and operand.arguments == (variable,)


def vector(term: Expr, scope: Scope) -> Array:
    """The code of a vector term: its tensor has the axes that occur, and the components last."""
    pieces = [(scalar(s, scope), _atomic(v, scope), s) for s, v in parts(term, scope)]
    axes = scope.order({a for s, v, _ in pieces for a in (*s.axes, *v.axes)})
    if len(pieces) == 1 and pieces[0][2] == 1:
        return pieces[0][1]
    text = ""
    for s, v, factor in pieces:
        negative = factor.could_extract_minus_sign()
        magnitude = scalar(-factor, scope) if negative else s
        aligned = _aligned_vector(v, axes)
        piece = _scaled(-factor if negative else factor, aligned, magnitude, axes, scope)
        text += (" - " if negative else " + ") + piece if text else ("-" if negative else "") + piece
    return Array(text, axes, level=Precedence.SUM)


def _scaled(factor: Expr, v: Array, code: Array, axes: tuple[str, ...], scope: Scope) -> str:
    """A vector times a positive factor; a constant denominator stands below it: v / beta."""
    above, below = fraction(factor)
    if factor == 1:
        return v.within(Precedence.PRODUCT)
    if below.is_Number or scope.depends(below):
        return f"{_scale(code, axes)} * {v.within(Precedence.SIGN)}"
    inner = (
        v.within(Precedence.SIGN)
        if above == 1
        else f"{_scale(scalar(above, scope), axes)} * {v.within(Precedence.SIGN)}"
    )
    return f"{inner} / {scalar(below, scope).within(Precedence.SIGN)}"


def _scale(code: Array, axes: tuple[str, ...]) -> str:
    """A scalar as the factor of a vector."""
    if not code.axes:
        return code.within(Precedence.PRODUCT)
    aligned = Array(_aligned(code, axes), axes, level=code.level if code.axes == axes else Precedence.ATOM)
    return f"{aligned.tight()}[..., None]"


def _aligned_vector(code: Array, axes: tuple[str, ...]) -> Array:
    if not code.axes or code.axes == axes[-len(code.axes) :]:
        return code
    index = [":" if a in code.axes else "None" for a in axes]
    return Array(f"{code.tight()}[{', '.join(index)}, :]", axes)


def _atomic(term: Expr, scope: Scope) -> Array:
    own = scope.leaf(term, scope)
    if own is not None:
        return own
    if isinstance(term, VectorVariable):
        points = scope.points[term]
        return Array(points.code, (points.axis,))
    if isinstance(term, Vec):
        return _stack(term, scope)
    if isinstance(term, Grad) and isinstance(term.operand, Defined):
        return _gradient_call(term, scope)
    if isinstance(term, (Integrate, Expect)) and isinstance(term.body, Vec) and scope.depends(term):
        return _stack(Vec(*(term.func(c, *term.args[1:]) for c in term.body.args)), scope)
    if isinstance(term, (Integrate, Expect)):
        return _vector_integral(term, scope)
    if isinstance(term, Dot):
        return _matrix_vector(term, scope)
    if isinstance(term, Defined):
        call = _call(term, scope)
        if call is not None:
            return call
    unsupported(f"the vector `{term}`")


def _stack(term: Vec, scope: Scope) -> Array:
    """A vector by its components; one of numbers is a constant."""
    if all(not scalar(a, scope).axes for a in term.args if not shape(a)) and not shape(term.args[0]):
        like = next(iter(scope.points.values())).code
        return Array(f"{like}.new_tensor([{', '.join(scalar(a, scope).text for a in term.args)}])")
    codes = [scalar(a, scope) for a in term.args]
    axes = scope.order({a for c in codes for a in c.axes})
    whole = next(c for c in codes if c.axes == axes)
    columns = [
        c.text if c.axes == axes else f"torch.full_like({whole.text}, {c.text})" if not c.axes else _aligned(c, axes)
        for c in codes
    ]
    return Array(f"torch.stack([{', '.join(columns)}], -1)", axes)


def _matrix_vector(term: Dot, scope: Scope) -> Array:
    matrix, v = term.args
    if not isinstance(matrix, Vec) or matrix.free_symbols & set(scope.points):
        unsupported(f"the product `{term}`")
    like = next(iter(scope.points.values())).code
    rows = ", ".join("[" + ", ".join(scalar(a, scope).text for a in row.args) + "]" for row in matrix.args)
    code = vector(v, scope)
    return Array(f"{code.tight()} @ {like}.new_tensor([{rows}]).T", code.axes, level=Precedence.PRODUCT)


def _gradient_call(term: Grad, scope: Scope) -> Array:
    """∇V at the argument itself: the function grad_V."""
    function = term.operand
    (variable,) = term.variables
    if function.arguments != (variable,):
        unsupported(f"`{term}`")
    code = (vector if shape(variable) else scalar)(variable, scope)
    return Array(f"{scope.request(function, 'gradient')}({code.text})", code.axes)


def _dot(a: Expr, b: Expr, scope: Scope) -> Array:
    """a · b: elementwise on shared axes, a matrix product on different ones, a distance for |θ − φ|²."""
    if a == b:
        pair = _difference(a, scope)
        if pair is not None:
            return Array(
                f"squared_distances({pair[0].text}, {pair[1].text})", scope.order({*pair[0].axes, *pair[1].axes})
            )
        v = vector(a, scope)
        return Array(f"{v.tight()}.square().sum(-1)", v.axes)
    left, right = vector(a, scope), vector(b, scope)
    if not set(left.axes) & set(right.axes) and left.axes and right.axes:
        first, second = sorted((left, right), key=lambda c: scope.order({*left.axes, *right.axes}).index(c.axes[0]))
        return Array(f"{first.tight()} @ {second.tight()}.T", (*first.axes, *second.axes), level=Precedence.PRODUCT)
    axes = scope.order({*left.axes, *right.axes})
    product = " * ".join(_aligned_vector(c, axes).within(Precedence.SIGN) for c in (left, right))
    return Array(f"({product}).sum(-1)", axes)


def _difference(v: Expr, scope: Scope) -> tuple[Array, Array] | None:
    """(θ, φ) where v = ±(θ − φ) with θ and φ on different axes."""
    if not v.is_Add or len(v.args) != 2:
        return None
    signs = [a.could_extract_minus_sign() for a in v.args]
    if signs[0] == signs[1]:
        return None
    codes = [vector(-a if s else a, scope) for a, s in zip(v.args, signs, strict=True)]
    if codes[0].axes == codes[1].axes or not codes[0].axes or not codes[1].axes:
        return None
    first, second = sorted(codes, key=lambda c: scope.order({*codes[0].axes, *codes[1].axes}).index(c.axes[0]))
    return first, second


# ── integrals ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _integral(term: Integrate | Expect, scope: Scope) -> Array:
    if shape(term):
        unsupported(f"`{term}` as a scalar")
    points, body = scope.measure(term, scope)
    inner = scope.inner(points)
    code = scalar(body, inner)
    return _contract(code, next(iter(points.values())))


def _separated(term: Integrate | Expect, scope: Scope) -> Expr | None:
    """∫ Σ a(x) b(y) dy as Σ a(x) ∫ b(y) dy, so that no array over pairs of points arises; None where that is not so."""
    if not scope.depends(term):
        return None
    total = S.Zero
    for summand in Add.make_args(expand_mul(term.body, deep=False)):
        factors = Mul.make_args(summand)
        inside = [f for f in factors if f.free_symbols & set(term.variables)]
        if any(scope.depends(f) for f in inside) or term.has(Density):
            return None
        total += Mul(*(f for f in factors if f not in inside)) * term.func(Mul(*inside), *term.args[1:])
    return total


def _contract(code: Array, over: Points) -> Array:
    """The sum of a scalar over an axis, with the weights of that axis."""
    axes = tuple(a for a in code.axes if a != over.axis)
    if over.axis not in code.axes:
        total = over.total()
        return code if total == "1" else _product(code.within(Precedence.SIGN), total, axes)
    last = "-1" if axes else ""
    if not over.weights:
        return Array(f"{code.tight()}.mean({last})", axes)
    if over.uniform:
        return _product(f"{code.tight()}.sum({last})", over.weights, axes)
    return Array(f"{code.tight()} @ {over.weights}", axes, level=Precedence.PRODUCT)


def _product(left: str, right: str, axes: tuple[str, ...]) -> Array:
    return Array(f"{left} * {right}", axes, level=Precedence.PRODUCT)


def _vector_integral(term: Integrate | Expect, scope: Scope) -> Array:
    """∫ Σ s v dμ, each summand by a matrix product over the axis that is summed."""
    points, body = scope.measure(term, scope)
    inner = scope.inner(points)
    over = next(iter(points.values()))
    pieces: list[tuple[bool, Array]] = []
    for s, v in parts(body, inner):
        negative = s.could_extract_minus_sign()
        pieces.append((negative, _contract_vector(-s if negative else s, v, over, inner)))
    axes = scope.order({a for _, c in pieces for a in c.axes})
    text = ""
    for negative, c in pieces:
        piece = _aligned_vector(c, axes).within(Precedence.PRODUCT)
        text += (" - " if negative else " + ") + piece if text else ("-" if negative else "") + piece
    single = len(pieces) == 1 and not pieces[0][0]
    return Array(text, axes, level=pieces[0][1].level if single else Precedence.SUM)


def _contract_vector(s: Expr, v: Expr, over: Points, scope: Scope) -> Array:
    """∫ s v dμ for a scalar s and an atomic vector v."""
    left, right = scalar(s, scope), _atomic(v, scope)
    outer = tuple(a for a in left.axes if a != over.axis)
    if over.axis not in right.axes:
        summed = _contract(left, over)
        axes = scope.order({*summed.axes, *right.axes})
        return _product(_scale(summed, axes), right.within(Precedence.SIGN), axes)
    if right.axes != (over.axis,):
        unsupported(f"the integral of `{s * v}`")
    if over.axis not in left.axes:
        total = over.sum_of(right)
        return total if s == 1 else _product(_scale(left, outer), total.within(Precedence.SIGN), outer)
    if not over.weights:
        return Array(f"{left.tight()} @ {right.tight()} / len({over.code})", outer, level=Precedence.PRODUCT)
    if over.uniform:
        return Array(f"{left.tight()} @ {right.tight()} * {over.weights}", outer, level=Precedence.PRODUCT)
    factor = left.text if precedence(left.text) >= Precedence.PRODUCT else left.within(Precedence.SIGN)
    return Array(f"({factor} * {over.weights}) @ {right.tight()}", outer, level=Precedence.PRODUCT)
