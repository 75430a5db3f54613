"""ShownDeck -> CSV, a row for each note, by RFC 4180: UTF-8, a header, CR and LF behind each row.

docs/targets.md says what stands in each column.
"""

from __future__ import annotations

import csv
import io
import re

from verideck.model import Place, ShownDeck, ShownNote
from verideck.problems import Code, Problem, Problems, Severity
from verideck.targets.target import ReadersTarget, begins_with

COLUMNS = (
    "id", "guid", "deck", "type", "question", "answer", "extra", "hint",
    "question_markdown", "answer_markdown", "tags", "source", "reversed",
)  # fmt: skip

_COMPUTED = re.compile(r"'*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
"""What begins a cell that a spreadsheet computes, or has computed once its apostrophes are off."""


def content(deck: ShownDeck, problems: Problems) -> bytes:
    """Return the file. Reports how many pictures and sounds its HTML names and it cannot hold."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(map(_as_text, _row(each)) for each in deck.notes)
    media = {each.name: shown.note.place for shown in deck.notes for each in shown.note.media}
    if media:
        problems.report(_left_out(len(media), min(media.values())))
    return text.getvalue().encode()


def _row(shown: ShownNote) -> tuple[str, ...]:
    note, card = shown.note, shown.card
    fields = note.fields
    return (
        note.identity.id,
        note.identity.guid,
        note.deck,
        note.kind,
        fields["Question"],
        fields["Answer"],
        fields["Extra"],
        fields["Hint"],
        card.question.text,
        card.answer.text if card.answer else "",
        " ".join(note.tags),
        card.source.text if card.source else "",
        "yes" if card.reverse else "",
    )


def _as_text(cell: str) -> str:
    """Return a cell that no spreadsheet computes: `=cmd|…` executes what an author wrote."""
    return f"'{cell}" if _COMPUTED.match(cell) else cell


def _left_out(number: int, first: Place) -> Problem:
    what = "1 file" if number == 1 else f"{number} files"
    message = f"a CSV file holds no pictures or sounds: {what} left out; the first is on this card"
    hint = "write a .json by -o: it holds them"
    return Problem(Code.MEDIA_LEFT_OUT, message, first, hint, Severity.WARNING)


# A file of an earlier version, which has no `reversed`, is ours as well.
TARGET = ReadersTarget(content, begins_with(",".join(COLUMNS[:-1]).encode()), shows_cards=False)
