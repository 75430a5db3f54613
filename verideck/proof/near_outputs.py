"""Text under a fence that looks like what the fence prints, and is not compared with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import pairwise

from verideck.model import Place, Proof, Role, Snippet
from verideck.problems import Code, Problem, Severity
from verideck.proof.expected import difference

_TRANSCRIPTS = frozenset({"", "console", "output"})
"""The languages in which authors write what is printed."""
_NEAR = 1
"""How many lines may stand between a fence and what it prints."""
_ALIKE = 0.7
_LONGEST = 2000
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?")


def near_outputs(snippets: Sequence[Snippet], proofs: Sequence[Proof]) -> Iterator[Problem]:
    """Yield a warning for each text that says almost, but not quite, what the fence above prints.

    What says the same is no mistake yet, and what is unlike is something else: a drawing, or a
    remark.
    """
    by_place: Mapping[Place, Proof] = {proof.snippet.place: proof for proof in proofs}
    for above, below in pairwise(snippets):
        proof = by_place.get(above.place)
        if (
            proof
            and proof.stdout.strip()
            and _is_transcript(below)
            and _is_under(above, below)
            and (differs := difference(below.code, proof.stdout))
            and not differs.undecided
            and _is_like(below.code, proof.stdout)
        ):
            yield Problem(
                Code.OUTPUT_DIFFERS,
                "this text is not what the snippet above prints\n"
                f"expected  {differs.expected}\nprinted   {differs.actual}",
                replace(below.place, line=below.place.line + differs.line),
                "write ```output, and it is compared",
                Severity.WARNING,
            )


def _is_transcript(snippet: Snippet) -> bool:
    role = snippet.options.role
    is_shown = role in {Role.TEXT, Role.SHOWN} and not snippet.executable
    return is_shown and snippet.language in _TRANSCRIPTS and not snippet.options.reason


def _is_under(above: Snippet, below: Snippet) -> bool:
    """Whether hardly anything stands between two fences."""
    if above.options.role is not Role.SHOWN or above.options.include:
        return False
    end = above.place.line + above.code.count("\n") + 1
    return 0 < below.place.line - end <= _NEAR + 1


def _is_like(shown: str, printed: str) -> bool:
    """Whether a text is what is printed, but for its numbers or a few characters."""
    one, other = (" ".join(_NUMBER.sub("0", text).split()) for text in (shown, printed))
    if one == other:
        return True
    if max(len(shown), len(printed)) > _LONGEST:
        return False
    return SequenceMatcher(None, shown.strip(), printed.strip()).ratio() >= _ALIKE
