"""Who executes, as long as a project is open: opened when first needed."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Event

from verideck.model import Audit
from verideck.problems import Problem
from verideck.proof.config import ExecutionConfig
from verideck.proof.languages import AUDITORS, VERIFIERS, Found
from verideck.proof.scheduling import Executor


class Executors:
    """The executors of every language, which outlive a run."""

    def __init__(self) -> None:
        """Open nothing yet."""
        self._config: ExecutionConfig | None = None
        self.stop = Event()
        """Breaks off what runs."""
        self._provers: dict[str, Executor[Found]] = {}
        self._auditors: dict[str, Executor[Audit | Problem]] = {}

    def begin(self, config: ExecutionConfig) -> None:
        """Begin a run. Executors of another configuration are replaced."""
        if config != self._config:
            self.close()
            self._config = config
        for each in (*self._provers.values(), *self._auditors.values()):
            each.begin()

    @property
    def provers(self) -> Mapping[str, Executor[Found]]:
        """Those that prove, by language."""
        if not self._provers and self._config:
            config = self._config
            self._provers = {name: made(config, self.stop) for name, made in VERIFIERS.items()}
        return self._provers

    @property
    def auditors(self) -> Mapping[str, Executor[Audit | Problem]]:
        """Those that audit, by language."""
        if not self._auditors and self._config:
            config = self._config
            self._auditors = {name: made(config, self.stop) for name, made in AUDITORS.items()}
        return self._auditors

    def close(self) -> None:
        """End whatever runs."""
        self.stop.set()
        for each in (*self._provers.values(), *self._auditors.values()):
            each.close()
        self._provers, self._auditors = {}, {}
        self._config = None
        self.stop.clear()
