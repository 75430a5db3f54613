"""Who executes, as long as a project is open: opened when first needed."""

from __future__ import annotations

from threading import Event

from verideck.model import Audit
from verideck.problems import Problem
from verideck.proof.config import ExecutionConfig
from verideck.proof.languages import AUDITORS, VERIFIERS, ProofsOrProblems
from verideck.proof.scheduling import Executor


class Executors:
    """The executors of every language, which outlive a run."""

    def __init__(self) -> None:
        """Open nothing yet."""
        self._config: ExecutionConfig | None = None
        self.stop = Event()
        """Breaks off what runs."""
        self._provers: dict[str, Executor[ProofsOrProblems]] = {}
        self._auditors: dict[str, Executor[Audit | Problem]] = {}

    def begin(self, config: ExecutionConfig) -> None:
        """Begin a run. Executors of another configuration are replaced."""
        self.stop.clear()  # it is still set where a second Ctrl-C came while a run was broken off
        if config != self._config:
            self.close()
            self._config = config
        for each in (*self._provers.values(), *self._auditors.values()):
            each.begin()

    def prover(self, language: str) -> Executor[ProofsOrProblems] | None:
        """Return what proves snippets of a language; None where it has no verifier."""
        if language in VERIFIERS and language not in self._provers:
            assert self._config, "a run must have begun"
            self._provers[language] = VERIFIERS[language](self._config, self.stop)
        return self._provers.get(language)

    def auditor(self, language: str) -> Executor[Audit | Problem] | None:
        """Return what audits snippets of a language; None where it has no auditor."""
        if language in AUDITORS and language not in self._auditors:
            prover = self.prover(language)
            assert prover, "what is audited has been proved"
            self._auditors[language] = AUDITORS[language](prover)
        return self._auditors.get(language)

    def close(self) -> None:
        """End whatever runs."""
        self.stop.set()
        for each in (*self._auditors.values(), *self._provers.values()):
            each.close()
        self._provers, self._auditors = {}, {}
        self._config = None
        self.stop.clear()
