"""Formats what a run reports: as text for people, as JSON, and as GitHub annotations."""

from __future__ import annotations

import os
import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from verideck import inert
from verideck.history.changes import MOST_SHOWN, describe
from verideck.history.diff import Difference
from verideck.model import (
    Audit,
    Card,
    Change,
    ChangeKind,
    Place,
    ProvenCard,
    Rewritten,
    Stats,
    one_line,
    short,
)
from verideck.problems import Code, Problem, Severity, errors
from verideck.result import Built, Result
from verideck.source.config import DOCUMENT
from verideck.source_line import source_line

if TYPE_CHECKING:
    from verideck.init.begin import Begun
    from verideck.rules.lint import Linted
    from verideck.settings import Settings
    from verideck.source.found import Form


def format_problem(problem: Problem, root: Path) -> str:
    """Return a problem as text: its place, its message, the source line, its values, its hint."""
    first, *more = problem.message.split("\n")
    place = problem.place
    lines = [f"{_from_here(place, root)}: {problem.severity}: {first} [{problem.code}]"]
    is_read = problem.code not in _OF_FILES  # what it holds is not what is wrong
    source = source_line(problem, root) if is_read else ""
    margin = " " * len(f"{place.line:>5}")
    if source:
        lines.append(f"{place.line:>5} | {source}")
    lines += [f"{margin} |   {line}" for line in more]
    if problem.hint:
        lines.append(f"{margin} = hint: {problem.hint}")
    return _lines(lines)


def _lines(lines: Iterable[str]) -> str:
    """Return lines as one text, in which no other line feed is left."""
    return "\n".join(map(inert.line, lines))


_OF_FILES = {Code.OUTPUT_UNWRITABLE, Code.PATH_UNSAFE}


def format_begun(begun: Begun, result: Result, settings: Settings) -> str:
    """Return what `init` found and wrote, and what a first build of it gives.

    `settings` are those that the project has now.
    """
    root = settings.root
    found = begun.survey
    lines = [f"written: {relative(root / each)}" for each in begun.written]
    lines += [f"left as it is: {relative(root / each)}" for each in begun.kept]
    files = Counter(card.place.path for card in result.cards)
    lines += [
        f"{relative(root / path)}: {amount(n, 'card')}" for path, n in files.most_common(MOST_FILES)
    ]
    if len(files) > MOST_FILES:
        lines.append(f"and {len(files) - MOST_FILES} more files")
    outside = {path: n for path, n in found.files if not Path(path).is_relative_to(settings.cards)}
    lines += _outside(outside, root)
    told = Counter((each.severity, each.code) for each in result.problems)
    for (severity, code), times in sorted(told.items()):
        lines.append(f"{severity}: {times} {code}")
    if found.executable:
        lines.append(
            f"of {amount(found.executable, 'card')} with code that can be executed, "
            f"{found.asserting} say what it gives"
        )
    most = amount(len(result.notes), "note")
    gives = f"a first build gives {most}"
    if settings.verify and found.executable:
        gives = f"a first build executes that code, and gives at most {most}"
    if not result.ok:
        gives += " by --keep-going, and none without: `verideck check` tells why"
    return _lines([*lines, gives, "next: `verideck build`"])


def _outside(files: Mapping[str, int], root: Path) -> list[str]:
    """Return the lines that name files with cards which are no part of the project."""
    most = Counter(files).most_common(MOST_FILES)
    lines = [f"left out: {relative(root / path)}: {amount(n, 'card')}" for path, n in most]
    if rest := len(files) - len(most):
        lines.append(f"left out: {rest} more files with cards")
    if lines:
        lines.append("`cards` in pyproject.toml is the folder that is read")
    return lines


MOST_FILES = 10
"""How many files the list of a new project's cards names."""


def format_named(card: Card) -> str:
    """Return the id that was written behind a question, and where, on one line."""
    return inert.line(f"{card.place}: {{#{card.identity.id if card.identity else ''}}}")


def format_rewritten(rewritten: Rewritten, root: Path) -> str:
    """Return what an update replaced as text, on one line."""
    text = f"{_from_here(rewritten.place, root)}: updated: {replaced(rewritten)}"
    return inert.line(text)


def replaced(rewritten: Rewritten) -> str:
    """Return what stood there, and what stands there now."""
    before, after = (short(_line(each)) for each in (rewritten.before, rewritten.after))
    return f"{before} → {after}"


def format_lint(linted: Linted) -> str:
    """Return the summary of a lint: the counts of problems, by rule too, and of suppressions."""
    wrong = len(errors(linted.problems))
    counts = (amount(linted.cards, "card"), amount(wrong, "error"))
    lines = [", ".join([*counts, amount(len(linted.problems) - wrong, "warning")])]
    lines += [f"{code}: {times}" for code, times in times_by_code(linted).items()]
    if linted.suppressions:
        rules = Counter(each.rule for each in linted.suppressions)
        listed = ", ".join(f"{times} {rule}" for rule, times in rules.most_common())
        lines.append(f"{amount(len(linted.suppressions), 'suppression')} with a reason: {listed}")
    return _lines(lines)


def times_by_code(linted: Linted) -> dict[str, int]:
    """Return the number of problems for each code, the most frequent first."""
    return dict(Counter(str(problem.code) for problem in linted.problems).most_common())


def format_audit(audit: Audit) -> str:
    """Return the result of one card's audit in one line."""
    if audit.flaky:
        counts = format_audit(replace(audit, flaky=""))
        return f"flaky; {counts}" if audit.mutants else "flaky"
    if audit.score is None:
        return audit.unjudged
    noticed = f"{audit.killed} of {audit.judged} changes noticed"
    words = ("uncovered", "crashed", "equivalent")
    others = [f"{getattr(audit, word)} {word}" for word in words if getattr(audit, word)]
    return f"{audit.score:.0%}: {', '.join([noticed, *others])}"


def format_audits(proven: Sequence[ProvenCard], problems: Sequence[Problem], root: Path) -> str:
    """Return the summary of an audit: a line for each card, and the totals."""
    audited = [(each.card, each.audit) for each in proven if each.audit]
    lines = [
        f"{_from_here(card.place, root)}  {card.id or 'no id'}  {format_audit(audit)}"
        for card, audit in audited
    ]
    killed = sum(audit.killed for _, audit in audited)
    judged = sum(audit.judged for _, audit in audited)
    advised = [place for _, audit in audited for place in audit.advised]
    if advised:
        places = ", ".join(dict.fromkeys(_line_from_here(each, root) for each in advised))
        lost = amount(len(advised), "lost epsilon")
        lines.append(f"not counted: {lost} that no input shows, at {places}")
    share = f" ({killed / judged:.0%})" if judged else ""
    wrong = len(errors(problems))
    lines.append(
        f"{amount(len(audited), 'card')} audited, {killed} of {amount(judged, 'change')} noticed"
        f"{share}, {amount(wrong, 'problem')}"
    )
    return _lines(lines)


def format_failure(problems: Sequence[Problem], stats: Stats, *, packages: bool) -> str:
    """Return the summary of a run with errors."""
    documents = 0 if packages else stats.documents
    where = f" in {_read(stats, are_left_out=packages)}" if stats.cards or documents else ""
    wrong = f"Error: {amount(len(errors(problems)), 'problem')}{where}"
    lines = [f"{wrong}; nothing was written" if packages else wrong]
    if packages and stats.documents:
        lines.insert(0, _left_out(stats))
    is_run = stats.snippets or any(problem.code in _OF_RUNS for problem in problems)
    if is_run and stats.sandbox:  # a run that `-x` ended has not come to tell it
        lines.insert(0, f"sandbox: {stats.sandbox}")
    return _lines(lines)


def format_partial(result: Result, built: Built | None, root: Path) -> str:
    """Return the summary of a build that kept going: what was left out, and what is packaged."""
    failed = format_failure(result.problems, result.stats, packages=False)
    if built is None:
        return failed
    lines = [
        f"left out: {_line_from_here(place, root)}  {question}"
        for place, question in left_out(result)
    ]
    path = relative(root / built.path)
    lines.append(f"{failed}; what holds is packaged")
    lines.append(f"{path}: {amount(built.notes, 'note')}, sha256 {built.sha256[:16]}…")
    return _lines(line for each in lines for line in each.split("\n"))


def left_out(result: Result) -> list[tuple[Place, str]]:
    """Return where the cards stand that make no note, and what they ask, in order."""
    unread = [(each.place, short(each.question)) for each in result.unread]
    return sorted([*((each.place, asked(each)) for each in result.left_out), *unread])


def asked(card: Card) -> str:
    """Return the beginning of what a card asks."""
    return short(one_line(card.question.text))


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
"""The codes of problems that only executed cards have."""


def format_form(form: Form) -> str:
    """Return in which form a file is read, why, and what other forms would find."""
    if not form.name:
        return f"{form.path}: no form of cards fits"
    others = [f"{amount(number, 'card')} by {name}" for name, number in form.others or ()]
    found = f"; there would be {' and '.join(others)}" if others else ""
    read = f"{amount(form.cards, _part_of(form.name))} by {form.name}, as {form.reason}"
    return f"{form.path}: {read}{found}"


def format_forms(forms: Iterable[Form]) -> str:
    """Return how many files of some folders are read in each form, a line for each."""
    files: dict[str, list[int]] = {}
    for form in forms:
        files.setdefault(form.name, []).append(form.cards)
    return "\n".join(
        f"{amount(len(cards), 'file')}: {amount(sum(cards), _part_of(name))} by {name}"
        if name
        else f"{amount(len(cards), 'file')}: no form of cards fits"
        for name, cards in sorted(files.items(), key=lambda each: (not each[0], each[0]))
    )


def format_passed_over(files: int) -> str:
    """Return how many of the files that were named are none of the project's."""
    return f"passed over: {amount(files, 'file')} beside the project's cards and documents"


def _part_of(form: str) -> str:
    return "executed part" if form == DOCUMENT else "card"


def format_unconfigured(root: Path) -> str:
    """Return what a first build says of a folder that no settings make a project."""
    return (
        f"{root} has no [tool.verideck] in a pyproject.toml, and holds a deck from now on: "
        "cards.lock and .verideck are new; `verideck init` writes settings that fit it"
    )


def format_summary(
    stats: Stats, problems: Sequence[Problem], built: Built | None, root: Path
) -> str:
    """Return the summary of a run without errors."""
    did = "proved" if stats.reused else "executed"
    counts = (
        f"{_read(stats, are_left_out=built is not None)}, {_executed(stats)} {did}, "
        f"{amount(stats.assertions, 'assertion')} held, {stats.seconds:.1f} s"
    )
    lines = [counts]
    if built and stats.documents:
        lines.append(_left_out(stats))
    if stats.snippets:
        lines.append(f"sandbox: {stats.sandbox}")
    if stats.reused:
        lines.append(f"unchanged: {amount(stats.reused, 'card')}, proved by an earlier run")
    if stats.not_run:
        lines.append(f"not verified: {amount(stats.not_run, 'snippet')} declared as not to be run")
    if stats.unverified:
        lines.append(f"not verified: {amount(stats.unverified, 'card')} with verify turned off")
    if stats.text:
        name = "names" if stats.text == 1 else "name"
        lines.append(f"shown as text: {amount(stats.text, 'fence')} that {name} no language")
    if stats.unverifiable:
        lines.append(f"no verifier: {amount(stats.unverifiable, 'snippet')} in other languages")
    warnings = sum(problem.severity is Severity.WARNING for problem in problems)
    if warnings:
        lines.append(f"warnings: {warnings}")
    if built:
        lines += summarise(built.changes) if built.changes else []
        lines.append(format_written(built, root))
    return _lines(lines)


def format_written(built: Built, root: Path) -> str:
    """Return which file holds what was built, and how many notes."""
    retired = f" and {built.retired} retired" if built.retired else ""
    notes = f"{amount(built.notes, 'note')}{retired}"
    return f"{relative(root / built.path)}: {notes}, sha256 {built.sha256[:16]}…"


def _left_out(stats: Stats) -> str:
    return f"left out: {amount(stats.documents, 'document')}, see `verideck check`"


def _read(stats: Stats, *, are_left_out: bool = False) -> str:
    """What was read: cards, documents, or both."""
    documents = 0 if are_left_out else stats.documents
    counts = [(stats.cards, "card"), (documents, "document")]
    told = [amount(number, noun) for number, noun in counts if number]
    return ", ".join(told) or amount(0, "card")


def format_checked(result: Result) -> str:
    """Return what a check came to, in a line."""
    stats, left_out = result.stats, len(result.left_out)
    held = (
        f"{amount(len(result.notes), 'card')} of {len(result.cards):,} hold"
        if left_out
        else (f"{amount(len(result.notes), 'card')} hold")
    )
    told = f"; {format_count(result.problems)}" if result.problems else ""
    where = f", sandbox: {stats.sandbox}" if stats.snippets else ""
    return _line(
        f"{held}, {amount(stats.assertions, 'assertion')}, {stats.seconds:.1f} s{where}{told}"
    )


def format_count(problems: Sequence[Problem]) -> str:
    """Return how many errors and warnings there are."""
    count = len(errors(problems))
    counts = [(count, "error"), (len(problems) - count, "warning")]
    return ", ".join(amount(number, noun) for number, noun in counts if number)


_ADVICE = {
    ChangeKind.MOVED: "no import moves a card: in Anki's browser, choose the old deck, then Change "
    "Deck",
    ChangeKind.EMPTIED: "their cards are blank now: in Anki, Tools, Empty Cards",
    ChangeKind.RETIRED: "Anki keeps them: in its browser, search tag:verideck::retired",
    ChangeKind.UNTAGGED: "Anki keeps them without a tag, as no former package is here that has "
    "their text: in its browser, search what they ask",
}
"""What a learner can do after a change that an import does not bring."""
_LISTED = (
    ChangeKind.REWORDED,
    ChangeKind.RETURNED,
    ChangeKind.MOVED,
    ChangeKind.EMPTIED,
    ChangeKind.RETIRED,
    ChangeKind.UNTAGGED,
)
"""The kinds of changes that a summary lists note by note."""


def summarise(changes: Sequence[Change]) -> Iterator[str]:
    """Yield lines: the changes that need attention, with advice, then the counts of all changes."""
    for kind in _LISTED:
        of_kind = [each for each in changes if each.kind is kind]
        yield from map(describe, of_kind[:MOST_SHOWN])
        if len(of_kind) > MOST_SHOWN:
            yield f"{kind}: and {len(of_kind) - MOST_SHOWN} more"
        if of_kind and kind in _ADVICE:
            yield f"  {_ADVICE[kind]}"
    notes = {(each.id, each.kind) for each in changes}
    yield f"since the last build: {_counted(kind for _, kind in notes)}"


def _counted(kinds: Iterable[ChangeKind]) -> str:
    """Return the counts of changes by kind. A note with several kinds counts for each."""
    counts = Counter(kinds)
    return ", ".join(f"{counts[kind]} {kind}" for kind in ChangeKind if counts[kind]) or "nothing"


def format_differences(differences: Sequence[Difference], root: Path) -> str:
    """Return what an import would do: lines for each note that changes, then the counts."""
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
    told = _counted(kind for each in differences for kind in each.kinds)
    return _lines([*lines, f"an import of this build: {told}"])


def _line(text: str) -> str:
    return " ⏎ ".join(text.split("\n"))


def _executed(stats: Stats) -> str:
    snippets = amount(stats.snippets, "snippet")
    return f"{snippets} and {amount(stats.values, 'value')}" if stats.values else snippets


def amount(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is 1."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _from_here(place: Place, root: Path) -> str:
    """Return a place with its path relative to the working directory, as editors need it."""
    return str(Place(_path_from_here(place, root), place.line, place.column))


def _line_from_here(place: Place, root: Path) -> str:
    return f"{_path_from_here(place, root)}:{place.line}"


def _path_from_here(place: Place, root: Path) -> str:
    path, above = place.path, _from(os.getcwd(), root)  # noqa: PTH109 - a key
    is_below = not (path.startswith("/") or ".." in path or above.startswith(("..", "/")))
    return posixpath.normpath(f"{above}/{path}") if is_below else relative(root / path)


def relative(path: Path) -> str:
    """Return a path from the working directory, with forward slashes."""
    try:
        return os.path.relpath(path).replace(os.sep, "/")
    except ValueError:  # another drive
        return path.as_posix()


@lru_cache(maxsize=1)
def _from(_working: str, root: Path) -> str:
    """The path of the project from the working directory: there may be thousands of problems."""
    return relative(root)
