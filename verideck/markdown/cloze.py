"""Deletions: Anki's `{{c1::text::hint}}`, and the short `==text==`.

In prose both are rules of the dialect; what they hide may hold emphasis, code and maths. In code
and in maths, on a cloze card, only Anki's full form is one (`==` is an operator there), and
`find` takes it apart. A `}}` that belongs to the hidden text never closes the deletion: braces are
counted, and code, maths and inner deletions are passed over whole.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from markdown_it.token import Token

from verideck.markdown.faults import report
from verideck.markdown.positions import State, place
from verideck.model import ClozeDeletion, Place
from verideck.problems import Code

_OPEN = re.compile(r"\{\{c(\d+)::")
_ANY_BRACE = re.compile(r"[{}]")
_INSIDE_WORD = re.compile(r"[A-Za-z0-9_=)\]]")
MATHS = {"math_inline", "math_inline_double", "math_block"}
_CODE = {"code_inline", "fence", "code_block"}
_CONCERNED = {"cloze_open", "mark_open", "cloze_close", "mark_close"} | MATHS | _CODE
"""What begins, ends or holds a deletion: most tokens do not."""

Numbers = Mapping[int | Place, int]
"""Anki's numbers of a card's deletions, by the number that is written, or by the place of a mark
without one."""
_MOST_DIGITS = 20
"""How much of a number is read: Python refuses to show one of some thousand digits."""


def deletions(tokens: Iterable[Token], *, in_code: bool) -> list[ClozeDeletion]:
    """Return the deletions in a passage's tokens (see `markdown.walk`), in reading order.

    With `in_code`, as on a cloze card, code and `==text==` hold deletions too.
    """
    found: list[ClozeDeletion] = []
    open_: list[tuple[int, list[str]]] = []
    opens = {"cloze_open", "mark_open"} if in_code else {"cloze_open"}
    closes = {"cloze_close", "mark_close"} if in_code else {"cloze_close"}
    for token in tokens:
        if token.type not in _CONCERNED and not open_:
            continue
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

    def opening(found: re.Match[str]) -> str:
        number = _number(found[1])
        return f"{{{{c{numbers.get(number, number)}::"

    return _OPEN.sub(opening, text)


def _number(digits: str) -> int:
    """Return the number that a mark names; of one that is far too high, the first digits."""
    return int((digits.lstrip("0") or "0")[:_MOST_DIGITS])


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
    braces = _Braces(text)
    while match := _OPEN.search(text, position):
        end = _balanced_end(text, match.end(), braces)
        if end is None:
            break
        plain.append(text[position : match.start()])
        length += match.start() - position
        content, hint = _without_hint(text[match.end() : end])
        number = _number(match.group(1))
        found.append(ClozeDeletion(number, content, hint, start=length, is_empty=not content))
        plain.append(content)
        length += len(content)
        position = end + 2
    plain.append(text[position:])
    return "".join(plain), tuple(found)


def explicit(code: str) -> str:
    """Return code of a language with a `::` of its own, in whose deletions there are no hints."""
    if "{{c" not in code or "::" not in code:
        return code
    parts: list[str] = []
    position = 0
    braces = _Braces(code)
    while match := _OPEN.search(code, position):
        end = _balanced_end(code, match.end(), braces)
        if end is None:
            break
        hides_more = "::" in code[match.end() : end] and not code.endswith("::", match.end(), end)
        parts.append(f"{code[position:end]}{'::' if hides_more else ''}")
        position = end
    return "".join([*parts, code[position:]])


def may_be_code(deletion: ClozeDeletion) -> bool:
    """Return whether the hint of a deletion may rather belong to what is hidden, as in `std::min`.

    Outside of fences nothing says which language code is in.
    """
    text, hint = deletion.text, deletion.hint
    if not hint or text[-1:].isspace() or hint[:1].isspace():
        return False
    is_address = _HEXADECIMAL.fullmatch(text) and _HEXADECIMAL.fullmatch(hint)
    return bool(is_address or text in _NAMESPACES or _LIKE_CODE.match(hint))


_HEXADECIMAL = re.compile(r"[0-9a-fA-F:]*[0-9:][0-9a-fA-F:]*")
_NAMESPACES = frozenset({"std", "crate", "self", "super", "boost", "absl"})
_LIKE_CODE = re.compile(r"[\w.:]*(?:\w[(<\[{]|::|_\w)")


def _without_hint(content: str) -> tuple[str, str]:
    """Split off the hint, behind the first `::` outside of brackets (unlike `x[::2]`).

    A `::` at the very beginning belongs to what is hidden, as in `::2`. One at the very end says
    that all before it does.
    """
    if content.endswith("::") and len(content) > len("::"):
        return content[:-2], ""
    depth = 0
    for position, character in enumerate(content):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0 and position and content.startswith("::", position):
            return content[:position], content[position + 2 :]
    return content, ""


class _Braces:
    """The braces of a text, counted once: a text of many deletions asks for many ends."""

    def __init__(self, text: str) -> None:
        self._positions: list[int] = []
        self._depths: list[int] = []
        """How many braces are open behind each."""
        self._falls: dict[int, list[int]] = defaultdict(list)
        """Where a brace closes, by the number of braces that are open behind it."""
        depth = 0
        for brace in _ANY_BRACE.finditer(text):
            depth += 1 if brace.group() == "{" else -1
            self._positions.append(brace.start())
            self._depths.append(depth)
            if brace.group() == "}":
                self._falls[depth].append(brace.start())

    def end(self, start: int) -> int | None:
        """Return the first brace from `start` on that closes one which was opened before."""
        before = bisect_left(self._positions, start)
        depth = self._depths[before - 1] if before else 0
        falls = self._falls.get(depth - 1, [])
        number = bisect_left(falls, start)
        return falls[number] if number < len(falls) else None


def _balanced_end(text: str, start: int, braces: _Braces) -> int | None:
    """Return where the `}}` stands that closes a deletion in code: the first if braces differ."""
    balanced = braces.end(start)
    if balanced is not None and text.startswith("}}", balanced):
        return balanced
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
    if separator is not None and state.src.endswith("::", separator + 2, end):
        separator = end - 2  # all before it is hidden
    if not silent:
        hint = "" if separator is None else state.src[separator + 2 : end]
        stop = end if separator is None else separator
        empty = not state.src[opening.end() : stop].strip()
        number = _number(opening.group(1))
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
    if state.first(closer, start) < 0:
        return None
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
