"""Card -> what a check tells of its look. No HTML is written, which would take most of the time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from verideck.markdown import Token, cloze
from verideck.model import ProvenCard
from verideck.render.fields import LARGEST, Writer, rendered
from verideck.render.highlight import Highlighter
from verideck.render.look import Rendered, without_html
from verideck.storage.named_files import NamedFiles

_OF_A_TOKEN, _OF_A_CHARACTER = 500, 100
"""Bytes of HTML that come at most of a token, and of each character of its content: in code, one
may be a line with its number and a keyword at once."""


def told(
    proven: ProvenCard, root: Path, highlighter: Highlighter, named: NamedFiles | None = None
) -> Rendered:
    """Return what `render.fields.rendered` tells of a card, and the files that it shows.

    Nothing else is returned, and nothing was executed of the card. Only of one that may be too
    large all is rendered, to know how large it is.
    """
    teller = _Teller(proven, root, highlighter, named or NamedFiles(root))
    written = teller.written()  # what is to be typed, which is no passage, and words of ours
    around = len(written) * (_OF_A_TOKEN + _OF_A_CHARACTER * len(proven.card.language))
    if teller.most + around + _OF_A_CHARACTER * sum(map(len, written.values())) > LARGEST:
        return without_html(rendered(proven, root, highlighter, named))
    return Rendered({}, "", images=teller.attached.files, problems=teller.told)


class _Teller(Writer):
    """Goes the way of the writer, through the same parts of the card, and writes none."""

    most = 0
    """Bytes that the HTML of what was gone through has at most, in no field yet."""

    def passage(
        self,
        tokens: Sequence[Token],
        numbers: cloze.Numbers | None = None,  # noqa: ARG002 - as the writer has it
    ) -> str:
        """Settle links and media, and look at what the card's parts are shown for."""
        self._look_at(self.attached.settled(tokens))
        return ""

    def code(self, code: str, *_: object) -> str:
        """Count code: it may come from a file that the fence includes."""
        self.most += _OF_A_CHARACTER * len(code)
        return ""

    def _look_at(self, tokens: Sequence[Token]) -> None:
        for token in tokens:
            length = len(token.content) + len(token.info)
            if token.attrs:
                length += sum(len(str(value)) for value in token.attrs.values())
            self.most += _OF_A_TOKEN + _OF_A_CHARACTER * length
            if token.type == "inline":
                self._look_at(token.children or ())
            elif token.type == "fence":
                self.fence(token, ())
            elif token.type == "footnote":
                self.footnote(token.info)
