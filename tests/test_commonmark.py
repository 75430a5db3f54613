"""What the specifications of Markdown say is read, and none of it is lost."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import NamedTuple

import pytest
from test_markdown import found, known, render
from test_told import OF_CARDS, lost, numbered

from verideck.model import Card, Note
from verideck.problems import Problem

OURS = Path(__file__).parent / "data" / "markdown-examples.txt"
SPECIFICATION = os.environ.get("MARKDOWN_SPECIFICATION", "")
"""The `spec.txt` of CommonMark or GitHub, or CommonMark's `spec.json`. Their examples are licensed
under CC-BY-SA, and so are no part of this repository; those in `OURS` are written anew. `make
test-specification` takes those that come with markdown-it-py's source."""


_EXAMPLE = re.compile(r"^`{32} example.*?\n(.*?)^\.\n(.*?)^`{32}$", re.MULTILINE | re.DOTALL)


class Example(NamedTuple):
    """A piece of Markdown that a specification explains."""

    name: str
    text: str
    html: str = ""
    """What the specification makes of it."""


def ours() -> Iterator[Example]:
    """Yield the examples of our own."""
    for section in OURS.read_text(encoding="utf-8").split("==== ")[1:]:
        heading, _, texts = section.partition("\n")
        for number, text in enumerate(texts.removesuffix("\n").split("\n....\n"), 1):
            written = text.replace("→", "\t").replace("␣", " ")
            yield Example(f"{heading} {number}", numbered(written))


def theirs(file: str) -> Iterator[Example]:
    """Yield the examples of a specification's own file, if one is named."""
    if file.endswith(".json"):
        for each in json.loads(Path(file).read_text(encoding="utf-8")):
            yield Example(f"{each['section']} {each['example']}", each["markdown"], each["html"])
    elif file:
        text = Path(file).read_text(encoding="utf-8").replace("→", "\t")
        for number, (markdown, html) in enumerate(_EXAMPLE.findall(text), 1):
            yield Example(str(number), markdown, html)


EXAMPLES = list(ours())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.name)
def test_an_example_loses_no_word(example: Example) -> None:
    """As an answer in each form that has one, and as a file of its own."""
    for before in ("Q: q\nA:\n", "Q: q\nA: ", "## q\n\n", ""):
        assert lost(before + example.text) == []


@pytest.mark.parametrize("syntax", OF_CARDS)
def test_any_form_can_read_every_example(syntax: str) -> None:
    """Also where the file says that it is written in it."""
    for example in EXAMPLES:
        assert lost(f"---\nsyntax: {syntax}\n---\n{example.text}") == []


@pytest.mark.parametrize(
    "example",
    [pytest.param(each, id=each.name) for each in theirs(SPECIFICATION)]
    or [pytest.param(None, marks=pytest.mark.skip("no MARKDOWN_SPECIFICATION is named"))],
)
def test_the_specifications_own_examples_lose_no_word(example: Example) -> None:
    """What a browser would show of its HTML is on the card, or a problem is told."""
    every = found(f"Q: q\nA:\n{example.text}")
    made = render(known([each for each in every if isinstance(each, Card)]))
    if any(isinstance(each, Problem) for each in (*every, *made)):
        return
    fields = [field for note in made if isinstance(note, Note) for field in note.fields.values()]
    shown = "".join(words("".join(fields)))
    # Where HTML is text, so are marks in it.
    missing = [each for each in words(example.html) if each.strip("_") not in shown]
    assert set(missing) <= set(unshown(example.text))


_BENEATH_A_TAG = re.compile(r"^</?div\b[^\n]*\n`{3}([^\n`]*)", re.MULTILINE)
_COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)


def unshown(text: str) -> list[str]:
    """The words of an example that our dialect does not show, by two decisions of its own.

    A fence directly beneath a tag is a fence, where CommonMark has more lines of HTML: so the word
    behind its backticks is a language, and what is in it is code, which may be executed. And a
    comment ends at the first `-->`, as it does in CommonMark since 0.31; before, one with `--` in
    it was text.
    """
    return words(" ".join([*_BENEATH_A_TAG.findall(text), *_COMMENT.findall(text)]))


def words(html: str) -> list[str]:
    """The words that a browser shows."""
    return re.findall(r"\w+", unescape(re.sub(r"<[^<>]*>", " ", html)))
