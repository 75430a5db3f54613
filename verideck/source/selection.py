"""Which of the cards that are read are asked for: all, or some by their lines or their ids."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from verideck.model import Card, one_line
from verideck.source.found import CardsOfFile


@dataclass(frozen=True, slots=True)
class Selection:
    """What a run is asked for. By lines or ids, it is some cards, and nothing of the others."""

    documents: bool = True
    """Whether documents are executed; otherwise they are left out, and nothing is told of them."""
    lines: Mapping[str, frozenset[int]] = field(default_factory=lambda: MappingProxyType({}))
    """Of some files, by their paths: each line, counted from 1, stands for the card it is in."""
    ids: frozenset[str] = frozenset()
    """As authors write them, or as parts of documents are called."""
    questions: frozenset[str] = frozenset()
    """What cards ask, on one line, that have an id of these in the lock alone."""

    @property
    def is_all(self) -> bool:
        """Whether every card is asked for."""
        return not (self.lines or self.ids)

    def divided(self, path: str, file: CardsOfFile) -> tuple[CardsOfFile, tuple[Card, ...]]:
        """Divide a file into what is asked for, with its problems, and the cards that are not."""
        if self.is_all:
            return file, ()
        every = sorted([*file.cards, *file.documents], key=lambda card: card.place)
        wanted = [card for card in every if card.id in self.ids or self._asks(card)]
        starts = [card.place.line for card in every]
        for line in self.lines.get(path, ()):
            wanted += every[max(_at(starts, line), 0) :][:1]
        places = {card.place.line for card in wanted}
        own = [each for each in file.problems if _start(starts, each.place.line) in places]
        chosen = replace(
            file,
            cards=tuple(card for card in file.cards if card.place.line in places),
            documents=tuple(card for card in file.documents if card.place.line in places),
            problems=tuple(own),
            unanswered=(),
            refused=(),
        )
        return chosen, tuple(card for card in file.cards if card.place.line not in places)

    def _asks(self, card: Card) -> bool:
        return bool(self.questions) and one_line(card.question.text) in self.questions


ALL = Selection()


def _at(starts: Sequence[int], line: int) -> int:
    """The number of the card that a line is in; -1 above the first."""
    return bisect_right(starts, line) - 1


def _start(starts: Sequence[int], line: int) -> int:
    at = _at(starts, line)
    return starts[at] if at >= 0 else 0
