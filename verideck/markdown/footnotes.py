"""Footnotes: `[^1]` in a text, and `[^1]: …` anywhere in its file; or `^[…]`, all in one place.

A card is only a part of its file. So the notes of a file are for all its passages, as the
definitions of links are, and each passage is parsed together with those that it refers to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from markdown_it.helpers import parseLinkLabel
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from verideck.markdown.faults import PASSAGE, report, report_line
from verideck.markdown.positions import CONTENT, State
from verideck.model import Link, Passage
from verideck.problems import Code, Severity

Links = Mapping[str, Link]
_DEFINITION = re.compile(r"\[\^([^\s\[\]^]+)\]:[ \t]*")
_REFERENCE = re.compile(r"\[\^([^\s\[\]^]+)\]")
_WITH_BLANKS = re.compile(r"\[\^([^\s\[\]^]{1,40}(?:[ \t]+[^\s\[\]^]{1,40}){1,9})\]")
"""What is meant as a footnote, whose name can have no blanks."""
_INDENT = 4
_LONGEST_NAME = 100


def _key(name: str) -> str:
    """The key of a note among the definitions of links, whose keys are in upper case."""
    return f"footnote {name.casefold()}"


def note_of(name: str, links: Links) -> Passage | None:
    """Return the text of the note of a name, among a file's definitions."""
    found = links.get(_key(name), {}).get("note")
    return found if isinstance(found, Passage) else None


def notes(links: Links) -> Iterator[tuple[str, Passage]]:
    """Yield the notes among a file's definitions, by their names in lower case."""
    for key, link in links.items():
        note = link.get("note")
        if isinstance(note, Passage):
            yield key.removeprefix("footnote "), note


def definition(state: StateBlock, line: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Match a note: a token `footnote_definition`, and its passage among the definitions of links.

    Lines that are indented belong to it, and those that continue its paragraph.
    """
    begin = state.bMarks[line] + state.tShift[line]
    found = _DEFINITION.match(state.src, begin, state.eMarks[line])
    if not found or len(found[1]) > _LONGEST_NAME:
        meant = _WITH_BLANKS.match(state.src, begin, state.eMarks[line])
        if meant and state.src.startswith(":", meant.end()):
            report_line(state, line, Code.FOOTNOTE_UNMATCHED, *_with_blanks(meant))
        return False
    if silent:
        return True
    stop = _stop(state, line, end)
    token = state.push("footnote_definition", "", 0)
    token.map, token.info = [line, stop], found[1]
    key = _key(found[1])
    note = _passage(state, line, stop, found.end())
    made = {"href": note.text, "title": "", "map": token.map, "note": note}
    shown = state.env["references"].setdefault(key, made)["note"]
    if shown.place != note.place:
        message = f"footnote {found[1]} is written a second time, and only the first is shown"
        hint = "give it another name, or remove it"
        report_line(state, line, Code.FOOTNOTE_UNMATCHED, message, hint)
    state.line = stop
    return True


def _stop(state: StateBlock, line: int, end: int) -> int:
    """Return the line behind a note."""
    ends = state.md.block.ruler.getRules("paragraph")
    stop = line + 1
    for below in range(line + 1, end):
        if state.isEmpty(below):
            continue
        if state.sCount[below] < state.blkIndent:
            break
        is_indented = state.sCount[below] - state.blkIndent >= _INDENT
        continues = below == stop and not any(rule(state, below, end, True) for rule in ends)  # noqa: FBT003 - markdown-it's signature
        if not is_indented and not continues:
            break
        stop = below + 1
    return stop


def _passage(state: StateBlock, line: int, stop: int, begin: int) -> Passage:
    passage: Passage = state.env[PASSAGE]
    first = state.src[begin : state.eMarks[line]]
    column = begin - _line_start(state, line)
    below = state.getLines(line + 1, stop, state.blkIndent + _INDENT, keepLastLF=False).split("\n")
    texts = below if stop > line + 1 else []
    cuts = [_cut(state, line + 1 + number, text) for number, text in enumerate(texts)]
    place = passage.at(line, column)
    return Passage("\n".join([first, *texts]), place, (place.column - 1, *cuts))


def _cut(state: StateBlock, line: int, text: str) -> int:
    """Return how many characters of its file stand before the text of a line."""
    passage: Passage = state.env[PASSAGE]
    kept = text.lstrip()
    start = _line_start(state, line)
    whole = state.src[start : state.eMarks[line]]
    column = len(whole) - len(kept) if whole.endswith(kept) else 0
    return passage.at(line, column).column - 1 - (len(text) - len(kept))


def _line_start(state: StateBlock, line: int) -> int:
    return state.src.rfind("\n", 0, state.bMarks[line] + state.tShift[line]) + 1


def reference(state: State, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Match `[^1]` where such a note is: a token `footnote`, whose `info` is the note's name."""
    found = _REFERENCE.match(state.src, state.pos, state.posMax)
    if not found:
        return _stays_text(state, silent)
    if note_of(found[1], state.env.get("references", {})) is None:
        message, hint = f"there is no footnote {found[1]}", f"write it below: {found.group()}: …"
        report(state, Code.FOOTNOTE_UNMATCHED, message, hint, Severity.WARNING)
        return False
    if not silent:
        state.push("footnote", "sup", 0).info = found[1].casefold()
    state.pos = found.end()
    return True


def _stays_text(state: State, silent: bool) -> bool:  # noqa: FBT001 - as `reference` has it
    """Match what has blanks in its name: text, which is told, and no link to what defines it."""
    meant = _WITH_BLANKS.match(state.src, state.pos, state.posMax)
    if not meant or state.src.startswith(("(", "["), meant.end()):
        return False
    report(state, Code.FOOTNOTE_UNMATCHED, *_with_blanks(meant), Severity.WARNING)
    if not silent:
        state.append_pending(meant.group())
    state.pos = meant.end()
    return True


def _with_blanks(meant: re.Match[str]) -> tuple[str, str]:
    """Return what is told of a name with blanks, and a hint."""
    name = "-".join(meant[1].split())
    hint = f"write [^{name}] in the text, and before its note"
    return f"{meant.group()} is no footnote, for its name has blanks", hint


def inline(state: State, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Match `^[…]`: a token `footnote`, whose `meta` has the note's tokens."""
    if not state.src.startswith("^[", state.pos) or not state.has_label:
        return False
    start = state.pos + len("^[")
    end = parseLinkLabel(state, start - 1)
    if end < 0 or not state.src[start:end].strip():
        return False
    if not silent:
        token = state.push("footnote", "sup", 0)
        token.info = f"at {state.pos}"
        if state.content is not None:
            token.info = f"at {state.content.at(state.pos)}"
        token.meta["note"] = _paragraph(state, start, end)
    state.pos = end + 1
    return True


def _paragraph(state: State, start: int, end: int) -> tuple[Token, ...]:
    outer = state.content
    if outer is not None:
        state.env[CONTENT] = outer._replace(skipped=outer.skipped + start)
    text = Token("inline", "", 0, content=state.src[start:end], level=1, block=True)
    text.children = state.md.inline.parse(text.content, state.md, state.env, [])
    state.env[CONTENT] = outer
    opening = Token("paragraph_open", "p", 1, block=True)
    return opening, text, Token("paragraph_close", "p", -1, block=True)


Notes = Mapping[str, tuple[Token, ...]]


def referred(
    tokens: Iterable[Token], links: Links, parse: Callable[[Passage], tuple[Token, ...]]
) -> dict[str, tuple[Token, ...]]:
    """Return the notes that tokens refer to, and those that these notes do, by their names."""
    found: dict[str, tuple[Token, ...]] = {}
    waiting = list(_references(tokens))
    while waiting:
        token = waiting.pop(0)
        if token.info in found:
            continue
        note = token.meta.get("note")
        if note is None:
            passage = note_of(token.info, links)
            note = parse(replace(passage, links=links)) if passage else ()
        found[token.info] = note
        waiting += _references(note)
    return found


def _references(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type == "footnote":
            yield token
        yield from _references(token.children or ())
