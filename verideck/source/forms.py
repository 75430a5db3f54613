"""In which form a file is read, why, and how many cards other forms would find in it."""

from __future__ import annotations

from collections.abc import Iterator

from verideck.model import Source
from verideck.problems import Problems
from verideck.source import front_matter
from verideck.source.config import SourceConfig
from verideck.source.defaults import defaults_of
from verideck.source.found import Form
from verideck.source.syntaxes import SYNTAXES, Page, fitting, why


def form_of(source: Source, config: SourceConfig) -> Form | None:
    """Return the form of a file; None if nothing in it can be read."""
    split = front_matter.split(source, Problems())
    if split is None:
        return None
    meta, body = split
    page = Page(source, defaults_of(source, config).under(meta), body)
    named = page.meta.syntax
    if page.entangled or (named and named not in SYNTAXES):
        return None
    name = named or fitting(page)
    reason = why(page, name)
    cards = len(SYNTAXES[name].read(page, Problems()).cards) if name else 0
    return Form(source.path, name, reason, cards, tuple(_others(page, name)))


def _others(page: Page, chosen: str) -> Iterator[tuple[str, int]]:
    """Yield what other forms would find; those of tools, only where there is a sign of them."""
    for name, syntax in SYNTAXES.items():
        if name != chosen and (not syntax.is_a_tools or syntax.fits(page)):
            found = syntax.read(page, Problems()).cards
            if count := sum(each.answer is not None for each in found):
                yield name, count
