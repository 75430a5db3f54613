"""The one Markdown dialect, parsed to tokens that know where they stand."""

from __future__ import annotations

from markdown_it.token import Token

from verideck.markdown.dialect import Parsed, blocks, divided, markers, parse, walk
from verideck.markdown.positions import first_line, origin, place

__all__ = [
    "Parsed",
    "Token",
    "blocks",
    "divided",
    "first_line",
    "markers",
    "origin",
    "parse",
    "place",
    "walk",
]
