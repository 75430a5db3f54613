"""What `init` writes, as texts. What stands in a file already stays as it is."""

from __future__ import annotations

import json
import tomllib

from verideck import __version__
from verideck.init.survey import Survey

KEPT_FROM_GIT = (".verideck/", "dist/")
"""What git is to pass over: what is remembered between runs, and the package."""


def table(deck: str, survey: Survey) -> str:
    """The settings of a new project, as TOML. Only what is not so by default, and what names it."""
    lines = [
        "[tool.verideck]",
        f"deck = {_quoted(deck)}   # the name in Anki: change it as you like",
        f"namespace = {_quoted(deck)}   # never change it: with a card's id it is the card to Anki",
    ]
    if survey.cards != "cards":
        lines.append(f"cards = {_quoted(survey.cards)}   # where the Markdown is")
    if survey.lang:
        lines.append(f"lang = {_quoted(survey.lang)}")
    if survey.level:
        lines.append(f"level = {survey.level}   # of the headings that ask")
    if survey.syntax:
        lines.append(f"syntax = {_quoted(survey.syntax)}   # of files that name none")
    if not survey.mostly_asserts:
        which = "not all" if survey.asserting else "no"
        lines.append(
            f"verify = false   # {which} code here says what it gives; take this away and it is "
            "executed"
        )
    return "\n".join([*lines, ""])


def _quoted(text: str) -> str:
    """A text as TOML has it: as JSON, but for one character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def with_table(document: str, settings: str) -> str | None:
    """A TOML file with another table at its end; None where it has one by that name, or cannot."""
    end = "\r\n" if "\r\n" in document else "\n"
    above = document.rstrip()
    text = f"{above}{end}{end}" if above else ""
    whole = text + settings.replace("\n", end)
    try:
        tomllib.loads(whole)
    except ValueError:
        return None
    return whole


def with_lines(former: str, lines: tuple[str, ...]) -> str:
    """A .gitignore that names these too; the same where it does."""
    there = {each.strip().strip("/") for each in former.splitlines()}
    missing = [each for each in lines if each.strip("/") not in there]
    if not missing:
        return former
    end = "\r\n" if "\r\n" in former else "\n"
    above = former if not former or former.endswith("\n") else f"{former}{end}"
    return above + "".join(f"{each}{end}" for each in missing)


EXAMPLE = """\
# First steps

## What does Python's `sorted` return for a tuple? {tags="python"}

A new list; the tuple stays as it is.

```python
point = (3, 1, 2)
in_order = sorted(point)
```

```python {.check}
assert in_order == [1, 2, 3]
assert point == (3, 1, 2)
```

## Which of two equal elements does `sorted` put first?

The one that came first: it is stable.

## `sorted` takes ==a key function==, which is called once for each element.
"""
"""A file of cards: one with code that is executed, one without, one with a deletion."""

WORKFLOW = f"""\
# Cards and snippets are checked on every push, and the deck is built: cards.lock must be committed.
name: cards
on: [push, pull_request]
permissions: {{contents: read}}

jobs:
  cards:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with: {{persist-credentials: false}}
      - uses: verideck/verideck@v{__version__}
        with:
          python-version: "3.13"
          requirements: ""   # a file of what your snippets import
          cache-key: ${{{{ secrets.VERIDECK_CACHE_KEY }}}}   # optional, of your own
"""
"""A workflow of GitHub's."""
