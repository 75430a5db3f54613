"""Folders and files -> Source, each a whole file, in a fixed order."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple, Self

from verideck.model import FORBIDDEN, Place, Source
from verideck.problems import Code, Problem, Problems
from verideck.settings import Settings
from verideck.storage.files import (
    FileCache,
    absolute,
    decoded,
    is_inside,
    place_name,
    resolved,
)
from verideck.storage.named_files import vault_of
from verideck.storage.reading import Limit, hint_of, within
from verideck.storage.reading import read as read_file

SUFFIXES = {".md", ".markdown"}
_UNNAMABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


Texts = FileCache[str | None]
"""The texts of files, see `text_of`."""


def read(
    paths: Sequence[Path],
    settings: Settings,
    problems: Problems,
    texts: Texts | None = None,
    *,
    documents: bool = False,
) -> list[Source]:
    """Return the Markdown files at the paths: files, and all files in folders.

    Without a path, reads the project's cards folder, if there is one or nothing else, and its
    `documents` if these are asked for. Each file is read once, also if several paths
    lead to it. The files of a folder are sorted; hidden files and folders are skipped. Reports
    files that cannot be read, links to folders that are not read, and characters that no card may
    contain; such files are left out.

    A file of the project must be inside of it after links are followed, and a file of a folder
    elsewhere inside of that folder or of the project.
    `texts` remembers files for another call.
    """
    texts = texts or FileCache(text_of)
    cards = settings.root / settings.cards
    seen: set[str] = set()
    sources: list[Source] = []
    if not paths and documents and settings.docs_paths:
        of_docs = [settings.root / each for each in settings.docs_paths]
        named = [*([cards] if cards.is_dir() else []), *of_docs]
    else:
        named = list(paths) or [cards]
    for path in map(absolute, named):
        if path.is_dir():
            files = sorted(_markdown_files(path, settings.root, problems), key=lambda it: it.parts)
            inside = within(path, settings.root) or (settings.root, *([path] if paths else []))
        else:
            files = [path]
            inside = within(path, settings.root) if paths else (settings.root,)
        bases = [base for base in (absolute(cards), path) if base.is_dir()]
        folder_of = cache(partial(_Folder.of, root=settings.root, bases=bases))
        for file in files:
            folder = folder_of(file.parent)
            is_link = file.is_symlink()
            real = os.path.realpath(file) if is_link else f"{folder.real}/{file.name}"
            if real in seen:
                continue
            seen.add(real)
            name = f"{folder.prefix}{file.name}"
            try:
                text = _text(file, name, inside, texts, problems)
            except OSError as error:
                problems.report(_unreadable(file, settings.root, error))
                continue
            if text is not None:
                sources.append(Source(name, text, folder.in_deck, folder.in_vault))
    return sources


class _Folder(NamedTuple):
    """What the files in a folder share."""

    real: str
    """Its path without links."""
    prefix: str
    """What the paths of its files begin with, in the project."""
    in_deck: tuple[str, ...]
    """The names that its files' deck has of it."""
    in_vault: bool

    @classmethod
    def of(cls, folder: Path, root: Path, bases: Sequence[Path]) -> Self:
        """Look at a folder; `bases` are those whose folders name decks."""
        name = place_name(folder, root)
        prefix = "" if name == "." else f"{name.rstrip('/')}/"
        in_vault = vault_of(root, prefix.rpartition("/")[0]) is not None
        return cls(os.path.realpath(folder), prefix, _folders(folder, bases), in_vault)


def read_around(
    paths: Sequence[Path], settings: Settings, built: Sequence[Source], texts: Texts
) -> list[Source]:
    """Return the project's files that are not in `built`. Their cards are context, not built.

    Returns nothing if the paths are the whole project. Problems of these files are not reported.
    """
    if is_whole(paths, settings):
        return []
    names = {source.path for source in built}
    return [each for each in read([], settings, Problems(), texts) if each.path not in names]


def is_whole(paths: Sequence[Path], settings: Settings) -> bool:
    """Return whether the paths include all cards of the project: none, or its cards folder."""
    cards = resolved(settings.root / settings.cards)
    return not paths or any(resolved(path) == cards for path in paths)


def of_project(paths: Sequence[Path], settings: Settings, *, documents: bool) -> tuple[Path, ...]:
    """Return those of some files that are read where none is named: cards, and maybe documents.

    That is what the settings say by `cards` and `docs.paths`.
    """
    named = (settings.cards, *(settings.docs_paths if documents else ()))
    folders = [absolute(settings.root / each) for each in named]
    return tuple(path for path in paths if any(_is_read(absolute(path), each) for each in folders))


def _is_read(file: Path, named: Path) -> bool:
    if not file.is_relative_to(named):
        return False
    below = file.relative_to(named).parts
    is_hidden = any(part.startswith(".") for part in below)
    return not is_hidden and (not below or file.is_dir() or file.suffix.lower() in SUFFIXES)


def _markdown_files(folder: Path, root: Path, problems: Problems) -> Iterator[Path]:
    def unreadable(error: OSError) -> None:
        place = Place(place_name(Path(error.filename), root))
        message = f"this folder cannot be read: {error.strerror}"
        problems.report(Problem(Code.FILE_UNREADABLE, message, place))

    for parent, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in folders:
            inner = Path(parent, name)
            if inner.is_symlink() and (problem := _left_out(inner, folder, root)):
                problems.report(problem)
        for name in names:
            file = Path(parent, name)
            # What is no file, as a broken link, is yielded: leaving it out must be reported.
            if file.suffix.lower() in SUFFIXES and not name.startswith("."):
                yield file


def _left_out(link: Path, folder: Path, root: Path) -> Problem | None:
    """What is wrong with a link to a folder, which is not read; None where nothing is missed.

    What is outside is not even looked at.
    """
    if is_inside(link, folder):
        return None
    place = Place(place_name(link, root))
    if not is_inside(link, root):
        message = "this folder is a link to outside of the project: nothing in it is read"
        hint = "copy the folder into the project, or remove the link"
        return Problem(Code.FILE_UNREADABLE, message, place, hint)
    if not any(_markdown_files(resolved(link), root, Problems())):
        return None
    message = "this folder is a link: no Markdown in it is read"
    hint = "move the files here, or name that folder, too"
    return Problem(Code.FILE_UNREADABLE, message, place, hint)


def _folders(folder: Path, bases: Sequence[Path]) -> tuple[str, ...]:
    """Return the folders that name the deck of files: those below the first base around them."""
    for base in bases:
        if folder.is_relative_to(base):
            return folder.relative_to(base).parts
    return ()


def text_of(content: bytes) -> str | None:
    """Return a file's text, whose lines end with a newline; None if it is no text of cards."""
    try:
        text = decoded(content)
    except UnicodeDecodeError:
        return None
    return None if FORBIDDEN.search(text) else text


def _text(
    file: Path, name: str, inside: Sequence[Path], texts: Texts, problems: Problems
) -> str | None:
    """A file's text; None where a problem was reported. Raises OSError if it cannot be read."""
    if _UNNAMABLE.search(name):
        hint = "rename it: its name goes into the deck's"
        message = "this file's name holds a control character, or a byte that is no text"
        problems.report(Problem(Code.FILE_UNREADABLE, message, Place(name), hint))
        return None
    text = texts.of(file, inside)
    if text is None:
        problems.extend(_faults(read_file(file, Limit.TEXT, inside), name))
    return text


def _unreadable(file: Path, root: Path, error: OSError) -> Problem:
    message = f"this file cannot be read: {error.strerror or error}"
    place = Place(place_name(file, root))
    return Problem(Code.FILE_UNREADABLE, message, place, hint_of(error))


def _faults(content: bytes, name: str) -> list[Problem]:
    """Return why the content of a file is no text of cards."""
    try:
        text = decoded(content)
    except UnicodeDecodeError as error:
        return [_not_utf8(error, name)]
    return [_forbidden(match, text, name) for match in FORBIDDEN.finditer(text)]


def _not_utf8(error: UnicodeDecodeError, name: str) -> Problem:
    content = error.object  # without a byte order mark
    before = content[: error.start].decode("utf-8", errors="replace")
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    return Problem(
        Code.NOT_UTF8,
        f"byte 0x{content[error.start]:02x} is not UTF-8",
        Place(name, line, column),
        "save the file as UTF-8",
    )


def _forbidden(match: re.Match[str], text: str, name: str) -> Problem:
    line = text.count("\n", 0, match.start()) + 1
    column = match.start() - text.rfind("\n", 0, match.start())
    return Problem(
        Code.CHARACTER_FORBIDDEN,
        f"control character U+{ord(match.group()):04X}",
        Place(name, line, column),
        "delete it: Anki drops it, or takes it for the end of a field",
    )
