"""Formulas on the page are what Anki makes of them: the same MathJax, with the same settings."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="make test installs it")
pytest.importorskip("starlette", reason="make test installs it")
pytest.importorskip("_aqt", reason="make test installs it")

from pictures import CHROMIUM, FLAGS, HOST, MODES, Answers, anki_assets, reviewer
from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Page as Tab
from projects import ROOT, project
from served import served

import verideck

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("preview")]

OWN = files("verideck.preview") / "static/mathjax"
"""The MathJax that the page has."""
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
    if not CHROMIUM.exists():
        assert "CI" not in os.environ, "CI installs chromium"
        pytest.skip("no chromium here, and not ours to install")
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
