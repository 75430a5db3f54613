"""`--update`: writes the output of snippets into the cards that show it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from verideck.model import FORBIDDEN, Card, Proof, Role, Snippet
from verideck.problems import Problems
from verideck.proof.config import ExecutionConfig
from verideck.proof.executors import Executors
from verideck.proof.expected import difference
from verideck.proof.verify import Proving
from verideck.storage.files import write_whole

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+\Z")
"""A line with its line ending, of any kind."""
_UNFIT = re.compile(rf"^\s*(?:```|~~~)|\r|{FORBIDDEN.pattern}", re.MULTILINE)
"""What would close the fence or end a line, and characters that no card may contain."""


def update(cards: Iterable[Card], config: ExecutionConfig) -> list[str]:
    """Execute the cards, and rewrite each ```output fence that differs from the real output.

    Only the lines of such fences change; all other bytes of a file stay. A card that fails for
    another reason is skipped without a report: the run that follows reports it. Returns the paths
    of the files that changed, sorted. Raises OSError if a file cannot be written.
    """
    executors = Executors()
    executors.begin(replace(config, updating=True))
    proving = Proving(executors)
    for card in cards:
        if any(map(_is_output, card.snippets)):
            proving.add(card)
    try:
        proven = proving.finish(Problems())
    finally:
        executors.close()
    stale: dict[str, list[Proof]] = {}
    for each in proven:
        for proof in _stale(each.proofs):
            stale.setdefault(proof.snippet.place.path, []).append(proof)
    for path, proofs in stale.items():
        _rewrite(config.root / path, proofs)
    return sorted(stale)


def _is_output(snippet: Snippet) -> bool:
    return snippet.options.role is Role.OUTPUT


def _stale(proofs: Sequence[Proof]) -> Iterator[Proof]:
    for proof in proofs:
        shown, tolerance = proof.snippet.code, proof.snippet.options.tolerance
        differs = _is_output(proof.snippet) and difference(shown, proof.stdout, tolerance)
        if differs and not _UNFIT.search(proof.stdout):
            yield proof


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


def _rewrite(file: Path, proofs: Sequence[Proof]) -> None:
    """Write the outputs into the fences of a file, from the last to the first: lines stay true."""
    lines = _LINE.findall(file.read_bytes().decode("utf-8"))
    for proof in sorted(proofs, key=lambda proof: proof.snippet.place, reverse=True):
        place = proof.snippet.place
        opening = lines[place.line - 1]
        indentation = re.sub(r"[^>\t]", " ", opening[: place.column - 1])
        ending = opening[len(opening.rstrip("\r\n")) :]
        shown = lines[place.line : place.line + proof.snippet.code.count("\n")]
        lines[place.line : place.line + len(shown)] = [
            same or (indentation + line).rstrip() + ending
            for same, line in zip(_matching(proof, shown), _printed(proof), strict=True)
        ]
    write_whole(file, "".join(lines).encode("utf-8"))
