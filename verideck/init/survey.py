"""What a folder's notes say of themselves: where they are, their language, what their code says."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from verideck.init.language import language_of, without_code
from verideck.markdown.prose import QUESTION_MARKS
from verideck.model import Card, Role, Snippet
from verideck.problems import Problems
from verideck.project import source_config
from verideck.settings import Settings
from verideck.source.cards import cards_of
from verideck.source.read import SUFFIXES, read

_OTHERS = frozenset(
    {"node_modules", "venv", "env", "build", "dist", "site-packages", "target", "bak"}
)
"""Folders whose Markdown is somebody else's, or made, or an older state of what is there."""
_ABOUT = re.compile(
    r"readme|change(?:s|log)|history|contribut\w*|licen[cs]e|copying|security|code_of_conduct"
    r"|authors|todo|index|summary",
    re.IGNORECASE,
)
"""The names of files that tell of a folder: they are notes only where most cards are in them, or
all."""
_LOGSEQ = "logseq"
"""The form of Logseq's pages, and the folder beside them that it keeps for itself."""
_LOGSEQ_PAGES = ("pages", "journals")
"""The folders of its pages."""


@dataclass(frozen=True, slots=True)
class Note:
    """A Markdown file, and its cards."""

    path: Path
    """Below the folder."""
    text: str
    cards: tuple[Card, ...]
    syntax: str
    """The form in which it is read."""

    @property
    def is_about(self) -> bool:
        """Whether its name says that it tells of the folder."""
        return _ABOUT.match(self.path.stem) is not None


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found out of a folder."""

    cards: str
    """The folder of the notes."""
    lang: str
    """The language of their prose; empty where it is not clear."""
    level: int
    """The level of the headings that ask, where it is plain and not the usual one; else 0."""
    syntax: str
    """The form of files that name none, where it is plain for all of them; else empty."""
    has_markdown: bool
    executable: int
    """Cards with code that could be executed."""
    asserting: int
    """Those of them that say what the code gives."""
    files: tuple[tuple[str, int], ...]
    """All files with cards, wherever they are, and how many cards they have."""

    @property
    def mostly_asserts(self) -> bool:
        """Whether code that does not say what it gives is the exception."""
        return self.asserting >= _CLEARLY * self.executable


_CLEARLY = 2 / 3
"""The share that is a clear majority."""


def survey(settings: Settings) -> Survey:
    """Look at a folder that is to be a project. Executes nothing.

    `settings` are those that it has already: defaults, mostly.
    """
    notes = list(_notes(settings))
    syntax = _LOGSEQ if _are_logseqs(notes, settings.root) else ""
    if syntax:
        notes = list(_notes(replace(settings, syntax=syntax)))
    asking = _asking(notes)
    texts = [each.text for each in asking]
    code = [card for each in asking for card in each.cards if card.is_executable]
    return Survey(
        _folder([each.path for each in asking], settings),
        language_of(texts),
        _level(texts),
        syntax,
        bool(notes),
        len(code),
        sum(any(map(_says, card.snippets)) for card in code),
        tuple((each.path.as_posix(), len(each.cards)) for each in notes if each.cards),
    )


def _asking(notes: Sequence[Note]) -> Sequence[Note]:
    """Return the files that are notes."""
    found = [each for each in notes if each.cards]
    most = sum(len(each.cards) for each in found) / 2
    asking = [each for each in found if not each.is_about or len(each.cards) > most]
    return asking or found or notes


def _are_logseqs(notes: Sequence[Note], root: Path) -> bool:
    """Tell whether some of the notes ask as Logseq's pages do, and stand where it keeps them."""
    asking = (each.path for each in notes if each.syntax == _LOGSEQ)
    folders = {root / folder for path in asking for folder in path.parents}
    return any(
        (folder / _LOGSEQ).is_dir() or all((folder / name).is_dir() for name in _LOGSEQ_PAGES)
        for folder in folders
    )


def _notes(settings: Settings) -> Iterator[Note]:
    """The Markdown files of a folder, as far as they can be read."""
    config = source_config(settings)
    for source in read(list(_files(settings.root)), settings, Problems()):
        found = cards_of(source, config)
        yield Note(Path(source.path), source.text, found.cards, found.syntax)


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(
            each for each in folders if not each.startswith(".") and each not in _OTHERS
        )
        for name in sorted(names):
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith("."):
                yield Path(folder, name)


def _folder(paths: Sequence[Path], settings: Settings) -> str:
    """The folder that holds all notes: `cards` where it does, or where there is none."""
    if not paths:
        return settings.cards
    common = os.path.commonpath([each.parent for each in paths])
    if Path(common).parts[:1] == (settings.cards,):
        return settings.cards
    return Path(common).as_posix()


_QUESTION = re.compile(rf"^ {{0,3}}(#{{1,6}})[ \t]+\S.*[{QUESTION_MARKS}][ \t#]*$", re.MULTILINE)
_USUAL, _PLAIN = 2, 3
"""The level of questions by default; and how many questions of another level make that plain."""


def _level(texts: Sequence[str]) -> int:
    levels = Counter(
        len(found[1]) for text in texts for found in _QUESTION.finditer(without_code(text))
    )
    level, count = max(levels.items(), key=lambda each: each[1], default=(_USUAL, 0))
    return level if level != _USUAL and count >= max(_PLAIN, 2 * levels[_USUAL]) else 0


_SAYS = re.compile(r"\bassert\b|# *(?:→|->|=>)|#>|>>> ")


def _says(snippet: Snippet) -> bool:
    """Whether code says what it gives, so that it could fail."""
    if snippet.options.role in {Role.CHECK, Role.OUTPUT, Role.VALUE}:
        return True
    said = snippet.session or snippet.options.raises or snippet.options.warns
    return bool(said or _SAYS.search(snippet.code)) and snippet.options.role is Role.SHOWN
