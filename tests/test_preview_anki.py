"""Cards on the page are what Anki makes of them: their formulas, and all of their elements."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import unescape
from importlib.resources import files
from pathlib import Path
from unicodedata import normalize
from xml.etree.ElementTree import Element, fromstring

import pytest

pytest.importorskip("playwright", reason="make test installs it")
pytest.importorskip("starlette", reason="make test installs it")
pytest.importorskip("_aqt", reason="make test installs it")

from framed import shown_by_us
from pictures import (
    CHROMIUM,
    FLAGS,
    HOST,
    MODES,
    Answers,
    Mode,
    Sides,
    anki_assets,
    imported,
    reviewer,
    shown_by_anki,
    sides_of,
)
from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Page as Tab
from projects import ROOT, project
from served import Page, served

import verideck
from verideck.render.mathml import mathml

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("preview")]

OWN = files("verideck.preview") / "static/mathjax"
"""The MathJax that the page has."""
DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="100">'
    '<rect width="300" height="100" fill="teal"/></svg>'
)
FORMULA = re.compile(r"\\\(.*?\\\)|\\\[.*?\\\]", re.DOTALL)


def test_it_is_the_mathjax_that_anki_has() -> None:
    """Byte for byte: the program and its fonts."""
    theirs = anki_assets() / "js/vendor/mathjax"
    names = ["tex-chtml-full.js"]
    fonts = "output/chtml/fonts/woff-v2"
    names += [f"{fonts}/{each.name}" for each in (theirs / fonts).iterdir()]
    assert len(names) > 20
    for name in names:
        ours = hashlib.sha256((OWN / name).read_bytes()).hexdigest()
        assert ours == hashlib.sha256((theirs / name).read_bytes()).hexdigest(), name


def require_chromium() -> None:
    """Skip a test where there is no chromium, and it is not ours to install."""
    if not CHROMIUM.exists():
        assert "CI" not in os.environ, "CI installs chromium"
        pytest.skip("no chromium here, and not ours to install")


def formulas() -> list[str]:
    """All different formulas of this repository's deck."""
    with verideck.Project.open(ROOT, verify=False) as opened:
        notes = opened.check().notes
    fields = (text for note in notes for text in note.fields.values())
    plain = (re.sub(r"\{\{c\d+::(.*?)(?:::.*?)?\}\}", r"\1", text) for text in fields)
    return list(dict.fromkeys(found for text in plain for found in FORMULA.findall(text)))


def set_out(formulas: list[str]) -> str:
    """A card of formulas, a paragraph each."""
    return "".join(f'<p class="formula">{each}</p>' for each in formulas)


SET = r"""root => [...root.querySelectorAll(".formula")].map(paragraph => {
    for (const each of paragraph.querySelectorAll("*")) {
        each.removeAttribute("tabindex");          // of the menu, which the page has not
        each.removeAttribute("ctxtmenu_counter");
        each.removeAttribute("ctxtmenu_oldtabindex");
        each.classList.remove("CtxtMenu_Attached_0");
    }
    const {width, height} = paragraph.querySelector("mjx-container").getBoundingClientRect();
    return [paragraph.innerHTML, width, height];
})"""


@contextmanager
def tab(browser: Browser) -> Iterator[Tab]:
    """A tab as wide as the other one."""
    context = browser.new_context(viewport={"width": 800, "height": 600})
    yield context.new_page()
    context.close()


def by_anki(browser: Browser, card: str, css: str) -> list[object]:
    """What Anki's reviewer makes of a card."""
    with tab(browser) as page:
        page.route("**/*", Answers(Path("nowhere"), reviewer(MODES[0])).answer)
        page.goto(f"http://{HOST}/")
        classes = "card card1 isLin fancy"
        page.evaluate(
            "([q, c]) => _showQuestion(q, q, c)", [f"<style>{css}</style>{card}", classes]
        )
        page.evaluate("() => new Promise(done => _queueAction(done))")
        page.evaluate("document.fonts.ready")
        found = page.evaluate(f"({SET})(document)")
        assert isinstance(found, list)
        return found


def by_us(browser: Browser, card: str, folder: Path) -> list[object]:
    """What the page makes of it."""
    with served(project(folder, {"a.md": "## A?\n\nB.\n"})) as served_page, tab(browser) as page:
        page.goto(served_page.url)
        page.wait_for_selector("#stage[data-shown]", state="attached")
        found = page.evaluate(
            f"""async card => {{
                const base = document.querySelector("script").src;
                const {{Frame}} = await import(new URL("frame.js", base));
                const frame = new Frame("formulas");
                const looks = "position: fixed; width: 800px; height: 600px; border: 0";
                frame.element.style.cssText = looks;
                document.body.append(frame.element);
                await frame.show({{html: card, night: false, isPhone: false}});
                await frame.element.contentDocument.fonts.ready;
                return ({SET})(frame.element.contentDocument);
            }}""",
            card,
        )
        assert isinstance(found, list)
        return found


def test_every_formula_of_our_deck_is_set_as_anki_sets_it(tmp_path: Path) -> None:
    """The same elements, of the same size."""
    require_chromium()
    every = formulas()
    assert len(every) > 300
    card = set_out(every)
    css = (files("verideck.render") / "templates/card.css").read_text(encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        theirs = by_anki(browser, card, css)
        ours = by_us(browser, card, tmp_path)
        browser.close()
    assert len(theirs) == len(ours) == len(every)
    different: Mapping[str, object] = {
        formula: (one, other)
        for formula, one, other in zip(every, theirs, ours, strict=True)
        if one != other
    }
    assert different == {}


MATHML = """() => [...document.querySelectorAll(".formula")].map(
    each => new XMLSerializer().serializeToString(each.querySelector("mjx-assistive-mml math")))"""
SCRIPTS = {"msub": "_", "munder": "_", "msup": "^", "mover": "^", "msubsup": "_^",
           "munderover": "_^"}  # fmt: skip
"""Limits stand below or behind, as there is room."""
PARTS = {"mfrac", "msqrt", "mroot", "mtable", "mtr", "mtd"}
SIGNS = str.maketrans({"ˆ": "^", "˜": "~", "⋯": "···", "\ufe00": None})
"""Of the same look, which each of the two writes in its own way."""


def said(element: Element) -> str:
    """What a formula says: its letters, and which stand in which fraction, root, script and cell.

    How letters are grouped, spaced and shaped is left to who sets them.
    """
    name = element.tag.rpartition("}")[2]
    if not len(element):
        text = re.sub(r"[\s\u200b\u2061-\u2064]", "", element.text or "")
        return normalize("NFKC", text).translate(SIGNS)
    within = "".join(map(said, element))
    return f"{SCRIPTS.get(name, name)}({within})" if name in SCRIPTS or name in PARTS else within


def test_mathml_says_what_mathjax_sets(tmp_path: Path) -> None:
    """In every formula of our deck: the page for readers shows no other maths than the cards."""
    require_chromium()
    every = formulas()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        with tab(browser) as page:
            page.route("**/*", Answers(tmp_path, reviewer(MODES[0])).answer)
            page.goto(f"http://{HOST}/")
            page.evaluate("q => _showQuestion(q, q, 'card')", set_out(every))
            page.evaluate("() => new Promise(done => _queueAction(done))")
            theirs = page.evaluate(MATHML)
        browser.close()
    assert len(theirs) == len(every) > 300
    different: Mapping[str, object] = {
        formula: (said_by_mathjax, said_by_us)
        for formula, their in zip(every, theirs, strict=True)
        if (said_by_mathjax := said(fromstring(their)))  # noqa: S314 - MathJax wrote it
        != (said_by_us := said(fromstring(own_mathml(formula))))  # noqa: S314 - we did
    }
    assert different == {}


def own_mathml(formula: str) -> str:
    """The MathML that a page for readers has of a formula; its entities as letters."""
    found = mathml(unescape(formula[2:-2]), display=formula[1] == "[")
    return re.sub(r"&(?!(?:lt|gt|amp);)\w+;", lambda entity: unescape(entity[0]), found)


EVERY_KIND = r"""---
lang: en
---
## What is everything? {#all .reversed source="A et al. 2017" hint="think of $x_i$"}

Text `code` and $\frac{a_i}{b_i}$, **bold**, ~~gone~~, ==marked==, [a link](https://example.com).

$$\sum_{i=1}^{n} x_i$$

- one
  - two
    1. three

> quoted

> [!WARNING]
> Mind the gap.

| left | right |
|---|--:|
| $O(n^2)$ | 1.5 |

```python
value = sum([1, 2])
print(value)
```

```output
3
```

```python {.check}
assert value == 3
```

```python {.no-run reason="no GPU"}
cuda()
```

![a drawing](../drawing.svg)

---

An aside, with a footnote.[^1]

[^1]: The note.

## 什么是注意力？ {#chinese}

打分是一个 **双线性** 形式，“我在找什么”。

## Typed? {#typed .type}

LayerNorm

More.

## Cloze {#cloze .cloze}

It is ==one==, $y=\gamma{{c2::\frac{x}{y}}}$, and `{{c3::x.mean(-1)}}`.
"""

BOXES = r"""root => [...root.querySelectorAll("#qa :not(style)")].filter(
    each => each.checkVisibility()       // what is folded has no place yet
).map(each => {
    const {x, y, width, height} = each.getBoundingClientRect();
    const {color, backgroundColor, fontFamily, fontSize, fontWeight} = getComputedStyle(each);
    const type = [fontFamily, fontSize, fontWeight];
    return [each.localName, x, y, width, height, color, backgroundColor, ...type];
})"""
"""Every element of a card: where it is, how large, and in which colours and type."""


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
def test_every_kind_of_card_is_laid_out_as_anki_lays_it_out(tmp_path: Path, mode: Mode) -> None:
    """Each element of both sides at its place, in its colours: on a desktop, at night, a phone."""
    require_chromium()
    made = project(tmp_path, {"a.md": EVERY_KIND, "drawing.svg": DRAWING})
    package = made.build()
    with imported(package) as collection, sync_playwright() as playwright, served(made) as page:
        every = [
            sides_of(collection, collection.get_card(number))
            for number in collection.find_cards("", order=True)
        ]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        theirs = reviewed(browser, mode, every, Path(collection.media.dir()))
        ours = previewed(browser, mode, page)
        browser.close()
    assert len(theirs) == 2 * 7
    assert ours.keys() == theirs.keys()
    for name, boxes in theirs.items():
        assert ours[name] == boxes, name


def reviewed(browser: Browser, mode: Mode, every: list[Sides], media: Path) -> dict[str, object]:
    """The boxes of both sides of each card on Anki's page, by the names of the sides."""
    found: dict[str, object] = {}
    context = browser.new_context(viewport={"width": mode.width, "height": mode.height})
    page = context.new_page()
    page.route("**/*", Answers(media, reviewer(mode)).answer)
    page.goto(f"http://{HOST}/")
    for card, side in shown_by_anki(page, mode, every):
        found[f"{card.card}.{side}"] = page.evaluate(f"({BOXES})(document)")
    context.close()
    return found


def previewed(browser: Browser, mode: Mode, page: Page) -> dict[str, object]:
    """The same on our page: in a frame as large as the other one's window."""
    found: dict[str, object] = {}
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    tab = context.new_page()
    for name in shown_by_us(tab, mode, page):
        found[name] = tab.evaluate(f"({BOXES})(window.frame.element.contentDocument)")
    context.close()
    return found
