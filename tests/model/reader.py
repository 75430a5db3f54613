"""A learner of an author's cards; each import is compared with what it should be."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anki_connect import RunningAnki

from model.author import Author
from model.learner import FINE, Learner, judge
from model.shown import asks, front, hidden_texts, seen
from verideck.model import FIELDS, Kind
from verideck.render import note_types
from verideck.targets.anki.connect import Connect

OWN_DECK = "Own"
"""A deck that the learner makes."""
_WITH_CARDS = "select distinct guid from notes n, cards c where c.nid = n.id"


@dataclass(slots=True)
class Theirs:
    """A note as the learner should have it."""

    fields: dict[str, str]
    tags: set[str]
    mod: int


class Reader:
    """A learner, and what should be in the collection."""

    def __init__(self, folder: Path, author: Author) -> None:
        """Begin an empty collection."""
        self.author = author
        self.learner = Learner(folder)
        self.collection = self.learner.collection
        self.theirs: dict[str, Theirs] = {}
        self.styles: dict[Kind, tuple[str, int]] = {}
        self.reviewed: dict[int, tuple[str, int]] = {}
        """Cards by their ids: the guid of the note, and the number of reviews."""

    def rows(self, query: str, *values: str | int) -> list[list[Any]]:
        """Rows of the collection's database."""
        assert self.collection.db
        return [list(row) for row in self.collection.db.all(query, *values)]

    def take(self) -> None:
        """Import the last build with Anki's defaults, and judge what has become of everything."""
        package = self.author.package
        assert package
        cards, reviews = self.cards(), self.rows("select * from revlog order by id")
        self.learner.bring(package)
        assert self.rows("select * from revlog order by id") == reviews, "a review was lost"
        now = self.cards()
        assert {number: now.get(number) for number in cards} == cards, "a card was touched"
        self._expect()
        self._judge_notes()
        self._judge_cards()
        self._judge_styles()
        self._judge_reviewed()
        if all(asks(mine.fields) <= self.numbers(guid) for guid, mine in self.theirs.items()):
            # It makes every card that a note could have, retired or not: that is told at the end.
            assert self.collection.fix_integrity() == FINE
            assert self.cards() == now

    def push(self) -> None:
        """Push the last build into what is a running Anki, and judge what has become of everything.

        Cards follow their notes; retired notes are kept, and who lacks one is sent none.
        """
        cards, reviews = self.cards(), self.rows("select * from revlog order by id")
        had = {str(guid) for (guid,) in self.rows(_WITH_CARDS)}
        with RunningAnki(self.collection) as anki:
            pushed = self.author.push(Connect(anki.port))
            assert not pushed.missing
            assert not pushed.left.moves
            anki.asked.clear()
            assert self.author.push(Connect(anki.port)).plan.is_empty
            assert not anki.written
        assert self.rows("select * from revlog order by id") == reviews, "a review was lost"
        self._judge_moves(cards)
        self._expect({guid for guid, note in self.author.told.items() if note.numbers} | had)
        self._judge_notes()
        self._judge_cards()
        self._judge_styles()
        self._judge_reviewed()

    def _judge_moves(self, before: dict[int, list[Any]]) -> None:
        """A card is as it was; if it is elsewhere, then where its note is, out of where it was."""
        now = self.cards()
        name = self.collection.decks.name
        for number, row in before.items():
            assert [*now[number][:2], *now[number][3:]] == [*row[:2], *row[3:]], "it was touched"
            ((guid,),) = self.rows("select guid from notes where id = ?", row[1])
            there, was = (name(each[2]).casefold() for each in (now[number], row))
            if there != was:
                assert there == self.author.told[guid].deck.casefold()
                assert was != OWN_DECK.casefold()

    def cards(self) -> dict[int, list[Any]]:
        """Everything of every card, by its id, but for when it was last touched and synced."""
        query = (
            "select id, nid, did, ord, type, queue, due, ivl, factor, reps, lapses, left, flags, "
            "data from cards"
        )
        return {int(row[0]): row for row in self.rows(query)}

    def judge_all_new(self) -> None:
        """Whoever had nothing has each card of the last build, and no other."""
        told = self.author.told
        for guid, note in told.items():
            assert self.numbers(guid) == note.numbers
        assert len(self.cards()) == sum(len(note.numbers) for note in told.values())

    def numbers(self, guid: str) -> set[int]:
        """The numbers of a note's cards."""
        query = "select ord + 1 from cards where nid = (select id from notes where guid = ?)"
        return {int(row[0]) for row in self.rows(query, guid)}

    def _expect(self, sent: Collection[str] | None = None) -> None:
        """What is newer, wins, of all notes or of those that were sent."""
        for guid, note in self.author.told.items():
            if sent is not None and guid not in sent:
                continue
            mine = self.theirs.get(guid)
            if mine is None or note.mod > mine.mod:
                self.theirs[guid] = Theirs(dict(note.fields), set(note.tags), note.mod)
        for kind in dict.fromkeys(self.author.ever[key].kind for key in self.author.guids):
            was = self.styles.get(kind)
            if was is None or self.author.styled > was[1]:
                self.styles[kind] = (self.author.notetype(kind).css, self.author.styled)

    def _judge_notes(self) -> None:
        """One note for each card there ever was; each as its author or else its learner has it."""
        found = self.rows("select guid, flds, tags, mod from notes")
        assert len({row[0] for row in found}) == len(found), "a note is there twice"
        assert {row[0] for row in found} == set(self.theirs)
        for guid, texts, tags, mod in found:
            mine = self.theirs[guid]
            assert dict(zip(FIELDS, texts.split("\x1f"), strict=True)) == mine.fields
            assert (set(tags.split()), mod) == (mine.tags, mine.mod)

    def _judge_cards(self) -> None:
        """Each card that there is can be learnt, and none that there was not for this learner."""
        for guid, note in self.author.told.items():
            assert note.numbers <= self.numbers(guid)
        assert len(self.rows("select distinct nid, ord from cards")) == len(self.cards())

    def _judge_styles(self) -> None:
        """The style is the newest one, be it the learner's own, and no note type is there twice."""
        self.collection.models._clear_cache()  # noqa: SLF001 - as Anki's window does after an import
        names = [each.name for each in self.collection.models.all_names_and_ids()]
        ours = {note_types.notetype(kind).name for kind in self.styles}
        assert sorted(name for name in names if name.startswith("verideck")) == sorted(ours)
        for kind, (css, _) in self.styles.items():
            found = self.collection.models.by_name(note_types.notetype(kind).name)
            assert found
            assert found["css"] == css

    def _judge_reviewed(self) -> None:
        """Behind every review is still what was asked."""
        keys = {guid: key for key, guid in self.author.guids.items()}
        for number, (guid, times) in self.reviewed.items():
            shown = self.collection.get_card(number)  # type: ignore[arg-type]
            assert shown.note().guid == guid
            assert (shown.reps, len(self.collection.card_stats_data(shown.id).revlog)) == (
                times,
                times,
            )
            sheet = self.author.built[keys[guid]]
            hidden = hidden_texts(self.theirs[guid].fields["Question"])
            deletions = self.author.deletions(sheet.key)
            owners = {self.author.numbers[each] for each in deletions}
            if sheet.kind is Kind.CLOZE:
                assert shown.ord + 1 in owners
                secret = hidden.get(shown.ord + 1)
                assert secret is None or (
                    "[...]" in front(shown) and secret not in seen(front(shown))
                )

    # What a learner does

    def own(self, name: str, one: int) -> None:
        """Make something one's own."""
        if name == "style":
            self.restyle(one)
        elif name == "deck":
            self.file(one)
        else:
            self.write(one, name)

    def study(self, one: int, ease: int) -> None:
        """Answer a card, if it is not blank."""
        cards = [number for number, row in sorted(self.cards().items()) if self._can_be_seen(row)]
        if cards:
            shown = self.collection.get_card(cards[one % len(cards)])  # type: ignore[arg-type]
            judge(self.collection, shown, ease)
            guid, times = self.reviewed.get(shown.id, (shown.note().guid, 0))
            self.reviewed[shown.id] = (guid, times + 1)

    def _can_be_seen(self, row: list[Any]) -> bool:
        ((guid,),) = self.rows("select guid from notes where id = ?", row[1])
        return row[3] + 1 in asks(self.theirs[guid].fields)

    def write(self, one: int, name: str) -> None:
        """Add something of one's own to a field of a note, or a tag."""
        if not self.theirs:
            return
        self.author.now += 10
        guid = sorted(self.theirs)[one % len(self.theirs)]
        mine = self.theirs[guid]
        ((number,),) = self.rows("select id from notes where guid = ?", guid)
        note = self.collection.get_note(number)
        if name == "tag":
            mine.tags.add(f"own::{self.author.now}")
            note.tags = sorted(mine.tags)
        else:
            mine.fields[name] += f" own {self.author.now}"
            note[name] = mine.fields[name]
        self.collection.update_note(note)
        mine.mod = self.author.now
        assert self.collection.db
        self.collection.db.execute("update notes set mod = ? where id = ?", mine.mod, number)

    def restyle(self, one: int) -> None:
        """Add something of one's own to the style sheet of a note type."""
        if not self.styles:
            return
        self.author.now += 10
        kind = list(self.styles)[one % len(self.styles)]
        found = self.collection.models.by_name(note_types.notetype(kind).name)
        assert found
        found["css"] += f"/* own {self.author.now} */"
        found["mod"] = self.author.now
        self.collection.models.update(found)
        self.styles[kind] = (found["css"], self.author.now)

    def file(self, one: int) -> None:
        """Put a card into a deck of one's own."""
        cards = sorted(self.cards())
        if cards:
            deck = self.collection.decks.id(OWN_DECK)
            assert deck
            self.collection.set_deck([cards[one % len(cards)]], deck)  # type: ignore[list-item]
