"""What it costs to start the command line, beside Python itself.

`python benchmarks/startup.py` prints the tables; `--write` also puts them into README.md here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import first_edition
import measure
from first_edition import EDITIONS
from measure import (
    ROOT,
    Cost,
    Time,
    Work,
    bound,
    of_edition,
)

VERSION = "--version"
PYTHON = "bare Python"
WORKS: dict[str, tuple[str | Path, ...]] = {
    PYTHON: (sys.executable, "-c", ""),
    **{of_edition(name, VERSION): (verideck, VERSION) for name, verideck in EDITIONS.items()},
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
    measure.tell("startup", measure.report(about, [held], costs), write=given.write)


def _run(command: measure.Command) -> Callable[[int], Cost]:
    return lambda _: measure.run(command, ROOT)[0]


if __name__ == "__main__":
    main()
