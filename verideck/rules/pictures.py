"""Rules for the pictures of a card."""

from __future__ import annotations

import re
from collections.abc import Iterator

from verideck.rules.reading import Reading
from verideck.rules.rule import Finding, Limit, of_each_card

_DRAWS = re.compile(r"\b(?:matplotlib|plt|pyplot)\b|\b(?:draw|plot)_\w+\(")


@of_each_card
def undescribed(card: Reading, _: Limit) -> Iterator[Finding]:
    """Say in words what a picture shows (R15). WCAG 2.2, 1.1.1: text alternatives.

    Reports images without a text in their brackets, and shown code that draws, by what it calls,
    in a fence without `alt`. A sound needs none.
    """
    for place in card.undescribed:
        hint = "write what it shows in the brackets: ![two curves that cross at 0](…)"
        yield Finding(card.card, place, "this picture has no text for who does not see it", hint)
    for snippet in card.shown:
        if snippet.executable and not snippet.options.alt and _DRAWS.search(snippet.code):
            message = "the figure that this code draws has no text for who does not see it"
            hint = 'write alt="…" in the braces of its fence'
            yield Finding(card.card, snippet.place, message, hint)
