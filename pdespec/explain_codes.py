"""The page of each diagnostic code: its cause, an example that shows it, and a cure.

The pages stand in `codes/`, one file for each family; a page begins with a heading such as `## PDE303: nothing fixes
the start`.
"""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent / "codes"
HEADING = re.compile(r"^## (?=PDE\d{3}: )", re.MULTILINE)


def pages() -> dict[str, str]:
    """Every page by its code, in order."""
    found: dict[str, str] = {}
    for file in sorted(FOLDER.glob("*.md")):
        for page in HEADING.split(file.read_text(encoding="utf-8"))[1:]:
            code = page[:6]
            if code in found:
                raise ValueError(f"{file.name} has a second page for {code}")
            found[code] = page.strip() + "\n"
    return found
