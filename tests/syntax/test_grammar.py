"""The grammar itself: LALR(1) without conflicts, tables that belong to it, a message for every state, and its price."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pdespec.source import Source
from pdespec.syntax import messages, tables
from pdespec.syntax.parse import parse
from pdespec.syntax.resources import grammar_path

DRAFTS = sorted((Path(__file__).parents[1] / "drafts").glob("*.pde"))


def test_strict_mode_finds_no_conflict_and_no_overlapping_terminals() -> None:
    pytest.importorskip("interegular")
    tables.compute(strict=True)


def test_a_conflict_would_be_found() -> None:
    pytest.importorskip("interegular")
    import lark

    ambiguous = grammar_path().read_text(encoding="utf-8").replace("?body:     product", "?body: expr")
    assert "?body: expr" in ambiguous
    with pytest.raises(lark.exceptions.GrammarError):
        lark.Lark(ambiguous, parser="lalr", lexer="contextual", strict=True)


def test_the_stored_tables_belong_to_the_grammar() -> None:
    text = grammar_path(tables.TABLES).read_text(encoding="utf-8")
    assert f'"stamp":"{tables.stamp()}"' in text, 'run: python -c "from pdespec.syntax import tables; tables.write()"'


def test_stored_and_computed_tables_read_alike() -> None:
    computed = tables.compute()
    for path in DRAFTS:
        for line in path.read_text(encoding="utf-8").splitlines():
            line = line.partition("#")[0].strip()
            if line:
                assert tables.parser().parse(line) == computed.parse(line)


def test_every_state_says_in_words_what_may_stand_there() -> None:
    states = tables.parser().parser.parser._parse_table.states
    assert len(states) > 300
    for state, actions in states.items():
        accepted = frozenset(name for name in actions if name.startswith(("_", "$")) or name.isupper())
        accepted = frozenset(name for name in accepted if name in TERMINALS)
        if not accepted:
            continue  # a state that is only passed on the way to `finished`
        text = messages.fallback(accepted, "x was found")
        assert not re.search(r"\b_?[A-Z]{2,}\b|\$|__", text), (state, text)
        assert text.startswith("expected ") and "expected ," not in text


TERMINALS = {terminal.name for terminal in tables.parser().terminals} | {"$END"}


def test_every_example_is_bad_and_none_contradicts_another() -> None:
    said: dict[tuple[str, int, str], tuple[str, messages.Message]] = {}
    for example, key, message in messages.read_examples():
        assert message.text, example
        other, before = said.setdefault(key, (example, message))
        assert before == message, f"{example!r} and {other!r} stop at the same place"


def test_every_example_gets_its_message() -> None:
    for example, _, message in messages.read_examples():
        _, found = parse(Source("example.pde", example))
        if [d.code for d in found] == ["PDE001"]:  # brackets are looked at before the grammar
            expected = message.text.replace("<found>", example[:2].strip())
            assert (found[0].message, found[0].hint) == (expected, message.hint), example


def test_parsing_is_quick() -> None:
    tables.parser()
    for path in DRAFTS:
        source = Source(path.name, path.read_text(encoding="utf-8"))
        start = time.process_time()
        parse(source)
        assert time.process_time() - start < 0.15, path.name


def test_the_first_parse_takes_less_than_three_tenths_and_no_heavy_import() -> None:
    program = (
        "import sys, time\n"
        "t = time.process_time()\n"
        "from pdespec.source import Source\n"
        "from pdespec.syntax import parse\n"
        "parse(Source('s', 'domain X(x) = R\\nbulk: Δu = 0 on X\\nsolve bulk\\n'))\n"
        "assert not {'sympy', 'torch', 'numpy'} & set(sys.modules)\n"
        "print(time.process_time() - t)\n"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert float(out.stdout) < 0.3
