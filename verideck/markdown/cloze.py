"""Deletions: Anki's `{{c1::text::hint}}`, and the short `==text==`.

In prose both are rules of the dialect; what they hide may hold emphasis, code and maths. In code
and in maths, on a cloze card, only Anki's full form is one (`==` is an operator there), and
`find` takes it apart. A `}}` that belongs to the hidden text never closes the deletion: braces are
counted, and code, maths and inner deletions are passed over whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from markdown_it.token import Token

from verideck.markdown.faults import report
from verideck.markdown.positions import State, place
from verideck.model import ClozeDeletion, Place
from verideck.problems import Code

_OPEN = re.compile(r"\{\{c(\d+)::")
_INSIDE_WORD = re.compile(r"[A-Za-z0-9_=)\]]")
MATHS = {"math_inline", "math_inline_double", "math_block"}
_CODE = {"code_inline", "fence", "code_block"}

Numbers = Mapping[int | Place, int]
"""Anki's numbers of a card's deletions, by the number that is written, or by the place of a mark
without one."""
HIGHEST = 500
"""Anki makes an empty card of a deletion with a higher number."""


def deletions(tokens: Iterable[Token], *, in_code: bool) -> list[ClozeDeletion]:
    """Return the deletions in a passage's tokens (see `markdown.walk`), in reading order.

    With `in_code`, as on a cloze card, code and `==text==` hold deletions too.
    """
    found: list[ClozeDeletion] = []
    open_: list[tuple[int, list[str]]] = []
    opens = {"cloze_open", "mark_open"} if in_code else {"cloze_open"}
    closes = {"cloze_close", "mark_close"} if in_code else {"cloze_close"}
    for token in tokens:
        if token.type in opens:
            open_.append((len(found), []))
            meta = token.meta
            empty = meta.get("empty", False)
            found.append(
                ClozeDeletion(
                    meta.get("number"), "", meta.get("hint", ""), place(token), is_empty=empty
                )
            )
        elif token.type in closes:
            index, parts = open_.pop()
            found[index] = replace(found[index], text="".join(parts))
        elif token.type in MATHS or (token.type in _CODE and in_code):
            inside = find(token.content)[1]
            found += [replace(each, place=place(token)) for each in inside]
        for _, parts in open_:
            parts.append(token.content)
    return found


def bare(tokens: Iterable[Token]) -> Iterator[tuple[str, str] | None]:
    """Yield what can be read of a cloze card's passage: its pieces, each behind its token's type.

    None stands for a deletion.
    """
    depth = 0
    for token in tokens:
        if token.type in {"cloze_open", "mark_open"}:
            depth += 1
            if depth == 1:
                yield None
        elif token.type in {"cloze_close", "mark_close"}:
            depth -= 1
        elif depth or token.type == "inline":  # its parts follow
            continue
        elif token.type in MATHS | _CODE:
            plain, found = find(token.content)
            starts = [0, *(each.end for each in found)]
            ends = [*(each.start for each in found), len(plain)]
            for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
                if number:
                    yield None
                yield token.type, plain[start:end]
        else:
            shown = token.attrs.get("href", token.attrs.get("src", ""))
            yield token.type, f"{token.content}{shown}"


def renumbered(text: str, numbers: Numbers) -> str:
    """Return code or maths with Anki's numbers in its cloze marks, where there are any."""
    if not numbers or "{{c" not in text:
        return text
    return _OPEN.sub(lambda found: f"{{{{c{numbers.get(int(found[1]), int(found[1]))}::", text)


def left_open(token: Token) -> re.Match[str] | None:
    """Return an opening mark in code or maths that opens no deletion there (see `find`)."""
    within = token.type in MATHS | _CODE
    return _OPEN.search(find(token.content)[0]) if within else None


def find(text: str) -> tuple[str, tuple[ClozeDeletion, ...]]:
    """Take Anki's cloze marks out of code or maths.

    Returns the text as it reads without them, and the deletions in it. An opening mark that
    nothing closes, or that stands in another deletion, is left in the text.
    """
    if "{{c" not in text:
        return text, ()
    plain: list[str] = []
    found: list[ClozeDeletion] = []
    position = length = 0
    while match := _OPEN.search(text, position):
        end = _balanced_end(text, match.end())
        if end is None:
            break
        plain.append(text[position : match.start()])
        length += match.start() - position
        content, hint = _without_hint(text[match.end() : end])
        number = int(match.group(1))
        found.append(ClozeDeletion(number, content, hint, start=length, is_empty=not content))
        plain.append(content)
        length += len(content)
        position = end + 2
    plain.append(text[position:])
    return "".join(plain), tuple(found)


def _without_hint(content: str) -> tuple[str, str]:
    """Split off the hint, behind the first `::` outside of brackets (unlike `x[::2]`).

    A `::` at the very beginning belongs to what is hidden, as in `::2`.
    """
    depth = 0
    for position, character in enumerate(content):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0 and position and content.startswith("::", position):
            return content[:position], content[position + 2 :]
    return content, ""


def _balanced_end(text: str, start: int) -> int | None:
    """Return where the `}}` stands that closes a deletion in code: the first if braces differ."""
    depth = 0
    for position in range(start, len(text)):
        if depth == 0 and text.startswith("}}", position):
            return position
        depth += (text[position] == "{") - (text[position] == "}")
        if depth < 0:
            break
    first = text.find("}}", start)
    return first if first >= 0 else None


def rule(state: State, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Match `{{c1::text::hint}}`: a token `cloze_open`, what is hidden, and `cloze_close`."""
    opening = _OPEN.match(state.src, state.pos, state.posMax)
    if not opening:
        return False
    found = _inline_end(state, opening.end(), "}}")
    if not found:
        report(
            state,
            Code.CLOZE_UNCLOSED,
            f"{opening.group()} opens a deletion and is never closed",
            "close it with }} in the same paragraph",
        )
        return False
    end, separator = found
    if not silent:
        hint = "" if separator is None else state.src[separator + 2 : end]
        stop = end if separator is None else separator
        empty = not state.src[opening.end() : stop].strip()
        number = int(opening.group(1))
        meta = {"number": number, "hint": hint, "empty": empty}
        _push(state, "cloze", meta, opening.end(), stop)
    state.pos = end + 2
    return True


def mark(state: State, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Match `==text==`: a token `mark_open`, what is marked, and `mark_close`."""
    source, position = state.src, state.pos
    follows_word = position > 0 and _INSIDE_WORD.match(source[position - 1])
    opens = source.startswith("==", position) and not follows_word
    if not opens or source[position + 2 : position + 3].strip("= \t\n") == "":
        return False
    found = _inline_end(state, position + 2, "==")
    if not found:
        return False
    if not silent:
        _push(state, "mark", {}, position + 2, found[0])
    state.pos = found[0] + 2
    return True


def _push(state: State, kind: str, meta: dict[str, object], start: int, end: int) -> None:
    limit = state.posMax
    state.push(f"{kind}_open", "mark", 1).meta.update(meta)
    state.pos, state.posMax = start, end
    state.md.inline.tokenize(state)
    state.pos, state.posMax = end, limit
    state.push(f"{kind}_close", "mark", -1).meta.update(meta)


def _inline_end(state: State, start: int, closer: str) -> tuple[int, int | None] | None:
    """Return where the closer stands, and the `::` before a hint: not in code, maths or links."""
    before = state.pos
    state.pos = start
    depth = 0
    separator = None
    found = None
    while state.pos < state.posMax:
        rest = state.src[state.pos : state.pos + 2]
        if depth == 0 and rest == closer and _closes(state, start, closer):
            found = state.pos
            break
        if depth == 0 and rest == "::" and separator is None and state.pos > start:
            separator = state.pos
            state.pos += 2
            continue
        stepped_from = state.pos
        state.md.inline.skipToken(state)
        if state.pos == stepped_from + 1:
            depth = max(depth + (rest[0] == "{") - (rest[0] == "}"), 0)
    state.pos = before
    return None if found is None else (found, separator)


def _closes(state: State, start: int, closer: str) -> bool:
    """Tell a closer from a comparison: `==` behind white space or nothing, or before a `=`."""
    if closer != "==":
        return True
    before, behind = state.src[start : state.pos], state.src[state.pos + 2 : state.pos + 3]
    return before.strip() != "" and not before[-1].isspace() and behind != "="
