"""The note types: what Anki keeps of a card, and how it shows it.

They are frozen. Anki never again updates a note whose type has got another field, another order,
or another template; so what may come has its field from the first day, and a new need is a new
note type. The ids let fields and templates be renamed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from verideck.model import Kind

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
"""The fields of every note type, each with the id that it keeps for ever."""


@dataclass(frozen=True, slots=True)
class Template:
    """One way to ask: a card of the note."""

    name: str
    id: int
    front: str
    back: str


@dataclass(frozen=True, slots=True)
class NoteType:
    """Anki's note type."""

    id: int
    name: str
    is_cloze: bool
    templates: tuple[Template, ...]
    css: str


@cache
def notetype(kind: Kind) -> NoteType:
    """The note type for a kind of card."""
    templates: tuple[Template, ...]
    match kind:
        case Kind.BASIC:
            templates = (
                _template("Card", 5_310_274_418_817_001, "basic"),
                _template("Reverse", 5_310_274_418_817_002, "basic.reverse"),
            )
            return NoteType(1_531_027_441_881, "verideck", False, templates, _css())  # noqa: FBT003 - is_cloze
        case Kind.TYPED:
            templates = (_template("Card", 5_310_274_418_817_003, "typed"),)
            return NoteType(1_531_027_441_882, "verideck typed", False, templates, _css())  # noqa: FBT003 - is_cloze
        case Kind.CLOZE:
            templates = (_template("Cloze", 5_310_274_418_817_004, "cloze"),)
            return NoteType(1_531_027_441_883, "verideck cloze", True, templates, _css())  # noqa: FBT003 - is_cloze


def _template(name: str, identity: int, stem: str) -> Template:
    return Template(name, identity, _read(f"{stem}.front.html"), _read(f"{stem}.back.html"))


def _css() -> str:
    return _read("card.css")


def _read(name: str) -> str:
    return (files("verideck.render") / "templates" / name).read_text(encoding="utf-8")
