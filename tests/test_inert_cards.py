"""What reaches Anki is inert: nothing on a card plays, typesets, links or runs but what it may."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from projects import DOT, project
from test_faces import Desk
from test_markdown import cards, found, known, render

from verideck.markdown import mathjax
from verideck.model import FIELDS, Kind, Note
from verideck.problems import Code, Problem
from verideck.render.note_types import notetype


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A collection of the real Anki with our note types."""
    one = Desk(tmp_path_factory.mktemp("desk"))
    for kind in Kind:
        one.add(notetype(kind))
    yield one
    one.collection.close()


# The judges


class Read(HTMLParser):
    """What a browser makes of a face: its tags, and the stretches of text that MathJax reads.

    MathJax joins texts across comments and line breaks, stops at any other tag, and passes over
    code (`HTMLDomStrings` and `skipHtmlTags` of MathJax 3).
    """

    def __init__(self, html: str) -> None:
        """Read HTML."""
        super().__init__(convert_charrefs=True)
        self.stretches = [""]
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._code = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag; another stretch begins."""
        self.tags.append((tag, dict(attrs)))
        if tag == "br":
            self.stretches[-1] += "\n"
        else:
            self.stretches.append("")
        self._code += tag in {"pre", "code"}

    def handle_endtag(self, tag: str) -> None:
        """Begin another stretch."""
        self.stretches.append("")
        self._code -= tag in {"pre", "code"}

    def handle_data(self, data: str) -> None:
        """Add text to the stretch, unless it is code."""
        if not self._code:
            self.stretches[-1] += data

    @property
    def formulas(self) -> Iterator[str]:
        """The formulas that MathJax finds (`FindTeX`)."""
        for text in self.stretches:
            position = 0
            while opening := re.compile(r"\\([(\[])").search(text, position):
                position = opening.end()
                depth, closing = 0, {"(": ")", "[": "]"}[opening[1]]
                for step in re.compile(r"\\(?:[a-zA-Z]|.)|[{}]", re.DOTALL).finditer(
                    text, position
                ):
                    if step.group() == f"\\{closing}" and depth == 0:
                        yield text[position : step.start()]
                        position = step.end()
                        break
                    depth = max(depth + (step.group() == "{") - (step.group() == "}"), 0)


def harms(desk: Desk, note: Note) -> Iterator[str]:
    """What the real Anki would play, typeset or run of a note that has no sound."""
    latex = desk.collection._backend.extract_latex  # noqa: SLF001 - what `anki.latex` calls
    for name in FIELDS:
        for each in latex(text=note.fields[name], svg=False, expand_clozes=True).latex:
            yield f"LaTeX in {name}: {each.latex_body}"
        if re.search(r"\[sound:", note.fields[name]):  # media check, exports and AnkiWeb look so
            yield f"a sound in {name}"
    model = desk.collection.models.by_name(notetype(note.kind).name)
    assert model
    made = desk.collection.new_note(model)
    for name in FIELDS:
        made[name] = note.fields[name]
    numbers = made.cloze_numbers_in_fields() if note.kind is Kind.CLOZE else [1]
    for number in numbers:
        output = made.ephemeral_card(ord=number - 1, fill_empty=True).render_output()
        if output.question_av_tags or output.answer_av_tags:
            yield f"sounds: {output.question_av_tags} {output.answer_av_tags}"
        for face in output.question_text, output.answer_text:
            yield from _harms_of(desk, face, note.kind)


def _harms_of(desk: Desk, face: str, kind: Kind) -> Iterator[str]:
    latex = desk.collection._backend.extract_latex  # noqa: SLF001 - what `anki.latex` calls
    for each in latex(text=face, svg=False, expand_clozes=False).latex:
        yield f"LaTeX on a face: {each.latex_body}"
    if face.count("[[type:") > (kind is Kind.TYPED) or re.search(r"\[anki:", face):
        yield f"a mark of Anki's: {face}"
    read = Read(re.sub(r"<style>.*?</style>", "", face, flags=re.DOTALL))
    for tag, attributes in read.tags:
        wrong = set(attributes) - ATTRIBUTES
        if wrong or tag not in TAGS or "data-shape" in attributes:
            yield f"<{tag} {attributes}>"
        if (attributes.get("href") or "").strip().lower().startswith(("javascript", "vbscript")):
            yield f"a link to {attributes['href']}"
    for formula in read.formulas:
        if name := mathjax.unsafe(formula):
            yield f"maths with {name}: {formula}"


ATTRIBUTES = {
    *("class", "href", "title", "src", "alt", "lang", "style", "start", "id"),
    *("data-cloze", "data-ordinal"),
}
TAGS = {
    *("p", "br", "em", "strong", "s", "mark", "a", "img", "code", "pre", "span", "div", "hr"),
    *("ul", "ol", "li", "blockquote", "table", "thead", "tbody", "tr", "th", "td"),
    *("h1", "h2", "h3", "h4", "h5", "h6"),
    *("section", "footer", "details", "summary", "figure"),
}

# What an attacker would write, and where

MARKS = [
    r"[latex]\input{/etc/passwd}[/latex]",
    r"[LaTeX]\input{/etc/passwd}[/LATEX]",
    r"[$]\input{/etc/passwd}[/$]",
    r"[$$]\input{/etc/passwd}[/$$]",
    "[sound:evil.mp3]",
    "[anki:tts lang=en_US]evil[/anki:tts]",
    "[[type:Question]]",
    r"\\(\\href{javascript:alert(1)}{x}\\)",
    r"&#92;(&#92;href{javascript:alert(1)}{x}&#92;)",
    r"\(\href{javascript:alert(1)}{x}\)",
    r"\[\require{html}\style{position:fixed}{x}\]",
    '{{c1::image-occlusion:rect:fill=red" onmouseover="alert(1)}}',
    '{{c1,2::image-occlusion:rect:left=1" onclick="alert(1)}}',
    "{{c1::x::latex}} y [/latex]",
    "{{c1::x::$}} y [/$]",
    "{{c1::x::sound:evil.mp3}}",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "--><b onclick=alert(1)>",
]
CONTEXTS = {
    "text": "## What? {#q}\n\nIt is %s so.\n",
    "question": "## What %s?\n\nSo.\n",
    "list": "- What?\n  - %s\n",
    "table": "## What? {#q}\n\n| a | b |\n|---|---|\n| %s | c |\n",
    "emphasis": "## What? {#q}\n\n**%s** and *%s*\n",
    "escaped": "## What? {#q}\n\n\\%s\n",
    "inline code": "## What? {#q}\n\n`%s`\n",
    "indented code": "## What? {#q}\n\nSo:\n\n    %s\n",
    "fence": "## What? {#q}\n\n```text\n%s\n```\n",
    "Python": "## What? {#q}\n\n```python\n# %s\n```\n",
    "output": "## What? {#q}\n\n```python\nprint()\n```\n\n```output\n%s\n```\n",
    "check": "## What? {#q}\n\n```python\nx = 1\n```\n\n```python {.check}\n# %s\n```\n",
    "maths": "## What? {#q}\n\nIt is $a %s b$.\n",
    "two dollars": "## What? {#q}\n\nIt is $$a %s b$$ so.\n",
    "block": "## What? {#q}\n\n$$\na %s b\n$$\n",
    "text in maths": "## What? {#q}\n\nIt is $\\text{%s}$.\n",
    "alt": "## What? {#q}\n\n![%s](data:image/png;base64,AAAA)\n",
    "link": "## What? {#q}\n\n[%s](http://x.y/)\n",
    "link title": "## What? {#q}\n\n[x](http://x.y/ '%s')\n",
    "address": "## What? {#q}\n\n[x](<http://x.y/%s>)\n",
    "hint": "## What? {#q hint='%s'}\n\nSo.\n",
    "source": "## What? {#q source='%s'}\n\nSo.\n",
    "front matter": "---\nsource: '%s'\nlang: '%s'\n---\n\n## What? {#q}\n\nSo.\n",
    "typed": "## What? {#q .type}\n\n%s\n",
    "reversed": "## What? {#q .reversed}\n\n%s\n",
    "cloze": "## The {{c1::moon}} and %s {#q}\n\n---\n\n%s\n",
    "in a deletion": "## The {{c1::moon %s}} {#q}\n",
    "in a hint": "## The {{c1::moon::%s}} {#q}\n",
    "in its maths": "## The {{c1::moon}} $a %s b$ {#q}\n",
    "in a deletion in maths": "## The $a {{c1::b %s}} c$ {#q .cloze}\n",
    "in a hint in maths": "## The $a {{c1::b::%s}} c$ {#q .cloze}\n",
    "in code of a cloze": "## The {{c1::moon}} `%s` {#q}\n\n```python\n# %s\n```\n",
}


def notes(text: str) -> list[Note]:
    """The notes of a file as they would be packaged, were nothing wrong with it."""
    every = [each for each in found(text) if not isinstance(each, Problem)]
    return [each for each in render(known(every)) if isinstance(each, Note)]


@pytest.mark.parametrize("context", CONTEXTS)
def test_no_mark_acts_wherever_it_stands(desk: Desk, context: str) -> None:
    """Each mark in each place of a card; where maths may not hold it, that is told, and it is text.

    Rows 14 and 15 of the review that led here, and their siblings.
    """
    for mark in MARKS:
        text = CONTEXTS[context].replace("%s", mark)
        for note in notes(text):
            assert list(harms(desk, note)) == [], text


# In parts that only Anki or a browser puts together

APART = [
    *("[", "]", "la", "tex", "latex]", "[latex]", "[/latex]", "sound:a.mp3]", "[sou", "nd:", "$"),
    *("[$]", "[/$]", "[$$]", "[/$$]", "anki:tts lang=en]", "[/anki:tts]", "[[type:", "Question]]"),
    *(
        "\\",
        "\\(",
        "\\)",
        "\\[",
        "\\]",
        "\\\\",
        "\\href",
        "{javascript:a}{b}",
        "hr",
        "ef",
        "{",
        "}",
    ),
    *("\\text{", "\\def\\a{b}", "{{c1::", "{{c2::", "{{c1,2::", "::", "}}", "image-occlusion:"),
    *(
        'rect:fill="',
        'onclick="a',
        "`",
        "``",
        "*",
        "**",
        "&#91;",
        "&#92;",
        "&amp;",
        "<",
        ">",
        "-->",
    ),
    *(r"\\(", r"\\)", r"\\[", r"\\]", r"\\href{javascript:a}{b}", r"\\(\\href{a}{b}\\)"),
    *("$$", "$a$", " ", "\n", "a", "\\href{javascript:a}{b}", "![", "](data:image/png;base64,)"),
]
MADE = st.lists(st.sampled_from(APART), max_size=14).map("".join)


@pytest.mark.parametrize("kind", ["", ".cloze", ".type", ".reversed"])
@given(asked=MADE, answered=MADE)
def test_no_mark_is_put_together(desk: Desk, kind: str, asked: str, answered: str) -> None:
    """Of any pieces of marks, deletions, maths, code and escapes, none becomes what acts."""
    attributes = f"{{{kind}}}" if kind else ""
    asked = " ".join(asked.split())
    is_ = "is" if kind in {".type", ".reversed"} else "{{c1::is}}"
    answered = answered if kind != ".type" else " ".join(answered.split())
    for note in notes(f"## What {is_} {asked} it? {attributes}\n\n{answered}\n"):
        assert list(harms(desk, note)) == [], note.fields


REVIVED = {
    "a deletion in maths ends a mark": r"## $[{{c1::latex}}]\input{a}[/latex]$ {.cloze}",
    "a deletion in maths begins a mark": r"## $[la{{c1::tex]}}\input{a}[/latex]$ {.cloze}",
    "a deletion in maths divides a sound": "## $[{{c1::sound:a.mp3}}]$ {.cloze}",
    "a hint in maths is a mark": r"## $a {{c1::b::latex}} \input{a} [/latex]$ {.cloze}",
    "code between marks of maths": r"## {{c1::a}} `\(` `[latex]\input{a}[/latex]` `\)`",
    "a formula that is never closed": "## What?\n\n$$a \\ $$ \\\\href{javascript:a}{b} $$b$$",
    "a front whose brace is hidden": r"## $a { {{c1::}}}$ \\href{javascript:a}{b} $c$ {.cloze}",
    "a command in a deletion": r"## $\hr{{c1::ef{javascript:a}{b}}}$ {.cloze}",
}


@pytest.mark.parametrize("name", REVIVED)
def test_what_anki_strips_or_shows_revives_no_mark(desk: Desk, name: str) -> None:
    """Anki strips tags from maths, puts hints in brackets, and MathJax goes on to the next end."""
    for note in notes(f"{REVIVED[name]}\n\nSo.\n"):
        assert list(harms(desk, note)) == [], note.fields


@pytest.mark.linux("executes")
def test_what_code_raises_prints_or_gives_is_inert(tmp_path: Path, desk: Desk) -> None:
    """Text that only a run knows: an exception's, an output's, a value's, a figure's label."""
    mark = "[' + 'latex]x[/latex] [' + 'sound:a.mp3] \\\\' + '(\\\\href{javascript:a}{b}\\\\' + ')"
    raises = f"```python {{raises=ValueError match=x}}\nraise ValueError('{mark}')\n```\n"
    text = f"## What? {{#a}}\n\nIt is {{eval}}`'{mark}'`.\n\n{raises}"
    made = project(tmp_path, {"a.md": text})
    (note,) = made.check().notes
    assert note.fields["Answer"].count("latex]x") == 3  # the code's own, too
    assert list(harms(desk, note)) == []


def test_a_sound_that_is_written_as_one_plays(tmp_path: Path, desk: Desk) -> None:
    """The guard knows the marks that we write ourselves, and no other of the same card."""
    made = project(tmp_path, {"a.md": "## What?\n\n![[sound:a.mp3]](a.mp3) \\[sound:a.mp3]\n"})
    made.write("cards/a.mp3", b"ID3")
    (note,) = made.check().notes
    (media,) = note.media
    assert [each for each in harms(desk, note) if "sounds" in each] != []
    assert re.findall(r"\[sound:[^\]]*\]", note.fields["Answer"]) == [f"[sound:{media.name}]"]


# What Anki's MathJax would do

ACTING = [
    *(rf"\{name}{{a}}{{b}}" for name in mathjax.UNSAFE),
    r"\text{a \(\href{javascript:a}{b}\)}",
    r"\frac{\href {javascript:a}{b}}{c}",
    "a \\\\\n\\\\\\href{javascript:a}{b}",
    r"\let\a\href \a{javascript:a}{b}",
    r"\mmlToken{mi}[href='javascript:a']{x}",
]


@pytest.mark.parametrize("tex", ACTING)
def test_maths_that_acts_is_an_authors_mistake(tex: str) -> None:
    """It is told at its place, in a line, between two dollars and in a block."""
    for written in (f"It is ${' '.join(tex.split())}$.", f"$$\na\n{tex}\n$$"):
        wrong = [each for each in found(f"## What?\n\n{written}\n") if isinstance(each, Problem)]
        (problem,) = [each for each in wrong if each.code is Code.MATHS_UNSAFE]
        assert problem.hint
        line = f"## What?\n\n{written}\n".split("\n")[problem.place.line - 1]
        assert line[problem.place.column - 1] == "\\"


@pytest.mark.parametrize(
    "tex", [r"a\\def", r"\begin{cases}a\\let\end{cases}", r"\hrefs", r"\color{red}x"]
)
def test_maths_that_does_not_act_is_none(tex: str) -> None:
    """A line break is no command, and a name is read to its end."""
    assert cards(f"## What?\n\nIt is ${tex}$.\n")


# The page that shows cards

HOSTILE = r"""## Is \\(\\href{javascript:alert(1)}{x}\\) &#92;(\\require{physics}y&#92;)? {#text}

`\(\href{javascript:alert(2)}{x}\)` and $a \\$ \\href{javascript:alert(3)}{b} $c$

    \(\href{javascript:alert(4)}{x}\)

![\\(\\href{javascript:alert(5)}{x}\\)](dot.png)

## The {{c1::moon::\\(\\href{javascript:alert(6)}{x}\\)}} {#cloze}

![{{c1:: onerror=alert(7) }}](dot.png)

## {{c1::image-occlusion:rect:fill=red" onmouseover="alert(8)}} {#shape}

## {{c1::A}} $\text{f} { {{c2::} }} b$ \\href{javascript:alert(9)}{b} $c$ {#hidden .cloze}
"""


def test_nothing_acts_in_the_page_that_shows_cards(tmp_path: Path) -> None:
    """Anki's reviewer with its MathJax, in a browser: no link, no handler, whatever is shown."""
    pictures = pytest.importorskip("pictures", reason="make test installs what it needs")
    if not pictures.CHROMIUM.exists():
        pytest.skip("no chromium here, and not ours to install")
    made = project(tmp_path, {"a.md": HOSTILE, "cards/dot.png": DOT})
    shown = pictures.photograph(made.build(), None, modes=[pictures.SMALL])
    assert len(shown) == 2 * 5
    acting = [each for one in shown for each in one.broken if "acts" in each or "fetches" in each]
    assert acting == []


def test_the_page_finds_what_acts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that is refused makes a link in Anki's MathJax, where it is let through."""
    pictures = pytest.importorskip("pictures", reason="make test installs what it needs")
    if not pictures.CHROMIUM.exists():
        pytest.skip("no chromium here, and not ours to install")
    monkeypatch.setattr(mathjax, "UNSAFE", {})
    made = project(tmp_path, {"a.md": "## Let through?\n\n$\\href{javascript:1}{b}$\n"})
    front, back = pictures.photograph(made.build(), None, modes=[pictures.SMALL])
    assert front.broken == ()
    assert any("acts" in each for each in back.broken)
