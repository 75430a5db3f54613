"""Result -> what the page shows of each note: an entry for lists, a body for the card itself.

Both are JSON and named by their hashes, so that a browser never asks twice for what it has. What
follows from nothing that changed is the same object as before.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from verideck.history.lock import Lock
from verideck.model import (
    Card,
    Identity,
    Kind,
    Note,
    NoteType,
    Packaged,
    Place,
    ProvenCard,
    Role,
    content_of,
    one_line,
)
from verideck.preview.facts import facts
from verideck.problems import Problem, Severity
from verideck.render.faces import faces, revealed
from verideck.render.foreign_html import foreign_to
from verideck.result import Result
from verideck.source_line import source_line
from verideck.targets import packages


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of one note."""

    key: str
    """Names the note as long as it is one: its guid, or where the card stands."""
    hash: str
    """Of the entry."""
    entry: bytes
    """JSON: what lists, search and filters need."""
    body_hash: str
    note: Note | None
    """The note, or the one that its card was when it held last; None where nobody has seen it."""
    note_type: NoteType
    proven: ProvenCard | None
    """None where the card does not hold."""

    def is_like(self, other: Shown) -> bool:
        """Whether the same is shown."""
        return (self.hash, self.body_hash) == (other.hash, other.body_hash)

    @property
    def body(self) -> bytes:
        """JSON: the sides of each card, and the facts of the proof."""
        sides = [
            {"number": each.number, "template": each.template, "front": each.front,
             "back": each.back}
            for each in (faces(self.note, self.note_type) if self.note else ())
        ]  # fmt: skip
        answer = self.note.fields["Answer"] if self.note else ""
        return _json({"faces": sides, "typed": answer, "proof": facts(self.proven)})


@dataclass(frozen=True, slots=True)
class Deck:
    """All that the page shows at a moment."""

    notes: tuple[Shown, ...] = ()
    """In the order of the cards."""
    problems: tuple[Mapping[str, object], ...] = ()
    """JSON of each problem, in the order of their places."""
    summary: Mapping[str, object] = field(default_factory=dict)
    """JSON: what holds for the deck as a whole."""
    places: frozenset[str] = frozenset()
    """The files that may be opened in an editor."""
    by_hash: Mapping[str, Shown] = field(default_factory=dict)
    """The notes by the hashes of their entries."""
    bodies: Mapping[str, Shown] = field(default_factory=dict)
    """The notes by the hashes of their bodies."""
    media: Mapping[str, bytes] = field(default_factory=dict)
    """Pictures and sounds by name."""
    css: str = ""
    """The style sheet of all cards: ours, and behind it what the project sets."""

    def of(self, notes: tuple[Shown, ...]) -> Deck:
        """The deck with these notes."""
        return replace(
            self,
            notes=notes,
            by_hash={each.hash: each for each in notes},
            bodies={each.body_hash: each for each in notes},
            media={each.name: each.content for one in notes if one.note for each in one.note.media},
        )


class Shower:
    """Shows one result after the other, and remembers what was shown."""

    def __init__(self, root: Path, package: Path) -> None:
        """Show the results of the project in a folder, whose last build is a package there."""
        self._root = root
        self._package = package
        self._deck = Deck()
        self._former = _Former({})
        self._types: dict[Kind, NoteType] = {}
        """The note types by which cards are shown, as `_templates_of` keeps them."""

    def show(self, result: Result, failed: Mapping[Problem, Place], name: str) -> Deck:
        """What the page shows of a result, under the name of the deck.

        `failed` has the cards, by place, that problems outside of their files belong to.
        """
        if result.scope.root != self._root:  # the settings are wrong, and nothing was read
            return self._without_cards(result)
        problems = _Assigned(result, failed)
        self._types = _templates_of(result, self._types)
        css = result.note_types[Kind.BASIC].css
        keys, shown = self._shown(result, problems)
        self._former = _Former(shown)
        told = ((each, keys[card] if card else "") for each, card in problems.told())
        self._deck = Deck(
            problems=tuple(self._told(each, key) for each, key in told),
            summary={**_summary(result, self._root, name), "sheet": _hash(css.encode())},
            places=frozenset(_paths(result)),
            css=css,
        ).of(self._former.notes)
        return self._deck

    def show_some(self, result: Result, failed: Mapping[Problem, Place]) -> Deck:
        """The former deck, with the cards of some files as they are now; the rest is still to come.

        What the deck is as a whole, and what is wrong with it, stays as it was told last.
        """
        if result.scope.root != self._root:  # the settings are wrong, and nothing was read
            return self._deck
        _, shown = self._shown(result, _Assigned(result, failed))
        self._former = self._former.with_files(result.scope.files, shown)
        self._deck = self._deck.of(self._former.notes)
        return self._deck

    def _without_cards(self, result: Result) -> Deck:
        """The former cards, with what is wrong now."""
        problems = tuple(self._told(each, "") for each in result.problems)
        summary = {**self._deck.summary, "ok": False}
        places = self._deck.places | frozenset(_paths(result))
        return replace(self._deck, problems=problems, summary=summary, places=places)

    def _shown(
        self, result: Result, problems: _Assigned
    ) -> tuple[Mapping[Place, str], dict[str, tuple[_Basis, Shown]]]:
        """The keys of the cards by their places, and what is shown by key, in their order."""
        notes = {note.place: note for note in result.notes}
        proven = {each.card.place: each for each in result.proven}
        keys: dict[Place, str] = {}
        shown: dict[str, tuple[_Basis, Shown]] = {}
        for card in result.cards:
            key = keys[card.place] = self._key(card, result, shown)
            note, former = notes.get(card.place), self._former.shown.get(key)
            basis = _Basis(
                card,
                note,
                self._types[card.kind],
                proven.get(card.place) if note else None,
                _since(key, note, result.lock),
                problems.worst(card.place),
                None if note else former[1].note if former else self._built_last(card, key),
            )
            if former and former[0].is_like(basis):
                shown[key] = former
                continue
            now = _shown(key, basis)
            is_same = former and former[1].is_like(now)
            shown[key] = basis, former[1] if former and is_same else now
        return keys, shown

    def _built_last(self, card: Card, key: str) -> Note | None:
        """The note of a card as it was built last, if the package has it; without its pictures.

        A package that holds what verideck does not write is somebody else's.
        """
        known = self._built.get(key)
        if known is None or any(map(foreign_to, known.fields.values())):
            return None
        identity = card.identity or Identity(card.id, bool(card.id), key, card.question.text)
        fields, tags = known.fields, known.tags
        content = content_of(fields, tags)
        return Note(card.kind, card.deck, fields, tags, (), card.place, identity, content)

    @cached_property
    def _built(self) -> Mapping[str, Packaged]:
        """The notes of the package by guid; none where there is no package of ours."""
        try:
            return packages.read(self._package, (self._root,))
        except (OSError, packages.NoPackageError):
            return {}

    def _key(self, card: Card, result: Result, taken: Collection[str]) -> str:
        """The guid, or the former key of a card that is not known as a note now."""
        known = result.known.get(card.place)
        if known and known.identity:
            return known.identity.guid
        keys = self._former.keys
        key = next((keys[name] for name in _names(card) if name in keys), "")
        return key if key and key not in taken else f"{card.place.path}:{card.place.line}"

    def _told(self, problem: Problem, key: str) -> Mapping[str, object]:
        place = problem.place
        return {
            "code": str(problem.code),
            "severity": str(problem.severity),
            "message": problem.message,
            "hint": problem.hint,
            "path": place.path,
            "line": place.line,
            "column": place.column,
            "source": source_line(problem, self._root),
            "key": key,
        }


def _paths(result: Result) -> Iterator[str]:
    yield from (card.place.path for card in result.cards)
    yield from (problem.place.path for problem in result.problems)


@dataclass(frozen=True, slots=True)
class _Basis:
    """What an entry and a body follow from."""

    card: Card
    note: Note | None
    """None where the card does not hold."""
    note_type: NoteType
    proven: ProvenCard | None
    since: str
    worst: str
    last: Note | None
    """The note of a card that does not hold now, as it was when it held."""

    def is_like(self, other: _Basis) -> bool:
        """Whether the same is shown. A card, and its note, are the same objects while they hold."""
        is_same = self.card is other.card and self.note is other.note
        is_same = is_same and self.note_type is other.note_type
        words = (self.since, self.worst) == (other.since, other.worst)
        return (
            is_same
            and words
            and (self.note is not None or self.last is other.last)
            and (not self.card.snippets or self.proven == other.proven)
        )


class _Former:
    """What was shown, and of what."""

    def __init__(self, shown: Mapping[str, tuple[_Basis, Shown]]) -> None:
        self.shown = shown
        """By key, in the order of the cards."""

    @property
    def notes(self) -> tuple[Shown, ...]:
        """In the same order."""
        return tuple(each for _, each in self.shown.values())

    @cached_property
    def keys(self) -> Mapping[tuple[str, str], str]:
        """The keys of the cards, by file and question, and by file and id."""
        each = ((key, basis.card) for key, (basis, _) in self.shown.items())
        return {name: key for key, card in each for name in _names(card)}

    def with_files(
        self, files: Collection[str], shown: Mapping[str, tuple[_Basis, Shown]]
    ) -> _Former:
        """The same, with what is shown of the cards of some files now, where these cards stood."""
        found: dict[str, tuple[_Basis, Shown]] = {}
        for key, each in self.shown.items():
            if each[0].card.place.path in files:
                found.update(shown)
            elif key not in shown:
                found[key] = each
        return _Former({**found, **shown})


class _Assigned:
    """The problems of a result, each with the card that it belongs to, if it belongs to one."""

    def __init__(self, result: Result, failed: Mapping[Problem, Place]) -> None:
        self._by_file: dict[str, list[Place]] = defaultdict(list)
        for card in result.cards:
            self._by_file[card.place.path].append(card.place)
        for places in self._by_file.values():
            places.sort()
        every = sorted(result.problems, key=lambda each: each.place)
        self._told = [(each, failed.get(each) or self._above(each.place)) for each in every]
        self._worst: dict[Place, str] = {}
        for problem, place in self._told:
            if place and self._worst.get(place) != Severity.ERROR:
                self._worst[place] = str(problem.severity)

    def told(self) -> Sequence[tuple[Problem, Place | None]]:
        """Each problem with the place of its card, in the order of their own places."""
        return self._told

    def worst(self, place: Place) -> str:
        """The greatest severity among the problems of a card; empty if it has none."""
        return self._worst.get(place, "")

    def _above(self, place: Place) -> Place | None:
        """The card in whose lines a place is."""
        cards = self._by_file.get(place.path, [])
        number = bisect_right(cards, place.line, key=lambda each: each.line) - 1
        return cards[number] if number >= 0 else None


def _templates_of(result: Result, former: Mapping[Kind, NoteType]) -> dict[Kind, NoteType]:
    """The note types of a result without their style sheets, of which no body consists.

    Each is the same object as before while it is the same.
    """
    plain = {kind: replace(each, css="") for kind, each in result.note_types.items()}
    return {
        kind: former[kind] if former.get(kind) == each else each for kind, each in plain.items()
    }


def _names(card: Card) -> Iterator[tuple[str, str]]:
    """By what a card is known again that has no identity."""
    if card.id:
        yield card.place.path, f"#{card.id}"
    yield card.place.path, one_line(card.question.text)


def _since(key: str, note: Note | None, lock: Lock) -> str:
    """What became of a note since the lock was written: `new`, `changed`, or nothing."""
    entry = lock.entries.get(key)
    if entry is None:
        return "new"
    is_same = note and (note.content, note.deck) == (entry.content, entry.deck)
    return "" if is_same and not entry.retired else "changed"


def _shown(key: str, basis: _Basis) -> Shown:
    card, note, proven = basis.card, basis.note or basis.last, basis.proven
    question = _asked(note.fields["Question"]) if note else one_line(card.question.text)
    proofs = proven.proofs if proven else ()
    audit = proven.audit if proven else None
    looks = [[each.front, each.back] for each in basis.note_type.templates]
    body = _hash(_json([note.content if note else "", looks, facts(proven)]))
    entry = _json(
        {
            "key": key,
            "id": note.identity.id if note else card.id,
            "deck": card.deck,
            "tags": card.tags,
            "kind": str(card.kind),
            "lang": card.language,
            "path": card.place.path,
            "line": card.place.line,
            "column": card.place.column,
            "question": question,
            "text": _searched(card, note),
            "holds": basis.note is not None,
            "worst": basis.worst,
            "since": basis.since,
            "unverified": _unverified(card),
            "assertions": sum(proof.assertions for proof in proofs),
            "score": audit.score if audit else None,
            "body": body,
        }
    )
    return Shown(key, _hash(entry), entry, body, note, basis.note_type, proven)


def _unverified(card: Card) -> str:
    """Why code that a card shows was not executed; empty if all was."""
    if card.is_executable and not card.verified:
        return "verification is off"
    for snippet in card.snippets:
        if snippet.options.reason:
            return f"not run: {snippet.options.reason}"
    for snippet in card.snippets:
        if snippet.options.role is Role.SHOWN and not snippet.executable:
            return f"{snippet.language or 'this language'} has no verifier"
    return ""


_BLOCK = re.compile(
    r"</?(?:p|div|li|[uo]l|d[ltd]|br|hr|t[rdh]|pre|h\d|blockquote|figure)\b[^<>]*+>"
)
_MARKUP = re.compile(r"<[^<>]*+>")
_BESIDE = re.compile(
    r'<details class="drawn">.*?</details>|<figcaption>.*?</figcaption>', re.DOTALL
)
"""What stands with a question and asks nothing: the code that drew its figure, which is folded, and
what is written below a figure."""


def _asked(question: str) -> str:
    """The text of a question in a list; of one that is nothing but figures, what is below them."""
    return _text(_BESIDE.sub(" ", question)) or _text(question)


def _text(field_html: str) -> str:
    """The text of a field on one line; its formulas as TeX."""
    blocks = _BLOCK.sub(" ", revealed(field_html))
    return one_line(html.unescape(_MARKUP.sub("", blocks)))


_SEARCHED = ("Question", "Hint", "Answer", "Extra", "Source")
"""The fields in whose texts cards are searched."""


def _searched(card: Card, note: Note | None) -> str:
    """All words by which a card is found, in lower case."""
    fields = note.fields if note else {}
    sides = [_text(fields[name]) for name in _SEARCHED if fields]
    if not fields:
        sides = [card.question.text, card.answer.text if card.answer else ""]
    return one_line(" ".join([*sides, card.id, card.place.path, *card.tags])).lower()


def _summary(result: Result, root: Path, name: str) -> Mapping[str, object]:
    stats = result.stats
    _, unsafe, why = stats.sandbox.partition("none: ")
    return {
        "name": name,
        "root": root.as_posix(),
        "unsafe": why if unsafe and stats.snippets else "",
        "cards": stats.cards,
        "holding": len(result.notes),
        "assertions": stats.assertions,
        "ok": result.ok,
    }


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _hash(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=12).hexdigest()
