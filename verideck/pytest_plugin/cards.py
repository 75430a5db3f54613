"""What pytest collects and runs: a file of cards, each card, and the file itself."""

from __future__ import annotations

import warnings
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest

from verideck import Problem, Severity, inert
from verideck.checking import Verdict
from verideck.cli.report import format_problem
from verideck.model import Card
from verideck.problems import BuildFailedError, errors
from verideck.pytest_plugin import VerideckWarning
from verideck.pytest_plugin.decks import Deck, Decks, flag
from verideck.pytest_plugin.told import CardFailedError, Told

_TOLD = "verideck_told"
_LABEL = "verideck_label"
_NOT_HERE = (
    "the frame below is verideck's: the snippet was executed in a process of its own; "
    "with --verideck-executor here, a snippet that raises shows its own"
)


class CardFile(pytest.File):
    """A Markdown file: its cards, and what is wrong with it and belongs to no card."""

    def __init__(self, *, deck: Deck, **kw: Any) -> None:  # noqa: ANN401 - pytest's own words
        """Make the file of a deck."""
        super().__init__(**kw)
        self.deck = deck

    def collect(self) -> Iterator[pytest.Item]:
        """Yield a test for each card. Raises CollectError where the settings are wrong."""
        deck = self.deck
        try:
            problems, cards = deck.problems, deck.cards
        except BuildFailedError as failure:
            told = "\n".join(format_problem(each, deck.root) for each in failure.problems)
            is_first, deck.tells_project = deck.tells_project, False
            again = "its cards are not known: the settings of the project are wrong, as told above"
            raise self.CollectError(told if is_first else again) from None
        if deck.tells_project and "" in problems:
            yield ProblemsItem.of(self, "(project)", problems[""])
        deck.tells_project = False
        name = deck.name(self.path)
        if name in problems:
            yield ProblemsItem.of(self, "(file)", problems[name])
        for card in cards.get(name, ()):
            yield CardItem.of(self, card)


class _Item(pytest.Item):
    """A test that fails by verideck's problems."""

    def __init__(self, *, deck: Deck, **kw: Any) -> None:  # noqa: ANN401 - pytest's own words
        super().__init__(**kw)
        self.deck = deck

    def tell(self, problems: Iterable[Problem]) -> None:
        """Give the warnings to pytest. Raises CardFailedError for the errors.

        Warnings are errors where `strict` or a filter of pytest's makes them so.
        """
        strict, told = flag(self.config, "strict"), list[Problem]()
        for problem in problems:
            weight = Severity.ERROR if strict else problem.severity
            if weight is Severity.WARNING and not self._warns(problem):
                weight = Severity.ERROR
            told.append(replace(problem, severity=weight))
        if wrong := sorted(errors(told), key=lambda each: each.place):
            raise CardFailedError(wrong, self.deck.root)

    def _warns(self, problem: Problem) -> bool:
        """Warn; False where a filter makes an error of it."""
        text = f"{problem.message} [{problem.code}]"
        text += f"\nhint: {problem.hint}" if problem.hint else ""
        file = str(self.deck.root / problem.place.path)
        try:
            warning = VerideckWarning(inert.lines(text))
            warnings.warn_explicit(warning, None, file, problem.place.line)
        except VerideckWarning:
            return False
        return True

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:  # noqa: ANN401 - pytest's own words
        """Tell verideck's problems as verideck does, and all else as pytest does."""
        error = excinfo.value
        return (
            str(error)
            if isinstance(error, CardFailedError)
            else super().repr_failure(excinfo, style)
        )


class ProblemsItem(_Item):
    """What is wrong with a file, or with the project, and belongs to no card."""

    def __init__(self, *, problems: Sequence[Problem], **kw: Any) -> None:  # noqa: ANN401 - see above
        """Make the test that these problems decide."""
        super().__init__(**kw)
        self.problems = problems

    @classmethod
    def of(cls, parent: CardFile, name: str, problems: Sequence[Problem]) -> Self:
        """Make the test of a file."""
        made = cls.from_parent(parent, name=name, deck=parent.deck, problems=problems)
        assert isinstance(made, cls)
        return made

    def runtest(self) -> None:
        """Fail if one of them is an error."""
        self.tell(self.problems)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The line of the first problem in this file."""
        return self.path, 0, self.name


class CardItem(_Item):
    """A card, which holds or does not."""

    verdict: Verdict | None = None
    """None until it was proved."""

    def __init__(self, *, card: Card, **kw: Any) -> None:  # noqa: ANN401 - see above
        """Make the test of a card."""
        super().__init__(**kw)
        self.card = card
        self.extra_keyword_matches.update(card.tags)
        self.ahead: Iterable[CardItem] = ()
        """Those that are run next."""
        if card.is_executable and not card.verified:
            self.add_marker(pytest.mark.skip(reason="not executed: verify is turned off"))

    @classmethod
    def of(cls, parent: CardFile, card: Card) -> Self:
        """Make the test of a card."""
        identity = card.identity.id if card.identity else card.id
        name = identity or f"line-{card.place.line}"
        made = cls.from_parent(parent, name=name, deck=parent.deck, card=card)
        assert isinstance(made, cls)
        return made

    def runtest(self) -> None:
        """Prove the card, and fail if it does not hold."""
        ahead = (each.card for each in self.ahead if each.deck is self.deck)
        self.verdict = verdict = self.deck.prove(self.card, ahead)
        before = self.deck.problems.get(self.card.place, ())
        self._record(verdict)
        try:
            self.tell([*before, *verdict.problems])
        except CardFailedError as failed:
            raise failed.with_traceback(self.deck.traceback_here(self.card)) from None

    def reportinfo(self) -> tuple[Path, int, str]:
        """The file and the line of the question; pytest counts lines from 0."""
        return self.path, self.card.place.line - 1, self.name

    @property
    def label(self) -> str:
        """What is remarkable about a card that holds; empty if nothing is."""
        assert self.verdict, "a card that has passed was proved"
        not_run = sum(bool(each.options.reason) for each in self.card.snippets)
        said = ["cached"] if self.verdict.reused else []
        said += [] if self.verdict.proofs or not_run else ["no code"]
        said += [f"{not_run} not run"] if not_run else []
        return ", ".join(said)

    def _record(self, verdict: Verdict) -> None:
        """Leave what is known of the proof to reports."""
        self.user_properties.append(("assertions", verdict.assertions))
        self.user_properties.append(("cached", verdict.reused))
        if printed := "".join(proof.stdout for proof in verdict.proofs):
            self.add_report_section("call", "stdout", inert.lines(printed))
        if verdict.reused:
            self.add_report_section("call", "proof", "cached: proved by an earlier run")


class Cards:
    """The hooks of a session in which there are cards."""

    def __init__(self, config: pytest.Config, otherwise: Path | None) -> None:
        """Open nothing yet. `otherwise` is the project of files that are in none."""
        self._decks = Decks(config, otherwise)
        self._is_worker = hasattr(config, "workerinput")

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> CardFile | None:
        """Collect Markdown that a project has for cards, and what the command line names."""
        deck = self._decks.deck_of(file_path)
        if deck is None:
            return None
        made = CardFile.from_parent(parent, path=file_path, deck=deck)
        assert isinstance(made, CardFile)
        return made

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Let each card know which ones come next. A worker of xdist is told that bit by bit.

        Warns of folders with cards that are left out for their names.
        """
        for folder in self._decks.passed_over():
            message = f"pytest does not enter {folder}, which has cards: see norecursedirs"
            session.config.issue_config_time_warning(VerideckWarning(message), stacklevel=1)
        if self._is_worker:
            return
        items = session.items
        for number, item in enumerate(items):
            if isinstance(item, CardItem):
                item.ahead = _following(items, number)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add to the report of a card how long it took, and what is told of it."""
        report = yield
        if not isinstance(item, _Item) or call.when != "call":
            return report
        said = vars(report)  # where pytest keeps what is added to a report, and xdist finds it
        if isinstance(item, CardItem) and item.verdict:
            report.duration = item.verdict.seconds
            said[_LABEL] = item.label
        if call.excinfo and isinstance(call.excinfo.value, CardFailedError):
            said[_TOLD] = Told.of(call.excinfo.value).saved()
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_exception_interact(
        self, node: pytest.Item | pytest.Collector, call: pytest.CallInfo[object]
    ) -> None:
        """Say, before a debugger opens, how it would come into the snippet."""
        failed = call.excinfo and isinstance(call.excinfo.value, CardFailedError)
        if not failed or not isinstance(node, CardItem) or node.deck.executes_here:
            return
        told = node.config.pluginmanager.get_plugin("terminalreporter")
        if told and node.config.getoption("usepdb"):
            told.write_line(f"\nverideck: {_NOT_HERE}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Give a failure its colours and its place, in the process that shows it."""
        said = vars(report)
        if _TOLD in said:
            said["longrepr"] = Told.restored(said[_TOLD])

    def pytest_report_teststatus(
        self, report: pytest.TestReport
    ) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
        """Say of a card that holds what is remarkable about it, where each test has a line."""
        label = vars(report).get(_LABEL)
        if not label or not report.passed or report.when != "call":
            return None
        return "passed", ".", (f"PASSED ({label})", {"green": True})

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what of the project a run by `testpaths` has left out."""
        if not self._is_worker and (paths := self._decks.left_out()):
            named = inert.line(", ".join(paths))
            terminalreporter.write_line(f"verideck: {named} not collected: not in testpaths")

    def pytest_unconfigure(self) -> None:
        """Close the projects."""
        self._decks.close()


def _following(items: Sequence[pytest.Item], number: int) -> Iterable[CardItem]:
    """The cards behind an item, as far as no other test stands between them."""
    for behind in range(number + 1, len(items)):
        item = items[behind]
        if not isinstance(item, CardItem):
            return
        yield item
