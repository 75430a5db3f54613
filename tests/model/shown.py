"""What a card shows: its HTML without what only a browser reads, and what its fields hide."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # alone, and before anki.collection, they go in a circle
    from anki.cards import Card


def front(shown: Card) -> str:
    """The HTML of a card's front, without its style sheet."""
    return re.sub(r"<style>.*?</style>", "", shown.question(), flags=re.DOTALL)


def back(shown: Card) -> str:
    """The HTML of a card's back, without its style sheet."""
    return re.sub(r"<style>.*?</style>", "", shown.answer(), flags=re.DOTALL)


def plain(html: str) -> str:
    """HTML without its tags and comments; what MathJax is given stays."""
    text = re.sub(r"<!--.*?-->|</?[a-zA-Z][^<>]*>", "", html)
    assert "<" not in text, "what looks like a tag was meant to be read"
    return unescape(text)


def seen(html: str) -> str:
    """What a reader sees of HTML, on one line."""
    apart = re.sub(r"</(?:summary|pre|p|div|section)>", r"\g<0> ", html)
    return " ".join(plain(apart).split())


def code(html: str) -> list[str]:
    """The blocks of code in HTML, as text."""
    return [plain(each) for each in re.findall(r'<pre class="code">(.*?)</pre>', html, re.DOTALL)]


def hidden_texts(text: str) -> dict[int, str]:
    """What each number of a cloze field hides."""
    found = re.findall(r"\{\{c(\d+)::(.*?)\}\}", text)
    assert len({number for number, _ in found}) == len(found)
    return {int(number): secret for number, secret in found}


def asks(fields: Mapping[str, str]) -> set[int]:
    """The numbers under which a note asks for something."""
    return set(hidden_texts(fields["Question"])) or ({1, 2} if fields["Reverse"] else {1})


def uncovered(text: str) -> str:
    """A cloze field's text with everything that it hides."""
    return re.sub(r"\{\{c\d+::(.*?)\}\}", r"\1", text)
