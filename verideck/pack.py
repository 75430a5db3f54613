"""Stage 5 of 5: Note -> file. Drives outputs/; the file appears whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from verideck.files import place_name, write_whole
from verideck.model import Built, Note, Place
from verideck.outputs import OUTPUTS
from verideck.problems import Code, Problem


def pack(notes: Sequence[Note], output: Path, moment: int, root: Path) -> Built | Problem:
    """Package the notes into `output`, whose suffix must be in `OUTPUTS`.

    The folder is made if it is missing. The content is written beside its place and renamed, so
    a former package stands until the new one is whole.
    """
    content = OUTPUTS[output.suffix](notes, moment)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        write_whole(output, content)
    except OSError as error:
        return Problem(
            Code.OUTPUT_UNWRITABLE,
            f"the package cannot be written: {error.strerror or error}",
            Place(place_name(output, root)),
            "name another file by -o, or by output in [tool.verideck]",
        )
    return Built(place_name(output, root), hashlib.sha256(content).hexdigest(), len(notes))
