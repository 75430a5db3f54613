"""The forms in which a run is told: a file for each, a line for each in a table here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from verideck.cli.formats import as_json, github, human, junit, sarif
from verideck.cli.formats.told import Told

Form = Callable[[Told], str]

DOCUMENTS: Mapping[str, Form] = MappingProxyType(
    {"json": as_json.run, "junit": junit.run, "sarif": sarif.run}
)
"""What is told to programs when all is known, in one document."""
TELL_OF_CARDS = frozenset({"json", "junit"})
"""The forms that tell what became of each card, and not of problems alone."""
FORMS: Mapping[str, Form] = MappingProxyType(
    {"human": human.run, **DOCUMENTS, "github": github.run}
)
"""All forms, by their words. Those that are no documents are told line by line as it goes on."""
