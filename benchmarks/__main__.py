"""All benchmarks: ``python -m benchmarks [--quick] [--json FILE] [--readme]``.

Everything is measured in this one run, each piece in a process of its own with one thread; what is
printed are times, errors reached, and ratios to ours. ``--quick`` leaves out what takes minutes.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .measure import Measurement, apart, duration, machine

LIMIT = 100.0
"""Seconds after which a competitor is stopped."""

TOLERANCES = {"structured": 1e-9, "LSODA": 1e-9, "BDF": 1e-8, "Radau": 1e-8, "DOP853": 1e-9}
"""Where a solver's largest error in the stiff case comes out below 1e-6, as far as it can."""

README = Path(__file__).parent.parent / "README.md"
MARKS = "<!-- benchmarks -->", "<!-- /benchmarks -->"

Row = tuple[str, str, str, str]


def stiff(quick: bool) -> Iterator[Row]:
    """All modes to the slowest: ours, and the others given our compiled right-hand side."""
    solvers: dict[int, list[str]] = {
        64: ["LSODA", "BDF", "Radau", "DOP853", "CVODE", "heyoka"],
        256: ["LSODA", "BDF", "CVODE", "heyoka"],
        1024: ["CVODE", "DOP853"],
    }
    for L in (64,) if quick else (64, 256, 1024):
        # CVODE is asked for as much as it can give where ours reaches 1e-8.
        tolerances = {**TOLERANCES, "CVODE": 1e-9 if L < 1024 else 1e-10, "heyoka": 1e-12}
        ours = apart("stiff", "structured", L, 1e-9 if L < 1024 else 1e-10, limit=LIMIT)
        yield f"L = {L}: structured Radau IIA", ours.time(LIMIT), error(ours), ""
        for solver in solvers[L]:
            found = apart("stiff", solver, L, tolerances[solver], limit=LIMIT)
            name = f"L = {L}: {'CVODE (BDF, Krylov)' if solver == 'CVODE' else solver}"
            yield name, found.time(LIMIT), error(found), ratio(found, ours)


def error(found: Measurement) -> str:
    """The error reached, as text."""
    return "" if found.error is None else f"{found.error:.0e}"


def ratio(found: Measurement, ours: Measurement) -> str:
    """How many times longer than ours."""
    if ours.seconds is None:
        return ""
    if found.seconds is None:
        return f"> {LIMIT / ours.seconds:.0f} x"
    return f"{found.seconds / ours.seconds:.3g} x"


def committee(quick: bool) -> Iterator[Row]:
    """Many units, no spectrum."""
    found = apart("committee", limit=LIMIT)
    yield "isotropic, K = 8, M = 4, alpha = 1000", found.time(LIMIT), error(found), ""


def scaling(quick: bool) -> Iterator[Row]:
    """Time of a call of `integrate` against L and K."""
    cases = [(16, 2, "all"), (256, 2, "all"), (4096, 2, "all"), (4096, 2, "reduced")]
    cases += [(16384, 2, "all"), (10**5, 2, "all"), (10**6, 2, "reduced")]
    cases += [(256, 1, "all"), (256, 4, "all"), (256, 8, "all")]
    for L, K, modes in cases[:4] if quick else cases:
        found = apart("scaling", L, K, modes, limit=LIMIT)
        steps = int(found.note.split()[0]) if found.note and found.note[0].isdigit() else 0
        each = duration(found.seconds / steps / L) if steps and found.seconds else ""
        per = f"{each} a step and mode" if modes == "all" else ""
        yield f"L = {L}, K = M = {K}, {modes} modes", found.time(LIMIT), "", per


def precise(quick: bool) -> Iterator[Row]:
    """High precision."""
    cases: list[tuple[int, Any, int, list[str]]] = [(4, 20, 20, ["structured", "heyoka", "odefun"])]
    if not quick:
        cases += [(16, 2500, 30, ["structured", "heyoka"]), (64, 66000, 30, ["structured"])]
    for L, alpha, digits, solvers in cases:
        ours = None
        for solver in solvers:
            found = apart("precise", solver, L, alpha, digits, limit=LIMIT)
            name = {"odefun": "mpmath odefun", "heyoka": "Taylor (heyoka)"}.get(solver, solver)
            text = f"L = {L}, alpha = {alpha}, {digits} digits: {name}"
            yield text, found.time(LIMIT), "", "" if ours is None else ratio(found, ours)
            ours = ours or found


def chain(quick: bool) -> Iterator[Row]:
    """One step of SGD: the exact chain against vectors in R^N."""
    for N in (1000, 10_000) if quick else (1000, 10_000, 100_000):
        ours, direct = (apart("chain", method, 1, N, limit=LIMIT) for method in ("chain", "direct"))
        yield f"isotropic, N = {N}: exact chain", each(ours), "", per_second(ours)
        yield f"isotropic, N = {N}: direct", each(direct), "", ratio(direct, ours)
    for L in (4, 16):
        found = apart("chain", "chain", L, 16_000, limit=LIMIT)
        yield f"L = {L}, N = 16000: exact chain", each(found), "", per_second(found)


def each(found: Measurement) -> str:
    """Time of a step."""
    return f"{found.time(LIMIT)} a step"


def per_second(found: Measurement) -> str:
    """Steps in a second."""
    return "" if found.seconds is None else f"{1 / found.seconds / 1e6:.2g} million steps/s"


def compiling(quick: bool) -> Iterator[Row]:
    """From a model to its first right-hand side."""
    for K in (2,) if quick else (2, 4, 8):
        with tempfile.TemporaryDirectory() as folder:
            caches = {"SPECSCALE_CACHE": folder, "NUMBA_CACHE_DIR": folder}
            cold, cached = (apart("compiling", K, limit=LIMIT, **caches) for _ in range(2))
        text = f"K = M = {K}: derive and compile"
        yield f"{text}, cold", cold.time(LIMIT), "", ""
        yield f"{text}, cached", cached.time(LIMIT), "", ratio(cold, cached) + " shorter"


SUBJECTS = {
    "Stiff: K = M = 2, beta = 1, eta = 0.1, to alpha = 1/(eta lam_L)": stiff,
    "Many units": committee,
    "Size": scaling,
    "Digits": precise,
    "SGD": chain,
    "Compilation": compiling,
}


def markdown(tables: dict[str, list[Row]], where: str) -> str:
    """The tables for the README."""
    lines = [f"Measured by `python -m benchmarks` on {where}.", ""]
    lines += ["| | time | largest error | |", "|---|---|---|---|"]
    for title, rows in tables.items():
        lines.append(f"| **{title}** | | | |")
        lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def main() -> None:
    """Print the tables as they are measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out what takes minutes")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    parser.add_argument("--readme", action="store_true", help="write the table into README.md")
    options = parser.parse_args()
    where = machine()
    print(where)
    tables: dict[str, list[Row]] = {}
    for title, rows in SUBJECTS.items():
        print(f"\n{title}", flush=True)
        tables[title] = []
        for row in rows(options.quick):
            tables[title].append(row)
            print(f"  {row[0]:<48}{row[1]:>14}{row[2]:>9}  {row[3]}", flush=True)
    if options.json:
        text = json.dumps({"machine": where, "tables": tables}, indent=1)
        options.json.write_text(text, encoding="utf-8")
    if options.readme:
        begin, end = MARKS
        pattern = re.compile(f"{re.escape(begin)}.*{re.escape(end)}", re.DOTALL)
        inside = f"{begin}\n{markdown(tables, where)}\n{end}"
        page = README.read_text(encoding="utf-8")
        README.write_text(pattern.sub(lambda _: inside, page), encoding="utf-8")


if __name__ == "__main__":
    main()
