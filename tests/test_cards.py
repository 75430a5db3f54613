"""The repository's own deck: its questions and topics, their names for ever, and their code."""

import itertools
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
import sample_page
from deck_page import PAGE, course, page
from projects import Project, own_deck

from verideck.markdown.width import is_wide
from verideck.model import Card, Role
from verideck.result import Result

pytestmark = pytest.mark.xdist_group("deck")

ROOT = Path(__file__).parents[1]

QUESTIONS = {
    "mha-why",
    "qk-separate-projections",
    "dot-product-vs-additive",
    "scaled-dot-product",
    "padding-mask",
    "head-dimension",
    "encoder-decoder",
    "position-encoding",
    "position-encoding-variants",
    "residual",
    "layernorm-vs-batchnorm",
}
"""Learners' reviews hang on these: an id is never changed, and never given to another card."""

TOPICS = {
    "kv-cache",
    "shared-heads",
    "context-extension",
    "flash",
    "block-today",
}
"""The overview cards of the extension, whose ids stay too."""

LINES, COLUMNS = 15, 43
"""As much code as a card can show at once, and as wide as a phone is; a Han character is two."""

MODULE = 30
"""As many lines as whoever writes a module by hand, line after line, is shown of it."""


@pytest.fixture(scope="module")
def cards() -> Sequence[Card]:
    """The deck's cards; no problem is found on the way."""
    return Project(ROOT).cards()


def test_every_question_has_its_card(cards: Sequence[Card]) -> None:
    """Each of the eleven questions has one card, answered, under the id it will keep."""
    overviews = {card.id: card for card in cards if "overview" in card.tags}
    assert set(overviews) == QUESTIONS | TOPICS
    assert {name for name, card in overviews.items() if "core" in card.tags} == QUESTIONS
    assert all(card.answer for card in cards)


def test_the_extension_is_a_deck_of_its_own(cards: Sequence[Card]) -> None:
    """Its sub-decks hold cards of the level `extension` alone, and each of its overviews."""
    beyond = [card for card in cards if card.deck.startswith("Transformer 面试::11 延伸::")]
    assert {card.id for card in beyond} >= TOPICS
    for card in beyond:
        assert {"core", "adjacent", "extension"} & set(card.tags) == {"extension"}, card.place


def test_every_card_can_be_found_again(cards: Sequence[Card]) -> None:
    """A card has an id, a source, a topic and a level."""
    for card in cards:
        assert card.id, card.place
        assert card.source, card.place
        assert {"core", "adjacent", "extension"} & set(card.tags), card.place
        assert card.language == "zh-CN", card.place


def test_the_shown_code_fits_a_card(cards: Sequence[Card]) -> None:
    """Shown code has at most 15 lines (a whole module 30) of 43 columns, and nothing of ours."""
    shown = [
        (card, snippet)
        for card in cards
        for snippet in card.snippets
        if snippet.options.role is Role.SHOWN
    ]
    assert shown
    for card, snippet in shown:
        lines = "\n".join(snippet.shown_lines().values()).rstrip("\n").split("\n")
        assert len(lines) <= (MODULE if "by-hand" in card.tags else LINES), snippet.place
        widths = (sum(1 + is_wide(character) for character in line) for line in lines)
        assert max(widths) <= COLUMNS, snippet.place
        assert not any("snippets" in line for line in lines), snippet.place


def test_one_thing_has_one_word(cards: Sequence[Card]) -> None:
    """No card says a word that docs/terms.md keeps out."""
    rows = re.findall(
        r"^\| .*\|$", (ROOT / "docs/terms.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    table = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]
    assert len(table) > 5
    for card in cards:
        asked = "" if card.id in QUESTIONS else card.question.text
        text = re.sub("“[^”]*”", "", f"{asked}\n{card.answer.text if card.answer else ''}")
        for _, ours, others, but in table:
            left = text
            for allowed in filter(None, but.split("、")):
                left = left.replace(allowed, "")
            for word in others.split("、"):
                assert word not in left, f"{card.place}: {ours}, not {word}"


@pytest.fixture(scope="module")
def checked() -> Result:
    """The deck, proved."""
    pytest.importorskip("torch")
    return own_deck()


@pytest.fixture(scope="module")
def days(checked: Result, tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """What Anki asks on each day."""
    return course(checked, tmp_path_factory.mktemp("course"))


@pytest.mark.torch
def test_the_deck_holds(checked: Result) -> None:
    """Every card is proved, nothing is left out, and every card's proof asserts something."""
    assert checked.problems == ()
    assert {note.fields["Id"] for note in checked.notes} >= QUESTIONS | TOPICS
    assert checked.stats.not_run == 0
    for each in checked.proven:
        if any(snippet.executable for snippet in each.card.snippets):
            assert sum(proof.assertions for proof in each.proofs) > 0, each.card.place
            assert each.audit
            assert each.audit.score is None or each.audit.score >= 0.6, each.card.place


@pytest.mark.torch
def test_the_page_of_the_deck_is_the_decks(checked: Result, days: list[list[str]]) -> None:
    """docs/deck.md tells each card's proof, source and day (`python tests/deck_page.py`)."""
    assert page(checked.proven, days) == PAGE.read_text(encoding="utf-8")


@pytest.mark.torch
def test_anki_asks_the_deck_in_its_order(checked: Result, days: list[list[str]]) -> None:
    """On the first day the first sub-deck alone, and each topic's overview behind its facts.

    The eleven questions are answered within the first week.
    """
    order = {name: place for place, name in enumerate(itertools.chain(*days))}
    assert order.keys() >= {note.fields["Id"] for note in checked.notes}
    decks = {each.card.id: each.card.deck for each in checked.proven}
    first = [name for name, deck in decks.items() if deck == "Transformer 面试::01 入门"]
    assert {re.sub(r"-\d$", "", name) for name in days[0]} == set(first)
    assert set(itertools.chain(*days[:7])) >= QUESTIONS
    asked = [decks[name] for name in order if name in decks]
    assert list(dict.fromkeys(asked)) == list(dict.fromkeys(decks.values()))
    for each in checked.proven:
        if "overview" in each.card.tags:
            alike = [one for one in checked.proven if one.card.deck == each.card.deck]
            before = alike[: alike.index(each)]
            assert all(order[one.card.id] < order[each.card.id] for one in before), each.card.place
            assert len(before) > 3, each.card.place


def test_the_sample_shows_cards_as_they_are() -> None:
    """No card of docs/sample.md has changed since its picture (`python tests/sample_page.py`)."""
    assert sample_page.page(sample_page.contents()) == sample_page.PAGE.read_text(encoding="utf-8")
    there = {each.name for each in sample_page.PICTURES.iterdir()}
    shown = itertools.product(sample_page.SAMPLE, sample_page.SHOWN)
    assert there == {sample_page.picture(*each).name for each in shown}


@pytest.mark.torch
def test_the_seeds_make_values_that_stay(checked: Result) -> None:
    """What prose says of a run is the same in the next one."""
    again = Project(ROOT).check()
    assert [note.fields for note in again.notes] == [note.fields for note in checked.notes]


@pytest.mark.torch
@pytest.mark.browser
def test_every_card_can_be_seen(checked: Result, tmp_path: Path) -> None:
    """No card is wider than a screen or a phone, no formula fails, no picture is missing."""
    pytest.importorskip("playwright")
    from pictures import MODES, SMALL  # noqa: PLC0415 - needs the browser's driver
    from test_pictures import faults  # noqa: PLC0415 - likewise

    assert faults(Project(ROOT), checked, tmp_path, (MODES[0], SMALL)) == []
