"""What a project's style sheet and templates may not hold, however it is spelt."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from projects import SETTINGS, Project, project

from verideck.problems import Code, Problem
from verideck.render.anki_text import inert
from verideck.render.held_look import objection_to_sheet, objection_to_template

RUNS = [
    "<script>alert(1)</script>",
    "<SCRIPT src=//x>",
    "<img/src=x/onerror=alert(1)>",
    '<img src="x"onerror=alert(1)>',
    '<img title=">" onerror=alert(1)>',
    "<p\x0conclick=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><animate attributeName=href values=javascript:1>",
    "<math><a xlink:href=javascript:1>",
    '<a href="java&#115;cript:alert(1)">x</a>',
    '<a href="java\tscript:alert(1)">x</a>',
    '<a href=" javascript:alert(1)">x</a>',
    '<a href="data:text/html,x">x</a>',
    "<a href=javascript:alert(1) href=https://example.org>x</a>",
    "<button formaction=javascript:1>",
    "<meta http-equiv=refresh content='0;url=https://example.org'>",
    "<base href=https://example.org>",
    "<form action=https://example.org>",
    "<iframe srcdoc=x>",
    "<object data=x>",
    "<template>",
    "<textarea>",
    "<noscript>",
    "<plaintext>",
    "<title>",
    "<!DOCTYPE html>",
    "<?php ?>",
    "<![CDATA[x]]>",
    "a < b",
    "<p",
]
FETCHES = [
    "<style>@import 'https://example.org'</style>",
    "<link rel=stylesheet href=x>",
    "<img src=https://example.org/a.png>",
    r"<img src=https:/\example.org/a.png>",
    r'<img src="\\example.org\a.png">',
    '<img src="ht&#116;ps://example.org/a.png">',
    "<img src=//example.org/a.png>",
    "<img src=data:image/svg+xml,x>",
    "<img srcset='a 1x, //example.org/a.png 2x'>",
    "<video poster=https://example.org/a.png>",
    "<audio src=https://example.org/a.mp3>",
    "<input type=image src=https://example.org/a.png>",
    "<table background=https://example.org/a.png>",
    "<p style='background: url(https://example.org/a.png)'>",
    "<svg><image href=https://example.org/a.png></svg>",
    "<p style='position: fixed'>",
]
MADE_BY_FIELDS = [
    "<scr{{#Hint}}{{/Hint}}ipt>",
    "<{{Hint}}>",
    "<img on{{#Hint}}{{/Hint}}error=alert(1)>",
    "<b {{Hint}}>",
    '<a href="{{Source}}">x</a>',
    '<b title="{{Hint}}">x</b>',
    "<!-- {{Hint}} -->",
    "<!--> {{Hint}} <b> -->",
    "<!-- a",
    "<!-- a --!> b -->",
    "{{Hint",
]
MARKS = [
    r"[latex]\input{/etc/passwd}[/latex]",
    "[LaTeX]x[/LaTeX]",
    "[$]x[/$]",
    "[$$]x[/$$]",
    "[sound:evil.mp3]",
    "[anki:tts lang=en]x[/anki:tts]",
    "[[type:Question]]",
    "<b title='[latex]x[/latex]'>",
    "[la{{#Hint}}{{/Hint}}tex]x[/latex]",
    "[{{Hint}}]{{Extra}}[/{{Hint}}]",
    "[sound{{^Hint}}{{/Hint}}:evil.mp3]",
    r"\(\href{javascript:1}{y}\)",
    r"\{{#Hint}}{{/Hint}}(x\)",
    "&#92;(x&#92;)",
    "&#92(x",
    "&bsol;(x&bsol;)",
    "&#x5c;[x",
    "&#9{{#Hint}}{{/Hint}}2;(x",
    "&bs{{^Hint}}{{/Hint}}ol;(x",
    "&{{Hint}}",
]


@pytest.mark.parametrize("written", [*RUNS, *FETCHES, *MADE_BY_FIELDS, *MARKS])
def test_what_a_template_may_not_hold_is_found(written: str) -> None:
    """What runs, fetches, is put together from parts, or is a mark to Anki: at its place."""
    objection = objection_to_template(f"<p>{{{{Question}}}}</p>{written}")
    assert objection
    assert objection.position >= len("<p>{{Question}}</p>")
    assert objection.message
    assert objection.hint


@pytest.mark.parametrize(
    "written",
    [
        "<hr id=answer>",
        '<p class="mine" dir="rtl" style="color: red">a &amp; b &lt; c &copy; Q&A 1 > 0</p>',
        "{{#Hint}}<details open>{{Hint}}</details>{{/Hint}}",
        "<!-- a remark > here -->",
        '<a href="https://example.org/?a=1&amp;b=2">x</a> <a href="#answer">y</a>',
        '<img alt="" src="data:image/png;base64,AAAA">',
        "[1] [a] &#91;{{Source}}] ({{Id}})",
        "{{type:Answer}} {{FrontSide}} {{cloze:Question}}",
    ],
)
def test_what_a_template_may_hold_is_left(written: str) -> None:
    """Tags and attributes of a card, entities, brackets, fields between tags."""
    assert objection_to_template(written) is None


FETCHING = [
    '@import "https://example.org/a.css";',
    '@IMPORT/**/"https://example.org/a.css";',
    r'@\69mport "https://example.org/a.css";',
    '@im\\port "https://example.org/a.css";',
    "p { background: URL(https://example.org/a.png) }",
    "p { background: url( 'https://example.org/a.png') }",
    r"p { background: u\72l(https://example.org/a.png) }",
    "p { background: u\\000072 l(https://example.org/a.png) }",
    "p { background: \\75\r\nrl(https://example.org/a.png) }",
    "p { background: ur\\\nl(https://example.org/a.png) }",
    r'p { background: url("\64 ata:x") }',
    "p { background: url(\u00a0data:x) }",
    "p { background: url(a.png) }",
    'p { background: image-set("https://example.org/a.png" 1x) }',
    'p { background: -webkit-image-set("https://example.org/a.png" 1x) }',
    r'p { background: im\61ge-set("https://example.org/a.png" 1x) }',
    'p { background: src("https://example.org/a.png") }',
    'p { background: image("https://example.org/a.png") }',
    "@font-face { font-family: x; src: url(https://example.org/a.woff) }",
    "p { content: '</STYLE>' }",
]


@pytest.mark.parametrize("css", FETCHING)
def test_a_style_sheet_that_fetches_is_found(css: str) -> None:
    """Also by names in which escapes stand, and by functions that take an address without `url`."""
    objection = objection_to_sheet(f"p {{ content: '\\2192' }}\n{css}")
    assert objection
    assert objection.position >= len("p { content: '\\2192' }\n")


@pytest.mark.parametrize(
    "css",
    [
        r'.card::before { content: "\2192\A url: important" }',
        "p { background: url(data:image/png;base64,AAAA), url( '#a' ) }",
        "p { mask-image: linear-gradient(red, blue); grid-area: src; --url: 1 }",
        r".w\:1\/2 { width: 50% }",
    ],
)
def test_a_style_sheet_that_fetches_nothing_is_left(css: str) -> None:
    """Escapes have their uses."""
    assert objection_to_sheet(css) is None


@pytest.mark.parametrize(
    "text",
    [
        "x" * 10_001,
        "{{#Hint}}" * 101,
        "{{#Hint}}{{/Hint}}" * 51,
        "{{Question}}" * 5,
        "{{{ Question }}}{{Question}}" * 3,
        "{{cloze:Question}}{{type:Question}}{{Question}}" * 2,
        "{{FrontSide}}\n" * 5,
    ],
    ids=lambda each: each[:20],
)
def test_a_template_is_as_long_as_cards_allow(text: str) -> None:
    """Each card holds its fields as often as it says, and the front once for each `FrontSide`."""
    assert objection_to_template(f"<p>{text}</p>")


def test_a_template_that_is_too_deep_is_told(tmp_path: Path) -> None:
    """And so is a style sheet without an end."""
    made = own(tmp_path, basic_front="{{#Hint}}" * 20_000)
    made.write("look/deck.css", "p { margin: 0 }" * 100_000)
    made.write("pyproject.toml", f'{SETTINGS}templates = "look"\ncss = "look/deck.css"\n')
    codes = {each.code for each in made.result().problems}
    assert codes == {Code.STYLE_INVALID, Code.TEMPLATE_INVALID}


@pytest.mark.parametrize("end", ["[", "[la", "[LATEX", "[sound", "[anki", "[[type"])
def test_no_field_ends_as_a_mark_begins(end: str) -> None:
    """A template may put another field behind it, or text."""
    whole = inert(f"a {end}")
    assert whole != f"a {end}"
    for rest in ("latex]x[/latex]", "tex]x", "]x", ":a.mp3]", ":tts]", ":Question]]"):
        assert inert(whole + rest) == whole + rest


def own(folder: Path, **files: str) -> Project:
    """A project with templates of its own."""
    made = project(
        folder, {"a.md": "## What is two?\n\nA number.\n"}, f'{SETTINGS}templates = "look"\n'
    )
    (folder / "look").mkdir(exist_ok=True)
    for name, text in files.items():
        made.write(f"look/{name.replace('_', '.')}.html", text)
    return made


def told(made: Project) -> list[Problem]:
    """The problems of its templates."""
    return [each for each in made.result().problems if each.code is Code.TEMPLATE_INVALID]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("basic_front", "{{#Hint}}{{Question}}{{/Hint}}"),
        ("basic_front", "{{^Extra}}{{Question}}{{/Extra}}"),
        ("basic_front", "{{#Hint}}{{#Source}}{{Question}}{{/Source}}{{/Hint}}"),
        ("basic_front", "{{^Reverse}}{{Question}}{{/Reverse}}"),
        ("basic_back", "{{FrontSide}}{{#Proof}}{{Answer}}{{/Proof}}"),
        ("basic_reverse_front", "{{#Reverse}}{{#Hint}}{{Answer}}{{/Hint}}{{/Reverse}}"),
        ("typed_back", "{{Question}}{{#Source}}{{type:Answer}}{{/Source}}"),
        ("cloze_front", "{{#Answer}}{{cloze:Question}}{{/Answer}}"),
        ("cloze_back", "{{Answer}}{{#Answer}}{{cloze:Question}}{{/Answer}}"),
    ],
)
def test_a_template_loses_nothing_of_any_note(tmp_path: Path, name: str, text: str) -> None:
    """A card whose front is empty is one that Anki removes, and its reviews with it."""
    (problem,) = told(own(tmp_path, **{name: text}))
    assert "of notes that lack another field" in problem.message
    assert "outside of the sections" in problem.hint


@pytest.mark.parametrize(
    "text",
    [
        "{{#Reverse}}{{Answer}}{{/Reverse}}{{Hint}}",
        "{{#Reverse}}{{Answer}}{{/Reverse}}{{^Reverse}}{{#Hint}}{{Source}}{{/Hint}}{{/Reverse}}",
        "{{^Hint}}{{Answer}}{{/Hint}}{{#Hint}}{{#Reverse}}{{Answer}}{{/Reverse}}{{/Hint}}",
    ],
)
def test_no_note_gets_a_second_card_by_a_template(tmp_path: Path, text: str) -> None:
    """Whatever field it shows of notes that are not reversed."""
    (problem,) = told(own(tmp_path, basic_reverse_front=text))
    assert "second card" in problem.message


@pytest.mark.parametrize("link", [False, True])
def test_no_folder_outside_is_listed(tmp_path: Path, *, link: bool) -> None:
    """The names in it are nobody's to print."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home/SECRET.html").write_text("x")
    made = own(tmp_path / "deck")
    if link:
        (made.root / "look").rmdir()
        (made.root / "look").symlink_to(tmp_path / "home")
    else:
        made.write("pyproject.toml", f'{SETTINGS}templates = "{tmp_path / "home"}"\n')
    (problem,) = made.result().problems
    assert problem.code is Code.SETTING_INVALID
    assert "outside the project" in problem.message
    assert "SECRET" not in problem.message


@pytest.mark.linux(reason="FIFOs, and names that end in a NUL")
@pytest.mark.parametrize("name", ["a\\u0000b", "fifo", "look/fifo", "gone", "pyproject.toml"])
def test_what_is_no_folder_is_told(tmp_path: Path, name: str) -> None:
    """Nobody waits for it, and it is no bug of ours."""
    made = own(tmp_path)
    os.mkfifo(tmp_path / "fifo")
    os.mkfifo(tmp_path / "look/fifo")
    made.write("pyproject.toml", f'{SETTINGS}templates = "{name}"\n')
    (problem,) = made.result().problems
    assert problem.code is Code.SETTING_INVALID
