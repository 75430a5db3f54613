"""A document -> what is executed of it: a sequence of things to prove, of which none is a note.

Other tools read a document: what they make of its marks, its front matter and the words behind
its fences' languages is theirs, and nothing is told of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from verideck import markdown
from verideck.markdown import Token
from verideck.model import Card, Kind, Role, Snippet
from verideck.problems import Code, Problem, Problems, Severity, told_in_file
from verideck.source import dialects, size
from verideck.source.config import DOCUMENT, SourceConfig
from verideck.source.fences import FenceReader
from verideck.source.found import CardsOfFile
from verideck.source.includes import IncludedFiles
from verideck.source.snippets import snippets_of
from verideck.source.syntaxes import Page, document, why
from verideck.source.syntaxes.raw_card import RawCard

_ITS_OWN = {Code.FENCE_UNCLOSED, Code.COMMENT_UNCLOSED}
"""What is told of the page: fences are executed, or not, by it."""
_OF_OTHERS = {Code.OPTION_INVALID, Code.LANGUAGE_UNKNOWN, Code.KEY_FOREIGN}
"""What is no slip in a document, where it is a warning."""
_DIRECTIVE = re.compile(r"\s*\{[\w:+-]+\}\s*(?P<argument>\S*)")
"""A directive of MyST in place of a language: `{note}`, `{code-block} python`."""


def document_of(page: Page, config: SourceConfig, told: Problems) -> CardsOfFile:
    """Find what is executed of a document. `told` is what is known of its front matter.

    A fence that cannot be read is an error, and its part is left out.
    """
    included = IncludedFiles(config.root)
    problems = Problems([*told, *(each for each in page.problems if each.code in _ITS_OWN)])
    problems.extend(size.too_long_blocks(page))
    tokens = list(_tokens(page))
    setup: list[Snippet] = []
    found: list[tuple[RawCard, list[Snippet]]] = []
    for part in document.read(page, problems).cards:
        reader = FenceReader(config, included, Problems())
        executes = page.meta.verify and config.verify
        inside = [token for line, token in tokens if line in part.lines]
        readable = [each for each in inside if not _is_directive(each)]
        of_part = list(snippets_of(readable, reader, setup, executes=executes))
        problems.extend(reader.problems)
        problems.extend(_unexecuted(each) for each in inside if _names_python(each) and executes)
        if of_part and not reader.problems.has_errors:
            found.append((part, of_part))
    own = [each for each in problems if not _is_of_others(each)]
    return CardsOfFile(
        documents=tuple(
            _as_card(part, [*setup, *snippets], page, config) for part, snippets in found
        ),
        problems=tuple(told_in_file(own)),
        included=tuple(included.hashes.items()),
        syntax=DOCUMENT,
        reason=why(page, DOCUMENT),
    )


def _tokens(page: Page) -> Iterator[tuple[int, Token]]:
    """Yield the tokens of a page, each with the first line of its block, counted from 0.

    What is inline is among them where code or a value may stand in it.
    """
    text = page.whole.text.lower()
    is_inline = "<pre" in text or "{eval}" in text
    for token in markdown.parse(page.whole).tokens if is_inline else page.tokens:
        for each in markdown.walk([token]):
            yield (token.map[0] if token.map else -1), each


def _as_card(part: RawCard, snippets: Sequence[Snippet], page: Page, config: SourceConfig) -> Card:
    """A part of a document, as it is proved: as a card with the same snippets is."""
    must_assert = config.require_assertions
    executed = (
        replace(
            each,
            must_assert=must_assert,
            in_document=each.options.role is not Role.SETUP,  # all fences need what it makes
        )
        for each in snippets
    )
    return Card(
        id=part.id.text if part.id else "",
        kind=Kind.BASIC,
        deck="",
        question=part.question,
        answer=None,
        snippets=tuple(executed),
        tags=(),
        place=part.question.place,
        language=page.meta.lang,
        verified=page.meta.verify and config.verify,
    )


def _is_directive(token: Token) -> bool:
    return token.type == "fence" and _named(token) is not None


def _names_python(token: Token) -> bool:
    """Whether a fence is a directive of other tools that holds Python."""
    return token.type == "fence" and dialects.dialect(_named(token) or "") is not None


def _named(token: Token) -> str | None:
    """The argument of a fence that is a directive; None for other fences."""
    found = _DIRECTIVE.match(token.info)
    if not found or dialects.dialect(token.info.strip(" {}")):  # `{python}` is a language
        return None
    return found["argument"]


def _unexecuted(token: Token) -> Problem:
    message = "this code is not executed: it stands in a directive"
    hint = "write it in a ```python, which other tools show, too"
    place, severity = markdown.place(token), Severity.WARNING
    return Problem(Code.CODE_NOT_RUN, message, place, hint, severity)


def _is_of_others(problem: Problem) -> bool:
    return problem.severity is Severity.WARNING and problem.code in _OF_OTHERS
