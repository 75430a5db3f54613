"""The values that travel between the stages. All are frozen; none holds a library's object."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


def one_line(text: str) -> str:
    """Text in which white space makes no difference."""
    return " ".join(text.split())


_SHORT = 60


def short(text: str) -> str:
    """As much of a text as tells a person which card is meant."""
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a person wrote something, in the file they wrote. Prints as editors jump to it."""

    path: str
    """Relative to the project, with forward slashes; absolute for a file outside of it."""
    line: int = 1
    column: int = 1
    """Both are counted from 1; a column counts characters."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Source:
    """A Markdown file, whole, so that its lines stay true."""

    path: str
    text: str
    """Without a byte order mark; every line ends with a line feed."""
    folders: tuple[str, ...] = ()
    """The folders between the cards' own folder and the file: parts of the deck's name."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a file's Markdown that stands alone, and where it stood."""

    text: str
    place: Place
    """Of its first character."""
    cuts: tuple[int, ...] = ()
    """How many characters were taken away in front of each line, where there is one for it; less
    than 0 where a tab became spaces."""
    inline: bool = False
    """True for a single paragraph: what begins like a list or a quotation is not one."""
    links: Mapping[str, Mapping[str, object]] = field(
        default_factory=dict, repr=False, compare=False
    )
    """The file's link reference definitions, which may stand outside of the passage."""

    def at(self, line: int, column: int) -> Place:
        """The place of a line and column of the passage's text, both counted from 0."""
        first = 0 if line else self.place.column - 1
        before = self.cuts[line] if line < len(self.cuts) else first
        return Place(self.place.path, self.place.line + line, max(before + column, 0) + 1)


LARGEST_LIMIT = 1_000_000_000
"""Of seconds, megabytes or bytes: more than any card needs, and what the system can count."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How far the snippets of one card may go."""

    timeout: float = 60.0
    """Wall time in seconds."""
    memory: int = 4096
    """Megabytes of memory that a process of the card may take, beyond its libraries'."""
    disk: int = 100
    """Megabytes that the card may write."""
    processes: int = 32
    """How many there may be at once, the card's own among them."""
    max_output: int = 1_000_000
    """Bytes that the card may print."""


class Role(StrEnum):
    """What a fence is for."""

    SHOWN = "shown"
    """Shown, and executed if its language has a verifier."""
    CHECK = "check"
    """Executed after the fence above it; not on the face of the card."""
    SETUP = "setup"
    """Executed before every card of the file, not shown."""
    OUTPUT = "output"
    """Shown: what the fence above it must have printed."""
    VALUE = "value"
    """An expression in the prose; its value takes its place."""
    TEXT = "text"
    """Shown, never executed: a quotation, or code declared as not to be run."""


EXECUTED = frozenset({Role.SHOWN, Role.CHECK, Role.SETUP, Role.VALUE})
"""The roles of fences that are executed where their language has a verifier."""


@dataclass(frozen=True, slots=True)
class Options:
    """What stands in the braces of a fence's info string."""

    role: Role = Role.SHOWN
    front: bool = False
    """Stands on the question's side of the card."""
    include: str = ""
    """The file, relative to the project, whose code is shown and executed as a module."""
    symbol: str = ""
    region: str = ""
    raises: str = ""
    """The exception that the snippet must end with."""
    match: str = ""
    """A regular expression that is found in the exception's message."""
    tolerance: float | None = None
    """How far printed numbers may be from those on the card; by default, as many digits as the
    card shows."""
    reason: str = ""
    """Why the snippet is not run."""
    limits: tuple[tuple[str, float], ...] = ()
    """Limits by name, as `Limits` has them, for the whole card."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """A fence: code that is shown, executed, or both."""

    language: str
    """As Pygments calls it first; empty for plain text."""
    code: str
    """What is shown, without the indentation of its container and without cloze marks."""
    place: Place
    """Of the fence, or of the expression."""
    origin: Place
    """Of the code's first character: below the fence, or in the included file."""
    options: Options = Options()
    marks: tuple[int, ...] = ()
    """Lines of included code, counted from 0, that mark regions of its file, and are not shown."""
    executable: bool = False
    """Whether a verifier runs it, if the file's snippets are run at all."""


class Kind(StrEnum):
    """How a card asks."""

    BASIC = "basic"
    TYPED = "typed"
    CLOZE = "cloze"


@dataclass(frozen=True, slots=True)
class IdSlot:
    """Where in a file an id can be written behind a question."""

    place: Place
    among_attributes: bool
    """Whether there are braces to write it into."""


@dataclass(frozen=True, slots=True)
class ClozeDeletion:
    """A deletion of a cloze card."""

    number: int | None
    """As it is written; None where it is left to be counted. Those with the same are one card."""
    text: str
    """What is hidden."""
    hint: str = ""
    place: Place = Place("")
    """Of its mark; of the code or maths around it, if it stands in one."""
    start: int = 0
    """In code and maths: where its text begins, once all marks are taken out."""
    is_empty: bool = False
    """Whether nothing stands in it; its text does not tell, since an image may have none."""

    @property
    def end(self) -> int:
        """In code and maths: where its text ends."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why a card may break a rule."""

    rule: str
    """The rule's name, see `rules.RULES`."""
    reason: str
    place: Place


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question that has no answer yet: no card, but a note that it was is left alone."""

    place: Place
    id: str
    question: str
    """Its Markdown, on one line."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which note of Anki's a card is, and what is remembered of it to know it again."""

    id: str
    """The author's, or else one that was chosen when the card was first seen."""
    written: bool
    """Whether it stands in the Markdown."""
    guid: str
    question: str
    """Its Markdown, on one line."""
    answer: str = ""
    """A sketch of it, see `likeness`."""
    numbers: tuple[tuple[int, str], ...] = ()
    """Anki's cards of it beyond the plain one, by their numbers: what each deletion hides. They
    stand in reading order."""
    dropped: tuple[tuple[int, str], ...] = ()
    """Those that there were, and are no more."""

    @property
    def every_number(self) -> tuple[tuple[int, str], ...]:
        """Those in use, and those that were."""
        return (*self.numbers, *self.dropped)


@dataclass(frozen=True, slots=True)
class Card:
    """A question and its answer, as the author wrote them."""

    id: str
    """Written by the author as `{#id}`, or empty."""
    kind: Kind
    deck: str
    question: Passage
    answer: Passage | None
    """A cloze card may do without one."""
    snippets: tuple[Snippet, ...]
    """The set-up of the file first, then the card's own in their order, then its values."""
    tags: tuple[str, ...]
    place: Place
    reverse: bool = False
    source: Passage | None = None
    """Where the answer can be looked up: inline Markdown."""
    hint: Passage | None = None
    """What helps without telling: inline Markdown, folded on the question's side."""
    language: str = ""
    """The prose's, as in HTML's `lang`."""
    verified: bool = True
    """False where the author turned execution off for the file."""
    suppressions: tuple[Suppression, ...] = ()
    """The rules for cards that it may break."""
    hidden: tuple[ClozeDeletion, ...] = ()
    """The deletions of a cloze card, in reading order."""
    id_slot: IdSlot | None = None
    """Where an id could be written, if there is none."""
    sketch: str = ""
    """Of the answer, by which the card is known again (see `history.likeness`)."""
    identity: Identity | None = None
    """Known once `recognise` has seen the card."""
    numbers: tuple[int, ...] = ()
    """The number of each deletion, known by then too."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The witness of a run: this snippet was executed to its end, and this is what it showed."""

    snippet: Snippet
    assertions: int
    """How many were executed and held."""
    stdout: str = ""
    value: str = ""
    """Of an expression in the prose."""
    raised: str = ""
    """The announced exception, as `Type: message`."""
    figures: tuple[str, ...] = ()
    """The matplotlib figures that the snippet left open, as SVG."""
    seconds: float = 0.0
    environment: tuple[tuple[str, str], ...] = ()
    """The distributions that the snippet imports, each with its version."""
    files: tuple[str, ...] = ()
    """The project's files that its card imported or opened."""
    reused: bool = False
    """Whether a former run is the witness."""


@dataclass(frozen=True, slots=True)
class Survivor:
    """A change of shown code that no assertion noticed."""

    place: Place
    before: str
    after: str
    """The line, as it is and as it was changed."""
    moved: float | None = None
    """How far the values that assertions read moved at most, where they are numbers."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What a card's assertions could have caught."""

    mutants: int = 0
    """Changes that were made; all that follow are some of them."""
    killed: int = 0
    """Refused by an assertion."""
    crashed: int = 0
    """Failed otherwise, which says nothing of the assertions."""
    equivalent: int = 0
    """Left every value that an assertion reads as it was."""
    survivors: tuple[Survivor, ...] = ()
    advised: tuple[Place, ...] = ()
    """Where changes beyond these, such as a lost epsilon, were not noticed; none is counted."""
    flaky: str = ""
    """Why the card does not hold whatever the seed; empty if it does."""
    flaky_place: Place | None = None
    reused: bool = field(default=False, compare=False)
    """Whether a former run found it."""

    @property
    def score(self) -> float | None:
        """The share that assertions kill of what they could; None where they could nothing."""
        judged = self.killed + len(self.survivors)
        return self.killed / judged if judged else None


@dataclass(frozen=True, slots=True)
class ProvenCard:
    """A card whose every executed snippet has a proof. Only `verify` makes these."""

    card: Card
    proofs: tuple[Proof, ...]
    audit: Audit | None = None
    """What `audit` found, where it was asked."""


FIELDS = ("Question", "Answer", "Extra", "Hint", "Proof", "Source", "Id", "Reverse")
"""The fields of every note, in Anki's order; `render.note_types` has the ids that they keep."""

SEPARATOR = "\x1f"
"""What stands between the fields of a note in Anki's database, and in none of them."""


@dataclass(frozen=True, slots=True)
class Media:
    """A file that a note shows."""

    name: str
    """Follows from the content, so that a changed picture has another name."""
    content: bytes = field(repr=False)


def content_of(fields: Mapping[str, str], tags: Iterable[str]) -> str:
    """The hash of what a note tells: its fields but for the id, and its tags."""
    told = {name: text for name, text in fields.items() if name != "Id"}
    text = json.dumps([told, sorted(tags)], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


@dataclass(frozen=True, slots=True)
class Note:
    """What Anki keeps: the fields of one note, from which its cards are made."""

    kind: Kind
    deck: str
    fields: Mapping[str, str]
    """HTML by field name; `FIELDS` names them all."""
    tags: tuple[str, ...]
    media: tuple[Media, ...]
    place: Place
    identity: Identity
    content: str = ""
    """The hash of what it tells (see `content_of`)."""
    mod: int = 0
    """When its content last changed, in Unix seconds; known once `stamp` has seen it."""
    retired: bool = False
    """No card of the project any more: told to Anki once more, without a card to be learnt."""


@dataclass(frozen=True, slots=True)
class LastBuilt:
    """A note that is no card any more, as it was built last."""

    fields: Mapping[str, str]
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Packaged:
    """A note as a package has it."""

    fields: Mapping[str, str]
    tags: tuple[str, ...]
    mod: int
    deck: str
    """Empty where it has no cards."""
    numbers: frozenset[int]
    """Of its cards, counted from 1."""


@dataclass(frozen=True, slots=True)
class Template:
    """One way to ask: a card of the note."""

    name: str
    id: int
    front: str
    back: str


@dataclass(frozen=True, slots=True)
class NoteType:
    """Anki's note type."""

    id: int
    name: str
    is_cloze: bool
    fields: tuple[tuple[str, int], ...]
    """Their names, each with the id that it keeps for ever."""
    templates: tuple[Template, ...]
    css: str


@dataclass(frozen=True, slots=True)
class DeckContents:
    """All that a package holds."""

    notes: tuple[Note, ...]
    """In the order in which they are to be learnt."""
    styles: Mapping[Kind, int]
    """When each note type last changed, in Unix seconds."""
    build_time: int
    """When anything last changed."""
    note_types: Mapping[Kind, NoteType]


@dataclass(frozen=True, slots=True)
class Stats:
    """What a run counted, for the summary."""

    cards: int = 0
    snippets: int = 0
    """Fences that were executed, shown or not."""
    values: int = 0
    """Expressions in prose that were executed."""
    assertions: int = 0
    """Executed and held."""
    not_run: int = 0
    """Shown in a language that has a verifier, and declared as not to be run."""
    unverified: int = 0
    """Cards with code in such a language, for which verification is turned off."""
    text: int = 0
    """Fences without a language, or called text."""
    unverifiable: int = 0
    """Shown in a language without a verifier."""
    nameless: int = 0
    """Cards without an id of their own."""
    reused: int = 0
    """Cards whose proof of a former run still holds: nothing of them was executed now."""
    sandbox: str = ""
    """The sandbox in which snippets are executed here, or why there is none."""
    seconds: float = 0.0
    parsed: int = 0
    """Files whose cards were not remembered from a former run."""
    rendered: int = 0
    """Cards whose look was not remembered."""
    executed: int = 0
    """Cards that hold and were executed in this run."""


class ChangeKind(StrEnum):
    """What became of a note. It may be several things at once."""

    NEW = "new"
    CHANGED = "changed"
    """It says something else, or has other tags."""
    REWORDED = "reworded"
    """Its question is another one, and it was known again."""
    MOVED = "moved"
    """It is in another deck, where no import brings a card that is there already."""
    EMPTIED = "emptied"
    """A number of a cloze card hides nothing any more."""
    RETIRED = "retired"
    """There is no card for it any more, and a tag that says so is told to Anki."""
    UNTAGGED = "untagged"
    """There is no card for it any more, nor its text, without which no tag can be told."""
    RETURNED = "returned"
    """There is a card for it again."""
    UNTOUCHED = "untouched"


@dataclass(frozen=True, slots=True)
class Change:
    """Something that became of a note."""

    kind: ChangeKind
    id: str
    before: str = ""
    """The former question, deck or deletion, or what the note asked; empty for a reverse."""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Built:
    """A package that stands on the disk."""

    path: str
    sha256: str
    notes: int
    """Those that are cards of the project."""
    retired: int = 0
    """Those that are not, and are told once more."""
    changes: tuple[Change, ...] = ()
    """What has become of the notes since the last build."""

    @classmethod
    def of(
        cls, contents: DeckContents, path: str, sha256: str, changes: tuple[Change, ...]
    ) -> Built:
        """The package of a deck."""
        retired = sum(note.retired for note in contents.notes)
        return cls(path, sha256, len(contents.notes) - retired, retired, changes)
