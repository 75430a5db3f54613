"""Lines of code as elements: which are, what stands in them, and how a telephone shows them."""

from __future__ import annotations

import os
import re
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from projects import project

from verideck.markdown import languages
from verideck.render import highlight
from verideck.render.highlight import Shape

LONG = "x" * 33
NUMBERED = Shape(numbered=True)


def rows(html: str) -> list[str]:
    """The elements of lines, whose order is that of the lines."""
    return re.findall(r'<span class="row[^>]*>', html)


def text(html: str) -> str:
    """What a reader sees."""
    return unescape(re.sub(r"<[^>]*>", "", html))


@pytest.mark.parametrize(
    ("line", "tag"),
    [
        ("x" * 32, None),
        (LONG, '<span class="row">'),
        ("汉" * 16, None),
        ("汉" * 17, '<span class="row">'),
        (f"    {LONG}", '<span class="row" style="--i:4">'),
        (f"\t{LONG}", '<span class="row" style="--i:4">'),
        (" " * 40, '<span class="row">'),
    ],
)
def test_a_line_that_a_telephone_may_not_hold_is_an_element(line: str, tag: str | None) -> None:
    """It knows its indentation; a Han character takes two columns, a tab four."""
    html = highlight.html(f"a\n{line}\nb", languages.plain(f"a\n{line}\nb"))
    assert html == (f"a\n{tag}{line}\n</span>b" if tag else f"a\n{line}\nb")


def test_a_token_of_several_lines_is_divided() -> None:
    """Each element is closed where its line ends."""
    code = f'"""{LONG}\n{LONG}"""'
    html = highlight.html(code, languages.pieces(code, "python"))
    assert html == (
        f'<span class="row"><span class="sd">"""{LONG}\n</span></span>'
        f'<span class="row"><span class="sd">{LONG}"""</span></span>'
    )


def test_lines_are_numbered_and_pointed_out() -> None:
    """With numbers each line is an element, blank ones too; else those that are pointed out."""
    html = highlight.html("a\n\nb", languages.plain("a\n\nb"), (), NUMBERED)
    assert (
        html == '<span class="row">a\n</span><span class="row">\n</span><span class="row">b</span>'
    )
    html = highlight.html("a\nb", languages.plain("a\nb"), (), Shape(highlighted=frozenset({2})))
    assert html == 'a\n<span class="row lit">b</span>'


def test_a_deletion_of_several_lines_divides_no_element() -> None:
    """Anki puts tags of its own around it, which must not cross ours."""
    code = f"{LONG}\n{LONG}\n{LONG}\n{LONG}"
    marks = [(2, "{{c1::"), (5, "}}"), (40, "{{c2::"), (75, "}}"), (110, "{{c3::"), (120, "::h}}")]
    html = highlight.html(code, languages.plain(code), marks)
    assert [line.startswith("<span") for line in re.split(r"\n(?:</span>)?", html)] == [
        True, False, False, True,
    ]  # fmt: skip


CODE = st.text(st.sampled_from("ab 汉\t\n\"'#({x"), max_size=200)


@given(CODE, st.booleans(), st.sets(st.integers(1, 9)))
def test_no_character_is_lost_or_moved(code: str, numbered: bool, lit: set[int]) -> None:  # noqa: FBT001 - drawn
    """Whatever is an element, the code is what it was, and every element is closed."""
    shape = Shape(numbered, frozenset(lit))
    html = highlight.html(code, languages.pieces(code, "python"), (), shape)
    assert text(html) == code
    assert html.count("<span") == html.count("</span>")
    assert len(rows(html)) <= code.count("\n") + 1


PHONE = f"""
## Which? {{#code}}

```python {{.numbers hl="2"}}
def f(a):
    return [each for each in range(a) if each % 2 and each % 3 and each % 5 and each % 7]
assert f(9) == [1]
```

```text
{"word" * 40}
```

| a | b | c | d |
|---|---|---|---|
| {"long " * 9} | {"word " * 9} | Transformer | `a_name_in_code_that_is_long` |
"""


@pytest.mark.browser
def test_code_and_tables_fit_the_narrowest_telephone(tmp_path: Path) -> None:
    """Nothing of them is cut, and nothing scrolls."""
    pytest.importorskip("playwright", reason="make test installs it")
    pytest.importorskip("_aqt", reason="make test installs it")
    from pictures import CHROMIUM, SMALL, photograph  # noqa: PLC0415 - it needs both

    if not CHROMIUM.exists():
        assert "CI" not in os.environ, "CI installs chromium"
        pytest.skip("no chromium here, and not ours to install")
    package = project(tmp_path, {"a.md": PHONE}).build()
    pictures = photograph(package, None, modes=[SMALL])
    assert [(each.name, each.overflow, each.broken) for each in pictures] == [
        ("code.1.question.small", False, ()),
        ("code.1.answer.small", False, ()),
    ]
