"""Writes docs/deck.md: what the repository's own deck asks, how it is proved, and whence it is.

`python tests/deck_page.py` writes it; `test_cards.py` holds it to the deck.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from model.learner import Learner
from projects import ROOT, Project, own_deck

from verideck.model import ProvenCard, Role, one_line
from verideck.result import Result

if TYPE_CHECKING:  # alone, and before anki.collection, they go in a circle
    from anki.cards import Card

PAGE = ROOT / "docs/deck.md"

_HEAD = """\
# The Transformer interview deck

A course in the order in which Anki asks it. The first twenty cards are for the first day; then come
the eleven questions of the notes, within the first week, each as single facts and then, to sum up,
as its overview card; whole modules written by hand (手撕代码); what is widely believed and wrong
(常见误区); what is asked next, the sub-decks of the extension (延伸); and last what the notes had
wrong (原笔记勘误), which everybody but their writer may leave out. `python tests/deck_page.py`
makes this page, and a test holds it to the deck.

A proof is what was executed and held when the deck was built: assertions, and in brackets how many
changes of the shown code they notice. A card without code rests on its source.
"""


_PATH = """\
## The path

The new cards of each day for who clicks the deck itself, by the queue of Anki's own scheduler under
its default options. The second card of a cloze note, `-2`, is asked at the end of its day, and
shows what the first has just asked: with *Bury new siblings* and *Bury review siblings*, in the
deck's options, it comes on a day of its own.
"""


def course(checked: Result, folder: Path) -> list[list[str]]:
    """The cards that Anki asks on each day, by their ids; a package is made and imported there."""
    package = folder / "deck.apkg"
    Project(ROOT).package(checked, str(package), locked=True)
    learner = Learner(folder / "learner")
    try:
        learner.bring(package)
        return [
            list(map(_card, day))
            for day in learner.days(checked.proven[0].card.deck.split("::")[0])
        ]
    finally:
        learner.collection.close()


def _card(shown: Card) -> str:
    return shown.note()["Id"] + (f"-{shown.ord + 1}" if shown.ord else "")


def page(proven: Sequence[ProvenCard], days: Sequence[Sequence[str]]) -> str:
    """The whole page; `days` are the cards' ids as `course` returns them."""
    kinds = ("overview", "misconception", "erratum", "core", "adjacent", "extension")
    counts = ", ".join(f"{sum(kind in one.card.tags for one in proven)} {kind}" for kind in kinds)
    assertions = sum(proof.assertions for one in proven for proof in one.proofs)
    figures = sum(len(proof.figures) for one in proven for proof in one.proofs)
    total = f"{len(proven)} cards ({counts}), {figures} figures, {assertions} assertions."
    path = [_PATH, "| day | new cards |", "|--:|---|"]
    path += [
        f"| {day} | {'、'.join(f'`{each}`' for each in ids)} |" for day, ids in enumerate(days, 1)
    ]
    tables = (line for part in _parts(proven) for line in part)
    return "\n".join([_HEAD, total, "", *path, *tables, ""])


def _parts(proven: Iterable[ProvenCard]) -> Iterator[Iterator[str]]:
    """A table for each overview card with what leads to it in its deck; one for what is left."""
    group: list[ProvenCard] = []
    for one in proven:
        if group and one.card.deck != group[-1].card.deck:
            yield _part(group)
            group = []
        group.append(one)
        if "overview" in one.card.tags:
            yield _part(group)
            group = []
    if group:
        yield _part(group)


def _part(group: Sequence[ProvenCard]) -> Iterator[str]:
    last = group[-1].card
    topic = f"：{_text(last.question.text)}" if "overview" in last.tags else ""
    yield ""
    yield f"## {'::'.join(last.deck.split('::')[1:])}{topic}"
    yield ""
    yield "| card | asks | proof | source |"
    yield "|---|---|---|---|"
    for one in group:
        asked = "**overview**" if "overview" in one.card.tags else _text(one.card.question.text)
        mark = " (erratum)" if "erratum" in one.card.tags else ""
        source = _text(one.card.source.text) if one.card.source else ""
        yield f"| `{one.card.id}`{mark} | {asked} | {_proof(one)} | {source} |"


def _proof(one: ProvenCard) -> str:
    assertions = sum(proof.assertions for proof in one.proofs)
    if not assertions:
        return "—"
    judged = one.audit.killed + len(one.audit.survivors) if one.audit else 0
    audit = f" ({one.audit.killed}/{judged})" if one.audit and judged else ""
    figures = sum(len(proof.figures) for proof in one.proofs)
    drawn = f", {figures} figure{'s' * (figures > 1)}" if figures else ""
    output = any(each.options.role is Role.OUTPUT for each in one.card.snippets)
    return f"{assertions}{audit}{drawn}{', output' * output}"


def _text(markdown: str) -> str:
    """Markdown in a cell of a table."""
    return re.sub(r"(?<!\\)\|", r"\\|", one_line(re.sub(r"\{\{c\d+::|\}\}", "", markdown)))


def main() -> None:
    """Write the page."""
    checked = own_deck()
    with tempfile.TemporaryDirectory() as folder:
        days = course(checked, Path(folder))
    PAGE.write_text(page(checked.proven, days), encoding="utf-8")


if __name__ == "__main__":
    main()
