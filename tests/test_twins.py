"""Cards that ask the same are cards of their own, and stay the notes that they are."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from projects import project, remembered

from verideck.history.lock import Entry, Lock
from verideck.history.recognise import recognise
from verideck.history.scope import Scope
from verideck.model import Card, Source
from verideck.problems import Code, Problems
from verideck.source.cards import cards_of
from verideck.source.config import SourceConfig

ANSWERS = [
    "It maps scores to weights that add up to one over all keys of a query row.",
    "Every token is divided by its own root mean square before a gain is learnt.",
    "Positions are turned as angles of pairs so that products tell only distances.",
    "Yes.",
    "Two.",
]
"""Long ones, which tell a card by themselves, and short ones, which do not."""
QUESTIONS = ["Summary", "What is it?"]


@dataclass(frozen=True)
class Sheet:
    """A card as its author knows it."""

    key: int
    question: str
    answer: str
    chapter: str


Tree = dict[str, list[Sheet]]
"""The cards of each file."""


def found(root: Path, tree: Tree) -> tuple[list[Card], list[Sheet]]:
    """The cards of all files in their order, and the sheets that they are."""
    cards: list[Card] = []
    sheets: list[Sheet] = []
    for path, here in sorted(tree.items()):
        parts = (f"# {each.chapter}\n\n## {each.question}\n\n{each.answer}\n" for each in here)
        read = cards_of(Source(f"cards/{path}.md", "\n".join(parts)), SourceConfig(root, "D"))
        cards += read.cards
        sheets += here
    assert len(cards) == len(sheets)
    return cards, sheets


def after(known: Iterable[Card], before: Lock) -> Lock:
    """The lock behind a build of these cards."""
    entries = {guid: replace(each, retired=True) for guid, each in before.entries.items()}
    for card in known:
        assert card.identity
        place, guid = card.place.path, card.identity.guid
        entries[guid] = Entry(card.identity, card.kind, place, card.deck, "", 1)
    return Lock(MappingProxyType(entries))


class History:
    """An author's builds, and which note each card was in them."""

    def __init__(self, root: Path) -> None:
        """Begin without a card."""
        self.root = root
        self.lock = Lock()
        self.guids: dict[int, str] = {}
        self.living = set[int]()
        """The cards of the last build."""
        self.built: dict[int, Sheet] = {}
        """Every card, as it was built last."""
        self.asked = 0
        """How often a build asked which card is which."""

    def build(self, tree: Tree) -> bool:
        """Build; every card is its note, or the build asks. Returns whether it was built."""
        cards, sheets = found(self.root, tree)
        files = frozenset(card.place.path for card in cards)
        problems = Problems()
        scope = Scope(self.root, is_whole=True, files=files)
        known = recognise(cards, self.lock, scope, "n", problems)
        assert all(each.code is Code.MATCH_AMBIGUOUS for each in problems)
        given = [each.identity.guid for each in known.values() if each.identity]
        assert len(set(given)) == len(given), "two cards are one note"
        assert len(known) + len({each.place for each in problems}) == len(cards)
        for card, sheet in zip(cards, sheets, strict=True):
            now = known.get(card.place)
            if now and now.identity and sheet.key in self.guids:
                assert now.identity.guid == self.guids[sheet.key], "a card is another note"
            elif now and now.identity:
                # A card like one that was removed may be that one, and is back.
                others = {
                    self.guids[key]
                    for key, was in self.built.items()
                    if key in self.living
                    or (sheet.chapter.startswith("N") and was.answer != sheet.answer)
                }
                assert now.identity.guid not in others, "a new card is another card's note"
        if problems:
            self.asked += 1
            return False
        self.lock = after(known.values(), self.lock)
        for card, sheet in zip(cards, sheets, strict=True):
            identity = known[card.place].identity
            assert identity
            self.guids[sheet.key] = identity.guid
        self.living = {sheet.key for sheet in sheets}
        self.built |= {sheet.key: sheet for sheet in sheets}
        return True


PICK = st.integers(0, 99)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "replace", "remove", "rename", "move", "retitle", "order"]),
        PICK,
        PICK,
    ),
    min_size=1,
    max_size=12,
)


def edited(tree: Tree, name: str, one: int, other: int, key: int) -> Tree:
    """What a step makes of the files. No two cards of a chapter ask the same."""
    tree = {path: list(here) for path, here in tree.items()}
    paths = sorted(tree)
    free = f"f{key}"
    if name == "add" or not paths:
        path = paths[one % len(paths)] if paths and other % 3 else free
        question = QUESTIONS[one % 2]
        sheet = Sheet(key, question, ANSWERS[other % len(ANSWERS)], f"C{key}")
        tree.setdefault(path, []).insert(one % (len(tree[path]) + 1 if path in tree else 1), sheet)
        return tree
    path = paths[one % len(paths)]
    number = other % len(tree[path])
    if name == "remove":
        del tree[path][number]
    elif name == "rename":
        tree[free] = tree.pop(path)
    elif name == "move":
        target = paths[other % len(paths)]
        sheet = tree[path].pop(number)
        tree[target].append(sheet)
    elif name == "retitle":
        tree[path][number] = replace(tree[path][number], chapter=f"R{key}")
    elif name == "replace":
        sheet = tree[path].pop(number)
        answer = " ".join(f"w{key}n{number}" for number in range(14))
        tree[free] = [replace(sheet, key=key, answer=answer, chapter=f"N{key}")]
    else:
        tree[path] = tree[path][number:] + tree[path][:number]
    return {path: here for path, here in tree.items() if here}


@given(STEPS)
def test_twins_stay_who_they_are(
    tmp_path_factory: pytest.TempPathFactory, steps: Sequence[tuple[str, int, int]]
) -> None:
    """Rename a file, move a card, retitle, reorder, add one, remove one: each is still its note.

    One step between two builds; where the build asks, the step is taken back.
    """
    root = tmp_path_factory.mktemp("twins")
    history, tree = History(root), Tree()
    for key in range(4):
        tree = edited(tree, "add", key, key + 1, key)
    assert history.build(tree)
    for key, (name, one, other) in enumerate(steps, start=4):
        changed = edited(tree, name, one, other, key)
        if history.build(changed):
            tree = changed
        else:
            assert history.build(tree)


def test_a_thousand_summaries_are_told_apart_in_time() -> None:
    """Also when all of their files have moved at once."""

    def cards(folder: str) -> list[Card]:
        texts = (f"## Summary\n\n{ANSWERS[n % 3]} {n} of {n * n}\n" for n in range(1500))
        sources = (
            Source(f"cards/{folder}/{n}.md", each, (folder,)) for n, each in enumerate(texts)
        )
        return [
            card for each in sources for card in cards_of(each, SourceConfig(Path(), "D")).cards
        ]

    before, now = cards("old"), cards("new")
    scope = Scope(Path("/nowhere"), is_whole=True, files=frozenset(c.place.path for c in now))
    problems = Problems()
    first = recognise(before, Lock(), scope, "n", problems)
    started = time.process_time()
    known = recognise(now, after(first.values(), Lock()), scope, "n", problems)
    assert time.process_time() - started < 10
    assert not problems
    for card, former in zip(now, before, strict=True):
        assert known[card.place].identity == first[former.place].identity


def test_ids_do_not_depend_on_the_order_of_twins(tmp_path: Path) -> None:
    """Without a lock, a file that comes before them changes nothing."""
    text = "## Summary\n\n{}\n"
    made = project(tmp_path / "two", {"b.md": text.format("B."), "c.md": text.format("C.")})
    more = project(
        tmp_path / "three", {each: text.format(each) for each in ("a.md", "b.md", "c.md")}
    )
    ids = {each.place.path: each.identity.id for each in made.check().notes}
    assert ids.items() <= {each.place.path: each.identity.id for each in more.check().notes}.items()


REPEATED = (
    "# A\n\n## Summary\n\nOne.\n\n## Summary\n\nTwo, and more than that.\n\n## Other\n\nYes.\n"
)


def test_ids_mend_what_the_build_refuses(tmp_path: Path) -> None:
    """The card that was built keeps its note, wherever the other one stands."""
    made = project(tmp_path, {"a.md": "# A\n\n## Summary\n\nTwo, and more than that.\n"})
    made.build()
    (guid,) = remembered(tmp_path).entries
    made.write("cards/a.md", REPEATED)
    assert made.problems() == ["cards/a.md:7:4 id-repeated"]
    run = made.invoke("id")
    assert run.returncode == 0, run.stderr
    made.build()
    entries = remembered(tmp_path).entries
    assert len(entries) == 3
    text = (tmp_path / "cards/a.md").read_text("utf-8")
    assert f"## Summary {{#{entries[guid].identity.id}}}\n\nTwo" in text


def test_ids_mend_cards_that_say_the_same(tmp_path: Path) -> None:
    """Of two that differ in nothing, the first is the note."""
    made = project(tmp_path, {"a.md": "## Summary\n\nOne.\n"})
    made.build()
    (guid,) = remembered(tmp_path).entries
    made.write("cards/a.md", "## Summary\n\nOne.\n\n## Summary\n\nOne.\n\n## Summary\n\nOne.\n")
    assert made.invoke("id").returncode == 0
    made.build()
    ids = [each.id for each in made.cards()]
    assert len(set(ids)) == 3
    assert ids[0] == remembered(tmp_path).entries[guid].identity.id
