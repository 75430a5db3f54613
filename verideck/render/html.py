"""Tokens -> HTML for a field of a card.

The HTML of fences and values depends on the card's proofs, so `Parts` returns it.
Each type of token is in `_RULES` or in `_PLAIN`: what has no place in either would be left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from itertools import takewhile
from types import MappingProxyType
from typing import Protocol
from unicodedata import name

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from verideck.markdown import cloze, languages, place
from verideck.markdown.cloze import Numbers
from verideck.markdown.html import FLOW
from verideck.markdown.width import is_wide
from verideck.model import ClozeDeletion
from verideck.render import highlight
from verideck.render.anki_text import (
    attribute,
    hidden,
    hidden_maths,
    hint,
    in_tag,
    literal,
    prose,
    tex,
)
from verideck.render.attached import SOUND
from verideck.render.direction import BLOCKS, block
from verideck.render.highlight import Mark
from verideck.render.sanitized import attributes, opening
from verideck.render.table_fit import DESKTOP, TELEPHONE, crowded, widest_words

_OPTIONS = MarkdownIt("commonmark", {"html": False, "xhtmlOut": False}).options
_COMMONMARK = RendererHTML()

_CLOSING = "，。、；：！？）》」』】”’,.;:!?)]"
_OPENING = "（《「『【“‘(["
_OF_IMAGES = {"src", "alt", "title"}
"""The attributes of an image that Markdown has words for."""
CALLOUTS = MappingProxyType(
    dict.fromkeys(["tip", "hint", "success", "check", "done"], "good")
    | dict.fromkeys(["warning", "attention", "question", "help", "faq"], "doubt")
    | dict.fromkeys(["caution", "danger", "error", "failure", "fail", "missing", "bug"], "bad")
    | dict.fromkeys(["example", "quote", "cite", "abstract", "summary", "tldr"], "quiet")
)
"""How the callouts look that are no plain notes, by the words of GitHub and Obsidian."""
_TIGHT = '<span class="tight">'
"""Begins a span without line breaks, for a formula with the punctuation beside it: a browser may
break lines on both sides of a formula."""
_LIKE_A_DELETION = re.compile(r"\{(?=\{c[\d,]+::)")
_ENDS_A_DELETION = re.compile(r"\}(?=\}|\Z)|:(?=:)")


class Parts(Protocol):
    """The HTML that a card has in place of certain tokens."""

    @property
    def is_directed(self) -> bool:
        """Whether blocks are marked by the direction in which they run."""

    def fence(self, token: Token, inserted: Sequence[Mark]) -> str:
        """Return code, with the marks inserted, and its output and figures; empty if not shown."""

    def value(self, token: Token) -> str:
        """Return the value of an expression, as plain text."""

    def footnote(self, name: str) -> int:
        """Return the number of the note to which the text refers by that name."""

    def callout(self, kind: str) -> str:
        """Return the title of a callout that has none, by its word."""

    def direction(self, tokens: Sequence[Token]) -> str:
        """Return which way a block runs, as an attribute; empty if it is not marked."""


def html(tokens: Sequence[Token], parts: Parts, numbers: Numbers | None = None) -> str:
    """Return the HTML of a passage's tokens, or of some of its blocks.

    `numbers` has Anki's number of each deletion. It is None for a field without deletions, in which
    `==text==` is a highlight.
    """
    out: list[str] = []
    _Renderer(parts, numbers).write(tokens, out)
    return "".join(out).strip()


class _Renderer:
    """One method for each type of token in `_RULES`; markdown-it renders those in `_PLAIN`."""

    def __init__(self, parts: Parts, numbers: Numbers | None) -> None:
        self._parts = parts
        self._in_cloze = numbers is not None
        self._numbers = numbers or {}
        self._open: list[bool] = []
        """The deletions (True) and highlights (False) that are open around the current token."""
        self._folded: list[bool] = []
        """Whether the callouts that are open can be folded."""
        self._long: frozenset[int] = frozenset()
        self._longest: frozenset[int] = frozenset()
        """The columns of the table that is open whose words may break."""
        self._column = 0

    def write(self, tokens: Sequence[Token], out: list[str]) -> None:
        for idx, token in enumerate(tokens):
            if token.type == "inline":
                self.write(token.children or (), out)
                if token.meta.get(FLOW):
                    out.append("\n")
            elif rule := _RULES.get(token.type):
                out.append(rule(self, tokens, idx))
            elif token.type not in _PLAIN:
                message = f"no rule renders a token {token.type}"
                raise NotImplementedError(message)
            elif token.block or token.attrs:
                out.append(self._tag(tokens, idx))
            else:
                out.append(f"</{token.tag}>" if token.nesting < 0 else f"<{token.tag}>")

    def _tag(self, tokens: Sequence[Token], idx: int) -> str:
        """Return the tag of a block, or of any token with attributes, that is nothing more."""
        token = tokens[idx]
        if token.hidden:
            return ""
        if token.nesting < 0 and not token.attrs:
            return f"</{token.tag}>\n"
        tag = _COMMONMARK.renderToken(tokens, idx, _OPTIONS, {})
        tag = in_tag(tag) if token.attrs else tag
        if not self._parts.is_directed:
            return tag
        runs = self._direction(tokens, idx) if tag and token.type in BLOCKS else ""
        return tag.replace(f"<{token.tag}", f"<{token.tag}{runs}", 1) if runs else tag

    def text(self, tokens: Sequence[Token], idx: int) -> str:
        content = tokens[idx].content
        if len(tokens) == 1:
            return self._guarded(content)
        closing = _closing(content) if _is_maths(tokens, idx - 1) else ""
        opening = _opening(content) if _is_maths(tokens, idx + 1) else ""
        if not closing and not opening:
            return self._guarded(content)
        body = content[len(closing) : len(content) - len(opening)]
        before = f"{self._guarded(closing)}</span>" if closing else ""
        after = f"{_TIGHT}{self._guarded(opening)}" if opening else ""
        return f"{before}{self._guarded(body)}{after}"

    def softbreak(self, tokens: Sequence[Token], idx: int) -> str:
        before = _first_written(tokens[n] for n in range(idx - 1, -1, -1))
        after = _first_written(tokens[n] for n in range(idx + 1, len(tokens)))
        return "" if _is_unspaced(before[-1:]) and _is_unspaced(after[:1]) else "\n"

    def hardbreak(self, tokens: Sequence[Token], idx: int) -> str:
        return "<br>\n"

    def code_inline(self, tokens: Sequence[Token], idx: int) -> str:
        content = cloze.renumbered(tokens[idx].content, self._numbers)
        if self._in_cloze and not any(self._open):
            plain, deletions = cloze.find(content)
            marked = highlight.html(plain, languages.plain(plain), _marks(deletions))
            return f"<code>{literal(marked)}</code>"
        return f"<code>{self._guarded(content, literal)}</code>"

    def fence(self, tokens: Sequence[Token], idx: int) -> str:
        content = cloze.renumbered(tokens[idx].content, self._numbers)
        deletions = cloze.find(content)[1] if self._in_cloze else ()
        return self._parts.fence(tokens[idx], _marks(deletions))

    def code_block(self, tokens: Sequence[Token], idx: int) -> str:
        content = cloze.renumbered(tokens[idx].content, self._numbers)
        code = literal(escape(content.rstrip(), quote=False))
        return f'<pre class="text">{code}</pre>\n'

    def html_open(self, tokens: Sequence[Token], idx: int) -> str:
        tag = in_tag(opening(tokens[idx].tag, tokens[idx].attrs))
        box = '<div class="table own">' if tokens[idx].tag == "table" else ""
        return f"{_ends(tokens[idx])}{box}{tag}"

    def html_close(self, tokens: Sequence[Token], idx: int) -> str:
        box = "</div>" if tokens[idx].tag == "table" else ""
        return f"{_ends(tokens[idx])}</{tokens[idx].tag}>{box}"

    def image(self, tokens: Sequence[Token], idx: int) -> str:
        token = tokens[idx]
        title = f' title="{attribute(str(token.attrs["title"]))}"' if "title" in token.attrs else ""
        size = {key: value for key, value in token.attrs.items() if key not in _OF_IMAGES}
        rest = in_tag(attributes("img", size))
        source = attribute(str(token.attrs["src"]))
        image = f'<img src="{source}" alt="{attribute(token.content)}"{title}{rest}>'
        if not _is_captioned(tokens):
            return image
        caption = self._guarded(str(token.attrs["title"]))
        return f"<figure>{image}<figcaption>{caption}</figcaption></figure>\n"

    def sound(self, tokens: Sequence[Token], idx: int) -> str:
        return tokens[idx].content

    def paragraph_open(self, tokens: Sequence[Token], idx: int) -> str:
        return self._paragraph(tokens, idx, tokens[idx + 1])

    def paragraph_close(self, tokens: Sequence[Token], idx: int) -> str:
        return self._paragraph(tokens, idx, tokens[idx - 1])

    def _paragraph(self, tokens: Sequence[Token], idx: int, inline: Token) -> str:
        """Return a tag of a paragraph; nothing where a figure stands in its place."""
        is_figure = _is_captioned(inline.children or ())
        return "" if is_figure else self._tag(tokens, idx)

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
        table = block(tokens, idx)
        widths, level = widest_words(table, self._parts.value), table[0].level
        long, longest = (crowded(widths, level, each) for each in (TELEPHONE, DESKTOP))
        self._long, self._longest = long or frozenset(), longest or frozenset()
        fits = (("crowded", long), ("wide", longest))
        look = " ".join(["table", *(name for name, columns in fits if columns is not None)])
        return f'<div class="{look}"{self._direction(tokens, idx)}><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int) -> str:
        return "</table></div>\n"

    def row_open(self, tokens: Sequence[Token], idx: int) -> str:
        self._column = 0
        return self._tag(tokens, idx)

    def cell_open(self, tokens: Sequence[Token], idx: int) -> str:
        breaks = (("long", self._long), ("longest", self._longest))
        look = " ".join(name for name, columns in breaks if self._column in columns)
        self._column += 1
        tag, name = self._tag(tokens, idx), tokens[idx].tag
        return tag.replace(f"<{name}", f'<{name} class="{look}"', 1) if look else tag

    def task(self, tokens: Sequence[Token], idx: int) -> str:
        return "☑" if tokens[idx].content == "x" else "☐"

    def footnote(self, tokens: Sequence[Token], idx: int) -> str:
        return f"<sup>{self._parts.footnote(tokens[idx].info)}</sup>"

    def note_link_open(self, tokens: Sequence[Token], idx: int) -> str:
        return '<span class="reference">'

    def note_link_close(self, tokens: Sequence[Token], idx: int) -> str:
        return "</span>"

    def nothing(self, tokens: Sequence[Token], idx: int) -> str:
        return ""

    def callout_open(self, tokens: Sequence[Token], idx: int) -> str:
        sign = tokens[idx].markup
        self._folded.append(sign != "")
        tag = "details" if sign else "div"
        look = CALLOUTS.get(tokens[idx].info, "note")
        runs = self._direction(tokens, idx)
        return f'<{tag} class="callout {look}"{" open" if sign == "+" else ""}{runs}>\n'

    def callout_title_open(self, tokens: Sequence[Token], idx: int) -> str:
        title = ""
        if tokens[idx + 1].type == "callout_title_close":
            title = escape(self._parts.callout(tokens[idx - 1].info), quote=False)
        tag = '<summary class="tappable">' if self._folded[-1] else '<p class="title">'
        return f"{tag}{title}"

    def callout_title_close(self, tokens: Sequence[Token], idx: int) -> str:
        return "</summary>\n" if self._folded[-1] else "</p>\n"

    def callout_close(self, tokens: Sequence[Token], idx: int) -> str:
        return "</details>\n" if self._folded.pop() else "</div>\n"

    def cloze_open(self, tokens: Sequence[Token], idx: int) -> str:
        self._open.append(True)
        number = tokens[idx].meta["number"]
        return f"{{{{c{self._numbers.get(number, number)}::"

    def cloze_close(self, tokens: Sequence[Token], idx: int) -> str:
        self._open.pop()
        return f"{hint(tokens[idx].meta['hint'])}}}}}"

    def mark_open(self, tokens: Sequence[Token], idx: int) -> str:
        self._open.append(self._in_cloze)
        return f"{{{{c{self._numbers[place(tokens[idx])]}::" if self._in_cloze else "<mark>"

    def mark_close(self, tokens: Sequence[Token], idx: int) -> str:
        return "}}" if self._open.pop() else "</mark>"

    def _direction(self, tokens: Sequence[Token], idx: int) -> str:
        return self._parts.direction(block(tokens, idx)) if self._parts.is_directed else ""

    def _guarded(self, text: str, guard: Callable[[str], str] = prose) -> str:
        """Return escaped text in which Anki finds no marks, such as escaped or computed braces."""
        text = guard(escape(text, quote=False))
        if self._in_cloze:
            text = _LIKE_A_DELETION.sub("{<!-- -->", text)
        return hidden(text) if any(self._open) else text

    def _maths(self, content: str) -> str:
        content = cloze.renumbered(content, self._numbers)
        if any(self._open):
            content = hidden_maths(content)
        elif self._in_cloze:
            plain, deletions = cloze.find(content)
            parts, position = [], 0
            for deletion in deletions:
                hint = f"::{deletion.hint}" if deletion.hint else ""
                parts.append(plain[position : deletion.start])
                parts.append(f"{{{{c{deletion.number}::{hidden_maths(deletion.text)}{hint}}}}}")
                position = deletion.end
            content = "".join([*parts, plain[position:]])
        return tex(content)


_RULES: Mapping[str, Callable[[_Renderer, Sequence[Token], int], str]] = {
    "text": _Renderer.text,
    "softbreak": _Renderer.softbreak,
    "hardbreak": _Renderer.hardbreak,
    "code_inline": _Renderer.code_inline,
    "code_block": _Renderer.code_block,
    "fence": _Renderer.fence,
    "html_open": _Renderer.html_open,
    "html_close": _Renderer.html_close,
    "html_void": _Renderer.html_open,
    "image": _Renderer.image,
    SOUND: _Renderer.sound,
    "paragraph_open": _Renderer.paragraph_open,
    "paragraph_close": _Renderer.paragraph_close,
    "value": _Renderer.value,
    "math_inline": _Renderer.math_inline,
    "math_inline_double": _Renderer.math_inline_double,
    "math_block": _Renderer.math_block,
    "table_open": _Renderer.table_open,
    "table_close": _Renderer.table_close,
    "tr_open": _Renderer.row_open,
    "th_open": _Renderer.cell_open,
    "td_open": _Renderer.cell_open,
    "task": _Renderer.task,
    "footnote": _Renderer.footnote,
    "note_link_open": _Renderer.note_link_open,
    "note_link_close": _Renderer.note_link_close,
    "footnote_definition": _Renderer.nothing,
    "callout_open": _Renderer.callout_open,
    "callout_title_open": _Renderer.callout_title_open,
    "callout_title_close": _Renderer.callout_title_close,
    "callout_close": _Renderer.callout_close,
    "cloze_open": _Renderer.cloze_open,
    "cloze_close": _Renderer.cloze_close,
    "mark_open": _Renderer.mark_open,
    "mark_close": _Renderer.mark_close,
}

_PAIRED = ("heading", "bullet_list", "ordered_list", "list_item", "blockquote",
           "thead", "tbody", "tr", "th", "td", "em", "strong", "s", "link",
           "dl", "dt", "dd")  # fmt: skip
_PLAIN = {"hr", *(f"{name}_{end}" for name in _PAIRED for end in ("open", "close"))} - {*_RULES}
"""The types of tokens that are a tag and nothing more."""


def _is_captioned(tokens: Sequence[Token]) -> bool:
    """Return whether the tokens of a paragraph are an image alone, with a title: its caption."""
    return len(tokens) == 1 and tokens[0].type == "image" and bool(tokens[0].attrs.get("title"))


def _ends(token: Token) -> str:
    """Return the ends of elements that end where the token's begins or ends."""
    return "".join(f"</{name}>" for name in token.meta.get("ends", ()))


def _is_unspaced(character: str) -> bool:
    """Return whether a character belongs to a script that is written without spaces.

    A line break between two of them is no space (CSS Text 3, segment break transformation), but
    browsers show one.
    """
    return is_wide(character) and not name(character, "").startswith("HANGUL")


def _is_maths(tokens: Sequence[Token], idx: int) -> bool:
    return 0 <= idx < len(tokens) and tokens[idx].type == "math_inline"


def _first_written(tokens: Iterable[Token]) -> str:
    """Return the first text, not empty, of the tokens up to the next break of a line."""
    line = takewhile(lambda token: token.type != "softbreak", tokens)
    return next((token.content for token in line if token.content), "")


def _is_text(token: Token) -> bool:
    return token.type == "text"


def _closing(text: str) -> str:
    """Return the closing punctuation at the start of a text."""
    return text[: len(text) - len(text.lstrip(_CLOSING))]


def _opening(text: str) -> str:
    """Return the opening punctuation at the end of a text."""
    return text[len(text.rstrip(_OPENING)) :]


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
        marks.append((each.end, f"{hint(each.hint)}}}}}"))
    return marks
