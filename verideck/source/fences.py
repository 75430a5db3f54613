"""A fence -> Snippet: reads its options, and includes files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace

from verideck.caps import over_cap
from verideck.markdown import Token, cloze, origin
from verideck.markdown import place as token_place
from verideck.model import EXECUTED, LARGEST_LIMIT, Limits, Options, Place, Role, Snippet
from verideck.problems import Code, Problem, Problems, Severity
from verideck.source import attributes, dialects
from verideck.source.attributes import Attribute
from verideck.source.config import SourceConfig
from verideck.source.includes import IncludedFiles, IncludeError
from verideck.source.info_string import OUTPUT, at, read_info, word_of

_OF_OUTPUT = frozenset({".front", ".numbers", "hl", "tol"})
_EVERYWHERE = frozenset({".front", ".folded", ".numbers", "hl"})
_INCLUDING = frozenset({"include", "symbol", "region"})
_EXECUTED = frozenset({".check", ".setup", ".no-run", "reason", "raises", "warns", "match"})
_DRAWING = frozenset({"alt", "caption"})
_LOOKS = frozenset({".numbers", "hl"}) | _DRAWING
_LIMITS = frozenset(field.name for field in fields(Limits))
_UNEXECUTED = frozenset({".no-run", "reason"})
OPTIONS = _EVERYWHERE | _INCLUDING | _EXECUTED | _DRAWING | _LIMITS | _OF_OUTPUT
"""The names of all options that a fence may have in its braces."""

_NOT_IN_SESSIONS = {
    "include": "a session is written in its fence",
    "symbol": "a session is written in its fence",
    "region": "a session is written in its fence",
    "raises": "write the traceback under the example: its first line and its last one",
    "match": "write the traceback under the example: its first line and its last one",
}
"""Options that a session does not have, each with what to do instead."""
_TRANSCRIPTS = frozenset({"", "console", "bash"})
"""What a session that nobody executes is called: text, and Pygments' names of a shell's."""

_FLAGS = {".front": "front", ".folded": "folded", ".numbers": "numbered"}
_ROLES = {".check": Role.CHECK, ".setup": Role.SETUP, ".no-run": Role.TEXT}


@dataclass(frozen=True, slots=True)
class FenceReader:
    """Reads the fences of one Markdown file, and reports their problems."""

    config: SourceConfig
    included: IncludedFiles
    problems: Problems

    def snippet(self, token: Token, *, in_cloze: bool) -> Snippet | None:
        """Return the snippet of a fence token; None if a reported error prevents it.

        If `in_cloze`, Anki's cloze marks are removed from the code.
        """
        place = token_place(token)
        info = read_info(token, place, OPTIONS)
        if isinstance(info, Problem):
            self.problems.report(info)
            return None
        self.problems.extend(info.warnings)
        language = info.language
        inside = _Inside(token, place, info.start)
        code = cloze.find(token.content)[0] if in_cloze else token.content
        session = _is_session(info.word, code)
        known = _known(info.word, proved=language in self.config.proved)
        if _why_not_executed(info.word, language, code):
            known |= _UNEXECUTED
        given = attributes.read(info.options, inside.at, known, Code.OPTION_INVALID, self.problems)
        options = self._options(info.word, language, given)
        contradictions = list(_contradictions(options, given, place))
        if session:
            contradictions += _unfit_for_sessions(given)
        if options.folded and code != token.content:
            contradictions.append(_hides_what_is_asked(given))
        self.problems.extend(contradictions)
        if contradictions:
            return None
        executable = language in self.config.proved and options.role in EXECUTED
        snippet = self._included(
            Snippet(
                language,
                code,
                place,
                origin(token),
                options,
                executable=executable,
                session=session,
            )
        )
        if snippet and (problem := _beyond_last_line(snippet, given)):
            self.problems.report(problem)
            return None
        return snippet

    def _options(self, word: str, language: str, given: list[Attribute]) -> Options:
        options = Options(role=_default_role(word, language))
        for attribute in given:
            changed, problem = _set(options, attribute)
            problem = problem or self._over_cap(changed, attribute)
            options = options if problem else changed
            self.problems.extend([problem] if problem else [])
        return options

    def _over_cap(self, options: Options, attribute: Attribute) -> Problem | None:
        asked, most = dict(options.limits), dict(self.config.caps)
        name = attribute.name
        if name in asked and asked[name] > most.get(name, LARGEST_LIMIT):
            return over_cap(name, asked[name], most[name], attribute.place)
        return None

    def _included(self, snippet: Snippet) -> Snippet | None:
        """Return the snippet with the code of the file that it includes, if it includes one.

        Returns None, and reports a problem, if the file cannot be included.
        """
        options = snippet.options
        if not options.include:
            return snippet
        if snippet.code.strip():
            message = "a fence that includes a file holds no code of its own"
            hint = "put this code into a fence below"
            self.problems.report(Problem(Code.OPTION_INVALID, message, _first(snippet), hint))
            return None
        try:
            included = self.included.find(options.include, options.symbol, options.region)
        except IncludeError as error:
            self.problems.report(Problem(Code.INCLUDE_MISSING, str(error), snippet.place))
            return None
        path = self.included.name(options.include)
        return replace(
            snippet,
            code=included.code,
            origin=Place(path, included.line, included.column),
            options=replace(options, include=path),
            marks=included.marks,
        )


def _hides_what_is_asked(given: list[Attribute]) -> Problem:
    hint = "leave out .folded: what is asked about must be seen"
    place = _place_of(".folded", given)
    return Problem(Code.OPTION_INVALID, "this code has a deletion", place, hint)


def _place_of(name: str, given: list[Attribute]) -> Place:
    """Return where an option stands that is among those given."""
    return next(each.place for each in given if each.name == name)


def _beyond_last_line(snippet: Snippet, given: list[Attribute]) -> Problem | None:
    """Return the problem that a line is to be highlighted which the code does not have."""
    highlighted = snippet.options.highlighted
    lines = snippet.code.rstrip("\n").count("\n") + 1 - len(snippet.marks)
    if not highlighted or highlighted[-1] <= lines:
        return None
    message = f"hl names line {highlighted[-1]}, and {lines} are shown here"
    place = _place_of("hl", given)
    return Problem(Code.OPTION_INVALID, message, place, "lines are counted from 1, as shown")


def unexecuted(token: Token, snippet: Snippet) -> Problem | None:
    """Return the warning that a fence which reads like Python is not executed; None for others.

    An author who gives a reason has been told.
    """
    word = word_of(token.info)
    why = _why_not_executed(word, snippet.language, snippet.code)
    if why is None or snippet.options.reason or snippet.options.role is Role.OUTPUT:
        return None
    message, instead = why
    hint = f"{instead}; or say why not: ```{word or 'text'} {{.no-run reason=…}}"
    return Problem(Code.CODE_NOT_RUN, message, snippet.place, hint, Severity.WARNING)


def unexecuted_block(token: Token) -> Problem | None:
    """Return the warning that an indented session is not executed; None for other text."""
    if not dialects.begins_session(token.content):
        return None
    message, hint = "this session is not executed: it is indented text", "write it in a ```pycon"
    return Problem(Code.CODE_NOT_RUN, message, token_place(token), hint, Severity.WARNING)


def _why_not_executed(word: str, language: str | None, code: str) -> tuple[str, str] | None:
    """Return why what reads like Python is not executed, and what to write instead."""
    named = dialects.dialect(word)
    if named and named.instead:
        return f"this code is not executed: {word} {named.reason}", named.instead
    if language in _TRANSCRIPTS and dialects.begins_session(code) and word.lower() != OUTPUT:
        called = f"it is called {word}" if word else "its fence names no language"
        return f"this session is not executed: {called}", "write ```pycon"
    return None


def _is_session(word: str, code: str) -> bool:
    named = dialects.dialect(word)
    if named is None or named.instead:
        return False
    return named.session or dialects.begins_session(code)


def _unfit_for_sessions(given: list[Attribute]) -> Iterator[Problem]:
    for attribute in given:
        if hint := _NOT_IN_SESSIONS.get(attribute.name):
            message = f"a session has no {attribute.name}"
            yield Problem(Code.OPTION_INVALID, message, attribute.place, hint)


@dataclass(frozen=True, slots=True)
class _Inside:
    token: Token
    place: Place
    start: int

    def at(self, offset: int) -> Place:
        return at(self.token, self.place, self.start + offset)


def _first(snippet: Snippet) -> Place:
    """Return where the first line of a snippet's code begins that is not blank."""
    blank = snippet.code[: -len(snippet.code.lstrip())].count("\n")
    if not blank:
        return snippet.origin
    # Such a line may be indented less than the first.
    return replace(snippet.origin, line=snippet.origin.line + blank, column=1)


def _known(word: str, *, proved: bool) -> frozenset[str]:
    if word.lower() == OUTPUT:
        return _OF_OUTPUT
    if proved:
        return _EVERYWHERE | _INCLUDING | _EXECUTED | _DRAWING | _LIMITS
    return _EVERYWHERE | _INCLUDING


def _default_role(word: str, language: str) -> Role:
    if word.lower() == OUTPUT:
        return Role.OUTPUT
    return Role.SHOWN if language else Role.TEXT


def _some(value: str) -> str:
    if not value:
        raise ValueError(value)
    return value


_MOST_LINES = 10_000


def _lines(value: str) -> tuple[int, ...]:
    """Return the lines that a text names: `3,5-7` is 3, 5, 6 and 7."""
    found: set[int] = set()
    for part in value.split(","):
        first, _, last = part.partition("-")
        begin, end = int(first), int(last or first)
        if not 1 <= begin <= end <= _MOST_LINES:
            raise ValueError(value)
        found.update(range(begin, end + 1))
    return tuple(sorted(found))


def _above_zero(value: str) -> float:
    number = float(value)
    if not 0 < number <= LARGEST_LIMIT:
        raise ValueError(value)
    return number


def _whole_above_zero(value: str) -> int:
    number = int(value)
    if not 1 <= number <= LARGEST_LIMIT:
        raise ValueError(value)
    return number


_READERS: dict[str, tuple[str, Callable[[str], object], str]] = {
    "include": ("include", _some, "a path"),
    "symbol": ("symbol", _some, "a name"),
    "region": ("region", _some, "a name"),
    "raises": ("raises", _some, "an exception's name"),
    "warns": ("warns", _some, "a warning's name"),
    "match": ("match", lambda value: re.compile(_some(value)).pattern, "a regular expression"),
    "reason": ("reason", _some, "a text"),
    "hl": ("highlighted", _lines, "lines, such as 3,5-7"),
    "alt": ("alt", _some, "a text"),
    "caption": ("caption", _some, "a text"),
    "tol": ("tolerance", _above_zero, "a number above 0"),
}


def _set(options: Options, attribute: Attribute) -> tuple[Options, Problem | None]:
    name, value = attribute.name, attribute.value
    if name in _FLAGS:
        return replace(options, **{_FLAGS[name]: True}), None  # type: ignore[arg-type] # fields of `Options`
    if name in _ROLES:
        if options.role is not Role.SHOWN and _ROLES[name] is not options.role:
            message = f"{name} contradicts the word before it"
            return options, Problem(Code.OPTION_INVALID, message, attribute.place)
        return replace(options, role=_ROLES[name]), None
    if name in _LIMITS:
        return _limited(options, attribute)
    field, read, wanted = _READERS[name]
    try:
        return replace(options, **{field: read(value)}), None  # type: ignore[arg-type] # as _READERS says
    except (ValueError, re.error, OverflowError, RecursionError):
        message = f"{name} must be {wanted}, not {value!r}"
        return options, Problem(Code.OPTION_INVALID, message, attribute.place)


def _limited(options: Options, attribute: Attribute) -> tuple[Options, Problem | None]:
    name, value = attribute.name, attribute.value
    try:
        limit = _above_zero(value) if name == "timeout" else _whole_above_zero(value)
    except ValueError:
        wanted = "a number of seconds" if name == "timeout" else "a whole number"
        message = f"{name} must be {wanted} above 0, at most {LARGEST_LIMIT:,}, not {value!r}"
        return options, Problem(Code.OPTION_INVALID, message, attribute.place)
    return replace(options, limits=(*options.limits, (name, limit))), None


def _contradictions(options: Options, given: list[Attribute], place: Place) -> Iterator[Problem]:
    """Yield a problem for each set of options that exclude or require each other."""
    if not given:
        return
    names = {attribute.name for attribute in given}
    rules = [
        (".no-run" in names and not options.reason, ".no-run needs a reason", 'write reason="…"'),
        ("reason" in names and ".no-run" not in names, "reason goes with .no-run", ""),
        (
            bool(options.raises) and not options.match,
            "raises needs match",
            'write match="…" with a part of its message: the right type can have a wrong cause',
        ),
        (
            "match" in names and not (options.raises or options.warns),
            "match goes with raises or warns",
            "",
        ),
        (
            options.role is Role.SETUP and not names.isdisjoint(_LOOKS),
            "a .setup is not shown",
            "leave out " + " and ".join(sorted(names & _LOOKS)),
        ),
        (
            bool(options.raises and options.warns),
            "raises and warns contradict each other",
            "let a fence of its own give the warning",
        ),
        (
            bool(options.symbol or options.region) and not options.include,
            "symbol and region go with include",
            'name the file: include="snippets/norm.py"',
        ),
        (bool(options.symbol and options.region), "a fence shows a symbol or a region", ""),
        *(
            (
                name in names and options.role in {Role.CHECK, Role.SETUP},
                f"{name} and .{options.role} contradict each other",
                f"what is {options.role} is not shown",
            )
            for name in (".front", ".folded")
        ),
    ]
    for applies, message, hint in rules:
        if applies:
            yield Problem(Code.OPTION_INVALID, message, place, hint)
