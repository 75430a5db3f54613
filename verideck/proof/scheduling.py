"""Executes the snippets of many cards, as many at a time as is worth it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from threading import Event
from typing import Generic, Protocol, TypeVar

from verideck.model import Card, Role, Snippet

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Answer_co = TypeVar("Answer_co", covariant=True)


class Executor(Protocol[Answer_co]):
    """Executes the snippets of one language, for many runs, until it is closed.

    It is opened with an event. Setting the event breaks off the run: calls of `execute` raise
    StoppedError. When all of them have returned, the event is cleared, and the next run can begin.
    """

    @property
    def width(self) -> int:
        """How many cards are worth executing at the same time."""

    def begin(self) -> None:
        """Begin a run: the project and what is installed may have changed since the last one."""

    def cached(self, snippets: Sequence[Snippet]) -> Answer_co | None:
        """Return the answer of a former run, if it is still true. Executes nothing."""

    def expect(self, snippets: Sequence[Snippet]) -> None:
        """Prepare for snippets that are about to be executed."""

    def execute(self, snippets: Sequence[Snippet]) -> Answer_co:
        """Execute the snippets of one card. Several threads may call this at once."""

    def close(self) -> None:
        """End all processes and remove all files of the executor, for good."""


@dataclass(frozen=True, slots=True)
class _Entry(Generic[Item, Answer]):
    """An item, the answers that are there already, and what is still to be executed for it."""

    item: Item
    answers: list[Answer]
    waiting: list[tuple[Executor[Answer], Sequence[Snippet]]] = field(default_factory=list)


class Batch(Generic[Item, Answer]):
    """The items of one run: added one by one, then executed together."""

    def __init__(self, executor_of: Callable[[str], Executor[Answer] | None], stop: Event) -> None:
        """`executor_of` gives the executor of a language; `stop` breaks off what it executes."""
        self._executor_of = executor_of
        self._stop = stop
        self._entries: list[_Entry[Item, Answer]] = []

    def add(self, item: Item, snippets: Mapping[str, Sequence[Snippet]]) -> None:
        """Take an item. Its executors get ready while others are still being added."""
        entry: _Entry[Item, Answer] = _Entry(item, [])
        self._entries.append(entry)
        for language, of_language in snippets.items():
            if executor := self._executor_of(language):
                answer = executor.cached(of_language)
                if answer is None:
                    executor.expect(of_language)
                    entry.waiting.append((executor, of_language))
                else:
                    entry.answers.append(answer)

    def run(
        self,
        on_done: Callable[[Item, Sequence[Answer]], None],
        on_wait: Callable[[Sequence[Item]], None],
    ) -> None:
        """Execute everything. Calls `on_done` in this thread, once for each item, as they end.

        Calls `on_wait` before, with the items that are to be executed, if there are any.
        """
        for entry in self._entries:
            if not entry.waiting:
                on_done(entry.item, entry.answers)
        waiting = [entry for entry in self._entries if entry.waiting]
        if not waiting:
            return
        on_wait([entry.item for entry in waiting])
        width = max(executor.width for entry in waiting for executor, _ in entry.waiting)
        pool = ThreadPoolExecutor(max_workers=width)
        try:
            futures: dict[Future[Answer], _Entry[Item, Answer]] = {
                pool.submit(executor.execute, snippets): entry
                for entry in waiting
                for executor, snippets in entry.waiting
            }
            for future in as_completed(futures):
                entry = futures[future]
                entry.answers.append(future.result())
                entry.waiting.pop()  # whichever: they are counted
                if not entry.waiting:
                    on_done(entry.item, entry.answers)
        except BaseException:
            self._stop.set()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            self._stop.clear()


def executed(card: Card) -> dict[str, list[Snippet]]:
    """What of a card is executed, by language; an output goes with the fence above it."""
    languages: dict[str, list[Snippet]] = {}
    above: list[Snippet] = []
    for snippet in card.snippets if card.verified else ():
        if snippet.executable:
            above = languages.setdefault(snippet.language, [])
            above.append(snippet)
        elif snippet.options.role is Role.OUTPUT:
            above.append(snippet)
    return languages
