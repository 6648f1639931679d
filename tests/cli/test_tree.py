"""Stages as trees."""

from __future__ import annotations

from dataclasses import dataclass, field

from pdespec.commands.tree import tree
from pdespec.source import Source, Span


@dataclass(frozen=True)
class Leaf:
    name: str
    span: Span


@dataclass(frozen=True)
class Branch:
    label: str
    children: tuple[Leaf, ...]
    table: dict[str, Leaf]
    empty: tuple[Leaf, ...] = ()
    orders: tuple[int, ...] = (2, 0)
    hidden: str = field(default="secret", repr=False)


def test_a_node_a_line() -> None:
    source = Source("a.pde", "one\ntwo\n")
    one, two = Leaf("one", Span(source, 0, 3)), Leaf("two", Span(source, 4, 7))
    assert tree(Branch("b", (one, two), {"k": two})) == (
        "Branch(label='b', empty=(), orders=(2, 0))\n"
        "  children: [2]\n"
        "    -: Leaf(name='one', span=1:1)\n"
        "    -: Leaf(name='two', span=2:1)\n"
        "  table: {1}\n"
        "    'k': Leaf(name='two', span=2:1)\n"
    )


def test_a_stage_leaves_out_the_one_before() -> None:
    source = Source("a.pde", "one\n")
    one = Leaf("one", Span(source, 0, 3))
    assert tree(Branch("b", (one,), {}), without=frozenset({"children"})).count("\n") == 1
