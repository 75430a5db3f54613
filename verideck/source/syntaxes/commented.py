"""Notes of Obsidian_to_Anki in comments, which Obsidian does not show.

That tool looks for its lines in the whole file. By which words a note begins and ends is a setting
there; `%%ANKI` and `END%%` are common ones.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from verideck import markdown
from verideck.markdown import Comment
from verideck.model import Passage, more_below
from verideck.problems import Code, Problem, Severity

FORM = "obsidian-to-anki"
BEGIN, END = "START", "END"
"""The lines between which a note stands, where no comment is."""
_WORDS = BEGIN, "ANKI"
"""The lines with which a note in a comment begins."""
_BEGIN = rf"(?:{'|'.join(_WORDS)})"
_OPENING = re.compile(r"\A(?:%%|<!--)")
_CLOSING = re.compile(r"(?:%%|-->)[ \t]*$")
_MAY_BEGIN = re.compile(rf"^[ \t]*(?:%%|<!--)?[ \t]*{_BEGIN}[ \t]*$", re.MULTILINE)
_OF_A_NOTE = re.compile(
    rf"<!--[ \t]*ID:|STARTI[ \t]*\[|^[ \t]*Back:|^[ \t]*{_BEGIN}[ \t]*\n\s*[^\s%-]", re.MULTILINE
)
"""What a comment that holds a note has behind its mark."""


def uncovered(passage: Passage) -> tuple[Passage, frozenset[int]]:
    """Return a file's text without the comments around notes; and their other lines.

    These lines, counted from 0, are blank in the text. A comment in which no note has an end stays.
    """
    has_comment = any(each in passage.text for each in markdown.MARKS)
    if not has_comment or not _MAY_BEGIN.search(passage.text):
        return passage, frozenset()
    lines = passage.text.split("\n")
    closing = [n for n, line in enumerate(lines) if _CLOSING.search(line) and "<!--" not in line]
    noted, done = set[int](), 0
    for comment in markdown.uncommented(passage)[1].comments:
        inside = _lines_of(comment, closing)
        if inside.start < done or not (notes := _notes(lines, inside, comment.place.column - 1)):
            continue
        done = inside.stop
        lines[inside.start : done] = [notes.get(number, "") for number in inside]
        noted.update(number for number in inside if number not in notes)
    return replace(passage, text="\n".join(lines)), frozenset(noted)


def _lines_of(comment: Comment, closing: Sequence[int]) -> range:
    """Return the lines of a comment, counted from 0.

    In Markdown the `-->` of an id ends the comment around it. For that tool it does not: such a
    comment reaches to the next of the lines that end with a mark, and begin no comment.
    """
    start, stop = comment.place.line - 1, comment.place.line + comment.text.count("\n")
    if comment.text.startswith("<!--") and "<!--" in comment.text[len("<!--") :]:
        below = bisect_left(closing, stop)
        return range(start, closing[below] + 1) if below < len(closing) else range(0)
    return range(start, stop)


def _notes(lines: Sequence[str], inside: range, column: int) -> dict[int, str]:
    """Return the lines of the notes in a comment, by their numbers; none if no note has an end.

    And what stands before the comment, which begins in a column. The last END before the next note
    ends one: what stands before it may be a line of code.
    """
    if not inside[1:] or not _CLOSING.search(lines[inside.stop - 1]):
        return {}
    within = [lines[number] for number in inside]
    before, behind = within[0][:column], _OPENING.sub("", within[0][column:])
    within[0], within[-1] = before + behind, _CLOSING.sub("", within[-1])
    notes = {inside.start: before} if before.strip() else {}
    has_end = False
    begins = [n for n, line in enumerate(within) if line.strip() in _WORDS]
    for begin, stop in pairwise([*begins, len(within)]):
        end = max((n for n in range(begin, stop) if within[n].strip() == END), default=None)
        has_end |= end is not None
        within[begin] = within[begin].replace(within[begin].strip(), BEGIN)
        shown = range(begin, stop if end is None else end + 1)
        notes.update((inside.start + number, within[number]) for number in shown)
    return notes if has_end else {}


def unread(comments: Iterable[Comment]) -> Problem | None:
    """Return a warning of the comments that hold notes which no form reads, if there are any."""
    found = [each for each in comments if _OF_A_NOTE.search(_OPENING.sub("", each.text))]
    if not found:
        return None
    message = (
        f"this comment holds what looks like a note of Obsidian_to_Anki{more_below(len(found))}, "
        "so no card shows it"
    )
    hint = (
        f"it is a card if it stands between lines {BEGIN} and {END} and the file is read by "
        f"`syntax: {FORM}`"
    )
    return Problem(Code.TEXT_OUTSIDE, message, found[0].place, hint, Severity.WARNING)
