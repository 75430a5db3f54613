"""What it costs to start the command line, beside Python itself.

`python benchmarks/startup.py` prints the tables; `--write` also puts them into README.md here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import first_edition
import measure
from measure import (
    FIRST,
    ROOT,
    TODAY,
    VERIDECK,
    Cost,
    Time,
    Work,
    bound,
    bound_table,
    cost_table,
    of_edition,
)

VERSION = "--version"
PYTHON = "bare Python"
WORKS: dict[str, tuple[str | Path, ...]] = {
    PYTHON: (sys.executable, "-c", ""),
    of_edition(TODAY, VERSION): (VERIDECK, "--version"),
    of_edition(FIRST, VERSION): (first_edition.VERIDECK, "--version"),
}


def main() -> None:
    """Measure, print, and maybe write."""
    given = measure.arguments(__doc__, rounds=21).parse_args()
    first_edition.prepare()
    for command in WORKS.values():  # whose bytecode is compiled by now
        measure.run(command, ROOT)
    works = [Work(name, _run(command)) for name, command in WORKS.items()]
    costs = measure.in_turn(works, 3 if given.quick else given.rounds)
    about = f"Medians of {len(costs[PYTHON].runs)}; {measure.machine()}."
    held = bound(costs, VERSION, PYTHON, Time.CPU, 2.0)
    report = "\n\n".join([about, bound_table([held]), cost_table(costs)])
    measure.tell("startup", report, write=given.write)


def _run(command: measure.Command) -> Callable[[int], Cost]:
    return lambda _: measure.run(command, ROOT)[0]


if __name__ == "__main__":
    main()
