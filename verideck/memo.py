"""What was found before and follows from nothing that has changed: in memory, and in the store.

The cards of a file follow from its text, its path, the settings and the files that it includes;
what a card looks like follows from the card, its proofs, its audit, its deletions' numbers and its
images. Both follow from our own code, too (see `_version`).
"""

from __future__ import annotations

import os
import sys
import threading
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from verideck import __version__, plugins
from verideck.findings import Findings
from verideck.history.likeness import sketch
from verideck.history.recognise import as_new
from verideck.model import Card, Note, Place, ProvenCard, Source
from verideck.outline import Outline
from verideck.problems import Code, Problem, Problems, has_errors, told_once
from verideck.render.look import ImageFile, Rendered, depends_on_run, note_of, without_html
from verideck.source.config import SourceConfig
from verideck.source.defaults import defaults_of
from verideck.source.found import CardsOfFile
from verideck.source.read import text_of
from verideck.storage.files import FileCache, FileHashes, place_name
from verideck.storage.named_files import NamedFiles
from verideck.storage.reading import Limit, hint_of, read
from verideck.storage.store import Rows, Store, encoded, key, together

if TYPE_CHECKING:
    from verideck.render.highlight import Highlighter

_ROOMS = ("source", "markdown", "render", "history")
"""Whose code decides what a row says."""
_OURS = (
    "model.py",
    "problems.py",
    "memo.py",
    "outline.py",
    "storage/files.py",
    "storage/named_files.py",
    "storage/reading.py",
)
"""The other files whose code does."""
_LIBRARIES = ("markdown_it", "nh3", "pygments", "ruamel.yaml")
"""What that code leaves to others."""
_TOGETHER = 64
"""Rows of files that are written together where none is held."""
_WORTH_TWO_CORES = 400_000
"""Characters of Markdown from which on starting more processes costs less than it saves."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """The cards of a file, and what those look like whose look follows from no run.

    Of these, an outline of the row has outlines alone.
    """

    found: CardsOfFile
    looks: tuple[Rendered | None, ...]
    """Of each card; None where its look depends on a run."""
    images: tuple[ImageFile, ...]
    """Those of all these looks."""


@dataclass(frozen=True, slots=True)
class _FindingsRow:
    """What a check told that executed nothing, and what that follows from."""

    stamp: str
    """The hash of all but the files below."""
    findings: Findings
    included: tuple[tuple[str, str], ...]
    """The files that fences include, with the hashes of their contents."""
    images: tuple[ImageFile, ...]


class _File:
    """A file whose cards are known."""

    def __init__(self, key: str, row: FileRow, *, is_outline: bool) -> None:
        """Hold a row, whole or in outline, and the key under which it is kept."""
        self.key = key
        self.row = row
        self.is_outline = is_outline

    @cached_property
    def looks(self) -> Mapping[int, Rendered | None]:
        """What the cards look like, by the ids of these objects."""
        by_card = zip(self.row.found.cards, self.row.looks, strict=True)
        return {id(card): look for card, look in by_card}


class Memo:
    """Remembers what the pure stages find. One for each open project."""

    def __init__(self, root: Path, store: Store) -> None:
        """Keep rows in a store, and values in memory."""
        self._root = root
        self._config = SourceConfig(root, "")
        self._file_rows = Rows.of(store, "files", FileRow)
        self._outline_rows: Rows[FileRow] | None = None
        """Those of a run that asks for outlines."""
        self._look_rows = Rows.of(store, "looks", Rendered)
        self._findings_rows = Rows.of(store, "findings", _FindingsRow)
        self._store = store
        self._highlighter: Highlighter | None = None
        self._hashes = FileHashes(root)
        self._named = NamedFiles(root)
        self.texts = FileCache(text_of)
        self._files: dict[str, _File] = {}
        self._asked: set[str] = set()
        """The files that this run has asked for: each is looked at once."""
        self._keys: dict[str, tuple[Source, str]] = {}
        """Those of the files of this run, by their paths."""
        self._outline: Outline | None = None
        """What this run asks for of cards, if not for all."""
        self._notes: dict[int, _Noted] = {}
        self._used: dict[int, _Noted | None] = {}
        """The cards whose look was asked for, with their notes."""
        self._images: dict[ImageFile, None] = {}
        self._media: dict[tuple[str, str], bytes] = {}
        """What image files hold, by their paths and hashes; of this run alone."""
        self._fresh_files: dict[str, FileRow] = {}
        self._unwritten: dict[str, bytes] = {}
        """Outlines of rows, until some are written together."""
        self._fresh_looks: dict[str, Rendered] = {}
        self._found = Problems()
        """What is wrong with how the cards of this run look."""
        self.done: Counter[str] = Counter()
        """What was done anew: files that were parsed, cards that were rendered, or looked at."""

    def begin(self, config: SourceConfig, outline: Outline | None = None) -> None:
        """Begin a run, in which the settings are these.

        With an `outline`, it gets that of each card whose look follows from no run, and no notes:
        such a card is not rendered. Outlines of rows are written as they come.
        """
        self._config = config
        self._outline = outline
        decode = self._file_rows.decode
        self._outline_rows = Rows(self._store, outline.name, decode, encoded) if outline else None
        self._named = NamedFiles(self._root)
        self._asked.clear()
        self._keys.clear()
        self._used.clear()
        self._images.clear()
        self.done.clear()

    def prepare(self, sources: Sequence[Source]) -> None:
        """Find the cards of many files at once, on all cores, where few of them are remembered."""
        missing = [each for each in sources if self._remembered(each) is None]
        if sum(len(each.text) for each in missing) < _WORTH_TWO_CORES or not _may_fork():
            return
        import verideck.render.told  # noqa: PLC0415 - once, and not in each of the processes
        import verideck.source.cards  # noqa: F401, PLC0415 - see above
        from verideck.forked import shared  # noqa: PLC0415 - only here

        self._highlighted()  # the time of lexers begins here, for all of them
        work = partial(_encoded_rows, self._config, self._named, self._outline, _Texts(missing))
        with closing(shared(work, _pieces(len(missing)))) as pieces:
            for numbers, content in pieces:
                for number, row in zip(numbers, together(content), strict=True):
                    self._keep(missing[number], self._file_rows.decode(row), row)

    def cards_of(self, source: Source) -> CardsOfFile:
        """The cards of a file, see `source.cards.cards_of`."""
        row = self._remembered(source)
        if row is None:
            row = row_of(self._config, source, self._highlighted(), self._named, self._outline)
            row = self._keep(source, row)
        return row.found

    def note(self, proven: ProvenCard, card: Card) -> Note | None:
        """The note of a proven card, given as it was identified; None where it cannot be rendered.

        What stands in the way is told by `told`. There is none in a run that asks for outlines.
        """
        known = self._notes.get(id(card))
        if known and known.card is card and known.proven == proven and self._shows(known.images):
            self._used[id(card)] = known
            self._images.update(dict.fromkeys(known.images))
            self._found.extend(known.warnings)
            return known.note
        self._used.setdefault(id(card))
        look = self._look(proven, card)
        self._images.update(dict.fromkeys(look.images))
        self._found.extend(look.problems)
        if self._outline or has_errors(look.problems):
            return None
        try:
            images = {each.name: self._image(each) for each in look.images if each.name}
        except OSError as error:  # it has changed since it was rendered
            message = f"{error.filename} cannot be read: {error.strerror}"
            self._found.report(Problem(Code.IMAGE_UNUSABLE, message, card.place, hint_of(error)))
            return None
        note = note_of(card, look, images)
        self._used[id(card)] = _Noted(card, proven, look.images, look.problems, note)
        return note

    def told(self, known: Mapping[Place, Card], every: Iterable[Card]) -> Iterator[Problem]:
        """What is wrong with how cards look, once for each target; `note` has the notes of some.

        The others did not hold, or are not among the `known` ones, of which it is clear which notes
        they are. What is wrong beside that is told with it.
        """
        unclear = (as_new(card) for card in every if card.place not in known)
        for card in (*known.values(), *unclear):
            if id(card) not in self._used:
                self.note(ProvenCard(card, ()), card)
        found, self._found = self._found, Problems()
        yield from told_once(found)

    def _image(self, image: ImageFile) -> bytes:
        """What a file holds. Many cards may show it, and share one object in memory."""
        named = (image.path, image.hash)
        if named not in self._media:
            self._media[named] = read(self._root / image.path, Limit.MEDIA, (self._root,))
        return self._media[named]

    def images(self) -> set[str]:
        """The image files that the cards of this run show, or should."""
        paths = {image.path for image in self._images}
        return {place_name(self._root / path, self._root) for path in paths}

    def findings(self, paths: Sequence[str], stamp: str) -> Findings | None:
        """What the last check of some paths told, if that is still true.

        The stamp is of all that it follows from but included files and images; see `stamp_of`.
        """
        row = self._findings_rows.find(key(*paths))
        is_fresh = row and row.stamp == stamp and self._holds(row.included, row.images)
        return row.findings if row and is_fresh else None

    def keep_findings(self, paths: Sequence[str], stamp: str, findings: Findings) -> None:
        """Keep what this run tells, which has executed nothing. The last one's is overwritten."""
        rows = (self._files[path].row for path in sorted(self._asked))
        included = dict.fromkeys(pair for row in rows for pair in row.found.included)
        told = replace(findings, stats=replace(findings.stats, parsed=0, rendered=0))
        row = _FindingsRow(stamp, told, tuple(included), tuple(self._images))
        self._findings_rows.keep(key(*paths), row)

    def stamp_of(self, sources: Iterable[Source], *parts: object) -> str:
        """The hash of some files, the settings that hold for each, our own code, and more."""
        return key(_version(whole=True), list(map(self._key_of, sources)), parts)

    def end(self, *, write: bool = True) -> None:
        """End a run: keep in memory what it asked for, and maybe write what is new."""
        self._notes = {card: noted for card, noted in self._used.items() if noted}
        self._used = {}
        self._media.clear()
        self._keys.clear()
        self._flush()
        self._files = {
            path: file
            for path, file in self._files.items()
            if path in self._asked and not file.is_outline
        }
        here = {file.key for file in self._files.values()}
        self._fresh_files = {key: row for key, row in self._fresh_files.items() if key in here}
        if write:
            self._file_rows.keep_all(self._fresh_files)
            self._look_rows.keep_all(self._fresh_looks)
            if self._highlighter:
                self._highlighter.keep()
            self._fresh_files.clear()
            self._fresh_looks.clear()
        self._highlighter = None

    def _highlighted(self) -> Highlighter:
        from verideck.markdown import languages  # noqa: PLC0415 - see `prepare`
        from verideck.render.highlight import Highlighter  # noqa: PLC0415 - see `prepare`

        if self._highlighter is None:
            languages.begin()
            self._highlighter = Highlighter(self._store)
        return self._highlighter

    def _remembered(self, source: Source) -> FileRow | None:
        known = self._files.get(source.path)
        if known and source.path in self._asked:
            return known.row
        named = self._key_of(source)
        is_known = known is not None and known.key == named and not known.is_outline
        row = known.row if known and is_known else self._kept(named)
        if row is None or not self._holds(row.found.included, row.images):
            return None
        return self._take(source, named, row)

    def _kept(self, named: str) -> FileRow | None:
        """The row of a file that a former run kept. A whole one can be outlined."""
        outline = self._outline_rows and self._outline_rows.find(named)
        return outline or self._file_rows.find(named)

    def _keep(self, source: Source, row: FileRow, content: bytes = b"") -> FileRow:
        """Take a new row, which was encoded to this, and see that it is written."""
        named = self._key_of(source)
        if self._outline:
            self._unwritten[named] = content or encoded(row)
            if len(self._unwritten) >= _TOGETHER:
                self._flush()
        else:
            self._fresh_files[named] = row
        self.done["files"] += 1
        self.done["cards"] += sum(look is not None for look in row.looks)
        return self._take(source, named, row)

    def _key_of(self, source: Source) -> str:
        """The key of a file's row. To compute it again would copy a page that forks share."""
        known = self._keys.get(source.path)
        if known is None or known[0] is not source:
            known = self._keys[source.path] = source, _file_key(source, self._config)
        return known[1]

    def _flush(self) -> None:
        if self._outline_rows:
            self._outline_rows.keep_encoded(self._unwritten)
        self._unwritten.clear()

    def _take(self, source: Source, named: str, row: FileRow) -> FileRow:
        """Hold a row for this run, whole or in outline; return it so."""
        known = self._files.get(source.path)
        if known is None or known.row is not row:
            row = _outlined(row, self._outline) if self._outline else row
            self._files[source.path] = _File(named, row, is_outline=bool(self._outline))
        self._asked.add(source.path)
        return row

    def _holds(self, included: Iterable[tuple[str, str]], images: Sequence[ImageFile]) -> bool:
        """Whether files that something follows from are as they were."""
        includes_hold = all(self._hashes.of(path) == known for path, known in included)
        return includes_hold and self._shows(images)

    def _shows(self, images: Sequence[ImageFile]) -> bool:
        """Whether images are as they were."""
        return not images or all(map(self._is_as_it_was, images))

    def _is_as_it_was(self, image: ImageFile) -> bool:
        search = image.search
        if search and self._named.find(search.name, search.folder) != search.found:
            return False
        return self._hashes.of(image.path) == image.hash

    def _look(self, proven: ProvenCard, card: Card) -> Rendered:
        """What an identified card looks like."""
        file = self._files.get(card.place.path)
        look = file.looks.get(id(proven.card)) if file else None
        if file and look and (file.is_outline or self._shows(look.images)):
            return look  # of an outline, nothing else can be rendered
        identified = replace(proven, card=card)
        named = _look_key(identified)
        look = self._look_rows.find(named)
        if look is None or not self._shows(look.images):
            from verideck.render.fields import rendered  # noqa: PLC0415 - see `prepare`

            look = rendered(identified, self._root, self._highlighted(), self._named)
            self._fresh_looks[named] = look
            self.done["cards"] += 1
        return look


@dataclass(frozen=True, slots=True)
class _Noted:
    """A note, and what it follows from."""

    card: Card
    proven: ProvenCard
    images: tuple[ImageFile, ...]
    warnings: tuple[Problem, ...]
    note: Note


def row_of(
    config: SourceConfig,
    source: Source,
    highlighter: Highlighter,
    named: NamedFiles | None = None,
    outline: Outline | None = None,
) -> FileRow:
    """The cards of a file, and what those look like whose look follows from no run; or an outline.

    Rendering follows directly on parsing: what Markdown was parsed to is still at hand.
    """
    from verideck.render.fields import rendered  # noqa: PLC0415 - see `prepare`
    from verideck.render.told import told  # noqa: PLC0415 - see `prepare`
    from verideck.source.cards import cards_of  # noqa: PLC0415 - see `prepare`

    found = cards_of(source, config)
    cards = found.cards
    if outline is None or outline.answers:
        cards = tuple(
            replace(card, sketch=sketch(card.answer.text)) if card.answer else card
            for card in cards
        )
    look_of = told if outline else rendered
    looks = tuple(
        None
        if depends_on_run(card)
        else look_of(ProvenCard(card, ()), config.root, highlighter, named)
        for card in cards
    )
    images = tuple(image for look in looks if look for image in look.images)
    row = FileRow(replace(found, cards=cards), looks, images)
    return _outlined(row, outline) if outline else row


def _outlined(row: FileRow, outline: Outline) -> FileRow:
    """A row with outlines of the cards whose look it has, and of these looks."""
    by_card = zip(row.found.cards, row.looks, strict=True)
    cards = tuple(outline.of_card(card) if look else card for card, look in by_card)
    looks = tuple(look and without_html(look) for look in row.looks)
    return FileRow(replace(row.found, cards=cards), looks, row.images)


_SENT = 16
"""Rows of files that another process sends together: its parent is awoken for each piece."""


def _pieces(count: int) -> Sequence[range]:
    """Divide so many files into pieces, of which each process gets several even of few files."""
    size = max(1, min(_SENT, count // _SENT))
    return [range(start, min(start + size, count)) for start in range(0, count, size)]


class _Texts:
    """Files for processes that are forked: their texts stand in one stretch of memory.

    A fork copies the page of every object that it only looks at, since that counts who holds it.
    Of thousands of texts it would copy half.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        """Copy the texts."""
        self._sources = sources
        self._texts = bytearray()
        self._starts = array("Q", [0])
        for source in sources:
            self._texts += source.text.encode()
            self._starts.append(len(self._texts))

    def source(self, number: int) -> Source:
        """Return a file, with a text of its own."""
        text = self._texts[self._starts[number] : self._starts[number + 1]].decode()
        return replace(self._sources[number], text=text)


def _encoded_rows(
    config: SourceConfig,
    named: NamedFiles,
    outline: Outline | None,
    texts: _Texts,
    numbers: Iterable[int],
) -> bytes:
    """The rows of some of many files, as another process gives them back."""
    return encoded(
        [_encoded_row(config, named, outline, texts.source(number)) for number in numbers]
    )


def _encoded_row(
    config: SourceConfig, named: NamedFiles, outline: Outline | None, source: Source
) -> bytes:
    from verideck.render.highlight import Highlighter  # noqa: PLC0415 - see `prepare`

    return encoded(row_of(config, source, Highlighter(None), named, outline))


def _may_fork() -> bool:
    """Whether other processes may share the work: a process with threads must not fork."""
    return sys.platform == "linux" and (os.cpu_count() or 1) > 1 and threading.active_count() == 1


def _file_key(source: Source, config: SourceConfig) -> str:
    proved, rules = sorted(config.proved), sorted(config.rules)
    # What is set for other folders is nothing to this file.
    here = defaults_of(source, config)
    # A text that msgspec encodes holds its UTF-8 from then on, in memory.
    parts = (_version(), here.deck, here.settings, config.require_assertions, config.verify,
             proved, rules, config.caps,
             source.path, source.folders, source.in_vault, source.text.encode())  # fmt: skip
    return key(*parts)


def _look_key(proven: ProvenCard) -> str:
    shown = [
        (proof.snippet, proof.assertions, proof.value, proof.raised, proof.figures,
         proof.environment)
        for proof in proven.proofs
    ]  # fmt: skip
    audit = proven.audit
    judged = audit and (audit.killed, len(audit.survivors), audit.score)
    # The deck is the note's, not the look's.
    parts = (_version(), replace(proven.card, deck=""), shown, judged)
    return key(*parts)


@cache
def _version(*, whole: bool = False) -> str:
    """What changes with the code that decides what rows say, at the price of a look.

    That is some rooms for what is on a card, and `whole` for what is told. Pygments takes languages
    from packages that are installed beside it.
    """
    package = Path(__file__).parent
    rooms = [""] if whole else _ROOMS
    files = [file for room in rooms for file in sorted((package / room).rglob("*.*"))]
    files = [each for each in files if "__pycache__" not in each.parts]
    found = [find_spec(name) for name in _LIBRARIES]
    libraries = [Path(each.origin) for each in found if each and each.origin]
    folders = [file.parents[1] for file in libraries]
    ours = [package / name for name in _OURS]
    every = [*ours, *files, *libraries, *folders]
    added = plugins.version(plugins.SYNTAXES)
    return repr([__version__, sys.version, added, *(each.stat().st_mtime_ns for each in every)])
