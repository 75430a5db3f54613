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
    """Whoever executes snippets of one language. Several threads may ask at once."""

    @property
    def width(self) -> int:
        """How many cards at a time are worth it."""

    def known(self, snippets: Sequence[Snippet]) -> Known_co | None:
        """The answer, where nothing need be executed for it."""

    def expect(self, snippets: Sequence[Snippet]) -> None:
        """Get ready for snippets that are about to be executed."""

    def answer(self, snippets: Sequence[Snippet]) -> Known_co:
        """Execute the snippets of one card."""

    def close(self) -> None:
        """End whatever runs."""


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
    width = max((each.width for each in asked.values()), default=1)
    with ThreadPoolExecutor(max_workers=width) as pool, _ending(asked, pool, stop):
        begun = [_begun(item, executed(item), asked) for item in items]
        running: list[list[Future[Answer]]] = [
            [pool.submit(each.answer, snippets) for each, snippets in one.asked] for one in begun
        ]
        for one, futures in zip(begun, running, strict=True):
            yield one.item, [*one.known, *(future.result() for future in futures)]


def _begun(
    item: Item, executed: Mapping[str, Sequence[Snippet]], asked: Mapping[str, Executor[Answer]]
) -> _Begun[Item, Answer]:
    begun: _Begun[Item, Answer] = _Begun(item, [], [])
    for language, snippets in executed.items():
        if language in asked:
            known = asked[language].known(snippets)
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
