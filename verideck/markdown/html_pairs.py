"""Which opening and closing tags of HTML belong together: a tag without a partner is text.

Pairs stand in one another, in the text between other marks and in the same list or quotation. So
whatever an author leaves open, no element reaches further than its answer, and none cuts another.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from markdown_it.token import Token

from verideck.markdown.html_tags import ENDED_BY, OPTIONAL

OPEN, CLOSE = "html_open", "html_close"


@dataclass(slots=True)
class _Level:
    """What is open between two marks that hold other text."""

    tokens: list[Token] = field(default_factory=list)
    names: Counter[str] = field(default_factory=Counter)


class Pairs:
    """Tags on their way through a text. `meta["pair"]` of one is the other.

    Where an end may be left out and is, `meta["ends"]` of what ends it names it.
    """

    def __init__(self) -> None:
        """Begin at the beginning of a text."""
        self._levels = [_Level()]
        self.left: list[Token] = []
        """Those without a partner."""
        self.outer: list[Token] = []
        """Those without a partner that stand in no mark and in no pair: a text around this one may
        have it."""
        self.joined: list[tuple[Token, Token]] = []
        """What was found to belong together; the second is what ends the first."""

    @property
    def is_outside(self) -> bool:
        """Whether no mark that holds other text is open."""
        return len(self._levels) == 1

    def enter(self) -> None:
        """Come to a mark that holds what follows: nothing in it is closed outside of it."""
        self._levels.append(_Level())

    def leave(self) -> None:
        """Come to the end of such a mark."""
        if not self.is_outside:
            self.left += self._levels.pop().tokens

    def take(self, token: Token) -> None:
        """Come to a tag."""
        level = self._levels[-1]
        name = token.tag
        if token.type == OPEN:
            while level.tokens and level.tokens[-1].tag in ENDED_BY.get(name, ()):
                self._end_by(token)
            level.tokens.append(token)
            level.names[name] += 1
        elif not level.names[name]:
            (self.outer if self.is_outside else self.left).append(token)
        else:
            while level.tokens[-1].tag != name:
                if level.tokens[-1].tag in OPTIONAL:
                    self._end_by(token)
                else:
                    self.left.append(self._pop())
            self._join(self._pop(), token)

    def finish(self) -> None:
        """Come to the end of the text."""
        while not self.is_outside:
            self.leave()
        self.outer += self._levels[0].tokens

    def _pop(self) -> Token:
        level = self._levels[-1]
        token = level.tokens.pop()
        level.names[token.tag] -= 1
        return token

    def _end_by(self, token: Token) -> None:
        ended = self._pop()
        ended.meta["pair"] = token
        token.meta["ends"] = (*token.meta.get("ends", ()), ended.tag)
        self.joined.append((ended, token))

    def _join(self, opening: Token, closing: Token) -> None:
        opening.meta["pair"], closing.meta["pair"] = closing, opening
        self.joined.append((opening, closing))
