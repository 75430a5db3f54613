"""Obsidian's links and embeds: `[[note]]`, `[[note#heading|text]]`, `![[picture.png|300]]`.

No note can be opened from a card, so a link is the text that Obsidian shows for it. A file can: it
is found by its name in the whole project (see `storage.named_files`), and an embedded picture or
sound is one. Of an embedded note a card has the name alone, which is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from markdown_it.common.utils import normalizeReference

from verideck.markdown import sizes
from verideck.markdown.faults import report
from verideck.markdown.kinds import LINKED, PLAYED, SHOWN
from verideck.markdown.positions import State
from verideck.problems import Code, Severity

_LINK = re.compile(
    r"""\[\[(?P<target>[^\[\]|\n]+?)
    (?:\\?\|(?P<text>(?:(?!\[\[|\]\])[^\n])*))?   # in a table the bar has a backslash
    \]\]""",
    re.VERBOSE,
)
_NO_LINK = re.compile(r"[A-Za-z0-9_)\]#]")
"""What stands before `[[` in code that is written as text, `x[[1]]`, and in tags, `#[[a tag]]`."""
_HINT = (
    'write here what the card needs of it; code of a file is shown by ```python {include="file.py"}'
)
_OPENED, _EMBEDDED = PLAYED | LINKED, PLAYED | SHOWN
"""The suffixes of files that a link may lead to, and that an embed shows."""
BY_NAME = "by-name"
"""Key of the `meta` of an image or a link: its file is found by its name, wherever in the project
it is."""


def link(state: State, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Match a link to a note: tokens `note_link_open`, its text and `note_link_close`.

    One to a file is a link like any other.
    """
    found = None if silent else _at(state, state.pos)
    if not found or _NO_LINK.match(state.src[state.pos - 1 : state.pos] if state.pos else ""):
        return False
    if _suffix(found) in _OPENED and not state.linkLevel:
        _push_link(state, found)
        return True
    message = "no card can open this link, so it is text"
    hint = "write [text](https://example.org) if a learner shall open it"
    report(state, Code.NOTE_LINKED, message, hint, Severity.WARNING)
    _push(state, found)
    return True


def embed(state: State, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Match an embed: an `image` if its file is a picture or a sound, else what `link` pushes.

    What is no picture is told.
    """
    found = None if silent else _at(state, state.pos + 1)
    if not found:
        return False
    if _suffix(found) in _EMBEDDED:
        _push_image(state, found)
        return True
    if _suffix(found) in LINKED and not state.linkLevel:
        message = f"{_file(found)} is no picture: the card links to it"
        hint = "write it as a link, without the !"
        report(state, Code.IMAGE_LINKED, message, hint, Severity.WARNING)
        _push_link(state, found)
        return True
    message = f"{_whole(found)} is not on the card, which shows its name alone"
    report(state, Code.NOTE_EMBEDDED, message, _HINT, Severity.WARNING)
    _push(state, found)
    return True


def _at(state: State, start: int) -> re.Match[str] | None:
    """Return the link at a position, unless CommonMark or a footnote has another use for it."""
    if not state.src.startswith("[[", start):
        return None
    found = _LINK.match(state.src, start, state.posMax)
    if not found or not _parts(found):
        return None
    defined = state.env.get("references", {})
    is_ours = found["target"][0] != "^" and normalizeReference(found["target"]) not in defined
    return found if is_ours else None


def _whole(found: re.Match[str]) -> str:
    """What a link leads to, as it is written."""
    return found["target"].strip()


def _file(found: re.Match[str]) -> str:
    """The name of the file or note that a link leads to."""
    return found["target"].partition("#")[0].strip()


def _suffix(found: re.Match[str]) -> str:
    name = _file(found)
    return PurePosixPath(name).suffix.lower() if "." in name else ""  # most name a note


def _parts(found: re.Match[str]) -> list[tuple[int, str]]:
    """Return what Obsidian shows of a link without a text, each part with its offset.

    These are the note and its headings. The name of a block is left out where there is another
    part: Obsidian shows it, but it says nothing to a reader.
    """
    parts: list[tuple[int, str]] = []
    start = found.start("target")
    for piece in found["target"].split("#"):
        if text := piece.strip():
            parts.append((start + piece.index(text), text))
        start += len(piece) + 1
    shown = [each for each in parts if not each[1].startswith("^")]
    return shown or parts


def _push(state: State, found: re.Match[str]) -> None:
    state.push("note_link_open", "span", 1).info = _whole(found)
    _push_shown(state, found, _parts(found))
    state.push("note_link_close", "span", -1)
    state.pos = found.end()


def _push_link(state: State, found: re.Match[str]) -> None:
    token = state.push("link_open", "a", 1)
    token.attrs = {"href": _whole(found)}
    token.meta[BY_NAME] = True
    state.linkLevel += 1
    _push_shown(state, found, _parts(found)[:1])
    state.linkLevel -= 1
    state.push("link_close", "a", -1)
    state.pos = found.end()


def _push_shown(state: State, found: re.Match[str], parts: list[tuple[int, str]]) -> None:
    """Push the text of a link, or else parts of what it leads to; and go on to its end."""
    text = found["text"] or ""
    if state.src[state.begun] == "!":  # an embed may have a size, and a document none
        text = sizes.of_label(f"|{text}")[0][1:]
    if text.strip():
        _push_text(state, found.start("text"), found.start("text") + len(text))
    else:
        _push_parts(state, parts)
    state.pos = found.end() - len("]]")


def _push_text(state: State, start: int, end: int) -> None:
    """Push the text that an author gives a link: Markdown."""
    last, state.posMax = state.posMax, end
    state.pos = start
    state.md.inline.tokenize(state)
    state.posMax = last


def _push_parts(state: State, parts: list[tuple[int, str]]) -> None:
    for (offset, text), between in zip(parts, _between(parts), strict=True):
        token = state.push("text", "", 0)
        token.content, token.meta["offset"] = text, offset
        if between:
            token = state.push("text", "", 0)
            token.content, token.meta["offset"] = between, offset + len(text)


def _between(parts: list[tuple[int, str]]) -> Iterator[str]:
    """Yield what stands behind each part."""
    yield from (" > " for _ in parts[1:])
    yield ""


def _push_image(state: State, found: re.Match[str]) -> None:
    """Push an image. Behind bars stand its text, and last its width, or `width x height`."""
    label, size = sizes.of_label(f"|{found['text'] or ''}")
    token = state.push("image", "img", 0)
    token.attrs = {"src": _file(found), "alt": ""}
    token.content = " ".join(filter(None, (each.strip() for each in label.split("|"))))
    token.children = []
    token.meta[BY_NAME] = True
    token.attrs |= size
    state.pos = found.end()
