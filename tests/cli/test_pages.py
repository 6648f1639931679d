"""The pages of the codes: what they call wrong is reported under their code, what they call right is not."""

from __future__ import annotations

import re

import pytest

from pdespec.compiler import compile
from pdespec.explain_codes import pages

BLOCK = re.compile(r"^```pde\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLES = {code: blocks for code, page in pages().items() if (blocks := BLOCK.findall(page))}


def reported(text: str) -> set[str]:
    return {diagnostic.code for diagnostic in compile(text, upto="plan").diagnostics}


@pytest.mark.parametrize("code", EXAMPLES)
def test_the_example_shows_the_code_and_the_cure_does_not(code: str) -> None:
    wrong, *right = EXAMPLES[code]
    assert code in reported(wrong)
    for text in right:
        assert code not in reported(text)
