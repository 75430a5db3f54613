"""What holds of the forms of other tools: ids come back, places are true, Anki shows the cards."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model.learner import Learner
from model.shown import front, seen
from projects import SETTINGS, Project, project
from spec_cases import SPEC, Case, cases

import verideck
from verideck import markdown
from verideck.markdown import cloze
from verideck.model import Card, Kind, Passage, Place, Source
from verideck.source.cards import cards_of
from verideck.source.config import SourceConfig
from verideck.source.syntaxes import SYNTAXES
from verideck.source.syntaxes.deletions import CURLY, Marks, hidden, shown

TOOLS = cases(SPEC / "tools.md")
MARKS = re.compile(r"\{\{|<!--|~~|#card|#flashcards|START")
"""Matches what no learner is to see."""


def made(case: Case, folder: Path) -> Project:
    """The project that a case gives."""
    case.write(folder)
    return project(folder, {}, f"{SETTINGS}verify = false\n")


def said(card: Card) -> tuple[object, ...]:
    """What a card says, without its id and its places."""
    answer = card.answer.text if card.answer else ""
    return card.question.text, answer, card.kind, card.reverse, card.tags, card.deck


def cards(found: Project) -> list[Card]:
    """The cards that are found, whatever is told of others."""
    return [each for each in found.parsed() if isinstance(each, Card)]


@pytest.mark.parametrize("case", TOOLS, ids=lambda case: case.heading)
def test_an_id_is_written_and_read_back(case: Case, tmp_path: Path) -> None:
    """In a place of the form's own or behind the question, and nothing else of a card changes."""
    found = made(case, tmp_path)
    before = cards(found)
    assert before
    with verideck.Project.open(tmp_path) as opened:
        named = opened.assign_ids()
        assert len(named) == sum(not card.id for card in before)
        assert opened.assign_ids() == []
    after = cards(found)
    assert list(map(said, after)) == list(map(said, before))
    assert all(card.id for card in after)
    assert [card.id for card in after if not card.id_slot] == []
    kept = {card.id for card in before if card.id}
    assert kept <= {card.id for card in after}


@pytest.mark.parametrize("case", TOOLS, ids=lambda case: case.heading)
def test_anki_asks_for_what_was_meant(case: Case, tmp_path: Path) -> None:
    """As many cards as each note says, hidden what is to be hidden, and no mark of a tool's."""
    made_of = made(case, tmp_path)
    meant = cards(made_of)
    learner = Learner(tmp_path / "learner")
    try:
        assert learner.take(made_of.build()) == {"new": len(meant)}
        asked = learner.cards()
        fronts = [seen(front(each)) for each in asked]
    finally:
        learner.collection.close()
    assert len(asked) == sum(map(count, meant))
    assert all(fronts)
    assert [each for each in fronts if MARKS.search(each)] == []
    assert sum("[" in each for each in fronts) >= sum(
        count(each) for each in meant if each.kind is Kind.CLOZE
    )


def count(card: Card) -> int:
    """How many cards Anki makes of a note."""
    if card.kind is Kind.CLOZE:
        numbers = {each.number for each in card.deletions if each.number is not None}
        return len(numbers) + sum(each.number is None for each in card.deletions)
    return 1 + card.reverse


# In which form a file is read

FORMS = {
    "heading.md": ("## a\n\nb\n\n- c\n  - d\n", "1 card by heading, as there is a `## heading`"),
    "sr.md": ("#flashcards\n\na::b\nc::d\n", "2 cards by spaced-repetition, as there is a"),
    "named.md": (
        "---\nsyntax: list\n---\n- a\n  - b\n\n## c\n\nd\n",
        "; there would be 1 card by h",
    ),
    "none.md": ("Just text.\n", "cards/none.md: no form of cards fits"),
}


def test_check_says_in_which_form_a_file_is_read(tmp_path: Path) -> None:
    """And why, and how many cards another one would find; of files that are named alone."""
    made_of = project(tmp_path, {name: text for name, (text, _) in FORMS.items()})
    for name, (_, told) in FORMS.items():
        checked = made_of.invoke("check", "--no-verify", f"cards/{name}").stdout
        assert checked.startswith(f"cards/{name}: ")
        assert told in checked.split("\n")[0]
    assert "heading.md" not in made_of.invoke("check", "--no-verify").stdout
    of_folder = made_of.invoke("check", "--no-verify", "cards").stdout.split("\n")
    assert of_folder[:4] == [
        "1 file: 1 card by heading",
        "1 file: 1 card by list",
        "1 file: 2 cards by spaced-repetition",
        "1 file: no form of cards fits",
    ]
    as_json = made_of.invoke("check", "--no-verify", "--format", "json", "cards", "cards/named.md")
    forms = {each.pop("path"): each for each in json.loads(as_json.stdout)["forms"]}
    assert forms["cards/none.md"] == {"form": None, "reason": None, "cards": 0}
    assert forms["cards/named.md"] == {
        "form": "list",
        "reason": "`syntax` says so",
        "cards": 1,
        "others": {"heading": 1},
    }
    assert made_of.invoke("check", "--no-verify", "-q", "cards/sr.md").stdout == ""


def test_the_caller_may_name_the_form(tmp_path: Path) -> None:
    """It holds for the files that name none, whatever is set for their folder."""
    text = "## a\n\nb\n\n- c\n  - d\n"
    listed = f'{SETTINGS}[tool.verideck.folders."cards"]\nsyntax = "heading"\n'
    made_of = project(tmp_path, {"a.md": text, "b.md": f"---\nsyntax: qa\n---\n{text}"}, listed)
    checked = made_of.invoke("check", "--no-verify", "--syntax", "list", "cards/a.md", "cards/b.md")
    told = checked.stdout.split("\n")
    assert told[0].startswith("cards/a.md: 1 card by list")
    assert told[1].startswith("cards/b.md: 0 cards by qa")
    refused = made_of.invoke("check", "--syntax", "lists")
    assert (refused.returncode, "there is no syntax 'lists'" in refused.stderr) == (2, True)
    with verideck.Project.open(made_of.root, verify=False, syntax="list") as opened:
        assert [each.name for each in opened.check().forms] == ["list", "qa"]
    with pytest.raises(ValueError, match="there is no syntax 'lists'"):
        verideck.Project.open(made_of.root, syntax="lists")


# Any text

WRITTEN = r"""
    #flashcards #flashcards/a :: ::: ? ?? +++ <!--SR:!2--> ==a== {{b}} {{1::c}} {{c1::d}} {{ }} a
    word -· ···-· 1. # ### > ``` `x::y` $a$ $$ START END Basic Cloze Back: Front: Text: Tags: 文
    <!--ID:·12--> ID:·3 STARTI·[Basic] ENDI TARGET·DECK FILE·TAGS:·a DELETE {x} {1:y} #card {#id}
    #[[a·b]] id::·7 collapsed::·true tags::·a,·[[b/c]] deck::·d direction::·<-> {{cloze·x}} <!-- -->
    <details> <summary> </summary> </details> 1.·###· C: Q: A: [x] % [#a]() `{=:a:=}`
    (66b3661f-e22e-4986-a50d-569fdac454ad) (750441971) Subdeck:
    {{cloze·x\\y}} {{c2·z}} --- *** === ~~a~~ ~~1·b~~ ~~c·_d_~~ ~~ |a|b| |-|-|
"""
"""The marks of these tools, with a dot for each blank in them."""
PIECES = st.sampled_from(WRITTEN.split())
TEXTS = st.lists(st.tuples(PIECES, st.sampled_from(["", " ", "\n", "\n\n", "\n  "])), max_size=25)


@pytest.mark.parametrize("syntax", [name for name, each in SYNTAXES.items() if name != "qa"])
@given(TEXTS)
def test_any_text_of_a_tool_has_its_places(syntax: str, texts: list[tuple[str, str]]) -> None:
    """Whatever its marks stand beside, all that is read and told is somewhere in the file."""
    body = "".join(piece.replace("·", " ") + behind for piece, behind in texts)
    text = f"---\nsyntax: {syntax}\n---\n{body}"
    lines = text.split("\n")
    found = cards_of(Source("a.md", text), SourceConfig(Path("/nowhere"), "deck"))
    places = [each.place for each in found.problems]
    for card in found.cards:
        places += [card.id_slot.place] if card.id_slot else []
        for passage in filter(None, (card.question, card.answer)):
            places += (passage.at(n, 0) for n in range(passage.text.count("\n") + 1))
    for place in places:
        assert 1 <= place.line <= len(lines), place
        assert 1 <= place.column <= len(lines[place.line - 1]) + 1, place


# The parts that the forms share

WORDS = st.sampled_from(["a", "two words", "std::x", "*b*", "`{no}`", "$\\{n\\}$", "x\ny", "、文"])
HIDDEN = st.sampled_from(["text", "two words", "a::b", "`{x}`", "$\\frac{a}{b}$", "**bold**", "文"])

NUMBERS = st.sampled_from(["", "1:", "2|", "c3:", "c1|"])


@given(st.lists(st.tuples(WORDS, HIDDEN, NUMBERS), max_size=5))
def test_what_is_hidden_in_another_tools_marks_is_hidden(
    pieces: list[tuple[str, str, str]],
) -> None:
    """All of it and nothing else, and without the marks all can be read."""
    text = " ".join(f"{word} {{{number}{secret}}}" for word, secret, number in pieces)
    passage = Passage(text, Place("a.md", 7, 3), (2,))
    (ours,) = hidden([passage], CURLY)
    found = cloze.deletions(markdown.walk(markdown.parse(ours).tokens), in_code=False)
    assert [each.hint for each in found] == [""] * len(pieces)
    assert [each.text for each in found] == [bare(secret) for _, secret, _ in pieces]
    plain = shown(passage, CURLY).text
    assert plain == " ".join(f"{word} {secret}" for word, secret, _ in pieces)
    for each, (_, _, number) in zip(found, pieces, strict=True):
        assert not number or each.number == int(number.strip("c:|"))


def bare(markdown_text: str) -> str:
    """The text of a piece of Markdown, without its marks."""
    return markdown_text.strip("*`").replace("$", "")


MACRO = Marks(re.compile(r"\{\{(?:cloze|c(?P<number>\d{1,3})) "), "}}", cues=("\\\\",))
LINES = st.lists(st.text(st.sampled_from("ab {}"), max_size=4), min_size=1, max_size=8)


@given(LINES, st.sets(st.integers(0, 7)), st.integers(0, 5))
def test_a_passage_without_some_lines_keeps_the_places_of_the_others(
    lines: list[str], dropped: set[int], column: int
) -> None:
    """Each line that is left is told where it stands in the file."""
    passage = Passage("\n".join(lines), Place("a.md", 3, column + 1), (column,))
    left = passage.lacking(dropped)
    kept = [(n, line) for n, line in enumerate(lines) if n not in dropped]
    if left is None:
        assert not any(line.strip() for _, line in kept)
        return
    full = [n for n, (_, line) in enumerate(kept) if line.strip()]
    kept = kept[full[0] : full[-1] + 1]
    assert left.text.split("\n") == [line for _, line in kept]
    assert left.place == left.at(0, 0)
    for number, (written, line) in enumerate(kept):
        for position in range(len(line)):
            assert left.at(number, position) == passage.at(written, position)


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("a {{cloze b}} c", "a {{c1::b}} c"),
        ("{{c2 a}} {{cloze b}} {{c2 c}}", "{{c2::a}} {{c1::b}} {{c2::c}}"),
        ("{{cloze a\\\\cue}}", "{{c1::a::cue}}"),
        ("{{c1::a}} {{cloze b}}", "{{c1::a}} {{c2::b}}"),
        (
            "`{{cloze a}}` $x{{cloze b}}$ \\{{cloze c}}",
            "`{{cloze a}}` $x{{cloze b}}$ \\{{cloze c}}",
        ),
        ("{{cloze a\n\nb}} {{cloze  }} {{cloze c", "{{cloze a\n\nb}} {{cloze  }} {{cloze c"),
    ],
)
def test_marks_are_read_where_they_hide(text: str, ours: str) -> None:
    """Not in code, not in maths, not over the end of a block, and not around nothing."""
    (found,) = hidden([Passage(text, Place("a.md"))], MACRO)
    assert found.text == ours
