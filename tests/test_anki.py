"""The real Anki is the judge: it imports what we build, as a learner does, and shows the cards."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model.learner import Learner
from model.shown import back, code, front, seen
from projects import DOT, MOMENT, ROOT, Project, card, own_deck, project

from verideck.history.stamp import RETIRED
from verideck.model import Kind
from verideck.render.note_types import FIELD_IDS, notetype


@pytest.fixture
def learner(tmp_path: Path) -> Iterator[Learner]:
    """Somebody who has nothing yet."""
    one = Learner(tmp_path / "learner")
    yield one
    one.collection.close()


# All kinds of notes at once

CODE = """\
def less(a: int, b: int) -> bool:
    # not <b>bold</b>, not {{Question}}, not $x$, not [sound:a.mp3]
    return a < b and "&lt;" != '{{c1::x}}'


assert less(1, 2)\t# a tab"""

FIRST = r"""---
tags: [every::card]
source: The *book*, §1
---
# Maths & code

## Is 1 < 2 & {{Question}}, [sound:a.mp3], <b>bold</b>? {#basic tags="b a::c" hint="Is $x<y$?"}

It is `a < b && {{c}}`, $\frac{a}{b} < c_{1_2} \& \{x\}$, &lt;b&gt; and *both*.

$$
\begin{aligned}
x &< 1 \\
y &> 2
\end{aligned}
$$

```python
CODE
```

---

Beside it: ![A *red* dot](<../pictures/red dot.png>)

## Both ways? {#both .reversed}

Yes: $y$ ![](../pictures/other.PNG)

## Type it {#typed .type}

`a` < {eval}`6 * 7` && "c"

More.

```python {.check}
assert 6 * 7 == int("42")
```
""".replace("CODE", CODE)

FILES: dict[str, str | bytes] = {
    "one/first.md": FIRST,
    "two.md": "# Two\n\n- The {{c1::moon::where?}} {#cloze}\n- What? {#plain}\n    - So.\n",
    "cards/pictures/red dot.png": DOT,
    "cards/pictures/other.PNG": DOT + b"\0",
}
IDS = ["basic", "both", "typed", "cloze", "plain"]


def test_every_note_arrives(tmp_path: Path, learner: Learner) -> None:
    """All kinds of notes are new, of three note types, with their cards, in the file's order."""
    assert learner.take(project(tmp_path, FILES).build()) == {"new": 5}
    assert [each.note()["Id"] for each in learner.cards()] == [
        "basic",
        "both",
        "both",
        "typed",
        "cloze",
        "plain",
    ]
    kinds = {identity: learner.notes()[identity].note_type() for identity in IDS}
    assert {identity: kind and kind["name"] for identity, kind in kinds.items()} == {
        "basic": "verideck",
        "both": "verideck",
        "typed": "verideck typed",
        "cloze": "verideck cloze",
        "plain": "verideck",
    }
    assert list(learner.collection.get_empty_cards().notes) == []


def test_fields_and_templates_keep_their_ids(tmp_path: Path, learner: Learner) -> None:
    """The ids by which a later field or template is known again are in the collection."""
    learner.take(project(tmp_path, FILES).build())
    for kind in Kind:
        ours = notetype(kind)
        theirs = learner.collection.models.by_name(ours.name)
        assert theirs
        assert theirs["id"] == ours.id
        assert {field["name"]: field["id"] for field in theirs["flds"]} == dict(FIELD_IDS)
        assert [each["id"] for each in theirs["tmpls"]] == [each.id for each in ours.templates]
        assert theirs["css"] == ours.css


def test_note_types_are_those_of_the_first_release() -> None:
    """Names, ids, fields, templates and their order: with any other, Anki updates no note again.

    What is recorded is never edited. Whoever needs another field or template adds a note type.
    """
    recorded = json.loads((ROOT / "tests/data/notetypes.json").read_text(encoding="utf-8"))
    ours = {}
    for each in map(notetype, Kind):
        ours[each.name] = {
            "id": each.id,
            "is_cloze": each.is_cloze,
            "fields": dict(FIELD_IDS),
            "templates": {template.name: template.id for template in each.templates},
        }
    assert json.dumps(ours) == json.dumps(recorded)  # the order counts


def test_decks_and_tags(tmp_path: Path, learner: Learner) -> None:
    """Folders and titles name the decks; tags come from the file and from the question."""
    learner.take(project(tmp_path, FILES).build())
    decks = {deck.name for deck in learner.collection.decks.all_names_and_ids()}
    assert decks == {"Default", "Root", "Root::one", "Root::one::Maths & code", "Root::Two"}
    name = learner.collection.decks.name
    assert name(learner.cards("basic")[0].did) == "Root::one::Maths & code"
    assert name(learner.cards("cloze")[0].did) == "Root::Two"
    tags = {identity: note.tags for identity, note in learner.notes().items()}
    assert tags == {
        "basic": ["a::c", "b", "every::card"],
        "both": ["every::card"],
        "typed": ["every::card"],
        "cloze": [],
        "plain": [],
    }


def test_pictures_arrive(tmp_path: Path, learner: Learner) -> None:
    """Each picture lies in the learner's media folder, byte for byte; none is missing or unused."""
    learner.take(project(tmp_path, FILES).build())
    folder = Path(learner.collection.media.dir())
    basic, both = back(learner.cards("basic")[0]), back(learner.cards("both")[0])
    for html, content in ((basic, DOT), (both, DOT + b"\0")):
        (name,) = re.findall(r'<img src="([^"]+)"', html)
        assert (folder / name).read_bytes() == content
    assert 'alt="A *red* dot"' in basic or 'alt="A red dot"' in basic
    assert len(list(folder.iterdir())) == 2
    checked = learner.collection.media.check()
    assert (list(checked.missing), list(checked.unused)) == ([], [])


def test_a_card_says_what_its_author_wrote(tmp_path: Path, learner: Learner) -> None:
    """Text, maths and code are on the card to the letter, though they look like HTML or Anki's."""
    learner.take(project(tmp_path, FILES).build())
    (shown,) = learner.cards("basic")
    question = "Is 1 < 2 & {{Question}}, [sound:a.mp3], bold?"
    assert seen(front(shown)) == rf"{question} Hint Is \(x<y\)?"
    answer = seen(back(shown))
    assert answer.startswith(question)
    assert r"It is a < b && {{c}}, \(\frac{a}{b} < c_{1_2} \& \{x\}\), <b> and both." in answer
    assert r"\[\begin{aligned} x &< 1 \\ y &> 2 \end{aligned}\]" in answer
    assert "<em>both</em>" in back(shown)
    assert code(back(shown)) == [CODE]
    assert answer.endswith("Beside it: ✓ 1 assertion held The book, §1")
    assert "<em>book</em>" in back(shown)
    assert shown.question_av_tags() == shown.answer_av_tags() == []


def test_a_reversed_card_asks_for_its_question(tmp_path: Path, learner: Learner) -> None:
    """The second card shows the answer and asks which question it answers."""
    learner.take(project(tmp_path, FILES).build())
    first, second = learner.cards("both")
    assert (seen(front(first)), seen(back(first))) == (
        "Both ways?",
        r"Both ways? Yes: \(y\) The book, §1",
    )
    assert seen(front(second)) == r"Yes: \(y\)"
    assert seen(back(second)).startswith(r"Yes: \(y\) Both ways?")
    assert len(learner.cards("plain")) == 1


def test_a_typed_answer_is_compared(tmp_path: Path, learner: Learner) -> None:
    """Anki puts its input where the template asks for it, and finds what was asked for right."""
    learner.take(project(tmp_path, FILES).build())
    (shown,) = learner.cards("typed")
    assert "[[type:Answer]]" in front(shown)
    assert "[[type:Answer]]" in back(shown)
    assert "More. ✓ 1 assertion held assert 6 * 7" in seen(back(shown))
    expected = shown.note()["Answer"]
    typed = 'a < 42 && "c"'
    right = learner.collection.compare_answer(expected, typed)
    assert re.fullmatch(r"<code id=typeans><span class=typeGood>([^<>]*)</span></code>", right)
    assert unescape(re.sub("<[^>]*>", "", right)) == typed
    assert "typeBad" in learner.collection.compare_answer(expected, "a > 42 && c")


# Deletions

CLOZES: dict[str, tuple[str, str, dict[int, tuple[str, str]]]] = {
    "text": ("The {{c1::moon}}!", "The moon!", {1: ("moon", "...")}),
    "hint": ("The {{c1::moon::at <n> & {x}}}!", "The moon!", {1: ("moon", "at <n> & {x}")}),
    "raw": ("{{c1::a < b & c}} <i>", "a < b & c <i>", {1: ("a < b & c", "...")}),
    "braces": ("A {{c1::{{1}, {2}}}} and {", "A {{1}, {2}} and {", {1: ("{{1}, {2}}", "...")}),
    "colons in code": ("{{c1::`std::cout`}}!", "std::cout!", {1: ("std::cout", "...")}),
    "braces in code": ("{{c1::`f{{x}}`}}, `}}`", "f{{x}}, }}", {1: ("f{{x}}", "...")}),
    "within code": (
        "`a[{{c1::::2}}] = {{c2::{1: {}}}}`",
        "a[::2] = {1: {}}",
        {1: ("::2", "..."), 2: ("{1: {}}", "...")},
    ),
    "around maths": (
        r"{{c1::$\frac{a}{\sqrt{b}}$}} < $c$",
        r"\(\frac{a}{\sqrt{b} } \) < \(c\)",
        {1: (r"\sqrt{b}", "...")},
    ),
    "colons in maths": ("{{c1::$a::b$}} c", r"\(a: :b\) c", {1: ("a: :b", "...")}),
    "within maths": (
        r"$\frac{ {{c1::a^{2}::top}} }{ {{c2::\sqrt{d_{k}}}} }$",
        r"\(\frac{ a^{2} }{ \sqrt{d_{k} } }\)",
        {1: ("a^{2}", "top"), 2: (r"\sqrt{d", "...")},
    ),
    "nested": (
        "{{c1::The {{c2::inner::in}} and}} outer",
        "The inner and outer",
        {1: ("inner", "..."), 2: ("inner", "in")},
    ),
    "nested thrice": (
        "{{c1::a {{c2::b {{c3::c}} `}}`}} d}}",
        "a b c }} d",
        {1: ("b", "..."), 2: ("c", "..."), 3: ("c", "...")},
    ),
    "apart": (
        "{{c3::one}} {{c1::two}} {{c3::three}}",
        "one two three",
        {3: ("one", "..."), 1: ("two", "...")},
    ),
    "emphasis": (
        "{{c1::**very** `x`}} *{{c2::so}}*",
        "very x so",
        {1: ("very", "..."), 2: ("so", "...")},
    ),
    "short": ("==one== and {{c1::two}}", "one and two", {2: ("one", "..."), 1: ("two", "...")}),
    "escaped": (r"\{{c7::no}} {{c1::yes}} \==no==", "{{c7::no}} yes ==no==", {1: ("yes", "...")}),
    "like a sound": (
        "{{c1::[sound:a.mp3]}} [latex]x[/latex]",
        "[sound:a.mp3] [latex]x[/latex]",
        {1: ("sound", "...")},
    ),
}
"""Markdown, what it says, and for each number what is hidden and what stands in its place."""


@pytest.mark.parametrize("name", CLOZES)
def test_a_deletion_hides_and_shows(tmp_path: Path, learner: Learner, name: str) -> None:
    """The front hides what is asked for and nothing else; the back shows all, as it was written."""
    written, whole, hidden = CLOZES[name]
    words = "{#one .cloze}" if name == "within code" else "{#one}"
    learner.take(project(tmp_path, {"a.md": f"## {written} {words}\n"}).build())
    cards = learner.cards("one")
    assert [shown.ord + 1 for shown in cards] == sorted(hidden)
    for shown in cards:
        secret, instead = hidden[shown.ord + 1]
        assert secret in whole
        assert secret not in seen(front(shown))
        assert f"[{instead}]" in seen(front(shown))
        assert seen(back(shown)) == whole
        others = [each for number, (each, _) in hidden.items() if number != shown.ord + 1]
        assert "nested" in name or all(each in seen(front(shown)) for each in others)
    assert list(learner.collection.get_empty_cards().notes) == []


CLOZE_CODE = """\
counts = {{c1::{"a": {"b": 1}}::a dict of dicts}}
half = list(range(8))[{{c2::::2}}]
assert {{c3::half == [0, 2, 4, 6] and "<&>" and counts["a"] == {"b": 1}}}"""
PLAIN_CODE = """\
counts = {"a": {"b": 1}}
half = list(range(8))[::2]
assert half == [0, 2, 4, 6] and "<&>" and counts["a"] == {"b": 1}"""


def test_deletions_in_executed_code(tmp_path: Path, learner: Learner) -> None:
    """Code is run without its marks; each front hides one stretch, through its highlighting."""
    text = card("one", CLOZE_CODE).replace("{#one}", "{#one .cloze}")
    learner.take(project(tmp_path, {"a.md": text}).build())
    cards = learner.cards("one")
    assert [shown.ord for shown in cards] == [0, 1, 2]
    for shown, secret, instead in zip(
        cards,
        ('{"a": {"b": 1}}', "::2", 'half == [0, 2, 4, 6] and "<&>" and counts["a"] == {"b": 1}'),
        ("[a dict of dicts]", "[...]", "[...]"),
        strict=True,
    ):
        assert code(front(shown)) == [PLAIN_CODE.replace(secret, instead, 1)]
        assert code(back(shown)) == [PLAIN_CODE]


PROSE = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Co", "Cn", "Z", "M"]),
    min_size=1,
    max_size=12,
)
WORDS = st.lists(PROSE, min_size=1, max_size=3).map(" ".join)


def escaped(text: str) -> str:
    """Markdown that says the text: whatever might be a mark has a backslash before it.

    With one, brackets are those of maths.
    """
    return re.sub(
        r"([()\[\]])|([!-/:-@\\^-`{-~])",
        lambda found: f"&#{ord(found[1])};" if found[1] else f"\\{found[2]}",
        text,
    )


@given(texts=st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=4, max_size=12))
@settings(max_examples=15)
def test_any_text_is_shown_and_hidden(
    tmp_path_factory: pytest.TempPathFactory, texts: list[tuple[str, str, str]]
) -> None:
    """Whatever characters a text is made of, Anki shows it in prose and code, and hides it."""
    folder = tmp_path_factory.mktemp("any")
    written = "".join(
        f"## n{number}: {escaped(before)} {{{{c1::{escaped(hidden)}}}}} {escaped(behind)} "
        f"{{#n{number}}}\n\n{escaped(behind)}\n\n``````text\n{hidden}\n``````\n\n"
        for number, (before, hidden, behind) in enumerate(texts)
    )
    made = project(folder, {"a.md": written})
    reader = Learner(folder / "learner")
    try:
        assert reader.take(made.build()) == {"new": len(texts)}
        for number, (before, hidden, behind) in enumerate(texts):
            (shown,) = reader.cards(f"n{number}")
            assert seen(front(shown)) == normal(f"n{number}: {before} [...] {behind}")
            assert seen(back(shown)) == normal(
                f"n{number}: {before} {hidden} {behind} {behind} {hidden}"
            )
    finally:
        reader.collection.close()


def normal(text: str) -> str:
    """Text as Anki keeps it."""
    return unicodedata.normalize("NFC", text)


# Again and again


def test_the_same_package_again_changes_nothing(tmp_path: Path, learner: Learner) -> None:
    """A second import finds everything there; a third, of a build made later, too."""
    made = project(tmp_path, FILES)
    package = made.build()
    learner.take(package)
    before = {identity: (note.id, note.fields) for identity, note in learner.notes().items()}
    assert learner.take(package) == {"duplicate": 5}
    assert set(learner.take(made.build(build_time=MOMENT + 60))) <= {"duplicate", "updated"}
    after = {identity: (note.id, note.fields) for identity, note in learner.notes().items()}
    assert after == before
    names = [each.name for each in learner.collection.models.all_names_and_ids()]
    assert sorted(name for name in names if "verideck" in name) == sorted(
        notetype(kind).name for kind in Kind
    )


def test_an_edit_arrives_in_place(tmp_path: Path, learner: Learner) -> None:
    """An edited answer reaches the note that was studied; nothing is doubled, no review lost."""
    made = project(tmp_path, FILES)
    learner.take(made.build())
    studied = {identity: learner.study(identity) for identity in IDS}
    numbers = {identity: note.id for identity, note in learner.notes().items()}
    made.write("cards/one/first.md", FIRST.replace("It is `a", "It was `a").replace("Yes:", "No:"))
    learner.take(made.build(build_time=MOMENT + 60))
    assert {identity: note.id for identity, note in learner.notes().items()} == numbers
    assert "It was a < b" in seen(back(learner.cards("basic")[0]))
    (reverse,) = [each for each in learner.cards("both") if each.ord == 1]
    assert "No:" in seen(front(reverse))
    for identity, shown in studied.items():
        now = learner.collection.get_card(shown.id)
        assert (now.note()["Id"], now.due, now.ivl, now.reps) == (
            identity,
            shown.due,
            shown.ivl,
            1,
        )
        assert now.ivl > 0


EDITS: dict[str, Callable[[Project], object]] = {
    "renamed": lambda made: move(made, "two.md", "zwei.md"),
    "moved": lambda made: move(made, "two.md", "deep/er/two.md"),
    "retitled": lambda made: replaced(made, "# Two", "# Deux"),
    "reworded": lambda made: replaced(made, "What? {#plain}", "Which, then? {#plain}"),
    "another form": lambda made: made.write(
        "cards/two.md",
        "# Two\n\n## The {{c1::moon::where?}} {#cloze}\n\n## What? {#plain}\n\nSo.\n",
    ),
    "reordered": lambda made: made.write(
        "cards/two.md",
        "# Two\n\n- What? {#plain}\n    - So.\n- The {{c1::moon::where?}} {#cloze}\n",
    ),
    "retagged": lambda made: replaced(made, "{#plain}", '{#plain tags="new"}'),
    "another deck": lambda made: replaced(made, "# Two", "---\ndeck: Other::Deck\n---"),
    "more cards above": lambda made: replaced(
        made, "# Two\n\n", "# Two\n\n- New? {#new}\n    - Yes.\n"
    ),
    "a deletion more": lambda made: replaced(made, "The {{c1", "{{c2::Only}} the {{c1"),
}


def move(made: Project, old: str, new: str) -> None:
    """Move a file of the cards."""
    target = made.root / "cards" / new
    target.parent.mkdir(parents=True, exist_ok=True)
    (made.root / "cards" / old).rename(target)


def replaced(made: Project, old: str, new: str) -> None:
    """Edit the second file."""
    file = made.root / "cards/two.md"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("name", EDITS)
def test_a_card_with_an_id_stays_itself(tmp_path: Path, learner: Learner, name: str) -> None:
    """Whatever an author does around an id, guid, note and cards stay, and so do the reviews."""
    made = project(tmp_path, {"two.md": FILES["two.md"]})
    learner.take(made.build())
    shown = learner.study("plain")
    before = {key: (note.guid, note.id, note.card_ids()) for key, note in learner.notes().items()}
    EDITS[name](made)
    learner.take(made.build(build_time=MOMENT + 60))
    after = {key: (note.guid, note.id, note.card_ids()) for key, note in learner.notes().items()}
    for key, (guid, number, cards) in before.items():
        assert after[key][:2] == (guid, number)
        assert set(cards) <= set(after[key][2])
    assert set(after) - set(before) == ({"new"} if name == "more cards above" else set())
    now = learner.collection.get_card(shown.id)
    assert (now.note()["Id"], now.ivl, now.due) == ("plain", shown.ivl, shown.due)
    assert list(learner.collection.get_empty_cards().notes) == []


def test_a_note_that_was_deleted_finds_its_reviews(tmp_path: Path, learner: Learner) -> None:
    """Ids follow from the guid: who imports a note again gets the same note and cards."""
    package = project(tmp_path, FILES).build()
    learner.take(package)
    shown = learner.study("plain")
    learner.collection.remove_notes([shown.nid])
    assert learner.take(package) == {"new": 1, "duplicate": 4}
    again = learner.cards("plain")[0]
    assert (again.id, again.nid) == (shown.id, shown.nid)
    reviews = learner.collection.card_stats_data(again.id).revlog
    assert len(reviews) == 1


def test_a_learners_own_edit_survives_an_old_package(tmp_path: Path, learner: Learner) -> None:
    """What is no newer than the learner's edit does not overwrite it."""
    package = project(tmp_path, FILES).build()
    learner.take(package)
    note = learner.notes()["plain"]
    note["Answer"] = "mine"
    learner.collection.update_note(note)
    assert learner.take(package) == {"duplicate": 5}
    assert learner.notes()["plain"]["Answer"] == "mine"


def test_two_projects_do_not_meet(tmp_path: Path, learner: Learner) -> None:
    """The same id in another project is another note, of the same note types."""
    one = project(tmp_path / "one", FILES)
    text = (one.root / "pyproject.toml").read_text(encoding="utf-8").replace('"tests"', '"others"')
    two = project(tmp_path / "two", FILES, text)
    assert learner.take(one.build()) == {"new": 5}
    assert learner.take(two.build()) == {"new": 5}
    assert learner.collection.note_count() == 10


# The deck of this repository


@pytest.mark.torch
@pytest.mark.xdist_group("deck")
def test_the_own_deck_arrives(tmp_path: Path, learner: Learner) -> None:
    """Every note of the deck is in Anki as it was built, and every card can be asked."""
    pytest.importorskip("torch")
    checked = own_deck()
    package = tmp_path / "deck.apkg"
    built = Project(ROOT).package(checked, str(package), locked=True)
    assert learner.take(package) == {"new": len(checked.notes) + built.retired}
    there = learner.notes()
    for note in checked.notes:
        assert there[note.fields["Id"]].guid == note.identity.guid
        assert dict(there[note.fields["Id"]].items()) == {
            name: normal(text) for name, text in note.fields.items()
        }
        assert set(there[note.fields["Id"]].tags) == set(note.tags)
    # Of a retired note, which has no card, the check of the database made one.
    cards = [shown for shown in learner.cards() if RETIRED not in shown.note().tags]
    order = [shown.note()["Id"] for shown in cards if shown.ord == 0]
    assert order == [note.fields["Id"] for note in checked.notes]
    for shown in cards:
        assert seen(front(shown))
        assert "front of this card is blank" not in front(shown)
        assert len(seen(back(shown))) > len(seen(front(shown)))
    assert list(learner.collection.get_empty_cards().notes) == []
    media = learner.collection.media.check()
    # Whoever has learned a retired note has its pictures; nobody else is shown it.
    asked = "".join(field for shown in cards for field in shown.note().fields)
    assert [name for name in media.missing if name in asked] == []
    assert list(media.unused) == []
