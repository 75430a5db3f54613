"""A deck -> file. A package and what it is remembered by appear together."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from verideck.model import DeckContents, Place, ShownDeck, content_of
from verideck.problems import Code, Problem, Problems
from verideck.storage.files import hashed, place_name
from verideck.storage.reading import Limit, UnusableFileError, hint_of, read, within
from verideck.storage.store import Rows, Store
from verideck.storage.writing import write_together
from verideck.targets import target_of
from verideck.targets.target import AnkiTarget, ReadersTarget, Target

_EDITION = 2
"""Raise it with any change of what targets write: packages of a lower one are made anew."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was delivered, and now stands on the disk."""

    path: str
    sha256: str


def deliver(
    deck: DeckContents | ShownDeck,
    output: Path,
    beside: Mapping[Path, bytes],
    root: Path,
    store: Store,
    problems: Problems,
) -> Receipt | None:
    """Write a deck into `output`, by the target of its suffix, and write the files `beside` it.

    A package for Anki is made of `DeckContents`, what others read of a `ShownDeck`. The folder is
    made if it is missing. The files beside come first: should the process be killed between the
    two, the next build finds all remembered and makes the same package. A file that would be as it
    is, is left alone, and a package that would be as it is, is not made. No file is overwritten
    that verideck did not write. Returns None where something cannot be written; then nothing is.
    """
    target = target_of(output)
    if isinstance(target, AnkiTarget) and isinstance(deck, DeckContents):
        content = _package(deck, target, output, root, store)
    elif isinstance(target, ReadersTarget) and isinstance(deck, ShownDeck):
        content = target.content(deck, problems)
    else:
        raise TypeError(f"{output.suffix} is not made of {type(deck).__name__}")
    if problems.has_errors:
        return None
    wanted = {**beside, output: content}
    try:
        changed = {file: text for file, text in wanted.items() if _content(file, root) != text}
        if output in changed:
            _require_ours(target, output)
        write_together(changed, root)
    except OSError as error:
        problems.report(_unwritable(error, beside, output, root))
        return None
    return Receipt(place_name(output, root), hashed(content))


def _package(
    contents: DeckContents, target: AnkiTarget, output: Path, root: Path, store: Store
) -> bytes:
    """Return what the package holds: what stands there already, if that is known to be it."""
    made = Rows.of(store, "packages", str)
    key = _key(contents, output.suffix)
    known = made.find(key)
    package = _content(output, root)
    if package is not None and hashed(package) == known:
        return package
    package = target.content(contents)
    if hashed(package) != known:
        made.keep(key, hashed(package))
    return package


def _key(contents: DeckContents, suffix: str) -> str:
    """The hash of all that a package follows from."""
    types = (contents.build_time, contents.styles, contents.note_types)
    hash_ = hashlib.sha256(f"{_EDITION} {suffix} {types}".encode())
    for note in contents.notes:
        media = ",".join(each.name for each in note.media)
        identity = note.identity
        content = note.content or content_of(note.fields, note.tags)
        hash_.update(
            f"{identity.guid} {identity.id} {note.mod} {content} {note.kind} {note.retired} "
            f"{media} {note.deck}\n".encode()
        )
    return hash_.hexdigest()


def _require_ours(target: Target, output: Path) -> None:
    """Raise UnusableFileError if a file of somebody else's would be overwritten.

    What is no regular file, `write_together` refuses.
    """
    try:
        target.require_ours(output)
    except ValueError as error:
        hint = "move it away, or name another file by -o"
        what = "package" if isinstance(target, AnkiTarget) else f"{output.suffix} file"
        raise UnusableFileError(f"it is no {what} that verideck wrote", output, hint) from error
    except OSError:
        return


def _unwritable(error: OSError, beside: Mapping[Path, bytes], output: Path, root: Path) -> Problem:
    why = error.strerror or str(error)
    for file in beside:
        if str(error.filename) == str(file):
            hint = "it remembers what learners have, so nothing is packaged without it"
            message = f"{file.name} cannot be written: {why}"
            hint = hint_of(error) or hint
            return Problem(Code.OUTPUT_UNWRITABLE, message, Place(file.name), hint)
    return Problem(
        Code.OUTPUT_UNWRITABLE,
        f"the {'package' if output.suffix == '.apkg' else 'file'} cannot be written: {why}",
        Place(place_name(output, root)),
        hint_of(error) or "name another file by -o, or by output in [tool.verideck]",
    )


def _content(file: Path, root: Path) -> bytes | None:
    """Return what a file holds; None where it cannot be read."""
    try:
        return read(file, Limit.DATA, within(file, root))
    except OSError:
        return None
