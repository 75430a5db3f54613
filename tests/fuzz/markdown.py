"""Markdown: cards that a stranger wrote, until Anki would show them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from random import Random

from fuzz.area import Area, Check, check_problems
from fuzz.changes import ODD_TEXTS, changed_text
from fuzz.material import card_texts, spec_texts
from projects import MOMENT
from test_markdown import PATH, check_tokens, rest

from verideck.history import ids
from verideck.history.lock import Lock
from verideck.history.recognise import recognise
from verideck.history.scope import Scope
from verideck.history.stamp import stamp
from verideck.markdown import dialect, html_tags, languages
from verideck.model import Card, Note, Passage, Place, ProvenCard, Source
from verideck.problems import Problems, has_errors
from verideck.render.faces import faces
from verideck.render.fields import rendered
from verideck.render.highlight import Highlighter
from verideck.render.look import depends_on_run, note_of, without_html
from verideck.render.note_types import note_types
from verideck.render.told import told
from verideck.rules import RULES
from verideck.rules.lint import lint
from verideck.source.cards import cards_of
from verideck.source.collect import Asked
from verideck.source.config import SourceConfig
from verideck.source.front_matter import KEYS
from verideck.source.read import text_of

_INLINE = (
    *(
        "*a*",
        "**a**",
        "_a_",
        "~~a~~",
        "~a~",
        "==a==",
        "==",
        "=",
        "`a`",
        "`` ` ``",
        "`",
        "``",
        "$a$",
    ),
    *("$$a$$", "$", "$$", "\\(a\\)", "\\[a\\]", "\\$", "\\", "\\\n", "  \n", "{{c1::a}}", "{{c2::"),
    *(
        "{{c1::a::b}}",
        "{{c0::a}}",
        "{{c501::a}}",
        "{{c1,2::a}}",
        "}}",
        "::",
        "{eval}`1`",
        "{eval}`",
    ),
    *(
        "[a](b)",
        "[a](<b c> 'd')",
        "[a][b]",
        "[a]",
        "![a](b.png)",
        '![a](b.mp3 "c")',
        "![",
        "](",
        "[",
    ),
    *("<http://a.b>", "<a@b.c>", "<b>", "<script>", "<!-- a -->", "&lt;", "&#0;", "&#x202e;", "&"),
    *(
        "\\frac{a}{b}",
        "{",
        "}",
        "\\}",
        "\\begin{x}",
        "^",
        "_",
        "|",
        "\\|",
        "(",
        ")",
        "!",
        "javascript:",
    ),
    *(
        "[a](javascript:b)",
        "[a](data:text/html,b)",
        "[a](verideck-a.png)",
        "[latex]a[/latex]",
        "a.",
        "。",
    ),
)
_ATTRIBUTES = (
    *(
        "{#a}",
        "{#b .cloze}",
        "{.cloze}",
        "{.type}",
        "{.reversed}",
        "{.type .cloze}",
        '{tags="a b"}',
    ),
    *(
        '{source="a"}',
        '{hint="*a*"}',
        '{lint="answer-long: a"}',
        "{#}",
        "{.}",
        "{a=b}",
        '{a="',
        "{}",
    ),
)
_FENCES = (
    *(
        "python",
        "python {.check}",
        "python {.setup}",
        "python {.front}",
        "output",
        "text",
        "",
        "js",
    ),
    *('python {.no-run reason="a"}', 'python {raises="E" match="("}', 'python {include="a.py"}'),
    *(
        'python {include="a.py" symbol="f"}',
        'python {include="a.py" region="a"}',
        "python {timeout=0}",
    ),
    *(
        "python {timeout=1e999}",
        'python {warns="W" match="a"}',
        "output {tolerance=nan}",
        "mermaid",
    ),
    *("pycon", "python {", "python {#a}", "{.python}", "python title=`a`", "json", "diff", "latex"),
)
_BLOCKS = (
    *(
        "## ",
        "# ",
        "### ",
        "###### ",
        "- ",
        "* ",
        "1. ",
        "10) ",
        "> ",
        ">",
        "    ",
        "\t",
        "---",
        "===",
    ),
    *(
        "***",
        "|a|b|",
        "|-|-|",
        "|:-:|",
        "[a]: b",
        "[a]: <b> 'c'",
        "Q: ",
        "A: ",
        "Q:",
        "A:",
        "问：",
        "答：",
    ),
)
_PIECES = (
    *_INLINE,
    *_ATTRIBUTES,
    *_BLOCKS,
    *ODD_TEXTS,
    "\n",
    "\n\n",
    "```",
    "~~~",
    "````",
    "a",
    " ",
)


def _words(random: Random) -> str:
    return " ".join(
        random.choice((*_INLINE, "a", "b c", "变量")) for _ in range(random.randint(1, 7))
    )


def _block(random: Random, depth: int) -> str:
    kind = random.randrange(12)
    if kind == 0:
        mark = random.choice(("```", "~~~", "````"))
        code = "\n".join(_words(random) for _ in range(random.randint(0, 3)))
        return f"{mark}{random.choice(_FENCES)}\n{code}\n{random.choice((mark, mark, mark, ''))}"
    if kind in (1, 2) and depth:
        mark = random.choice(("- ", "* ", "1. ", "> ", "    ", "\t", "-   "))
        again = "> " if mark == "> " else " " * len(mark)
        return mark + _blocks(random, depth - 1).replace("\n", f"\n{again}")
    if kind == 3:
        width = random.randint(1, 4)
        rows = ["|".join(_words(random) for _ in range(width)) for _ in range(random.randint(1, 3))]
        return "\n".join([f"|{rows[0]}|", "|-" * width + "|", *(f"|{row}|" for row in rows[1:])])
    if kind == 4:
        return f"$$\n{_words(random)}\n{random.choice(('$$', '$$', ''))}"
    if kind == 5:
        return random.choice(_BLOCKS) + _words(random)
    return _words(random)


def _blocks(random: Random, depth: int) -> str:
    between = random.choice(("\n\n", "\n\n", "\n"))
    return between.join(_block(random, depth) for _ in range(random.randint(1, 4)))


def _card(random: Random, form: int) -> str:
    question = f"{_words(random)} {random.choice(('', *_ATTRIBUTES))}".rstrip()
    answer = random.choice(("", "\n---\n", "\n***\n")) + _blocks(random, 2)
    if form == 0:
        return f"## {question}\n\n{answer}\n"
    if form == 1:
        return f"- {question}\n\n  " + answer.replace("\n", "\n  ") + "\n"
    return f"Q: {question}\n{random.choice(('', chr(10)))}A: {answer}\n"


def _made(random: Random) -> bytes:
    form = random.randrange(3)
    cards = [_card(random, form) for _ in range(random.randint(1, 4))]
    if random.random() < 0.3:
        keys = [f"{random.choice(sorted(KEYS))}: {random.choice(['a', '2', 'qa', 'list', 'on'])}"]
        cards.insert(0, "\n".join(["---", *keys, "---", ""]))
    return _encoded("\n".join(cards))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _changed(random: Random, data: bytes) -> bytes:
    return _encoded(changed_text(random, data.decode("utf-8", "replace"), _PIECES))


def _seeds(_: Path) -> Sequence[bytes]:
    return [text.encode() for text in (*card_texts(), *spec_texts())]


def _check(folder: Path) -> Check:
    (folder / "a.py").write_text("# region a\ndef f(): return 1\n# endregion\nx = 1\n", "utf-8")
    config = SourceConfig(
        folder, "Deck", proved=frozenset({"python"}), rules=frozenset(map(str, RULES))
    )
    highlighter = Highlighter(None)

    def check(data: bytes) -> None:
        text = text_of(data)
        if text is None:
            return
        languages._Patience.left = 0  # noqa: SLF001 - seconds of a whole run, with a test of its own
        source = Source(PATH, text)
        found = cards_of(source, config)
        dialect._remembered.cache_clear()  # noqa: SLF001 - it is parsed once more
        assert found == cards_of(source, config), "the cards are others"
        texts = {PATH: text, "a.py": (folder / "a.py").read_text("utf-8")}
        check_problems(found.problems, texts)
        for card in found.cards:
            _check_card(card, text)
        check_problems(lint(found.cards, RULES, {PATH}).problems, texts)
        problems = Problems()
        scope = Scope(folder, is_whole=True, files=frozenset({PATH}))
        asked = Asked()
        cards = [card for card in found.cards if asked.is_first(card, problems)]
        known = recognise(cards, Lock(), scope, "fuzz", problems)
        check_problems(list(problems), texts)
        notes = list(_notes(cards, known, folder, highlighter, texts))
        contents, _ = stamp(notes, Lock(), scope, dict, MOMENT, note_types())
        for note in contents.notes:
            faces(note)
        if not has_errors([*found.problems, *problems]):
            _check_naming(text, cards, known, config)

    return check


def _check_card(card: Card, text: str) -> None:
    """Hold the places of a card to its text."""
    rest(text, card.place)
    for passage in filter(None, (card.question, card.answer, card.source, card.hint)):
        if isinstance(passage, Passage):
            rest(text, passage.place)
            # A source of front matter stands where its key does.
            if passage is not card.source or passage.place.line >= card.place.line:
                check_tokens(text, passage)
    for snippet in card.snippets:
        rest(text, snippet.place)


def _notes(
    cards: Sequence[Card],
    known: Mapping[Place, Card],
    root: Path,
    highlighter: Highlighter,
    texts: dict[str, str],
) -> Iterator[Note]:
    for card in cards:
        if each := known.get(card.place):
            unproved = replace(each, verified=False)
            look = rendered(ProvenCard(unproved, ()), root, highlighter)
            assert look == rendered(ProvenCard(unproved, ()), root, highlighter)
            if not depends_on_run(unproved):
                assert without_html(look) == told(ProvenCard(unproved, ()), root, highlighter)
            check_problems(look.problems, texts)
            if not look.problems:
                note = note_of(unproved, look, {})
                for name, field in note.fields.items():
                    _Balanced(name, field).check()
                yield note


_ENDS_ITSELF = frozenset({"dd", "dt", "li", "p", "rp", "rt", "tbody", "td", "th", "thead", "tr"})
"""Tags that HTML closes where their parents end."""
_SCRIPTS = ("javascript:", "vbscript:", "data:")


class _Balanced(HTMLParser):
    """Refuses a field whose tags are not closed in order, or that could execute something."""

    _TAGS = frozenset({*html_tags.TAGS, "anki-mathjax"})
    _UNSAFE = frozenset({"embed", "form", "iframe", "input", "link", "meta", "object", "script"})

    def __init__(self, name: str, field: str) -> None:
        """Take a field and its name."""
        super().__init__(convert_charrefs=True)
        self.name, self.field = name, field
        self.opened: list[str] = []

    def check(self) -> None:
        """Raise AssertionError for what is wrong."""
        self.feed(self.field)
        self.close()
        left = [tag for tag in self.opened if tag not in _ENDS_ITSELF]
        assert not left, f"{self.name} leaves {self.opened} open"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an opening tag."""
        assert tag in self._TAGS - self._UNSAFE, f"{self.name} has a tag {tag}"
        for key, value in attrs:
            assert not key.startswith("on"), f"{self.name} has an attribute {key}"
            target = "".join((value or "").split()).lower()
            unsafe = key in {"href", "src"} and target.startswith(_SCRIPTS)
            assert not unsafe, f"{self.name} links to {value}"
        if tag not in html_tags.VOID:
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Take a closing tag."""
        while self.opened and self.opened[-1] != tag and self.opened[-1] in _ENDS_ITSELF:
            self.opened.pop()
        opened = self.opened.pop() if self.opened else None
        assert opened == tag, f"{self.name} closes {tag}"


_MARK_OF_A_BLOCK = re.compile(r"[-+*]|[0-9]{1,9}[.)]|#{1,6}")


def _check_naming(
    text: str, cards: Sequence[Card], known: Mapping[Place, Card], config: SourceConfig
) -> None:
    """Hold `verideck id` to what it says: the same cards, and each has its id.

    A question of several lines, or with marks of another tool, may be another one with an id behind
    it, and one that is the mark of a list or a heading begins that then: it is refused.
    """
    identified = [known[card.place] for card in cards if card.place in known]
    nameless = [card for card in identified if not card.id and card.id_slot]
    if not nameless:
        return
    content = ids._named(text.encode(), nameless)  # noqa: SLF001 - what it writes, without a disk
    after = cards_of(Source(PATH, content.decode()), config).cards
    before = [known.get(card.place, card) for card in cards]
    other = ids._first_other(before, after)  # noqa: SLF001 - what is told
    if other is not None:
        text, edits = other.question.text, other.question.edits
        may_be = "\n" in text or edits or _MARK_OF_A_BLOCK.fullmatch(text)
        assert may_be, f"this cannot be named: {other.question}"


AREA = Area(".md", _seeds, _made, _changed, _check)
