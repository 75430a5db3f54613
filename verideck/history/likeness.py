"""How alike two texts are, in any language and in code, from what little is kept of one of them.

A text is the set of its words (`LayerNorm` and `layer_norm` are two each) and of its pairs of
neighbouring Han characters; punctuation, marks and white space say nothing. Two texts are alike as
far as they share these (Jaccard's index: what both have, of all that either has). Of a long text a
sketch is kept: its lowest hashes, from which the index of whole texts is estimated (Broder, On the
resemblance and containment of documents, 1997). A text of up to 32 features is kept whole but for
its words; of a longer one the estimate is off by 0.09 at most as a rule.

What it cannot see: a changed sign, a changed order, a translation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise

_MARKS = re.compile(r"\{\{c\d+::")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_HAN = r"\u3400-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(rf"(?P<han>[{_HAN}]+)|[^\W_{_HAN}]+")
_KEPT = 32
_DIGITS = 6
"""Hexadecimal digits of a hash in a sketch."""

Features = frozenset[str]


def features(text: str) -> Features:
    """The hashes of a text's words and pairs of Han characters."""
    return frozenset(map(_hash, _words(text)))


@lru_cache(maxsize=50_000)
def _hash(word: str) -> str:
    """A word's hash: a deck says most of its words again and again."""
    return blake2b(word.encode(), digest_size=_DIGITS // 2).hexdigest()


def _words(text: str) -> Iterable[str]:
    found: set[str] = set()
    apart = _HUMP.sub(" ", _MARKS.sub(" ", text)).casefold()
    for token in _TOKEN.finditer(apart):
        run = token.group()
        if token["han"] and len(run) > 1:
            found.update(one + other for one, other in pairwise(run))
        else:
            found.add(run)
    return found


def sketch(text: str) -> str:
    """What is kept of a text: its lowest hashes, in their order, without anything between."""
    return "".join(sorted(features(text))[:_KEPT])


def sketched(text: str) -> Features:
    """The features that a sketch holds."""
    return frozenset(text[start : start + _DIGITS] for start in range(0, len(text), _DIGITS))


def alike(one: Features, other: Features) -> float:
    """Jaccard's index, from 0 to 1. Two texts without a word are not alike."""
    lowest = sorted(one | other)
    if len(one) >= _KEPT or len(other) >= _KEPT:  # of a sketch, nothing above its highest is known
        lowest = lowest[:_KEPT]
    return sum(each in one and each in other for each in lowest) / len(lowest) if lowest else 0.0
