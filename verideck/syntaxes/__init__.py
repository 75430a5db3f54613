"""The ways to write a card. To add one: a file here, a line in `SYNTAXES`, a case in tests/spec.

A syntax finds the questions and answers of a page; what a question or an answer may hold is the
same for all of them (`parse.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from verideck.problems import Problem
from verideck.syntaxes import heading, list_items, qa
from verideck.syntaxes.page import Page, Written

__all__ = ["SYNTAXES", "Page", "Syntax", "Written", "fitting"]

Fits = Callable[[Page], bool]
Syntax = Callable[[Page], Iterator[Written | Problem]]

SYNTAXES: Mapping[str, tuple[Fits, Syntax]] = MappingProxyType(
    {
        "qa": (qa.fits, qa.cards),
        "heading": (heading.fits, heading.cards),
        "list": (list_items.fits, list_items.cards),
    }
)
"""By the name that front matter calls them; a page that names none is read by what fits first."""


def fitting(page: Page) -> Syntax | None:
    """The first syntax in which the page can be read."""
    return next((cards for fits, cards in SYNTAXES.values() if fits(page)), None)
