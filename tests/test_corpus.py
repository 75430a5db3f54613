"""Files as people write them, for many tools: the cards that are found are those meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from verideck.model import Source
from verideck.problems import Severity
from verideck.source.cards import cards_of
from verideck.source.config import SourceConfig

CORPUS = Path(__file__).parent / "corpus"
MEANT = {
    name: int(number)
    for number, name in (
        line.split() for line in (CORPUS / "meant.txt").read_text("utf-8").splitlines()
    )
}
"""How many cards each file means."""


def test_the_corpus_is_what_is_counted() -> None:
    """No file is without its number, none is missing, and there are enough of them."""
    assert {str(each.relative_to(CORPUS)) for each in CORPUS.rglob("*.md")} == set(MEANT)
    assert len(MEANT) >= 60


@pytest.mark.parametrize("name", MEANT)
def test_as_many_cards_are_found_as_are_meant(name: str) -> None:
    """In the form that the file is written in, which is found without being named."""
    source = Source(name, (CORPUS / name).read_text(encoding="utf-8"))
    found = cards_of(source, SourceConfig(CORPUS, "deck"))
    errors = [each for each in found.problems if each.severity is Severity.ERROR]
    assert (len(found.cards), errors) == (MEANT[name], [])
