"""The typed messages between the processes of a proof, and the one decoder for all of them.

Messages are frozen msgspec structs and not dataclasses, because several kinds travel on one channel
and a struct carries its tag. Decoding is strict: a value of another type, a field that is missing
and a field that is unknown are refused, because neither a card's report nor a file of the cache is
trusted.

The text is JSON as the standard library writes it: a file's name may hold bytes that are no UTF-8,
and a number may be NaN. msgspec's own encoder allows neither.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec.structs import replace

from verideck.proof.python.wire.run import End, Part, StepKind

__all__ = ["replace"]

M = TypeVar("M")

# How much a message may hold. A card's process cuts what it reports to this; the decoder refuses
# what has more.

MOST_FIGURES = 100
"""Figures of one step."""
LARGEST_FIGURE = 10_000_000
"""Characters of a figure: more is no picture that a card can show."""
MOST_FINDINGS = 1_000
"""Findings of one step. A person reads the first ones."""
MOST_FILES = 20_000
"""Files, folders or names that a run depends on."""
LONGEST_MESSAGE = 10_000
"""Characters of a message or a hint."""
LONGEST_OUTLINE = 10_000
"""Characters of the outline of a value."""
_MOST_VALUES = 4_000_000
"""Values in the text of one message: as objects they take many times the memory of their text."""
_LONGEST_REPORT = 100_000_000
_REPORT = 32_000_000
_ESCAPED = 6
"""Bytes in JSON of a byte that was printed."""

Count = Annotated[int, msgspec.Meta(ge=0, le=10**15)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
Number = Annotated[int, msgspec.Meta(ge=0, le=10**8)]
"""Of a line or a column."""
Digest = Annotated[str, msgspec.Meta(max_length=64)]
Word = Annotated[str, msgspec.Meta(max_length=300)]
"""The name of a thing, or a version."""
Name = Annotated[str, msgspec.Meta(max_length=5_000)]
"""Of a file; what Linux accepts has no more than 4,096 bytes."""
Text = Annotated[str, msgspec.Meta(max_length=LONGEST_MESSAGE)]
Written = Annotated[str, msgspec.Meta(max_length=200_000)]
"""The text of a value, or the end of what was printed, escapes and all."""
Figure = Annotated[str, msgspec.Meta(max_length=LARGEST_FIGURE)]
Figures = Annotated[tuple[Figure, ...], msgspec.Meta(max_length=MOST_FIGURES)]
Names = Annotated[tuple[Name, ...], msgspec.Meta(max_length=MOST_FILES)]
Versions = Annotated[tuple[tuple[Word, Word], ...], msgspec.Meta(max_length=5_000)]
"""Distributions, with their versions."""


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of every message."""


# What a card's process is asked for


class Limits(Message, frozen=True):
    """How far one card may go. The fields are those of `model.Limits`."""

    timeout: Seconds
    memory: Count
    disk: Count
    processes: Count
    max_output: Count


class Step(Message, frozen=True):
    """A snippet to be executed."""

    kind: StepKind
    code: str
    path: str
    """The file that holds the code, relative to the project."""
    line: int
    column: int
    """Of the first character of the code in that file."""
    symbol: str = ""
    """The name that is taken from an included file."""
    raises: str = ""
    """The exception that the step must end with."""
    warns: str = ""
    """The category of the warning that the step must give."""
    match: str = ""
    """A regular expression for the message of that exception or warning."""
    part: Part = Part.BEHIND
    shows_value: bool = False
    """Whether the value of its last expression counts as printed, where nothing is printed."""
    heeds_comments: bool = False
    """Whether its value comments are compared."""
    goes_on: bool = False
    """Whether the next step is executed though this one fails."""


class Lines(Message, frozen=True):
    """Lines of a file of the project."""

    path: str
    first: Count
    last: Count


class Request(Message, frozen=True):
    """The execution of one card."""

    root: str
    """The project's folder."""
    steps: tuple[Step, ...]
    limits: Limits
    sandbox: bool
    unlisted: str
    """A name that does not count when the contents of a folder are compared: verideck's own
    folder changes with every run."""
    seed: int = 0
    """0 is a proof's; an audit takes others."""
    overlay: dict[str, str] = {}
    """By file of the project: text that takes the place of its own."""
    traces: bool = False
    """Whether the report includes what assertions read."""
    follows: bool = True
    """Whether it is followed what shown code computes, and what of it is run."""
    shared_memory: bool = False
    """Whether the sandbox opens the shared memory of all processes."""

    shown: tuple[Lines, ...] = ()
    """Code of which the report includes what it computes (see `child.computed`)."""
    passing: bool = False
    """Whether nobody keeps the result, so that what it depends on is not asked."""
    hash_seed: int = 0
    """That of the interpreter, which hashes text by it; 0 is a proof's."""

    @property
    def may_share(self) -> bool:
        """Whether the card can reach, and remove, the shared memory of other processes."""
        return self.shared_memory or not self.sandbox


# What a card's process reports, one line each


class Finding(Message, frozen=True):
    """What the author of a card should know about its code: why it does not hold, or a warning."""

    code: Word
    """The value of a `problems.Code`."""
    message: Text
    path: Name
    line: Number
    """0 where no line of the author's is known."""
    column: Number = 1
    hint: Text = ""
    warning: bool = False
    """Whether the card holds all the same."""


Findings = Annotated[tuple[Finding, ...], msgspec.Meta(max_length=MOST_FINDINGS)]


class Said(Message, frozen=True):
    """What a statement with a value comment gave, once."""

    line: Number
    """Of the comment, counted from 1 in the code of its step."""
    printed: Written
    values: Annotated[tuple[Written, ...], msgspec.Meta(max_length=20)]
    """The ways to write its value, `repr` first."""


class StepReport(Message, frozen=True, tag="step"):
    """What became of one step."""

    error: Finding | None
    value: Text
    """Of an expression in the prose."""
    raised: Text
    """The announced exception, as `Type: text`."""
    figures: Figures
    """The figures that it left open, as SVG."""
    stdout: str
    """What it printed, or what its last expression came to (see `Step.shows_value`)."""
    held: Count
    """Assertions that were executed and held."""
    findings: Findings
    """What was noticed while it ran."""
    seconds: Seconds
    said: Annotated[tuple[Said, ...], msgspec.Meta(max_length=100_000)] = ()
    """What the statements with a value comment gave, in the order of time."""
    stderr: Written = ""
    """The end of what it wrote to standard error, if it failed."""


class ReadValue(Message, frozen=True):
    """A value that an assertion read. An audit compares it with that of another run."""

    digest: Digest
    numbers: Annotated[tuple[float, ...], msgspec.Meta(max_length=10_000)]
    unit: Annotated[float, msgspec.Meta(ge=0, le=1)]
    """The rounding unit of the numbers; 0 where rounding noise cannot be told."""
    outline: Annotated[str, msgspec.Meta(max_length=LONGEST_OUTLINE)]
    """All but the numbers; empty where `unit` is 0."""
    path: Name = ""
    line: Number = 0


class Line(Message, frozen=True):
    """A line of a file of the project."""

    path: Name
    line: Number


class Operand(Message, frozen=True):
    """A part of an expression that need not be evaluated, such as an outcome of `a if c else b`."""

    path: Name
    line: Number
    column: Number
    """In bytes, from 0, as in Python's syntax trees."""
    last_line: Number
    last_column: Number


class Computed(Message, frozen=True):
    """What shown code computed, in the order in which it did."""

    values: Annotated[tuple[ReadValue, ...], msgspec.Meta(max_length=10_000)]
    takes: Digest
    """A digest of the shapes and places of all arrays."""
    ran: Annotated[tuple[Line, ...], msgspec.Meta(max_length=100_000)]
    """The first lines of the statements that were executed."""
    unevaluated: Annotated[tuple[Operand, ...], msgspec.Meta(max_length=100_000)] = ()
    """The operands that never were."""


class Claims(Message, frozen=True):
    """What a folder of the project offered for the modules that were looked for in it."""

    names: Names
    found: Names


class DependsOn(Message, frozen=True):
    """What a run depended on besides its own code."""

    files: Annotated[dict[Name, Digest], msgspec.Meta(max_length=MOST_FILES)]
    """Hashes of contents, by path."""
    modules: Annotated[dict[Name, Claims], msgspec.Meta(max_length=MOST_FILES)]
    """By folder of the project."""
    loaded: Versions
    """The distributions of all imported modules, with their versions."""
    unseen: bool
    """Whether there is more than is listed here: such a run is not stored."""


NOT_ASKED = DependsOn({}, {}, (), unseen=True)
"""What a run depends on whose result nobody keeps."""


class Epilogue(Message, frozen=True, tag="end"):
    """The last line of a report: every statement of every step was executed."""

    environment: Versions
    """The distributions that the author's code imports by name, with their versions."""
    sandbox: Word
    """The sandbox that the card ran in; empty where there was none."""
    depends_on: DependsOn
    read: Annotated[tuple[ReadValue, ...], msgspec.Meta(max_length=10_000)] = ()
    computed: Computed | None = None
    """Where it was asked for."""
    findings: Findings = ()
    """What shows only when all steps have been executed."""
    bears: Annotated[tuple[bool, ...], msgspec.Meta(max_length=100_000)] = ()
    """By step: whether an assertion that held read what the step computed."""


# What a worker replies


class Finished(Message, frozen=True, tag="finished"):
    """A card's process that has ended."""

    lines: tuple[str, ...]
    """Its report, as far as it came. A snippet may have written among the lines."""
    end: End
    how: Text
    """Its exit status or signal, and the last line of its standard error."""
    stack: Annotated[tuple[tuple[Name, Number], ...], msgspec.Meta(max_length=1_000)] = ()
    """Where it was when it was ended or crashed: files and lines, the innermost first."""
    stdout: Written = ""
    """The end of what it printed."""
    stderr: Written = ""
    """The end of what it wrote to standard error."""
    sandbox: Word = ""
    """The sandbox that the card was put into before its first line; empty if it was put into none.
    Who starts a card knows that, and need not be told by it."""


class Refused(Message, frozen=True, tag="refused"):
    """The system refused what a worker needs to execute a card."""

    why: str


# What the warm parent is asked for


class Preload(Message, frozen=True, tag="preload"):
    """Import these modules, and use what these words of torch name."""

    modules: tuple[str, ...]
    """As `needs` names them."""
    words: tuple[str, ...]


class KnowPackages(Message, frozen=True, tag="packages"):
    """The installed distributions by package. Looking them up takes a while."""

    packages: dict[str, tuple[str, ...]]


class NewWorker(Message, frozen=True, tag="worker"):
    """Fork a worker. The descriptor of its socket follows."""


class NewRun(Message, frozen=True, tag="run"):
    """A run begins, and no card of another one is left. The answer is a `State`."""

    workers: int
    """How many there are. Any other was killed or told to end, and may not have ended yet."""


class State(Message, frozen=True, tag="state"):
    """Whether the warm parent can still be forked from."""

    outdated: bool
    """Whether the file of an imported module has changed since."""


Report = StepReport | Epilogue
Reply = Finished | Refused
Control = Preload | KnowPackages | NewWorker | NewRun


@dataclass(frozen=True, slots=True)
class Decoder(Generic[M]):
    """Makes messages of one kind, or of one of several, from what is not trusted."""

    kind: Any
    """The type, or a union of types."""
    most: int = _MOST_VALUES
    """How many values the text may have."""

    def __post_init__(self) -> None:
        """Let msgspec look through the types now, by one thread.

        What it finds it keeps at the types, half of it while it still looks: two threads that are
        the first to decode a type crash the process (msgspec 0.22).
        """
        msgspec.json.Decoder(self.kind)

    def from_text(self, text: str | bytes) -> M:
        """Decode JSON. Raises ValueError unless it is a message of that kind."""
        if len(text) > self.most and _values_in(text) > self.most:
            raise ValueError("it has too many values")
        try:
            return self.from_value(json.loads(text))
        except RecursionError as error:
            raise ValueError(str(error)) from error

    def from_value(self, value: object) -> M:
        """Take what `as_json` returns. Raises ValueError unless it is a message of that kind."""
        message: M = msgspec.convert(value, self.kind)
        return message


REQUEST: Decoder[Request] = Decoder(Request)
REPORT: Decoder[Report] = Decoder(Report)
REPLY: Decoder[Reply] = Decoder(Reply, most=sys.maxsize)
"""Of a worker, which executes none of the author's code; the lines of reports are text in it."""
FINISHED: Decoder[Finished] = Decoder(Finished)
CONTROL: Decoder[Control] = Decoder(Control)
STATE: Decoder[State] = Decoder(State)


def _values_in(text: str | bytes) -> int:
    """How many values JSON has at most. A text in it may have the same characters."""
    if isinstance(text, str):
        return sum(map(text.count, "[{,"))
    return sum(map(text.count, (b"[", b"{", b",")))


def longest_report(limits: Limits) -> int:
    """Bytes of a card's report, in which is all that it printed."""
    return min(_REPORT + _ESCAPED * limits.max_output, _LONGEST_REPORT)


def encoded(message: Message) -> bytes:
    """A message as JSON on one line, in ASCII."""
    return json.dumps(as_json(message)).encode("ascii")


def as_json(message: Message) -> dict[str, Any]:
    """A message as dictionaries, lists, text and numbers."""
    value: dict[str, Any] = msgspec.to_builtins(message)
    return value
