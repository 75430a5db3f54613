"""DeckContents -> file. The package and what it is remembered by appear together."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from verideck.model import DeckContents, Place, content_of
from verideck.problems import Code, Problem, Problems
from verideck.storage.files import hashed, place_name
from verideck.storage.reading import Limit, UnusableFileError, hint_of, read, within
from verideck.storage.store import Rows, Store
from verideck.storage.writing import write_together
from verideck.targets import TARGETS, packages

_EDITION = 1
"""Raise it with any change of what targets write: packages of a lower one are made anew."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A package that stands on the disk."""

    path: str
    sha256: str


def deliver(
    contents: DeckContents,
    output: Path,
    beside: Mapping[Path, bytes],
    root: Path,
    store: Store,
    problems: Problems,
) -> Receipt | None:
    """Package a deck into `output`, whose suffix is in `TARGETS`, and write the files `beside` it.

    The folder is made if it is missing. The files beside come first: should the process be killed
    between the two, the next build finds all remembered and makes the same package. A file that
    would be as it is, is left alone, and a package that would be as it is, is not made. No file is
    overwritten that is not a package of verideck's. Returns None where something cannot be written;
    then nothing is.
    """
    made = Rows.of(store, "packages", str)
    key = _key(contents, output.suffix)
    known = made.find(key)
    package = _content(output, root)
    if package is None or hashed(package) != known:
        package = TARGETS[output.suffix](contents)
    sha256 = hashed(package)
    wanted = {**beside, output: package}
    try:
        changed = {file: text for file, text in wanted.items() if _content(file, root) != text}
        if output in changed:
            _require_ours(output)
        write_together(changed, root)
    except OSError as error:
        problems.report(_unwritable(error, beside, output, root))
        return None
    if sha256 != known:
        made.keep(key, sha256)
    return Receipt(place_name(output, root), sha256)


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


def _require_ours(output: Path) -> None:
    """Raise UnusableFileError if a package would take the place of a file that is none of ours.

    What is no regular file, `write_together` refuses.
    """
    try:
        packages.require_ours(output)
    except packages.NoPackageError as error:
        hint = "move it away, or name another file by -o"
        raise UnusableFileError("it is no package that verideck wrote", output, hint) from error
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
        f"the package cannot be written: {why}",
        Place(place_name(output, root)),
        hint_of(error) or "name another file by -o, or by output in [tool.verideck]",
    )


def _content(file: Path, root: Path) -> bytes | None:
    """Return what a file holds; None where it cannot be read."""
    try:
        return read(file, Limit.DATA, within(file, root))
    except OSError:
        return None
