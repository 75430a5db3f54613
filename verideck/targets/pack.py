"""Stage 5 of 5: Edition -> file. Drives outputs/; package and lock appear together, or neither."""

from __future__ import annotations

import hashlib
from pathlib import Path

from verideck.history import lock
from verideck.history.lock import Lock
from verideck.model import Built, DeckContents, Place
from verideck.problems import Code, Problem
from verideck.storage.files import place_name, write_together
from verideck.targets import OUTPUTS


def pack(
    contents: DeckContents, remembered: Lock | None, output: Path, root: Path
) -> Built | Problem:
    """Package an edition into `output`, whose suffix must be in `OUTPUTS`, and remember it.

    The folder is made if it is missing. The lock comes first: should the process be killed between
    the two, the next build finds all remembered and makes the same package. Without a lock to be
    remembered, the one that is there stays. A file that would be as it is, is left alone.
    """
    content = OUTPUTS[output.suffix](contents)
    remembering = {root / lock.NAME: lock.text(remembered).encode()} if remembered else {}
    wanted = {**remembering, output: content}
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        write_together({file: text for file, text in wanted.items() if not _holds(file, text)})
    except OSError as error:
        return _unwritable(error, output, root)
    retired = sum(note.retired for note in contents.notes)
    notes = len(contents.notes) - retired
    return Built(place_name(output, root), hashlib.sha256(content).hexdigest(), notes, retired)


def _unwritable(error: OSError, output: Path, root: Path) -> Problem:
    why = error.strerror or str(error)
    if lock.NAME in Path(str(error.filename)).name:
        hint = "it remembers what learners have, so nothing is packaged without it"
        message = f"{lock.NAME} cannot be written: {why}"
        return Problem(Code.OUTPUT_UNWRITABLE, message, Place(lock.NAME), hint)
    return Problem(
        Code.OUTPUT_UNWRITABLE,
        f"the package cannot be written: {why}",
        Place(place_name(output, root)),
        "name another file by -o, or by output in [tool.verideck]",
    )


def _holds(file: Path, content: bytes) -> bool:
    try:
        return file.read_bytes() == content
    except OSError:
        return False
