"""The measurements as Markdown: speed-ups over nested autograd, and errors at equal time.

A speed-up is the quotient of two contestants' times in the same block; shown are its median and quartiles over the
blocks.  One whose loss or gradients are further from nested autograd than they may be is no result, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.benchmarks.contest import quartiles
from tests.benchmarks.libraries import LIBRARIES
from tests.benchmarks.libraries import ROWS as LIBRARY_ROWS
from tests.benchmarks.measure import ENGINES, SWEEP, TOLERANCES
from tests.benchmarks.rows import ROWS

Entry = Mapping[str, Any]
PRECISIONS = ("float32", "float64")
COLUMNS = [f"{engine}{more}" for more in ("", ", compiled") for engine in ENGINES if engine != "auto"]


def median(step: Entry) -> float:
    return quartiles(step["seconds"])[1]


def fastest(entry: Entry) -> str:
    """The fastest of the hand-written variants: "nested"."""
    return min(entry["nested"], key=lambda name: median(entry["steps"][name]))


def agrees(step: Entry) -> bool:
    """Whether loss and gradients are those of nested autograd, in every precision that was checked."""
    bounds = {str(dtype).removeprefix("torch."): bound for dtype, bound in TOLERANCES.items()}
    return all(far < bounds[name] for name, far in step["far"].items())


def speedup(entry: Entry, name: str, over: str) -> tuple[float, float, float]:
    """Quartiles of the quotient, block by block."""
    steps = entry["steps"]
    return quartiles([a / b for a, b in zip(steps[over]["seconds"], steps[name]["seconds"], strict=True)])


def shown(entry: Entry, name: str, over: str) -> str:
    """A cell: 1.52× (1.48–1.55), or why there is none."""
    if name not in entry["steps"]:
        told = entry["told"]
        reason = str(told.get(name) or told.get(name.partition(", ")[0], ""))
        return reason.partition(":")[0] if reason.startswith("PDE") else reason
    if not agrees(entry["steps"][name]):
        return f"no: differs by {max(entry['steps'][name]['far'].values()):.0e}"
    low, middle, high = speedup(entry, name, over)
    return f"{middle:.2f}× ({low:.2f}–{high:.2f})"


def compilation(entry: Entry) -> str:
    """The compiler's seconds, and the step from which the fastest compiled script is ahead of nested autograd."""
    valid = [n for n in COLUMNS if n.endswith("compiled") and n in entry["steps"] and agrees(entry["steps"][n])]
    if not valid:
        return ""
    best = min(valid, key=lambda n: median(entry["steps"][n]))
    seconds = entry["steps"][best]["compile"]
    gain = median(entry["steps"][fastest(entry)]) - median(entry["steps"][best])
    return f"{seconds:.0f} s, {seconds / gain:.0f}" if gain > 0 else f"{seconds:.0f} s, never"


def speed_table(entries: Mapping[str, Entry]) -> str:
    """The speed table."""
    head = [
        "",
        "points",
        "nested",
        *COLUMNS,
        "the planner's",
        "compiles in, ahead from step",
        "over the limit",
        "differs (f32, f64)",
    ]
    lines = [_line(head), "|" + "---|" * len(head)]
    for name, row in ROWS.items():
        if (entry := entries.get(name)) is None:
            continue
        if not entry.get("steps"):
            reasons = dict.fromkeys(entry["told"].values())
            lines.append(_line([row.title, row.counts, " / ".join(reasons), *[""] * (len(head) - 3)]))
            continue
        best = fastest_script(entry)
        nested = fastest(entry)
        far = [max(s["far"].get(t, 0.0) for n, s in entry["steps"].items() if n in COLUMNS) for t in PRECISIONS]
        lines.append(
            _line(
                [
                    row.title,
                    row.counts,
                    f"{1e3 * median(entry['steps'][nested]):.1f} ms ({nested})",
                    *(shown(entry, column, nested) for column in COLUMNS),
                    entry["told"].get("auto", ""),
                    compilation(entry),
                    f"{median(entry['steps'][best]) / entry['limit']:.2f}×",
                    ", ".join(f"{f:.0e}" for f in far),
                ]
            )
        )
        if SWEEP in entry["steps"]:
            cells = [shown(entry, column, SWEEP) for column in COLUMNS]
            by_hand = f"{1e3 * median(entry['steps'][SWEEP]):.1f} ms ({SWEEP}, d tangents)"
            lines.append(_line([f"{row.title}, over a sweep by hand", row.counts, by_hand, *cells, "", "", "", ""]))
    return "\n".join(lines)


def library_table(entries: Mapping[str, Entry]) -> str:
    """Other libraries and the fastest emitted script, over nested autograd, on the rows that the libraries state."""
    rows = {name: entries[name] for name in LIBRARY_ROWS if entries.get(name, {}).get("libraries")}
    if not rows:
        return ""
    lines = [_line(["", "version", *(ROWS[name].title for name in rows)]), "|" + "---|" * (2 + len(rows))]
    best = {name: fastest_script(entry) for name, entry in rows.items()}
    ours = [f"{shown(entry, best[name], fastest(entry))}, {best[name]}" for name, entry in rows.items()]
    lines.append(_line(["pdespec", "", *ours]))
    for library in LIBRARIES:
        versions = [e["libraries"][library] for e in rows.values() if library in e["libraries"]]
        told = [v for found in versions for k, v in found.items() if k != "torch"]
        cells = [shown(entry, library, fastest(entry)) for entry in rows.values()]
        lines.append(_line([library, told[0] if told else "", *cells]))
    return "\n".join(lines)


def fastest_script(entry: Entry) -> str:
    """The fastest emitted script."""
    return min((n for n in COLUMNS if n in entry["steps"]), key=lambda n: median(entry["steps"][n]))


def error_table(entries: Mapping[str, Entry]) -> str:
    """Errors at equal time, specs first."""
    if not entries:
        return ""
    problems = [name for name in LIBRARY_ROWS if name in entries]
    lines = [_line(["", *(f"{ROWS[p].title}: relative L²" for p in problems)]), "|" + "---|" * (1 + len(problems))]
    everyone = dict.fromkeys(who for p in problems for who in entries[p])
    for who in sorted(everyone, key=lambda who: who in LIBRARIES):
        lines.append(_line([who, *(_error(entries[p].get(who)) for p in problems)]))
    return "\n".join(lines)


def _error(found: Entry | None) -> str:
    if found is None:
        return ""
    return found.get("reason") or f"{found['error']:.1e} in {found['seconds']:.0f} s"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
