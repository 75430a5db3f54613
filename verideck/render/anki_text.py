r"""Guards text against what Anki would act on: marks for sounds, LaTeX, deletions, and MathJax.

Anki looks for its marks in the HTML of a field as text, whatever they stand in: prose, code, an
attribute. An HTML comment inside of a mark guards it where comments can stand; an entity guards it
everywhere. MathJax reads text as the browser shows it, without comments, and stops at any other
element; it passes over code.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from html import escape

MARKS = ("sound:", "anki:", "latex]", "$", "[type:")
"""What stands behind the bracket of a mark that Anki acts on. That of LaTeX may be in any case."""
_READ = re.compile(rf"\[(?={'|'.join(map(re.escape, MARKS))})", re.IGNORECASE)
"""What begins a mark."""
_PARTS = {each[:end] for each in MARKS for end in range(len(each))}
_BEGUN = re.compile(rf"\[(?=(?:{'|'.join(map(re.escape, sorted(_PARTS)))})\Z)", re.IGNORECASE)
"""What would begin one, if another field stood behind it in a template."""
_COMPLETES = re.compile(
    r"(?<=::)(?:s(?=ound:)|a(?=nki:)|\[(?=type:)|l(?=atex(?:\]|\}\}))|\$(?=\$?(?:\]|\}\})))",
    re.IGNORECASE,
)
"""What may be a hint that completes a mark: Anki shows it in brackets of its own."""
_OPENS_MATHS = re.compile(r"\\(?=[()\[\]])")
_CLOSING = re.compile(r"\}(?=\}|$)")
_COLON = re.compile(r":(?=:)")
_DELETION = re.compile(r"\{(?=\{c[\d,])")
_SEVERAL = re.compile(r"\{(?=\{c\d*,[\d,]*::)")
"""A deletion with several numbers. The dialect has none, so it is text."""
_OCCLUSION = re.compile(r"(?<=::image-occlusion):")
"""A deletion that begins so is no text to Anki, but attributes of a shape, which it does not
escape."""


def hidden(text: str) -> str:
    """Return the text of a deletion with comments inside of `}}` and `::`, which would close it."""
    return _CLOSING.sub("}<!-- -->", _COLON.sub(":<!-- -->", text))


def literal(text: str) -> str:
    r"""Return the HTML of code with comments inside of Anki's marks, and of `\(` and its like.

    Between `\(` and `\)` Anki strips tags from a deletion's field, and comments with them.
    """
    if "\\" in text:
        text = _OPENS_MATHS.sub(r"\\<!-- -->", text)
    return _READ.sub("[<!-- -->", text) if "[" in text else text


def prose(text: str) -> str:
    r"""Return the HTML of text outside of code, guarded as code is; no `\` in it is TeX's.

    An empty element behind each keeps MathJax from taking it for maths, or into maths.
    """
    if "\\" in text:
        text = text.replace("\\", r"\<span></span>")
    return _READ.sub("[<!-- -->", text) if "[" in text else text


def attribute(text: str) -> str:
    """Return text as the value of an HTML attribute in quotes, without marks."""
    return in_tag(escape(text))


def in_tag(tag: str) -> str:
    """Return an HTML tag with no mark in its attributes, and no bound of a deletion either.

    Anki puts tags of its own in the place of a deletion, and their quotes would end the attribute.
    """
    tag = _READ.sub("&#91;", tag) if "[" in tag else tag
    tag = without_deletions(tag) if "{{" in tag else tag
    tag = _CLOSING.sub("&#125;", tag) if "}" in tag else tag
    return _COLON.sub("&#58;", tag) if "::" in tag else tag


def hint(text: str) -> str:
    """Return a deletion's hint, as it stands behind the text that is hidden; empty if it is."""
    return f"::{hidden(prose(escape(text, quote=False)))}" if text else ""


def tex(text: str) -> str:
    r"""Return TeX, with or without deletions, as the HTML between `\(` and `\)`.

    A comment would not hold there: Anki strips it. Where a deletion or its hint could complete a
    mark, no bracket is left. A command that acts in Anki (see `mathjax.unsafe`) is not left either:
    its author was told.
    """
    from verideck.markdown import mathjax  # noqa: PLC0415 - where nothing is rendered, it need not be

    if mathjax.unsafe(text):
        text = mathjax.disarmed(text)
    if len(text) - len(text.rstrip("\\")) & 1:
        text += " "  # or the `\` would take that of the closing `\)` along
    html = escape(text, quote=False)
    if "[" in html:
        whole = mathjax.readings(text)
        html = html.replace("[", "&#91;") if any(map(_READ.search, whole)) else html
    return html


def hidden_maths(text: str) -> str:
    """Return the TeX of a deletion with spaces inside of `}}` and `::`.

    In TeX a space changes nothing, and a comment would be shown.
    """
    return _CLOSING.sub("} ", _COLON.sub(": ", text))


def without_deletions(text: str) -> str:
    """Return the HTML of a field of a cloze note in which Anki finds no deletion.

    Anki makes a card of a deletion in any field, also in one that no template shows.
    """
    return _DELETION.sub("&#123;", text)


def inert(html: str, sounds: Collection[str] = ()) -> str:
    """Return the HTML of a whole field in which Anki finds no mark but those of its own `sounds`.

    Nor does its end begin one, whatever stands behind it in a template.

    The last door of every field: what was guarded before is left as it is.
    """
    if "{{c" in html:
        html = _OCCLUSION.sub("&#58;", _SEVERAL.sub("&#123;", html))
        html = _COMPLETES.sub(lambda first: f"&#{ord(first.group())};", html)
    if "[" not in html:
        return html

    def guarded(mark: re.Match[str]) -> str:
        return "[" if any(html.startswith(each, mark.start()) for each in sounds) else "&#91;"

    return _BEGUN.sub("&#91;", _READ.sub(guarded, html))
