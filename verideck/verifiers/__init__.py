"""Proofs by language. To add one: a file here, a line in `VERIFIERS`, a case in tests/spec."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Event
from types import MappingProxyType

from verideck.model import Audit, Proof
from verideck.parallel import Asked
from verideck.problems import Problem
from verideck.verifiers.bench import Bench
from verideck.verifiers.python import Python, box
from verideck.verifiers.python.auditor import Auditor

__all__ = ["AUDITORS", "VERIFIERS", "Bench", "Found", "sandbox"]

Found = list[Proof | Problem]
"""A proof for each executed snippet of a card; or the problems for which there is none."""


Prover = Callable[[Bench, Event], Asked[Found]]
"""Opened on a bench; ends what runs when the event is set."""
Auditing = Callable[[Bench, Event], Asked[Audit | Problem]]

VERIFIERS: Mapping[str, Prover] = MappingProxyType({"python": Python})
"""By the language's first name in Pygments. Each proves what it is asked for."""

AUDITORS: Mapping[str, Auditing] = MappingProxyType({"python": Auditor})
"""By the same names. Each finds out what the assertions could have caught."""


def sandbox(bench: Bench) -> str:
    """The box that snippets are executed in, in a person's words."""
    if not bench.sandbox:
        return "none: turned off"
    missing = box.missing()
    return f"none: {missing}" if missing else box.NAME
