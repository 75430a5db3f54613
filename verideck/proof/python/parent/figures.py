"""Whether a figure is one that verideck draws: it becomes a file in the collection of a learner.

A card shows figures as images, in which nothing is executed and nothing is fetched. Whoever opens
the file itself is protected by what stands here.
"""

from __future__ import annotations

import re
from xml.parsers import expat

_ELEMENTS = frozenset(
    {
        "svg", "metadata", "rdf:RDF", "cc:Work", "dc:type", "dc:format", "defs", "style", "title",
        "g", "path", "use", "clipPath", "rect", "polygon", "text", "tspan", "image", "pattern",
        "filter", "feComposite", "feColorMatrix", "linearGradient", "stop",
    }
)  # fmt: skip
"""What matplotlib writes."""
_NAMESPACES = {
    "xmlns": "http://www.w3.org/2000/svg",
    "xmlns:xlink": "http://www.w3.org/1999/xlink",
    "xmlns:rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xmlns:cc": "http://creativecommons.org/ns#",
    "xmlns:dc": "http://purl.org/dc/elements/1.1/",
}
_SOURCES = {"use": re.compile("#"), "image": re.compile("data:image/png;base64,")}
"""By element: what its reference begins with."""
_FETCHES = re.compile(r"url\(\s*(?!#)|@|\\|javascript:", re.IGNORECASE)
"""What a style has that fetches something, or hides that it does."""


class _ForeignError(Exception):
    """A figure has what matplotlib does not write; the text names it."""


def objection(drawing: str) -> str:
    """What a figure has that verideck does not draw; empty if there is nothing."""
    reader = _Reader()
    try:
        reader.read(drawing.encode())
    except _ForeignError as foreign:
        return str(foreign)
    except (expat.ExpatError, UnicodeEncodeError, ValueError):
        return "no XML"
    return "" if reader.root == "svg" else "another root than svg"


class _Reader:
    """Reads a figure from its beginning to its end."""

    def __init__(self) -> None:
        self.root = ""
        self._parser = expat.ParserCreate("utf-8")

    def read(self, drawing: bytes) -> None:
        """Raise _ForeignError at what no figure has, or an error of expat's."""
        parser = self._parser
        parser.buffer_text = True
        parser.StartElementHandler = self._element
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._entity
        parser.ProcessingInstructionHandler = self._instruction
        parser.Parse(drawing, True)  # noqa: FBT003 - it takes no keyword

    def _doctype(self, name: str, system: object, public: object, internal: object) -> None:
        del name, system, public
        if internal:
            raise _ForeignError("declarations of its own")

    def _entity(self, *_: object) -> None:
        raise _ForeignError("an entity")

    def _instruction(self, *_: object) -> None:
        raise _ForeignError("an instruction")

    def _style(self, text: str) -> None:
        if _FETCHES.search(text):
            raise _ForeignError("a style that fetches")

    def _element(self, name: str, attributes: dict[str, str]) -> None:
        self.root = self.root or name
        self._parser.CharacterDataHandler = self._style if name == "style" else None
        if name not in _ELEMENTS:
            raise _ForeignError("an element that fetches, executes or is unknown")
        for key, value in attributes.items():
            local = key.rpartition(":")[2].lower()
            if key.startswith("xmlns") and _NAMESPACES.get(key) != value:
                raise _ForeignError("a namespace that is unknown")
            if local == "href":
                if name not in _SOURCES or not _SOURCES[name].match(value):
                    raise _ForeignError("a reference to what is not in it")
            elif local.startswith("on") or local == "base" or _FETCHES.search(value):
                raise _ForeignError("an attribute that fetches or executes")
