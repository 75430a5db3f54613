"""What is fuzzed: an area makes inputs, and holds verideck to its promises about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from verideck.problems import LONGEST_MESSAGE, Problem

Check = Callable[[bytes], None]
"""Raises AssertionError where a promise is broken; whatever else it raises is a finding, too."""


@dataclass(frozen=True, slots=True)
class Area:
    """A kind of input that a stranger writes and the user's own process reads."""

    suffix: str
    """Of the files in which inputs are saved."""
    seeds: Callable[[Path], Sequence[bytes]]
    """Returns real inputs; it may write into the folder that it is given."""
    made: Callable[[Random], bytes]
    """Makes an input by a grammar."""
    changed: Callable[[Random, bytes], bytes]
    """Changes an input as one of its form."""
    check: Callable[[Path], Check]
    """Returns the check, which may write into the folder that it is given."""

    def variant(self, random: Random, known: Sequence[bytes]) -> bytes:
        """A new input: made, or a known one, changed up to five times."""
        data = self.made(random) if random.random() < 0.4 or not known else random.choice(known)
        for _ in range(random.choice((0, 1, 1, 2, 3, 5))):
            data = self.changed(random, data)
        return data


def check_problems(problems: Sequence[Problem], texts: dict[str, str]) -> None:
    """Hold problems to their form: each at a place of a text, and with a message that can be read.

    `texts` are the texts of files by their paths.
    """
    by_path = {path: text.split("\n") for path, text in texts.items()}
    for each in problems:
        lines = by_path.get(each.place.path)
        assert lines is not None, f"a problem of another file: {each}"
        assert 1 <= each.place.line <= len(lines), f"no line of the text: {each}"
        length = len(lines[each.place.line - 1])
        assert 1 <= each.place.column <= length + 1, f"no column of the line: {each}"
        assert each.message.strip(), f"no message: {each}"
        assert len(each.message) <= LONGEST_MESSAGE + 1, f"a long message: {each.code}"
        assert len(each.hint) <= LONGEST_MESSAGE + 1, f"a long hint: {each.code}"
