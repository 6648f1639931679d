"""Finding the name that a person meant.

Names are compared by their ids, so that `kapa` finds κ.  The distance counts insertions, deletions, replacements and
swaps of neighbours (Damerau 1964, restricted); about one slip in three letters is forgiven.
"""

from __future__ import annotations

from collections.abc import Iterable


def distance(a: str, b: str) -> int:
    """The number of slips that lead from `a` to `b`."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, last, row = row, before, [i]
        for j, y in enumerate(b, 1):
            slips = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                slips = min(slips, last[j - 2] + 1)
            row.append(slips)
    return row[-1]


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `name` is most likely a slip of, if one is near enough."""
    if len(name) > 40:
        return None
    allowed = max(1, len(name) // 3) if len(name) > 1 else 0
    ranked = sorted(
        (distance(name.lower(), c.lower()), c != name, c) for c in candidates if abs(len(c) - len(name)) <= allowed
    )
    return ranked[0][2] if ranked and ranked[0][0] <= allowed else None
