"""The one Markdown dialect: text is parsed to tokens, each with its place in the file."""

from __future__ import annotations

from markdown_it.token import Token

from verideck.markdown.comments import MARKS, Comment
from verideck.markdown.dialect import (
    Parsed,
    divided,
    markers,
    outside,
    parse,
    uncommented,
    unnamed,
    walk,
)
from verideck.markdown.footnotes import notes
from verideck.markdown.positions import first_line, origin, place

__all__ = [
    "MARKS",
    "Comment",
    "Parsed",
    "Token",
    "divided",
    "first_line",
    "markers",
    "notes",
    "origin",
    "outside",
    "parse",
    "place",
    "uncommented",
    "unnamed",
    "walk",
]
