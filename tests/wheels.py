"""What is installed here as wheels, so that pip installs it elsewhere without asking a registry."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

BUILDING = ("hatchling", "hatch-fancy-pypi-readme")
"""What builds our own wheel."""


def installed_as_wheels(folder: Path, *wanted: str) -> None:
    """Write the wheels of some distributions into a folder, and of all that they need.

    A name may have extras: `a[b]`. What is installed in its sources' place has no wheel; what it
    needs has.
    """
    folder.mkdir()
    for each in _closure(wanted):
        if not _is_editable(each):
            _write(each, folder)


def _closure(wanted: tuple[str, ...]) -> Iterator[Distribution]:
    ahead, seen = [Requirement(each) for each in wanted], set()
    found: dict[str, Distribution] = {}
    while ahead:
        asked = ahead.pop()
        name = canonicalize_name(asked.name)
        if (name, frozenset(asked.extras)) in seen:
            continue
        seen.add((name, frozenset(asked.extras)))
        found[name] = distribution(asked.name)
        needed = map(Requirement, found[name].requires or ())
        ahead += [each for each in needed if _holds(each, asked.extras)]
    yield from found.values()


def _holds(needed: Requirement, extras: set[str]) -> bool:
    """Whether a requirement is one of this system's, for any of the extras or without one."""
    return needed.marker is None or any(
        needed.marker.evaluate({"extra": extra}) for extra in ("", *extras)
    )


def _is_editable(it: Distribution) -> bool:
    return '"editable": true' in (it.read_text("direct_url.json") or "")


def _write(it: Distribution, folder: Path) -> None:
    """A wheel: the files of a distribution, without those that installing it has made."""
    about = it.read_text("WHEEL") or ""
    tag = next(line.split(": ")[1] for line in about.splitlines() if line.startswith("Tag: "))
    name = canonicalize_name(it.name).replace("-", "_")
    made = {"INSTALLER", "REQUESTED", "RECORD", "direct_url.json"}
    files = [
        file
        for file in it.files or ()
        if ".." not in file.parts
        and "__pycache__" not in file.parts
        and not (file.parent.name.endswith(".dist-info") and file.name in made)
    ]
    record = io.StringIO()
    rows = csv.writer(record, lineterminator="\n")
    with zipfile.ZipFile(folder / f"{name}-{it.version}-{tag}.whl", "w") as wheel:
        for file in files:
            wheel.write(str(it.locate_file(file)), file.as_posix())
            rows.writerow([file.as_posix(), "", ""])
        info = next(file.parent for file in files if file.name == "METADATA")
        rows.writerow([f"{info.as_posix()}/RECORD", "", ""])
        wheel.writestr(f"{info.as_posix()}/RECORD", record.getvalue())
