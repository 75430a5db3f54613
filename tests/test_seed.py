"""Somebody's real notes, as they stand: eleven questions in a list, two of them unanswered."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from projects import Project, project

from verideck import markdown
from verideck.model import Card, Kind, Role
from verideck.problems import Code, Problem, Severity

NOTES = Path(__file__).parent / "data" / "transformer-notes.md"

QUESTIONS = {
    1: "Transformer为什么使用多头注意力机制",
    3: "Transformer为什么Q和K使用不同的权重矩阵生成，为何不能使用同一个值进行自身的点乘?",
    5: "Transformer计算attention的时候为何选择点乘而不是加法?两者计算复杂度和效果上有什么区别?",
    15: "为什么在进行softmax之前需要对attention进行scaled，并使用公式推导进行讲解",
    24: "在计算attention score的时候如何对padding做mask操作",
    25: "为什么在进行多头注意力的时候需要对每个head进行降维?",
    34: "大概讲-下Transformer的Encoder模块和Decoder模块?",
    35: "简单介绍-下Transformer的位置编码?有什么意义和优缺点",
    37: "你还了解哪些关于位置编码的技术，各自的优缺点是什么?",
    39: "简单讲-下Transformer中的残差结构以及意义",
    42: "为什么transformer块使用LayerNorm而不是BatchNorm，谈一谈LN，BN, RMS Norm",
}
"""By the line on which each stands."""

UNANSWERED = (24, 34)


@pytest.fixture
def notes(tmp_path: Path) -> Project:
    """The notes as the only file of a project."""
    return project(tmp_path, {"notes.md": NOTES.read_bytes()})


def found(notes: Project) -> tuple[dict[int, Card], list[Problem]]:
    """The cards by their lines, and what is told."""
    each = notes.parsed()
    cards = {card.place.line: card for card in each if isinstance(card, Card)}
    return cards, [problem for problem in each if isinstance(problem, Problem)]


def test_the_eleven_questions_are_found(notes: Project) -> None:
    """Each has its own words and its own line; those that have no answer are named."""
    cards, problems = found(notes)
    answered = {line: text for line, text in QUESTIONS.items() if line not in UNANSWERED}
    assert {line: card.question.text for line, card in cards.items()} == answered
    assert [(each.code, each.severity, str(each.place)) for each in problems] == [
        (Code.ANSWER_MISSING, Severity.WARNING, f"cards/notes.md:{line}:3") for line in UNANSWERED
    ]
    lines = NOTES.read_text(encoding="utf-8").split("\n")
    for card in cards.values():
        assert str(card.place) == f"cards/notes.md:{card.place.line}:3"
        assert lines[card.place.line - 1] == f"- {card.question.text}"
        assert (card.kind, card.id, card.deck) == (Kind.BASIC, "", "Root::notes")


def test_the_form_is_recognised(notes: Project) -> None:
    """Without a word of front matter the notes are read as a list, as with it."""
    cards, _ = found(notes)
    text = NOTES.read_text(encoding="utf-8")
    notes.write("cards/notes.md", f"---\nsyntax: list\n---\n{text}")
    named, _ = found(notes)
    questions = {line + 3: card.question.text for line, card in cards.items()}
    assert {line: card.question.text for line, card in named.items()} == questions


def test_the_answers_are_whole(notes: Project) -> None:
    """Every line of the notes belongs to the question above it: nothing is dropped."""
    cards, _ = found(notes)
    lines = NOTES.read_text(encoding="utf-8").split("\n")
    for start, stop in itertools.pairwise([*QUESTIONS, len(lines) + 1]):
        if start not in UNANSWERED:
            answer = cards[start].answer
            assert answer
            written = "\n".join(
                line.removeprefix("  ").rstrip() for line in lines[start : stop - 1]
            )
            kept = "\n".join(line.rstrip() for line in answer.text.split("\n"))
            assert kept == written.rstrip()
            assert str(answer.place) == f"cards/notes.md:{start + 1}:3"


def test_the_quotations_are_text(notes: Project) -> None:
    """Three fences without a language quote a paper: they are shown, and nothing runs them."""
    cards, _ = found(notes)
    quoted = [
        (line, snippet.place.line, snippet.code.count("\n"), snippet.code[:24])
        for line, card in cards.items()
        for snippet in card.snippets
        if snippet.options.role is Role.TEXT
    ]
    assert quoted == [
        (5, 9, 3, "While the two are simila"),
        (15, 18, 4, "While for small values o"),
        (25, 28, 3, "In this work we employ h"),
    ]


def test_the_code_does_not_run_and_says_where(notes: Project) -> None:
    """The only Python of the notes uses a name that nobody gave it: told at its line, alone."""
    cards, _ = found(notes)
    (snippet,) = [each for each in cards[42].snippets if each.language == "python"]
    assert (str(snippet.place), str(snippet.origin)) == (
        "cards/notes.md:48:5",
        "cards/notes.md:49:5",
    )
    errors = [each for each in notes.result().problems if each.severity is Severity.ERROR]
    assert [(each.code, str(each.place), each.message) for each in errors] == [
        (Code.EXCEPTION_RAISED, "cards/notes.md:50:12", "NameError: name 'x' is not defined")
    ]
    told = notes.invoke("check").stderr
    assert (
        "cards/notes.md:50:12: error: NameError: name 'x' is not defined [exception-raised]\n"
        "   50 |     mean = x.mean(-1)\n"
    ) in told
    assert told.endswith("Error: 1 problem in 9 cards\n")


def test_old_notes_can_be_packaged_unverified(notes: Project) -> None:
    """With `verify: off` the nine answered questions become notes that say what they are."""
    text = NOTES.read_text(encoding="utf-8")
    notes.write("cards/notes.md", f"---\nlang: zh-CN\nverify: off\n---\n{text}")
    checked = notes.check()
    assert [note.place.line - 4 for note in checked.notes] == [
        line for line in QUESTIONS if line not in UNANSWERED
    ]
    unproven = [
        note.place.line - 4 for note in checked.notes if "代码未经验证" in note.fields["Proof"]
    ]
    assert unproven == [42]
    assert (checked.stats.snippets, checked.stats.unverified) == (0, 1)


def test_the_blocks_are_as_in_the_file(notes: Project) -> None:
    """An answer on its own has the bullets and fences that it has in the notes."""
    cards, _ = found(notes)
    blocks = {
        line: [token.type for token in markdown.parse(card.answer).tokens if token.level == 0]
        for line, card in cards.items()
        if card.answer
    }
    bullets = ["bullet_list_open", "bullet_list_close"]
    assert blocks == {
        line: [*bullets, "fence"] if line in {5, 15, 25, 42} else bullets for line in cards
    }
