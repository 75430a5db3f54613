"""The one Markdown dialect: CommonMark with tables, strikethrough, maths, cloze and values.

Of HTML, the tags that mark text up or lay it out are read; all others are text. Maths, deletions
and values are rules of our own, because a mark must never count inside code, and because the author
must be told where a mark stands that is left open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.normalize_url import normalizeLink
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from verideck.markdown import (
    callouts,
    cloze,
    comments,
    destinations,
    footnotes,
    languages,
    mathjax,
    maths,
    table,
    tasks,
)
from verideck.markdown.block import STEPS, BlockParser, EntangledError, steps_of
from verideck.markdown.block_ids import BlockIds, Certainty
from verideck.markdown.comments import Comment
from verideck.markdown.faults import PASSAGE, PROBLEMS
from verideck.markdown.file_blocks import FileBlocks, Part, one_block
from verideck.markdown.html import FLOW, pair_blocks
from verideck.markdown.inline import InlineParser
from verideck.markdown.positions import COLUMN, CONTENT, InlineContent, State, place
from verideck.markdown.tasks import TASK
from verideck.model import Link, Passage, Place
from verideck.problems import Code, Problem, Severity

_LINES = "verideck-lines"
"""Key of the parser's environment: its lines."""
_REMEMBERED = 512
"""How many parsed passages are remembered: they take 10 KB each, and what has read a file renders
its cards next."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A passage as tokens, and what in it was left open."""

    tokens: tuple[Token, ...]
    """They are shared by all who parse the passage, and never edited."""
    problems: tuple[Problem, ...]
    links: Mapping[str, Link]
    """The link reference definitions that hold in it: a file's are for all its passages. The notes
    in footnotes are among them."""
    comments: tuple[Comment, ...] = ()
    """Those between its blocks, which no token is left of."""
    definitions: tuple[range, ...] = ()
    """The lines of those that stand in it, counted from 0."""
    footnotes: Mapping[str, tuple[Token, ...]] = field(default_factory=dict)
    """The notes that it refers to, and those that they do, by their names."""


def parse(passage: Passage) -> Parsed:
    """Parse a passage, or return what it was parsed to before.

    Of a passage that is some whole blocks of the file that was read last, only what is inline in
    them is parsed: see `uncommented`.

    Fences, indented code, maths and all inline tokens have a place (see `positions.place`). The
    problems are about what was opened and never closed.
    """
    return _remembered(passage, _definitions(passage.links))


def uncommented(passage: Passage) -> tuple[Passage, Parsed]:
    """Return a file's text with blanks for the comments in its paragraphs, and its blocks.

    Questions are known by their text, and attributes stand at its end: what an author notes there
    belongs to neither. A comment that is not closed in its paragraph is told. Nothing that is
    inline is parsed: that is two thirds of the work, and blocks are enough to see where a file's
    cards are.
    """
    parsed = _blocks_of_file(passage)
    if not any(each in passage.text for each in comments.MARKS):
        return passage, parsed
    lines = passage.text.split("\n")
    written = list(lines)
    found: list[Comment] = []
    for _, content in _contents(parsed.tokens, passage, written):
        if any(each in content.text for each in comments.MARKS):
            for span, is_closed in comments.inside(content, _DIALECT):
                text = content.text[span.start : span.end]
                found.append(Comment(text, content.at(span.start), range(0), is_closed))
                if is_closed:
                    comments.blanked(lines, content, span)
    if any(each.is_closed for each in found):
        passage = replace(passage, text="\n".join(lines))
        parsed = _blocks_of_file(passage)
    unclosed = [_open_comment(each.place) for each in found if not each.is_closed]
    closed = [each for each in found if each.is_closed]
    problems = (*parsed.problems, *unclosed)
    every = sorted([*parsed.comments, *closed], key=lambda each: each.place)
    return passage, replace(parsed, problems=problems, comments=tuple(every))


def unnamed(passage: Passage, *, in_vault: bool) -> tuple[Passage, list[range], list[Problem]]:
    """Return a file's text without the ids of its blocks, the lines of those that stand alone.

    And what is told of them: that a word is taken for one. See `block_ids`.
    """
    ids = BlockIds(passage.text, in_vault=in_vault)
    if not ids.can_be:
        return passage, [], []
    lines, alone, told = passage.text.split("\n"), list[range](), list[Problem]()
    for content, opening, around in _blocks_and_notes(passage):
        is_cell = content.bars is not None
        found = None if is_cell else ids.at_end(content.text, is_heading=opening == "heading_open")
        if not found or (around in {"list_item_open", _NOTE} and not found[0]):
            continue  # an item or a note that holds nothing else is no block with an id
        start, certainty = found
        place = content.at(start)
        row = place.line - passage.place.line
        lines[row] = lines[row][: place.column - 1].rstrip()
        if not lines[row].strip(" \t>"):
            alone.append(range(row, row + 1))
        if certainty is Certainty.LIKELY:
            told.append(_block_id(place))
    return replace(passage, text="\n".join(lines)), alone, told


_NOTE = "note"


def _blocks_and_notes(
    passage: Passage, around: str = ""
) -> Iterator[tuple[InlineContent, str, str]]:
    """Yield what is inline in a passage's blocks, and in those of the notes of its footnotes.

    Each with the type of the token that opens its block, and of the one before that: for the first
    block it is `around`.
    """
    parsed = _parsed_by(_BLOCKS, passage)[1]
    types = [around, *(token.type for token in parsed.tokens)]
    for number, content in _contents(parsed.tokens, passage, passage.text.split("\n")):
        yield content, types[number], types[number - 1] if number else ""
    for _, note in footnotes.notes(parsed.links):
        yield from _blocks_and_notes(note, _NOTE)


def _block_id(at: Place) -> Problem:
    message = "the id of a block is not on the card"
    return Problem(Code.MARK_UNREAD, message, at, r"write \^ if it is text", Severity.WARNING)


def _open_comment(at: Place) -> Problem:
    message = "this comment does not end in its paragraph, so it is text"
    hint = (
        "close it with -->; if it holds blank lines, begin and end it on lines of its own, no "
        "less indented than its list"
    )
    return Problem(Code.COMMENT_UNCLOSED, message, at, hint)


def _definitions(links: Mapping[str, Link]) -> tuple[tuple[object, ...], ...]:
    """A key for the definitions, since passages that differ in them alone are equal."""
    return tuple((name, link.get("href"), link.get("title")) for name, link in links.items())


@lru_cache(maxsize=_REMEMBERED)
def _remembered(passage: Passage, links: tuple[tuple[object, ...], ...]) -> Parsed:  # noqa: ARG001 - part of the key
    parsed = _parsed(passage)
    if "[^" not in passage.text and "^[" not in passage.text:
        return parsed
    problems = list(parsed.problems)

    def note(text: Passage) -> tuple[Token, ...]:
        found = _parsed(text)
        problems.extend(found.problems)
        return found.tokens

    notes = footnotes.referred(parsed.tokens, parsed.links, note)
    return replace(parsed, footnotes=notes, problems=tuple(problems))


class _Last:
    """The blocks of the file that was read last: a file's cards are parsed next."""

    file: FileBlocks | None = None


def _blocks_of_file(passage: Passage) -> Parsed:
    _remembered.cache_clear()  # what has read a file asks for no passage of the one before
    tokens, parsed = _parsed_by(_BLOCKS, passage)
    _Last.file = FileBlocks(passage, tokens, parsed.links, parsed.problems, parsed.definitions)
    return parsed


def _parsed(passage: Passage) -> Parsed:
    if passage.inline:
        taken: Part | None = one_block(passage)
    else:
        taken = _Last.file.part(passage) if _Last.file else None
    if taken is None:
        return _parsed_by(_DIALECT, passage)[1]
    env = _environment(passage)
    env[_LINES] = passage.text.split("\n")
    env[PROBLEMS].update(taken.problems)
    state = StateCore(passage.text, _IN_BLOCKS, env, taken.tokens)
    _IN_BLOCKS.core.process(state)
    return _made(state.tokens, env[PROBLEMS], passage.links, taken.definitions)


def _environment(passage: Passage) -> dict[str, Any]:
    """What the rules of a parser know besides the text."""
    return {
        "references": dict(passage.links),
        PASSAGE: passage,
        PROBLEMS: set[Problem](),
        STEPS: steps_of(passage.text),
    }


def _parsed_by(markdown: MarkdownIt, passage: Passage) -> tuple[Sequence[Token], Parsed]:
    """Parse a passage; return all of its tokens, too, those of comments among them."""
    env = _environment(passage)
    try:
        tokens = markdown.parse(passage.text, env)
    except EntangledError as error:
        return (), Parsed((), (_entangled(passage.at(error.line, 0)),), {})
    links, repeated, problems = env["references"], env.get("duplicate_refs", ()), env[PROBLEMS]
    own = [each for name, each in links.items() if name not in passage.links]
    problems.update(_overruled(repeated, links, passage))
    if markdown is _DIALECT:
        problems.update(_of_no_file(own, passage))
    lines = tuple(range(*each["map"]) for each in (*own, *repeated))
    return tokens, _made(tokens, problems, links, lines)


def _made(
    tokens: Sequence[Token],
    problems: Iterable[Problem],
    links: Mapping[str, Link],
    definitions: tuple[range, ...],
) -> Parsed:
    noted = [each for each in tokens if each.type == "comment"]
    shown = [each for each in tokens if each.type != "comment"] if noted else tokens
    told, notes = tuple(sorted(problems, key=_order)), tuple(map(_comment, noted))
    return Parsed(tuple(shown), told, links, notes, definitions)


def _comment(token: Token) -> Comment:
    lines = range(*token.map) if token.map and token.meta["is_alone"] else range(0)
    return Comment(token.meta["text"], place(token), lines)


def _overruled(
    repeated: Iterable[Mapping[str, Any]], links: Mapping[str, Mapping[str, Any]], passage: Passage
) -> Iterator[Problem]:
    """Yield the definitions of a name that has another address: the first holds in its file."""
    for each in repeated:
        first = links[each["label"]]
        if (each["href"], each["title"]) != (first["href"], first["title"]):
            message = "this address is never used: its name has another one already"
            hint = "give it another name, in brackets where it is meant, too"
            yield _unused(each, message, hint, passage)


def _of_no_file(own: Iterable[Mapping[str, Any]], passage: Passage) -> Iterator[Problem]:
    """Yield the definitions of a passage that are none in its file: they were meant as text."""
    for each in own:
        message = "this line shows nothing: it defines the address of a link"
        yield _unused(each, message, r"write \[ if it is text", passage)


def _unused(definition: Mapping[str, Any], message: str, hint: str, passage: Passage) -> Problem:
    place = passage.at(definition["map"][0], 0)
    return Problem(Code.DEFINITION_UNUSED, message, place, hint, Severity.WARNING)


def _entangled(at: Place) -> Problem:
    message = "quotes and lists are entangled here, and no line says where one ends"
    return Problem(Code.BLOCKS_ENTANGLED, message, at, "put blank lines between them")


def _order(problem: Problem) -> tuple[int, int, str]:
    return problem.place.line, problem.place.column, problem.message


def _locate(state: StateCore) -> None:
    """Give places to the tokens of blocks that have one."""
    passage: Passage = state.env[PASSAGE]
    lines = state.env[_LINES] = passage.text.split("\n")
    for token in state.tokens:
        if token.type not in _LOCATED or not token.map:
            continue
        line = token.map[0]
        column = lines[line].find(token.markup or token.content.lstrip().split("\n")[0])
        token.meta["place"] = passage.at(line, max(column, 0))
        if token.type == "fence":
            token.meta["origin"] = _code_place(token, line + 1, passage, lines)
            if languages.has_double_colon(token.info):
                token.content = cloze.explicit(token.content)
            last = token.map[1] - 1
            if not _closes(token, lines[last] if last > line else ""):
                state.env[PROBLEMS].add(_unclosed(token))
        if maths.is_fence(token):
            maths.take(token)
        if token.type == "math_block":
            state.env[PROBLEMS].update(_faults(token, lines, passage))


_WIDE_SPACE = re.compile(r"^[ \t]*[\u00a0\u2000-\u200a\u3000]", re.MULTILINE)
_INDENTED = re.compile(_WIDE_SPACE.pattern + r"\s*([-*+](?=\s)|\d{1,9}[.)](?=\s)|>|\||`{3}|~{3})")


def _unread(state: StateCore) -> None:
    """Tell of the lines in texts that were meant to begin a block, or a table."""
    _wide_indents(state)
    _lone_rules(state)


def _wide_indents(state: StateCore) -> None:
    """Tell of lines that would begin a block, were they not indented by no-break or wide spaces."""
    passage: Passage = state.env[PASSAGE]
    if not _WIDE_SPACE.search(passage.text):
        return
    lines: Sequence[str] = state.env[_LINES]
    for token in state.tokens:
        for number in range(*token.map) if token.type == "inline" and token.map else ():
            if found := _INDENTED.match(lines[number]):
                message = f"{found[1]} begins nothing behind a no-break or wide space"
                hint = f"indent it by plain spaces: `{_plain(found.group())}`"
                place = passage.at(number, found.start(1))
                problem = Problem(Code.MARK_UNREAD, message, place, hint, Severity.WARNING)
                state.env[PROBLEMS].add(problem)


def _lone_rules(state: StateCore) -> None:
    """Tell of the lines in texts that are written to make a table, and make none."""
    passage: Passage = state.env[PASSAGE]
    if "|" not in passage.text or "-" not in passage.text:
        return
    lines: Sequence[str] = state.env[_LINES]
    problems: set[Problem] = state.env[PROBLEMS]
    told = {each.place.line for each in problems if each.code is Code.TABLE_UNEVEN}
    for token in state.tokens:
        if token.type != "inline" or not token.map or COLUMN in token.meta:
            continue
        for number in range(*token.map):
            line = lines[number].lstrip(" \t>")
            if line[:1] not in {"-", ":", "|"} or not table.is_rule(line):
                continue
            place = passage.at(number, len(lines[number]) - len(line))
            if place.line - 1 not in told:
                message = "no table: the line above this one is no head"
                hint = "a head is a row of text; it begins no list, quotation or heading"
                problem = Problem(Code.TABLE_UNEVEN, message, place, hint, Severity.WARNING)
                problems.add(problem)


def _plain(mark: str) -> str:
    """Return a mark behind plain spaces, as wide as those before it."""
    return re.sub(r"[\u2000-\u200a\u00a0]", " ", mark.replace("\u3000", "  "))


def _faults(token: Token, lines: Sequence[str], passage: Passage) -> Iterator[Problem]:
    """Yield what is wrong in a block of maths."""
    if mathjax.is_unbalanced(token.content):
        code, message, hint = mathjax.UNBALANCED
        yield Problem(code, message, place(token), hint)
    if found := mathjax.unsafe(token.content):
        code, message, hint = mathjax.unsafe_problem(found[0])
        yield Problem(code, message, _place_of(found[0], token, lines, passage), hint)


def _place_of(command: str, token: Token, lines: Sequence[str], passage: Passage) -> Place:
    """The place of the first command of a name in a block of maths, or of the block."""
    assert token.map
    for number in range(*token.map):
        found = re.search(rf"\\{command}(?![A-Za-z])", lines[number])
        if found:
            return passage.at(number, found.start())
    return place(token)


_LOCATED = {"fence", "math_block", "code_block", "comment"}


def _inline(state: StateCore) -> None:
    """Parse the inline content of every block."""
    env, tokens = state.env, state.tokens
    for number, content in _contents(tokens, env[PASSAGE], env[_LINES]):
        token = tokens[number]
        env[CONTENT] = content
        env[FLOW] = token.meta.get(FLOW, False)
        env[TASK] = tasks.may_begin(tokens, number)
        token.children = state.md.inline.parse(token.content, state.md, env, [])
        if env[TASK] and token.children and token.children[0].type == "task":
            tokens[number - 2].attrSet("class", "task")


def _contents(
    tokens: Sequence[Token], passage: Passage, lines: Sequence[str]
) -> Iterator[tuple[int, InlineContent]]:
    """Yield the positions of the blocks that have inline content, and where each of that stands."""
    for number, token in enumerate(tokens):
        if token.type == "inline" and token.map:
            column, bars = token.meta.get(COLUMN, (0, None))
            row = token.map[0]
            yield number, InlineContent(token.content, row, column, passage, lines, [], 0, bars)


def _code_place(fence: Token, line: int, passage: Passage, lines: Sequence[str]) -> Place:
    """The place of a fence's code: what stands before its lines is before every one of them."""
    for number, code in enumerate(fence.content.split("\n")):
        if code.strip() and line + number < len(lines):
            whole = lines[line + number]
            column = len(whole) - len(code) if whole.endswith(code) else 0
            return replace(passage.at(line, 0), column=passage.at(line + number, column).column)
    return passage.at(line, 0)


def _closes(fence: Token, line: str) -> bool:
    """Tell whether a line closes a fence; a fence in a quotation has a `>` before it."""
    closing = line.lstrip(" \t>").rstrip()
    return set(closing) == {fence.markup[0]} and len(closing) >= len(fence.markup)


def _unclosed(fence: Token) -> Problem:
    return Problem(
        Code.FENCE_UNCLOSED,
        f"this fence opens with {fence.markup} and is never closed",
        place(fence),
        f"close it with a line that holds {fence.markup} alone, as far indented as the first",
    )


def _callouts(state: StateCore) -> None:
    """Make callouts, and note where their titles begin: at the end of a line."""
    if "[!" not in state.src:
        return
    callouts.rule(state)
    lines: Sequence[str] = state.env[_LINES]
    for before, token in pairwise(state.tokens):
        if before.type == "callout_title_open" and token.type == "inline" and token.map:
            line = lines[token.map[0]].rstrip()
            token.meta[COLUMN] = len(line) - len(token.content), ()


class _Parser(MarkdownIt):
    """markdown-it, which takes every address for one."""

    def validateLink(self, url: str) -> bool:  # noqa: ARG002, N802 - markdown-it's name
        """Return True: which addresses a card may hold is settled for all alike, and told."""
        return True

    def normalizeLink(self, url: str) -> str:  # noqa: N802 - markdown-it's name
        """Return an address without what no address may hold.

        Rules ask for the same one again, while they look for the end of what it stands in.
        """
        return _normalized(url)


_normalized = lru_cache(maxsize=256)(normalizeLink)


def _parser(core: Sequence[str]) -> MarkdownIt:
    markdown = _Parser("commonmark", {"html": False})
    markdown.block = BlockParser()
    markdown.inline = InlineParser()
    markdown.helpers = destinations
    markdown.core.ruler.after("block", "locate", _locate)
    markdown.core.ruler.after("locate", "unread", _unread)
    markdown.core.ruler.after("unread", "callouts", _callouts)
    markdown.core.ruler.at("inline", _inline)
    markdown.core.ruler.after("inline", "pair", pair_blocks)
    markdown.core.ruler.enableOnly(core)
    return markdown


# Texts come without carriage returns and NUL (see `source.read.text_of`): none is made normal here.
_DIALECT = _parser(["block", "locate", "unread", "callouts", "inline", "pair"])
_BLOCKS = _parser(["block", "locate"])
_IN_BLOCKS = _parser(["unread", "callouts", "inline", "pair"])


def markers(text: str, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """Yield the matches of a pattern at the start of a line, outside of code, maths and links."""
    if not _at_line_starts(pattern).search(text):  # of most texts: they need not be read
        return
    state = State(text, _DIALECT, {}, [])
    at_line_start = True
    while state.pos < len(text):
        if at_line_start and text[state.pos] in " \t":
            state.pos += 1
            continue
        match = pattern.match(text, state.pos) if at_line_start else None
        before = state.pos
        if match:
            yield match
            state.pos = match.end()
        else:
            _DIALECT.inline.skipToken(state)
        # The end of a line is skipped together with the blanks that begin the next one.
        at_line_start = text[before : state.pos].rstrip(" \t").endswith("\n")


@cache
def _at_line_starts(pattern: re.Pattern[str]) -> re.Pattern[str]:
    return re.compile(rf"^[ \t]*(?:{pattern.pattern})", pattern.flags | re.MULTILINE)


def outside(text: str, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """Yield the matches of a pattern in a line of text, outside of code, maths and links.

    Each begins with a character that an inline rule begins or ends with (see `inline`).
    """
    state = State(text, _DIALECT, {}, [])
    while state.pos < len(text):
        if match := pattern.match(text, state.pos):
            yield match
            state.pos = match.end()
        else:
            _DIALECT.inline.skipToken(state)


def walk(tokens: Iterable[Token]) -> Iterator[Token]:
    """Yield every token, blocks and what is inline in them, in reading order."""
    for token in tokens:
        yield token
        if token.children:
            yield from walk(token.children)


def divided(
    answer: Sequence[Token], *, is_needed: bool = False
) -> tuple[Sequence[Token], Sequence[Token]]:
    """Divide an answer at its first thematic break: what stands beneath is an aside.

    Where an answer `is_needed`, as on each card but a cloze card, a break above all text divides
    nothing.
    """
    start, end = 0, len(answer)
    while end and answer[end - 1].type == "hr":
        end -= 1
    while is_needed and start < end and answer[start].type == "hr":
        start += 1
    answer = answer[start:end]
    for number, token in enumerate(answer):
        if token.type == "hr" and token.level == 0:
            return answer[:number], answer[number + 1 :]
    return answer, ()
