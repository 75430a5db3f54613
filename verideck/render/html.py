"""Tokens -> HTML for a card's field.

What only a card knows (its proofs, its media, the numbers of its deletions) it is asked for
through `Parts`. Everything else is markdown-it's renderer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from html import escape
from inspect import getmembers, isfunction
from typing import Protocol
from unicodedata import name

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from verideck.markdown import cloze, languages
from verideck.markdown.width import is_wide
from verideck.render import highlight
from verideck.render.anki_text import hidden, hidden_maths, literal

_OPTIONS = MarkdownIt("commonmark", {"html": False, "xhtmlOut": False}).options


_CLOSING = "，。、；：！？）》」』】”’,.;:!?)]"
_OPENING = "（《「『【“‘(["
_TIGHT = '<span class="tight">'
"""Keeps a formula with the punctuation beside it: a browser breaks lines on its either side."""


class Parts(Protocol):
    """What a card puts in the place of a token."""

    def fence(self, token: Token) -> str:
        """A fence: code, output, figures, or nothing."""

    def image(self, token: Token) -> str:
        """An image or a sound."""

    def value(self, token: Token) -> str:
        """The value of an expression, as plain text."""

    def number(self, token: Token) -> int | None:
        """The number of a deletion; None where the mark is a mere highlight."""

    @property
    def in_cloze(self) -> bool:
        """Whether Anki will look for deletions in the field."""


def html(tokens: Sequence[Token], parts: Parts) -> str:
    """The HTML of a passage's tokens, or of some of its blocks."""
    return _Renderer(parts).render(list(tokens), _OPTIONS, {}).strip()


class _Renderer(RendererHTML):
    """One method for each type of token that is not rendered as CommonMark has it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._deletions: list[bool] = []
        # As markdown-it does, which looks for them anew each time.
        self.rules = {name: getattr(self, name) for name in _rules()}

    def text(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        content = tokens[idx].content
        closing, opening = _closing(tokens, idx - 1), _opening(tokens, idx + 1)
        body = content[len(closing) : len(content) - len(opening)]
        before = f"{self._guarded(closing)}</span>" if closing else ""
        after = f"{_TIGHT}{self._guarded(opening)}" if opening else ""
        return f"{before}{self._guarded(body)}{after}"

    def softbreak(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        before = next((each.content for each in reversed(tokens[:idx]) if each.content), "")
        after = next((each.content for each in tokens[idx:] if each.content), "")
        return "" if _is_unspaced(before[-1:]) and _is_unspaced(after[:1]) else "\n"

    def code_inline(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        content = tokens[idx].content
        if self._parts.in_cloze and not any(self._deletions):
            plain, _ = cloze.find(content)
            marked = highlight.html(plain, languages.plain(plain), marks(content))
            return f"<code>{literal(marked)}</code>"
        return f"<code>{self._guarded(content)}</code>"

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return self._parts.fence(tokens[idx])

    def code_block(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        return f'<pre class="text">{escape(tokens[idx].content.rstrip(), quote=False)}</pre>\n'

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return self._parts.image(tokens[idx])

    def value(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return self._guarded(self._parts.value(tokens[idx]))

    def math_inline(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        opening, closing = _opening(tokens, idx), _closing(tokens, idx)
        before = _TIGHT if closing and not opening else ""
        after = "</span>" if opening and not closing else ""
        return rf"{before}\({self._maths(tokens[idx].content)}\){after}"

    def math_inline_double(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        return rf"\[{self._maths(tokens[idx].content)}\]"

    def math_block(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        return f"<p>\\[{self._maths(tokens[idx].content)}\\]</p>\n"

    def table_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        return '<div class="table"><table>\n'

    def table_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        return "</table></div>\n"

    def cloze_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        self._deletions.append(True)
        return f"{{{{c{self._parts.number(tokens[idx])}::"

    def cloze_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        self._deletions.pop()
        hint = tokens[idx].meta["hint"]
        return f"::{hidden(escape(hint, quote=False))}}}}}" if hint else "}}"

    def mark_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        number = self._parts.number(tokens[idx])
        self._deletions.append(number is not None)
        return "<mark>" if number is None else f"{{{{c{number}::"

    def mark_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        return "}}" if self._deletions.pop() else "</mark>"

    def _guarded(self, text: str) -> str:
        """Text that Anki shows and does not read: an escaped or computed mark is none."""
        text = literal(escape(text, quote=False))
        if self._parts.in_cloze:
            text = re.sub(r"\{(?=\{c\d+::)", "{<!-- -->", text)
        return hidden(text) if any(self._deletions) else text

    def _maths(self, tex: str) -> str:
        if any(self._deletions):
            tex = hidden_maths(tex)
        elif self._parts.in_cloze:
            plain, deletions = cloze.find(tex)
            for deletion in reversed(deletions):
                inside = hidden_maths(plain[deletion.start : deletion.end])
                hint = f"::{deletion.hint}" if deletion.hint else ""
                whole = f"{{{{c{deletion.number}::{inside}{hint}}}}}"
                plain = plain[: deletion.start] + whole + plain[deletion.end :]
            tex = plain
        return escape(tex, quote=False)


@cache
def _rules() -> tuple[str, ...]:
    """The types of tokens for which the renderer has a method."""
    names = (name for name, _ in getmembers(_Renderer, isfunction))
    return tuple(name for name in names if not name.startswith(("render", "_")))


def _is_unspaced(character: str) -> bool:
    """Tell a character of a script without spaces, where the end of a line is none either.

    So CSS has it (Text 3, segment break transformation), but browsers show a space.
    """
    return is_wide(character) and not name(character, "").startswith("HANGUL")


def _closing(tokens: Sequence[Token], maths: int) -> str:
    """The punctuation that directly follows a formula; none where the token is no formula."""
    text = _text_beside(tokens, maths, maths + 1)
    return text[: len(text) - len(text.lstrip(_CLOSING))]


def _opening(tokens: Sequence[Token], maths: int) -> str:
    """The punctuation that opens directly before a formula."""
    text = _text_beside(tokens, maths, maths - 1)
    return text[len(text.rstrip(_OPENING)) :]


def _text_beside(tokens: Sequence[Token], maths: int, beside: int) -> str:
    inside = range(len(tokens))
    if maths not in inside or beside not in inside or tokens[maths].type != "math_inline":
        return ""
    return tokens[beside].content if tokens[beside].type == "text" else ""


def marks(code: str) -> list[tuple[int, str]]:
    """What to insert, and where, into the code without its cloze marks, to make it hide them."""
    plain, deletions = cloze.find(code)
    found: list[tuple[int, str]] = []
    for each in deletions:
        found.append((each.start, f"{{{{c{each.number}::"))
        inside = plain[each.start : each.end]
        found += [
            (each.start + match.end(), "<!-- -->")
            for match in re.finditer(r"\}(?=\}|\Z)|:(?=:)", inside)
        ]
        hint = f"::{hidden(escape(each.hint, quote=False))}" if each.hint else ""
        found.append((each.end, f"{hint}}}}}"))
    return found
