"""Nothing that an author writes is left out in silence: a word is shown, or its line is told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_markdown import PATH, PROJECT, known, render

from verideck import markdown
from verideck.model import Card, Place, Source
from verideck.problems import Code, Problem, Problems, Severity
from verideck.project import source_config
from verideck.source import accounting, cards, contents, front_matter
from verideck.source.cards import cards_of
from verideck.source.config import DOCUMENT
from verideck.source.syntaxes import SYNTAXES, Page, fitting

WORD = re.compile(r"zw\d+z")
"""A word that must not be lost. In the templates it is `¤`; what may be lost is `hidden`."""

INLINE = (
    *("¤", "¤", "¤", "*¤*", "**¤**", "~~¤~~", "==¤==", "`¤`", "$¤$", "$$¤$$", "\\*¤"),
    *("[¤](https://hidden)", "[¤]", "<https://¤>", "https://¤", "{{c1::¤::¤}}", "{{c1::¤"),
    *("![¤](data:,hidden)", "![¤](hidden.png)", "&amp;¤", "¤  \n¤", "¤\\\n¤", "¤\n¤"),
    *("<b>¤</b>", "¤<br>¤", "<kbd>¤</kbd>", "<x-y>¤</x-y>", "[[¤]]", "![[¤]]", "[^1]¤"),
    *("[[hidden|¤]]", "[[¤#¤]]", "![[hidden.png|¤]]", "![[¤#^hidden|¤]]", "[[#¤]]", "¤ ^¤"),
    *("\\(¤\\)", "\\[¤\\]", "¤|¤", "%%hidden%%¤", "<!-- hidden -->¤", ":¤:", "^¤", "#¤"),
    *("$`¤`$", "$ ¤", "5$¤", "¤: ¤", "¤::¤", "¤:::¤", "**¤", "`¤", "((¤))", "{¤}"),
)
_FOLD = "<details><summary>¤</summary>\n\n¤\n\n</details>"
BLOCKS = (
    *("# ¤", "## ¤", "### ¤", "#### ¤", "##¤", "＃＃ ¤", "#\xa0¤", "¤\n===", "¤\n---"),
    *("¤", "¤", "¤", "---", "***", "- ¤", "- ¤\n  - ¤", "* ¤\n\n  ¤", "1. ¤\n2. ¤"),
    *("> ¤\n> ¤", "> [!note] ¤\n> ¤", "- [ ] ¤\n- [x] ¤", "¤\n: ¤", "[^1]: ¤"),
    *("```\n¤\n```", "~~~text\n¤\n~~~", "```nolanguage\n¤\n```", "    ¤", "```python\n¤\n```"),
    *("```python {.check}\n¤\n```", "```python {.setup}\n¤\n```", "$$\n¤\n$$", "```text\n¤"),
    *("|¤|¤|\n|-|-|\n|¤|¤|", "|¤|\n|-|\n¤", "[hidden]: https://hidden", "<!--\nhidden\n-->"),
    *("Q: ¤\nA: ¤", "Q: ¤\n\nA: ¤", "Q: ¤", "A: ¤", "q: ¤", "**Q: ¤**", "问：¤\n答：¤"),
    *("C: [¤] ¤", "E: ¤", "T: ¤", "S: ¤", "1. ### ¤\n\n   ¤", "- # ¤", "- ¤ #card\n  - ¤"),
    *("<details>\n<summary>¤</summary>\n\n¤\n\n</details>", "<div>\n¤\n</div>", "¤\n%\n¤"),
    *("^¤", "¤ ^¤", "- ¤\n\n^¤", "> ¤ ^¤", "## ¤ ^¤", "[[¤]] ¤\n^¤"),
    *("¤::¤", "¤\n?\n¤", "¤\n??\n¤", "START\nBasic\n¤\nBack: ¤\nEND", "TARGET DECK: ¤"),
    *("%%ANKI\nBasic\n¤\nBack: ¤\nEND%%", "<!-- hidden\nSTART\nBasic\n¤\nBack: ¤\nID: 1\nEND -->"),
    *("%%\nSTART\n¤\nSTART\nBasic\n¤\nEND\n%%", "<!--\nSTART\nBasic\n¤\n<!--ID: 1-->\nEND\n-->"),
    *("TARGET DECK: ¤\n\n¤ #flashcard\n¤", "¤ #flashcard\n\n- ¤"),
    *("¤ STARTI [Basic] ¤ Back: ¤ ENDI ¤", "START\nBasic\n¤\nBack: ¤\nBack: ¤\nID: 1\n¤\nEND"),
    *("<details>¤\n<summary>¤</summary>\n¤\n</details>", "<br><b>\n\n¤\n\n</b>", "¤ `{=:¤:=}` ¤"),
    *(
        f"<details>\n<summary>¤</summary>\n\n{_FOLD}\n{_FOLD}\n\n</details>",
        "<pre><code>\n¤\n</code></pre>",
    ),
    *("STARTI [Basic] ¤ Back: ¤ ENDI", "- [¤](#a)\n- [¤](#b)", "## ¤ {#hidden}", "key:: ¤"),
    *("## ¤ {.cloze}", "## ¤ {.type}", "## ¤ {.reversed}", "- ¤ {{c1::¤}}", "%"),
)
GAPS = ("\n\n", "\n\n", "\n\n", "\n", "\n\n\n", "\n  ", "\n    ", "\n> ")


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A document in which every word is another."""
    text = ""
    for block in draw(st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=8)):
        for piece in re.split("(¤)", block):
            text += draw(st.sampled_from(INLINE)) if piece == "¤" else piece
        text += draw(st.sampled_from(GAPS))
    return numbered(text)


def numbered(text: str) -> str:
    """A text with another word in each of its places."""
    first, *pieces = text.split("¤")
    return first + "".join(f"zw{n}z{piece}" for n, piece in enumerate(pieces))


def lost(text: str) -> list[str]:
    """The words of a file that no note shows, and whose lines are neither told nor silent."""
    file = cards_of(Source(PATH, text), source_config(PROJECT))
    shown = [each.question for each in file.unanswered]
    places = [place for each in file.problems for place in _places(each)]
    kept: set[Place] = set()
    for card in file.cards:
        shown += _commented(card)
        for each in render(known([card])):
            if isinstance(each, Problem):
                places.append(each.place)
            else:
                shown += [*each.fields.values(), each.deck, *each.tags]
                kept.add(card.place)
    seen = {word for each in shown for word in WORD.findall(each.lower())}
    if seen.issuperset(WORD.findall(text)) or any(each.code in WHOLE for each in file.problems):
        return []
    lines = set(_silent(text, file.problems, places, kept))
    return [
        word
        for number, line in enumerate(text.split("\n"))
        for word in WORD.findall(line)
        if word not in seen and number not in lines
    ]


OF_CARDS = [each for each in SYNTAXES if each != DOCUMENT]
"""The forms of which cards are made. Of a document nothing is shown: its fences are executed."""

WHOLE = {Code.NO_CARD, Code.FRONT_MATTER_INVALID, Code.BLOCKS_ENTANGLED}
"""Problems that tell of all lines of a file."""


def _places(problem: Problem) -> Iterator[Place]:
    """Yield the place of a problem, and the lines that tell of the same."""
    yield problem.place
    if alike := re.search(r"also on lines? ([\d, ]+)", problem.message):
        yield from (Place(PATH, int(line)) for line in alike[1].split(","))
    if more := re.search(r"and (\d+) more below", problem.message):
        yield from (Place(PATH, problem.place.line + n) for n in range(1, 10 * int(more[1])))


def _commented(card: Card) -> Iterator[str]:
    """Yield the comments on a card, which are no text of it."""
    for passage in filter(None, (card.question, card.answer)):
        yield from (each.text for each in markdown.uncommented(passage)[1].comments)


def _silent(
    text: str, problems: Sequence[Problem], places: Sequence[Place], kept: set[Place]
) -> Iterator[int]:
    """Yield the lines that are on no card because they name something, set it up, or are told."""
    split = front_matter.split(Source(PATH, text), Problems())
    assert split
    page = Page(Source(PATH, text), *split)
    reading, told = cards._reading(page, page.meta.syntax or fitting(page), Problems())  # noqa: SLF001 - what it tells of, as lines
    inside = {line for each in reading.cards for line in each.lines}
    errors = {each.place.line - 1 for each in problems if each.severity is Severity.ERROR}
    lines = {each.line - 1 for each in places}
    yield from lines
    for each in (*told, *reading.about, *_blocks_of(page, lines - inside, errors - inside)):
        yield from each
    titles = {"heading_open", "hr"}
    about = [range(each.start, each.stop) for each in page.blocks if each.type in titles]
    for each in (*about, *contents.tables(page)):
        yield from inside.symmetric_difference(each) & set(each)
    # A check is shown as a proof, and nothing is proved here.
    for check in re.finditer(r"\.(?:check|setup)\}\n[^`]*", text):
        first = text.count("\n", 0, check.start())
        yield from range(first, first + check.group().count("\n") + 1)
    for definition in (*page.definitions, *page.ids):
        yield from definition
    if any("this comment holds" in each.message for each in problems):
        for comment in page.comments:
            yield from range(comment.place.line - 1, comment.place.line + comment.text.count("\n"))
    is_refused = bool(errors - inside)  # an error in its set-up takes all cards of a file away
    for raw in reading.cards:
        if raw.question.place not in kept and (is_refused or lines.intersection(raw.lines)):
            yield from raw.lines
    yield from _named(problems)


def _blocks_of(page: Page, lines: set[int], errors: set[int]) -> Iterator[range]:
    """Yield the lines of each code or footnote with a problem, and of each text with an error.

    It is written once more here: a test that asked the accounting itself could not find it lenient.
    """
    for token in page.tokens:
        is_whole = token.type in {"fence", "code_block", "math_block", "footnote_definition"}
        if token.map and (token.type == "inline" or token.nesting == 0):
            block = range(*token.map)
            if not (lines if is_whole else errors).isdisjoint(block):
                yield block


def _named(problems: Sequence[Problem]) -> Iterator[int]:
    """Yield the lines that problems name as those on no card."""
    for problem in problems:
        if problem.code is Code.TEXT_OUTSIDE:
            yield problem.place.line - 1
            named = problem.message.partition(":")[2]
            for first, last in re.findall(r"(\d+)(?: to (\d+))?", named):
                yield from range(int(first) - 1, int(last or first))


@pytest.mark.parametrize("syntax", ["", *OF_CARDS])
@given(text=documents())
def test_no_word_is_left_out_in_silence(syntax: str, text: str) -> None:
    """In any document, and in every form: on a card, or about the file, or told."""
    if syntax:
        text = f"---\nsyntax: {syntax}\n---\n{text}"
    with patch.object(accounting, "_MOST_NAMED", len(text)):
        assert lost(text) == []
