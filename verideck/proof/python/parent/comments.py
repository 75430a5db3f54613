"""Compares the value comments of a snippet with what its statements gave."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from verideck.model import Place, Rewritten, Snippet
from verideck.proof import expected
from verideck.proof.python.wire.messages import Said, StepReport
from verideck.proof.python.wire.value_comments import ValueComment, value_comments

_UNNAMED = frozenset({"tensor", "array", "torch.Size", "set", "frozenset"})
"""Names that a value's text begins with, whatever the value is."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A value comment of a snippet, and what became of it."""

    comment: ValueComment
    actual: str
    """What it should say; where its statement was executed several times, the last of it."""
    held: bool
    refuted: bool
    """Whether it is false. One that holds at some times and not at others is neither."""
    once: bool
    """Whether there is one thing that it should say."""

    @property
    def writable(self) -> bool:
        """Whether an update may write what it should say: it does not put None for a value."""
        return self.once and self.actual != "None"


def judged_comments(snippet: Snippet, report: StepReport) -> Iterator[Judged]:
    """What became of the value comments of a snippet whose statements were executed."""
    if not report.said:
        return
    by_line: dict[int, list[Said]] = defaultdict(list)
    for each in report.said:
        by_line[each.line].append(each)
    for comment in value_comments(snippet.code):
        said = by_line[comment.line]
        if said and expected.could_differ(comment.text) and _tells_value(comment, said):
            yield (_block if comment.is_block else _arrow)(comment, said)


def place_of(snippet: Snippet, comment: ValueComment) -> Place:
    """The place of a comment in its file."""
    origin = snippet.origin
    return Place(origin.path, origin.line + comment.line - 1, origin.column + comment.column)


def rewritten(snippet: Snippet, judged: Judged) -> Rewritten:
    """What a comment should say in the place of what it says."""
    return Rewritten(place_of(snippet, judged.comment), judged.comment.text, judged.actual)


def could_fail(comments: Sequence[Judged]) -> int:
    """How many value comments could have been false: each counts as an assertion.

    One that is false is a problem, or is about to be made true by an update.
    """
    return sum(each.held or each.refuted for each in comments)


def _tells_value(comment: ValueComment, said: Sequence[Said]) -> bool:
    """Whether a comment is more than a remark: `# → self.weight` may say where a value goes."""
    begins = comment.named
    if comment.is_plain:
        begins = begins or comment.text[:1]
    elif begins in _UNNAMED:
        return True
    return any(text.startswith(begins) for each in said for text in _texts(each))


def _block(comment: ValueComment, said: Sequence[Said]) -> Judged:
    """Compare `#>` lines, with all that was printed; where nothing was, with the values."""
    printed = "".join(each.printed for each in said)
    actual = printed if printed.strip() else "\n".join(_texts(each)[0] for each in said)
    held = expected.difference(comment.text, actual) is None
    return Judged(comment, actual.rstrip(), held, refuted=not held, once=True)


def _arrow(comment: ValueComment, said: Sequence[Said]) -> Judged:
    """Compare a comment in a line, with each thing that its statement gave."""
    agreed = [any(_agree(comment.text, text) for text in _texts(each)) for each in said]
    actual = _likest(comment.text, _texts(said[-1]))
    once = len({_texts(each) for each in said}) == 1
    return Judged(comment, actual, all(agreed), refuted=not any(agreed), once=once)


def _texts(said: Said) -> tuple[str, ...]:
    printed = " ".join(said.printed.split())
    values = tuple(" ".join(each.split()) for each in said.values)
    return (printed, *values) if printed else values or ("",)


def _agree(told: str, actual: str) -> bool:
    told = " ".join(told.split())
    if expected.difference(told, actual) is None:
        return True
    try:
        values = ast.literal_eval(told), ast.literal_eval(actual)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return False
    flags = [isinstance(each, bool) for each in values]
    return flags[0] == flags[1] and bool(values[0] == values[1])


def _likest(told: str, texts: Sequence[str]) -> str:
    """The text of a value that is written as the comment writes its own: a shape as a shape."""
    return next((text for text in texts if _begins(text) == _begins(told)), texts[0])


def _begins(text: str) -> str:
    first = text[:1]
    if first.isdigit() or first in "-+.":
        return "0"
    return "a" if first.isalpha() else first
