"""Tokens -> HTML for a field of a card.

The HTML of fences, images and values depends on the card's proofs and media, so `Parts` returns it.
Tokens whose type is not in `_RULES` are rendered by markdown-it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Protocol
from unicodedata import name

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from verideck.markdown import cloze, languages, place
from verideck.markdown.cloze import Numbers
from verideck.markdown.width import is_wide
from verideck.model import ClozeDeletion
from verideck.render import highlight
from verideck.render.anki_text import hidden, hidden_maths, literal
from verideck.render.highlight import Mark

_OPTIONS = MarkdownIt("commonmark", {"html": False, "xhtmlOut": False}).options
_COMMONMARK = RendererHTML()

_CLOSING = "，。、；：！？）》」』】”’,.;:!?)]"
_OPENING = "（《「『【“‘(["
_TIGHT = '<span class="tight">'
"""Begins a span without line breaks, for a formula with the punctuation beside it: a browser may
break lines on both sides of a formula."""
_LIKE_A_DELETION = re.compile(r"\{(?=\{c\d+::)")
_ENDS_A_DELETION = re.compile(r"\}(?=\}|\Z)|:(?=:)")


class Parts(Protocol):
    """The HTML that a card has in place of certain tokens."""

    def fence(self, token: Token, inserted: Sequence[Mark]) -> str:
        """Return code, with the marks inserted, and its output and figures; empty if not shown."""

    def image(self, token: Token) -> str:
        """Return an image or a sound."""

    def value(self, token: Token) -> str:
        """Return the value of an expression, as plain text."""


def html(tokens: Sequence[Token], parts: Parts, numbers: Numbers | None = None) -> str:
    """Return the HTML of a passage's tokens, or of some of its blocks.

    `numbers` has Anki's number of each deletion. It is None for a field without deletions, in which
    `==text==` is a highlight.
    """
    out: list[str] = []
    _Renderer(parts, numbers).write(tokens, out)
    return "".join(out).strip()


class _Renderer:
    """One method for each type of token in `_RULES`."""

    def __init__(self, parts: Parts, numbers: Numbers | None) -> None:
        self._parts = parts
        self._in_cloze = numbers is not None
        self._numbers = numbers or {}
        self._open: list[bool] = []
        """The deletions (True) and highlights (False) that are open around the current token."""

    def write(self, tokens: Sequence[Token], out: list[str]) -> None:
        for idx, token in enumerate(tokens):
            if token.type == "inline":
                self.write(token.children or (), out)
            elif rule := _RULES.get(token.type):
                out.append(rule(self, tokens, idx))
            elif token.block or token.attrs:
                out.append(_COMMONMARK.renderToken(tokens, idx, _OPTIONS, {}))
            else:
                out.append(f"</{token.tag}>" if token.nesting < 0 else f"<{token.tag}>")

    def text(self, tokens: Sequence[Token], idx: int) -> str:
        content = tokens[idx].content
        closing = _closing(content) if _is_maths(tokens, idx - 1) else ""
        opening = _opening(content) if _is_maths(tokens, idx + 1) else ""
        if not closing and not opening:
            return self._guarded(content)
        body = content[len(closing) : len(content) - len(opening)]
        before = f"{self._guarded(closing)}</span>" if closing else ""
        after = f"{_TIGHT}{self._guarded(opening)}" if opening else ""
        return f"{before}{self._guarded(body)}{after}"

    def softbreak(self, tokens: Sequence[Token], idx: int) -> str:
        indices = range(idx - 1, -1, -1), range(idx + 1, len(tokens))
        before, after = (
            next((tokens[n].content for n in each if tokens[n].content), "") for each in indices
        )
        return "" if _is_unspaced(before[-1:]) and _is_unspaced(after[:1]) else "\n"

    def hardbreak(self, tokens: Sequence[Token], idx: int) -> str:
        return "<br>\n"

    def code_inline(self, tokens: Sequence[Token], idx: int) -> str:
        content = cloze.renumbered(tokens[idx].content, self._numbers)
        if self._in_cloze and not any(self._open):
            plain, deletions = cloze.find(content)
            marked = highlight.html(plain, languages.plain(plain), _marks(deletions))
            return f"<code>{literal(marked)}</code>"
        return f"<code>{self._guarded(content)}</code>"

    def fence(self, tokens: Sequence[Token], idx: int) -> str:
        content = cloze.renumbered(tokens[idx].content, self._numbers)
        deletions = cloze.find(content)[1] if self._in_cloze else ()
        return self._parts.fence(tokens[idx], _marks(deletions))

    def code_block(self, tokens: Sequence[Token], idx: int) -> str:
        content = cloze.renumbered(tokens[idx].content, self._numbers)
        return f'<pre class="text">{escape(content.rstrip(), quote=False)}</pre>\n'

    def image(self, tokens: Sequence[Token], idx: int) -> str:
        return self._parts.image(tokens[idx])

    def value(self, tokens: Sequence[Token], idx: int) -> str:
        return self._guarded(self._parts.value(tokens[idx]))

    def math_inline(self, tokens: Sequence[Token], idx: int) -> str:
        opening = idx > 0 and _is_text(tokens[idx - 1]) and _opening(tokens[idx - 1].content)
        behind = tokens[idx + 1] if idx + 1 < len(tokens) else None
        closing = behind and _is_text(behind) and _closing(behind.content)
        before = _TIGHT if closing and not opening else ""
        after = "</span>" if opening and not closing else ""
        return rf"{before}\({self._maths(tokens[idx].content)}\){after}"

    def math_inline_double(self, tokens: Sequence[Token], idx: int) -> str:
        return rf"\[{self._maths(tokens[idx].content)}\]"

    def math_block(self, tokens: Sequence[Token], idx: int) -> str:
        return f"<p>\\[{self._maths(tokens[idx].content)}\\]</p>\n"

    def table_open(self, tokens: Sequence[Token], idx: int) -> str:
        return '<div class="table"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int) -> str:
        return "</table></div>\n"

    def cloze_open(self, tokens: Sequence[Token], idx: int) -> str:
        self._open.append(True)
        number = tokens[idx].meta["number"]
        return f"{{{{c{self._numbers.get(number, number)}::"

    def cloze_close(self, tokens: Sequence[Token], idx: int) -> str:
        self._open.pop()
        return f"{_hint(tokens[idx].meta['hint'])}}}}}"

    def mark_open(self, tokens: Sequence[Token], idx: int) -> str:
        self._open.append(self._in_cloze)
        return f"{{{{c{self._numbers[place(tokens[idx])]}::" if self._in_cloze else "<mark>"

    def mark_close(self, tokens: Sequence[Token], idx: int) -> str:
        return "}}" if self._open.pop() else "</mark>"

    def _guarded(self, text: str) -> str:
        """Return escaped text in which Anki finds no marks, such as escaped or computed braces."""
        text = literal(escape(text, quote=False))
        if self._in_cloze:
            text = _LIKE_A_DELETION.sub("{<!-- -->", text)
        return hidden(text) if any(self._open) else text

    def _maths(self, tex: str) -> str:
        tex = cloze.renumbered(tex, self._numbers)
        if any(self._open):
            tex = hidden_maths(tex)
        elif self._in_cloze:
            plain, deletions = cloze.find(tex)
            for deletion in reversed(deletions):
                hint = f"::{deletion.hint}" if deletion.hint else ""
                whole = f"{{{{c{deletion.number}::{hidden_maths(deletion.text)}{hint}}}}}"
                plain = plain[: deletion.start] + whole + plain[deletion.end :]
            tex = plain
        return escape(tex, quote=False)


_RULES: Mapping[str, Callable[[_Renderer, Sequence[Token], int], str]] = {
    "text": _Renderer.text,
    "softbreak": _Renderer.softbreak,
    "hardbreak": _Renderer.hardbreak,
    "code_inline": _Renderer.code_inline,
    "code_block": _Renderer.code_block,
    "fence": _Renderer.fence,
    "image": _Renderer.image,
    "value": _Renderer.value,
    "math_inline": _Renderer.math_inline,
    "math_inline_double": _Renderer.math_inline_double,
    "math_block": _Renderer.math_block,
    "table_open": _Renderer.table_open,
    "table_close": _Renderer.table_close,
    "cloze_open": _Renderer.cloze_open,
    "cloze_close": _Renderer.cloze_close,
    "mark_open": _Renderer.mark_open,
    "mark_close": _Renderer.mark_close,
}


def _is_unspaced(character: str) -> bool:
    """Return whether a character belongs to a script that is written without spaces.

    A line break between two of them is no space (CSS Text 3, segment break transformation), but
    browsers show one.
    """
    return is_wide(character) and not name(character, "").startswith("HANGUL")


def _is_maths(tokens: Sequence[Token], idx: int) -> bool:
    return 0 <= idx < len(tokens) and tokens[idx].type == "math_inline"


def _is_text(token: Token) -> bool:
    return token.type == "text"


def _closing(text: str) -> str:
    """Return the closing punctuation at the start of a text."""
    return text[: len(text) - len(text.lstrip(_CLOSING))]


def _opening(text: str) -> str:
    """Return the opening punctuation at the end of a text."""
    return text[len(text.rstrip(_OPENING)) :]


def _hint(text: str) -> str:
    return f"::{hidden(escape(text, quote=False))}" if text else ""


def _marks(deletions: Sequence[ClozeDeletion]) -> list[Mark]:
    """Return the marks of the deletions in code, with their positions in the code without marks.

    Comments inside of a deletion keep its text from closing it.
    """
    marks: list[Mark] = []
    for each in deletions:
        marks.append((each.start, f"{{{{c{each.number}::"))
        marks += [
            (each.start + match.end(), "<!-- -->") for match in _ENDS_A_DELETION.finditer(each.text)
        ]
        marks.append((each.end, f"{_hint(each.hint)}}}}}"))
    return marks
