"""The type that each syntax is a value of, and one that an installed package adds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ParamSpec, TypeVar

from verideck.plugins import Plugin
from verideck.problems import CallerError, Problems
from verideck.source.syntaxes.page import Page
from verideck.source.syntaxes.raw_card import RawCard, Reading

Given = ParamSpec("Given")
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Syntax:
    """A form in which cards are written."""

    name: str
    """As `syntax:` in front matter says it."""
    question: str
    """The Markdown element of a question, for messages: a singular with a regular plural."""
    fits: Callable[[Page], str]
    """Returns why a page that names no syntax is read by this one; an empty text if it is not."""
    read: Callable[[Page, Problems], Reading]
    """Returns the cards of a page, and reports questions that are not complete."""
    is_a_tools: bool = False
    """Whether it is another tool's: its files have a sign of it, and hold more than cards. So a
    heading or a list item beside these cards is not meant as one, nor is what it marks in others.
    """
    in_answers: bool = True
    """Whether this form, inside of an answer in another syntax, may be meant as a card. False for
    lists, which are common in answers."""

    def is_meant(self, card: RawCard) -> bool:
        """Return whether an author may have meant this as a card.

        A card has an answer. A list item that begins with a bracket is an entry in a table of
        contents, or a task.
        """
        return bool(card.answer) and (self.in_answers or card.question.text[:1] != "[")


def added(plugin: Plugin) -> Syntax:
    """Return the syntax that an entry point names.

    Raises CallerError where that is none, or has another name. What its code raises says whose it
    is.
    """
    syntax = plugin.load()
    if not isinstance(syntax, Syntax):
        raise CallerError(f"{plugin}, is no Syntax")
    if syntax.name != plugin.name:
        raise CallerError(f"{plugin}, calls itself {syntax.name}")
    return replace(
        syntax, fits=_signed(syntax.fits, str(plugin)), read=_signed(syntax.read, str(plugin))
    )


def _signed(function: Callable[Given, Found], whose: str) -> Callable[Given, Found]:
    def call(*given: Given.args, **named: Given.kwargs) -> Found:
        try:
            return function(*given, **named)
        except Exception as error:
            error.add_note(f"This was raised in {whose}; it is no part of verideck.")
            raise

    return call
