"""The note types: their fields, templates and CSS.

The fields and templates never change: Anki no longer updates a note if its type gets another field,
another order of fields, or another template. So fields for later uses exist from the beginning, and
a further need gets a note type of its own. The ids allow fields and templates to be renamed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from verideck.model import Kind, NoteType, Template

FIELD_IDS: Mapping[str, int] = MappingProxyType(
    {
        "Question": 5_310_274_418_816_001,
        "Answer": 5_310_274_418_816_002,
        "Extra": 5_310_274_418_816_003,
        "Hint": 5_310_274_418_816_004,
        "Proof": 5_310_274_418_816_005,
        "Source": 5_310_274_418_816_006,
        "Id": 5_310_274_418_816_007,
        "Reverse": 5_310_274_418_816_008,
    }
)
"""The fields of every note type with their ids. An id never changes."""


STEMS: Mapping[int, str] = MappingProxyType(
    {
        5_310_274_418_817_001: "basic",
        5_310_274_418_817_002: "basic.reverse",
        5_310_274_418_817_003: "typed",
        5_310_274_418_817_004: "cloze",
    }
)
"""What the files of the templates begin with, by the templates' ids. An id never changes."""


def note_types() -> dict[Kind, NoteType]:
    """Return the note type for each kind of card."""
    return {kind: notetype(kind) for kind in Kind}


@cache
def notetype(kind: Kind) -> NoteType:
    """Return the note type for a kind of card."""
    templates: tuple[Template, ...]
    match kind:
        case Kind.BASIC:
            templates = (
                _template("Card", 5_310_274_418_817_001),
                _template("Reverse", 5_310_274_418_817_002),
            )
            return _note_type(1_531_027_441_881, "verideck", templates)
        case Kind.TYPED:
            templates = (_template("Card", 5_310_274_418_817_003),)
            return _note_type(1_531_027_441_882, "verideck typed", templates)
        case Kind.CLOZE:
            templates = (_template("Cloze", 5_310_274_418_817_004),)
            return _note_type(1_531_027_441_883, "verideck cloze", templates, is_cloze=True)


def _note_type(
    identity: int, name: str, templates: tuple[Template, ...], *, is_cloze: bool = False
) -> NoteType:
    return NoteType(
        identity, name, is_cloze, tuple(FIELD_IDS.items()), templates, _read("card.css")
    )


def _template(name: str, identity: int) -> Template:
    stem = STEMS[identity]
    return Template(name, identity, _read(f"{stem}.front.html"), _read(f"{stem}.back.html"))


def _read(name: str) -> str:
    return (files("verideck.render") / "templates" / name).read_text(encoding="utf-8")
