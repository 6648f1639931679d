"""Diagnostics as a person and as a program see them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest

from pdespec.diagnostics import Diagnostic, Fix, Label, error, note, warning
from pdespec.excerpt import WIDEST, columns
from pdespec.render import as_json, colour_for, count, render
from pdespec.source import Source, Span

GOLDEN = Path(__file__).parent / "golden"
HEAT = Source(
    "heat.pde",
    "# heat\nparam κ = 1\ndomain Ω(x) = [0, 1], I(t) = [0, 1]\nunknown u : Ω × I -> R\n\n"
    "bulk: ∂t u = κ*Δu on Ω × I\n\nwall: u = 0 on ∂Ω × I\nreport error(u, exp(-kapa*t))\n",
)


def place(source: Source, words: str, length: int | None = None) -> Span:
    start = source.text.index(words)
    return Span(source, start, start + (len(words) if length is None else length))


def no_start() -> Diagnostic:
    end = HEAT.text.index("I\n\nwall") + 1
    return error(
        "PDE303",
        place(HEAT, "∂t u"),
        "the equation is first order in t, and nothing fixes u at the start",
        label="needs u at t = 0",
        hint="add an initial condition",
        fix=Fix(Span(HEAT, end, end), "\nstart: u = … on Ω × {0}"),
    )


def unknown_name() -> Diagnostic:
    return error("PDE101", place(HEAT, "kapa"), "unknown name `kapa`", label="did you mean `κ` (heat.pde:2)?")


def test_two_errors_in_the_order_of_the_text(golden: Callable[[Path, str], None]) -> None:
    golden(GOLDEN / "two_errors.txt", render([unknown_name(), no_start()]))


def test_related_places_notes_and_a_hint(golden: Callable[[Path, str], None]) -> None:
    prelude = Source("metrics.pde", "L2(p)(φ)(x)       := φ(x)\nHm1(p)(φ)         := -Δφ\n")
    finding = warning(
        "PDE420",
        place(HEAT, "u = κ*Δu"),
        "the two forms differ",
        label="this form",
        related=(
            Label(place(HEAT, "param κ"), "κ is declared here"),
            Label(place(HEAT, "κ*Δu"), "times Δu"),
            Label(place(prelude, "-Δφ"), "the metric"),
        ),
        notes=("residual: 2*x", "at x = 0.25 the residual is 0.5\nto 50 digits"),
        hint="write κ once",
    )
    golden(GOLDEN / "related.txt", render([finding, note("PDE999", None, "about the run as a whole", notes=("a",))]))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("\ttab = wrong", "wrong"),
        ("漢字 = wrong", "wrong"),
        ("x\u0301y = wrong", "wrong"),
        ("𝔼[x ~ μ] = wrong", "wrong"),
        ("a\u202e\u200bb = wrong", "wrong"),
        ("\x1b[31m = wrong", "wrong"),
        ("é e\u0301 ñ \t × \t wrong", "wrong"),
    ],
)
def test_carets_stand_under_their_words(line: str, words: str) -> None:
    """Oracle: pad the printed line to the caret's column, counted in columns, and find the words there."""
    source = Source("a.pde", f"# first\n{line}\n")
    shown = render([error("PDE101", place(source, words), "m")]).splitlines()
    text = next(row for row in shown if row.startswith(" 2 | "))
    carets = shown[shown.index(text) + 1]
    before = text[: text.index(words)]
    assert carets.index("^") == columns(before)
    assert carets.count("^") == len(words)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\x1b\t]", "".join(shown))


def test_labels_on_one_line_hang_from_right_to_left(golden: Callable[[Path, str], None]) -> None:
    source = Source("a.pde", "one + two + three\n")
    finding = error(
        "PDE202",
        place(source, "two"),
        "m",
        label="second",
        related=(Label(place(source, "one"), "first"), Label(place(source, "three"), "third")),
    )
    golden(GOLDEN / "three_labels.txt", render([finding]))


def test_a_span_over_lines_and_one_at_the_end(golden: Callable[[Path, str], None]) -> None:
    end = len(HEAT.text)
    many = error("PDE202", place(HEAT, "domain", HEAT.text.index("report") - HEAT.text.index("domain")), "many lines")
    findings = [
        error("PDE201", place(HEAT, "κ*Δu on Ω × I\n\nwall: u"), "two lines", label="all of this"),
        many,
        error("PDE010", Span(HEAT, end, end), "the text ends here", label="something is missing"),
    ]
    golden(GOLDEN / "spans.txt", render(findings))


def test_long_lines_are_cropped_around_the_mark() -> None:
    source = Source("a.pde", "x" * 5000 + " wrong " + "y" * 5000)
    shown = render([error("PDE101", place(source, "wrong"), "m", label="here")]).splitlines()
    text, carets = shown[3], shown[4]
    assert columns(text) <= WIDEST + 10
    assert text[carets.index("^") :].startswith("wrong")
    assert text[6 - 1] == "…" and text.endswith("…")


def test_messages_cannot_upset_a_terminal() -> None:
    shown = render([error("PDE101", None, "unknown name `\x1b[2J\u202e`", notes=("\x07",))])
    assert "\x1b" not in shown and "\u202e" not in shown and "\x07" not in shown
    assert "⟨U+001B⟩" in shown and "⟨U+202E⟩" in shown


def test_a_replacing_fix_shows_the_line_as_it_will_be() -> None:
    finding = error(
        "PDE101", place(HEAT, "kapa"), "unknown name `kapa`", hint="write `κ`", fix=Fix(place(HEAT, "kapa"), "κ")
    )
    assert "help: write `κ`\n   |\n 9 | report error(u, exp(-κ*t))\n" in render([finding])


def test_colour_only_on_a_terminal_and_never_against_no_color() -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    assert colour_for(Terminal(), {})
    assert not colour_for(Terminal(), {"NO_COLOR": "1"})
    assert colour_for(Terminal(), {"NO_COLOR": ""})
    assert not colour_for(Terminal(), {"TERM": "dumb"})
    assert not colour_for(StringIO(), {})


def test_colours_change_nothing_but_colours() -> None:
    findings = [no_start(), unknown_name()]
    bare = re.sub(r"\x1b\[[\d;]*m", "", render(findings, colour=True))
    assert [line.rstrip() for line in bare.splitlines()] == render(findings).splitlines()
    assert "\x1b[1;31merror[PDE303]\x1b[0m" in render(findings, colour=True)


def test_counts() -> None:
    assert count([]) == ""
    assert count([unknown_name()]) == "1 error"
    assert count([unknown_name(), no_start(), warning("PDE1", None, "m"), note("PDE2", None, "m")]) == (
        "2 errors, 1 warning"
    )
    assert render([]) == ""


def test_json_carries_every_field() -> None:
    finding = json.loads(json.dumps(as_json(no_start())))
    assert finding["code"] == "PDE303" and finding["severity"] == "error"
    assert (finding["place"]["line"], finding["place"]["column"]) == (6, 7)
    assert (finding["place"]["end_line"], finding["place"]["end_column"]) == (6, 11)
    assert HEAT.text[finding["place"]["start"] : finding["place"]["end"]] == "∂t u"
    assert finding["fix"]["replacement"].startswith("\nstart:")
    assert as_json(error("PDE1", None, "m"))["place"] is None
