"""The values that travel between the stages. All are frozen; none holds a library's object."""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import inf
from typing import NamedTuple, TypedDict


def one_line(text: str) -> str:
    """Return the text with every run of white space replaced by one space.

    A text without such runs is returned as it is: thousands of cards hold their questions once.
    """
    line = " ".join(text.split())
    return text if line == text else line


_SHORT = 60


def short(text: str) -> str:
    """Return the first characters of a text, enough to tell one card from another."""
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"


def more_below(count: int) -> str:
    """Return how a message says that it holds of so many, and is told at the first of them."""
    return f" (and {count - 1:,} more below)" if count > 1 else ""


FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Characters that no field of a note may contain: Anki drops them, or ends the field there."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line and a column of a file. Its `str` is the form that editors jump to."""

    path: str
    """Relative to the project, with forward slashes; absolute for a file outside of it."""
    line: int = 1
    column: int = 1
    """Both are counted from 1; a column counts characters."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Source:
    """A whole Markdown file, so that line numbers are those of the file."""

    path: str
    text: str
    """Without a byte order mark; every line ends with a line feed."""
    folders: tuple[str, ...] = ()
    """The folders between the cards' own folder and the file: parts of the deck's name."""
    in_vault: bool = False
    """Whether it is a note of Obsidian's by where it stands."""


class Edit(NamedTuple):
    """A change of a line of a passage."""

    line: int
    column: int
    """Of the first character that was changed, in the changed text; counted from 0."""
    longer: int
    """How many characters the line has won by it."""
    before: int = 0
    """How many it has won by the changes before it."""


class Link(TypedDict, total=False):
    """A link reference definition, as markdown-it has it, or a footnote's."""

    href: str
    title: str
    map: list[int]
    note: Passage
    """Only of a footnote: what it says."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a file's Markdown, cut out of it, and its place in the file."""

    text: str
    place: Place
    """Of its first character."""
    cuts: tuple[int, ...] = ()
    """How many characters were cut off in front of each line; lines without an entry lost none.
    Less than 0 where a tab became spaces."""
    inline: bool = False
    """True for a single paragraph: what begins like a list or a quotation is not one."""
    numbers: tuple[int, ...] = ()
    """How far below its first line each of its lines stands in the file; empty if it lacks none of
    them."""
    edits: tuple[tuple[Edit, ...], ...] = ()
    """What is written otherwise in the file: the changes of each call of `rewritten`."""
    links: Mapping[str, Link] = field(default_factory=dict, repr=False, compare=False)
    """All link reference definitions of the file, inside and outside of the passage."""

    def at(self, line: int, column: int) -> Place:
        """Return the place of a line and a column of the text, both counted from 0."""
        first = 0 if line else self.place.column - 1
        before = self.cuts[line] if line < len(self.cuts) else first
        for edits in reversed(self.edits):
            last = edits[bisect_right(edits, (line, column, inf)) - 1]
            if last.line == line and last.column <= column:
                column -= last.before + min(last.longer, column - last.column)
        below = line
        if self.numbers:  # where a fence is empty, its code would stand below the last line
            known = min(line, len(self.numbers) - 1)
            below += self.numbers[known] - known
        return Place(self.place.path, self.place.line + below, max(before + column, 0) + 1)

    def place_of(self, position: int) -> Place:
        """Return the place of a character of the text, whose position counts from 0."""
        line = self.text.count("\n", 0, position)
        return self.at(line, position - (self.text.rfind("\n", 0, position) + 1))

    def lacking(self, lines: Collection[int]) -> Passage | None:
        """Return the passage without some of its lines, counted from 0; None if all are blank.

        Blank lines at its start and its end are cut off.
        """
        text = self.text.split("\n")
        kept = [number for number in range(len(text)) if number not in lines]
        while kept and not text[kept[0]].strip():
            del kept[0]
        while kept and not text[kept[-1]].strip():
            del kept[-1]
        if not kept:
            return None
        assert not self.edits
        assert not self.numbers
        cuts = [*self.cuts, *(0 for _ in text)]
        cuts[0] = self.place.column - 1
        return replace(
            self,
            text="\n".join(text[number] for number in kept),
            place=self.at(kept[0], 0),
            cuts=tuple(cuts[number] for number in kept),
            numbers=tuple(number - kept[0] for number in kept),
        )

    def rewritten(self, pieces: Iterable[tuple[int, int, str]]) -> Passage:
        """Return the passage with other text in place of some of its own.

        Each piece is the position of its first character, the one behind its last, and the text in
        its place. They stand in their order, none in another, and none changes the number of lines.
        What is written in another tool's words becomes ours so, and keeps its place in the file.
        """
        text, edits, done, line, line_start, won = [""], list[Edit](), 0, 0, 0, 0
        for start, stop, instead in pieces:
            if below := self.text.count("\n", done, start):
                line += below
                line_start, won = self.text.rfind("\n", done, start) + 1, 0
            longer = len(instead) - (stop - start)
            edits.append(Edit(line, start - line_start + won, longer, won))
            text += [self.text[done:start], instead]
            done, won = stop, won + longer
        if not edits:
            return self
        changed = "".join([*text, self.text[done:]])
        return replace(self, text=changed, edits=(*self.edits, tuple(edits)))


LARGEST_LIMIT = 1_000_000_000
"""The largest value of any limit: more than a card needs, and within what the system can count."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The resources that the snippets of one card may use."""

    timeout: float = 60.0
    """Wall time in seconds."""
    memory: int = 4096
    """Megabytes of memory that a process of the card may take, beyond its libraries'."""
    disk: int = 100
    """Megabytes that the card may write."""
    processes: int = 32
    """Processes that may run at once, the card's own included."""
    max_output: int = 1_000_000
    """Bytes that the card may print."""


class Role(StrEnum):
    """What a snippet is used for."""

    SHOWN = "shown"
    """Shown, and executed if its language has a verifier."""
    CHECK = "check"
    """Executed after the fence above it; shown only as part of the proof."""
    SETUP = "setup"
    """Executed before every card of the file, not shown."""
    OUTPUT = "output"
    """Shown: what the fence above it must have printed."""
    VALUE = "value"
    """An expression in the prose; the card shows its value instead."""
    TEXT = "text"
    """Shown, never executed: plain text, or code that is marked `.no-run`."""


EXECUTED = frozenset({Role.SHOWN, Role.CHECK, Role.SETUP, Role.VALUE})
"""The roles of fences that are executed where their language has a verifier."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options in the braces of a fence's info string."""

    role: Role = Role.SHOWN
    front: bool = False
    """Whether the fence is shown on the question's side of the card."""
    folded: bool = False
    """Whether its code is folded, and a figure that it draws stands above it."""
    include: str = ""
    """The file, relative to the project, whose code is shown and executed as a module."""
    symbol: str = ""
    region: str = ""
    raises: str = ""
    """The exception that the snippet must end with."""
    warns: str = ""
    """The category of the warning that the snippet must give."""
    match: str = ""
    """A regular expression that the message of the exception, or of the warning, must contain."""
    tolerance: float | None = None
    """How far printed numbers may differ from those on the card. None: they must agree in the
    digits that the card shows."""
    reason: str = ""
    """Why the snippet is not run."""
    numbered: bool = False
    """Whether its lines are shown with their numbers."""
    highlighted: tuple[int, ...] = ()
    """The lines that are highlighted, counted from 1 as they are shown."""
    alt: str = ""
    """What a figure that it draws shows, for who does not see it."""
    caption: str = ""
    """What stands under a figure that it draws."""
    limits: tuple[tuple[str, float], ...] = ()
    """Names of fields of `Limits`, each with its value for the whole card."""


_AUTHORS_NOTE = re.compile(r"(?<![ \t])[ \t]*#\s*audit:\s*ignore\b.*")
"""A comment for the audit, which the card does not show."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """A fence: code that is shown, executed, or both."""

    language: str
    """Its first name in Pygments; empty for plain text."""
    code: str
    """What is shown, without the indentation of its container and without cloze marks."""
    place: Place
    """Of the fence, or of the expression."""
    origin: Place
    """Of the code's first character: in the line below the fence, or in the included file."""
    options: Options = Options()
    marks: tuple[int, ...] = ()
    """Lines of included code, counted from 0, that mark regions of its file. They are not shown."""
    executable: bool = False
    """Whether its language has a verifier and its role is in `EXECUTED`. `Card.verified` decides
    whether it is run."""
    session: bool = False
    """Whether it is a transcript: examples behind prompts, each with what it prints."""
    must_assert: bool = True
    """Whether something that it computes must be asserted."""
    in_document: bool = False
    """Whether it stands in a document, whose next fence is executed though this one fails."""

    def shown_lines(self) -> dict[int, str]:
        """Return the lines of the code as a card shows them, by their numbers, counted from 0."""
        lines = enumerate(self.code.split("\n"))
        return {
            number: _AUTHORS_NOTE.sub("", line)
            for number, line in lines
            if number not in self.marks
        }


class Kind(StrEnum):
    """The kinds of cards; each has a note type of its own."""

    BASIC = "basic"
    TYPED = "typed"
    CLOZE = "cloze"


@dataclass(frozen=True, slots=True)
class IdSlot:
    """The place where an id can be inserted, and what is written around it."""

    place: Place
    before: str = " {#"
    behind: str = "}"
    """A line feed in either is written as the lines of the file end."""


@dataclass(frozen=True, slots=True)
class ClozeDeletion:
    """A deletion of a cloze card."""

    number: int | None
    """The number that the author wrote, or None. Deletions with the same number are one card."""
    text: str
    """What is hidden."""
    hint: str = ""
    place: Place = Place("")
    """Of its mark; inside of code or maths, of the code or maths."""
    start: int = 0
    """In code and maths: the offset of its text, in the code or maths without any marks."""
    is_empty: bool = False
    """Whether it hides nothing. Its text may be empty all the same: an image may have none."""

    @property
    def end(self) -> int:
        """In code and maths: the offset behind its text."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Suppression:
    """A rule that a card may break, and the author's reason."""

    rule: str
    """The rule's name, see `rules.RULES`."""
    reason: str
    place: Place


@dataclass(frozen=True, slots=True)
class UnreadCard:
    """A question of which no card was made: it has no answer yet, or something is wrong with it."""

    place: Place
    id: str
    question: str
    """Its Markdown, on one line."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The note that a card belongs to, and what the lock remembers to recognise it."""

    id: str
    """The author's id, or one that was derived from the question in the card's first build."""
    written: bool
    """Whether the id stands in the Markdown."""
    guid: str
    question: str
    """Its Markdown, on one line."""
    answer: str = ""
    """A sketch of the answer (see `history.likeness`)."""
    numbers: tuple[tuple[int, str], ...] = ()
    """The numbers of Anki's cards of the note beyond the plain one, each with the text that it
    hides, in reading order."""
    dropped: tuple[tuple[int, str], ...] = ()
    """Numbers that were used in former builds and no longer are, each with its last text."""

    @property
    def every_number(self) -> tuple[tuple[int, str], ...]:
        """The numbers in use, then those that are no longer used."""
        return (*self.numbers, *self.dropped)


@dataclass(frozen=True, slots=True)
class Card:
    """A question and its answer, as the author wrote them."""

    id: str
    """The id that the author wrote as `{#id}`, or empty."""
    kind: Kind
    deck: str
    question: Passage
    answer: Passage | None
    """None only for a cloze card."""
    snippets: tuple[Snippet, ...]
    """The file's set-up, then the card's fences in their order, then the values in its prose."""
    tags: tuple[str, ...]
    place: Place
    reverse: bool = False
    source: Passage | None = None
    """Where the answer can be looked up: inline Markdown."""
    hint: Passage | None = None
    """Inline Markdown that is shown folded on the question's side."""
    language: str = ""
    """The language of the prose, as in HTML's `lang`."""
    verified: bool = True
    """False where the author turned execution off for the file."""
    suppressions: tuple[Suppression, ...] = ()
    """The rules for cards that it may break."""
    deletions: tuple[ClozeDeletion, ...] = ()
    """The deletions of a cloze card, in reading order; empty for other kinds."""
    id_slot: IdSlot | None = None
    """Where an id can be inserted."""
    sketch: str = ""
    """A sketch of the answer, to recognise the card (see `history.likeness`)."""
    identity: Identity | None = None
    """None until `recognise` has set it."""
    numbers: tuple[int, ...] = ()
    """Anki's number of each deletion, set by `recognise` too."""
    is_outline: bool = False
    """Whether only that is held of it by which it is told of and recognised (see `outline`)."""

    @property
    def is_executable(self) -> bool:
        """Whether any of its snippets is. They are executed only if it is `verified`."""
        return any(each.executable for each in self.snippets)


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What a card says that its code gives, and what is to be said in place of it."""

    place: Place
    """Of the output's first line that differs, or of the comment."""
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Proof:
    """Evidence that a snippet was executed to its end, and what it printed and computed."""

    snippet: Snippet
    assertions: int
    """How many assertions were executed and held."""
    stdout: str = ""
    value: str = ""
    """The value of an expression in the prose."""
    raised: str = ""
    """The expected exception, as `Type: message`."""
    figures: tuple[str, ...] = ()
    """The matplotlib figures that the snippet left open, as SVG."""
    seconds: float = 0.0
    environment: tuple[tuple[str, str], ...] = ()
    """The names and versions of the distributions that the snippet imports."""
    files: tuple[str, ...] = ()
    """The files of the project that its card imported or opened."""
    reused: bool = False
    """Whether it comes from the cache of a former run."""
    stale: tuple[Rewritten, ...] = ()
    """The comments that say another value than the code gives; only an update proves these."""


@dataclass(frozen=True, slots=True)
class Survivor:
    """A change of shown code that no assertion noticed."""

    place: Place
    before: str
    after: str
    """The line before and after the change."""
    moved: float | None = None
    """The largest change among the numbers that assertions read; None if none is a number."""
    uncovered: str = ""
    """Why no assertion could notice it: its line never ran, or what it alters reaches none. Empty
    for a change of what an assertion reads."""


@dataclass(frozen=True, slots=True)
class Audit:
    """How many mistakes a card's assertions would notice, measured by changes of its code."""

    mutants: int = 0
    """All changes that were made. Each is killed, crashed, equivalent or a survivor."""
    killed: int = 0
    """Changes that an assertion noticed."""
    crashed: int = 0
    """Changes that failed in another way, which proves nothing about the assertions."""
    equivalent: int = 0
    """Changes that left all that the shown code computes as it was."""
    survivors: tuple[Survivor, ...] = ()
    """Changes that no assertion noticed, the uncovered ones too."""
    ignored: int = 0
    """Lines of shown code that are not changed, for a reason that stands behind them."""
    advised: tuple[Place, ...] = ()
    """Places of further changes, such as a lost epsilon, that were not noticed. The counts do not
    include them."""
    flaky: str = ""
    """Why the card does not hold under every seed; empty if it does."""
    flaky_place: Place | None = None
    reused: bool = field(default=False, compare=False)
    """Whether it comes from the cache of a former run."""

    @property
    def judged(self) -> int:
        """The changes that count for the score: killed and surviving ones."""
        return self.killed + len(self.survivors)

    @property
    def uncovered(self) -> int:
        """The survivors that no assertion could notice."""
        return sum(1 for each in self.survivors if each.uncovered)

    @property
    def score(self) -> float | None:
        """The killed share of killed and surviving changes; None where there are neither."""
        return self.killed / self.judged if self.judged else None

    @property
    def unjudged(self) -> str:
        """Why there is no score; empty where there is one."""
        if self.judged:
            return ""
        if not self.mutants:
            return "every change is ignored" if self.ignored else "there is nothing to change"
        if not self.equivalent:
            return "every change crashes"
        return f"every change {'crashes or ' if self.crashed else ''}alters nothing"


@dataclass(frozen=True, slots=True)
class ProvenCard:
    """A card whose every executed snippet has a proof. Only `verify` makes these."""

    card: Card
    proofs: tuple[Proof, ...]
    audit: Audit | None = None
    """The result of `audit`; None where it did not run, or the card has no code."""


OVERVIEW = "overview"
"""The tag of a card that asks for a whole topic, in addition to the atomic cards for its parts."""

FIELDS = ("Question", "Answer", "Extra", "Hint", "Proof", "Source", "Id", "Reverse")
"""The fields of every note, in Anki's order; `render.note_types` has their ids."""

HIGHEST_DELETION = 500
"""Anki makes an empty card of a deletion with a higher number."""

SEPARATOR = "\x1f"
"""The character between the fields of a note in Anki's database; no field contains it."""


@dataclass(frozen=True, slots=True)
class Media:
    """An image or a sound of a note."""

    name: str
    """Derived from the content, so that a changed picture has another name."""
    content: bytes = field(repr=False)


_JSON = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode


def content_of(fields: Mapping[str, str], tags: Iterable[str]) -> str:
    """Return the hash of a note's fields, except its id, and its tags."""
    hashed = {name: text for name, text in fields.items() if name != "Id"}
    return hashlib.sha256(_JSON([hashed, sorted(tags)]).encode()).hexdigest()[:20]


@dataclass(frozen=True, slots=True)
class Note:
    """A note of Anki's: the fields from which it makes cards."""

    kind: Kind
    deck: str
    fields: Mapping[str, str]
    """HTML by field name, for all names in `FIELDS`."""
    tags: tuple[str, ...]
    media: tuple[Media, ...]
    place: Place
    identity: Identity
    content: str = ""
    """The hash of its fields and tags (see `content_of`)."""
    mod: int = 0
    """When its content last changed, in Unix seconds; 0 until `stamp` has set it."""
    retired: bool = False
    """Whether the project no longer has a card for it. Such a note is packaged again with a tag."""


@dataclass(frozen=True, slots=True)
class LastBuilt:
    """A note that has no card in a build, as it was built last."""

    fields: Mapping[str, str]
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Packaged:
    """A note as it stands in a package."""

    fields: Mapping[str, str]
    tags: tuple[str, ...]
    mod: int
    deck: str
    """Empty if the note has no cards."""
    numbers: frozenset[int]
    """The numbers of its cards, counted from 1."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template of a note type: it makes one card of each note."""

    name: str
    id: int
    front: str
    back: str


@dataclass(frozen=True, slots=True)
class NoteType:
    """A note type of Anki's."""

    id: int
    name: str
    is_cloze: bool
    fields: tuple[tuple[str, int], ...]
    """Names and ids; an id never changes."""
    templates: tuple[Template, ...]
    css: str


@dataclass(frozen=True, slots=True)
class DeckContents:
    """The contents of a package."""

    notes: tuple[Note, ...]
    """In the order of the files."""
    styles: Mapping[Kind, int]
    """When each note type last changed, in Unix seconds."""
    build_time: int
    """When anything last changed, in Unix seconds."""
    note_types: Mapping[Kind, NoteType]


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A card as it is read without Anki. Its sides are HTML that runs and fetches nothing."""

    number: int
    """Anki's, counted from 1."""
    front: str
    back: str
    """What is added to the front, or stands in its place."""


@dataclass(frozen=True, slots=True)
class ShownNote:
    """A note with what it was made of, and its cards as they are read without Anki."""

    note: Note
    card: Card
    cards: tuple[ShownCard, ...]
    """None for a target that shows no cards."""


@dataclass(frozen=True, slots=True)
class ShownDeck:
    """A deck for whoever reads it without Anki."""

    name: str
    language: str
    """As in HTML's `lang`; empty if the project sets none."""
    css: str
    notes: tuple[ShownNote, ...]
    """In the order of the files."""
    layout: str = ""
    """How it is laid out, by a word that its target knows; empty for the usual way."""


@dataclass(frozen=True, slots=True)
class Stats:
    """The counts of a run, for its summary."""

    cards: int = 0
    snippets: int = 0
    """Fences that were executed, shown or not."""
    values: int = 0
    """Expressions in prose that were executed."""
    assertions: int = 0
    """Assertions that were executed and held."""
    not_run: int = 0
    """Fences that are marked `.no-run`."""
    unverified: int = 0
    """Cards with executable code for which verification is turned off."""
    text: int = 0
    """Fences that name no language, or `text`."""
    unverifiable: int = 0
    """Fences in a language without a verifier."""
    nameless: int = 0
    """Cards without an id in the Markdown."""
    reused: int = 0
    """Cards whose proofs all come from the cache of a former run."""
    sandbox: str = ""
    """The sandbox in which snippets are executed, or why there is none."""
    seconds: float = 0.0
    parsed: int = 0
    """Files that were parsed because their cards were not cached."""
    rendered: int = 0
    """Cards that were rendered, or by a check only looked at, because that was not cached."""
    executed: int = 0
    """Cards that were executed in this run and hold."""
    documents: int = 0
    """Files that are documents, whether their snippets were executed or left out."""


class ChangeKind(StrEnum):
    """What has changed in a note. A note may have several changes at once."""

    NEW = "new"
    CHANGED = "changed"
    """Its text or its tags changed, but not its question."""
    REWORDED = "reworded"
    """Its question changed, and its card was recognised."""
    MOVED = "moved"
    """Its deck changed. An import leaves existing cards in their deck."""
    EMPTIED = "emptied"
    """A number of a cloze card no longer hides anything."""
    RETIRED = "retired"
    """It has lost its card, and is packaged once more with a tag that says so."""
    UNTAGGED = "untagged"
    """It has lost its card, and its text is not at hand, so no tag can be packaged."""
    RETURNED = "returned"
    """It was retired, and has a card again."""
    UNTOUCHED = "untouched"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a note."""

    kind: ChangeKind
    id: str
    before: str = ""
    """The former question, deck or deletion; empty for a reverse card."""
    after: str = ""
