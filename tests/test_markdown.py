"""What holds for any text that an author may write, by examples that hypothesis makes up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from functools import lru_cache
from html import unescape
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt, helpers
from projects import identified, parse

from verideck import markdown
from verideck.history.lock import Lock
from verideck.history.scope import Scope
from verideck.markdown import Parsed, Token, cloze, languages
from verideck.markdown.destinations import parseLinkDestination
from verideck.markdown.html import FLOW
from verideck.markdown.positions import character_place
from verideck.model import (
    Card,
    Kind,
    Link,
    Note,
    Passage,
    Place,
    ProvenCard,
    Role,
    Source,
    UnreadCard,
)
from verideck.problems import Code, Problem, Problems
from verideck.proof.expected import difference
from verideck.render.fields import rendered
from verideck.render.highlight import Highlighter
from verideck.render.look import note_of
from verideck.settings import Settings
from verideck.source import attributes
from verideck.source.attributes import Attribute
from verideck.source.syntaxes import SYNTAXES

PROJECT = Settings(Path("/nowhere"), deck="D", namespace="n", verify=False)
HIGHLIGHTER = Highlighter(None)
PATH = "cards/any.md"

CHARACTERS = st.characters(
    exclude_categories=["Cs"],
    exclude_characters=[chr(code) for code in (*range(0x20), 0x7F) if chr(code) not in "\n\t"],
)
"""What stage 1 lets through."""

PIECES = st.sampled_from(
    [
        *("# ", "## ", "### ", "- ", "* ", "+ ", "1. ", "10) ", "> ", ">", "    ", "  ", " ", "\t"),
        *("\n", "\n", "\n", "\n\n", "\n\n", "---\n", "===\n", "|a|b|\n|-|-|\n", "|", "***\n"),
        *("```", "````", "~~~", "```python\n", "```output\n", "```python {.check}\n", "``` {"),
        *("```python {.setup}\n", '```python {include="x.py"}\n', "```text\n", "assert x\n"),
        *("$", "$$", "\\$", "\\", "\\{", "{{c1::", "{{c0::", "{{c99999999999::", "}}", "}", "::"),
        *(
            "==",
            "`",
            "``",
            "{eval}`x`",
            "{eval}`",
            "![",
            "](",
            ")",
            "![a](b c.png)",
            "[a]",
            "[a]: x\n",
        ),
        *(
            "{#id}",
            "{.cloze}",
            "{.type}",
            "{.reversed}",
            '{#x tags="a b"}',
            "{#",
            "{.",
            '{a="',
            '"}',
        ),
        *(
            "Q:",
            "Q: ",
            "A: ",
            "问：",
            "答：",
            "---\nsyntax: list\n---\n",
            "---\ntags: [a]\n",
            "deck: x\n",
        ),
        *(
            "a",
            "b ",
            "变量",
            "é",
            "e\u0301",
            "\u3000",
            "\xa0",
            "\u2028",
            "\x85",
            "\ufeff",
            "🙂",
            "\u200b",
        ),
        *("\\(", "\\)", "\\[", "\\]", "\\begin{align}", "\\end{align}", "[$]", "[/$]", "```math\n"),
        *(
            "[^a]",
            "[^a]: ",
            "^[",
            "- [ ] ",
            "> [!tip]- ",
            "> [!NOTE]\n",
            ": ",
            "https://a.b",
            "a@b.c",
        ),
        *(
            "[[a]]",
            "[[a#b|",
            "]]",
            "[[",
            "![[a]]",
            "![[a.png|3]]",
            "[[a.pdf#p]]",
            " ^a",
            "^ab12cd\n",
            "|",
        ),
        *("*", "**", "_", "~~", "<", "<b>", "&", "&amp;", "&#0;", "<!-- -->", "setext\n---\n"),
    ]
)
TEXTS = st.one_of(
    st.lists(PIECES | st.text(CHARACTERS, max_size=3), max_size=30).map("".join),
    st.text(CHARACTERS, max_size=60),
)

MARKS: dict[str, tuple[str, ...]] = {
    "fence": ("```", "~~~"),
    "math_block": ("$$", "\\[", "\\\\[", "\\begin{", "[$$]", "<anki-mathjax ", "```", "~~~"),
    "math_inline": ("$", "\\(", "\\\\(", "[$]", "<anki-mathjax>"),
    "math_inline_double": ("$$", "\\[", "\\\\[", "\\begin{", "[$$]", "<anki-mathjax "),
    "task": ("[",),
    "footnote": ("[^", "^["),
    "value": ("{eval}`",),
    "code_inline": ("`",),
    "image": ("![", "<img", "<audio", "<video"),
    "note_link_open": ("[[", "![["),
    "note_link_close": ("]]",),
    "cloze_open": ("{{c",),
    "cloze_close": ("::", "}}"),
    "mark_open": ("==",),
    "mark_close": ("==",),
    "em_open": ("*", "_"),
    "em_close": ("*", "_"),
    "strong_open": ("**", "__"),
    "strong_close": ("**", "__"),
    "s_open": ("~~",),
    "s_close": ("~~",),
    "link_open": ("[", "<", "![["),
    "link_close": ("]", ">", "<"),
}
"""What stands in the file where a token is said to stand."""


def found(text: str) -> list[Card | Problem]:
    """What is found in a file of that text."""
    every = parse([Source(PATH, text)], PROJECT)
    return [each for each in every if not isinstance(each, UnreadCard)]


def cards(text: str) -> list[Card]:
    """The cards in a text with which nothing is wrong, but that it may be long."""
    each = [one for one in found(text) if getattr(one, "code", None) is not Code.ANSWER_TALL]
    assert all(isinstance(one, Card) for one in each), each
    return [one for one in each if isinstance(one, Card)]


@lru_cache(maxsize=1)
def lines_of(text: str) -> list[str]:
    """The lines of a text, split once for all places in it."""
    return text.split("\n")


def rest(text: str, place: Place) -> str:
    """What stands at a place and behind it on its line, which there must be."""
    lines = lines_of(text)
    assert place.path == PATH
    assert 1 <= place.line <= len(lines), place
    assert 1 <= place.column <= len(lines[place.line - 1]) + 1, place
    return lines[place.line - 1][place.column - 1 :]


@pytest.mark.parametrize("syntax", ["", *SYNTAXES])
@given(text=TEXTS)
def test_any_text_can_be_parsed(syntax: str, text: str) -> None:
    """Nothing raises, and all that is told stands where it is said to, in every form."""
    if syntax:
        text = f"---\nsyntax: {syntax}\n---\n{text}"
    for each in found(text):
        rest(text, each.place)
        if isinstance(each, Card):
            for passage in filter(None, (each.question, each.answer)):
                rest(text, passage.place)
                check_tokens(text, passage)
            for snippet in each.snippets:
                mark = "value" if snippet.options.role is Role.VALUE else "fence"
                assert rest(text, snippet.place).startswith(MARKS[mark])
        elif each.code in {Code.FENCE_UNCLOSED, Code.MATHS_UNCLOSED}:
            assert rest(text, each.place)[:1] in {"`", "~", "$", "\\", "[", "<"}


def check_tokens(text: str, passage: Passage) -> None:
    """Hold every token that has a place to it: fences, maths, and all that is inline.

    What a form reads as a deletion has marks of its own in the file.
    """
    foreign = {"cloze_open", "cloze_close"} if passage.edits else set[str]()
    for token in markdown.walk(markdown.parse(passage).tokens):
        if token.type in MARKS and token.markup != "linkify":
            written = rest(text, markdown.place(token))
            begins = written.lower().startswith(MARKS[token.type])  # tags have any case
            assert begins or token.type in foreign, token
        elif token.type in {"text", "softbreak", "hardbreak"}:
            rest(text, markdown.place(token))


PLACED = st.lists(
    st.sampled_from(
        [
            *("word", "汉字", "。", " ", "\n", "\\\n", "  \n", "\t", "*", "**", "_", "~~", "~"),
            *("`code`", "`` ` ``", "` a `", "```", "$x$", "$$y$$", "==", "==m==", "{{c1::", "}}"),
            *("::", "{eval}`1`", "\\*", "\\a", "&lt;", "&nbsp;", "[", "](to)", "![", "](b.png)"),
            *("\\(x", "\\(", "\\)", "\\[", "\\]", "\\begin{align}", "\\end{align}", "[$]", "[/$]"),
            *(
                "[^a]",
                "^[",
                "[^a]: ",
                "[ ] ",
                "[x]",
                "[!note]",
                "https://a.b/c_d",
                "www.a.b)",
                "a@b.cd",
            ),
            *("[[a]]", "[[ a # b]]", "[[a|", "[[", "]]", "![[b]]", "![[a.png|c]]"),
            *("![c](d e.png)", "<http://a.b/c>", "<a@b.cd>", "|", "[l `c` $z$](to)", "<", "\\|"),
        ]
    ),
    max_size=14,
).map("".join)
"""What inline rules look for, whole and in parts."""


@given(
    text=PLACED, form=st.sampled_from(["{}", "- {}", "> {}", "# {}", "| {} | {} |\n|-|-|\n| {} |"])
)
@example(text="\\|x==m==", form="| {} | {} |\n|-|-|\n| {} |")
@example(text="![c `d`](d e.png)", form="- {}")
@example(text="~~~a~~~ ***b***", form="{}")
def test_inline_tokens_stand_where_they_are_said_to(text: str, form: str) -> None:
    """Whatever stands around it, a token is found at its place, and a letter of a text at its."""
    text = form.replace("{}", text)
    passage = Passage(text, Place(PATH))
    check_tokens(text, passage)
    for token in markdown.walk(markdown.parse(passage).tokens):
        for number, character in enumerate(token.content if token.type in PROSE else ""):
            if character.isalnum():
                assert rest(text, character_place(token, number)).startswith(character), token


PROSE = {"text", "code_inline"}


COMMONMARK = st.lists(
    st.sampled_from(
        [
            *(
                "a",
                "b c",
                "é",
                ".",
                " ",
                "  ",
                "    ",
                "\t",
                "\n",
                "\n",
                "\n",
                "\n\n",
                "\\\n",
                "\x0b",
            ),
            *("- ", "* ", "+ ", "1. ", "2) ", "-", "> ", ">", "# ", "####### x", "---", "===", "="),
            *("***", "___", "```", "~~~", "|", "|-|-|", "|a|b|", "-|-", ":-|-:", "[a]: b", "[a]"),
            *("*", "**", "_", "__", "~~", "`", "``", "[", "](b)", "![", '](b "c")', "]", "<a:b>"),
            *("<", "<b>", "&amp;", "&", "\\*", "\\|", "\\", "!", ":", "{", "}}", "(", ")", "\xa0"),
        ]
    ),
    max_size=24,
).map("".join)


OURS = {"mark_open", "task", "dl_open", "footnote", "footnote_definition", "callout_open",
        "note_link_open"}  # fmt: skip
"""Types of tokens that markdown-it does not have."""


@given(text=COMMONMARK)
@example(text="> a\n    b\n- c\n\n      d\n")
@example(text="|a|\n|-|\n- b\n  ===\n[a]: b\n'c'\n")
def test_without_marks_of_ours_it_is_markdown_its_commonmark(text: str) -> None:
    """Rules that are found by their first character find what markdown-it's own loop finds."""
    reference = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parsed = markdown.parse(Passage(text, Place(PATH)))
    ours = parsed.tokens
    types = {token.type for token in markdown.walk(ours)}
    if any(FLOW in token.meta for token in ours):
        return  # a tag around blocks
    if types & OURS or any(each.code is Code.TABLE_UNEVEN for each in parsed.problems):
        return
    if "table_open" in types and (types & {"list_item_open", "blockquote_open"} or "`" in text):
        return  # a table may end a list, and a bar in code ends no cell
    assert list(facts(ours)) == list(facts(reference.parse(text)))


def facts(tokens: Sequence[Token]) -> Iterator[tuple[object, ...]]:
    """What renders differently; texts without content are only markdown-it's."""
    for each in markdown.walk(tokens):
        if each.type != "text":
            shown = each.type, each.tag, each.content, each.markup, each.info, each.attrs
            yield *shown, each.map, each.level, each.nesting, each.hidden
        elif each.content:
            yield each.content, each.level


@given(text=TEXTS)
def test_parsed_passages_are_shared_and_left_alone(text: str) -> None:
    """Making cards and notes of a passage changes none of its tokens."""
    made = [each for each in found(text) if isinstance(each, Card)]
    passages = [each for card in made for each in parts(card)]
    for each in passages:
        ask_for_places(markdown.parse(each))
    before = [deepcopy(markdown.parse(each)) for each in passages]
    notes = render(known(made))
    assert before == [markdown.parse(each) for each in passages]
    assert notes == render(known(made))


def ask_for_places(parsed: Parsed) -> None:
    """Ask once for the place of each token: it is found when it is first asked for, and kept."""
    for tokens in (parsed.tokens, *parsed.footnotes.values()):
        for token in markdown.walk(tokens):
            if "content" in token.meta:
                markdown.place(token)


def parts(card: Card) -> Iterator[Passage]:
    """The passages of a card."""
    yield from filter(None, (card.question, card.answer, card.source, card.hint))


def test_equal_passages_may_differ_in_their_links() -> None:
    """What a link refers to is looked up among the definitions of the passage's own file."""
    links = [{"A": Link(href=href, title="")} for href in ("one", "two")]
    one, two = (Passage("[a]", Place(PATH), links=each) for each in links)
    assert one == two
    hrefs = [
        token.attrs["href"]
        for passage in (one, two, one)
        for token in markdown.walk(markdown.parse(passage).tokens)
        if token.type == "link_open"
    ]
    assert hrefs == ["one", "two", "one"]


@given(text=TEXTS)
def test_any_card_can_be_rendered(text: str) -> None:
    """Every card becomes a note or a problem at a place; no field holds a tag that is left open."""
    cards_ = [each for each in found(text) if isinstance(each, Card)]
    for each in render(known(cards_)):
        if isinstance(each, Note):
            for field in each.fields.values():
                assert re.sub(r"<!-- -->|</?[a-z][^<>]*>", "", field).count("<") == 0
        else:
            rest(text, each.place)


def known(cards_: Sequence[Card]) -> list[ProvenCard]:
    """Cards as they are before they are rendered: nothing was executed, all are new."""
    found_, _ = identified(cards_, Lock(), Scope(Path(), is_whole=True), PROJECT.namespace)
    return [ProvenCard(card, ()) for card in found_.values()]


def render(proven: Sequence[ProvenCard]) -> list[Note | Problem]:
    """The notes of cards without images, or what is wrong with them."""
    found: list[Note | Problem] = []
    for each in proven:
        look = rendered(each, PROJECT.root, HIGHLIGHTER)
        found += look.problems or [note_of(each.card, look, {})]
    return found


def test_the_cells_of_a_row_are_told_apart() -> None:
    """Equal cells of a table are two deletions, each at its own place."""
    text = "## q {#q .cloze}\n\n| a | b |\n|---|---|\n| ==x== | ==x== |\n"
    (card,) = cards(text)
    assert card.answer
    marks = markdown.walk(markdown.parse(card.answer).tokens)
    places = [markdown.place(token).column for token in marks if token.type == "mark_open"]
    assert places == [3, 11]
    (note,) = render(known([card]))
    assert isinstance(note, Note)
    assert re.findall(r"\{\{c\d::x\}\}", note.fields["Question"]) == ["{{c1::x}}", "{{c2::x}}"]


def test_a_bar_in_a_cell_shifts_no_place() -> None:
    """In a table `|` is written with a backslash, which counts as the character it is."""
    text = "| a \\| $b$ | c $x |\n|---|---|\n"
    parsed = markdown.parse(Passage(text, Place(PATH)))
    (formula,) = (each for each in markdown.walk(parsed.tokens) if each.type == "math_inline")
    assert rest(text, markdown.place(formula)).startswith("$b$")
    assert [rest(text, each.place)[:2] for each in parsed.problems] == ["$x"]


def test_a_deletion_in_indented_code_is_told_at_its_line() -> None:
    """Code without a fence has a place too."""
    (problem,) = found("## q {.cloze}\n\nIt is ==so==.\n\n    x = {{c1::1\n")
    assert isinstance(problem, Problem)
    assert (problem.code, str(problem.place)) == (Code.CLOZE_UNCLOSED, f"{PATH}:5:5")


def test_wide_spaces_and_tabs_shift_no_place() -> None:
    """A line of wide spaces above, and a tab before the text, count as the characters they are."""
    text = "\u3000\n问：a\n答：$x\n\n\u3000\n问：b\n答：\n\n-\tc\n\n\t- d $$y\n"
    told = [str(each.place) for each in found(text) if isinstance(each, Problem)]
    assert told == [f"{PATH}:3:3", f"{PATH}:11:6"]


# A list item's answer means alone what it means in its file

WORDS = st.text("ab 变*`", min_size=1, max_size=6).map(lambda text: f"x{text}x")
LINES = st.lists(WORDS, min_size=1, max_size=3).map("\n".join)


def indented(text: str, by: str) -> str:
    """Text in a container: all its lines but the first are moved to the right."""
    return "\n".join(by + line if line else line for line in text.split("\n")).removeprefix(by)


def quoted(text: str) -> str:
    """Text in a quotation."""
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Blocks that hold blocks."""
    blocks = st.lists(inner, min_size=1, max_size=3)
    loose = st.sampled_from(["\n", "\n\n", "\n\n\n"])
    bullets = st.sampled_from([("- ", "  "), ("* ", "  "), ("-   ", "    "), ("1. ", "   ")])
    return st.one_of(
        st.tuples(blocks, loose, bullets).map(
            lambda t: t[1].join(f"{t[2][0]}{indented(each, t[2][1])}" for each in t[0])
        ),
        blocks.map("\n\n".join).map(quoted),
        blocks.map("\n\n".join),
    )


LEAVES = st.one_of(
    LINES,
    LINES.map(lambda text: f"```text\n{text}\n\n  {text}\n```"),
    LINES.map(lambda text: f"~~~\n{text}\n~~~"),
    WORDS.map(lambda text: f"### {text}"),
    WORDS.map(lambda text: f"{text}\n==="),
    WORDS.map(lambda text: f"| {text} | b |\n|---|---|\n| 1 | {text} |"),
    st.just("$$\na < b\n$$"),
    st.just("***"),
    st.just("    code\n\n    more"),
    st.just("[a]: http://example.org\n\n[a]"),
)
BLOCKS = st.recursive(LEAVES, nested, max_leaves=8)
ITEMS = st.sampled_from(
    [("- ", "  "), ("- ", "    "), ("* ", "   "), ("12. ", "    "), ("-\t", "\t")]
)


def shape(tokens: Sequence[Token], *, level: int) -> Iterator[tuple[object, ...]]:
    """Tokens without what tells how deep they stand, or how tight the list above them is."""
    for each in tokens:
        tight = each.hidden and each.level > level
        content = (
            re.sub(r"^ +", "", each.content, flags=re.MULTILINE) if each.children else each.content
        )
        yield each.type, each.tag, each.info, each.markup, content, each.level - level, tight


@given(blocks=st.lists(BLOCKS, min_size=1, max_size=3), item=ITEMS, lazy=st.booleans())
def test_an_answer_is_the_same_alone(
    blocks: list[str], item: tuple[str, str], *, lazy: bool
) -> None:
    """What is cut out of a list item is made of the same blocks as it was inside."""
    marker, by = item
    answer = "\n\n".join(blocks)
    text = f"{marker}question\n\n{by}{indented(answer, by)}\n"
    if lazy:
        text += "lazy\n===\n"
    whole = markdown.parse(Passage(text, Place(PATH))).tokens
    close = next(n for n, token in enumerate(whole) if token.type == "paragraph_close")
    end = next(
        n for n, each in enumerate(whole) if each.type == "list_item_close" and each.level == 1
    )
    if any(token.type == "heading_open" and token.level == 0 for token in whole):
        return  # the lines at the margin are a block of their own
    (card,) = cards(text)
    assert card.question.text == "question"
    build_lock = markdown.parse(card.answer).tokens if card.answer else []
    assert list(shape(build_lock, level=0)) == list(shape(whole[close + 1 : end], level=2))
    check_tokens(text, card.answer or card.question)


# Maths and code are left alone

TEX = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Z"], exclude_characters="$`\\{}"),
    min_size=1,
    max_size=20,
) | st.lists(
    st.sampled_from(
        [
            *"ab12_^&<>*[]()|~!#=:'\" ",
            *(
                r"\\",
                r"\$",
                r"\frac",
                r"\{",
                r"\}",
                "**",
                "__",
                "&lt;",
                "{}",
                "{a}",
                "{{b_1}}",
                "{*}",
            ),
        ]
    ),
    min_size=1,
    max_size=15,
).map("".join)
TEX = TEX.map(str.strip).filter(lambda tex: tex and not tex.startswith("{{c"))


@given(
    tex=TEX,
    block=st.booleans(),
    form=st.sampled_from(["## q\n\n{}", "- q\n\n    {}", "Q: q\n\nA: {}"]),
)
def test_maths_is_left_alone(tex: str, form: str, *, block: bool) -> None:
    """No emphasis, no escape, no entity: TeX arrives in the field to the letter."""
    written = f"$${tex}$$" if block else f"a ${tex}$ b"
    (card,) = cards(form.replace("{}", written))
    assert card.answer
    maths = [
        token.content
        for token in markdown.walk(markdown.parse(card.answer).tokens)
        if token.type.startswith("math_")
    ]
    assert maths == [tex]
    if card.kind is Kind.BASIC:
        (note,) = render(known([card]))
        assert isinstance(note, Note)
        opening, closing = (r"\[", r"\]") if block else (r"\(", r"\)")
        assert f"{opening}{tex}{closing}" in unescape(note.fields["Answer"])


CODE = st.lists(st.text(CHARACTERS, max_size=12) | PIECES, max_size=8).map("".join)
FORMS = {
    "heading": ("## q\n\n", ""),
    "heading above": ("# t\n\n## q\n\nyes\n", ""),
    "list": ("- q\n\n", "    "),
    "nested": ("- q\n    - a\n\n      b\n\n", "      "),
    "ordered": ("1. q\n", "   "),
    "quotation": ("## q\n\n> a\n>\n", "> "),
    "qa": ("Q: q\n\nA:\n\n", ""),
    "question and answer": ("问：q\n答：a\n\n", ""),
}


@pytest.mark.parametrize("form", FORMS)
@given(code=CODE, markup=st.sampled_from("`~"))
def test_code_is_left_alone(form: str, code: str, markup: str) -> None:
    """Whatever stands in a fence arrives, in every form and however deep, to the letter."""
    above, by = FORMS[form]
    longest = max(map(len, re.findall("`+|~+", code)), default=0)
    fence = markup * max(longest + 1, 3)
    lines = [f"{fence}text", *code.split("\n"), fence]
    text = above + "\n".join(by + line for line in lines)
    (card,) = cards(text)
    (snippet,) = card.snippets
    assert snippet.code == f"{code}\n"
    for number, line in enumerate(code.split("\n")):
        if line.strip():
            at = Place(PATH, snippet.origin.line + number, snippet.origin.column)
            assert rest(text, at) == line


# Attributes

NAMES = st.text(
    st.characters(codec="utf-8", categories=["L", "N"], include_characters="-_:"), min_size=1
)
VALUES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)
KEYS = st.from_regex(r"[A-Za-z][A-Za-z0-9-]*", fullmatch=True)


@given(
    identity=st.none() | NAMES,
    words=st.lists(NAMES, unique=True, max_size=3),
    keys=st.dictionaries(
        KEYS, VALUES.filter(lambda value: not {'"', "'"} <= set(value)), max_size=3
    ),
    spaces=st.sampled_from([" ", "  ", "\t"]),
)
def test_attributes_are_read_as_written(
    identity: str | None, words: list[str], keys: dict[str, str], spaces: str
) -> None:
    """Ids, words and quoted values of any text come back, each at its place."""
    quotes = {key: "'" if '"' in value else '"' for key, value in keys.items()}
    items = [f"#{identity}"] if identity else []
    items += [f".{word}" for word in words]
    items += [f"{key}={quotes[key]}{value}{quotes[key]}" for key, value in keys.items()]
    text = spaces.join(items)
    expected = [("#", identity)] if identity else []
    expected += [(f".{word}", "") for word in words]
    expected += list(keys.items())
    known = frozenset(name for name, _ in expected)
    problems = Problems()
    read = _attributes(text, known, problems)
    assert not len(problems), list(problems)
    assert [(each.name, each.value) for each in read] == expected
    for item, each in zip(items, read, strict=True):
        assert text[each.place.column - 1 :].startswith(item)


@given(text=TEXTS)
def test_any_text_can_stand_between_braces(text: str) -> None:
    """What is no attribute is told once, where it begins."""
    known = frozenset({"#", ".cloze", "tags"})
    problems = Problems()
    read = [*_attributes(text, known, problems), *problems]
    assert all(each.place.column <= len(text) for each in read)
    assert bool(read) == bool(text.strip())


def _attributes(text: str, known: frozenset[str], problems: Problems) -> list[Attribute]:
    code = Code.ATTRIBUTE_INVALID
    return attributes.read(text, lambda at: Place(PATH, 1, at + 1), known, code, problems)


# Deletions

PLAIN = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="{")
)
HIDDEN = st.lists(
    st.text("ab变 <&=:.,+-", max_size=4).filter(lambda text: "::" not in text)
    | st.sampled_from(["{a}", "[::2]", "f(x::y)", "{{a}}", "\\frac{a}{b}", "x[{1: 2}[1]]"]),
    min_size=1,
    max_size=4,
).map(lambda parts: "x".join(["", *parts, ""]))
DELETIONS = st.tuples(st.integers(1, 500), HIDDEN, st.sampled_from(["", "hint", "a hint: b"]))


@given(stretches=st.lists(st.tuples(PLAIN, DELETIONS), max_size=4), end=PLAIN)
def test_deletions_are_taken_out_and_nothing_else(
    stretches: list[tuple[str, tuple[int, str, str]]], end: str
) -> None:
    """The text without its marks is what was written, and each deletion knows what it hides."""
    marked, plain = "", ""
    expected = []
    for before, (number, hidden, hint) in stretches:
        marked += f"{before}{{{{c{number}::{hidden}{'::' if hint else ''}{hint}}}}}"
        start = len(plain) + len(before)
        plain += before + hidden
        expected.append((start, len(plain), number, hint))
    text, taken = cloze.find(marked + end)
    assert text == plain + end
    assert [(each.start, each.end, each.number, each.hint) for each in taken] == expected


@given(text=TEXTS)
def test_text_without_deletions_is_kept(text: str) -> None:
    """Taking marks out changes nothing where there are none, and finds all in one go."""
    plain, taken = cloze.find(text)
    if not re.search(r"\{\{c\d+::", text):
        assert (plain, taken) == (text, ())
    spans = [(each.start, each.end) for each in taken]
    assert spans == sorted(spans)
    assert all(0 <= start <= end <= len(plain) for start, end in spans)


# Output

NUMBERS = st.floats(allow_nan=True, allow_infinity=True).map(str)


@given(
    text=st.lists(TEXTS | NUMBERS | st.just("..."), max_size=4).map("".join),
    tolerance=st.none() | st.floats(0, 1),
)
def test_output_equals_itself(text: str, tolerance: float | None) -> None:
    """Whatever a snippet prints is what it prints, with wildcards and numbers in it."""
    assert difference(text, text, tolerance) is None
    assert difference(f"{text}  \n\n", text, tolerance) is None


@pytest.mark.parametrize("tolerance", [None, 0.1])
@pytest.mark.parametrize("text", ["1e400", "-1e400", "1e99999", f"1e{'9' * 5000}"])
def test_no_number_is_too_large_to_be_compared(text: str, tolerance: float | None) -> None:
    """What a float cannot hold is compared to the letter: to it, any number is as near."""
    assert difference(text, text, tolerance) is None
    for other in ("1e401", "-1e401", "1.0", "inf"):
        assert difference(text, other, tolerance) is not None
        assert difference(other, text, tolerance) is not None


@given(before=st.text("ab. 1\n", max_size=6), inside=TEXTS, behind=st.text("ab. 1\n", max_size=6))
def test_dots_stand_for_anything(before: str, inside: str, behind: str) -> None:
    """`...` on the card matches any text, also none, in the midst of what is compared."""
    assert difference(f"{before}x...x{behind}", f"{before}x{inside}x{behind}") is None


@given(text=TEXTS.filter(str.strip), other=TEXTS)
def test_a_difference_is_one(text: str, other: str) -> None:
    """What differs is told with lines that differ, inside of what was expected."""
    found = difference(text, other)
    if found is not None:
        assert 1 <= found.line <= len(text.split("\n"))
        assert found.expected != found.actual
    elif "..." not in text:
        assert re.sub(r"[\d\s.eE+-]", "", text) == re.sub(r"[\d\s.eE+-]", "", other)


DESTINATIONS = st.lists(
    st.sampled_from(
        ["(", ")", "a", " ", "\n", "\\", "<", ">", "\x7f", "é", "&amp;", "(" * 32, ")" * 32]
    )
).map("".join)


@given(text=DESTINATIONS, start=st.integers(0, 9), cut=st.integers(0, 9))
@example("(" * 32 + ")" * 32, 0, 0)
@example("(" * 33 + ")" * 33, 0, 0)
@example(r"a\ b", 0, 0)
@example("a\\", 0, 0)
def test_a_link_leads_where_markdown_it_reads_that_it_does(text: str, start: int, cut: int) -> None:
    """However many brackets and backslashes there are, wherever a text ends."""
    start = min(start, len(text))
    limit = max(start, len(text) - cut)
    found = parseLinkDestination(text, start, limit)
    wanted = helpers.parseLinkDestination(text, start, limit)
    assert (found.ok, found.pos, found.str) == (wanted.ok, wanted.pos, wanted.str)


@given(st.text(alphabet="Q:A：问`$\n \t[]", max_size=60))
def test_a_text_without_a_marker_need_not_be_read(text: str) -> None:
    """What is looked for first, at the start of lines, leaves out nothing that reading finds."""
    pattern = re.compile(r"(?P<word>Q|问|A|答)[:：][ \t]*")
    found = [each.start() for each in markdown.markers(text, pattern)]
    read = [each.start() for each in markdown.markers(f"{text}\nQ: b", pattern)]
    assert [each for each in read if each < len(text)] == found


def test_a_passage_is_parsed_without_a_change_of_its_file() -> None:
    """Its blocks are the file's, and what stands between tags becomes deeper in it alone."""
    file = Passage("<div>\n- what is ==it==?\n  - that\n</div>\n", Place("a.md"))
    _, page = markdown.uncommented(file)
    before = [(token.type, token.level) for token in page.tokens]
    inside = markdown.parse(Passage(file.text, file.place, links=page.links)).tokens
    assert [token.level for token in inside] != [level for _, level in before]
    assert [(token.type, token.level) for token in page.tokens] == before


def test_equal_code_is_divided_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where nothing is stored: what takes long must not take long again."""
    asked: list[str] = []
    real = languages.pieces

    def pieces(code: str, language: str) -> languages.Pieces:
        asked.append(code)
        return real(code, language)

    monkeypatch.setattr(languages, "pieces", pieces)
    highlighter = Highlighter(None)
    assert highlighter.pieces("x = 1\n", "python") == highlighter.pieces("x = 1\n", "python")
    assert highlighter.pieces("x = 1\n", "ruby")
    assert asked == ["x = 1\n"] * 2
