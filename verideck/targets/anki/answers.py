"""What AnkiConnect answers, as typed values. An answer of another form is refused.

Only what is used is named here; what other versions of AnkiConnect tell besides is passed over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

MOST = 2**53
"""JSON has no larger integers that all programs agree on."""
Number = Annotated[int, Meta(ge=0, le=MOST)]
Name = Annotated[str, Meta(max_length=10_000)]
Names = Annotated[tuple[Name, ...], Meta(max_length=100_000)]
Numbers = Annotated[tuple[Number, ...], Meta(max_length=1_000_000)]


class Answer(msgspec.Struct, frozen=True):
    """The envelope of every answer."""

    result: Raw
    error: str | None


class Permission(msgspec.Struct, frozen=True):
    """Whether AnkiConnect lets us ask, and whether it wants a key."""

    permission: str
    requires_key: bool = msgspec.field(name="requireApikey", default=False)
    version: int = 0


class Reflection(msgspec.Struct, frozen=True):
    """Which of the actions that were named there are."""

    actions: Names = ()


class FieldValue(msgspec.Struct, frozen=True):
    """A field of a note."""

    value: str


class NoteInfo(msgspec.Struct, frozen=True):
    """A note; nothing of it is there where there is no such note."""

    id: Number | UnsetType = msgspec.field(name="noteId", default=UNSET)
    note_type: Name = msgspec.field(name="modelName", default="")
    tags: Names = ()
    fields: dict[str, FieldValue] = msgspec.field(default_factory=dict)
    cards: Numbers = ()
    mod: Number | UnsetType = UNSET
    profile: str = ""


class NoteStamp(msgspec.Struct, frozen=True):
    """When a note changed; nothing where there is no such note."""

    id: Number | UnsetType = msgspec.field(name="noteId", default=UNSET)
    mod: Number | UnsetType = UNSET


class Field(msgspec.Struct, frozen=True):
    """A field of a note type."""

    name: Name
    id: int | None = None


class Template(msgspec.Struct, frozen=True):
    """A template of a note type."""

    name: Name


class Model(msgspec.Struct, frozen=True):
    """A note type."""

    id: Number
    name: Name
    flds: tuple[Field, ...]
    tmpls: tuple[Template, ...]
    css: str
    mod: Number


class Styling(msgspec.Struct, frozen=True):
    """The style sheet of a note type."""

    css: str


class DeckConfig(msgspec.Struct, frozen=True):
    """The options of a deck; those of a filtered one are the deck itself."""

    dyn: bool | int = False


_ANSWER = msgspec.json.Decoder(Answer)


class WrongAnswerError(ValueError):
    """The text is no answer of the form that was asked for."""


def answer(text: bytes) -> Answer:
    """Return an answer's envelope. Raises WrongAnswerError."""
    found: Answer = _checked(lambda: _ANSWER.decode(text))
    return found


def result(answered: Answer, form: Any) -> Any:  # noqa: ANN401 - a type, and a value of it
    """Return what was answered, in a form. Raises WrongAnswerError."""
    return _checked(lambda: msgspec.json.decode(answered.result, type=form))


def question(action: str, parameters: dict[str, Any], key: str) -> bytes:
    """Return the text of a request."""
    asked: dict[str, Any] = {"action": action, "version": 6, "params": parameters}
    return msgspec.json.encode({**asked, "key": key} if key else asked)


def _checked(decode: Callable[[], Any]) -> Any:  # noqa: ANN401 - each caller says what it is
    try:
        return decode()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise WrongAnswerError(str(error)) from error
