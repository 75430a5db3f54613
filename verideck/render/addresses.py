"""Which addresses a card may hold, in a link or a picture; a retired note, too."""

from __future__ import annotations

import re

SCHEMES = frozenset({"http", "https", "mailto", "ftp", "tel", "obsidian", "zotero"})
OPENED = re.compile(rf"(?:{'|'.join(sorted(SCHEMES))}):", re.IGNORECASE)
"""What begins an address that a click may open. No other does: `javascript:` would act in Anki."""
EMBEDDED = re.compile(r"data:image/(?:png|gif|jpeg|webp);\S*", re.IGNORECASE)
"""A picture that stands in the text itself."""
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:|//")
"""What begins an address that is no path. A single letter is a disk's."""
