"""``python -m benchmarks [--quick] [--only NAME ...] [--json FILE] [--readme]``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from . import chain, precise, readme, scaling, spectra, startup, stiff, units
from .machine import describe
from .table import Table

SUBJECTS: dict[str, Callable[[bool], Table]] = {
    "stiff": stiff.measure,
    "units": units.measure,
    "precise": precise.measure,
    "chain": chain.measure,
    "modes": scaling.measure_modes,
    "sizes": scaling.measure_units,
    "startup": startup.measure,
    "spectra": spectra.measure,
    "spectra-cost": spectra.measure_cost,
}


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, and write what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small cases, budgets of seconds")
    parser.add_argument("--only", nargs="+", choices=SUBJECTS, default=list(SUBJECTS))
    parser.add_argument("--json", type=Path, help="write all numbers to this file")
    parser.add_argument("--readme", action="store_true", help="write the table of README.md")
    options = parser.parse_args(arguments)
    if options.readme and "stiff" not in options.only:
        parser.error("--readme needs the subject stiff")
    machine = describe()
    print(", ".join(f"{name} {value}" for name, value in machine.items()), end="\n\n")
    tables = {}
    for name in options.only:
        tables[name] = SUBJECTS[name](options.quick)
        print(tables[name].text(), end="\n\n", flush=True)
    if options.json:
        found = {"machine": machine, **{name: t.record() for name, t in tables.items()}}
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    if options.readme:
        readme.write(tables, machine)


if __name__ == "__main__":
    main()
