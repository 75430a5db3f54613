"""Front matter: YAML that a stranger wrote."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from random import Random

from fuzz.area import Area, Check, check_problems
from fuzz.changes import ODD_NUMBERS, ODD_TEXTS, changed_text
from fuzz.material import spec_texts

from verideck.model import Source
from verideck.problems import Problems
from verideck.source import front_matter
from verideck.source.cards import cards_of
from verideck.source.config import SourceConfig
from verideck.source.front_matter import KEYS
from verideck.source.read import text_of

_PATH = "cards/any.md"
_BODY = "\n## What is it? {#it}\n\nThis.\n"
_TAGS = ("!!str", "!!int", "!!null", "!!binary", "!!set", "!!omap", "!!python/name:os.system", "!x")
_SCALARS = (
    *(
        "",
        "a",
        "a::b",
        "::",
        "a::::b",
        " :: ",
        "on",
        "off",
        "yes",
        "NO",
        "true",
        "~",
        "null",
        ".inf",
    ),
    *(
        "0x" + "f" * 300,
        "0o17",
        "1_000",
        "1e9",
        "2026-11-27",
        "12:30:45",
        "'",
        '"',
        "'a''b'",
        '"\\u0',
    ),
    *(
        '"\\ud800"',
        '"\\x1f"',
        '"\\e[0m"',
        "|",
        "|+9",
        ">-",
        "- a",
        "? a",
        ": a",
        "@a",
        "`a",
        "%TAG",
    ),
    *("*a", "&a b", "<<", "=", "[a, b]", "[", "{a: b}", "{", "[[[[a]]]]", "qa", "list", "heading"),
    *("zh-CN", "en", "2", "7", "https://a.b/c", "a # b", "a: b", "--- a", "...", "\\", "{{c1::a}}"),
)
_PIECES = (
    *KEYS, *_TAGS, *_SCALARS, *ODD_TEXTS, ": ", "- ", "? ", "&a ", "*a", "\n", "\n  ", "---\n",
    "...\n", "# ", "[", "]", "{", "}", ", ", "'", '"', "|\n", ">\n", "!!", "<<: *a\n", "\\",
)  # fmt: skip


def _value(random: Random, depth: int) -> str:
    kind = random.randrange(14)
    if kind == 0 and depth:
        return "[" + ", ".join(_value(random, depth - 1) for _ in range(random.randint(0, 4))) + "]"
    if kind == 1 and depth:
        pairs = (
            f"{_scalar(random)}: {_value(random, depth - 1)}" for _ in range(random.randint(0, 3))
        )
        return "{" + ", ".join(pairs) + "}"
    if kind == 2:
        return f"&{random.choice('abc')} {_value(random, max(depth - 1, 0))}"
    if kind == 3:
        return f"*{random.choice('abc')}"
    if kind == 4:
        return f"{random.choice(_TAGS)} {_value(random, max(depth - 1, 0))}"
    if kind == 5:
        return "".join(f"\n  - {_value(random, 0)}" for _ in range(random.randint(1, 4)))
    if kind == 6:
        return "|\n  " + "\n  ".join(_scalar(random) for _ in range(random.randint(1, 3)))
    if kind == 7:
        return f'"{_scalar(random)}"'
    return _scalar(random)


def _scalar(random: Random) -> str:
    return random.choice((*_SCALARS, random.choice(ODD_TEXTS), str(random.choice(ODD_NUMBERS))))


def _made(random: Random) -> bytes:
    keys = (*KEYS, *KEYS, "? a\n", "<<", "deck ", '"deck"', "Deck", "!!str deck", "[a]", "*a", "")
    lines = [
        f"{random.choice(keys)}:{random.choice((' ', ' ', ' ', '', chr(9)))}{_value(random, 3)}"
        for _ in range(random.randint(0, 6))
    ]
    opening = random.choice(("---", "---", "---", "--- ", "---\t", "\ufeff---"))
    closing = random.choice(("---", "---", "---", "...", ""))
    return _encoded("\n".join([opening, *lines, closing]) + _BODY)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _changed(random: Random, data: bytes) -> bytes:
    text = data.decode("utf-8", "replace")
    head, mark, body = text.partition("\n---\n")
    return _encoded(changed_text(random, head, _PIECES) + mark + body)


def _seeds(_: Path) -> Sequence[bytes]:
    return [text.encode() for text in spec_texts() if text.startswith("---")]


def _check(folder: Path) -> Check:
    config = SourceConfig(folder, "Deck")

    def check(data: bytes) -> None:
        text = text_of(data)
        if text is None:
            return
        source = Source(_PATH, text)
        problems = Problems()
        split = front_matter.split(source, problems)
        check_problems(list(problems), {_PATH: text})
        assert len(problems) <= text.count("\n") * 2 + len(text) // 2 + 1
        if split is None:
            assert problems.has_errors
            return
        meta, body = split
        _check_meta(meta, text)
        lines = text.split("\n")
        # Behind front matter that ends the file there is one more line, without anything in it.
        for line, written in zip(body.split("\n"), [*lines, ""], strict=False):
            assert line in {"", written}, "a line of the body is another"
        again = cards_of(source, config)
        assert again == cards_of(source, config)
        check_problems(again.problems, {_PATH: text})
        for card in again.cards:
            assert card.deck
            assert all(tag and not re.search(r"\s", tag) for tag in card.tags), "no tag of Anki's"
            assert all(part.strip() for part in card.deck.split("::")), "an empty part of a deck"

    return check


def _check_meta(meta: front_matter.FrontMatter, text: str) -> None:
    """Hold what was read to its types, and each key to a place at which it is written."""
    assert set(meta.places) <= {*KEYS, "noteid"}
    assert all(isinstance(each, str) for each in (meta.deck, meta.syntax, meta.lang, meta.source))
    assert isinstance(meta.tags, tuple)
    assert all(isinstance(each, str) for each in meta.tags)
    assert meta.level in range(7), "0 where none is named"
    assert isinstance(meta.verify, bool)
    lines = text.split("\n")
    for place in meta.places.values():
        assert 2 <= place.line <= len(lines)
        assert 1 <= place.column <= len(lines[place.line - 1]) + 1


AREA = Area(".md", _seeds, _made, _changed, _check)
