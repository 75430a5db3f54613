"""Tells what a command finds: in the form that was asked for, on a terminal or into a file."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from verideck import inert
from verideck.cli import colours, printing, report
from verideck.cli.formats import DOCUMENTS, FORMS, github, summary
from verideck.cli.formats.told import Told
from verideck.model import Rewritten
from verideck.problems import Problem

_TOGETHER = 100
"""Problems that are written together: there may be thousands."""


@dataclass(frozen=True, slots=True)
class Teller:
    """The form in which a command tells what it finds, and where."""

    root: Path
    form: str = "human"
    file: Path | None = None
    """Where the form is written to. What people read is then printed as ever."""
    quiet: bool = False
    color: str = "auto"
    """Whether what people read has colours, as `--color` says it."""
    summary: Path | None = None
    """To which file Markdown is added, beside all that is told elsewhere."""

    @property
    def shown(self) -> str:
        """The form of what is printed: `human`, `github`, or that of a document."""
        return "human" if self.file else self.form

    def updated(self, replaced: Sequence[Rewritten]) -> None:
        """Tell what `--update` has replaced, before anything else can go wrong."""
        for each in replaced:
            if self.shown == "human":
                printing.err(report.format_rewritten(each, self.root))
            elif self.shown == "github":
                printing.command(github.rewritten(each, self.root))

    def ended(self, told: Told, *, failed: bool = False) -> None:
        """Tell all of a run that has ended. Raises OSError if a file cannot be written."""
        if self.summary:
            printing.added(self.summary, summary.run(told))
        if self.file:
            self.file.write_text(FORMS[self.form](told), encoding="utf-8", newline="\n")
        if self.shown in DOCUMENTS:
            _print(self.shown, DOCUMENTS[self.shown](told))
            return
        self._problems(told.problems)
        for reason in told.failed_on:
            self.said(f"failed by --fail-on: {reason}", failed=True)
        self.said(told.summary, failed=failed)

    def _problems(self, problems: Iterable[Problem]) -> None:
        shown, tell = report.format_problem, printing.err
        if self.shown == "github":
            shown, tell = github.annotation, printing.command
        elif colours.are_wanted(self.color, sys.stderr):
            shown, tell = colours.painted, printing.painted
        left = iter(problems)
        while some := list(islice(left, _TOGETHER)):
            tell("\n".join(shown(each, self.root) for each in some))

    def said(self, text: str, *, failed: bool = False) -> None:
        """Tell some lines of a summary; programs that read a document are not told them."""
        if not text or (self.quiet and not failed):
            return
        if self.shown == "human":
            (printing.err if failed else printing.out)(text)
        elif self.shown == "github" and not self.quiet:
            printing.command(github.notice(text))


def usage(words: Sequence[str], message: str) -> bool:
    """Tell in the form that some words ask for what is wrong with them. Returns whether it did.

    People are told by who reads the words.
    """
    form, file = _word(words, "--format"), _word(words, "--output-file")
    if form not in FORMS or form == "human":
        return False
    told = Told(Path.cwd(), usage=inert.line(message))
    text = FORMS[form](told)
    if file:
        with contextlib.suppress(OSError):  # it is this, perhaps, that is wrong: people are told
            Path(file).write_text(text, encoding="utf-8", newline="\n")
        return False
    if form in DOCUMENTS:
        _print(form, text)
    else:
        printing.command(github.usage(told.usage))
    return True


def _word(words: Sequence[str], name: str) -> str:
    """What stands behind a flag, or behind its equals sign; empty if nothing does."""
    for word, behind in zip(words, [*words[1:], ""], strict=True):
        if word == name:
            return behind
        if word.startswith(f"{name}="):
            return word.removeprefix(f"{name}=")
    return ""


def _print(form: str, text: str) -> None:
    (printing.markup if form == "junit" else printing.document)(text.rstrip("\n"))


def with_reasons(told: Told, asked: Sequence[str]) -> Told:
    """Return what is told with what `--fail-on` finds in it."""
    counted = ((FAIL_ON[each][0](told), FAIL_ON[each][1]) for each in asked)
    return replace(told, failed_on=[f"{count} {what}" for count, what in counted if count])


def _warnings(told: Told) -> int:
    return sum(each.severity == "warning" for each in told.problems)


def _unverified(told: Told) -> int:
    return told.found.stats.not_run + told.found.stats.unverified


FAIL_ON: Mapping[str, tuple[Callable[[Told], int], str]] = MappingProxyType(
    {
        "warning": (_warnings, "warnings"),
        "unverified": (_unverified, "snippets or cards that are not verified"),
        "no-verifier": (
            lambda told: told.found.stats.unverifiable,
            "snippets that have no verifier",
        ),
    }
)
"""What a run can be made to fail by that is no error: how many of it there are, and what it is."""
