"""The types of settings, and how a value of a TOML file becomes one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from verideck.model import LARGEST_LIMIT
from verideck.problems import shown

EXECUTOR = r"\A(?:fork|spawn|dask://[^\s/]+:[0-9]+)\Z"

# The types of settings. Each description ends the message "… must be".
Text = Annotated[str, Meta(pattern=r"\S", description="a text")]
FilePath = Annotated[str, Meta(pattern=r"\S", description="a path")]
Switch = Annotated[bool, Meta(description="true or false")]
Executor = Annotated[str, Meta(pattern=EXECUTOR, description="fork, spawn or dask://host:port")]
Told = Annotated[str, Meta(pattern=r"\A(?:warning|error)\Z", description="warning or error")]
Shared = Annotated[str, Meta(pattern=r"\A(?:file|heading)\Z", description="file or heading")]
Paths = Annotated[
    tuple[Annotated[str, Meta(pattern=r"\S")], ...], Meta(description="a list of paths")
]
Share = Annotated[float, Meta(ge=0, le=1, description="a number from 0 to 1")]
Seconds = Annotated[
    float,
    Meta(
        gt=0,
        le=LARGEST_LIMIT,
        description=f"a number of seconds above 0, at most {LARGEST_LIMIT:,}",
    ),
]
Count = Annotated[
    int,
    Meta(gt=0, le=LARGEST_LIMIT, description=f"a whole number above 0, at most {LARGEST_LIMIT:,}"),
]
Table = Annotated[Mapping[str, object], Meta(description="a table of rules")]
Level = Annotated[int, Meta(ge=1, le=6, description="a number from 1 to 6")]
Tag = Annotated[str, Meta(pattern=r"\A[^\s:,，]+(?:::?[^\s:,，]+)*\Z")]
Tags = Annotated[tuple[Tag, ...], Meta(description="a list of words, maybe with `::` in them")]
MaybeSwitch = Annotated[bool | None, Meta(description="true or false")]


class SettingError(Exception):
    """A setting is unknown or has a wrong value."""

    def __init__(self, message: str, hint: str = "") -> None:
        """Take what is wrong, and what to write."""
        super().__init__(message)
        self.hint = hint


def typed(name: str, value: object, type_: Any) -> object:  # noqa: ANN401 - an annotation
    """Return a value in the type of the setting that it is given for. Raises SettingError."""
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        wanted = type_.__metadata__[0].description
        raise SettingError(f"{name} must be {wanted}, not {shown(value)}") from error
