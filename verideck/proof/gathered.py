"""Tells once what is wrong with the machine, and not with a card, for all cards that meet it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from verideck.model import Place
from verideck.problems import Code, Problem

_MISSING_MODULE = re.compile(r"ModuleNotFoundError: No module named .*")


def gathered(problems: Iterable[Problem]) -> Iterator[Problem]:
    """The problems, where one that several cards meet stands at the first of them.

    Its message says how many others meet it, and where.
    """
    found = list(dict.fromkeys(problems))
    alike: dict[tuple[str, ...], list[Place]] = {}
    for problem in found:
        if cause := _cause(problem):
            alike.setdefault(cause, []).append(problem.place)
    for problem in found:
        if not (cause := _cause(problem)):
            yield problem
        elif problem.place == alike[cause][0]:
            yield replace(problem, message=_with(problem.message, alike[cause][1:]))


def _cause(problem: Problem) -> tuple[str, ...]:
    """What is wrong with the machine; empty for a problem of the card's own."""
    first = problem.message.split("\n")[0]
    if problem.code is Code.SANDBOX_MISSING or (
        problem.code is Code.EXCEPTION_RAISED and _MISSING_MODULE.fullmatch(first)
    ):
        return problem.code, first
    return ()


def _with(message: str, others: list[Place]) -> str:
    if not others:
        return message
    lines: dict[str, list[str]] = {}
    for place in others:
        lines.setdefault(place.path, []).append(str(place.line))
    where = [f"{path}: {', '.join(numbers)}" for path, numbers in lines.items()]
    times = "1 more place" if len(others) == 1 else f"{len(others)} more places"
    return "\n".join([message, f"the same at {times}:", *(f"  {each}" for each in where)])
