"""What a run says: to people, to programs (json), to GitHub's annotations."""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from verideck.history.changes import describe
from verideck.history.diff import Difference
from verideck.model import Audit, Built, Change, ChangeKind, Place, ProvenCard, Stats, short
from verideck.problems import Code, Problem, Severity, errors

if TYPE_CHECKING:
    from verideck.rules.lint import Linted

_MOST_TOLD = 10


def told(problem: Problem, root: Path) -> str:
    """A problem for people: where editors jump to, the source line, the values, the hint."""
    first, *more = problem.message.split("\n")
    place = problem.place
    lines = [f"{_from_here(place, root)}: {problem.severity}: {first} [{problem.code}]"]
    is_read = problem.code is not Code.OUTPUT_UNWRITABLE  # what it holds is not what is wrong
    source = _source_line(root / place.path, place.line) if is_read else ""
    margin = " " * len(f"{place.line:>5}")
    if source:
        lines.append(f"{place.line:>5} | {source}")
    lines += [f"{margin} |   {line}" for line in more]
    if problem.hint:
        lines.append(f"{margin} = hint: {problem.hint}")
    return "\n".join(lines).translate(_VISIBLE)


def _source_line(file: Path, number: int) -> str:
    """The line that a problem is about, whatever its bytes; empty where there is none."""
    try:
        text = file.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError:
        return ""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[number - 1].rstrip(" \t") if number <= len(lines) else ""


_VISIBLE = (
    {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"}
    | {0x7F: 0x2421}
    | dict.fromkeys(range(0x80, 0xA0), 0xFFFD)
)
"""Control characters as Unicode's pictures of them: a stranger's card commands no terminal."""


def annotation(problem: Problem, root: Path) -> str:
    """A problem as a GitHub workflow command, which becomes an annotation of the line."""
    place = problem.place
    path = _from_here(place, root).rsplit(":", 2)[0]
    text = "\n".join(filter(None, [problem.message, problem.hint]))
    properties = {
        "file": path,
        "line": str(place.line),
        "col": str(place.column),
        "title": str(problem.code),
    }
    said = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in properties.items())
    return f"::{problem.severity} {said}::{_escaped(text)}"


def notice(summary: str) -> str:
    """The last lines of a run as a GitHub workflow command, which belongs to no line."""
    return f"::notice::{_escaped(summary)}"


def as_json(
    stats: Stats, problems: Sequence[Problem], *, built: Built | None, packages: bool
) -> str:
    """The whole run as one JSON object; a run that packages tells its package, or null."""
    run: dict[str, object] = {
        "cards": stats.cards,
        "snippets": stats.snippets,
        "assertions": stats.assertions,
        "reused": stats.reused,
        "sandbox": stats.sandbox,
        "seconds": round(stats.seconds, 3),
        "problems": list(map(_as_value, problems)),
    }
    if packages:
        run |= {
            "output": built.path if built else None,
            "sha256": built.sha256 if built else None,
            "notes": built.notes if built else None,
            "retired": built.retired if built else None,
            "changes": [
                {"fate": each.kind, "id": each.id, "before": each.before, "after": each.after}
                for each in built.changes
                if each.kind is not ChangeKind.UNTOUCHED
            ]
            if built
            else None,
        }
    return json.dumps(run, indent=2)


def _as_value(problem: Problem) -> dict[str, object]:
    """A problem as JSON knows it."""
    return {
        "code": problem.code,
        "severity": problem.severity,
        "message": problem.message,
        "path": problem.place.path,
        "line": problem.place.line,
        "column": problem.place.column,
        "hint": problem.hint,
    }


def linted(found: Linted) -> str:
    """The last lines of a look at the rules: which were broken how often, what is suppressed."""
    wrong = len(errors(found.problems))
    counts = (_count(found.cards, "card"), _count(wrong, "error"))
    lines = [", ".join([*counts, _count(len(found.problems) - wrong, "warning")])]
    lines += [f"{code}: {times}" for code, times in _rules(found).items()]
    if found.suppressions:
        rules = Counter(each.rule for each in found.suppressions)
        told = ", ".join(f"{times} {rule}" for rule, times in rules.most_common())
        lines.append(f"{_count(len(found.suppressions), 'suppression')} with a reason: {told}")
    return "\n".join(lines)


def linted_as_json(found: Linted) -> str:
    """The same as one JSON object, with every problem and the reason of every suppression."""
    run = {
        "cards": found.cards,
        "rules": _rules(found),
        "suppressions": [
            {
                "rule": each.rule,
                "reason": each.reason,
                "path": each.place.path,
                "line": each.place.line,
            }
            for each in found.suppressions
        ],
        "problems": [_as_value(each) for each in sorted(found.problems, key=lambda p: p.place)],
    }
    return json.dumps(run, indent=2)


def _rules(found: Linted) -> dict[str, int]:
    """How often each problem stands, the most frequent first."""
    return dict(Counter(str(problem.code) for problem in found.problems).most_common())


def scored(audit: Audit) -> str:
    """An audit in a line."""
    if audit.flaky:
        told = scored(replace(audit, flaky=""))
        return f"flaky; {told}" if audit.mutants else "flaky"
    if audit.score is None:
        return "nothing to change" if not audit.mutants else "no change says anything"
    noticed = f"{audit.killed} of {audit.killed + len(audit.survivors)} changes noticed"
    others = [f"{audit.crashed} crashed"] if audit.crashed else []
    others += [f"{audit.equivalent} equivalent"] if audit.equivalent else []
    return f"{audit.score:.0%}: {', '.join([noticed, *others])}"


def audits(proven: Sequence[ProvenCard], problems: Sequence[Problem], root: Path) -> str:
    """The last lines of an audit: each card with its score, and all of them together."""
    found = [(each.card, each.audit) for each in proven if each.audit]
    lines = [
        f"{_from_here(card.place, root)}  {card.id or 'no id'}  {scored(audit)}"
        for card, audit in found
    ]
    killed = sum(audit.killed for _, audit in found)
    judged = killed + sum(len(audit.survivors) for _, audit in found)
    advised = [place for _, audit in found for place in audit.advised]
    if advised:
        places = ", ".join(dict.fromkeys(_line_from_here(each, root) for each in advised))
        lost = _count(len(advised), "lost epsilon")
        lines.append(f"not counted: {lost} that no input shows, at {places}")
    share = f" ({killed / judged:.0%})" if judged else ""
    wrong = len(errors(problems))
    lines.append(
        f"{_count(len(found), 'card')} audited, {killed} of {_count(judged, 'change')} noticed"
        f"{share}, {_count(wrong, 'problem')}"
    )
    return "\n".join(lines)


def audits_as_json(proven: Sequence[ProvenCard], problems: Sequence[Problem], stats: Stats) -> str:
    """An audit as one JSON object."""
    cards = [
        {
            "id": each.card.id,
            "path": each.card.place.path,
            "line": each.card.place.line,
            "score": each.audit.score,
            "mutants": each.audit.mutants,
            "killed": each.audit.killed,
            "crashed": each.audit.crashed,
            "equivalent": each.audit.equivalent,
            "advised": len(each.audit.advised),
            "flaky": each.audit.flaky,
            "survivors": [
                {
                    "path": survivor.place.path,
                    "line": survivor.place.line,
                    "before": survivor.before,
                    "after": survivor.after,
                    "moved": _number(survivor.moved),
                }
                for survivor in each.audit.survivors
            ],
        }
        for each in proven
        if each.audit
    ]
    run = json.loads(as_json(stats, problems, built=None, packages=False))
    return json.dumps({**run, "cards": cards}, indent=2)


def _number(value: float | None) -> float | None:
    """A number as JSON knows it: infinity is none."""
    return value if value is not None and math.isfinite(value) else None


def failed(problems: Sequence[Problem], stats: Stats, *, packages: bool) -> str:
    """The last lines of a run that did not hold."""
    where = f" in {_count(stats.cards, 'card')}" if stats.cards else ""
    wrong = f"Error: {_count(len(errors(problems)), 'problem')}{where}"
    lines = [f"{wrong}; nothing was written" if packages else wrong]
    if stats.snippets or any(problem.code in _OF_RUNS for problem in problems):
        lines.insert(0, f"sandbox: {stats.sandbox}")
    return "\n".join(lines)


_OF_RUNS = {
    Code.EXCEPTION_RAISED,
    Code.EXCEPTION_EXPECTED,
    Code.ASSERTION_FAILED,
    Code.ASSERTION_SWALLOWED,
    Code.NOTHING_ASSERTED,
    Code.OUTPUT_DIFFERS,
    Code.ENDED_EARLY,
    Code.TIME_LIMIT,
    Code.OUTPUT_LIMIT,
    Code.MEMORY_LIMIT,
    Code.DISK_LIMIT,
    Code.PROCESS_LIMIT,
}
"""What is wrong with a card that was executed."""


def summary(stats: Stats, problems: Sequence[Problem], built: Built | None, root: Path) -> str:
    """The last lines of a run that held."""
    did = "proved" if stats.reused else "executed"
    counts = (
        f"{_count(stats.cards, 'card')}, {_executed(stats)} {did}, "
        f"{_count(stats.assertions, 'assertion')} held, {stats.seconds:.1f} s"
    )
    lines = [counts]
    if stats.snippets:
        lines.append(f"sandbox: {stats.sandbox}")
    if stats.reused:
        lines.append(f"unchanged: {_count(stats.reused, 'card')}, proved by an earlier run")
    if stats.not_run:
        lines.append(f"not verified: {_count(stats.not_run, 'snippet')} declared as not to be run")
    if stats.unverified:
        lines.append(f"not verified: {_count(stats.unverified, 'card')} with verify turned off")
    if stats.text:
        lines.append(f"shown as text: {_count(stats.text, 'fence')} that name no language")
    if stats.unverifiable:
        lines.append(f"no verifier: {_count(stats.unverifiable, 'snippet')} in other languages")
    left_out = sum(problem.severity is Severity.WARNING for problem in problems)
    if left_out:
        lines.append(f"warnings: {left_out}")
    if built:
        path = _relative(root / built.path)
        lines += summarise(built.changes)
        retired = f" and {built.retired} retired" if built.retired else ""
        lines.append(f"{path}: {_count(built.notes, 'note')}{retired}, sha256 {built.sha256[:16]}…")
    return "\n".join(lines)


_ADVICE = {
    ChangeKind.MOVED: "no import moves a card: in Anki's browser, choose the old deck, then Change "
    "Deck",
    ChangeKind.EMPTIED: "their cards are blank now: in Anki, Tools, Empty Cards",
    ChangeKind.RETIRED: "Anki keeps them: in its browser, search tag:verideck::retired",
    ChangeKind.UNTAGGED: "Anki keeps them without a tag, as no former package is here that has "
    "their text: in its browser, search what they ask",
}
"""What a learner can do where an import does nothing."""
_NAMED = (
    ChangeKind.REWORDED,
    ChangeKind.RETURNED,
    ChangeKind.MOVED,
    ChangeKind.EMPTIED,
    ChangeKind.RETIRED,
    ChangeKind.UNTAGGED,
)
"""What a summary tells note by note."""


def summarise(changes: Sequence[Change]) -> Iterator[str]:
    """What an author may want to look at and a learner to act upon; then the counts, in a line."""
    for kind in _NAMED:
        found = [each for each in changes if each.kind is kind]
        yield from map(describe, found[:_MOST_TOLD])
        if len(found) > _MOST_TOLD:
            yield f"{kind}: and {len(found) - _MOST_TOLD} more"
        if found and kind in _ADVICE:
            yield f"  {_ADVICE[kind]}"
    notes = {(each.id, each.kind) for each in changes}
    yield f"since the last build: {_counted(kind for _, kind in notes)}"


def _counted(kinds: Iterable[ChangeKind]) -> str:
    """How many changes of each kind there are; a note that had several counts for each."""
    counts = Counter(kinds)
    return ", ".join(f"{counts[kind]} {kind}" for kind in ChangeKind if counts[kind]) or "nothing"


def compared(differences: Sequence[Difference], root: Path) -> str:
    """What an import would do, note by note, and in one line."""
    lines: list[str] = []
    for each in differences:
        if each.kinds == (ChangeKind.UNTOUCHED,):
            continue
        place = f"{_from_here(each.place, root)}  " if each.place else ""
        lines.append(f"{', '.join(each.kinds)}  {place}{each.id}  {short(_line(each.question))}")
        lines += [f"    {name}: {_line(edit)}" for name, edit in each.edits]
        if not each.arrives:
            lines.append("    no later than what is there: Anki leaves it as it is")
        if ChangeKind.UNTAGGED in each.kinds:
            lines.append("    its text is gone, so no import tags it: search what it asks")
    counted = _counted(kind for each in differences for kind in each.kinds)
    return "\n".join([*lines, f"an import of this build: {counted}"])


def compared_as_json(differences: Sequence[Difference]) -> str:
    """The same as one JSON object."""
    notes = [
        {
            "id": each.id,
            "fates": list(each.kinds),
            "question": each.question,
            "path": each.place.path if each.place else None,
            "line": each.place.line if each.place else None,
            "arrives": each.arrives,
            "edits": dict(each.edits),
        }
        for each in differences
    ]
    counts = Counter(kind for each in differences for kind in each.kinds)
    return json.dumps(
        {"counts": {kind: counts[kind] for kind in ChangeKind}, "notes": notes}, indent=2
    )


def _line(text: str) -> str:
    return " ⏎ ".join(text.split("\n"))


def _executed(stats: Stats) -> str:
    snippets = _count(stats.snippets, "snippet")
    return f"{snippets} and {_count(stats.values, 'value')}" if stats.values else snippets


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _from_here(place: Place, root: Path) -> str:
    """A place as an editor finds it from the folder in which the command runs."""
    return str(Place(_relative(root / place.path), place.line, place.column))


def _line_from_here(place: Place, root: Path) -> str:
    return f"{_relative(root / place.path)}:{place.line}"


def _relative(path: Path) -> str:
    try:
        return Path(os.path.relpath(path)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()


def _escaped(text: str, more: str = "") -> str:
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
