"""Rules for the sources of what a card says."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence

from verideck.model import Card, Kind
from verideck.rules.reading import Reading
from verideck.rules.rule import Finding, Limit, of_each_card

_CITES = re.compile(r"arxiv|§|https?://|\bdoi\b|\bRFC ?\d", re.IGNORECASE)


@of_each_card
def missing(card: Reading, _: Limit) -> Iterator[Finding]:
    """Say where the answer can be looked up (R9). SuperMemo's rule 18: provide sources.

    A source is a `source` on the card or in its file's front matter, or arXiv, §, or an address in
    the answer or under its `---`.
    """
    if card.card.source or _CITES.search(card.card.answer.text if card.card.answer else ""):
        return
    yield Finding(
        card.card,
        card.card.place,
        "this card names no source",
        'write source="…" behind the question, or source: in the front matter',
    )


def version_missing(cards: Sequence[Reading], _: Limit) -> Iterator[Finding]:
    """Name the version of a library whose behaviour is described (R9).

    SuperMemo's rule 19: date stamping. Reports inline code like `torch.rms_norm` or `nn.LayerNorm`,
    where the code of some card imports a library as `nn`, on a card that names no version of it. A
    card that executes code which imports the library shows the version in its proof.
    """
    libraries = dict(pair for each in cards for pair in _imports(each.card))
    for card in cards:
        settled = _proven(card.card)
        for prose in (card.question, card.answer):
            for start, code in prose.code:
                root, dot, _rest = code.partition(".")
                library = libraries.get(root) if dot else None
                if not library or library in settled:
                    continue
                settled.add(library)
                if not _versioned(card, library):
                    yield Finding(
                        card.card,
                        prose.at(start),
                        f"{code} may behave otherwise in another version of {library}",
                        f'name the version: source="{library} 2.1", or prove it by code',
                    )


def _imports(card: Card) -> Iterator[tuple[str, str]]:
    """Yield the name that a card's code gives each library that it imports, and the library."""
    for snippet in card.snippets:
        if snippet.language != "python" or not snippet.executable:
            continue
        try:
            tree = ast.parse(snippet.code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):  # verify reports it
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                imported = [(alias.asname or alias.name, alias.name) for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported = [(alias.asname or alias.name, node.module) for alias in node.names]
            else:
                continue
            for name, module in imported:
                library = module.partition(".")[0]
                if library not in sys.stdlib_module_names:
                    yield name.partition(".")[0], library
                    yield library, library


def _proven(card: Card) -> set[str]:
    """Return the libraries whose versions are in the card's proof."""
    return {library for _, library in _imports(card)} if card.verified else set()


def _versioned(card: Reading, library: str) -> bool:
    """Return whether the card names a version of a library. `PyTorch 2.1` is one of `torch`."""
    if card.card.verified and any(each.options.include for each in card.card.snippets):
        return True  # the module's own imports are in the proof
    source = card.card.source.text if card.card.source else ""
    text = f"{source}\n{card.question.text}\n{card.answer.text}\n{card.aside.text}"
    named = rf"(?:py)?{re.escape(library)}\W{{0,4}}(?:version\s|v)?\d+\.\d"
    return re.search(named, text, re.IGNORECASE) is not None


_NUMBER = re.compile(r"(?<![\w.\ufffb])(?:\d{1,3}(?:[,_]\d{3})+|\d+)(?:\.\d+)?(?![\w]|\.\d)")
_IN_CODE = re.compile(r"(?<![A-Za-z_])\d[\d_,]*(?:\.\d+)?(?:e[+-]?\d+)?")
_TEX_GAP = re.compile(r"\{,\}|\\[,;!]")
_SMALLEST = 10
"""Smaller whole numbers need no source: two heads, three steps."""


@of_each_card
def number(card: Reading, _: Limit) -> Iterator[Finding]:
    """Give the source of a number (R14). SuperMemo's rule 18.

    Reports a number of two digits or more, or a fraction, in the words and formulas of an answer,
    unless it stands in the card's code or output, in the question, or in the source. Values are
    not looked at: code computes them.
    """
    known = set(_known(card))
    prose = card.answer
    numbers = [(match.start(), match.group()) for match in _NUMBER.finditer(prose.spoken)]
    for start, formula in prose.maths:
        plain = _TEX_GAP.sub("", formula)
        numbers += [(start, match.group()) for match in _NUMBER.finditer(plain)]
    unknown = [
        each for each in sorted(numbers) if _counts(each[1]) and _value(each[1]) not in known
    ]
    if unknown:
        listed = ", ".join(dict.fromkeys(text for _, text in unknown))
        many = len(set(listed.split(", "))) > 1
        yield Finding(
            card.card,
            prose.at(unknown[0][0]),
            f"neither the card's code nor its source has {'these numbers' if many else ''}"
            f"{': ' if many else 'the number '}{listed}",
            "compute it in the card's code ({eval}`…` shows it), or put it into the source",
        )


def _counts(text: str) -> bool:
    value = _value(text)
    return value >= _SMALLEST or not value.is_integer()


def _known(card: Reading) -> Iterator[float]:
    """Yield the numbers in the card's code, source, hint and question, also as percentages."""
    texts = [each.code for each in card.card.snippets]
    texts += [each.text for each in (card.card.source, card.card.hint) if each]
    if card.card.kind is not Kind.CLOZE:
        texts.append(card.card.question.text)
    for text in texts:
        for match in _IN_CODE.finditer(text):
            value = _value(match.group().rstrip(","))
            yield from (value, round(value * 100, 9), round(value / 100, 9))
            yield from map(_value, match.group().rstrip(",").split(","))


def _value(text: str) -> float:
    digits = re.sub(r"[,_]", "", text)
    return round(float(digits), 9) if digits else 0.0
