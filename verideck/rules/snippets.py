"""Rules for the shown code of a card."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from dataclasses import replace

from verideck.markdown.width import is_wide
from verideck.model import Role, Snippet
from verideck.rules.reading import Reading
from verideck.rules.rule import Finding, Limit, of_each_card


@of_each_card
def long(card: Reading, limit: Limit) -> Iterator[Finding]:
    """Show no more code than fits on a screen (R10).

    More than 15 lines are a warning. Blank lines do not count.
    """
    for snippet in card.shown:
        lines = sum(bool(line.strip()) for line in snippet.shown_lines().values())
        if severity := limit.weight(lines):
            yield Finding(
                card.card,
                snippet.place,
                f"this code has {lines} lines",
                f"show {limit.soft:g} of them: what proves them can stand in a .check",
                severity,
            )


@of_each_card
def wide(card: Reading, limit: Limit) -> Iterator[Finding]:
    """Show code that fits the width of a phone (R10).

    More than 72 columns are a warning. A Han character takes two columns. A comment for the audit
    is not shown, so it does not count.
    """
    outputs = [each for each in card.card.snippets if each.options.role is Role.OUTPUT]
    for snippet in (*card.shown, *outputs):
        for number, line in snippet.shown_lines().items():
            columns = sum(1 + is_wide(character) for character in line)
            if severity := limit.weight(columns):
                yield Finding(
                    card.card,
                    replace(snippet.origin, line=snippet.origin.line + number),
                    f"this line of code is {columns} columns wide",
                    f"break it before column {limit.soft:g}",
                    severity,
                )
                break


_DRAWS = re.compile(
    r"\b(?:torch|np\.random|numpy\.random|random|rng|generator)\.(?:rand\w*|normal|uniform|choices?|"
    r"shuffle|sample|permutation|multinomial|bernoulli|gauss|integers|standard_normal)\("
)
_SEEDS = re.compile(r"manual_seed\(|\bseed\(|\b(?:default_rng|RandomState|Random)\(\s*\w|PRNGKey\(")


@of_each_card
def unseeded(card: Reading, _: Limit) -> Iterator[Finding]:
    """Show the seed of random numbers (R10).

    Every run of a card is seeded, and an audit tries other seeds, so code may draw any number. But
    a reader who runs the code elsewhere sees other numbers. So where a card prints a number with a
    decimal point, or shows the value of a variable, one of its fences must set the seed.
    """
    code = [each for each in card.card.snippets if each.language == "python"]
    if not any(map(_shows_random, card.card.snippets)) or any(
        _SEEDS.search(each.code) for each in code
    ):
        return
    for snippet in code:
        if draws := _DRAWS.search(snippet.code):
            above = snippet.code.count("\n", 0, draws.start())
            yield Finding(
                card.card,
                replace(snippet.origin, line=snippet.origin.line + above),
                f"{draws.group()[:-1]} draws numbers, and the card shows what came of it",
                "set the seed, with torch.manual_seed(0) or the like",
            )
            return


def _shows_random(snippet: Snippet) -> bool:
    """Return whether a snippet puts a number on the card that may be random."""
    if snippet.options.role is Role.OUTPUT:
        return re.search(r"\d\.\d", snippet.code) is not None
    return snippet.options.role is Role.VALUE and bool(_variables(snippet.code))


def _variables(expression: str) -> set[str]:
    """Return the names that an expression reads, without builtins."""
    try:
        tree = ast.parse(expression, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # verify reports it
        return set()
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return names - set(dir(builtins))
