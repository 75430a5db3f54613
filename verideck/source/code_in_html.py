"""Code that a card shows by `<pre>`: it is shown as it stands, and nothing executes it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from verideck import markdown
from verideck.markdown import Token
from verideck.problems import Code, Problem, Severity
from verideck.source import dialects

_NAMED = re.compile(r"(?:language-|lang-|lang=[\"']?|class=[\"']?)(?P<word>[\w.+-]+)")
"""Matches the name of a language in a tag, in the ways in which pages write it."""


def unexecuted(tokens: Iterable[Token]) -> Iterator[Problem]:
    """Yield a warning for each `<pre>` whose text is Python by its name or looks, or just code.

    Text that says nothing of the kind, and code in another language, would not run in a fence.
    """
    opening: Token | None = None
    text, tags = "", ""
    for token in tokens:
        if token.type == "html_open" and token.tag == "pre" and opening is None:
            opening, text, tags = token, "", token.markup
        elif opening and token is opening.meta.get("pair"):
            if _is_code(tags, text):
                message = "this code is not executed: it stands in <pre>"
                hint = "write it in a ```python; or in a ```text, if it is none"
                place, severity = markdown.place(opening), Severity.WARNING
                yield Problem(Code.CODE_NOT_RUN, message, place, hint, severity)
            opening = None
        elif opening and token.type == "html_open":
            tags += token.markup
        elif opening:
            text += token.content


def _is_code(tags: str, text: str) -> bool:
    """Tell whether what stands in some tags would be executed in a fence."""
    if named := _NAMED.search(tags):
        return dialects.dialect(named["word"]) is not None
    return "<code" in tags.lower() or dialects.begins_session(text.strip("\n"))
