"""Proofs by language. To add one: a file here, a line in `VERIFIERS`, a case in tests/spec."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Event
from types import MappingProxyType

from verideck.model import Audit, Proof
from verideck.problems import Problem
from verideck.proof.config import ExecutionConfig
from verideck.proof.scheduling import Executor

__all__ = ["AUDITORS", "VERIFIERS", "ExecutionConfig", "Found", "sandbox"]

# Functions import what they need when they are called: an interpreter that executes cards comes by
# this page, and has better things to do first.

Found = list[Proof | Problem]
"""A proof for each executed snippet of a card; or the problems for which there is none."""


Prover = Callable[[ExecutionConfig, Event], Executor[Found]]
"""Opened with a configuration; ends what runs when the event is set."""
Auditing = Callable[[ExecutionConfig, Event], Executor[Audit | Problem]]


def _python(config: ExecutionConfig, stop: Event) -> Executor[Found]:
    from verideck.proof.python.parent.prover import Python  # noqa: PLC0415

    return Python(config, stop)


def _python_audits(config: ExecutionConfig, stop: Event) -> Executor[Audit | Problem]:
    from verideck.proof.python.audit.auditor import Auditor  # noqa: PLC0415

    return Auditor(config, stop)


VERIFIERS: Mapping[str, Prover] = MappingProxyType({"python": _python})
"""By the language's first name in Pygments. Each proves what it is asked for."""

AUDITORS: Mapping[str, Auditing] = MappingProxyType({"python": _python_audits})
"""By the same names. Each finds out what the assertions could have caught."""


def sandbox(config: ExecutionConfig) -> str:
    """The sandbox that snippets are executed in, in a person's words."""
    from verideck.proof.sandbox import kernel  # noqa: PLC0415

    if not config.sandbox:
        return "none: turned off"
    missing = kernel.missing()
    return f"none: {missing}" if missing else kernel.NAME
