"""`--update`: writes what snippets give into the cards that say it: outputs and value comments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from verideck.model import Card, Proof, Rewritten, Role, Snippet
from verideck.problems import Problems
from verideck.proof.config import ExecutionConfig
from verideck.proof.executors import Executors
from verideck.proof.expected import difference, unwritable
from verideck.proof.verify import Proving
from verideck.storage.reading import Limit, read, within
from verideck.storage.writing import own_path, write_whole

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+\Z")
"""A line with its line ending, of any kind."""
_BLOCK = re.compile(r"(?P<before>.*?)#>.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Edit:
    """Lines of a file, counted from 0, that other lines replace, and what is told of it."""

    lines: range
    by: tuple[str, ...]
    told: Rewritten


def update(cards: Iterable[Card], config: ExecutionConfig) -> list[Rewritten]:
    """Execute the cards, and rewrite each ```output fence and value comment that is not true.

    Only their lines change; all other bytes of a file stay. Nothing is written in place of what a
    card shows where nothing is printed. A card that fails for another reason is skipped without a
    report: the run that follows reports it. Returns what was replaced, in the order of the files.
    Raises OSError if a file cannot be written.
    """
    executors = Executors()
    executors.begin(replace(config, updating=True))
    proving = Proving(executors)
    for card in cards:
        if any(map(_says_value, card.snippets)):
            proving.add(card)
    try:
        proven = proving.finish(Problems())
    finally:
        executors.close()
    stale: dict[str, list[Proof]] = {}
    for each in proven:
        for proof in each.proofs:
            if proof.stale or _is_stale(proof):
                stale.setdefault(proof.snippet.place.path, []).append(proof)
    return [
        told
        for path in sorted(stale)
        for told in _rewrite(config.root / path, stale[path], config.root)
    ]


def _says_value(snippet: Snippet) -> bool:
    """Whether a snippet is an output, or may hold a value comment."""
    return _is_output(snippet) or (snippet.executable and "#" in snippet.code)


def _is_output(snippet: Snippet) -> bool:
    return snippet.options.role is Role.OUTPUT


def _is_stale(proof: Proof) -> bool:
    """Whether an output differs from what is printed, and can be replaced by it."""
    shown, tolerance = proof.snippet.code, proof.snippet.options.tolerance
    return (
        _is_output(proof.snippet)
        and bool(proof.stdout.strip())
        and difference(shown, proof.stdout, tolerance) is not None
        and not unwritable(proof.stdout)
    )


def _printed(proof: Proof) -> list[str]:
    return proof.stdout.rstrip().split("\n")


def _matching(proof: Proof, shown: Sequence[str]) -> list[str]:
    """Return for each printed line the shown line that matches it already, or an empty text.

    A matching line stays as the author wrote it, with its digits and its `...`.
    """
    code, printed = proof.snippet.code.split("\n")[: len(shown)], _printed(proof)
    if len(code) != len(printed):
        return [""] * len(printed)
    tolerance = proof.snippet.options.tolerance
    return [
        "" if difference(wanted, actual, tolerance) else line
        for line, wanted, actual in zip(shown, code, printed, strict=True)
    ]


def _rewrite(file: Path, proofs: Sequence[Proof], root: Path) -> list[Rewritten]:
    """Write what was given into a file, from the last line to the first: lines stay true."""
    lines = _LINE.findall(read(file, Limit.TEXT, within(file, root)).decode("utf-8"))
    edits = [edit for proof in proofs for edit in _edits(lines, proof)]
    edits = sorted(dict.fromkeys(edits), key=lambda edit: edit.lines.start)
    for edit in reversed(edits):
        lines[edit.lines.start : edit.lines.stop] = edit.by
    if edits:
        write_whole(own_path(file, root), "".join(lines).encode("utf-8"), root)
    return [edit.told for edit in edits]


def _edits(lines: Sequence[str], proof: Proof) -> Iterator[_Edit]:
    if _is_output(proof.snippet):
        if edit := _of_output(lines, proof):
            yield edit
        return
    for stale in proof.stale:
        if edit := _of_comment(lines, stale):
            yield edit


def _of_output(lines: Sequence[str], proof: Proof) -> _Edit | None:
    """The edit of an output; None where it holds a deletion, which would be lost."""
    place, code = proof.snippet.place, proof.snippet.code
    opening = lines[place.line - 1]
    indentation = re.sub(r"[^>\t]", " ", opening[: place.column - 1])
    ending = opening[len(opening.rstrip("\r\n")) :]
    stop = place.line + code.count("\n")
    shown = lines[place.line : stop]
    by = tuple(
        same or (indentation + line).rstrip() + ending
        for same, line in zip(_matching(proof, shown), _printed(proof), strict=True)
    )
    differs = difference(code, proof.stdout, proof.snippet.options.tolerance)
    if differs is None or not _is_as_read(shown, code):
        return None
    first = replace(place, line=place.line + differs.line, column=1)
    told = Rewritten(first, differs.expected, differs.actual)
    return _Edit(range(place.line, stop), by, told)


def _is_as_read(shown: Sequence[str], code: str) -> bool:
    """Whether lines of a file are those of the code: marks of deletions are not in it."""
    pairs = zip(shown, code.split("\n"), strict=False)
    return all(line.rstrip().endswith(read.strip()) for line, read in pairs)


def _of_comment(lines: Sequence[str], stale: Rewritten) -> _Edit | None:
    """The edit of a value comment; None where the file does not say what was read."""
    first = stale.place.line - 1
    told = stale.before.split("\n")
    shown = [line.rstrip("\r\n") for line in lines[first : first + len(told)]]
    if not stale.after or not all(
        line.rstrip().endswith(each.rstrip()) for line, each in zip(shown, told, strict=False)
    ):
        return None
    ending = lines[first][len(shown[0]) :]
    if block := _BLOCK.fullmatch(shown[0]):
        given = stale.after.split("\n")
        by = tuple(f"{block['before']}#> {line}".rstrip() + ending for line in given)
    else:
        by = (shown[0].rstrip().removesuffix(stale.before) + stale.after + ending,)
    return _Edit(range(first, first + len(told)), by, stale)
