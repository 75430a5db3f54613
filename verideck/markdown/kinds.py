"""The kinds of files that a card may show, play or link to, by their suffixes."""

from __future__ import annotations

import re

PLAYED = frozenset(
    {".mp3", ".m4a", ".ogg", ".opus", ".flac", ".wav", ".mp4", ".webm", ".mkv", ".mov"}
)
"""Sounds and films, which Anki plays."""
SHOWN = frozenset(
    {".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".avif", ".bmp", ".ico", ".tiff"}
)
"""Pictures."""
LINKED = (SHOWN - {".svg"}) | {
    ".pdf", ".epub", ".djvu", ".txt", ".csv", ".tsv", ".json", ".ipynb", ".docx", ".xlsx", ".pptx",
    ".odt", ".ods", ".odp",
}  # fmt: skip
"""What a link may open. None of them acts when a browser opens it, as a page of HTML or an SVG
would with the rights of Anki's own pages."""
PAGES = frozenset({".md", ".markdown", ".mdx", ".mdown", ".mkd"})
"""Markdown, which is read for its own cards."""

_SUFFIX = re.compile(r"(\.[a-z0-9]{2,8})(?:[?#].*)?\Z", re.IGNORECASE)


def is_known(path: str) -> bool:
    """Tell whether a text ends as the path of a file does, maybe with a place in it."""
    found = _SUFFIX.search(path)
    return found is not None and found[1].lower() in PLAYED | SHOWN | LINKED | PAGES
