"""The areas that are fuzzed, by their names."""

from __future__ import annotations

from collections.abc import Mapping

from fuzz import front_matter, lock, markdown, packages, reports
from fuzz.area import Area

AREAS: Mapping[str, Area] = {
    "front_matter": front_matter.AREA,
    "markdown": markdown.AREA,
    "lock": lock.AREA,
    "reports": reports.AREA,
    "packages": packages.AREA,
}
