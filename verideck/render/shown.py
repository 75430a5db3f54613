r"""Note -> ShownNote. Cards for whoever reads them without Anki.

The sides are those of `faces`, with what Anki's programs add to them: the answer in place of an
input, players in place of marks for sounds, and MathML in place of `\(…\)`, which MathJax sets in
Anki.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path

from verideck.markdown.html_tags import AS_WRITTEN
from verideck.model import Card, Media, Note, NoteType, ShownCard, ShownNote, short
from verideck.problems import Code, Problem, Problems, Severity
from verideck.render.faces import CardFaces, faces
from verideck.render.mathml import TexError, mathml
from verideck.render.sanitized import whole

_SOUND = re.compile(r"\[sound:([^\]<>\"]+)\]")
_FILMS = frozenset({".mp4", ".webm", ".mkv", ".mov"})
_RULE = "<hr id=answer>"
_BLANK = '<div class="blank"></div>'
"""Where an answer is to be typed, or written on paper."""
_TAG = re.compile(r"""(<(?:"[^"]*+"|'[^']*+'|[^'">])*+>)""")
_NAME = re.compile(r"<(/?)([A-Za-z0-9]+)")
_SHORT = 24
"""Characters of a formula in a line that fits every screen."""
_FORMULA = re.compile(r"\\\((?P<inline>.*?)\\\)|\\\[(?P<display>.*?)\\\]", re.DOTALL)


def shown(
    note: Note, card: Card, note_type: NoteType, *, problems: Problems, as_cards: bool
) -> ShownNote:
    """Return a note, maybe with its cards. Reports the formulas that stay TeX on them."""
    if not as_cards:
        return ShownNote(note, card, ())
    sides = [
        ShownCard(
            each.number,
            _side(each.front.replace("[[type:Answer]]", _BLANK), note, problems),
            _side(_added(each).replace("[[type:Answer]]", _typed(note)), note, problems),
        )
        for each in faces(note, note_type, repeats_front=False)
    ]
    return ShownNote(note, card, tuple(sides))


def _added(face: CardFaces) -> str:
    """What the back adds to the front: it may say the front once more, above a rule."""
    above, rule, below = face.back.partition(_RULE)
    return below if rule and above.strip() in face.front else face.back


def _typed(note: Note) -> str:
    return f"<p>{note.fields['Answer']}</p>"


def _side(html: str, note: Note, problems: Problems) -> str:
    media = {each.name: each for each in note.media}
    players = _SOUND.sub(lambda mark: _player(mark, media.get(mark[1])), html)
    return "".join(_with_maths(whole(players), note, problems)).strip()


def _player(mark: re.Match[str], media: Media | None) -> str:
    if media is None:
        return mark[0]
    tag = "video" if Path(media.name).suffix in _FILMS else "audio"
    return f'<{tag} controls src="{escape(media.name)}"></{tag}>'


def _with_maths(html: str, note: Note, problems: Problems) -> Iterator[str]:
    """Yield the tags of a side, and its texts with their formulas converted, but for code."""
    as_written = 0
    for number, piece in enumerate(_TAG.split(html)):
        if number % 2:
            tag = _NAME.match(piece)
            if tag and tag[2] in AS_WRITTEN:
                as_written += -1 if tag[1] else 1
        elif not as_written and "\\" in piece:
            piece = _FORMULA.sub(lambda found: _formula(found, note, problems), piece)  # noqa: PLW2901 - what it becomes
        yield piece


def _formula(found: re.Match[str], note: Note, problems: Problems) -> str:
    display = found["display"] is not None
    tex = unescape(found["display"] if display else found["inline"])
    try:
        converted = mathml(tex, display=display)
    except TexError as error:
        message = f"a formula stays TeX outside of Anki, {short(tex.strip())}: {error}"
        hint = "write it by commands of LaTeX that MathML knows, or read it in Anki"
        problems.report(Problem(Code.MATHS_AS_TEX, message, note.place, hint, Severity.WARNING))
        return f'<code class="tex">{escape(tex.strip(), quote=False)}</code>'
    is_wide = not display and len(tex) > _SHORT
    return f'<span class="formula">{converted}</span>' if is_wide else converted
