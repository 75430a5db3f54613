"""HTML: tags among Markdown, wherever they stand; what stands between them is Markdown.

Only the tags of `html_tags.TAGS` are tags. Every other, and one without a partner, is text, and is
told. What stands in code is as it is written there, but for deletions.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from itertools import accumulate

from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline.state_inline import Delimiter
from markdown_it.token import Token

from verideck.markdown.containers import is_inside, is_left_of
from verideck.markdown.faults import PROBLEMS, report
from verideck.markdown.first import firsts
from verideck.markdown.html_pairs import CLOSE, OPEN, Pairs
from verideck.markdown.html_tags import (
    AS_WRITTEN,
    VOID,
    Tag,
    begins_block,
    only_tags,
    player_at,
    tag_at,
    tags_in,
    unknown_at,
)
from verideck.markdown.new_tokens import copied
from verideck.markdown.positions import State, place
from verideck.problems import Code, Problem, Severity

FLOW = "verideck-flow"
"""Key of a token's `meta`, and of the parser's environment: its content is in no paragraph."""
_OPENED = "verideck-opened"
"""Key of the parser's environment: where a block begins, how far its tags are counted, and which
of them are open there."""
_SHOWN = 40
_IN_BACKTICKS = (
    "code stands in `backticks`; of HTML a card shows what marks text up and lays it out"
)

_AS_MEDIA = 'write ![](sound.mp3); or <audio src="sound.mp3"></audio>, with nothing else in it'
_PLAYERS = ("audio", "video")


def block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Match lines that begin with a tag of a block: inline content without a paragraph around it.

    They end where a paragraph would, so that Markdown beneath a tag is Markdown. A line of nothing
    but tags is one, too, where it begins a text, or ends what no line of the text above begins:
    they may stand around blocks, as `<b>` does.
    """
    begin = state.bMarks[start_line] + state.tShift[start_line]
    end = state.eMarks[start_line]
    name = begins_block(state.src, begin, end)
    if silent:
        return name != "" or _ends_around(state, begin, end)
    if not name and state.src[begin : begin + 1] == "<":
        name = only_tags(state.src, begin, end)
    if not name:
        return False
    behind = _behind_pre(state, start_line, end_line) if name == "pre" else None
    behind = behind or _behind(state, start_line, end_line)
    token = state.push("inline", "", 0)
    token.content = state.getLines(start_line, behind, state.blkIndent, keepLastLF=False).strip()
    token.map = [start_line, behind]
    token.children = []
    token.meta = {FLOW: True}
    state.line = behind
    return True


def _ends_around(state: StateBlock, begin: int, end: int) -> bool:
    """Whether a line below the first one of a block only ends tags that are not begun in it."""
    if state.src[begin : begin + 2] != "</":
        return False
    name = only_tags(state.src, begin, end)
    return name != "" and not _opened(state, begin)[name]


def _opened(state: StateBlock, stop: int) -> Counter[str]:
    """Count the tags that are open at a position, of those in the block that is being read.

    What was counted for a line above is not counted again.
    """
    start = state.bMarks[state.line]
    opened: Counter[str]
    known, last, opened = state.env.get(_OPENED, (-1, 0, Counter()))
    if known != start or last > stop:
        last, opened = start, Counter()
    for is_end, name in tags_in(state.src, last, stop):
        opened[name] = max(opened[name] + (-1 if is_end else 1), 0)
    state.env[_OPENED] = start, stop, opened
    return opened


def _behind(state: StateBlock, start: int, end: int) -> int:
    interrupting = state.md.block.ruler.getRules("paragraph")
    for line in range(start + 1, end):
        if state.isEmpty(line) or is_left_of(state, line):
            return line
        if any(rule(state, line, end, True) for rule in interrupting):  # noqa: FBT003 - markdown-it's signature
            return line
    return end


def _behind_pre(state: StateBlock, start: int, end: int) -> int | None:
    """The line behind that of `</pre>`: blank lines are part of it."""
    mark = "</pre>"
    found = firsts(state.env, state.src)(mark, state.bMarks[start])
    last = bisect_left(state.eMarks, found)
    is_closed = found >= 0 and is_inside(state, start, last, end, mark)
    return last + 1 if is_closed else None


def rule(state: State, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Match a tag; of code, and of what plays a sound or a film, the whole element."""
    if player := player_at(state.src, state.pos, state.posMax):
        if not silent:
            _push_image(state, {"src": player.source})
        state.pos += len(player.text)
        return True
    tag = tag_at(state.src, state.pos, state.posMax)
    if tag is None:
        unknown = "" if silent else unknown_at(state.src, state.pos, state.posMax)
        if unknown:
            is_player = unknown.strip("</").lower().startswith(_PLAYERS)
            hint = _AS_MEDIA if is_player else _IN_BACKTICKS
            _tell(state, f"{_short(unknown)} is shown as it is written", hint)
        return False
    behind = state.pos + len(tag.text)
    end = _end_of_code(state, tag, behind)
    if silent:
        state.pos = behind if end is None else end
        return True
    if not _push(state, tag):
        return False
    state.pos = behind
    if end is not None:
        limit, state.posMax = state.posMax, end
        state.is_code = True
        state.md.inline.tokenize(state)
        state.is_code, state.posMax = False, limit
    return True


def _end_of_code(state: State, tag: Tag, start: int) -> int | None:
    """Where the end of an element of code begins, if the tag begins one."""
    if state.is_code or tag.is_end or tag.name not in AS_WRITTEN:
        return None
    end = state.first(f"</{tag.text[1 : 1 + len(tag.name)]}>", start)
    return end if 0 <= end < state.posMax else None


def _push(state: State, tag: Tag) -> bool:
    """Push the token of a tag; none for an image without a picture, or the end of what has none."""
    if tag.name in VOID and (
        tag.is_end or (tag.name == "img" and "src" not in dict(tag.attributes))
    ):
        _tell(state, f"{_short(tag.text)} is shown as it is written", "nothing of it can be seen")
        return False
    if tag.left_out:
        what = ", ".join(tag.left_out)
        message = f"{what} of <{tag.name}> is left out"
        report(state, Code.HTML_LEFT_OUT, message, "a card has no place for it", Severity.WARNING)
    if tag.name == "img":
        _push_image(state, dict(tag.attributes))
    elif tag.name == "br":
        state.push("hardbreak", "br", 0)
    else:
        kind = CLOSE if tag.is_end else "html_void" if tag.name in VOID else OPEN
        token = state.push(kind, tag.name, 0)
        token.markup = tag.text
        token.attrs = dict(tag.attributes)
        state.has_pairs = state.has_pairs or kind != "html_void"
        if tag.name == "a":
            state.linkLevel = max(state.linkLevel + (-1 if tag.is_end else 1), 0)
    return True


def _push_image(state: State, attributes: dict[str, str]) -> None:
    """Push the token of a picture, or of what is played: its file decides which it is."""
    token = state.push("image", "img", 0)
    token.content = attributes.pop("alt", "")
    token.attrs = {**attributes, "alt": ""}
    token.children = []


def pair(state: State) -> None:
    """Find the partners of a paragraph's tags; the others are text.

    Emphasis that begins in an element ends in it. What stands in no paragraph may have its partner
    in another block, so it waits for `pair_blocks`.
    """
    pairs = Pairs()
    waiting: list[Token] = []
    is_flow = state.env.get(FLOW, False)
    for token in state.tokens:
        if token.type in {OPEN, CLOSE}:
            waiting += [token] if is_flow and pairs.is_outside else []
            pairs.take(token)
        elif token.nesting > 0:
            pairs.enter()
        elif token.nesting < 0:
            pairs.leave()
    pairs.finish()
    _divide_emphasis(state)
    for token in waiting:
        token.meta.pop("pair", None)
        token.meta.pop("ends", None)
    known = set(map(id, waiting))
    for token in [*pairs.left, *pairs.outer]:
        if id(token) not in known:
            _alone(token, state.env[PROBLEMS])
    for opening, closing in pairs.joined:
        if id(opening) not in known:
            _link(opening, closing)


def _divide_emphasis(state: State) -> None:
    """Give each element marks of emphasis of its own."""
    if not state.delimited:
        return
    element = 0
    opened: list[int] = []
    elements: list[int] = []
    for number, token in enumerate(state.tokens):
        if token.type in {OPEN, CLOSE}:
            is_pair = "pair" in token.meta
            for _ in range(len(token.meta.get("ends", ())) + (is_pair and token.type == CLOSE)):
                element = opened.pop()
            if token.type == OPEN and is_pair:
                opened.append(element)
            if not is_pair or token.type == OPEN:
                element = number + 1
        elements.append(element)
    for delimiters in [
        state.delimiters,
        *(meta["delimiters"] for meta in state.tokens_meta if meta),
    ]:
        groups: dict[int, list[Delimiter]] = {}
        for each in delimiters:
            groups.setdefault(elements[each.token], []).append(each)
        first, *others = [*groups.values(), []][: len(groups) or 1]
        delimiters[:] = first
        state.tokens_meta.extend({"delimiters": group} for group in others)


def _link(opening: Token, closing: Token) -> None:
    """Make a link of `<a href="…">`: it is rendered as any other."""
    if opening.tag == "a" and "href" in opening.attrs:
        opening.type, opening.nesting = "link_open", 1
        closing.type, closing.nesting = "link_close", -1
        closing.attrs = {}


def pair_blocks(state: StateCore) -> None:
    """Find the partners of tags that stand in no paragraph, between the blocks of a text."""
    if "<" not in state.src or not any(FLOW in token.meta for token in state.tokens):
        return
    pairs = Pairs()
    at: dict[int, int] = {}
    for number, token in enumerate(state.tokens):
        for child in _unpaired(token):
            at[id(child)] = number
            pairs.take(child)
        if token.nesting > 0:
            pairs.enter()
        elif token.nesting < 0:
            pairs.leave()
    pairs.finish()
    for token in [*pairs.left, *pairs.outer]:
        _alone(token, state.env[PROBLEMS])
    deeper = [0] * (len(state.tokens) + 1)
    for opening, closing in pairs.joined:
        _link(opening, closing)
        deeper[at[id(opening)] + 1] += 1
        deeper[max(at[id(closing)], at[id(opening)] + 1)] -= 1
    for number, depth in enumerate(accumulate(deeper)):
        if depth:  # what stands in an element is not at the top of its answer
            token = state.tokens[number] = copied(state.tokens[number])
            token.level += depth


def _unpaired(token: Token) -> list[Token]:
    """The tags of content in no paragraph whose partners are not in it."""
    children = token.children or () if token.meta.get(FLOW) else ()
    return [each for each in children if each.type in {OPEN, CLOSE} and "pair" not in each.meta]


def _alone(token: Token, problems: set[Problem]) -> None:
    """Make text of a tag, and tell of it."""
    message = f"{_short(token.markup)} has no partner here, so it is shown as it is written"
    hint = "what it opens ends in the same paragraph, list and emphasis"
    problems.add(Problem(Code.HTML_SHOWN, message, place(token), hint, Severity.WARNING))
    token.type, token.tag, token.content, token.attrs = "text", "", token.markup, {}


def _tell(state: State, message: str, hint: str) -> None:
    report(state, Code.HTML_SHOWN, message, hint, Severity.WARNING)


def _short(tag: str) -> str:
    return tag if len(tag) <= _SHOWN else f"{tag[:_SHOWN]}…"
