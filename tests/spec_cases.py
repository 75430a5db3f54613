r"""Reads the manual, `spec/*.md`: each `## heading` there is a case that can be run.

A case is its heading, prose that says what holds and why, fences with the files of a small project,
and one last fence, ```text, with what verideck makes of them. A fence's info string may hold
`path=cards/b.md` (`cards/card.md` unless it says so) and `escaped`, by which `\x1f` stands for a
byte that no text file may hold, and `repeated=3`: the file is written so many times one after the
other. The content of a ```link fence is what a symbolic link points to.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SPEC = Path(__file__).parent / "spec"

_FENCE = re.compile(r"(?P<markup>`{3,})(?P<word>\w*)(?P<options>[^`]*)")
_BYTE = re.compile(rb"\\x([0-9a-f]{2})")


class BadCaseError(Exception):
    """A file of the manual holds no case, or half of one."""


@dataclass(frozen=True, slots=True)
class Fence:
    """A fence of the manual."""

    markup: str
    word: str
    options: str
    text: str
    lines: range
    """From the opening line to the closing one, counted from 0."""


@dataclass(frozen=True, slots=True)
class Case:
    """A heading of the manual with all that stands beneath it."""

    file: Path
    heading: str
    given: tuple[Fence, ...]
    expected: Fence

    def write(self, project: Path) -> None:
        """Make the project that the case gives."""
        for fence in self.given:
            path, content = _content(fence)
            file = project / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if fence.word == "link":
                file.symlink_to(fence.text.strip())
            else:
                file.write_bytes(content)

    def rewrite(self, expected: str) -> None:
        """Put another expected text into the manual."""
        lines = self.file.read_text(encoding="utf-8").split("\n")
        here = next(case for case in cases(self.file) if case.heading == self.heading)
        longest = max(map(len, re.findall("`{3,}", expected)), default=2)
        markup = "`" * (longest + 1)
        fence = [f"{markup}text", *expected.rstrip("\n").split("\n"), markup]
        lines[here.expected.lines.start : here.expected.lines.stop] = fence
        self.file.write_text("\n".join(lines), encoding="utf-8")


def cases(file: Path) -> list[Case]:
    """All cases of a file. Raises BadCaseError if there is none, or one lacks something."""
    found = list(_cases(file))
    if not found:
        message = f"no case in {file.name}"
        raise BadCaseError(message)
    headings = [case.heading for case in found]
    for heading in headings:
        if headings.count(heading) > 1:
            message = f"{file.name}: {heading!r} stands there twice"
            raise BadCaseError(message)
    return found


def _cases(file: Path) -> Iterator[Case]:
    lines = file.read_text(encoding="utf-8").split("\n")
    heading, prose, fences = "", False, list[Fence]()
    position = 0
    while position <= len(lines):
        line = lines[position] if position < len(lines) else "# the end"
        if line.startswith(("# ", "## ")):
            if heading:
                yield _case(file, heading, fences, prose=prose)
            heading, prose, fences = line.removeprefix("## "), False, []
            heading = "" if line.startswith("# ") else heading
        elif opening := _FENCE.fullmatch(line):
            fences.append(_fence(lines, position, opening, file))
            position = fences[-1].lines.stop
            continue
        elif line.strip():
            prose = True
        position += 1


def _fence(lines: list[str], start: int, opening: re.Match[str], file: Path) -> Fence:
    try:
        stop = lines.index(opening["markup"], start + 1)
    except ValueError as error:
        message = f"{file.name}:{start + 1}: this fence is never closed"
        raise BadCaseError(message) from error
    text = "".join(f"{line}\n" for line in lines[start + 1 : stop])
    return Fence(**opening.groupdict(), text=text, lines=range(start, stop + 1))


def _case(file: Path, heading: str, fences: list[Fence], *, prose: bool) -> Case:
    given, expected = fences[:-1], fences[-1:]
    if not (prose and given and expected[0].word == "text" and expected[0].text.strip()):
        message = f"{file.name}: {heading!r} lacks prose, a given fence or the expected one"
        raise BadCaseError(message)
    return Case(file, heading, tuple(given), expected[0])


def _content(fence: Fence) -> tuple[str, bytes]:
    """The path of a given file and what it holds."""
    words = shlex.split(fence.options)
    options = dict(word.partition("=")[::2] for word in words)
    content = fence.text.encode()
    if "escaped" in options:
        content = _BYTE.sub(lambda match: bytes([int(match[1], 16)]), content)
    return options.get("path", "cards/card.md"), content * int(options.get("repeated", 1))
