"""What a card says of itself is testimony: a forged report is its own card's problem, and no more.

The cards here find the descriptor of their report, as any code of theirs can, and write into it.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st
from projects import EXECUTORS, SANDBOXED, SETTINGS, Project, card, execution_config, project

from verideck.cli.formats.github import annotation
from verideck.cli.report import format_problem
from verideck.model import Place, Proof
from verideck.problems import Code, Problem
from verideck.proof.python.audit import audit_cache
from verideck.proof.python.parent import figures, proof_cache
from verideck.proof.python.parent.places import trusted_place
from verideck.proof.python.parent.project_files import ProjectFiles
from verideck.proof.python.parent.request import request_of
from verideck.proof.python.parent.spawned import run as spawned
from verideck.proof.python.parent.testimony import REPORTED, heard, is_believable
from verideck.proof.python.parent.verdicts import verdict
from verideck.proof.python.wire.channel import receive
from verideck.proof.python.wire.messages import (
    REPLY,
    DependsOn,
    Finished,
    Request,
    encoded,
    replace,
)
from verideck.proof.python.wire.scratch import scratch
from verideck.proof.python.wire.versions import Installed
from verideck.proof.sandbox import kernel
from verideck.storage.store import FOLDER, Store

SECRET = "sekret123"  # noqa: S105 - it is printed nowhere
HELPER = "def half(x):\n    return x / 2\n"
SANDBOX = kernel.available(asked=True)

SETUP = f"""\
import json, os, stat
from pathlib import Path

STEP = {{
    "type": "step", "error": None, "value": "", "raised": "", "figures": [], "stdout": "",
    "held": 99, "findings": [], "seconds": 0.1,
}}
FOUND = {{"code": "assertion-failed", "message": "m", "path": "cards/a.md", "line": 1}}
ON = {{"files": {{}}, "modules": {{}}, "loaded": [], "unseen": False}}
END = {{
    "type": "end", "environment": [], "sandbox": {SANDBOX!r}, "depends_on": ON, "bears": [True],
}}

def report():
    for number in range(3, 64):
        try:
            if stat.S_ISFIFO(os.fstat(number).st_mode) and os.get_blocking(number):
                yield number
        except OSError:
            pass

def forge(*lines):
    text = "".join(l if isinstance(l, str) else json.dumps(l) + "\\n" for l in lines)
    for number in report():
        rest = text.encode("utf-8", "surrogatepass")
        while rest:
            rest = rest[os.write(number, rest):]
    os._exit(0)
"""
"""What the cards below share. Each is one fence, so that its report has one step and an end."""

FORGED = {
    "not JSON": "forge('{')",
    "no object": "forge('[]\\n')",
    "bytes that are no text": "os.write(next(report()), b'\\xff\\xfe\\n'); os._exit(0)",
    "deeper than a stack": "forge('[' * 200_000 + '\\n')",
    "more values than memory": "forge('[' + '[],' * 5_000_000 + '[]]\\n')",
    "a wrong type": "forge({**STEP, 'held': 'many'}, END)",
    "a truth for a number": "forge({**STEP, 'held': True}, END)",
    "an unknown field": "forge({**STEP, 'more': 1}, END)",
    "a missing field": "del STEP['held']; forge(STEP, END)",
    "an unknown kind of line": "forge({**STEP, 'type': 'finished'}, END)",
    "half a character": "forge({**STEP, 'stdout': '\\udc00'}, END)",
    "half a character in a message": """\
        forge({**STEP, 'error': {**FOUND, 'message': '\\ud800'}})
    """,
    "a time that is no number": "forge({**STEP, 'seconds': float('nan')}, END)",
    "a time without an end": "forge({**STEP, 'seconds': float('inf')}, END)",
    "a number of ten thousand digits": """\
        forge(json.dumps(STEP).replace('99', '9' * 10_000) + '\\n')
    """,
    "a number beyond all": "forge({**STEP, 'held': 10 ** 30}, END)",
    "more assertions than time": "forge({**STEP, 'held': 10 ** 12}, END)",
    "fewer than no assertion": "forge({**STEP, 'held': -1}, END)",
    "a step twice": "forge(STEP, STEP, END)",
    "an end before its time": "forge(END, STEP)",
    "an end twice": "forge(STEP, END, END)",
    "lines behind the end": "forge(STEP, END, 'x\\n')",
    "a step after a failure": "forge({**STEP, 'error': FOUND}, STEP)",
    "an end after a failure": "forge({**STEP, 'error': FOUND}, END)",
    "a failure that is a warning": "forge({**STEP, 'error': {**FOUND, 'warning': True}})",
    "a code that is none": "forge({**STEP, 'error': {**FOUND, 'code': 'no-code'}})",
    "a code that no card finds": "forge({**STEP, 'error': {**FOUND, 'code': 'lock-invalid'}})",
    "an error as a warning": "forge({**STEP, 'findings': [{**FOUND, 'warning': True}]}, END)",
    "a warning as an error": """\
        forge({**STEP, 'findings': [{**FOUND, 'code': 'shapes-differ'}]}, END)
    """,
    "a code that no card finds, at the end": """\
        forge(STEP, {**END, 'findings': [{**FOUND, 'code': 'sandbox-missing'}]})
    """,
    "a message without an end": "forge({**STEP, 'error': {**FOUND, 'message': 'm' * 1_000_000}})",
    "findings without an end": "forge({**STEP, 'findings': [FOUND] * 100_000}, END)",
    "a line before the first": "forge({**STEP, 'error': {**FOUND, 'line': -1}})",
    "a value that was not asked": "forge({**STEP, 'value': '7'}, END)",
    "an exception that was not asked": "forge({**STEP, 'raised': 'E: e'}, END)",
    "a comment that is none": """\
        forge({**STEP, 'said': [{'line': 10 ** 6, 'printed': '', 'values': ['1']}]}, END)
    """,
    "what an audit asks": """\
        read = {'digest': 'a', 'numbers': [], 'unit': 0.0, 'outline': ''}
        forge(STEP, {**END, 'read': [read]})
    """,
    "what shown code computed": """\
        forge(STEP, {**END, 'computed': {'values': [], 'takes': '', 'ran': []}})
    """,
    "another number of steps at the end": "forge(STEP, {**END, 'bears': [True] * 7})",
    "no sandbox": "forge(STEP, {**END, 'sandbox': ''})",
    "another sandbox": "forge(STEP, {**END, 'sandbox': 'a padded cell'})",
    "a version that is a page": "forge(STEP, {**END, 'environment': [['torch', 'v' * 5000]]})",
    "a version that controls a terminal": """\
        forge(STEP, {**END, 'environment': [['torch', '\\x1b[31m']]})
    """,
    "a name of two lines": "forge(STEP, {**END, 'environment': [['torch\\n::error::', '2']]})",
    "files without an end": """\
        forge(STEP, {**END, 'depends_on': {**ON, 'files': {f'f{n}': '' for n in range(30_000)}}})
    """,
    "a hash that is none": "forge(STEP, {**END, 'depends_on': {**ON, 'files': {'a': 'h' * 1000}}})",
    "a figure that is no XML": "forge({**STEP, 'figures': ['<svg']}, END)",
    "a figure with a script": """\
        forge({**STEP, 'figures': ['<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>']}, END)
    """,
    "a figure without an end": "forge({**STEP, 'figures': ['x' * 11_000_000]}, END)",
    "figures without an end": "forge({**STEP, 'figures': ['<svg/>'] * 1000}, END)",
}
"""What a card may write into its report, by what is wrong with it."""

ELSEWHERE = {
    "beside the project": "../secret.py",
    "an absolute path": "{outside}/secret.py",
    "through a link": "link.py",
    "through a linked folder": "linked/secret.py",
    "a file of git's": ".git/hook.py",
    "a file of verideck's": ".verideck/made.py",
    "no source": "notes.txt",
    "a pipe": "pipe.py",
    "a device": "/dev/zero",
    "its parent's environment": "/proc/self/environ",
    "a folder": "folder.py",
    "no name": "a\0b.py",
    "half a character": "\udcff.py",
    "another card's file": "cards/z.md",
}
"""Places that no report may name."""


def code(forging: str) -> str:
    """The code of a card that forges its report."""
    return f"{SETUP}\n{textwrap.dedent(forging)}"


def hostile(folder: Path, cards: dict[str, str]) -> Project:
    """A project of cards in a file each, and of all that is not to be read."""
    outside = folder / "outside"
    outside.mkdir(parents=True)
    for each in (outside / "secret.py", folder / "secret.py"):
        each.write_text(f"token = {SECRET!r}\n" * 50, encoding="utf-8")
    made = project(
        folder / "deck", {f"{name}.md": card(name, text) for name, text in cards.items()}
    )
    made.write("snippets/helper.py", HELPER)
    for name in (".git/hook.py", ".verideck/made.py", "notes.txt"):
        made.write(name, f"{SECRET}\n" * 50)
    made.write("cards/z.md", card("other", "assert int('1')"))
    (made.root / "link.py").symlink_to(outside / "secret.py")
    (made.root / "linked").symlink_to(outside)
    (made.root / "folder.py").mkdir()
    os.mkfifo(made.root / "pipe.py")
    return made


_opened: list[str] = []
_heeds: list[bool] = []


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if _heeds and event in {"open", "os.listdir", "os.scandir"}:
        _opened.append(os.path.realpath(os.fsdecode(str(arguments[0]))))


@contextmanager
def opened() -> Iterator[list[str]]:
    """The files and folders that this process opens meanwhile."""
    if not _opened and not _heeds:
        sys.addaudithook(_hear)
    _opened.clear()
    _opened.append("")
    _heeds.append(True)
    try:
        yield _opened
    finally:
        _heeds.clear()


def is_secret(name: str) -> bool:
    """Whether a file is one that no report may have opened."""
    words = ("secret.py", "environ", "zero", "pipe.py", "hook.py", "made.py", "notes.txt")
    return name.endswith(words)


@SANDBOXED
@pytest.mark.linux(reason="the descriptors of a process are looked through")
@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_forged_report_is_its_own_cards_problem(tmp_path: Path, executor: str) -> None:
    """Whatever it is that is wrong with it, nobody else's card suffers, and nothing breaks."""
    cards = "".join(
        card(f"forged-{number}", code(each)) for number, each in enumerate(FORGED.values())
    )
    honest = [card(f"honest-{name}", "assert int('1') == 1") for name in ("first", "last")]
    made = project(
        tmp_path,
        {"a.md": f"{honest[0]}{cards}{honest[1]}"},
        SETTINGS + f'executor = "{executor}"\n',
    )
    result = made.result()
    told = {each.place for each in result.problems if each.code is Code.ENDED_EARLY}
    by_name = dict(
        zip(FORGED, (each.snippets[0].place for each in made.cards()[1:-1]), strict=True)
    )
    assert [name for name, place in by_name.items() if place not in told] == []
    assert {each.card.id for each in result.proven} == {"honest-first", "honest-last"}


@SANDBOXED
@pytest.mark.linux(reason="the descriptors of a process are looked through")
@pytest.mark.parametrize("deep", ["-" * 60_000 + "1", "f" + "()" * 40_000, "def ("])
def test_code_that_cannot_be_parsed_is_its_own_cards_problem(tmp_path: Path, deep: str) -> None:
    """A forged report says that it held; an audit, and a comparison, look at it all the same."""
    ended = "forge(STEP, STEP, END | {'bears': [True, True]})"
    forged = card("forged", f"{SETUP}\n{ended}", f"\n```python\n{deep}\n```\n\n```output\nx\n```\n")
    honest = card("honest", "one = int('1')\nassert one == 1")
    made = project(tmp_path, {"a.md": forged + honest})
    assert {each.card.id for each in made.result().proven} == {"honest"}
    made.write("cards/a.md", forged.replace("```output\nx\n```\n", "") + honest)
    run = made.invoke("audit")
    assert "This is a bug" not in run.stderr
    assert "honest  100%" in run.stdout


@SANDBOXED
@pytest.mark.linux(reason="the descriptors of a process are looked through")
def test_no_file_is_opened_because_a_report_names_it(tmp_path: Path) -> None:
    """A failure, a warning and a stack name places: those that no card may name become its own."""
    cards: dict[str, str] = {}
    for number, path in enumerate(ELSEWHERE.values()):
        name = path.format(outside=tmp_path / "outside")
        at = f"{{**FOUND, 'path': {name!r}, 'line': 3}}"
        cards[f"error{number}"] = code(f"forge({{**STEP, 'error': {at}}})")
        warned = f"{{**{at}, 'code': 'warning-given', 'warning': True}}"
        cards[f"warned{number}"] = code(f"forge({{**STEP, 'findings': [{warned}]}}, END)")
        frame = f'(most recent call first)\n  File "{name}", line 3 in f\n'
        if number < 4:
            stack = f"open('../stack', 'w').write({frame!r})"
            cards[f"stack{number}"] = f"import os\n{stack}\nos._exit(1)"
    made = hostile(tmp_path, cards)
    with opened() as names:
        done = made.invoke("check")
    assert not list(filter(is_secret, names))
    assert SECRET not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    for name in cards:
        assert f"cards/{name}.md:5:1: " in done.stderr, (name, done.stderr)


@SANDBOXED
@pytest.mark.linux(reason="the descriptors of a process are looked through")
@pytest.mark.parametrize("name", ["a line that is not there", "a module that fails"])
def test_a_module_of_the_project_is_a_place(tmp_path: Path, name: str) -> None:
    """A failure in a helper is shown there, and at no line that the helper does not have."""
    path = "snippets/helper.py"
    line = 2 if name == "a module that fails" else 10**6
    at = f"{{**FOUND, 'path': {path!r}, 'line': {line}}}"
    made = hostile(tmp_path, {"one": code(f"forge({{**STEP, 'error': {at}}})")})
    (problem,) = [each for each in made.result().problems if each.code is Code.ASSERTION_FAILED]
    assert problem.place == (Place(path, 2) if line == 2 else made.cards()[0].snippets[0].place)


DEPENDED = {
    "a device": '{"/dev/zero": ""}',
    "a pipe": '{"pipe.py": ""}',
    "a file outside": '{"../secret.py": ""}',
    "a link to one": '{"link.py": ""}',
    "its parent's environment": '{"/proc/self/environ": ""}',
    "a file of git's": '{".git/hook.py": ""}',
    "a folder outside": '{"/": ""}',
    "no name": '{"a\\u0000b": ""}',
}


@SANDBOXED
@pytest.mark.linux(reason="the descriptors of a process are looked through")
def test_a_proof_that_depends_on_what_is_not_the_projects_is_not_kept(tmp_path: Path) -> None:
    """It is executed anew, and nothing that it names is opened, in this run or the next."""
    cards = {
        f"d{number}": code(f"forge(STEP, {{**END, 'depends_on': {{**ON, 'files': {files}}}}})")
        for number, files in enumerate(DEPENDED.values())
    }
    folders = "{'..': {'names': ['x'], 'found': []}}"
    cards["folder"] = code(f"forge(STEP, {{**END, 'depends_on': {{**ON, 'modules': {folders}}}}})")
    cards["kept"] = code("forge(STEP, {**END, 'depends_on': {**ON, 'files': {'free.txt': ''}}})")
    made = hostile(tmp_path, cards)
    for reused in (set(), {"kept", "other"}):
        with opened() as names:
            result = made.result()
        assert not list(filter(is_secret, names))
        again = {each.card.id for each in result.proven if all(p.reused for p in each.proofs)}
        assert again == reused
        assert len(result.proven) == len(cards) + 1


@pytest.mark.linux(reason="a pipe is made")
@pytest.mark.parametrize("name", DEPENDED)
def test_a_row_that_names_what_is_not_the_projects_is_stale(tmp_path: Path, name: str) -> None:
    """Also where a row of the cache is not what this verideck would have kept."""
    made = hostile(tmp_path, {"one": "assert int('1')"})
    request, run = honest(made)
    said = heard(run, request, ProjectFiles(made.root))
    assert said.last, run
    needed = DependsOn(json.loads(DEPENDED[name]), {}, (), unseen=False)
    row = proof_cache.proved_run(request, said.reports, replace(said.last, depends_on=needed))
    with opened() as names:
        assert not proof_cache.is_fresh(row, request, Installed(), ProjectFiles(made.root))
    assert not list(filter(is_secret, names))


def honest(made: Project) -> tuple[Request, Finished]:
    """The request of a project's first card, and its run."""
    (first, *_) = made.cards()
    request = request_of(first.snippets, execution_config(made.settings(), kept=False))
    return request, spawned(request, Event())


@cache
def sample(folder: Path) -> tuple[Project, Request, Finished]:
    """A project with a card of several steps, and the run of that card."""
    text = (
        "## What is half? {#half}\n\nThis: `1 + 1`{eval}.\n\n"
        "```python\nimport warnings\nfrom snippets.helper import half\n\n"
        "warnings.warn('beware')\nx = half(4)  # → 2.0\nprint(x)\nassert x == 2\n```\n\n"
        "```output\n2.0\n```\n\n```python {.check}\nassert half(2) == 1\n```\n"
    )
    made = project(folder / "deck", {"a.md": text})
    made.write("snippets/helper.py", HELPER)
    return made, *honest(made)


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([-1, 2**63, 10**400, 1e308, float("inf"), float("nan")])
    | st.sampled_from(list(ELSEWHERE.values()))
    | st.sampled_from(["", "lock-invalid", "\ud800", "\x1b[2J", "::error::", "x" * 20_000])
    | st.text(max_size=20),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=8), below),
    max_leaves=6,
)


def bend(data: st.DataObject, value: object) -> object:
    """A value with another one somewhere in it, or without something, or with something twice."""
    if isinstance(value, dict) and value and data.draw(st.integers(0, 5)):
        name = data.draw(st.sampled_from(sorted(value)))
        rest = {key: each for key, each in value.items() if key != name}
        if data.draw(st.integers(0, 9)) == 0:
            return rest
        return {**rest, name: bend(data, value[name])}
    if isinstance(value, list) and value and data.draw(st.integers(0, 5)):
        number = data.draw(st.integers(0, len(value) - 1))
        if data.draw(st.integers(0, 9)) == 0:
            return [*value, value[number]]
        return [*value[:number], bend(data, value[number]), *value[number + 1 :]]
    return data.draw(ODD)


@given(data=st.data())
def test_a_report_that_is_bent_somewhere_is_judged(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No error of ours, no file outside, and problems at places of the card or its modules."""
    made, request, run = sample(_folder(tmp_path_factory))
    lines = [json.loads(line) for line in run.lines]
    for _ in range(data.draw(st.integers(1, 2))):
        number = data.draw(st.integers(0, len(lines) - 1))
        lines[number] = bend(data, lines[number])
    bent = replace(run, lines=tuple(map(json.dumps, lines)))
    (first,) = made.cards()
    config = execution_config(made.settings(), kept=False)
    with opened() as names:
        said = heard(bent, request, ProjectFiles(made.root))
        found = list(verdict(first.snippets, bent, said, config))
        for each in found:
            if isinstance(each, Problem):
                format_problem(each, made.root).encode()
                annotation(each, made.root).encode()
                assert each.place.path in {"cards/a.md", "snippets/helper.py"}
        if said.last:
            row = proof_cache.proved_run(request, said.reports, said.last)
            assert is_believable(row.reports, row.last, request)
            proof_cache.is_fresh(row, request, Installed(), ProjectFiles(made.root))
    assert not list(filter(is_secret, names))
    assert all(isinstance(each, Proof | Problem) for each in found)


@given(data=st.data())
def test_a_row_that_is_bent_somewhere_is_a_row_or_none(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The cache is decoded and compared without an error, whatever it has become."""
    made, request, run = sample(_folder(tmp_path_factory))
    files = ProjectFiles(made.root)
    said = heard(run, request, files)
    assert said.last, run
    rows, audits = proof_cache.rows(Store(None)), audit_cache.rows(Store(None))
    kept = proof_cache.proved_run(request, said.reports, said.last)
    audit = audit_cache.StoredAudit(0, 0, 0, 0, (), 0, (audit_cache.StoredPlace("a", 1, 1, 0),))
    audited = encoded(audit_cache.AuditedRun(kept, audit))
    for decoder, whole in ((rows, encoded(kept)), (audits, audited)):
        text = json.dumps(bend(data, json.loads(whole))).encode()
        try:
            row = decoder.decode(text)
        except ValueError:
            continue
        run_of = row.run if isinstance(row, audit_cache.AuditedRun) else row
        with opened() as names:
            proof_cache.is_fresh(run_of, request, Installed(), files)
            is_believable(run_of.reports, run_of.last, request)
            if isinstance(row, audit_cache.AuditedRun):
                (first,) = made.cards()
                found = audit_cache.audit_of(row, first.snippets, made.root)
                places = found.advised if found else ()
                assert all(each.path == "cards/a.md" and each.line > 0 for each in places)
        assert not list(filter(is_secret, names))


_FOLDERS: list[Path] = []


def _folder(factory: pytest.TempPathFactory) -> Path:
    """One folder for all examples of a property."""
    if not _FOLDERS:
        _FOLDERS.append(factory.mktemp("testimony"))
    return _FOLDERS[0]


@given(st.text() | st.from_regex(r'  File "(\\U[0-9a-f]{8}|.)*", line [0-9]{1,5000} in f\n'))
def test_whatever_is_written_where_a_stack_is_written_is_frames(text: str) -> None:
    """Files and lines, of which there are not many: a card writes there what it likes."""
    with scratch() as folder:
        folder.stack.path.write_text(f"(most recent call first)\n{text}", "utf-8", "replace")
        frames = folder.frames()
        assert len(frames) <= 100
        assert all(0 <= line < 10**8 for _, line in frames)


@pytest.mark.linux(reason="a pipe is made")
@pytest.mark.parametrize("kind", ["a pipe", "a link to a device", "a folder"])
def test_what_stands_for_the_shared_names_is_not_waited_for(kind: str) -> None:
    """The card may put anything there; what is no regular file names nothing."""
    with scratch() as folder:
        if kind == "a pipe":
            os.mkfifo(folder.shared)
        elif kind == "a folder":
            folder.shared.mkdir()
        else:
            folder.shared.symlink_to("/dev/zero")
        folder.remove_shared()


@pytest.mark.linux(reason="the descriptors of a process are looked through")
@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_flood_of_reports_is_the_cards_problem(tmp_path: Path, executor: str) -> None:
    """It is ended, long before its time is up and without being held in memory."""
    flood = "n = next(report())\nwhile True: os.write(n, b'x' * 65536)"
    made = project(
        tmp_path,
        {"a.md": card("one", code(flood)) + card("two", "assert int('1')")},
        SETTINGS + f'executor = "{executor}"\n',
    )
    result = made.result()
    assert [each.code for each in result.problems] == [Code.OUTPUT_LIMIT]
    assert [each.card.id for each in result.proven] == ["two"]


def test_a_message_that_is_too_long_is_not_waited_for() -> None:
    """Its length comes first."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall((1 << 62).to_bytes(8, "big"))
        assert receive(theirs, REPLY) is None


def test_an_answer_of_another_kind_is_not_believed(tmp_path: Path) -> None:
    """A cluster may answer with anything."""
    made = project(tmp_path, {"a.md": card("one", "assert int('1')")})
    (first,) = made.cards()
    request = request_of(first.snippets, execution_config(made.settings(), kept=False))
    answers: list[object] = [None, "finished", {"lines": []}, replace(honest(made)[1], lines=(1,))]
    for answer in answers:
        said = heard(answer, request, ProjectFiles(made.root))  # type: ignore[arg-type] # that is the point
        assert said.wrong
        assert not said.reports


@pytest.mark.parametrize(
    "inside",
    [
        '<script href="x"/>',
        "<foreignObject/>",
        '<a xlink:href="https://example.org/"/>',
        '<image xlink:href="https://example.org/a.png"/>',
        '<image xlink:href="data:image/svg+xml;base64,AA=="/>',
        '<use xlink:href="other.svg#a"/>',
        '<g onload="alert(1)"/>',
        '<g OnClick="alert(1)"/>',
        '<g style="fill: url(https://example.org/)"/>',
        '<g style="fill: u\\72l(https://example.org/)"/>',
        "<style>@import 'https://example.org/';</style>",
        '<g xmlns="http://www.w3.org/1999/xhtml"/>',
        '<g xmlns:h="http://www.w3.org/1999/xhtml"><h:script/></g>',
        '<g xml:base="https://example.org/"/>',
        '<animate attributeName="href"/>',
        '<?xml-stylesheet href="https://example.org/"?>',
        "&e;",
        "<g>",
    ],
)
def test_a_figure_with_more_than_a_drawing_is_refused(inside: str) -> None:
    """It would execute or fetch something where somebody opens the file itself."""
    begin = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    assert not figures.objection(f'{begin}<g style="fill: url(#a)"/></svg>')
    assert figures.objection(f"{begin}{inside}</svg>")
    bomb = '<!DOCTYPE svg [<!ENTITY e "x">]>'
    assert figures.objection(f"{bomb}{begin}</svg>")


def test_what_a_card_reports_is_a_problem_of_ours() -> None:
    """Each code that a card's process may report is one, with a severity."""
    assert set(REPORTED) <= set(Code)
    assert all(REPORTED.values())


def test_only_files_of_the_project_are_places(tmp_path: Path) -> None:
    """In one table, without a report."""
    made = hostile(tmp_path, {"one": "assert int('1')"})
    snippets = made.cards()[0].snippets
    for path in ELSEWHERE.values():
        place = Place(path.format(outside=tmp_path / "outside"), 1)
        assert trusted_place(place, snippets, made.root) is None, path
    inside = Place("snippets/helper.py", 2, 10**6)
    assert trusted_place(inside, snippets, made.root) == Place("snippets/helper.py", 2, 17)
    assert (made.root / FOLDER).exists()
