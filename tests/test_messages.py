"""The typed messages between the processes of a proof: what is sent arrives, and nothing else."""

from __future__ import annotations

import json
import math
import socket
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from projects import card, execution_config, project

from verideck import model
from verideck.model import Place
from verideck.problems import Code, Problem
from verideck.proof.python.parent.project_files import ProjectFiles
from verideck.proof.python.parent.testimony import heard
from verideck.proof.python.parent.verdicts import judged
from verideck.proof.python.wire import messages
from verideck.proof.python.wire.channel import receive, send
from verideck.proof.python.wire.messages import (
    CONTROL,
    REPLY,
    REPORT,
    DependsOn,
    Epilogue,
    Finding,
    Finished,
    KnowPackages,
    Message,
    NewRun,
    NewWorker,
    Preload,
    ReadValue,
    Refused,
    Request,
    Step,
    StepReport,
    as_json,
    encoded,
    replace,
)
from verideck.proof.python.wire.run import End, StepKind, complete_lines

STEP = StepReport(None, "", "", (), "1\n", 1, (), 0.25)
EPILOGUE = Epilogue((), "", DependsOn({}, {}, (), unseen=False), bears=(True, True))
FINDING = Finding("assertion-failed", "x = 1", "a.md", 3, 1, "")


def line(message: Message, **bent: object) -> str:
    """A line of a report, with other values of some fields."""
    return json.dumps({**as_json(message), **bent})


def read(lines: Sequence[str], steps: int) -> tuple[list[StepReport], Epilogue | None]:
    """What is believed of the report of a card of some steps."""
    step = Step(StepKind.CODE, "x = 1", "cards/a.md", 3, 1)
    limits = messages.Limits(**asdict(model.Limits()))
    request = Request("/", (step,) * steps, limits, sandbox=True, unlisted="")
    run = Finished(tuple(lines), End.BY_ITSELF, "exit status 0")
    said = heard(run, request, ProjectFiles(Path("/")))
    return said.reports, said.last


@pytest.mark.parametrize(
    "message",
    [
        Preload(("torch", "torch:nn"), ("optim",)),
        KnowPackages({"yaml": ("PyYAML",)}),
        NewWorker(),
        NewRun(2),
    ],
    ids=lambda message: type(message).__name__,
)
def test_what_is_sent_is_received(message: messages.Control) -> None:
    """Each message arrives as it was sent; then the channel is at its end."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        send(ours, message)
        assert receive(theirs, CONTROL) == message
        ours.shutdown(socket.SHUT_WR)
        assert receive(theirs, CONTROL) is None


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[" * 100_000, b"\xff", encoded(NewRun(2)), b'{"type": "finished"}']
)
def test_a_reply_of_another_form_is_none(content: bytes) -> None:
    """A worker that sends anything but a reply is taken for a dead one."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(len(content).to_bytes(8, "big") + content)
        assert receive(theirs, REPLY) is None


def test_names_that_are_no_utf_8_and_numbers_that_are_none_arrive() -> None:
    """A file's name may hold any bytes, and an assertion may read NaN or infinity."""
    numbers = (1.5, math.inf, -math.inf)
    files = {"snippets/\udcff.txt": "abc"}
    sent = Epilogue(
        (),
        "",
        DependsOn(files, {}, (), unseen=False),
        (ReadValue("a", (*numbers, math.nan), 0.5, "float"),),
    )
    received = REPORT.from_text(encoded(sent))
    assert isinstance(received, Epilogue)
    assert received.depends_on == sent.depends_on
    *same, last = received.read[0].numbers
    assert (*same,) == numbers
    assert math.isnan(last)


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_whatever_a_snippet_writes_into_its_report_proves_nothing(garbage: str) -> None:
    """The lines before it are believed, nothing behind it is."""
    whole = [line(STEP), line(STEP), line(EPILOGUE)]
    assert read(whole, 2) == ([STEP, STEP], EPILOGUE)
    assert read([whole[0], garbage, *whole[1:]], 2) == ([STEP], None)
    assert read([*whole[:2], garbage, whole[2]], 2) == ([STEP, STEP], None)


FORGED = {
    "an unknown problem": line(STEP, error={**as_json(FINDING), "code": "no-code"}),
    "less than no assertion": line(STEP, held=-1),
    "a truth for a number": line(STEP, held=True),
    "a time that is no number": line(STEP, seconds=math.nan),
    "a line before the first": line(STEP, error={**as_json(FINDING), "line": -1}),
    "an unknown field": line(STEP, more=1),
    "a place without a line": line(STEP, error={"code": "assertion-failed"}),
    "a number of ten thousand digits": f'{{"type": "step", "held": {"1" * 10_000}}}',
    "an epilogue before its time": line(EPILOGUE),
    "lists without an end": "[" * 100_000,
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_report_proves_nothing(name: str) -> None:
    """It has a report's form in all but one thing."""
    assert read([FORGED[name], line(STEP), line(EPILOGUE)], 1) == ([], None)


@pytest.mark.parametrize(
    "path", ["/dev/zero", "../b.md", "/etc/passwd", "a\0b", "link.md", "x" * 5000]
)
def test_a_forged_place_is_the_fence(tmp_path: Path, path: str) -> None:
    """A problem is shown with the line of its file: no report chooses a file outside."""
    (tmp_path / "b.md").touch()
    made = project(tmp_path / "deck", {"a.md": card("one", "assert int('1')")})
    (made.root / "link.md").symlink_to("/etc/passwd")
    (snippet,) = made.cards()[0].snippets
    config = execution_config(made.settings())
    report = StepReport(replace(FINDING, path=path), "", "", (), "", 0, (), 0.0)
    (problem,) = judged([snippet], [report], None, config)
    assert isinstance(problem, Problem)
    assert (problem.code, problem.place) == (Code.ASSERTION_FAILED, snippet.place)
    inside = StepReport(replace(FINDING, path="cards/a.md"), "", "", (), "", 0, (), 0.0)
    (problem,) = judged([snippet], [inside], None, config)
    assert isinstance(problem, Problem)
    assert problem.place == Place("cards/a.md", 3, 1)


def test_only_whole_lines_are_a_report() -> None:
    """A line that was being written when its process ended is none."""
    assert complete_lines(b"") == complete_lines(b"one") == ()
    assert complete_lines(b"one\ntwo\xe2\x80\xa8\nthr") == ("one", "two\N{LINE SEPARATOR}")


def test_limits_are_sent_whole() -> None:
    """The message has the fields of the model, whatever is added there."""
    assert messages.Limits.__struct_fields__ == tuple(each.name for each in fields(model.Limits))


def test_kinds_on_one_channel_are_told_apart() -> None:
    """By their tags, not by which fields they happen to have."""
    for reply in (Finished((), End.TIME, "signal 9"), Refused("no space")):
        assert REPLY.from_text(encoded(reply)) == reply
        with pytest.raises(ValueError, match="Invalid value"):
            CONTROL.from_text(encoded(reply))
