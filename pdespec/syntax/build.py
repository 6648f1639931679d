"""Parse trees of statements into the syntax tree, from the leaves upwards and without recursion.

What the grammar leaves open is decided here: that the head of a definition is a name with formals, that an equation's
relation is `=`, `<=` or `>=`, that a solve lists labels.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from lark import Token, Tree

from pdespec.source import Source, Span
from pdespec.syntax import ast
from pdespec.syntax.ast import Expr, Name, Statement
from pdespec.syntax.expressions import ExpressionBuilder, mistake
from pdespec.syntax.names import canonical
from pdespec.syntax.statements import MAX_NESTING

Groups = tuple[tuple[Name, ...], ...]


def build(tree: Tree[Token], source: Source, base: int, coordinates: frozenset[str]) -> tuple[Statement, ...]:
    """The statements of one parse tree (a comma list gives several).  Raises `Mistake`."""
    builder = StatementBuilder(source, base, coordinates)
    done: Any = None
    frames: list[tuple[Tree[Token], Iterator[Any], list[Any]]] = [(tree, iter(tree.children), [])]
    while frames:
        node, rest, values = frames[-1]
        for child in rest:
            if isinstance(child, Tree):
                frames.append((child, iter(child.children), []))
                break
            values.append(builder.leaf(child) if isinstance(child, Token) else child)
        else:
            frames.pop()
            done = getattr(builder, node.data)(builder.span_of(node), values)
            if frames:
                frames[-1][2].append(done)
    statements: tuple[Statement, ...] = done if isinstance(done, tuple) else (done,)
    for statement in statements:
        check_depth(statement)
    return statements


def check_depth(statement: Statement) -> None:
    """Refuse a tree deeper than every later pass can walk."""
    pending: list[tuple[ast.Node, int]] = [(statement, 0)]
    while pending:
        node, depth = pending.pop()
        if depth > MAX_NESTING:
            message = f"this expression is nested more than {MAX_NESTING} deep"
            raise mistake("PDE007", node.span, message, "name its parts (`part := …`)")
        pending.extend((child, depth + 1) for child in ast.children(node))


def declared_coordinates(tree: Tree[Token]) -> frozenset[str]:
    """The coordinates that a parse tree's domain declarations name."""
    if tree.data != "domains":
        return frozenset()
    named = (domain.children[1] for domain in tree.children if isinstance(domain, Tree))
    return frozenset(
        canonical(str(token)) for group in named if isinstance(group, Tree) for token in group.children
        if isinstance(token, Token) and token.type == "NAME"
    )  # fmt: skip


def head(node: Expr, what: str) -> tuple[Name, Groups]:
    """The name and the groups of formals of `f(p)(x)`."""
    groups: list[tuple[Name, ...]] = []
    span = node.span
    while isinstance(node, ast.Call):
        formals = tuple(argument for argument in node.arguments if isinstance(argument, Name))
        if len(formals) != len(node.arguments) or node.options or not formals:
            example = "`name(x, y)`" if what == "a label" else "`f(p)(x)`"
            raise mistake("PDE011", node.span, f"the formals of {what} are names, as in {example}")
        groups.insert(0, formals)
        node = node.function
    if not isinstance(node, Name):
        hint = "words such as `grad`, `dot` or `norm` have a meaning of their own; choose another name"
        built_in = isinstance(node, ast.Differential | ast.Binary | ast.Norm | ast.Abs | ast.Partial | ast.Boundary)
        example = "`label: …` or `label(m): …`" if what == "a label" else "`f := …` or `f(p)(x) := …`"
        raise mistake("PDE011", span, f"{what} is a name, with formals or without: {example}", hint if built_in else "")
    return node, tuple(groups)


class StatementBuilder(ExpressionBuilder):
    """One method per rule; a rule for a comma list gives a tuple of statements."""

    def span_of(self, tree: Tree[Token]) -> Span:
        if tree.meta.empty:
            return Span(self.source, self.base, self.base)
        return Span(self.source, self.base + tree.meta.start_pos, self.base + tree.meta.end_pos)

    def names(self, span: Span, c: list[Any]) -> tuple[Name, ...]:
        return tuple(c)

    # ── declarations ────────────────────────────────────────────────────────────────────────────────────────────────

    def params(self, span: Span, c: list[Any]) -> tuple[Statement, ...]:
        return tuple(c)

    domains = params

    def param(self, span: Span, c: list[Any]) -> Statement:
        return ast.Param(c[0], c[1], span=span)

    def sweep(self, span: Span, c: list[Any]) -> Statement:
        return ast.Param(c[0], c[1], sweep=True, span=span)

    def domain(self, span: Span, c: list[Any]) -> Statement:
        name, coordinates, where = c
        for coordinate in coordinates or ():
            if not isinstance(coordinate, Name):
                raise mistake("PDE011", coordinate.span, "the coordinates of a domain are names, as in `Ω(x, y)`")
        return ast.DomainDecl(name, coordinates or (), where, span=span)

    def unknowns(self, span: Span, c: list[Any]) -> tuple[Statement, ...]:
        return tuple(declaration for group in c for declaration in group)

    def unknown(self, span: Span, c: list[Any]) -> tuple[Statement, ...]:
        names, signature, over, properties = c
        return tuple(
            ast.UnknownDecl(name, signature, over, properties, span=name.span.to(Span(self.source, span.end, span.end)))
            for name in names
        )

    def properties(self, span: Span, c: list[Any]) -> tuple[Expr, ...]:
        for item in c:
            if not isinstance(item, Name) and not (isinstance(item, ast.Call) and isinstance(item.function, Name)):
                raise mistake("PDE011", item.span, "a property is a name or a call, as in `with antisymmetric()`")
        return tuple(c)

    def data(self, span: Span, c: list[Any]) -> tuple[Statement, ...]:
        return tuple(c)

    def datum(self, span: Span, c: list[Any]) -> Statement:
        return ast.Data(c[0], c[1], c[2], span=span)

    def import_(self, span: Span, c: list[Any]) -> Statement:
        return ast.Import(c[0], span=span)

    def ansatz(self, span: Span, c: list[Any]) -> Statement:
        name, formals = head(c[0], "what an ansatz represents")
        return ast.Ansatz(name, formals, c[1], span=span)

    def definition(self, span: Span, c: list[Any]) -> Statement:
        name, formals = head(c[0], "what `:=` defines")
        return ast.Definition(name, formals, c[1], span=span)

    # ── equations ───────────────────────────────────────────────────────────────────────────────────────────────────

    def equality(self, span: Span, c: list[Any]) -> Statement:
        return ast.Equation(None, (), "=", c[0], c[1], c[2], span=span)

    def inequality(self, span: Span, c: list[Any]) -> Statement:
        relation = self.relation(span, c[1:2])
        if relation != "<=" and relation != ">=":
            hint = f"write `{relation}=`" if relation in ("<", ">") else ""
            raise mistake("PDE016", self.token_span(c[1]), "a constraint is written with `=`, `<=` or `>=`", hint)
        return ast.Equation(None, (), relation, c[0], c[2], c[3], span=span)

    def condition(self, span: Span, c: list[Any]) -> Statement:
        return ast.Equation(None, (), "holds", c[0], None, c[1], span=span)

    def labelled(self, span: Span, c: list[Any]) -> Statement:
        label, groups = head(c[0], "a label")
        body = c[1]
        if isinstance(body, ast.Equation) and len(groups) <= 1:
            formals = groups[0] if groups else ()
            return ast.Equation(label, formals, body.relation, body.left, body.right, body.region, span=span)
        if groups:
            what = "an equation has one group of formals" if len(groups) > 1 else "a solve has no formals"
            raise mistake("PDE011", c[0].span, f"the label of {what}")
        return ast.Solve(
            label, body.optima, body.objective, body.conditions, body.region, body.method, body.stages, span=span
        )

    # ── solve, report, check ────────────────────────────────────────────────────────────────────────────────────────

    def optimum(self, span: Span, c: list[Any]) -> tuple[tuple[ast.Optimum, ...], tuple[Expr, ...]]:
        kind, names, rest = c
        optima, items = rest if rest and isinstance(rest[0], tuple) else ((), rest)
        for name in names:
            if not isinstance(name, Name):
                raise mistake("PDE011", name.span, "an optimum at the head of a solve names unknowns: `min[u, v]`")
        here = self.token_span(kind).to(Span(self.source, names[-1].span.end, names[-1].span.end + 1))
        kinds: dict[str, ast.ExtremumKind] = {"max": "max", "min": "min", "sup": "sup", "inf": "inf"}
        return (ast.Optimum(kinds[str(kind)], names, span=here), *optima), items

    def solve(self, span: Span, c: list[Any]) -> Statement:
        goal, region, method, stages = c
        optima, items = goal if isinstance(goal[0], tuple) else ((), goal)
        conditions = items[1:] if optima else items
        for condition in conditions:
            called = condition.function if isinstance(condition, ast.Call) else condition
            if not isinstance(called, Name):
                message = "a solve lists labels of equations"
                hint = "give the equation a label of its own (`wall: u = 0 on ∂Ω`), or write an optimum (`min[u] E(u)`)"
                raise mistake("PDE017", condition.span, message, hint)
        objective = items[0] if optima else None
        return ast.Solve(None, optima, objective, conditions, region, method, stages or (), span=span)

    def stages(self, span: Span, c: list[Any]) -> tuple[tuple[Expr, ...], ...]:
        return tuple(c)

    def stage(self, span: Span, c: list[Any]) -> tuple[Expr, ...]:
        return tuple(c)

    def report(self, span: Span, c: list[Any]) -> Statement:
        return ast.Report(tuple(c), span=span)

    def printed(self, span: Span, c: list[Any]) -> ast.ReportItem:
        return ast.ReportItem(c[0], span=span)

    def bounded(self, span: Span, c: list[Any]) -> ast.ReportItem:
        relation = self.relation(span, c[1:2])
        if relation == "!=" or relation == "=":
            raise mistake("PDE016", self.token_span(c[1]), "a bound is written with `<`, `<=`, `>`, `>=` or `~`")
        return ast.ReportItem(c[0], relation, c[2], span=span)

    def near(self, span: Span, c: list[Any]) -> ast.ReportItem:
        value, percent = c[3], c[4]
        tolerance = ast.Tolerance("absolute", value, span=value.span)
        if percent is not None:
            tolerance = ast.Tolerance("percent", value, span=value.span.to(self.token_span(percent)))
        elif isinstance(value, ast.Binary) and value.op == "*" and value.right == Name("stderr"):
            tolerance = ast.Tolerance("stderr", value.left, span=value.span)
        elif value == Name("stderr"):
            tolerance = ast.Tolerance("stderr", ast.Num(Fraction(1), "1", span=value.span), span=value.span)
        return ast.ReportItem(c[0], "~", c[2], tolerance, span=span)

    def check(self, span: Span, c: list[Any]) -> tuple[Statement, ...]:
        return tuple(c)

    def identity(self, span: Span, c: list[Any]) -> Statement:
        return ast.Check(c[0], c[1], span=span)
