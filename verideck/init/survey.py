"""What a folder's notes say of themselves: where they are, their language, what their code says."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from verideck.init.language import language_of, without_code
from verideck.model import Card, Role, Snippet
from verideck.problems import Problems
from verideck.project import source_config
from verideck.settings import Settings
from verideck.source.cards import cards_of
from verideck.source.read import SUFFIXES, read

_OTHERS = frozenset({"node_modules", "venv", "env", "build", "dist", "site-packages", "target"})
"""Folders whose Markdown is somebody else's, or made."""
_ABOUT = re.compile(
    r"readme|change(?:s|log)|history|contribut\w*|licen[cs]e|copying|security|code_of_conduct"
    r"|authors|todo|index|summary",
    re.IGNORECASE,
)
"""The names of files that tell of a folder: they are notes only where nothing else is."""


@dataclass(frozen=True, slots=True)
class Note:
    """A Markdown file, and its cards."""

    path: Path
    """Below the folder."""
    text: str
    cards: tuple[Card, ...]

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
    has_markdown: bool
    executable: int
    """Cards with code that could be executed."""
    asserting: int
    """Those of them that say what the code gives."""


def survey(settings: Settings) -> Survey:
    """Look at a folder that is to be a project. Executes nothing.

    `settings` are those that it has already: defaults, mostly.
    """
    notes = list(_notes(settings))
    asking = [each for each in notes if each.cards and not each.is_about]
    asking = asking or [each for each in notes if each.cards] or notes
    texts = [each.text for each in asking]
    code = [card for each in asking for card in each.cards if card.is_executable]
    return Survey(
        _folder([each.path for each in asking], settings),
        language_of(texts),
        _level(texts),
        bool(notes),
        len(code),
        sum(any(map(_says, card.snippets)) for card in code),
    )


def _notes(settings: Settings) -> Iterator[Note]:
    """The Markdown files of a folder, as far as they can be read."""
    config = source_config(settings)
    for source in read(list(_files(settings.root)), settings, Problems()):
        yield Note(Path(source.path), source.text, cards_of(source, config).cards)


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


_QUESTION = re.compile(r"^ {0,3}(#{1,6})[ \t]+\S.*[?？][ \t#]*$", re.MULTILINE)
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
