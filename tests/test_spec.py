"""The manual is the test: every heading of `spec/*.md` is run."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import pytest
from projects import Project, execution_config, load, parse, read, verify
from spec_cases import SPEC, BadCaseError, Case, cases

import verideck
from verideck.cli import report
from verideck.cli.pushing import format_plan
from verideck.cli.report import summarise
from verideck.model import Card, Note, Passage, Proof, ProvenCard, Role, Snippet
from verideck.problems import BuildFailedError, Code, Problem
from verideck.proof.languages import VERIFIERS
from verideck.proof.sandbox import kernel
from verideck.push_choices import Choices, Retired
from verideck.rules import RULES
from verideck.settings import Settings
from verideck.source.syntaxes import SYNTAXES

MOMENT = 1_700_000_000
Held = TypeVar("Held")


def _cards(project: Path, problems: list[Problem]) -> Iterator[str]:
    """The cards that are found, in the words of `cards.md`."""
    for settings in _held(load(project), problems):
        yield from map(_card, _parsed(settings, problems))


def _card(card: Card) -> str:
    kind = f"{card.kind} reversed" if card.reverse else str(card.kind)
    head = [f"{card.place}", kind, f"#{card.id}" if card.id else "no id", card.deck]
    if card.tags:
        head.append(f"tags {' '.join(card.tags)}")
    lines = [" | ".join(head)]
    lines += [f"lang: {card.language}"] if card.language else []
    lines += [f"source: {card.source.text}"] if card.source else []
    lines += [f"hint: {card.hint.text}"] if card.hint else []
    lines += [_passage("Q", card.question)]
    lines += [_passage("A", card.answer)] if card.answer else []
    return "\n".join(lines)


def _passage(letter: str, passage: Passage) -> str:
    return f"{letter}: " + re.sub(r"\n(?!\n)", "\n   ", passage.text)


def _notes(project: Path, problems: list[Problem]) -> Iterator[str]:
    """The fields of the notes, in the words of `notes.md`."""
    for settings in _held(load(project), problems):
        yield from map(_note, _checked(settings, problems))


def _note(note: Note) -> str:
    lines = [f"Type: {note.kind}"]
    for name, html in note.fields.items():
        if html and (name != "Id" or note.identity.written):
            lines.append(f"{name}:\n{html}" if "\n" in html else f"{name}: {html}")
    lines += [f"Media: {media.name}, {len(media.content)} bytes" for media in note.media]
    return "\n".join(lines)


def _checked(settings: Settings, problems: list[Problem]) -> tuple[Note, ...]:
    result = Project(settings.root).result()
    problems.extend(result.problems)
    return result.notes if result.ok else ()


def _parsed(settings: Settings, problems: list[Problem]) -> list[Card]:
    every = _held(parse(_held(read([], settings), problems), settings), problems)
    return [each for each in every if isinstance(each, Card)]


def _held(found: Sequence[Held | Problem], problems: list[Problem]) -> list[Held]:
    """What was found without what is wrong, which is put aside."""
    problems += [each for each in found if isinstance(each, Problem)]
    return [each for each in found if not isinstance(each, Problem)]


def _snippets(project: Path, problems: list[Problem]) -> Iterator[str]:
    """What became of each fence and value, in the words of `snippets.md`."""
    for settings in _held(load(project), problems):
        cards = _parsed(settings, problems)
        for proven in _held(verify(cards, execution_config(settings)), problems):
            yield _fates(proven)


def _fates(proven: ProvenCard) -> str:
    proofs = {proof.snippet.place: proof for proof in proven.proofs}
    snippets = proven.card.snippets
    return "\n".join(_fate(each, proofs.get(each.place)) for each in snippets)


def _fate(snippet: Snippet, proof: Proof | None) -> str:
    role = snippet.options.role
    words = [f"{snippet.place}: {role}"]
    if proof is None:
        words.append("not run")
    elif role is Role.VALUE:
        words.append(proof.value)
    else:
        words.append(f"{proof.assertions} held")
        words += [proof.raised] if proof.raised else []
        words += ["a figure" for _ in proof.figures]
    return ", ".join(words)


def _problems(project: Path, problems: list[Problem]) -> Iterator[str]:
    """What is wrong, as `problems.md` tells it: in the words that an author reads.

    A file that is called `--locked` or `--trust` stands for the flag, what one that is called
    `--executor` holds for its word, what one that is called `-o` holds for the file that is written
    for readers, and one that is called `id` for the command.
    """
    settings = _held(load(project), problems)
    if not problems:
        try:
            made = Project(project, trusted=(project / "--trust").exists())
            if (project / "id").exists():
                with verideck.Project.open(project) as opened:
                    opened.assign_ids()
            named = project / "--executor"
            executor = named.read_text("utf-8").strip() if named.exists() else ""
            checked = made.result(executor=executor)
            problems.extend(checked.problems)
            if (project / "-o").exists():
                with verideck.Project.open(project) as opened:
                    file = project / (project / "-o").read_text("utf-8").strip()
                    problems.extend(opened.show(checked, file).problems)
                return
            made.package(
                checked, settings[0].output, MOMENT, locked=(project / "--locked").exists()
            )
        except BuildFailedError as failure:
            problems[:] = failure.problems
    yield from ()


def _rebuilds(project: Path, problems: list[Problem]) -> Iterator[str]:
    """What a second build says of the first one's notes, in the words of `rebuilds.md`.

    The files below `then/` are those that the author changes in between; an empty one is deleted.
    Those below `between/` are changed, and built, before.
    """
    made = Project(project)
    output = made.settings().output
    made.build(output)
    if (project / "between").exists():
        _change(project, "between")
        made.build(output, MOMENT + 30)
    _change(project, "then")
    try:
        built = made.package(made.result(), output, MOMENT + 60)
    except BuildFailedError as failure:
        problems.extend(failure.problems)
    else:
        yield "\n".join(summarise(built.changes))


def _pushes(project: Path, _: list[Problem]) -> Iterator[str]:
    """What a push would do to a learner who has a first build, in the words of `pushes.md`.

    The files below `learner/` are what the learner does to the notes that they are called after.
    """
    from push_spec import planned  # noqa: PLC0415 - it needs anki, which not every case does

    made = Project(project)
    package = made.build(made.settings().output)
    flags = {name: project / f"--{name}" for name in ("moves", "retired")}
    retired = flags["retired"].read_text("utf-8").strip() if flags["retired"].exists() else "keep"
    choices = Choices(moves=flags["moves"].exists(), retired=Retired(retired), sync=False)
    change = partial(_change, project, "then")
    yield format_plan(planned(package, project, choices, change), every=True)


def _documents(project: Path, problems: list[Problem]) -> Iterator[str]:
    """What became of each fence of a document, in the words of `documents.md`."""
    result = Project(project).result()
    problems.extend(result.problems)
    assert result.notes == ()
    proven = {each.card.place: each for each in result.proven}
    for part in result.documents:
        held = proven.get(part.place)
        told = _fates(held) if held else "it does not hold"
        yield f"{part.place.path}: {part.id}\n{told}"


def _targets(project: Path, problems: list[Problem]) -> Iterator[str]:
    """What is written for readers without Anki, in the words of `targets.md`.

    A file that is called `-o` holds the name of what is written, one that is called `--print` the
    layout. Of a page its body is shown, of JSON what stands behind the deck's own entries.
    """
    asked = project / "--print"
    layout = asked.read_text("utf-8").strip() if asked.exists() else ""
    file = project / (project / "-o").read_text("utf-8").strip()
    with verideck.Project.open(project) as opened:
        built = opened.show(opened.check(), file, layout=layout)
    problems.extend(built.problems)
    text = file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    begins = {".html": '<body class="card">', ".json": '"notes": ['}.get(file.suffix, "")
    yield text[text.rindex(begins) if begins else 0 :].strip()


def _mended(project: Path, problems: list[Problem]) -> Iterator[str]:
    """That nothing is wrong, in the words of `mended.md`."""
    problems.extend(Project(project).result().problems)
    yield from ["" if problems else "nothing is wrong"]


def _change(project: Path, when: str) -> None:
    for file in sorted((project / when).rglob("*.*")):
        target = project / file.relative_to(project / when)
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)
        if not target.read_bytes().strip():
            target.unlink()


def _rules(project: Path, problems: list[Problem]) -> Iterator[str]:
    """Which rules for cards are broken, and the last lines, in the words of `lint.md`.

    All of them are asked, where the case names no profile.
    """
    del problems  # they are among those that are found
    for settings in _held(load(project), []):
        with verideck.Project.open(settings.root) as opened:
            found = opened.lint([], profile="" if "profile" in settings.lint else "full")
        for problem in sorted(found.problems, key=lambda each: each.place):
            yield report.format_problem(problem, project)
        yield report.format_lint(found)


FORMS: Mapping[str, Callable[[Path, list[Problem]], Iterator[str]]] = {
    "cards.md": _cards,
    "tools.md": _cards,
    "notes.md": _notes,
    "markdown.md": _notes,
    "snippets.md": _snippets,
    "world.md": _snippets,
    "documents.md": _documents,
    "targets.md": _targets,
    "mended.md": _mended,
    "problems.md": _problems,
    "rebuilds.md": _rebuilds,
    "pushes.md": _pushes,
    "lint.md": _rules,
}
"""How each file of the manual tells what became of what a case gives."""

CASES = [case for name in FORMS for case in cases(SPEC / name)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.file.name}: {case.heading}")
def test_the_manual_holds(case: Case, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """What stands under a heading of the manual is what verideck does."""
    _skip_unless_runnable(case)
    project = tmp_path / "deck"
    project.mkdir()
    case.write(project)
    problems: list[Problem] = []
    with contextlib.chdir(project):
        told = list(FORMS[case.file.name](project, problems))
        problems.sort(key=lambda problem: problem.place)
        told += [report.format_problem(problem, project) for problem in problems]
    actual = "\n\n".join(filter(None, told)) + "\n"
    for here, shown in ((sys.executable, "/path/to/python"), (str(project), "/path/to/deck")):
        actual = actual.replace(here, shown)
    if request.config.getoption("--update-spec") and actual != case.expected.text:
        case.rewrite(actual)
        return
    assert actual == case.expected.text


def _skip_unless_runnable(case: Case) -> None:
    """Skip a case whose heading ends with a library or system that is not here, as `… (torch)`."""
    if case.heading.endswith("(Linux)") and sys.platform != "linux":
        pytest.skip("its limits are kept by Linux")
    if "(sandbox)" in case.heading and kernel.missing():
        pytest.skip(f"no sandbox: {kernel.missing()}")
    for library in ("torch", "matplotlib", "distributed", "anki"):
        if case.heading.endswith(f"({library})") and find_spec(library) is None:
            pytest.skip(f"{library} is not installed")


def test_every_code_has_a_case() -> None:
    """The manual shows what an author reads of every problem there is."""
    pages = {"problems.md", "lint.md", "markdown.md"}
    told = "".join(case.expected.text for case in CASES if case.file.name in pages)
    assert [code for code in Code if f" [{code}]\n" not in told] == []


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_every_syntax_has_a_case(syntax: str) -> None:
    """The manual shows a file that asks for the syntax by its name."""
    given = [*_given("cards.md"), *_given("tools.md"), *_given("documents.md")]
    assert any(f"\nsyntax: {syntax}\n" in each for each in given)


@pytest.mark.parametrize("language", VERIFIERS)
def test_every_verifier_has_a_case(language: str) -> None:
    """The manual shows a fence in the language."""
    assert any(f"\n```{language}\n" in given for given in _given("snippets.md"))


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_a_case(rule: Code) -> None:
    """The manual shows cards in Chinese and in English that break the rule, and one that does not.

    `text-damaged` may find more than one thing on a card.
    """
    (case,) = (each for each in CASES if each.heading.startswith(f"{rule}: "))
    given = case.given[-1].text
    broken = [int(line) for line in re.findall(rf":(\d+):\d+: .*\[{rule}\]", case.expected.text)]
    heads = [n for n, line in enumerate(given.split("\n"), 1) if line.startswith("## ")]
    cards = {max(head for head in heads if head <= line) for line in broken}
    assert len(cards) < len(heads)
    asked = {given.split("\n")[head - 1] for head in cards}
    assert {bool(re.search("[一-鿿]", each)) for each in asked} == {True, False}


def _given(name: str) -> Sequence[str]:
    return [fence.text for case in CASES if case.file.name == name for fence in case.given]


WHOLE = """\
## A case

It is explained.

````markdown
- question
````

```text
expected
```
"""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# Only a title\n\nAnd prose.\n",
        WHOLE.replace("It is explained.\n", ""),
        WHOLE.replace("````markdown\n- question\n````\n", ""),
        WHOLE.replace("```text\nexpected\n```\n", ""),
        WHOLE.replace("expected\n", ""),
        WHOLE.replace("- question\n````\n", "- question\n"),
        WHOLE + WHOLE,
    ],
    ids=[
        "empty file",
        "no case",
        "no prose",
        "nothing given",
        "nothing expected",
        "empty expectation",
        "unclosed fence",
        "heading twice",
    ],
)
def test_half_a_case_is_refused(text: str, tmp_path: Path) -> None:
    """A manual that tests less than it seems to is an error."""
    file = tmp_path / "half.md"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadCaseError):
        cases(file)


def test_a_case_can_be_rewritten(tmp_path: Path) -> None:
    """Only the expected fence changes; it is as long as what it holds demands."""
    file = tmp_path / "whole.md"
    file.write_text(WHOLE, encoding="utf-8")
    cases(file)[0].rewrite("```\nanother\n```\n")
    other = WHOLE.replace("```text\nexpected\n```", "````text\n```\nanother\n```\n````")
    assert file.read_text(encoding="utf-8") == other
    assert cases(file)[0].expected.text == "```\nanother\n```\n"
