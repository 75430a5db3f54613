"""What a project's style sheet and templates may hold, as a browser and Anki read them.

A template is read strictly, tag by tag: whatever is not on the list of a card's tags is refused,
since what acts could be spelt in more ways than anybody lists. Fields stand between tags, never in
one, so that no field and no section puts a tag, an attribute or a mark of Anki's together.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

from verideck.markdown.html_tags import Tag, tag_at
from verideck.render.addresses import EMBEDDED, OPENED
from verideck.render.anki_text import MARKS


@dataclass(frozen=True, slots=True)
class Objection:
    """What a text may not hold."""

    position: int
    message: str
    hint: str


_LEAVE_OUT = "leave it out"
_WOULD_FETCH = "a card fetches nothing, and this would"
_LIST = "docs/markdown.md lists the tags that a card has, and what may stand in them"

# Style sheets

_LONGEST_SHEET = 1_000_000
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})(?:\r\n|[ \t\n\r\f])?|\n|(.))", re.DOTALL)
"""A character of CSS by its number or behind a backslash; a line that goes on in the next."""
_FETCHES = re.compile(
    r"@import(?![\w-])|(?<![\w])(?:image-set|cross-fade|image|src)\("
    r"|(?<![\w])url\((?![ \t\n\r\f]*+[\"']?(?:data:|#))",
    re.IGNORECASE,
)
"""What takes an address, in all of CSS. (`image-set("…")` takes one without `url`.)"""
_ENDS_STYLE = re.compile(r"</style", re.IGNORECASE)
_LARGEST = 0x10FFFF


def objection_to_sheet(css: str) -> Objection | None:
    """Return the first thing that a style sheet may not hold: what is fetched, or ends it."""
    if len(css) > _LONGEST_SHEET:
        return Objection(0, f"longer than {_LONGEST_SHEET:,} characters", "make it shorter")
    found = [
        Objection(match.start(), _WOULD_FETCH, "write what it names as data:")
        for match in [_FETCHES.search(css)]
        if match
    ]
    read, places = _unescaped(css)
    if "\\" in css and (hidden := _FETCHES.search(read)):
        found.append(Objection(places[hidden.start()], _WOULD_FETCH, _LEAVE_OUT))
    if end := _ENDS_STYLE.search(css):
        found.append(Objection(end.start(), "this would end the style sheet", _LEAVE_OUT))
    return min(found, key=lambda each: each.position, default=None)


def _unescaped(css: str) -> tuple[str, list[int]]:
    """Return a style sheet as a browser reads its names, and where each character comes from."""
    text: list[str] = []
    places: list[int] = []
    position = 0
    for escape in [*_ESCAPE.finditer(css), None]:
        end = escape.start() if escape else len(css)
        text.append(css[position:end])
        places += range(position, end)
        if escape:
            made = _character(escape)
            text.append(made)
            places += [escape.start()] * len(made)
            position = escape.end()
    return "".join(text), places


def _character(escape: re.Match[str]) -> str:
    if escape[1] is None:
        return escape[2] or ""
    code = int(escape[1], 16)
    return chr(code) if 0 < code <= _LARGEST else "\ufffd"


# Templates

_LONGEST, _MOST, _OFTENEST = 10_000, 100, 4
"""Characters of a template, its fields and sections, and how often one field may stand in it: each
card is rendered by it, and is so many times its fields long."""
_FIELD = re.compile(r"\{\{(?![#^/])\{*\s*(?:\w+:)*([^{}]*?)\s*\}\}")
_STOPS = re.compile(r"<|\{\{|[\[\\&]")
_COMMENT = re.compile(r"<!--(?!-?>)(?:[^-{]|-(?!-)|\{(?!\{))*-->")
_ENTITY = re.compile(r"&#?\w*;?")
_FAR = max(map(len, MARKS)) + len("{{")
"""Characters behind a bracket that decide."""


def objection_to_template(text: str) -> Objection | None:
    """Return the first thing that a template may not hold; its fields are the caller's to check."""
    if large := _size(text):
        return large
    found = [each for each in (next(_tags(text), None), _mark(text)) if each]
    return min(found, key=lambda each: each.position, default=None)


def _size(text: str) -> Objection | None:
    """Return what of a template is too much."""
    if len(text) > _LONGEST:
        return Objection(0, f"longer than {_LONGEST:,} characters", "make it shorter")
    if text.count("{{") > _MOST:
        return Objection(0, f"more than {_MOST} fields and sections", "leave some of them out")
    fields = Counter(found[1] for found in _FIELD.finditer(text))
    for name, count in fields.items():
        if count > _OFTENEST:
            message = f"{name} stands here {count} times, and may {_OFTENEST} times"
            return Objection(0, message, _LEAVE_OUT)
    return None


def _tags(text: str) -> Iterator[Objection]:
    """Yield what is wrong outside of fields."""
    position = 0
    while stop := _STOPS.search(text, position):
        start, position = stop.start(), stop.end()
        match stop.group():
            case "<":
                end, wrong = _tag(text, start)
                position = end
            case "{{":
                end = text.find("}}", start)
                wrong = None if end > 0 else ("this is not closed", "write }} behind it")
                position = max(end, position)
            case "\\":
                wrong = _BACKSLASH
            case "&":
                wrong, position = _entity(text, start)
            case _:
                wrong = None  # see `_mark`
        if wrong:
            yield Objection(start, *wrong)


_Wrong = tuple[str, str]
_BACKSLASH = ("a template holds no maths, and no backslash, which begins it", _LEAVE_OUT)


def _tag(text: str, start: int) -> tuple[int, _Wrong | None]:
    """Return where a tag or comment ends, and what is wrong with it."""
    if comment := _COMMENT.match(text, start):
        return comment.end(), None
    if text.startswith("<!--", start):
        return start + 4, ("this comment holds a field, or is not closed", _LEAVE_OUT)
    tag = tag_at(text, start, len(text))
    if tag is None:
        shown = re.match(r"</?[^\s<>{}/]*", text[start : start + 20])
        named = shown.group() if shown else "<"
        return start + 1, (f"a card has no {named}", f"{_LIST}; fields stand between them")
    if "{{" in tag.text:
        return start + 1, ("a field in a tag", "write it between tags")
    return start + len(tag.text), _attributes(tag)


def _attributes(tag: Tag) -> _Wrong | None:
    for name in tag.left_out:
        return f"a card has no {name.rstrip('=')} in <{tag.name}>", _LIST
    values = dict(tag.attributes)
    if "src" in values and not EMBEDDED.fullmatch(values["src"]):
        return _WOULD_FETCH, "write the picture as data:image/png;…"
    href = values.get("href", "#")
    if not (href.startswith("#") or OPENED.match(href)):
        return "no program opens this address", "a link begins with https:// or #"
    return None


def _entity(text: str, start: int) -> tuple[_Wrong | None, int]:
    """Return what is wrong with a `&`, and where it ends: what it stands for must be plain."""
    found = _ENTITY.match(text, start)
    assert found
    if "\\" in unescape(found.group()):
        return _BACKSLASH, found.end()
    if not found.group().endswith(";") and text.startswith("{{", found.end()):
        return ("what follows could make another character of this", "write &amp;"), found.end()
    return None, found.end()


def _mark(text: str) -> Objection | None:
    """Return the first bracket that is a mark of Anki's, or could become one by what follows."""
    for bracket in re.finditer(r"\[", text):
        after = text[bracket.end() : bracket.end() + _FAR].lower()
        begins, field, _ = after.partition("{{")
        if any(each.startswith(begins) if field else begins.startswith(each) for each in MARKS):
            message = "Anki acts on this, or on what a field makes of it"
            return Objection(bracket.start(), message, "write &#91; for the bracket")
    return None
