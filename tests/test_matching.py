"""How cards are known again: likeness, what is clear, and the numbers of deletions."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from projects import identified, project, remembered

from verideck.history import matching
from verideck.history.likeness import alike, features, sketch, sketched
from verideck.history.lock import Lock
from verideck.history.matching import ENOUGH
from verideck.history.numbering import Past, numbered
from verideck.history.recognise import recognise
from verideck.history.scope import Scope
from verideck.model import ClozeDeletion
from verideck.problems import Problems

# Likeness

SAME = [
    ("What does a softmax subtract first?", "What does the softmax subtract at first?"),
    ("为什么要除以根号 d_k？", "为什么点积要除以根号 d_k？"),
    ("为什么Q和K使用不同的权重矩阵生成", "为什么 Q 和 K 要用不同的权重矩阵来生成？"),
    ("def layer_norm(x, eps): return x / eps", "def layerNorm(x, eps=1e-5): return x / eps"),
]
"""Reworded, in English, in Chinese, and in code."""
OTHER = [
    ("What does a softmax subtract first?", "What does LayerNorm normalise over?"),
    ("为什么要除以根号 d_k？", "为什么使用多头注意力？"),
    ("残差连接有什么作用", "位置编码有哪些方法"),
    ("def layer_norm(x, eps): return x / eps", "class Attention: heads = 8; dim = 64"),
]


def test_what_is_reworded_is_liker_than_what_is_another_question() -> None:
    """Whatever the language."""
    same = [alike(features(one), features(other)) for one, other in SAME]
    other = [alike(features(one), features(other)) for one, other in OTHER]
    assert min(same) > max(other) + 0.2


ANY = st.text(max_size=80)


@given(ANY, ANY)
def test_likeness_is_a_share(one: str, other: str) -> None:
    """From 0 to 1, the same both ways, and 1 for what is the same and says anything."""
    found = alike(features(one), features(other))
    assert 0 <= found <= 1
    assert found == alike(features(other), features(one))
    assert alike(features(one), features(one)) == bool(features(one))


@given(ANY)
def test_a_short_text_is_kept_whole(text: str) -> None:
    """A sketch of few words holds all of their hashes."""
    if len(features(text)) <= 32:
        assert sketched(sketch(text)) == features(text)


def test_a_sketch_tells_how_alike_long_texts_are() -> None:
    """The estimate from two sketches is near the index of the whole texts."""
    rng = random.Random(0)  # noqa: S311 - no secret
    words = [f"word{number}" for number in range(400)]
    off = []
    for _ in range(60):
        one = rng.sample(words, 200)
        other = [*one[: rng.randrange(200)], *rng.sample(words, 80)]
        whole = len(set(one) & set(other)) / len(set(one) | set(other))
        estimate = alike(sketched(sketch(" ".join(one))), sketched(sketch(" ".join(other))))
        off.append(abs(whole - estimate))
    assert sum(off) / len(off) < 0.09
    assert max(off) < 0.3


# Matching

WORDS = [f"word{number}" for number in range(60)]
HAN = (
    "注意力机制查询键值归一化残差梯度词元批次多头掩码位置编码嵌入方差均值缩放得分解码器旋转偏置权重"
)


def deck(count: int, *, reworded: Sequence[int] = (), start: str = "What is") -> str:
    """Cards in English and Chinese, some with another question and the same answer."""
    rng = random.Random(7)  # noqa: S311 - no secret
    cards = []
    for number in range(count):
        if number % 2:
            ask, tell = "为什么" + "".join(rng.sample(HAN, 8)), "".join(rng.choices(HAN, k=30))
        else:
            ask, tell = " ".join(rng.sample(WORDS, 4)), " ".join(rng.choices(WORDS, k=20))
        asked = "How come:" if number in reworded else start
        cards.append(f"- {asked} {ask} {number}?\n    - {tell}\n")
    return "\n".join(cards)


def test_each_of_many_reworded_cards_is_known(tmp_path: Path) -> None:
    """A hundred new questions among a thousand: all of them find their notes, and no other."""
    made = project(tmp_path, {"a.md": deck(1000)})
    made.build()
    before = {
        entry.identity.guid: entry.identity.answer
        for entry in remembered(made.root).entries.values()
    }
    made.write("cards/a.md", deck(1000, reworded=range(0, 1000, 10)))
    made.build(build_time=1_700_000_060)
    after = {
        entry.identity.guid: entry.identity.answer
        for entry in remembered(made.root).entries.values()
    }
    assert after == before


def test_the_work_does_not_grow_with_the_square(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where every question is another one, each card is compared with a few notes all the same."""
    made = project(tmp_path, {"a.md": deck(600)})
    made.build()
    lock = remembered(made.root)
    made.write("cards/a.md", deck(600, start="Wherefore"))
    compared = 0
    likeness = matching._Content.likeness  # noqa: SLF001 - what is counted

    def counted(one: matching._Content, other: matching._Content) -> float:
        nonlocal compared
        compared += 1
        return likeness(one, other)

    monkeypatch.setattr(matching._Content, "likeness", counted)  # noqa: SLF001
    known, problems = identified(made.cards(), lock, Scope(Path(), is_whole=True), "tests")
    assert problems == []
    assert {card.identity.guid for card in known.values() if card.identity} == set(lock.entries)
    assert compared <= 600 * 24


def test_a_part_of_the_project_takes_no_other_files_notes(tmp_path: Path) -> None:
    """Where only one file is built, what the others hold is neither retired nor anybody else's."""
    answer = "The maximum of all scores of the row, lest an exponential overflows."
    made = project(
        tmp_path, {"a.md": f"- What first?\n    - {answer}\n", "b.md": "- B?\n    - b\n"}
    )
    made.build()
    made.write("cards/b.md", f"- B?\n    - b\n- And what then?\n    - {answer}\n")
    run = made.invoke("build", "cards/b.md", SOURCE_DATE_EPOCH="1700000060")
    assert "since the last build: 1 new, 1 untouched" in run.stdout
    assert not any(entry.retired for entry in remembered(made.root).entries.values())
    assert len(remembered(made.root).entries) == 3


def test_a_question_that_waits_for_its_answer_is_not_gone(tmp_path: Path) -> None:
    """A card that is left out because its answer is being written anew is not retired."""
    made = project(tmp_path, {"a.md": "- What?\n    - This.\n- Who?\n    - She.\n"})
    made.build()
    made.write("cards/a.md", "- What?\n    - This.\n- Who?\n")
    made.build(build_time=1_700_000_060)
    assert not any(entry.retired for entry in remembered(made.root).entries.values())
    made.write("cards/a.md", "- What?\n    - This.\n")
    made.build(build_time=1_700_000_120)
    retired = [entry.retired for entry in remembered(made.root).entries.values()]
    assert sorted(retired) == [False, True]


def test_enough_is_between(tmp_path: Path) -> None:
    """A card that shares its words with no note is new, and one whose answer is long is known."""
    made = project(tmp_path, {"a.md": "- Yes or no?\n    - Yes.\n"})
    made.build()
    made.write("cards/a.md", "- Is a tensor a list?\n    - Yes.\n")
    made.build(build_time=1_700_000_060)
    retired = [entry.retired for entry in remembered(made.root).entries.values()]
    assert sorted(retired) == [False, True]
    assert 0 < ENOUGH < 1


# Numbers

HIDDEN = st.lists(
    st.tuples(st.sampled_from([None, 1, 2, 3]), st.text("abcdefgh", min_size=5, max_size=9)),
    min_size=1,
    max_size=6,
    unique_by=lambda each: each[1],
).map(lambda each: [ClozeDeletion(*one) for one in each])


@given(HIDDEN)
def test_the_same_deletions_have_the_same_numbers(hidden: list[ClozeDeletion]) -> None:
    """At first the written ones; ever after those that they had."""
    numbers, texts = numbered(hidden, Past())
    assert all(
        number == each.number for each, number in zip(hidden, numbers, strict=True) if each.number
    )
    assert numbered(hidden, Past(texts)) == (numbers, texts)


@given(HIDDEN, HIDDEN, st.randoms(use_true_random=False))
def test_a_text_keeps_its_number(
    hidden: list[ClozeDeletion], more: list[ClozeDeletion], rng: random.Random
) -> None:
    """In whichever order, under whichever written numbers, and whatever is hidden beside it."""
    build_lock = [ClozeDeletion(None, each.text) for each in hidden]
    numbers, texts = numbered(build_lock, Past())
    had = {each.text: number for each, number in zip(build_lock, numbers, strict=True)}
    others = [ClozeDeletion(None, each.text) for each in more if each.text not in had]
    later = [*build_lock, *others]
    rng.shuffle(later)
    written = [ClozeDeletion(number, each.text) for number, each in enumerate(later, start=1)]
    for version in (later, written):
        now, known = numbered(version, Past(texts))
        has = {each.text: number for each, number in zip(version, now, strict=True)}
        assert {text: has[text] for text in had} == had
        assert len(set(now)) == len(version)
        assert texts.keys() <= known.keys()


def test_what_was_taken_away_comes_back_to_its_number() -> None:
    """And in between its number is nobody else's."""
    _, texts = numbered([ClozeDeletion(1, "moon"), ClozeDeletion(2, "earth")], Past())
    _, without = numbered([ClozeDeletion(1, "earth")], Past(texts))
    new, with_new = numbered([ClozeDeletion(1, "earth"), ClozeDeletion(2, "galaxy")], Past(without))
    assert new == (2, 3)
    back, _ = numbered([ClozeDeletion(None, "moon"), ClozeDeletion(None, "earth")], Past(with_new))
    assert back == (1, 2)


def test_an_edited_text_keeps_its_number() -> None:
    """If it is like the former one; else it is another text."""
    _, texts = numbered([ClozeDeletion(None, "the moon"), ClozeDeletion(None, "earth")], Past())
    assert numbered(
        [ClozeDeletion(None, "the full moon"), ClozeDeletion(None, "sun")], Past(texts)
    )[0] == (1, 3)


KEPT = {
    "another text in its place": ("==64== for each of ==8==", "==128== for each of ==8==", (1, 2)),
    "of its own number": ("{{c1::64}} for each", "{{c1::128}} for each", (1,)),
    "with a mark for a number": ("{{c1::64}} for each", "==128== for each", (1,)),
    "in code": ("`f({{c1::64}}, 8)` is?", "`f({{c1::128}}, 8)` is?", (1,)),
    "in a formula": ("$d = {{c1::64}}$", "$d = {{c1::h \\cdot k}}$", (1,)),
    "another place": ("==64== for each", "==128== for all", (2,)),
    "two at once": ("==64== of ==8==", "==128== of ==16==", (1, 2)),
    "exchanged": ("==64== of ==8==", "==8== of ==64==", (2, 1)),
    "the same twice": ("==8== heads, ==8== layers", "==8== heads, ==9== layers", (1, 2)),
    "the same twice, the first": ("==8== heads, ==8== layers", "==9== heads, ==8== layers", (1, 2)),
    "numbered backwards": ("{{c2::8}} of {{c1::8}}", "So {{c2::8}} of {{c1::8}}", (2, 1)),
    "counted and written": ("==8== of {{c1::8}}", "So ==8== of {{c1::8}}", (2, 1)),
    "asked for together": (
        "{{c1::a}} and {{c1::b}} {{c2::x}}",
        "{{c1::a}} and {{c1::c}} {{c2::x}}",
        (1, 1, 2),
    ),
    "all of several": ("{{c1::a}} and {{c1::b}}", "{{c1::c}} and {{c1::d}}", (1, 1)),
    "no longer together": ("{{c1::a}} and {{c1::b}}", "{{c1::c}} and {{c2::d}}", (3, 2)),
    "around is bold": ("**so** ==64==", "*so* ==128==", (2,)),
    "reads as it did": ("==n log n== for n items", "==n== for n log n items", (2,)),
    "a sign is another": ("either ==+1==", "never +1 but ==-1==", (2,)),
    "a part is hidden": ("==n log n== for n items", "==log n== levels for n items", (1,)),
    "han": ("==归一化==之后", "先归一化，==再归一==", (2,)),
}


@pytest.mark.parametrize("case", KEPT)
def test_what_is_put_in_a_place_has_its_number(tmp_path: Path, case: str) -> None:
    """If all around is as it was; what can be read now has left its number behind."""
    before, after, numbers = KEPT[case]
    made = project(tmp_path, {"a.md": f"- {before} {{#card .cloze}}\n"})
    made.build()
    made.write("cards/a.md", f"- {after} {{#card .cloze}}\n")
    (card,) = made.cards()
    known, _ = identified([card], remembered(made.root), Scope(Path(), is_whole=True), "tests")
    assert known[card.place].numbers == numbers


def test_a_number_is_not_handed_on_in_three_builds(tmp_path: Path) -> None:
    """Two texts that are the same now keep the numbers that they had when they were not."""
    made = project(tmp_path, {})
    versions = ["==8== of ==9==", "==9== of ==8==", "==8== of ==8==", "Now ==8== of ==8=="]
    numbers = []
    for build_time, text in enumerate(versions):
        made.write("cards/a.md", f"- {text} {{#card}}\n")
        made.build(build_time=1_700_000_000 + build_time)
        (entry,) = remembered(made.root).entries.values()
        numbers.append([number for number, _ in entry.identity.numbers])
    assert numbers == [[1, 2], [2, 1], [2, 1], [2, 1]]


def test_an_outline_that_is_new_needs_no_identity(tmp_path: Path) -> None:
    """It makes no note. A whole card has one, whatever becomes of it."""
    (card,) = project(tmp_path, {"a.md": "## What is it?\n\nThat.\n"}).cards()
    outline = replace(card, is_outline=True)
    scope, problems = Scope(tmp_path, is_whole=True), Problems()
    found = recognise([outline], Lock(), scope, "notes", problems)
    assert found == {card.place: outline}
    (named,) = recognise([card], Lock(), scope, "notes", problems).values()
    assert named.identity
