"""What a check finds, as far as it is told without its cards."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

from verideck.model import Stats
from verideck.problems import Problem, Severity, has_errors
from verideck.source.found import Form


@dataclass(frozen=True, slots=True)
class Findings:
    """What is wrong, and what was counted."""

    problems: tuple[Problem, ...] = ()
    stats: Stats = field(default_factory=Stats)
    forms: tuple[Form, ...] = ()
    """In which form each file was read that was to be built."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong that forbids a build."""
        return not has_errors(self.problems)

    def as_strict(self) -> Self:
        """The same, with errors in place of warnings."""
        problems = (replace(each, severity=Severity.ERROR) for each in self.problems)
        return replace(self, problems=tuple(problems))
