"""Refuses a tag that is not the version of the package, or whose changes are not told."""

import os
import re
import sys
from pathlib import Path

tag = os.environ.get("TAG", "")
(version,) = re.findall(
    r'^__version__ = "(.*)"$',
    Path("verideck/__init__.py").read_text(encoding="utf-8"),
    re.MULTILINE,
)
releases = re.findall(
    r"^## (\S+), \d{4}-\d\d-\d\d$", Path("CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
)
if tag and tag != f"v{version}":
    sys.exit(f"the tag is {tag}, and verideck/__init__.py says {version}")
if tag and version not in releases:
    sys.exit(f"CHANGELOG.md has no `## {version}, YYYY-MM-DD`")
