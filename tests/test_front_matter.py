"""Front matter is YAML 1.2 or TOML, read as its author wrote it, in bounded time."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verideck.model import Place, Source
from verideck.problems import Code, Problem, Problems, Severity, has_errors
from verideck.source.front_matter import FrontMatter, of_yaml, plain, split
from verideck.source.front_matter.values import Node


def read(text: str) -> tuple[FrontMatter, list[Problem]]:
    """The front matter of a file, and what is wrong with it."""
    problems = Problems()
    found = split(Source("a.md", f"---\n{text}\n---\n- body"), problems)
    assert found
    codes = {Code.FRONT_MATTER_INVALID, Code.KEY_FOREIGN}
    assert all(each.code in codes for each in problems)
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
        f"tags: {','.join(WORDS)}",
        f"tags: {', '.join(WORDS)}",
        "tags:\n" + "\n".join(f"- {word}" for word in WORDS),
        "tags: [" + ", ".join(f"'{word}'" for word in WORDS) + "]",
    ],
    ids=["list", "line", "commas", "commas and blanks", "lines", "quoted"],
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
        ("deck: ''", "''"),
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
        ("lang: en\n<<: {deck: x}", (3, 1, "nothing is made of << in this front matter")),
        ("lang: en\n  \n3: x", (4, 1, "nothing is made of 3 in this front matter")),
        ("[a]: x", (2, 1, "nothing is made of ['a'] in this front matter")),
        ("? {a: b}\n: x", (2, 3, "nothing is made of {'a': 'b'} in this front matter")),
        ('"a\\nb": x', (2, 1, "nothing is made of 'a\\nb' in this front matter")),
        (": x", (2, 1, "nothing is made of None in this front matter")),
        ("Dekc: x", (2, 1, "there is no key Dekc in front matter")),
        ("deck: a\n'deck': b", (3, 1, "deck stands here twice")),
        ("&a deck: b\nlang: *b", (3, 7, "this is not YAML: found undefined alias 'b'")),
        ("lang: en\n\tdeck: a", (3, 1, "this is not YAML: found character '\\t' that cannot")),
        ("lang: [en\ndeck: a", (3, 5, "this is not YAML: expected ',' or ']', but got ':'")),
        ("lang: en\n--- a", (3, 1, "this is not YAML: expected a single document")),
        ('deck: "\\U00ffffff"', (2, 1, "this is not YAML: ")),
        ("deck Numbers", (2, 1, "front matter is made of lines like deck: name")),
        ("%YAML 1.1", (2, 10, "this is not YAML: expected '<document start>'")),
    ],
)
def test_a_broken_line_is_told_at_its_place(text: str, expected: tuple[int, int, str]) -> None:
    """Also where YAML would allow it, and front matter has no use for it."""
    line, column, message = refused(text)
    assert (line, column) == expected[:2], message
    assert message.startswith(expected[2])


@pytest.mark.parametrize(
    ("key", "ours"),
    [("sytnax", "syntax"), ("Levle", "level"), ("tgas", "tags"), ("verif", "verify"),
     ("sourse", "source"), ("langs", "lang"), ("titel", "title")],
)  # fmt: skip
def test_a_slip_is_an_error(key: str, ours: str) -> None:
    """A letter too many, too few, another one, or two that changed places."""
    _, (problem,) = read(f"{key}: x")
    assert (problem.severity, problem.hint) == (Severity.ERROR, f"did you mean {ours}?")


FOREIGN = ["created", "desc", "date", "author", "sr-due", "sr-ease", "weight", "draft", "slug",
           "categories", "publish", "type", "status", "up", "css", "course", "layout", "id",
           "permalink", "description", "updated", "modified", "image", "toc", "math"]  # fmt: skip


@pytest.mark.parametrize("key", FOREIGN)
def test_a_key_of_another_tool_is_a_warning(key: str) -> None:
    """None of those that people write is taken for a slip."""
    _, (problem,) = read(f"{key}: x")
    assert problem.severity is Severity.WARNING


@given(st.lists(st.sampled_from(FOREIGN), min_size=1, max_size=30))
def test_keys_of_other_tools_are_told_once(keys: list[str]) -> None:
    """However many there are, in a line that one can read, and our own key holds beside them."""
    meta, (problem,) = read("\n".join(["deck: x", *(f"{key}: x" for key in keys)]))
    assert problem.code is Code.KEY_FOREIGN
    assert len(problem.message) < 300
    assert meta.deck == "x"


@pytest.mark.parametrize(
    "text",
    [
        "title: a: b",
        "title: {{date}} x",
        "tp: <% tp.file %>: x",
        "description: @x",
        "t: " + "x" * 11_000,
    ],
)
def test_what_is_not_for_us_need_not_be_yaml(text: str) -> None:
    """A template's marks spoil no file, where no line begins with a key of ours."""
    _, (problem,) = read(text.replace("title", "subtitle"))
    assert problem.severity is Severity.WARNING
    _, problems = read(f"{text}\ntags: [a]".replace("title", "subtitle"))
    assert has_errors(problems)


@pytest.mark.parametrize(
    "text",
    ["just text", "- numbers", "# What is two?", "Q: What is two?\nA: A number", "1. one",
     "What is the last word of this long question: two?", "| a | b |", "![a](b.png)", "C: a [b]",
     "> a: b", "\nQ: What is two?", "问：二？", "This is a line. And: another"],
)  # fmt: skip
def test_text_between_two_rules_is_no_front_matter(text: str) -> None:
    """Many tools divide notes by rules, and a file may begin with one."""
    written = f"---\n{text}\n---\n- body"
    problems = Problems()
    assert split(Source("a.md", written), problems) == (FrontMatter(place=Place("a.md")), written)
    assert not problems


def test_front_matter_may_be_toml() -> None:
    """As Hugo writes it between two lines of pluses, and hashcards between dashes."""
    for rule in ("+++", "---"):
        problems = Problems()
        text = (
            f'{rule}\ntitle = "A::B"\ntags = ["x", "y"]\nlevel = 3\ndate = 2020-01-01\n{rule}\nbody'
        )
        found = split(Source("a.md", text), problems)
        assert found
        assert found[1] == "\n" * 6 + "body"
        assert (found[0].title, found[0].tags, found[0].level) == ("A∷B", ("x", "y"), 3)
        assert found[0].at("level") == Place("a.md", 4, 1)
        (problem,) = problems
        assert (problem.code, problem.place) == (Code.KEY_FOREIGN, Place("a.md", 5, 1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("level = 7", (2, 1, "level must be a number from 1 to 6, not 7")),
        ('lang = "en"\ndeck = x', (3, 8, "this is not TOML: Invalid value")),
        ('lang = "en"\nlang = "de"', (3, 12, "this is not TOML: Cannot overwrite a value")),
        ("[deck]\na = 1", (2, 1, "deck must be a name, its parts divided by ::, not {}")),
        ("deck = " + "[" * 9000, (2, 1, "this is nested too deeply")),
        ("deck" + ".a" * 4000 + " = 1", (2, 1, "this line has more than 500 dots")),
    ],
)
def test_broken_toml_is_told_at_its_place(text: str, expected: tuple[int, int, str]) -> None:
    """As YAML is, and in bounded time."""
    problems = Problems()
    assert split(Source("a.md", f"+++\n{text}\n+++\nbody"), problems)
    (problem,) = problems
    assert (problem.place.line, problem.place.column) == expected[:2]
    assert problem.message.startswith(expected[2])


@pytest.mark.parametrize(
    ("text", "source"),
    [("source: [[Attention]]", "Attention"), ("source: [a, 'b']", "a, b"),
     ("sources:\n- https://a.b\n- [[c]]", "https://a.b, c"), ("source:", ""), ("source: ~", "")],
)  # fmt: skip
def test_a_source_may_be_a_link_or_several(text: str, source: str) -> None:
    """As Obsidian writes them; a template may have left it empty."""
    meta, problems = read(text)
    assert problems == []
    assert meta.source == source


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
    "lists": "? - " + "- " * 4000,
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


VALUES = st.one_of(
    st.text("aZé中9 _./-:,[]'#\t~", max_size=8), st.sampled_from(["null", "True", "no", "nan", ""])
)
LINES = st.tuples(
    st.one_of(st.sampled_from(["tags", "a-b", "null", "yes"]), VALUES), VALUES, VALUES
)


@given(st.lists(LINES.map("{0[0]}: {0[1]}".format) | LINES.map("{0[0]}: [{0[1]}, {0[2]}]".format)))
def test_plain_lines_are_what_yaml_says(lines: list[str]) -> None:
    """The short way is taken only where it leads to the same."""
    text = "\n".join(lines)
    if (found := plain.pairs(text)) is None:
        return
    from_yaml = of_yaml.parsed(text)
    assert [_whole(each.value) for each in found] == [_whole(each.value) for each in from_yaml]
    assert [(each.key.value, each.key.tag, each.index) for each in found] == [
        (each.key.value, each.key.tag, each.index) for each in from_yaml
    ]


def test_what_most_notes_have_is_plain() -> None:
    """So the comparison above has something to compare."""
    text = "aliases: [note 5, 笔记]\ntags: [layer]\nlang: zh-CN\nsource:\ndeck: a b/c.d "
    found = plain.pairs(text)
    assert found
    assert [_whole(each.value) for each in found] == [
        _whole(each.value) for each in of_yaml.parsed(text)
    ]
    assert plain.pairs("date: 2026-01-02") is None


def _whole(node: Node) -> object:
    if node.id == "sequence":
        return [_whole(each) for each in node.value]
    return node.tag, node.value, node.style


def test_a_file_without_front_matter_needs_no_yaml() -> None:
    """Its parser takes longer to import than most files take to read."""
    code = (
        "import sys\n"
        "from verideck.model import Source\n"
        "from verideck.problems import Problems\n"
        "from verideck.source.front_matter import split\n"
        "split(Source('a.md', '## What?'), Problems())\n"
        "split(Source('a.md', '---\\nlang: en\\n---\\n'), Problems())\n"
        "assert 'ruamel.yaml' not in sys.modules\n"
        "split(Source('a.md', '---\\nlang: \"en\"\\n---\\n'), Problems())\n"
        "assert 'ruamel.yaml' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
