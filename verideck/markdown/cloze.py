"""Deletions: Anki's `{{c1::text::hint}}`, and the short `==text==`.

In prose both are rules of the dialect; what they hide may hold emphasis, code and maths. In code
and in maths, on a cloze card, only Anki's full form is one (`==` is an operator there), and
`find` takes it apart. A `}}` that belongs to the hidden text never closes the deletion: braces are
counted, and code, maths and inner deletions are passed over whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from verideck.markdown.faults import tell
from verideck.problems import Code

_OPEN = re.compile(r"\{\{c(\d+)::")
_INSIDE_WORD = re.compile(r"[A-Za-z0-9_=)\]]")

HIGHEST = 500
"""Anki makes an empty card of a deletion with a higher number."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """A hidden stretch of a text from which the cloze marks have been taken."""

    start: int
    end: int
    number: int
    hint: str


@dataclass(frozen=True, slots=True)
class Found:
    """A deletion of a passage, and the token that is it or holds it."""

    token: Token
    number: int | None
    """None where the author leaves it to be counted."""
    hides: bool
    """False where nothing stands in it."""


def deletions(tokens: Iterable[Token], *, in_code: bool) -> Iterator[Found]:
    """Every deletion of a passage's tokens (see `markdown.walk`).

    `in_code` tells that the card is a cloze card, where code and `==text==` hold deletions too.
    """
    for token in tokens:
        if token.type == "cloze_open":
            yield Found(token, token.meta["number"], token.meta["hides"])
        elif token.type == "mark_open" and in_code:
            yield Found(token, None, hides=True)
        elif token.type in _MATHS or (token.type in _CODE and in_code):
            for each in find(token.content)[1]:
                yield Found(token, each.number, each.start < each.end)


def hidden(tokens: Iterable[Token], *, in_code: bool) -> list[tuple[int | None, str]]:
    """What each of `deletions` hides, as text, behind its number; in the same order."""
    numbers: list[int | None] = []
    texts: list[list[str]] = []
    inside: list[list[str]] = []
    for token in tokens:
        if token.type in {"cloze_open", "mark_open"}:
            numbers.append(token.meta.get("number"))
            texts.append([])
            inside.append(texts[-1])
        elif token.type in {"cloze_close", "mark_close"}:
            inside.pop()
        elif token.type in _MATHS or (token.type in _CODE and in_code):
            plain, found = find(token.content)
            numbers += [each.number for each in found]
            texts += [[plain[each.start : each.end]] for each in found]
        for text in inside:
            text.append(token.content)
    return [(number, "".join(text)) for number, text in zip(numbers, texts, strict=True)]


def bare(tokens: Iterable[Token]) -> Iterator[tuple[str, str] | None]:
    """What of a cloze card's passage can be read, each piece with its kind; None for a deletion."""
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
        elif token.type in _MATHS | _CODE:
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


def renumber(tokens: Iterable[Token], numbers: Mapping[int, int]) -> None:
    """Give the deletions that have written numbers other ones, in the tokens themselves."""
    for token in tokens:
        if token.type == "cloze_open":
            token.meta["number"] = numbers[token.meta["number"]]
        elif token.type in _MATHS | _CODE:
            token.content = _OPEN.sub(
                lambda found: f"{{{{c{numbers.get(int(found[1]), int(found[1]))}::", token.content
            )


def left_open(token: Token) -> re.Match[str] | None:
    """An opening mark in code or maths that opens no deletion there (see `find`)."""
    within = token.type in _MATHS | _CODE
    return _OPEN.search(find(token.content)[0]) if within else None


_MATHS = {"math_inline", "math_inline_double", "math_block"}
_CODE = {"code_inline", "fence", "code_block"}


def extend(markdown: MarkdownIt) -> None:
    """Add deletions: tokens `cloze_open` (with its number, hint), `mark_open` and their ends."""
    markdown.inline.ruler.before("emphasis", "cloze", _cloze)
    markdown.inline.ruler.before("emphasis", "mark", _mark)


def find(text: str) -> tuple[str, tuple[Deletion, ...]]:
    """Take Anki's cloze marks out of code or maths.

    Returns the text as it reads without them, and the deletions in it. An opening mark that
    nothing closes, or that stands in another deletion, is left in the text.
    """
    plain: list[str] = []
    deletions: list[Deletion] = []
    position = length = 0
    while match := _OPEN.search(text, position):
        end = _balanced_end(text, match.end())
        if end is None:
            break
        plain.append(text[position : match.start()])
        length += match.start() - position
        content, hint = _without_hint(text[match.end() : end])
        deletions.append(Deletion(length, length + len(content), int(match.group(1)), hint))
        plain.append(content)
        length += len(content)
        position = end + 2
    plain.append(text[position:])
    return "".join(plain), tuple(deletions)


def _without_hint(content: str) -> tuple[str, str]:
    """Take the hint off: behind the first `::` that stands in no bracket, unlike `x[::2]`.

    Where nothing stands before it, it is no hint's: `::2` is what is hidden.
    """
    depth = 0
    for position, character in enumerate(content):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0 and position and content.startswith("::", position):
            return content[:position], content[position + 2 :]
    return content, ""


def _balanced_end(text: str, start: int) -> int | None:
    """Where the `}}` stands that closes a deletion in code; where braces do not tell, the first."""
    depth = 0
    for position in range(start, len(text)):
        if depth == 0 and text.startswith("}}", position):
            return position
        depth += (text[position] == "{") - (text[position] == "}")
        if depth < 0:
            break
    first = text.find("}}", start)
    return first if first >= 0 else None


def _cloze(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    opening = _OPEN.match(state.src, state.pos, state.posMax)
    if not opening:
        return False
    found = _inline_end(state, opening.end(), "}}")
    if not found:
        tell(
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
        hides = bool(state.src[opening.end() : stop].strip())
        meta = {
            "offset": state.pos,
            "number": int(opening.group(1)),
            "hint": hint,
            "hides": hides,
        }
        _push(state, "cloze", meta, opening.end(), stop)
    state.pos = end + 2
    return True


def _mark(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    source, position = state.src, state.pos
    follows_word = position > 0 and _INSIDE_WORD.match(source[position - 1])
    opens = source.startswith("==", position) and not follows_word
    if not opens or source[position + 2 : position + 3].strip("= \t\n") == "":
        return False
    found = _inline_end(state, position + 2, "==")
    if not found:
        return False
    if not silent:
        _push(state, "mark", {"offset": position}, position + 2, found[0])
    state.pos = found[0] + 2
    return True


def _push(state: StateInline, kind: str, meta: dict[str, object], start: int, end: int) -> None:
    limit = state.posMax
    state.push(f"{kind}_open", "mark", 1).meta = meta
    state.pos, state.posMax = start, end
    state.md.inline.tokenize(state)
    state.posMax = limit
    state.push(f"{kind}_close", "mark", -1).meta = {**meta, "offset": end}


def _inline_end(state: StateInline, start: int, closer: str) -> tuple[int, int | None] | None:
    """Where the closer stands, and the `::` before a hint; code, maths, links are stepped over."""
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


def _closes(state: StateInline, start: int, closer: str) -> bool:
    """Nothing or white space before `==`, or another `=` behind it, makes it a comparison."""
    if closer != "==":
        return True
    before, behind = state.src[start : state.pos], state.src[state.pos + 2 : state.pos + 3]
    return before.strip() != "" and not before[-1].isspace() and behind != "="
