"""What edits change: the cards that are there, and what is remembered of those that were."""

from __future__ import annotations

from model.pages import FORMS, Page, Part, Sheet, Tree, sheets, unit
from verideck.model import Kind


class Draft:
    """Somebody's cards as they are now, as they were at each build, and as they were last."""

    def __init__(self) -> None:
        """Begin without a card."""
        self.tree: Tree = []
        self.past: list[Tree] = []
        """The cards of each build."""
        self.ever: dict[int, Sheet] = {}
        """Every card, as it was last."""
        self.former: list[Sheet] = []
        """Cards as they were built before they were reworded."""
        self.style = 0
        """Which style sheet the note types have; 0 for their own."""
        self._count = 0

    def count(self) -> int:
        """A number that was not given before."""
        self._count += 1
        return self._count

    def units(self, number: int, *, han: bool) -> list[str]:
        """Words that no other text has."""
        return [unit(self.count(), han=han) for _ in range(number)]

    def new(self, kind: Kind, *, han: bool, cloze_answer: bool = True) -> Sheet:
        """A card that there was not."""
        common = ["什么", "如何"] if han else ["what", "is"]
        parts = [Part(each) for each in [*common, *self.units(7, han=han)]]
        sheet = Sheet(self.count(), kind, han, parts, self.units(14, han=han))
        if kind is Kind.CLOZE:
            sheet.answer = sheet.answer if cloze_answer else []
            for number, part in enumerate(parts[3:6:2], start=1):
                part.deletion, part.hidden, part.number = self.count(), True, number
        return sheet

    def sheet(self, one: int, *kinds: Kind) -> Sheet | None:
        """One of the cards, of some kinds."""
        fit = [sheet for sheet in sheets(self.tree) if not kinds or sheet.kind in kinds]
        return fit[one % len(fit)] if fit else None

    def page(self, one: int) -> Page:
        """One of the pages; there are up to four."""
        number = one % 4
        if number >= len(self.tree):
            form = list(FORMS)[one % 3]
            self.tree.append(Page(one % 2, self.count(), form))
            return self.tree[-1]
        return self.tree[number]
