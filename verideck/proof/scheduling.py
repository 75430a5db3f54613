"""Ask those who execute snippets, as many cards at a time as is worth it; answers come in order."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from typing import Generic, Protocol, TypeVar

from verideck.model import Snippet

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Known_co = TypeVar("Known_co", covariant=True)


class Executor(Protocol[Known_co]):
    """Executes the snippets of one language, for many runs, until it is closed.

    It is opened with an event. Setting the event breaks off the run: calls of `execute` raise
    StoppedError. When all of them have returned, the event can be cleared and the next run begun.
    """

    @property
    def width(self) -> int:
        """How many cards are worth executing at the same time."""

    def begin(self) -> None:
        """Begin a run: the project and what is installed may have changed since the last one."""

    def cached(self, snippets: Sequence[Snippet]) -> Known_co | None:
        """The result of a former run, if it is still true. Executes nothing."""

    def expect(self, snippets: Sequence[Snippet]) -> None:
        """Prepare for snippets that are about to be executed."""

    def execute(self, snippets: Sequence[Snippet]) -> Known_co:
        """Execute the snippets of one card. Several threads may call this at once."""

    def close(self) -> None:
        """End all processes and remove all files of the executor, for good."""


@dataclass(frozen=True, slots=True)
class _Begun(Generic[Item, Answer]):
    """An item, the answers that were known, and those that are asked for."""

    item: Item
    known: list[Answer]
    asked: list[tuple[Executor[Answer], Sequence[Snippet]]]


def answers(
    items: Iterable[Item],
    executed: Callable[[Item], Mapping[str, Sequence[Snippet]]],
    asked: Mapping[str, Executor[Answer]],
    stop: Event,
) -> Generator[tuple[Item, list[Answer]], None, None]:
    """Each item with an answer for each language of it, in the order of the items.

    Whoever is asked gets ready while the items are still coming. When nobody wants the answers any
    more, whatever is running ends at once.
    """
    for each in asked.values():
        each.begin()
    width = max((each.width for each in asked.values()), default=1)
    with ThreadPoolExecutor(max_workers=width) as pool, _ending(asked, pool, stop):
        begun = [_begun(item, executed(item), asked) for item in items]
        running: list[list[Future[Answer]]] = [
            [pool.submit(each.execute, snippets) for each, snippets in one.asked] for one in begun
        ]
        for one, futures in zip(begun, running, strict=True):
            yield one.item, [*one.known, *(future.result() for future in futures)]


def _begun(
    item: Item, executed: Mapping[str, Sequence[Snippet]], asked: Mapping[str, Executor[Answer]]
) -> _Begun[Item, Answer]:
    begun: _Begun[Item, Answer] = _Begun(item, [], [])
    for language, snippets in executed.items():
        if language in asked:
            known = asked[language].cached(snippets)
            if known is None:
                asked[language].expect(snippets)
                begun.asked.append((asked[language], snippets))
            else:
                begun.known.append(known)
    return begun


@contextmanager
def _ending(
    asked: Mapping[str, Executor[Answer]], pool: ThreadPoolExecutor, stop: Event
) -> Iterator[None]:
    """End what is running, however the run ends."""
    try:
        yield
    finally:
        stop.set()
        pool.shutdown(wait=False, cancel_futures=True)
        for each in asked.values():
            each.close()
