"""HTML that verideck did not write: a retired note's, as `cards.lock` or a package remembers it.

What a card shows is rendered from Markdown, and is inert. A retired note has lost its Markdown; its
HTML comes from files that may be a stranger's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape

from verideck.model import Note, Place
from verideck.problems import Code, Problem
from verideck.render.addresses import EMBEDDED, OPENED
from verideck.render.anki_text import inert

_OWN_ATTRIBUTES = frozenset(["class", "open"])
"""Those that templates and the renderer write; an author's HTML may have others."""
_TAG = re.compile(
    r"""<(?:!--\ --|/?(?P<name>[a-z][a-z0-9]*)(?P<attributes>(?:\ [a-z]+="[^"<]*")*)(?:\ ?/)?)>""",
    re.VERBOSE,
)
"""A tag, or the comment by which marks are guarded."""
_ATTRIBUTE = re.compile(r' ([a-z]+)="([^"<]*)"')
_CODE = re.compile(r"<(code|pre)\b[^<]*+(?:</?(?:span|br)\b[^<]*+|<!-- -->[^<]*+)*+</\1>")
"""Code, which MathJax passes over."""
_INDENTED = re.compile(r"--i:[0-9]+")
"""How the highlighter says by how much a wide line of code is indented, on the line's element."""
_COMMENT = "<!-- -->"
_SHOWN = 20
_SOUND = re.compile(r"\[sound:verideck-[0-9a-f]{20}\.[a-z0-9]{2,4}\]")
_MEDIA = re.compile(rf"verideck-[0-9a-f]{{20}}\.[a-z0-9]{{2,5}}|{EMBEDDED.pattern}")
_LINK = re.compile(
    rf"{OPENED.pattern}|_verideck-[0-9a-f]{{20}}\.[a-z0-9]{{2,5}}#|[^:]*\Z", re.IGNORECASE
)


def check_retired(note: Note, path: str) -> Problem | None:
    """Return the problem of a retired note whose fields hold what no rendered card does.

    `path` is that of the lock, by which the note is known.
    """
    for name, text in note.fields.items():
        if what := foreign_to(text):
            message = f"the {name} of the retired note {note.identity.id} holds {what}"
            hint = "verideck wrote no such thing: remove the note's line from the file"
            return Problem(Code.LOCK_INVALID, message, Place(path), hint)
    return None


def foreign_to(html: str) -> str:
    """Return what stands in the HTML of a field that verideck does not write; empty if nothing.

    Read strictly, since browsers mend what is not well-formed: each `<` begins a tag, spelt as the
    renderer spells it.
    """
    if inert(html, _SOUND.findall(html)) != html:
        return "a mark that Anki acts on"
    if command := _acting_maths(html):
        return rf"maths with \{command}"
    from verideck.markdown.html_tags import TAGS  # noqa: PLC0415 - see `_acting_maths`

    position = 0
    while (position := html.find("<", position)) >= 0:
        tag = _TAG.match(html, position)
        if tag is None or (tag["name"] or "p") not in TAGS:
            return html[position : position + _SHOWN]
        for name, value in _ATTRIBUTE.findall(tag["attributes"] or ""):
            if not _is_ours(tag["name"] or "", name, unescape(value)):
                return f"{name}= in <{tag['name']}>"
        position = tag.end()
    return ""


def _acting_maths(html: str) -> str:
    """A command of TeX that acts on more than its formula, where MathJax would find it."""
    if "\\" not in html and "&" not in html:
        return ""
    from verideck.markdown import mathjax  # noqa: PLC0415 - where nothing is rendered, it need not be

    for text in re.split("<[^>]*>", _CODE.sub("<code>", html).replace(_COMMENT, "")):
        if found := mathjax.unsafe(unescape(text)):
            return found[0]
    return ""


def _is_ours(tag: str, name: str, value: str) -> bool:
    from verideck.markdown.html_tags import TAGS, style  # noqa: PLC0415 - see `_acting_maths`

    if name == "style":
        return bool(tag == "span" and _INDENTED.fullmatch(value)) or not style(value)[1]
    fits: Mapping[str, re.Pattern[str]] = {"src": _MEDIA, "href": _LINK}
    pattern = fits.get(name)
    if pattern is None:
        return name in _OWN_ATTRIBUTES or any(name in each for each in TAGS.values())
    return bool(pattern.match(value) if name == "href" else pattern.fullmatch(value))
