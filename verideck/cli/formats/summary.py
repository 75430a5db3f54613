"""A run as Markdown, for the page that a build server shows of a job."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterator, Sequence

from verideck import inert
from verideck.cli.formats.told import Entry, Told, Verdict, entries_of
from verideck.cli.report import amount
from verideck.problems import Problem, has_errors

MOST = 50
"""How many problems are told."""

_PUNCTUATION = re.compile(f"[{re.escape(string.punctuation)}]")


def run(told: Told) -> str:
    """Return a heading, a table of files and one of problems. No text of a project acts in it."""
    parts = [f"## verideck: {_outcome(told)}"]
    if entries := entries_of(told):
        parts.append("\n".join(_files(entries)))
    if told.problems:
        parts.append("\n".join(_problems(told.problems)))
    parts += [f"Failed by `--fail-on`: {_text(each)}" for each in told.failed_on]
    if told.usage:
        parts.append(_text(told.usage))
    return "\n\n".join(parts) + "\n"


def _outcome(told: Told) -> str:
    if told.usage:
        return "nothing was checked"
    counts = Counter(each.severity.value for each in told.problems)
    found = ", ".join(amount(count, name) for name, count in sorted(counts.items()))
    holds = "it does not hold" if has_errors(told.problems) or told.failed_on else "it holds"
    return f"{holds} ({found})" if found else holds


def _files(entries: Sequence[Entry]) -> Iterator[str]:
    """A row for each file, and one for all of them."""
    yield "| file | proved | failed | no code | not verified | assertions | seconds |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    by_file: dict[str, list[Entry]] = {}
    for entry in entries:
        by_file.setdefault(entry.place.path, []).append(entry)
    for path, its in by_file.items():
        yield _row(f"<code>{_text(path)}</code>", its)
    if len(by_file) > 1:
        yield _row("all", entries)


def _row(name: str, entries: Sequence[Entry]) -> str:
    counts = Counter(each.verdict for each in entries)
    order = (Verdict.PROVED, Verdict.FAILED, Verdict.NO_CODE, Verdict.UNVERIFIED)
    assertions = sum(each.assertions for each in entries)
    seconds = sum(each.seconds for each in entries)
    cells = [name, *(str(counts[each]) for each in order), str(assertions), f"{seconds:.1f}"]
    return f"| {' | '.join(cells)} |"


def _problems(problems: Sequence[Problem]) -> Iterator[str]:
    yield "| place | | problem |"
    yield "|---|---|---|"
    for each in problems[:MOST]:
        place, message = _text(str(each.place)), _text(each.message.split("\n")[0])
        yield f"| <code>{place}</code> | {each.severity} | {message} (`{each.code}`) |"
    if len(problems) > MOST:
        yield f"| | | and {len(problems) - MOST} more |"


def _text(text: str) -> str:
    """A text as one line of which Markdown and HTML read no character as a mark."""
    return _PUNCTUATION.sub(lambda found: f"&#{ord(found[0])};", inert.line(text))
