"""Proofs by language. To add one: a file here, a line in `VERIFIERS`, a case in tests/spec."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Event
from types import MappingProxyType

from verideck.model import Audit, Proof
from verideck.parallel import Asked
from verideck.problems import Problem
from verideck.verifiers.bench import Bench

__all__ = ["AUDITORS", "VERIFIERS", "Bench", "Found", "sandbox"]

# Functions import what they need when they are called: an interpreter that executes cards comes by
# this page, and has better things to do first.

Found = list[Proof | Problem]
"""A proof for each executed snippet of a card; or the problems for which there is none."""


Prover = Callable[[Bench, Event], Asked[Found]]
"""Opened on a bench; ends what runs when the event is set."""
Auditing = Callable[[Bench, Event], Asked[Audit | Problem]]


def _python(bench: Bench, stop: Event) -> Asked[Found]:
    from verideck.verifiers.python.prover import Python  # noqa: PLC0415

    return Python(bench, stop)


def _python_audits(bench: Bench, stop: Event) -> Asked[Audit | Problem]:
    from verideck.verifiers.python.auditor import Auditor  # noqa: PLC0415

    return Auditor(bench, stop)


VERIFIERS: Mapping[str, Prover] = MappingProxyType({"python": _python})
"""By the language's first name in Pygments. Each proves what it is asked for."""

AUDITORS: Mapping[str, Auditing] = MappingProxyType({"python": _python_audits})
"""By the same names. Each finds out what the assertions could have caught."""


def sandbox(bench: Bench) -> str:
    """The box that snippets are executed in, in a person's words."""
    from verideck.verifiers.python import box  # noqa: PLC0415

    if not bench.sandbox:
        return "none: turned off"
    missing = box.missing()
    return f"none: {missing}" if missing else box.NAME
