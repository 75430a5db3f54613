"""Stage 1 of 5: folder -> Source. Files in a fixed order, each whole, so that lines stay true."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from verideck.model import Place, Source
from verideck.problems import Code, Problem
from verideck.settings import Settings
from verideck.storage.files import absolute, place_name

SUFFIXES = {".md", ".markdown"}
_UNNAMABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def read(paths: Sequence[Path], settings: Settings) -> Iterator[Source | Problem]:
    """Read Markdown files: those named, and those in the folders named.

    Without a path, the project's cards folder is read. A file comes once however often it is
    named; a folder's files come sorted; hidden files and folders are passed over.
    """
    cards = settings.root / settings.cards
    seen: set[Path] = set()
    for path in map(absolute, paths or [cards]):
        if path.is_dir():
            found = sorted(_markdown_files(path), key=lambda file: file.relative_to(path).parts)
        else:
            found = [path]
        for file in found:
            if file.resolve() in seen:
                continue
            seen.add(file.resolve())
            yield from _source(file, _folders(file, path, cards), settings.root)


def _markdown_files(folder: Path) -> Iterator[Path]:
    for file in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        # A link that leads nowhere is no file, and must not be left out without a word.
        is_file = file.is_file() or (file.is_symlink() and not file.is_dir())
        if file.suffix.lower() in SUFFIXES and not hidden and is_file:
            yield file


def _folders(file: Path, given: Path, cards: Path) -> tuple[str, ...]:
    """The folders that name the deck: below the cards folder, else below the folder given."""
    for base in (cards, given):
        if base.is_dir() and file.is_relative_to(base.absolute()):
            return file.relative_to(base.absolute()).parent.parts
    return ()


def _source(file: Path, folders: tuple[str, ...], root: Path) -> Iterator[Source | Problem]:
    name = place_name(file, root)
    if _UNNAMABLE.search(name):
        hint = "rename it: its name goes into the deck's"
        yield Problem(Code.FILE_UNREADABLE, "this file's name is no text", Place(name), hint)
        return
    try:
        content = file.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        yield Problem(Code.FILE_UNREADABLE, f"this file cannot be read: {reason}", Place(name))
        return
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        yield _not_utf8(content, error, name)
        return
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    forbidden = [_forbidden(match, text, name) for match in _FORBIDDEN.finditer(text)]
    yield from forbidden
    if not forbidden:
        yield Source(name, text, folders)


def _not_utf8(content: bytes, error: UnicodeDecodeError, name: str) -> Problem:
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
