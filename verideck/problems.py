"""What can be wrong, by name: `Code`, `Problem`, and `Problems`, the sink to report it to."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from enum import StrEnum

from verideck import inert
from verideck.model import Place


class Severity(StrEnum):
    """How much a problem weighs."""

    ERROR = "error"
    """Nothing is written while one stands."""
    WARNING = "warning"
    """Told, and left to the author; an error under `--strict`."""


class Code(StrEnum):
    """The name of a problem. Each has a case in `tests/spec/problems.md` or `lint.md`."""

    # Settings, files and front matter
    SETTING_INVALID = "setting-invalid"
    """`[tool.verideck]` holds a name or value that verideck does not know."""
    TRUST_MISSING = "trust-missing"
    """A setting, or an option of a fence, asks for what only the caller can allow."""
    FILE_UNREADABLE = "file-unreadable"
    """The system refuses to read the file."""
    NOT_UTF8 = "not-utf8"
    """The file's bytes are not UTF-8."""
    CHARACTER_FORBIDDEN = "character-forbidden"
    """A control character, which Anki drops or takes for the end of a field."""
    FRONT_MATTER_INVALID = "front-matter-invalid"
    """The front matter is not closed, is not YAML, or holds a misspelt key or a wrong value."""
    KEY_FOREIGN = "key-foreign"
    """The front matter holds keys of other tools."""
    SYNTAX_UNKNOWN = "syntax-unknown"
    """The front matter's `syntax` names no form in which cards are written."""
    NOTE_TYPE_UNKNOWN = "note-type-unknown"
    """A note between START and END names a type that Anki does not have."""
    SYNTAX_MIXED = "syntax-mixed"
    """What would be a card in one form is none, because the file is read in another."""

    # Cards
    NO_CARD = "no-card"
    """The file holds no card at all."""
    TEXT_OUTSIDE = "text-outside"
    """Lines of a file are on no card, though others are."""
    ANSWER_TALL = "answer-tall"
    """An answer fills more than two screens."""
    QUESTION_LIKE = "question-like"
    """A line looks like a question or a title, and is none."""
    CONTENTS = "contents"
    """A table of contents would be a card."""
    DEFINITION_UNUSED = "definition-unused"
    """A line defines an address that no link can lead to, and shows nothing."""
    ANSWER_MISSING = "answer-missing"
    """A question has no answer: the card is left out."""
    QUESTION_MISSING = "question-missing"
    """An answer has no question."""
    ID_REPEATED = "id-repeated"
    """Two cards would be the same note."""
    ID_MISREAD = "id-misread"
    """With its id in the text, a card would be another one: `verideck id` does not write it."""
    ATTRIBUTE_INVALID = "attribute-invalid"
    """The `{…}` behind a question is malformed or holds a word that verideck does not know."""
    TAG_INVALID = "tag-invalid"
    """A tag holds white space or an empty part, which Anki would cut or rename."""
    CARD_TOO_LARGE = "card-too-large"
    """A card holds more than 100,000 characters of text, or more HTML than Android can read."""
    BLOCKS_ENTANGLED = "blocks-entangled"
    """Quotes and lists stand in each other so that reading them would take the square of time."""
    TYPED_ANSWER_UNFIT = "typed-answer-unfit"
    """A card to be typed needs an answer that begins with one line of plain text."""
    HEADING_UNDERLINED = "heading-underlined"
    """A `---` directly under a line makes a question of that line, among questions with `##`."""
    MATHS_UNCLOSED = "maths-unclosed"
    """A mark of maths or a brace in it opens, and nothing closes it; or it is rather no maths."""
    TABLE_UNEVEN = "table-uneven"
    """A row of a table has more cells than its head, or the head not as many as the line below."""
    MARK_UNREAD = "mark-unread"
    """A mark that is read in another way than its author may have meant, or as plain text."""
    FOOTNOTE_UNMATCHED = "footnote-unmatched"
    """A text refers to a footnote that is not there, no card to one that is, or two have a
    name in common."""
    NOTE_LINKED = "note-linked"
    """A link leads to a note, as Obsidian writes it: on a card it is text."""
    NOTE_EMBEDDED = "note-embedded"
    """A note is embedded, as Obsidian does it: the card shows its name alone."""
    MATHS_UNSAFE = "maths-unsafe"
    """Maths holds a command that acts in Anki on more than its formula: it links, styles, loads or
    defines."""
    IMAGE_UNUSABLE = "image-unusable"
    """An image or a sound is missing, unreadable, outside the project, of a kind that Anki neither
    shows nor plays, or would be fetched."""
    IMAGE_LINKED = "image-linked"
    """What was meant as a picture is a link on the card: it is on the web, or a document."""
    LINK_DEAD = "link-dead"
    """A link leads where no card can: to Markdown, into a page, to a file that is not there or
    cannot be packed. Its text is on the card."""

    # Cloze
    CLOZE_MISSING = "cloze-missing"
    """A cloze card hides nothing."""
    CLOZE_NUMBER = "cloze-number"
    """The number of a deletion is not one of 1 to 500."""
    CLOZE_HINT = "cloze-hint"
    """What stands behind the `::` of a deletion is its hint, and may be meant to be hidden."""
    CLOZE_OUTSIDE = "cloze-outside"
    """A deletion stands where Anki looks for none: in an aside, a hint or a source."""
    CLOZE_UNCLOSED = "cloze-unclosed"
    """A deletion opens with `{{c1::` and nothing closes it."""

    # Comments and HTML
    COMMENT_UNCLOSED = "comment-unclosed"
    """A `<!--` opens a comment, and nothing closes it in the same paragraph, list or quotation."""

    HTML_SHOWN = "html-shown"
    """A tag is shown as it is written: a card shows no such tag, or it has no partner."""
    HTML_LEFT_OUT = "html-left-out"
    """An attribute of a tag, or a property of its style, has no place on a card."""

    # Fences
    FENCE_UNCLOSED = "fence-unclosed"
    """A fence runs on to the end of its block, for want of a closing line."""
    FENCE_OUTSIDE = "fence-outside"
    """Code that belongs to no card would never be executed."""
    LANGUAGE_UNKNOWN = "language-unknown"
    """Nobody knows the language that a fence names."""
    HIGHLIGHT_FAILED = "highlight-failed"
    """Pygments fails to highlight code in the language that its fence names, or takes too long."""
    OPTION_INVALID = "option-invalid"
    """A fence's options are malformed, unknown, incomplete or contradict each other."""
    INCLUDE_MISSING = "include-missing"
    """The file, symbol or region that a fence includes is missing, empty or ambiguous."""

    # Proofs
    SYNTAX_ERROR = "syntax-error"
    """A snippet is not Python."""
    EXCEPTION_RAISED = "exception-raised"
    """A snippet raised an exception that it does not announce."""
    EXCEPTION_EXPECTED = "exception-expected"
    """The exception that a snippet announces did not come, or another one did."""
    ASSERTION_FAILED = "assertion-failed"
    """An assertion does not hold."""
    ASSERTION_SWALLOWED = "assertion-swallowed"
    """An assertion failed and the snippet went on as if it had held."""
    NOTHING_ASSERTED = "nothing-asserted"
    """A snippet ran, but nothing in it could have failed, or an assertion in it cannot fail."""
    ASSERTION_UNRELATED = "assertion-unrelated"
    """No assertion that held read a value that the shown code computed."""
    CODE_NOT_RUN = "code-not-run"
    """Shown code that was never executed or entered, or an assertion that was never reached."""
    OUTPUT_DIFFERS = "output-differs"
    """A snippet printed something else than the card shows."""
    WARNING_GIVEN = "warning-given"
    """A snippet, or a library that it calls, gave a warning that the fence does not announce."""
    WARNING_EXPECTED = "warning-expected"
    """The warning that a snippet announces did not come."""
    FIGURE_GLYPH = "figure-glyph"
    """A figure holds a character that no font here can draw."""
    ENDED_EARLY = "ended-early"
    """The process ended before the snippet's last statement, or its report is not believed."""
    TIME_LIMIT = "time-limit"
    """A card's snippets ran longer than they may."""
    OUTPUT_LIMIT = "output-limit"
    """A card's snippets printed more than they may."""
    MEMORY_LIMIT = "memory-limit"
    """A card's snippets asked for more memory than they may have."""
    DISK_LIMIT = "disk-limit"
    """A card's snippets wrote more than they may."""
    PROCESS_LIMIT = "process-limit"
    """A card's snippets started more processes than they may."""
    SHAPES_DIFFER = "shapes-differ"
    """A comparison held because one side was broadcast to the other's shape."""
    SANDBOX_MISSING = "sandbox-missing"
    """A sandbox is required, and this system has none."""
    EXECUTOR_FAILED = "executor-failed"
    """The cluster that executes cards cannot be reached, or lost one."""

    # Audits
    AUDIT_FLOOR = "audit-floor"
    """The assertions of a card notice too few changes of the code that it shows, or none can be
    judged."""
    MUTANT_SURVIVED = "mutant-survived"
    """A change of shown code that no assertion notices."""
    FLAKY = "flaky"
    """A card holds by luck: not on every run, or not with every seed, that of hashes included."""

    # Histories
    LOCK_INVALID = "lock-invalid"
    """`cards.lock` is damaged, cut short, not merged, or a newer verideck's."""
    LOCK_STALE = "lock-stale"
    """Under `--locked`, the cards are not what `cards.lock` remembers."""
    MATCH_AMBIGUOUS = "match-ambiguous"
    """A card may be one that was here before, or may not: more than one could be."""
    KIND_CHANGED = "kind-changed"
    """A card has become one of another kind, which Anki would not take for it."""

    # Rules for cards, of `verideck lint`: each but the last has a line in `rules.RULES`; each has
    # cases in `tests/spec/lint.md`
    QUESTION_COMPOUND = "question-compound"
    """A question asks for more than one thing."""
    QUESTION_LONG = "question-long"
    """A question has too many words."""
    QUESTION_SHORT = "question-short"
    """A question has too few words to have one answer."""
    QUESTION_YES_NO = "question-yes-no"
    """A question can be answered by yes or no, or by one of two."""
    QUESTION_VAGUE = "question-vague"
    """A question leaves open what would answer it."""
    QUESTION_DANGLING = "question-dangling"
    """A question points at something that is not on the card."""
    QUESTIONS_ALIKE = "questions-alike"
    """Two cards ask in almost the same words."""
    ANSWER_LONG = "answer-long"
    """An answer has too many words."""
    ANSWER_SENTENCES = "answer-sentences"
    """An answer has too many sentences."""
    ANSWER_LIST = "answer-list"
    """An answer is a set or an enumeration."""
    ANSWER_GIVEN_AWAY = "answer-given-away"
    """The question says half of the answer."""
    ANSWERS_ALIKE = "answers-alike"
    """Two cards have the same answer."""
    CARD_ORPHAN = "card-orphan"
    """A card shares its tags with hardly any other."""
    DECK_ORDER = "deck-order"
    """A deck's name sorts before that of the deck above it."""
    SOURCE_MISSING = "source-missing"
    """A card does not say where its answer comes from."""
    VERSION_MISSING = "version-missing"
    """A card tells what a library does, and not in which version."""
    NUMBER_UNSOURCED = "number-unsourced"
    """A number in an answer comes from nowhere."""
    CODE_LONG = "code-long"
    """Shown code has too many lines."""
    CODE_WIDE = "code-wide"
    """Shown code has too long a line."""
    CODE_UNSEEDED = "code-unseeded"
    """A card shows numbers that came by chance, and its code names no seed."""
    ALT_MISSING = "alt-missing"
    """A picture has no text for who does not see it."""
    CLOZE_MANY = "cloze-many"
    """A cloze card hides too many things."""
    CLOZE_LONG = "cloze-long"
    """A deletion hides too much."""
    TEXT_DAMAGED = "text-damaged"
    """Text lost something when it was copied."""
    SUPPRESSION_UNUSED = "suppression-unused"
    """A card suppresses a rule that it does not break."""

    # The look of cards
    STYLE_INVALID = "style-invalid"
    """A project's style sheet fetches something, or would end where it stands."""
    TEMPLATE_INVALID = "template-invalid"
    """A project's template names no field, acts, or loses what its card asks or answers."""

    # Packages, and what else is written
    PATH_UNSAFE = "path-unsafe"
    """Where verideck keeps or writes something stands a link, a FIFO or a device."""
    DECK_EMPTY = "deck-empty"
    """There is no card to package."""
    MATHS_AS_TEX = "maths-as-tex"
    """A formula that a page shows as it is written, for it has no MathML."""
    MEDIA_LEFT_OUT = "media-left-out"
    """Pictures and sounds that the form of the output has no place for."""
    OUTPUT_UNWRITABLE = "output-unwritable"
    """The package, or Markdown that is to be changed, cannot be written."""


RULE_NAMES = frozenset(
    {
        Code.QUESTION_COMPOUND,
        Code.QUESTION_LONG,
        Code.QUESTION_SHORT,
        Code.QUESTION_YES_NO,
        Code.QUESTION_VAGUE,
        Code.QUESTION_DANGLING,
        Code.QUESTIONS_ALIKE,
        Code.ANSWER_LONG,
        Code.ANSWER_SENTENCES,
        Code.ANSWER_LIST,
        Code.ANSWER_GIVEN_AWAY,
        Code.ANSWERS_ALIKE,
        Code.CARD_ORPHAN,
        Code.DECK_ORDER,
        Code.SOURCE_MISSING,
        Code.VERSION_MISSING,
        Code.NUMBER_UNSOURCED,
        Code.CODE_LONG,
        Code.CODE_WIDE,
        Code.CODE_UNSEEDED,
        Code.ALT_MISSING,
        Code.CLOZE_MANY,
        Code.CLOZE_LONG,
        Code.TEXT_DAMAGED,
    }
)
"""The rules for cards that a card may suppress, and a project set: the keys of `rules.RULES`, which
the stages do not import."""


BY_UPDATE = "run with --update"
"""What hints say of a problem that an update mends. After one they must not."""


@dataclass(frozen=True, slots=True)
class Problem:
    """The author's mistake: what, where, and what to do about it."""

    code: Code
    message: str
    """The first line says it; further lines (values, calls) are shown beneath the source line."""
    place: Place
    hint: str = ""
    severity: Severity = Severity.ERROR
    line: str = field(default="", compare=False)
    """What is shown of the line of the place, where that is known; else whoever tells looks into
    the file (see `source_line`)."""

    def __post_init__(self) -> None:
        """Cut a message or a hint that quotes more of a file than anybody reads."""
        if len(self.message) > LONGEST_MESSAGE:
            object.__setattr__(self, "message", f"{self.message[:LONGEST_MESSAGE]}…")
        if len(self.hint) > LONGEST_MESSAGE:
            object.__setattr__(self, "hint", f"{self.hint[:LONGEST_MESSAGE]}…")


LONGEST_MESSAGE = 10_000
"""Characters of a message, and of a hint."""


def has_errors(problems: Iterable[Problem]) -> bool:
    """Tell whether one of the problems is an error: then nothing may be written."""
    return any(problem.severity is Severity.ERROR for problem in problems)


def errors(problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems that are errors."""
    return [problem for problem in problems if problem.severity is Severity.ERROR]


class Problems:
    """The one sink to which every stage reports. Each problem is held once, in order of reports."""

    def __init__(self, reported: Iterable[Problem] = (), *, strict: bool = False) -> None:
        """Begin with problems that are known already; if `strict`, take warnings as errors."""
        self._strict = strict
        self._reported: dict[Problem, None] = {}
        self.extend(reported)

    def report(self, problem: Problem) -> None:
        """Take a problem."""
        self.extend([problem])

    def extend(self, problems: Iterable[Problem]) -> None:
        """Take several problems."""
        if self._strict:
            problems = (replace(each, severity=Severity.ERROR) for each in problems)
        for each in problems:
            self._reported[each] = None

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._reported)

    def __len__(self) -> int:
        return len(self._reported)

    @property
    def has_errors(self) -> bool:
        """Whether one of them is an error."""
        return has_errors(self._reported)


_EACH_TOLD = frozenset({Code.ANSWER_MISSING, Code.CODE_NOT_RUN})
"""Warnings that are told at every place: there is something to do at each of them. Where a file
has more than a few, they were hardly meant, and are told as others."""
_MOST_PLACES = 5
"""How many of the other lines of a warning its message names."""
_OF_MANY_FILES = frozenset({Code.ID_REPEATED, Code.KEY_FOREIGN, Code.LANGUAGE_UNKNOWN})
"""Warnings that say of a file what they say of others: they are told once for all files."""


def told_in_file(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Yield the problems of a file, but for those told of many as `told_once` does."""
    every = list(problems)
    yield from told_once(each for each in every if each.code not in _OF_MANY_FILES)
    yield from (each for each in every if each.code in _OF_MANY_FILES)


def told_of_files(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Yield the problems of files, of which each is one of `told_in_file`, as they are told."""
    every = list(problems)
    yield from (each for each in every if each.code not in _OF_MANY_FILES)
    yield from told_once(each for each in every if each.code in _OF_MANY_FILES)


def told_once(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Yield problems, equal warnings as one, at the first of their places."""
    yield from sorted(_merged(problems), key=lambda problem: problem.place)


def _merged(problems: Iterable[Problem]) -> Iterator[Problem]:
    alike: dict[tuple[Code, str, str] | Problem, list[Problem]] = {}
    for each in sorted(problems, key=lambda problem: problem.place):
        is_alone = each.severity is Severity.ERROR
        key = each if is_alone else (each.code, each.message, each.hint)
        alike.setdefault(key, []).append(each)
    for found in alike.values():
        first = found[0]
        if len(found) == 1 or (first.code in _EACH_TOLD and len(found) <= _MOST_PLACES):
            yield from found
            continue
        also = _others(first.place, [each.place for each in found])
        message = f"{first.message} ({len(found):,} times{also and f': also {also}'})"
        yield replace(first, message=message)


def _others(first: Place, places: Sequence[Place]) -> str:
    """Return where else, beyond the line of the first place, something is; empty if nowhere."""
    lines = dict.fromkeys(each.line for each in places if each.path == first.path)
    others = [line for line in lines if line != first.line]
    named = ", ".join(map(str, others[:_MOST_PLACES]))
    named += f" and {len(others) - _MOST_PLACES:,} more" if len(others) > _MOST_PLACES else ""
    files = len({each.path for each in places} - {first.path})
    in_file = f"on line{'s' if others[1:] else ''} {named}" if others else ""
    in_files = f"in {files:,} other file{'s' if files > 1 else ''}" if files else ""
    return " and ".join(filter(None, [in_file, in_files]))


class BuildFailedError(Exception):
    """A build was refused, and nothing was written: at least one problem is an error."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Hold every problem of the run, warnings too."""
        self.problems = tuple(problems)
        told = (f"{inert.line(str(p.place))}: {p.message} [{p.code}]" for p in self.problems)
        super().__init__("\n".join(map(inert.lines, told)))


class CallerError(ValueError):
    """What the caller says is wrong: a flag, an environment variable, or the user's own file."""


class _Short(reprlib.Repr):
    def repr_int(self, x: int, level: int) -> str:
        """An integer; Python writes none of thousands of digits."""
        if x.bit_length() > _LONGEST_INTEGER:
            return f"an integer of {x.bit_length():,} bits"
        return super().repr_int(x, level)


_LONGEST_INTEGER = 256
"""Bits: any more digits than these say nothing."""
_SHORT = _Short()
_SHORT.maxlevel = 4
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80
_LONGEST_SHOWN = 200


def shown(value: object) -> str:
    """A wrong value as a message shows it. What is long or deep is cut short."""
    text = _SHORT.repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def suggestion(word: str, known: frozenset[str], otherwise: str = "") -> str:
    """A hint for an unknown word: the known word most like it, else `otherwise`, or all of them."""
    close = get_close_matches(word, sorted(known), n=1)
    if close:
        return f"did you mean {close[0]}?"
    return otherwise or f"known are {', '.join(sorted(known))}"
