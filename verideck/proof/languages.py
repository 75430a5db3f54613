"""The languages that are proved. To add one: a file here, a line in `VERIFIERS`, a spec case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Event
from types import MappingProxyType

from verideck.model import Audit, Proof
from verideck.problems import Problem
from verideck.proof.config import ExecutionConfig
from verideck.proof.scheduling import Executor

__all__ = ["AUDITORS", "VERIFIERS", "ProofsOrProblems", "sandbox"]

# The functions import the verifiers when they are called: the interpreters that execute cards
# import this module too, and must start fast.

ProofsOrProblems = list[Proof | Problem]
"""A proof for each executed snippet of a card, or the problems that prevented one."""


Verifier = Callable[[ExecutionConfig, Event], Executor[ProofsOrProblems]]
"""Returns an executor that proves. Setting the event breaks off what it executes."""
Auditor = Callable[[Executor[ProofsOrProblems]], Executor[Audit | Problem]]
"""Returns an executor that audits, by means of one that proves, which is closed after it."""


def _python(config: ExecutionConfig, stop: Event) -> Executor[ProofsOrProblems]:
    from verideck.proof.python.parent.prover import Python  # noqa: PLC0415

    return Python(config, stop)


def _python_audits(prover: Executor[ProofsOrProblems]) -> Executor[Audit | Problem]:
    from verideck.proof.python.audit import auditor  # noqa: PLC0415
    from verideck.proof.python.parent.prover import Python  # noqa: PLC0415

    assert isinstance(prover, Python), "languages are audited by what proves them"
    return auditor.Auditor(prover)


VERIFIERS: Mapping[str, Verifier] = MappingProxyType({"python": _python})
"""The verifiers, by the language's first name in Pygments."""

AUDITORS: Mapping[str, Auditor] = MappingProxyType({"python": _python_audits})
"""The auditors, by the same names. Each of these languages has a verifier."""


def sandbox(config: ExecutionConfig) -> str:
    """Return the name of the sandbox that snippets are executed in, or why there is none."""
    from verideck.proof.sandbox import kernel  # noqa: PLC0415

    if not config.sandbox:
        return "none: turned off"
    missing = kernel.missing()
    return f"none: {missing}" if missing else kernel.NAME
