"""Front matter is YAML 1.2, read as its author wrote it, in bounded time."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verideck.model import Place, Source
from verideck.problems import Code, Problem, Problems
from verideck.source.front_matter import FrontMatter, split


def read(text: str) -> tuple[FrontMatter, list[Problem]]:
    """The front matter of a file, and what is wrong with it."""
    problems = Problems()
    found = split(Source("a.md", f"---\n{text}\n---\n- body"), problems)
    assert found
    assert all(each.code is Code.FRONT_MATTER_INVALID for each in problems)
    return found[0], list(problems)


def refused(text: str) -> tuple[int, int, str]:
    """The line, the column and the message of the one problem with front matter."""
    _, (problem,) = read(text)
    return problem.place.line, problem.place.column, problem.message


@pytest.mark.parametrize("language", ["no", "NO", "on", "y", "zh-CN", "'en'"])
def test_a_language_is_a_text(language: str) -> None:
    """Norwegian is no switch that is off, as it was in YAML 1.1."""
    meta, problems = read(f"lang: {language}")
    assert problems == []
    assert meta.lang == language.strip("'")


WORDS = ["on", "no", "true", "1.0", "2026-01-01", "12:30", "010", "0x1F", "1_000", "1e3", ".inf"]


@pytest.mark.parametrize(
    "text",
    [
        f"tags: [{', '.join(WORDS)}]",
        f"tags: {' '.join(WORDS)}",
        "tags:\n" + "\n".join(f"- {word}" for word in WORDS),
        "tags: [" + ", ".join(f"'{word}'" for word in WORDS) + "]",
    ],
    ids=["list", "line", "lines", "quoted"],
)
def test_tags_are_as_they_are_written(text: str) -> None:
    """A number stays the text that the author wrote, and so does a date."""
    meta, problems = read(text)
    assert problems == []
    assert meta.tags == tuple(WORDS)


@pytest.mark.parametrize("word", ["2017", "1.0", "true", "2026-01-01", "!!str 3"])
def test_a_deck_may_be_named_like_a_number(word: str) -> None:
    """The name is the text."""
    meta, problems = read(f"deck: {word}")
    assert problems == []
    assert meta.deck == word.removeprefix("!!str ")


@pytest.mark.parametrize("word", ["off", "Off", "OFF", "no", "false", "False"])
def test_a_switch_can_be_off(word: str) -> None:
    """In each of the words that people write, though YAML 1.2 knows but one of them."""
    assert not read(f"verify: {word}")[0].verify


@pytest.mark.parametrize("word", ["on", "On", "yes", "true"])
def test_a_switch_can_be_on(word: str) -> None:
    """In each of the words that people write."""
    assert read(f"verify: {word}") == (
        FrontMatter(verify=True, place=Place("a.md"), places={"verify": Place("a.md", 2, 1)}),
        [],
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("deck:", "None"),
        ("deck: ''", "''"),
        ("deck: ~", "None"),
        ("deck: A::::B", "'A::::B'"),
        ("deck: [a, 2, yes, {b: c}]", "['a', 2, True, {'b': 'c'}]"),
        ("deck: !!python/object/apply:os.system ls", "'!!python/object/apply:os.system ls'"),
        ("deck: !!binary aGk=", "'!!binary aGk='"),
        ("deck: !mine x", "'!mine x'"),
        (r'deck: "a\x1fb"', r"'a\x1fb'"),
        (r'source: "\ud800"', r"'\ud800'"),
        ("tags: [a, ~]", "['a', None]"),
        ("tags: [a, [b]]", "['a', ['b']]"),
        ("tags: ''", "''"),
        ("level: '3'", "'3'"),
        ("level: 0", "0"),
        ("level: 3.0", "'3.0'"),
        ("level: true", "True"),
        ("verify: 'off'", "'off'"),
        ("verify: 0", "0"),
        ("verify:", "None"),
        ("level: " + "x" * 5000, "'xxx"),
    ],
)
def test_a_wrong_value_is_told(text: str, shown: str) -> None:
    """At its key, and as the author wrote it; a long one is cut short."""
    _, problems = read(text)
    (problem,) = problems
    assert f", not {shown}" in problem.message
    assert len(problem.message) < 300
    assert problem.place == Place("a.md", 2, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lang: en\n<<: {deck: x}", (3, 1, "there is no key << in front matter")),
        ("lang: en\n  \n3: x", (4, 1, "there is no key 3 in front matter")),
        ("[a]: x", (2, 1, "there is no key ['a'] in front matter")),
        ("? {a: b}\n: x", (2, 3, "there is no key {'a': 'b'} in front matter")),
        ('"a\\nb": x', (2, 1, "there is no key 'a\\nb' in front matter")),
        (": x", (2, 1, "there is no key None in front matter")),
        ("deck: a\n'deck': b", (3, 1, "deck stands here twice")),
        ("&a deck: b\nlang: *b", (3, 7, "this is not YAML: found undefined alias 'b'")),
        ("lang: en\n\tdeck: a", (3, 1, "this is not YAML: found character '\\t' that cannot")),
        ("lang: [en\ndeck: a", (3, 5, "this is not YAML: expected ',' or ']', but got ':'")),
        ("lang: en\n--- a", (3, 1, "this is not YAML: expected a single document")),
        ('deck: "\\U00ffffff"', (2, 1, "this is not YAML: ")),
        ("just text", (2, 1, "front matter is made of lines like deck: name")),
        ("%YAML 1.1", (2, 10, "this is not YAML: expected '<document start>'")),
    ],
)
def test_a_broken_line_is_told_at_its_place(text: str, expected: tuple[int, int, str]) -> None:
    """Also where YAML would allow it, and front matter has no use for it."""
    line, column, message = refused(text)
    assert (line, column) == expected[:2], message
    assert message.startswith(expected[2])


def test_an_anchor_may_be_used_again() -> None:
    """An alias is the value that it names, and a name that is given twice is the later one's."""
    meta, problems = read("deck: &a x\nlang: &a en\nsource: *a\ntags: &t [*a, b]")
    assert problems == []
    assert (meta.source, meta.tags) == ("en", ("en", "b"))


SIZE = 300_000
BOMB = "tags: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(20)
)


HOSTILE = {
    "brackets": "[" * SIZE,
    "tables": "{a: " * 2000,
    "keys": "? " * 4000,
    "lists": "- " * 4000,
    "long list": "tags: [" + "x, " * 3000 + "[]]",
    "deep list": "tags: " + "[" * 19 + "]" * 19,
    "many keys": "x: a\n" * 1900,
    "long line": "deck: " + "x" * SIZE,
    "aliases": BOMB,
    "alias": BOMB.replace("tags:", "first:") + "tags: *u\n",
    "list of itself": "tags: &a [*a, *a]",
    "key of itself": "? &a {*a : *a}\n: x",
    "table of itself": "tags: &a {*a : *a, b: *a}",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_told_at_once(text: str) -> None:
    """However deep or long it is, and whatever it would be with its aliases expanded."""
    started = time.process_time()
    _, problems = read(text)
    assert time.process_time() - started < 5
    assert problems
    assert all(len(each.message) < 300 for each in problems)


WORDS_OF_YAML = [
    "deck", "tags", "verify", "level", "lang", ": ", "- ", "\n", "\n  ", "[", "]", "{", "}", ",",
    "&a ", "*a", "<<", "!!int ", "!", "? ", "|", ">-", "'", '"', "\\x", "\\ud800", "\\U00ffffff",
    " #", "%YAML 1.1", "---", "--- ", "...", "\t", "\r", "\x85", "\u2028", "\x07", "\ufeff", "~",
    "on", "1.0", "0o7", "2026-99-99", "=", "@", "`", "%FF", "!<x>", "\ud800",
]  # fmt: skip
MARKUP = st.lists(st.sampled_from(WORDS_OF_YAML) | st.text(max_size=3), max_size=25).map("".join)


@given(st.text() | MARKUP)
def test_any_text_is_read_without_an_exception(text: str) -> None:
    """What is wrong with it is told in one line, at a line of the front matter."""
    written = f"---\n{text}\n---\nbody"
    problems = Problems()
    found = split(Source("a.md", written), problems)
    assert found or problems
    for problem in problems:
        assert "\n" not in problem.message
        assert 1 <= problem.place.line <= written.count("\n") + 1
    if found:
        meta, body = found
        assert body.count("\n") == written.count("\n")
        for value in (meta.deck, meta.lang, meta.source, meta.syntax, *meta.tags):
            value.encode()


def test_a_file_without_front_matter_needs_no_yaml() -> None:
    """Its parser takes longer to import than most files take to read."""
    code = (
        "import sys\n"
        "from verideck.model import Source\n"
        "from verideck.problems import Problems\n"
        "from verideck.source.front_matter import split\n"
        "split(Source('a.md', '## What?'), Problems())\n"
        "assert 'ruamel.yaml' not in sys.modules\n"
        "split(Source('a.md', '---\\nlang: en\\n---\\n'), Problems())\n"
        "assert 'ruamel.yaml' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
