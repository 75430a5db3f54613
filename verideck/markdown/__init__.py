"""The one Markdown dialect: text is parsed to tokens, each with its place in the file."""

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
