"""What Anki shows of a note: the front and the back of each of its cards, as HTML.

`faces` reads templates and deletions as Anki does, and gives what Anki's own renderer gives for
the same note, byte for byte, without the style sheet. It differs in this:

- A sound stays `[sound:name]`. Anki writes `[anki:play:q:0]`, which counts in a list of its own.
- LaTeX markers and `[anki:tts]` stay as they are. `fields` writes none.
- `{{type:Field}}` is `[[type:Field]]`, as from Anki's renderer; its reviewer makes the input of it.
- A deletion that begins with `image-occlusion:` is text. Anki makes a shape of it.
- Anki's messages are in English, its default.
- Templates have `{{FrontSide}}`, sections and the filters `cloze` and `type`. Other filters, and
  special fields such as `{{Tags}}`, are a TemplateError.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from unicodedata import normalize

from verideck.model import FIELDS, HIGHEST_DELETION, Note, NoteType
from verideck.render.note_types import notetype


class TemplateError(ValueError):
    """A template is not well-formed, or uses what is not known here; the text names it."""

    def __init__(self, message: str, position: int = 0, name: str = "") -> None:
        """Say what is wrong, where in the template it is, and which name is none, if one is."""
        super().__init__(message)
        self.position = position
        self.name = name


@dataclass(frozen=True, slots=True)
class CardFaces:
    """Both sides of a card."""

    number: int
    """Counted from 1: of a cloze note the number of a deletion, of any other that of a template."""
    template: str
    front: str
    back: str


def faces(
    note: Note, note_type: NoteType | None = None, *, repeats_front: bool = True
) -> tuple[CardFaces, ...]:
    """The cards of a note, by their numbers; none for a retired note.

    A note that asks nothing has one card, on which Anki says so. The note type is that of the
    note's kind where none is given. Without `repeats_front`, a back has nothing in the place of
    `{{FrontSide}}`. Raises TemplateError.
    """
    if note.retired:
        return ()
    note_type = note_type or notetype(note.kind)
    templates = _templates(note_type)
    values = {name: normalize("NFC", note.fields[name]) for name in FIELDS}
    if note_type.is_cloze:
        chosen = [(templates[0], *each) for each in _cloze_cards(values)]
    else:
        chosen = [(templates[each[0] - 1], *each) for each in _plain_cards(templates, values)]
    return tuple(_card(*each, values, repeats_front=repeats_front) for each in chosen)


# Which cards there are: the number of each, and Anki's message where it asks nothing


def _plain_cards(
    templates: Sequence[_Template], values: Mapping[str, str]
) -> Sequence[tuple[int, str]]:
    """One for each template whose front asks something."""
    asking = [number for number, each in enumerate(templates, 1) if _asks(each.front, values)]
    return [(number, "") for number in asking] or [(1, _BLANK)]


def _cloze_cards(values: Mapping[str, str]) -> Sequence[tuple[int, str]]:
    """One for each number of a deletion in any field, also in one that no template looks into."""
    found = {number for text in values.values() for number in _numbers(_deletions(text))} - {0}
    cards = sorted({min(number, HIGHEST_DELETION) for number in found}) or [1]
    return [(each, "" if each in found else _NO_CLOZE.format(number=each)) for each in cards]


_MORE = "<br><a href='https://docs.ankiweb.net/templates/errors.html#{page}'>More information</a>"
_BLANK = f"<div>The front of this card is blank.{_MORE.format(page='front-of-card-is-blank')}</div>"
_NO_CLOZE = (
    "<div>No cloze \u2068{number}\u2069 found on card.\n"
    "Please either add a cloze deletion, or use the Empty Cards tool."
    f"{_MORE.format(page='no-cloze-filter-on-cloze-note-type')}</div>"
)


# The sides of a card


@dataclass(frozen=True, slots=True)
class _Side:
    """What a side of a card is rendered from."""

    values: Mapping[str, str]
    """By the name of the field."""
    number: int
    is_question: bool


def _card(
    template: _Template,
    number: int,
    message: str,
    values: Mapping[str, str],
    *,
    repeats_front: bool,
) -> CardFaces:
    question = _Side({**values, "FrontSide": ""}, number, is_question=True)
    front = _rendered(template.front, question) + message
    above = front if repeats_front else ""
    answer = _Side({**values, "FrontSide": above}, number, is_question=False)
    back = message or _rendered(template.back, answer)
    return CardFaces(number, template.name, front, back)


def _rendered(nodes: Iterable[_Node], side: _Side) -> str:
    return "".join(_text(each, side) for each in nodes)


def _text(node: _Node, side: _Side) -> str:
    match node:
        case str():
            return node
        case _Section():
            return _rendered(node.nodes, side) if node.is_shown(side.values) else ""
        case _Replacement(field=name, filter="cloze"):
            return _revealed(side.values[name], side)
        case _Replacement(field=name, filter="type"):
            return f"[[type:{name}]]"
        case _Replacement(field=name):
            return side.values[name]


def _asks(nodes: Iterable[_Node], values: Mapping[str, str]) -> bool:
    """Whether a field with content is shown; the template's own words ask nothing."""
    return any(
        each.is_shown(values) and _asks(each.nodes, values)
        if isinstance(each, _Section)
        else isinstance(each, _Replacement) and not _is_blank(values.get(each.field, ""))
        for each in nodes
    )


_BLANKS = re.compile(r"(?:[ \t\n\v\f\r]|</?(?:br|div) ?/?>)*", re.IGNORECASE | re.ASCII)


def _is_blank(text: str) -> bool:
    return bool(_BLANKS.fullmatch(text))


# Templates

_TAG = re.compile(r"(<!--.*?-->|\{\{.*?\}\})", re.DOTALL)
"""A comment is one, so that braces in it are text."""


@dataclass(frozen=True, slots=True)
class _Replacement:
    """`{{filter:field}}`."""

    field: str
    filter: str


@dataclass(frozen=True, slots=True)
class _Section:
    """`{{#field}}…{{/field}}`, or with `^` where the field must be blank."""

    field: str
    is_negated: bool
    nodes: tuple[_Node, ...]

    def is_shown(self, values: Mapping[str, str]) -> bool:
        return _is_blank(values[self.field]) == self.is_negated


_Node = str | _Replacement | _Section


@dataclass(frozen=True, slots=True)
class _Template:
    """A template, parsed."""

    name: str
    front: tuple[_Node, ...]
    back: tuple[_Node, ...]


@cache
def _templates(note_type: NoteType) -> tuple[_Template, ...]:
    return tuple(
        _Template(
            each.name,
            _parsed(each.front, f"{note_type.name}, {each.name}, front"),
            _parsed(each.back, f"{note_type.name}, {each.name}, back"),
        )
        for each in note_type.templates
    )


def _parsed(text: str, name: str) -> tuple[_Node, ...]:
    try:
        return tuple(_nodes(_tokens(text), within=""))
    except TemplateError as error:
        raise TemplateError(f"{name}: {error}", error.position, error.name) from None


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    """Yield texts and tags in turn, each with its position."""
    position = 0
    for token in _TAG.split(text):
        yield position, token
        position += len(token)


def _nodes(tokens: Iterator[tuple[int, str]], within: str, opened: int = 0) -> Iterator[_Node]:
    """Parse to the end of the section whose field is given, or of the template."""
    for position, token in tokens:
        if not (token.startswith("{{") and token.endswith("}}")):
            yield token
            continue
        content = token[2:-2].lstrip("{").strip()
        sign, name = content[:1], content[1:].strip()
        if sign == "/":
            if not within or name != within:
                message = f"{token} closes a section that is not the open one"
                raise TemplateError(message, position)
            return
        if sign in {"#", "^"}:
            _refuse_unknown(name in FIELDS, token, position, name)
            yield _Section(name, sign == "^", tuple(_nodes(tokens, name, position)))
        else:
            filters, _, name = content.rpartition(":")
            _refuse_unknown(filters in {"", "cloze", "type"}, token, position, "")
            _refuse_unknown(name in {*FIELDS, "FrontSide"}, token, position, name)
            yield _Replacement(name, filters)
    if within:
        raise TemplateError(f"{{{{#{within}}}}} is not closed", opened)


def _refuse_unknown(is_known: bool, token: str, position: int, name: str) -> None:  # noqa: FBT001 - one thing to ask
    if not is_known:
        raise TemplateError(f"{token} is not known", position, name)


# Deletions

_MARK = re.compile(r"\{\{c([0-9,]+)::|\}\}")
_LARGEST = 65_535
"""A number above is none, and an opening mark without any number is text."""
_DEEPEST = 10
"""A deletion that is nested deeper loses its opening mark."""


@dataclass(slots=True)
class _Deletion:
    """What stands between an opening mark and its closing one."""

    numbers: tuple[int, ...]
    """In order; there may be several, separated by commas."""
    hint: str = "..."
    parts: list[str | _Deletion] = field(default_factory=list)


def revealed(text: str) -> str:
    """Return the HTML of a field with its deletions shown, without their numbers and hints."""
    return "".join(map(_content, _deletions(text)))


def _content(part: str | _Deletion) -> str:
    return part if isinstance(part, str) else "".join(map(_content, part.parts))


def _deletions(text: str) -> list[str | _Deletion]:
    """Parse a field. What follows a mark that is never closed is lost, as in Anki."""
    outermost = _Deletion(())
    opened = [outermost]
    begin = 0
    for mark in _MARK.finditer(text):
        numbers = _opening(mark)
        if not numbers and (mark[1] or len(opened) == 1):
            continue
        _add(text[begin : mark.start()], opened[-1])
        begin = mark.end()
        if not numbers:
            closed = opened.pop()
            opened[-1].parts.append(closed)
        elif len(opened) <= _DEEPEST:
            opened.append(_Deletion(numbers))
    _add(text[begin:], opened[-1])
    return outermost.parts


def _opening(mark: re.Match[str]) -> tuple[int, ...]:
    """The numbers of an opening mark, in order."""
    written = {each.lstrip("0") or "0" for each in (mark[1] or "").split(",") if each}
    numbers = {int(each) for each in written if len(each) <= len(str(_LARGEST))}
    return tuple(sorted(number for number in numbers if number <= _LARGEST))


def _add(text: str, deletion: _Deletion) -> None:
    """Add text up to where a hint begins in it; outside of every deletion none does."""
    if deletion.numbers and "::" in text:
        text, _, deletion.hint = text.partition("::")
    deletion.parts.append(text)


def _numbers(parts: Iterable[str | _Deletion]) -> Iterator[int]:
    for each in parts:
        if isinstance(each, _Deletion):
            yield from each.numbers
            yield from _numbers(each.parts)


def _revealed(text: str, side: _Side) -> str:
    """A field through the filter `cloze`: empty if it has no deletion of this card."""
    parts = _deletions(text)
    if side.number not in _numbers(parts):
        return ""
    shown = "".join(_shown(each, side) for each in parts)
    return _MATHS.sub(lambda maths: _MARKUP.sub("", maths[0]), shown)


def _shown(part: str | _Deletion, side: _Side) -> str:
    if isinstance(part, str):
        return part
    content = "".join(_shown(each, side) for each in part.parts)
    ordinal = f'data-ordinal="{",".join(map(str, part.numbers))}"'
    if side.number not in part.numbers:
        return f'<span class="cloze-inactive" {ordinal}>{content}</span>'
    if side.is_question:
        secret = _REFERRED.sub(_reference, content)
        return f'<span class="cloze" data-cloze="{secret}" {ordinal}>[{part.hint}]</span>'
    return f'<span class="cloze" {ordinal}>{content}</span>'


_MATHS = re.compile(r"\\[(\[].*?\\[)\]]", re.DOTALL)
"""MathJax would show markup, so Anki takes it out."""
_MARKUP = re.compile(
    r"<!--.*?-->|<style.*?>.*?</style>|<script.*?>.*?</script>|<.*?>", re.DOTALL | re.IGNORECASE
)
_REFERRED = re.compile(r"[^0-9A-Za-z\u0100-\U0010ffff]")
"""What an attribute holds as a character reference."""
_NAMED = {'"': "&quot;", "&": "&amp;", "<": "&lt;", ">": "&gt;"}


def _reference(character: re.Match[str]) -> str:
    return _NAMED.get(character[0], f"&#x{ord(character[0]):02X};")
