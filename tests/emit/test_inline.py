"""Inlining: the wanted definitions with all that they use, unchanged, in an order that runs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import pdespec.runtime
from pdespec.diagnostics import SpecError
from pdespec.emit.inline import defined_names, inline, merge_imports
from pdespec.emit.verify import verify

SHAPES = '''"""Shapes."""
from __future__ import annotations

import math
import os
from collections.abc import Sequence

from pdespec.runtime.base import Base, decorated

# The number of sides
# of a square.
SIDES = 4
CORNERS = SIDES
TABLE = {k: math.sqrt(k) for k in range(SIDES)}


# ── a ruler of the module's own ──
class Square(Base):
    """A square."""

    def area(self) -> float:
        return side(self) ** 2  # as taught


@decorated
def side(shape: Square, SIDES: int = 3) -> float:
    return math.pi * shape.size * later()


def later() -> float:
    return 1.0 + unused() if False else 1.0


def unused(paths: Sequence[int] = ()) -> float:
    return float(len(paths))


def lonely() -> str:
    return os.getcwd()
'''
BASE = '''"""Bases."""
from __future__ import annotations


def decorated(f):
    return f


class Base:
    size = 2.0
'''
SOURCES = {"shapes": SHAPES, "base": BASE}


def test_all_that_is_used_comes_along_and_nothing_else() -> None:
    imports, text = inline(["Square"], SOURCES)
    assert imports == ("import math", "from collections.abc import Sequence")
    order = [node.name for node in ast.parse(text).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    assert set(order) == {"Base", "decorated", "Square", "side", "later", "unused"}
    assert order.index("Base") < order.index("Square") and order.index("decorated") < order.index("side")
    scope: dict[str, object] = {"math": __import__("math")}
    exec("from __future__ import annotations\n" + text, scope)
    assert scope["Square"]().area() == pytest.approx((3.141592653589793 * 2) ** 2)  # type: ignore[operator]


def test_a_local_name_is_no_use_of_a_constant() -> None:
    _, text = inline(["side"], SOURCES)
    assert "SIDES = 4" not in text


def test_text_is_unchanged_with_decorators_and_comments() -> None:
    _, text = inline(["side"], SOURCES)
    assert SHAPES[SHAPES.index("@decorated") : SHAPES.index("\n\n\ndef later")] in text
    _, text = inline(["CORNERS", "TABLE"], SOURCES)
    constants = SHAPES[SHAPES.index("# The number") : SHAPES.index("\n\n\n# ──")]
    assert text == constants + "\n"
    _, text = inline(["Square"], SOURCES)
    assert "ruler" not in text


def test_order_and_repetition_of_the_request_do_not_matter() -> None:
    assert inline(["side", "Square", "side"], SOURCES) == inline(["Square", "side"], SOURCES)
    assert inline([], SOURCES) == ((), "")


@pytest.mark.parametrize(
    ("sources", "wanted", "message"),
    [
        (SOURCES, "nothing", "nowhere"),
        ({"a": "x = 1", "b": "x = 2"}, "x", "a, b"),
        ({"a": "from pdespec.runtime.b import f\ndef g(): return f() + h()\ndef h(): return 0",
          "b": "def f(): return h()\ndef h(): return 1"}, "g", "`h` is defined in"),
        ({"a": "from pdespec.runtime.b import f as g\ndef h(): return g()"}, "h", "another name"),
        ({"a": "from pdespec.runtime import b\ndef h(): return b.g()"}, "h", "as a whole"),
        ({"a": "from pdespec.runtime.b import f\ndef h(): return f()"}, "h", "not defined"),
    ],
)  # fmt: skip
def test_what_cannot_be_inlined_is_an_error(sources: dict[str, str], wanted: str, message: str) -> None:
    with pytest.raises(SpecError, match="PDE485") as refused:
        inline([wanted], sources)
    assert message in refused.value.diagnostics[0].message


def test_imports_are_merged() -> None:
    lines = ["from torch import nn", "from torch import Tensor", "import torch", "from __future__ import annotations"]
    lines.append("import math")
    assert merge_imports(lines) == ("import math", "import torch", "from torch import Tensor, nn")


def names_once() -> list[str]:
    """The names of the installed runtime; each is to be defined in one module only."""
    return sorted(defined_names())


def test_every_runtime_name_has_one_module() -> None:
    folder = Path(pdespec.runtime.__file__).parent
    seen: dict[str, str] = {}
    for path in sorted(folder.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                assert seen.setdefault(node.name, path.name) == path.name, node.name


def test_the_whole_runtime_inlines_verifies_and_runs(tmp_path: Path) -> None:
    imports, text = inline(names_once())
    script = "\n".join(["from __future__ import annotations", *imports, "", text])
    assert "pdespec" not in "\n".join(imports)
    path = tmp_path / "all.py"
    path.write_text(verify(script), encoding="utf-8")
    subprocess.run([sys.executable, str(path)], check=True, cwd=tmp_path)


def test_each_runtime_definition_stands_alone() -> None:
    for name in names_once():
        imports, text = inline([name])
        verify("\n".join(["from __future__ import annotations", *imports, "", text]))
