"""The inline parser: markdown-it's and our own rules, found by the character that begins them.

markdown-it asks every rule at every character that could begin any of them. Here `RULES` says
which rules a character can begin, so that a rule costs nothing in a text without its marks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline import (
    StateInline,
    autolink,
    backtick,
    emphasis,
    entity,
    escape,
    image,
    link,
    link_pairs,
    newline,
    strikethrough,
)
from markdown_it.token import Token
from markdown_it.utils import EnvType

from verideck.markdown import (
    autolinks,
    cloze,
    comments,
    footnotes,
    html,
    images,
    maths,
    note_links,
    positions,
    sizes,
    stars,
    tasks,
    values,
)
from verideck.markdown.new_tokens import made
from verideck.markdown.positions import CONTENT, Rule, State

RULES: Mapping[str, tuple[Rule, ...]] = {
    "\n": (newline,),
    "\\": (maths.between, escape),
    "&": (entity,),
    "`": (positions.code(backtick),),
    "*": (positions.delimiters(emphasis.tokenize),),
    "_": (positions.delimiters(emphasis.tokenize),),
    "~": (positions.delimiters(strikethrough.tokenize),),
    "[": (
        tasks.rule,
        footnotes.reference,
        maths.between,
        sizes.attributed(positions.labelled(link)),
        sizes.attributed(images.link),
        note_links.link,
        images.undefined,
    ),
    "^": (footnotes.inline,),
    "<": (comments.rule, maths.between, positions.autolink(autolink), html.rule),
    "%": (comments.rule,),
    "!": (
        sizes.attributed(positions.labelled(positions.image(image))),
        sizes.attributed(positions.image(images.rule)),
        note_links.embed,
        images.unread,
    ),
    "$": (maths.rule,),
    "{": (values.rule, cloze.rule, images.figure),
    "=": (cloze.mark,),
}
"""The rules that a character can begin; the first that matches is taken."""

IN_CODE: Mapping[str, tuple[Rule, ...]] = {
    "<": (comments.rule, html.rule),
    "&": (entity,),
    "{": (cloze.rule,),
}
"""The rules in code that tags of HTML begin and end."""

_TEXT = re.compile("[" + re.escape("".join(RULES)) + "]")
_STEP = re.compile("[" + re.escape("".join(RULES) + "]}:") + "]")
"""What a step must not pass over: rules look for the end of a link and of a deletion by steps."""


class InlineParser(ParserInline):
    """Parses by `RULES`; what is registered with markdown-it's `ruler` is not asked."""

    def skipToken(self, state: StateInline) -> None:  # noqa: N802 - markdown-it's name
        """Step over one construct, or over text up to where one could begin."""
        start = state.pos
        if start in state.cache:
            state.pos = state.cache[start]
            return
        assert isinstance(state, State)
        if state.level >= state.md.options["maxNesting"]:
            state.pos = state.posMax
        elif not _STEP.match(state.src, start):
            end = _STEP.search(state.src, start, state.posMax)
            state.pos = end.start() if end else state.posMax
        elif not _stepped(state):
            state.pos = start + 1
        state.cache[start] = state.pos

    def tokenize(self, state: StateInline) -> None:
        """Push the tokens of the text from the state's position to its end."""
        assert isinstance(state, State)
        source, end = state.src, state.posMax
        nests = state.level < state.md.options["maxNesting"]
        rules = IN_CODE if state.is_code else RULES
        while state.pos < end:
            start = state.begun = state.pos
            for rule in rules.get(source[start], ()) if nests else ():
                if rule(state, False):  # noqa: FBT003 - markdown-it's signature
                    break
            else:
                found = _TEXT.search(source, start + 1, end)
                stop = found.start() if found else end
                state.append_pending(source[start:stop])
                state.pos = stop
        if state.pending:
            state.pushPending()

    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        """Parse a block's inline content; `env` has where it was written."""
        if not _TEXT.search(src) and not autolinks.may_begin(src):  # most headings and cells
            return _text(src, env)
        state = State(src, md, env, tokens)
        state.content = env.get(CONTENT)
        self.tokenize(state)
        if state.has_pairs:
            html.pair(state)
        if state.delimited:
            link_pairs(state)
            strikethrough.postProcess(state)
            emphasis.postProcess(state)
            stars.tell(state)
        positions.join(state)
        autolinks.link(state)
        return state.tokens


def _text(src: str, env: EnvType) -> list[Token]:
    """The tokens of content without a mark."""
    if not src:
        return []
    text = made("text", "", 0, 0)
    text.content, text.meta = src, {"offset": 0, "content": env.get(CONTENT)}
    return [text]


def _stepped(state: State) -> bool:
    state.level += 1  # as markdown-it does, to bound how deep rules call one another
    for rule in RULES.get(state.src[state.pos], ()):
        if rule(state, True):  # noqa: FBT003 - markdown-it's signature
            state.level -= 1
            return True
    state.level -= 1
    return False
