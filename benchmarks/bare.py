"""The floor of a build: what a deck costs if nothing is asked of it but HTML and a package.

Each side of a card passes once through markdown-it-py, each fence once through Pygments, and
genanki writes the package. Reads `cards/**/*.md` of the current folder and writes `bare.apkg`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import genanki
from markdown_it import MarkdownIt
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name

MODEL = genanki.Model(
    1,
    "bare",
    fields=[{"name": "Front"}, {"name": "Back"}],
    templates=[{"name": "Card", "qfmt": "{{Front}}", "afmt": "{{Back}}"}],
)
FORMATTER = HtmlFormatter(nowrap=True)


def main() -> None:
    """Build the deck."""
    markdown = MarkdownIt("commonmark", {"highlight": _highlighted}).enable("table")
    deck = genanki.Deck(1, "bare")
    for page in sorted(Path("cards").rglob("*.md")):
        for question, answer in _sides(page.read_text(encoding="utf-8")):
            sides = [markdown.render(question), markdown.render(answer)]
            deck.add_note(genanki.Note(MODEL, sides))
    genanki.Package(deck).write_to_file("bare.apkg")
    print(len(deck.notes), "cards")


def _sides(page: str) -> Iterator[tuple[str, str]]:
    """Cut a page before each heading: the heading is the question, the rest is the answer."""
    _, *cards = re.split(r"^## ", page, flags=re.MULTILINE)
    for card in cards:
        question, _, answer = card.partition("\n")
        yield question, answer


def _highlighted(code: str, language: str, _: str) -> str:
    return highlight(code, _lexer(language), FORMATTER)


@cache
def _lexer(language: str) -> Lexer:
    return get_lexer_by_name(language)


if __name__ == "__main__":
    main()
