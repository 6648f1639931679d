"""Every shipped spec in full, one after the other: `python tests/acceptance/run.py [SPEC …]`.

Each run leaves its entries in results.json at once (spec, seed, report, value, error bar, bound, met, seconds, commit), so that an
interrupted acceptance goes on where it stopped: a spec is run again only if it, or the package, has changed since.
The table of the README is made from these entries by `--table`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(__file__).with_name("results.json")
BEGIN, END = "<!-- results -->", "<!-- end of results -->"


def fingerprint(spec: Path) -> str:
    """What a result depends on: the spec, the package, the grammar."""
    digest = hashlib.sha256(spec.read_bytes())
    for path in sorted([*(ROOT / "pdespec").rglob("*.py"), *(ROOT / "grammar").rglob("*.*")]):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def commit() -> str:
    """The commit that is checked out, with + where the tree differs from it."""
    run = lambda *a: subprocess.run(["git", *a], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()  # noqa: E731
    return run("rev-parse", "--short", "HEAD") + ("+" if run("status", "--porcelain", "--", "pdespec", "specs") else "")


def run_spec(spec: Path, seed: int) -> list[dict[str, Any]]:
    """Build and run a spec; its reports as entries, or one entry that says how it failed."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / spec.stem
        began = time.monotonic()
        command = [
            sys.executable,
            "-m",
            "pdespec",
            "run",
            str(spec),
            "--out",
            str(out),
            "--seed",
            str(seed),
            "--threads",
            "1",
        ]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        seconds = round(time.monotonic() - began, 1)
        common = {
            "spec": spec.stem,
            "seed": seed,
            "seconds": seconds,
            "commit": commit(),
            "fingerprint": fingerprint(spec),
        }
        metrics = out / "metrics.json"
        if not metrics.is_file():
            return [{**common, "report": f"exit {done.returncode}", "met": False, "message": done.stderr[-400:]}]
        found = json.loads(metrics.read_text())
        return [
            {
                **common,
                "report": r["name"],
                "value": r["value"],
                "stderr": r["stderr"],
                "bound": r["bound"],
                "met": r["met"],
            }
            for r in found["reports"]
        ]


def load() -> list[dict[str, Any]]:
    return json.loads(RESULTS.read_text()) if RESULTS.is_file() else []


def table(entries: list[dict[str, Any]]) -> str:
    """The entries as a Markdown table."""
    rows = ["| spec | report | value | bound | met | seconds |", "|---|---|---|---|---|---|"]
    for e in entries:
        value = e.get("value")
        shown = "" if value is None else f"{value:.7g}" if "~" in e.get("bound", "") else f"{value:.1e}"
        error = f" ± {e['stderr']:.0e}" if e.get("stderr") else ""
        met = {True: "yes", False: "**no**", None: ""}[e["met"]]
        bound = e.get("bound", "").replace("|", "\\|")
        rows.append(f"| {e['spec']} | `{e['report']}` | {shown}{error} | {bound} | {met} | {e['seconds']:g} |")
    return "\n".join(rows)


def write_table() -> None:
    """Put the table between its marks in the README."""
    readme = ROOT / "README.md"
    text = readme.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}\n{table(load())}\n{END}{after}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("specs", nargs="*")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--table", action="store_true", help="only write the README's table")
    options = parser.parse_args()
    if options.table:
        write_table()
        return 0
    entries = load()
    paths = [ROOT / "specs" / f"{name}.pde" for name in options.specs] or sorted((ROOT / "specs").glob("*.pde"))
    for spec in paths:
        known = [e for e in entries if e["spec"] == spec.stem and e["seed"] == options.seed]
        if known and not options.specs and all(e["fingerprint"] == fingerprint(spec) for e in known):
            print(f"{spec.stem}: as before")
            continue
        fresh = run_spec(spec, options.seed)
        entries = sorted([e for e in entries if e not in known] + fresh, key=lambda e: e["spec"])
        RESULTS.write_text(json.dumps(entries, indent=1) + "\n")
        for e in fresh:
            print(
                f"{spec.stem}: {e['report']} = {e.get('value')} ({e.get('bound', '')}) met: {e['met']}, {e['seconds']} s",
                flush=True,
            )
    return 0 if all(e["met"] is not False for e in entries) else 1


if __name__ == "__main__":
    sys.exit(main())
