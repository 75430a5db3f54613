"""What `faces` says a card looks like is what the real Anki shows, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from anki.collection import Collection
from anki.decks import DEFAULT_DECK_ID
from anki.errors import CardTypeError
from anki.sound import SoundOrVideoTag
from hypothesis import given
from hypothesis import strategies as st
from model.learner import Learner
from projects import DOT, card, project
from test_anki import CLOZE_CODE, CLOZES, FILES

from verideck.model import FIELDS, Identity, Kind, Note, NoteType, Place, Template
from verideck.render.faces import CardFaces, TemplateError, faces
from verideck.render.note_types import notetype

if TYPE_CHECKING:  # alone, and before anki.collection, they go in a circle
    from anki.cards import Card
    from anki.notes import Note as AnkiNote

SECTIONS = NoteType(
    id=0,
    name="sections",
    is_cloze=False,
    fields=(),
    templates=(
        Template(
            "Nested",
            0,
            "<i>{{#Question}}{{^Hint}}{{Answer}}{{/Hint}}{{/Question}}{{Extra}}",
            "{{FrontSide}}|{{FrontSide}}<!-- {{Hint}} -->{{{Hint}}}{{ # Hint }}x{{/ Hint }}",
        ),
        Template(
            "Negated",
            0,
            "{{^Question}}{{type:Hint}}x{{#Answer}}y{{FrontSide}}{{/Answer}}{{/Question}}",
            "{{type:Answer}} {{ Hint }}} {{Hint",
        ),
        Template("Cloze", 0, "{{^Hint}}{{^Answer}}{{cloze:Source}}{{/Answer}}{{/Hint}}", "z"),
    ),
    css="",
)
"""What our own templates do not do, and Anki's may."""
TWO_FIELDS = NoteType(
    id=0,
    name="two fields",
    is_cloze=True,
    fields=(),
    templates=(
        Template(
            "Cloze",
            0,
            "{{#Answer}}{{cloze:Question}}{{/Answer}}{{cloze:Extra}}{{type:Hint}}",
            "{{FrontSide}}{{cloze:Question}}{{cloze:Source}}",
        ),
    ),
    css="",
)
NOTE_TYPES = (*map(notetype, Kind), SECTIONS, TWO_FIELDS)


class Desk:
    """A collection in which notes are made without a package."""

    def __init__(self, folder: Path) -> None:
        """Begin a collection in a folder."""
        self.collection = Collection(str(folder / "collection.anki2"))

    def add(self, note_type: NoteType) -> None:
        """Let there be a note type."""
        models = self.collection.models
        made = models.new(note_type.name)
        made["type"] = int(note_type.is_cloze)
        for name in FIELDS:
            models.add_field(made, models.new_field(name))
        for each in note_type.templates:
            template = models.new_template(each.name)
            template["qfmt"], template["afmt"] = each.front, each.back
            models.add_template(made, template)
        models.add(made)

    def cards(self, note_type: NoteType, fields: Mapping[str, str]) -> list[CardFaces]:
        """What Anki shows for a new note."""
        model = self.collection.models.by_name(note_type.name)
        assert model
        note = self.collection.new_note(model)
        for name, text in fields.items():
            note[name] = text
        self.collection.add_note(note, DEFAULT_DECK_ID)
        return shown(note)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A collection with our note types, and two more."""
    one = Desk(tmp_path_factory.mktemp("desk"))
    for note_type in NOTE_TYPES:
        one.add(note_type)
    yield one
    one.collection.close()


def shown(note: AnkiNote) -> list[CardFaces]:
    """A note's cards as Anki shows them, by number."""
    # Of {{c500::a}} and {{c501::b}} Anki makes two cards with the number 500.
    return sorted({_shown(each) for each in note.cards()}, key=lambda each: each.number)


def _shown(card: Card) -> CardFaces:
    output = card.render_output()
    sounds = {"q": output.question_av_tags, "a": output.answer_av_tags}

    def sound(played: re.Match[str]) -> str:
        tag = sounds[played[1]][int(played[2])]
        assert isinstance(tag, SoundOrVideoTag)
        return f"[sound:{tag.filename}]"

    front, back = (
        re.sub(r"\[anki:play:([qa]):(\d+)\]", sound, text)
        for text in (output.question_text, output.answer_text)
    )
    return CardFaces(card.ord + 1, str(card.template()["name"]), front, back)


def note(fields: Mapping[str, str], *, retired: bool = False) -> Note:
    """A note of ours; its kind is of no concern where a note type is given."""
    identity = Identity("one", written=True, guid="guid", question="What?")
    every = {**dict.fromkeys(FIELDS, ""), **fields}
    return Note(Kind.BASIC, "Root", every, (), (), Place("a.md"), identity, retired=retired)


def judge(desk: Desk, note_type: NoteType, fields: Mapping[str, str]) -> None:
    """What we say of a note is what Anki shows."""
    assert list(faces(note(fields), note_type)) == desk.cards(note_type, fields)


# A package

SOUND = b"ID3"
MORE = r"""# More

## Where? {#placed .reversed hint="Is $x<y$?" source="*A*, §1"}

![](dot.png)

## Which {{c1::sounds::a hint}} {#heard}

==Both== of {{c1::them}}: ![](a.mp3)

---

Beside it ==is== ![](a.mp3).

## What is the sound? {#listen}

![](a.mp3)
"""


def test_each_card_of_a_package_looks_as_foretold(tmp_path: Path) -> None:
    """Every kind of card, and every deletion of the tests of deletions, after an import."""
    files = FILES | {
        "more.md": MORE,
        "cards/dot.png": DOT,
        "cards/a.mp3": SOUND,
        "code.md": card("in-code", CLOZE_CODE).replace("{#in-code}", "{#in-code .cloze}"),
        "clozes.md": "\n".join(
            f"## {written} {{#c{number}{' .cloze' if name == 'within code' else ''}}}\n"
            for number, (name, (written, _, _)) in enumerate(CLOZES.items())
        ),
    }
    made = project(tmp_path, files)
    learner = Learner(tmp_path / "learner")
    try:
        learner.take(made.build())
        theirs = {name: shown(each) for name, each in learner.notes().items()}
    finally:
        learner.collection.close()
    ours = {each.fields["Id"]: list(faces(each)) for each in made.check().notes}
    assert ours == theirs
    assert {each.template for cards in ours.values() for each in cards} == {
        "Card",
        "Reverse",
        "Cloze",
    }
    assert "[sound:" in ours["heard"][0].back


def test_a_retired_note_has_no_cards() -> None:
    """A package has none of it either."""
    assert faces(note({"Question": "What?"}, retired=True)) == ()


# Any note

PIECES = st.sampled_from(
    [
        *("{{c1::", "{{c2::", "{{c1,2::", "{{c3,::", "{{c0::", "{{c501::", "{{c70000::", "{{c,::"),
        *("{{c1::a}}", "{{c2::b::h}}", "{{cx::", "{{c", "{{", "}}", "}", "::", ":", "=="),
        *("<b>", "</b>", "<br>", "<div>", "<!--", "-->", "<", ">", "&amp;", '"', "'"),
        *("<style>", "</style>", "<script x>", "</script>", "\\(", "\\)", "\\[", "\\]"),
        *("a", " ", "\n", "é", "e\u0301", "中", "😀", "\N{NO-BREAK SPACE}", "[sound:x.mp3]"),
        *("{{FrontSide}}", "{{#Answer}}", "{{/Answer}}", "[[type:Answer]]"),
    ]
)
BLANKS = st.sampled_from(["", " ", "\n", "<br>", "<BR/>", "<div>", "</div>", "<br />", "&nbsp;"])
CHARACTERS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])
TEXTS = (
    st.lists(PIECES | CHARACTERS, max_size=16).map("".join)
    | st.lists(BLANKS, max_size=3).map("".join)
    | st.lists(st.sampled_from(["{{c1::", "{{c2::", "}}", "::", "x"]), max_size=40).map("".join)
)
NOTES = st.fixed_dictionaries(dict.fromkeys(FIELDS, TEXTS))


@pytest.mark.parametrize("note_type", NOTE_TYPES, ids=lambda each: each.name)
@given(fields=NOTES)
def test_any_note_looks_as_foretold(
    desk: Desk, note_type: NoteType, fields: Mapping[str, str]
) -> None:
    """Whatever the fields hold: braces, colons, marks, nested ones, HTML, maths, or nothing."""
    judge(desk, note_type, fields)


ODD = {
    "no mark": "a",
    "never closed": "{{c1::a}} {{c2::b {{c3::c}} d",
    "closed twice": "{{c1::a}} }}",
    "nothing hidden": "{{c1::}}",
    "two hints": "{{c1::a::b::c}}",
    "a hint apart": "{{c1::a::b {{c2::c}} d::e}}",
    "a hint around": "{{c1::{{c1::a::b}}::c}}",
    "several numbers": "{{c3,1,3::a}} {{c2,::b}} {{c,2::c}} {{c1, 2::d}}",
    "zero": "{{c0::a}} {{c1,0::b}}",
    "zeros": "{{c01::a}} {{c00000000002::b}}",
    "the last": "{{c500::a}}",
    "above the last": "{{c501::a}}",
    "the last twice": "{{c500::a}} {{c501::b}}",
    "the largest": "{{c1::a}} {{c65535::b}}",
    "too large": "{{c1::a {{c65536::b}} {{c2,70000::c}}",
    "far too large": "{{c1::a}} {{c" + "9" * 5000 + "::b}} {{c" + "0" * 5000 + "2::c}}",
    "digits of another script": "{{c1::a}} {{c２::b}}",
    "no number": "{{c1::a::b {{c::c}} {{c,::d}} {{C1::e}}",
    "ten deep": "{{c1::" * 9 + "{{c2::a}}" + "}}" * 9,
    "eleven deep": "{{c1::a}}" + "{{c3::" * 10 + "b {{c2::c::d}} e" + "}}" * 10,
    "characters": "{{c1::" + "".join(map(chr, range(0xA0, 0x180))) + "\t\n!\"#&'()/=<>{}}}",
    "maths": "\\(<b>\n{{c1::a <i>b</i>}} < c\n > d<!-- > -->\\) <b>",
    "maths within": r"{{c1::\(<b>a\)}} \[b<br>{{c2::c}}\]",
    "maths across": r"{{c1::\(<b>}}<i>\] <u> \[<style x>a</style>b<script>c\)",
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_deletion_looks_as_foretold(desk: Desk, name: str) -> None:
    """What no author of ours may write, and Anki reads in a way of its own."""
    for note_type in (notetype(Kind.CLOZE), TWO_FIELDS):
        fields = {"Question": ODD[name], "Answer": "a"}
        judge(desk, note_type, fields)


BLANK = ["", " ", "\t\n ", "<br>", "</BR>", "<br/>", "<br />", "<br >", "<div></div>", "<DiV /> "]
NOT_BLANK = [
    *("&nbsp;", "\N{NO-BREAK SPACE}", "\N{IDEOGRAPHIC SPACE}", "<br  />", "<br/ >", "< br>"),
    *("<p></p>", "<div class=a></div>", "<span></span>", "<!-- a -->", "<img src=a>", "x"),
]


@pytest.mark.parametrize("text", [*BLANK, *NOT_BLANK])
def test_a_field_is_blank_where_anki_says_so(desk: Desk, text: str) -> None:
    """A blank field makes no card and shows no section."""
    for note_type in NOTE_TYPES:
        for fields in ({"Question": text}, {"Question": "{{c1::a}}", "Hint": text, "Reverse": "x"}):
            judge(desk, note_type, fields)
    (one,) = faces(note({"Question": text}), notetype(Kind.BASIC))
    assert ("The front of this card is blank" in one.front) == (text in BLANK)


# Any template

_PARTS = st.sampled_from(
    [
        *("{{Question}}", "{{{Answer}}}", "{{ Hint }}", "{{cloze:Answer}}", "{{type:Answer}}"),
        *("{{FrontSide}}", "<!--", "-->", "{ ", "x", "\n", "{{Extra\n}}"),
    ]
)
_SECTION = st.sampled_from(["{{#%s}}%s{{/%s}}", "{{^%s}}%s{{/%s}}", "{{ # %s }}%s{{/ %s}}"])


def _in_sections(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(inner, min_size=1, max_size=3).map("".join)
    return st.builds(
        lambda section, name, text: section % (name, text, name),
        _SECTION,
        st.sampled_from(FIELDS[:3]),
        several,
    )


TEMPLATES = st.lists(st.recursive(_PARTS, _in_sections, max_leaves=6), max_size=4).map("".join)
SHORT = st.sampled_from(["", " ", "<br>", "a", "{{c1::a}}", "{{c2::b::c}} d"])


@given(
    sides=st.tuples(TEMPLATES, TEMPLATES, TEMPLATES, TEMPLATES),
    fields=st.fixed_dictionaries(dict.fromkeys(FIELDS, SHORT)),
)
def test_any_template_is_read_as_anki_reads_it(
    desk: Desk, sides: tuple[str, str, str, str], fields: Mapping[str, str]
) -> None:
    """Two templates of sections, fields and comments show the same, or are refused by both."""
    one, two, one_back, two_back = sides
    templates = (
        Template("One", 0, f"{{{{Question}}}}1{one}", one_back),
        Template("Two", 0, f"2{two}{{{{Extra}}}}", two_back),
    )
    note_type = NoteType(0, repr(sides), is_cloze=False, fields=(), templates=templates, css="")
    try:
        desk.add(note_type)
    except CardTypeError:
        with pytest.raises(TemplateError):
            faces(note(fields), note_type)
    else:
        judge(desk, note_type, fields)


REFUSED = {
    "{{Answers}}": "{{Answers}} is not known",
    "{{}}": "{{}} is not known",
    "{{Tags}}": "{{Tags}} is not known",
    "{{hint:Answer}}": "{{hint:Answer}} is not known",
    "{{type:cloze:Answer}}": "{{type:cloze:Answer}} is not known",
    "{{#FrontSide}}a{{/FrontSide}}": "{{#FrontSide}} is not known",
    "{{#Answer}}a": "{{#Answer}} is not closed",
    "a{{/Answer}}": "{{/Answer}} closes a section that is not the open one",
    "a{{/}}": "{{/}} closes a section that is not the open one",
    "{{#Answer}}{{^Hint}}{{/Answer}}": "{{/Answer}} closes a section that is not the open one",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_template_that_is_not_known_is_named(text: str) -> None:
    """The note type, the template and the side are in the message, on whichever side it is."""
    for front, back, side in ((text, "", "front"), ("{{Question}}", text, "back")):
        templates = (Template("First", 0, "{{Question}}", ""), Template("Second", 0, front, back))
        note_type = NoteType(0, "Mine", is_cloze=False, fields=(), templates=templates, css="")
        with pytest.raises(TemplateError) as refusal:
            faces(note({"Question": "a"}), note_type)
        assert str(refusal.value) == f"Mine, Second, {side}: {REFUSED[text]}"


def test_marks_of_sounds_and_latex_stay() -> None:
    """Nothing is lost that a page needs to play or to draw them."""
    marks = "[sound:a.mp3] [latex]a[/latex] [$]b[/$] [anki:tts lang=en_US]c[/anki:tts]"
    (one,) = faces(note({"Question": marks}))
    assert one.front == f'<section class="question">{marks}</section>\n\n'
