"""Bare addresses: `https://example.org`, `www.example.org` and `me@example.org`, as GFM has them.

Chinese and Japanese put no space behind an address, so a character of theirs ends it too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from markdown_it.token import Token

from verideck.markdown.positions import State, part
from verideck.markdown.width import is_wide

_BEGINS = re.compile(r"(?<![A-Za-z0-9])(?:https?://|ftp://|www\.)(?=[^\s<])|@", re.IGNORECASE)
_DOMAIN = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*", re.ASCII)
_SCHEME = re.compile(r"(?:https?://|ftp://)", re.IGNORECASE)
_LOCAL = re.compile(r"[A-Za-z0-9.+_-]*\Z", re.ASCII)
_LONGEST_LOCAL = 64
_TRAILING = "?!.,:;*_~'\""
_CLOSES = {")": "(", "]": "[", "}": "{"}


class _Address(NamedTuple):
    start: int
    end: int
    href: str


def may_begin(text: str) -> bool:
    """Return whether anything in a text looks like the beginning of an address."""
    # Most texts have none of this: looking for four beginnings at each character takes longer.
    needed = "@" in text or "://" in text or "w." in text or "W." in text
    return needed and _BEGINS.search(text) is not None


def link(state: State) -> None:
    """Make links of the bare addresses in the texts of a block, outside of other links."""
    if not may_begin(state.src):
        return
    made: list[Token] = []
    inside = 0
    for token in state.tokens:
        inside += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if token.type == "text" and not inside and may_begin(token.content):
            made += _linked(token)
        else:
            made.append(token)
    state.tokens[:] = made


def _linked(token: Token) -> Iterator[Token]:
    position = 0
    for address in _addresses(token.content):
        if address.start > position:
            yield part(token, position, address.start)
        text = part(token, address.start, address.end)
        yield _bracket(text, 1, address.href)
        text.level += 1
        yield text
        yield _bracket(part(token, address.end, address.end), -1, "")
        position = address.end
    if position < len(token.content):
        yield part(token, position, len(token.content))


def _bracket(like: Token, nesting: int, href: str) -> Token:
    token = Token("link_open" if nesting > 0 else "link_close", "a", 1 if nesting > 0 else -1)
    token.markup, token.info, token.level = "linkify", "auto", like.level
    token.meta = {"offset": like.meta["offset"], "content": like.meta["content"]}
    token.attrs = {"href": href} if href else {}
    return token


def _addresses(text: str) -> Iterator[_Address]:
    behind = 0
    for found in _BEGINS.finditer(text):
        if found.start() < behind:
            continue
        is_mail = found.group() == "@"
        address = (_mail if is_mail else _page)(text, found.start(), behind)
        if address:
            behind = address.end
            yield address


def _mail(text: str, at: int, behind: int) -> _Address | None:
    before = text[max(at - _LONGEST_LOCAL, behind) : at]
    local = _LOCAL.search(before)
    domain = _DOMAIN.match(text, at + 1)
    if not local or not local.group().strip(".") or not domain:
        return None
    name = domain.group().rstrip("-_.")
    if "." not in name or name[-1:].isdigit():
        return None
    start, end = at - len(local.group()), at + 1 + len(name)
    return _Address(start, end, f"mailto:{text[start:end]}")


def _page(text: str, start: int, behind: int) -> _Address | None:  # noqa: ARG001 - as `_mail` has it
    end = _end(text, start)
    scheme = _SCHEME.match(text, start)
    domain = _DOMAIN.match(text, scheme.end() if scheme else start, end)
    if not domain or "." not in domain.group():
        return None
    address = text[start:end]
    return _Address(start, end, address if scheme else f"http://{address}")


def _end(text: str, start: int) -> int:
    """Return where an address ends: punctuation behind it is the sentence's."""
    end = start
    while end < len(text) and not text[end].isspace() and text[end] != "<":
        if text[end] > "\x7f" and is_wide(text[end]):
            break
        end += 1
    address = text[start:end]
    counts = {each: address.count(each) for pair in _CLOSES.items() for each in pair}
    while end > start:
        last = text[end - 1]
        opening = _CLOSES.get(last)
        if last not in _TRAILING and (opening is None or counts[last] <= counts[opening]):
            break
        if opening:
            counts[last] -= 1
        end -= 1
    return end
