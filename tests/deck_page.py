"""Writes docs/deck.md: what the repository's own deck asks, how it is proved, and whence it is.

`python tests/deck_page.py` writes it; `test_cards.py` holds it to the deck.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from projects import ROOT, own_deck

from verideck.model import ProvenCard, Role, one_line

PAGE = ROOT / "docs/deck.md"

_HEAD = """\
# The Transformer interview deck

The eleven questions of the notes, each with its overview card and the single facts beneath it; then
what is asked next, up to the sub-decks of the extension (延伸). `python tests/deck_page.py` makes
this page, and a test holds it to the deck.

A proof is what was executed and held when the deck was built: assertions, and in brackets how many
changes of the shown code they notice. A card without code rests on its source.
"""


def page(proven: Sequence[ProvenCard]) -> str:
    """The whole page."""
    kinds = ("overview", "erratum", "core", "adjacent", "extension")
    counts = ", ".join(f"{sum(kind in one.card.tags for one in proven)} {kind}" for kind in kinds)
    assertions = sum(proof.assertions for one in proven for proof in one.proofs)
    figures = sum(len(proof.figures) for one in proven for proof in one.proofs)
    total = f"{len(proven)} cards ({counts}), {figures} figures, {assertions} assertions."
    return "\n".join([_HEAD, total, *(line for part in _parts(proven) for line in part), ""])


def _parts(proven: Iterable[ProvenCard]) -> Iterator[Iterator[str]]:
    """A table for each overview card with what follows it in its file; one for any other file."""
    group: list[ProvenCard] = []
    for one in proven:
        starts = not group or one.card.place.path != group[-1].card.place.path
        if group and (starts or "overview" in one.card.tags):
            yield _part(group)
            group = []
        group.append(one)
    if group:
        yield _part(group)


def _part(group: Sequence[ProvenCard]) -> Iterator[str]:
    first = group[0].card
    is_overview = "overview" in first.tags
    yield ""
    yield f"## {_text(first.question.text) if is_overview else first.deck.split('::')[-1]}"
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
    Path(PAGE).write_text(page(own_deck().proven), encoding="utf-8")


if __name__ == "__main__":
    main()
