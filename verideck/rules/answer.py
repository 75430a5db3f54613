"""Rules for a card's answer: the part above `---`, without fences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from verideck.problems import Severity
from verideck.rules.length import MEANING, units
from verideck.rules.reading import Reading
from verideck.rules.rule import Finding, Limit, of_each_card
from verideck.rules.series import series


@of_each_card
def long(card: Reading, limit: Limit) -> Iterator[Finding]:
    """Answer in few words (R2). SuperMemo's minimum information: answers as short as possible.

    60 units are a warning, 120 an error: 60 or 120 汉字, 40 or 80 English words.
    """
    length = units(card.answer.text)
    if severity := limit.weight(length):
        yield Finding(
            card.card,
            card.answer.at(0),
            f"this answer is {length:g} units long",
            f"say it in {limit.soft:g} and put the rest under ---, or ask twice: {MEANING}",
            severity,
        )


_END = re.compile(
    r"[。！？!?]+[”’」』）)\"']*|(?<!\be\.g)(?<!\bi\.e)(?<!\bal)(?<!\bcf)(?<!\bvs)(?<!\bFig)\.[\"')]*(?=\s)"
)
_CONTENT = re.compile(r"[^\W_]|[\ufffb\ufffc]")


@of_each_card
def sentences(card: Reading, limit: Limit) -> Iterator[Finding]:
    """Answer in few sentences (R2). SuperMemo's minimum information.

    A fourth sentence is a warning, a sixth an error. Text without a full stop at its end does not
    count.
    """
    starts = list(_sentences(card.answer.text))
    if severity := limit.weight(len(starts)):
        yield Finding(
            card.card,
            card.answer.at(starts[int(limit.soft)]),
            f"this answer has {len(starts)} sentences",
            f"keep {limit.soft:g}, and make cards of what the others say",
            severity,
        )


def _sentences(text: str) -> Iterator[int]:
    """Yield where each sentence begins. Text without a full stop at its end is no sentence."""
    position = 0
    for line in text.split("\n"):
        start = 0
        for found in _END.finditer(f"{line}\n"):
            sentence = line[start : found.end()]
            if _CONTENT.search(sentence):
                yield position + start + len(sentence) - len(sentence.lstrip())
            start = found.end()
        position += len(line) + 1


_MANY = 2
"""How many more steps a procedure may have than a set may have members."""
_PROCEDURE = re.compile(
    r"步骤|流程|顺序|依次|\bsteps?\b|\bprocedure\b|\bin what order\b", re.IGNORECASE
)
_NUMBERED = re.compile(
    r"[①-⑳]|[(（]\d{1,2}[)）]|(?<!\S)\d{1,2}[.)、](?=\s)|第[一二三四五六七八九十][，,：:]"
)
_LABEL = re.compile(r"(?m)^[^\n：:，。；,.;]{1,16}(?:：|:(?=\s))")
_CLAUSES = re.compile(r"[^。！？!?\n]+")
_COMMAS = re.compile(
    r"(?<![^、，。；：！？,.;:!?\n])[^、，。；：！？,.;:!?\n]+(?:、[^、，。；：！？,.;:!?\n]+){3,}"
)


@of_each_card
def listing(card: Reading, limit: Limit) -> Iterator[Finding]:
    """Ask for no set and no enumeration (R3). SuperMemo's rules 9 and 10.

    More than three is an error, and five where the question asks for steps: items of a list, rows
    of a table, ①②, lines that begin `label:`, clauses between ；. Within a sentence, four words
    between 、 or commas are a warning and five an error.
    """
    more = _MANY if card.asks and _PROCEDURE.search(card.question.spoken) else 0
    text = _TUPLE.sub(_blank, card.answer.spoken)
    enumerations = [
        *((each.items, each.place, 0) for each in card.listings),
        *((count, card.answer.at(start), one) for count, start, one in _within(text)),
    ]
    for count, place, one in enumerations:
        severity = limit.weight(count - more - one)
        if one and severity is None and count - more > limit.soft:
            severity = Severity.WARNING
        if severity:
            yield Finding(
                card.card,
                place,
                f"this answer is a list of {count}",
                "hide one of them in each of several cloze cards, or tag the card overview",
                severity,
            )
            return


_TUPLE = re.compile(r"[(\[][\d.,\s]{2,60}[)\]]")
"""A shape or a tuple: its commas list nothing, and `1)` at its end is no number of an item."""


def _blank(found: re.Match[str]) -> str:
    return " " * len(found.group()) if "," in found.group() else found.group()


def _within(text: str) -> Iterator[tuple[int, int, int]]:
    """Yield enumerations in prose: the number of items, the position, the tolerance.

    The tolerance is 1 where one item too many is only a warning, else 0.
    """
    for pattern in (_NUMBERED, _LABEL):
        found = list(pattern.finditer(text))
        if found:
            yield len(found), found[0].start(), 0
    for clauses in _CLAUSES.finditer(text):
        yield len(re.findall(r"[；;]\s*\S", clauses.group())) + 1, clauses.start(), 0
    for words in _COMMAS.finditer(text):
        yield words.group().count("、") + 1, words.start(), 1
    for count, start in series(text):
        yield count, start, 1


_HALF = 0.5
_COMPARED = 4_000_000
"""Pairs of characters: those of two texts of 2,000, which take half a second."""


@of_each_card
def given_away(card: Reading, limit: Limit) -> Iterator[Finding]:
    """Do not give the answer in the question (R6). Matuschak: effortful.

    Reports more than 10 characters that stand in both and are half of the answer. Texts of many
    thousands of characters are not compared: they break the rules for lengths.
    """
    asked, answered = card.question.text.casefold(), card.answer.text.strip().casefold()
    if not card.asks or not answered or len(asked) < len(answered) * _HALF:
        return
    if len(asked) * len(answered) > _COMPARED:
        return
    match = SequenceMatcher(None, asked, answered, autojunk=False)
    same = match.find_longest_match()
    severity = limit.weight(same.size)
    if severity and same.size >= len(answered) * _HALF:
        shared = asked[same.a : same.a + same.size].strip()
        yield Finding(
            card.card,
            card.question.at(same.a),
            f"this question says half of its answer: {shared}",
            "take it out of the question, or ask for another part",
            severity,
        )
