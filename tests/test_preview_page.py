"""The page in a real browser: what an author sees and does, by keys alone and on every save."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

pytest.importorskip("playwright", reason="make test installs it")
pytest.importorskip("starlette", reason="make test installs it")

from axe_playwright_python.sync_playwright import Axe
from pictures import CHROMIUM, FLAGS
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Locator,
    Request,
    Route,
    expect,
    sync_playwright,
)
from playwright.sync_api import Page as Tab
from projects import DOT, SETTINGS, Project, card, project
from served import Page, served

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("preview")]

PATIENCE = 30_000
"""Milliseconds that anything may take on a busy machine."""
DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="10">'
    "<script>document.title = 'drawn'</script>"
    '<rect width="{0}" height="10"/></svg>'
)

CARDS = r"""---
tags: [first]
---
# Alpha

## What is $x_1$? {#maths .reversed source="A book" hint="think"}

The formula $\frac{a}{b}$, and

$$\sum_{i=1}^{n} i = \frac{n(n+1)}{2}$$

| left | right |
|---|--:|
| 1 | 2 |

## What does it print? {#code tags="python"}

Two, says [the manual](https://example.com/manual).

```python
value = sum([1, 1])
```

```python {.check}
assert value == 2
```

## What is drawn? {#picture}

![a drawing](../drawing.svg)
"""

MORE = r"""# Beta

## Which word is it? {#word .type}

Layer norm

## Which two? {#two .cloze}

It is ==one== and ==two==.

## Not run? {#norun}

No.

```python {.no-run reason="no GPU"}
cuda()
```
"""

FILES: dict[str, str | bytes] = {
    "alpha.md": CARDS,
    "beta.md": MORE,
    "gamma.md": card("helped", "import helper\nassert helper.two() == 2"),
    "helper.py": "def two():\n    return 2\n",
    "drawing.svg": DRAWING.format(20),
    "dot.png": DOT,
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser, for all tests of this module."""
    if not CHROMIUM.exists():
        assert "CI" not in os.environ, "CI installs chromium"
        pytest.skip("no chromium here, and not ours to install")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Watched:
    """A tab of which is known what it asked for, and what went wrong in it."""

    def __init__(self, browser: Browser, url: str, **context: object) -> None:
        """Open a page in a context of its own."""
        options: dict[str, object] = {"viewport": {"width": 1400, "height": 900}, **context}
        self.context = browser.new_context(color_scheme="light", **options)  # type: ignore[arg-type]
        self.tab: Tab = self.context.new_page()
        self.tab.set_default_timeout(PATIENCE)
        self.asked: list[str] = []
        self.wrong: list[str] = []
        self.tab.on("request", self._request)
        self.tab.on("console", self._console)
        self.tab.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.tab.goto(url)
        self.tab.wait_for_selector("body[data-drawn=all]")
        self.tab.wait_for_selector("#stage[data-shown]", state="attached")

    def _request(self, request: Request) -> None:
        self.asked.append(request.url)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.wrong.append(message.text)

    def face(self, text: str | re.Pattern[str]) -> Locator:
        """Wait until the card shows a text."""
        shown = self.tab.frame_locator("#stage iframe").locator("#qa")
        expect(shown).to_contain_text(text, timeout=PATIENCE)
        return shown

    def sees(self, name: str) -> None:
        """Wait until a card is chosen."""
        expect(self.tab.locator("#stage .head strong")).to_have_text(name, timeout=PATIENCE)

    def says(self, text: str | re.Pattern[str]) -> None:
        """Wait until the status says something."""
        expect(self.tab.locator("#status")).to_have_text(text, timeout=PATIENCE)

    def counts(self, text: str) -> None:
        """Wait until so many cards are listed."""
        expect(self.tab.locator("#count")).to_have_text(text, timeout=PATIENCE)

    def keys(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for each in keys:
            self.tab.keyboard.press(each)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A deck of every kind of card."""
    return project(tmp_path_factory.mktemp("deck"), FILES)


@pytest.fixture(scope="module")
def page(made: Project) -> Iterator[Page]:
    """The page, served."""
    with served(made) as page:
        page.events(lambda events: "deck" in events)
        yield page


@pytest.fixture
def seen(browser: Browser, page: Page, made: Project) -> Iterator[Watched]:
    """The page in a tab; no test leaves anything wrong behind, or an edited file."""
    watched = Watched(browser, page.url)
    yield watched
    watched.context.close()
    for path, content in FILES.items():
        name = f"cards/{path}" if path.endswith(".md") else path
        text = content.encode() if isinstance(content, str) else content
        if (made.root / name).read_bytes() != text:
            made.write(name, content)
    assert watched.wrong == []
    strangers = [each for each in watched.asked if not each.startswith((page.url, "data:"))]
    assert strangers == []


# One card


def test_a_card_is_turned_and_the_next_one_shown(seen: Watched) -> None:
    """Space turns; arrows and letters move; a note's own cards come before the next note."""
    seen.sees("maths")
    seen.face("What is")
    assert "The formula" not in seen.face("").inner_text()
    seen.keys(" ")
    seen.face("The formula")
    seen.keys("ArrowRight")
    seen.face("The formula")
    expect(seen.tab.get_by_role("button", name="Reverse")).to_have_attribute("aria-pressed", "true")
    seen.tab.get_by_role("button", name="Card", exact=True).focus()
    seen.keys("Enter")
    seen.face("What is")
    expect(seen.tab.get_by_role("button", name="Card", exact=True)).to_be_focused()
    seen.keys("ArrowRight")
    seen.face("The formula")
    seen.keys("ArrowRight")
    seen.sees("code")
    seen.keys("j", "k", "k")
    seen.sees("maths")
    seen.tab.get_by_role("button", name="Show answer").click()
    seen.face("The formula")
    seen.keys("End")
    seen.sees("helped")
    seen.keys("Home")
    seen.sees("maths")


def test_maths_is_set(seen: Watched) -> None:
    """By MathJax, in the card and in no list; nothing of TeX is left."""
    seen.keys(" ")
    face = seen.face("The formula")
    expect(face.locator("mjx-container")).to_have_count(3, timeout=PATIENCE)
    assert "\\" not in face.inner_text()
    expect(seen.tab.locator(".row").first).to_contain_text("x₁")


def test_a_deletion_is_hidden_and_shown(seen: Watched) -> None:
    """Each number is a card."""
    seen.tab.locator(".row", has_text="one").first.click()
    seen.sees("two")
    seen.face("It is [...] and two.")
    seen.keys(" ")
    seen.face("It is one and two.")
    seen.keys("ArrowRight")
    seen.face("It is one and [...].")


def test_an_answer_is_typed_and_compared(seen: Watched) -> None:
    """As Anki compares it; the keys of the page are letters there."""
    seen.tab.locator(".row", has_text="Which word").click()
    seen.sees("word")
    box = seen.tab.frame_locator("#stage iframe").locator("#typeans")
    box.click()
    seen.tab.keyboard.type("jayer norm")
    seen.keys("Enter")
    seen.face("Layer norm")
    shown = seen.tab.frame_locator("#stage iframe")
    expect(shown.locator(".typeBad")).to_have_text("j", timeout=PATIENCE)
    assert shown.locator(".typeMissed").all_inner_texts() == ["L"]
    seen.sees("word")


def test_a_link_on_a_card_leaves_the_page_where_it_is(seen: Watched) -> None:
    """It opens beside it."""
    seen.tab.locator(".row", has_text="print").click()
    seen.sees("code")
    seen.keys(" ")
    link = seen.face("Two").get_by_role("link", name="the manual")
    seen.context.route("https://example.com/**", lambda route: route.fulfill(body="elsewhere"))
    with seen.context.expect_page() as opened:
        link.click()
    opened.value.wait_for_load_state()
    assert opened.value.url == "https://example.com/manual"
    assert opened.value.evaluate("window.opener") is None
    seen.face("Two")


def test_the_proof_is_told(seen: Watched) -> None:
    """How many assertions, in which line, how long; and what was not run."""
    seen.tab.locator(".row", has_text="print").click()
    seen.sees("code")
    foot = seen.tab.locator(".foot")
    expect(foot).to_contain_text("1 assertion held")
    foot.locator("summary").click()
    expect(foot.locator("tbody tr")).to_have_count(2)
    expect(foot).to_contain_text("cards/alpha.md:24")
    seen.tab.locator(".row", has_text="Not run").click()
    expect(foot).to_contain_text("Not verified: not run: no GPU.")


# Many cards


def test_cards_are_found_as_one_types(seen: Watched) -> None:
    """By all words, in any of a card's texts; Escape clears."""
    seen.counts("7 cards")
    seen.keys("/")
    seen.tab.keyboard.type("FORMULA")
    seen.counts("1 of 7 cards")
    seen.sees("maths")
    seen.tab.keyboard.type(" nothing")
    seen.counts("0 of 7 cards")
    expect(seen.tab.locator("#stage .empty")).to_have_text("No card is like that.")
    seen.keys("Escape")
    seen.counts("7 cards")
    seen.keys("j", "j")
    seen.sees("code")


def test_cards_are_narrowed_down(seen: Watched) -> None:
    """By deck, kind, tag, and what became of them."""
    side = seen.tab.get_by_role("navigation", name="Decks and filters")

    def press(name: str, count: str) -> None:
        button = side.get_by_role("button", name=re.compile(rf"^{name}"))
        button.click()
        seen.counts(count)
        assert button.evaluate("button => button === document.activeElement")
        button.click()
        seen.counts("7 cards")

    press("Beta", "3 of 7 cards")
    press("cloze", "1 of 7 cards")
    press("first", "3 of 7 cards")
    press("Not verified", "1 of 7 cards")
    press("New to the lock", "7 cards")
    side.get_by_role("button", name=re.compile("^basic")).click()
    side.get_by_role("button", name=re.compile("^python")).click()
    seen.counts("1 of 7 cards")
    side.get_by_role("button", name="Decks in Root").click()
    assert not side.get_by_role("button", name=re.compile("^Beta")).is_visible()


def test_both_sides_of_all_are_a_list(seen: Watched) -> None:
    """Each in its frame, as high as it is."""
    seen.keys("v")
    first = seen.tab.locator(".shown").first.frame_locator("iframe").locator("#qa")
    expect(first).to_contain_text("The formula", timeout=PATIENCE)
    frame = seen.tab.locator(".shown iframe").first
    seen.tab.wait_for_function(
        "() => { const f = document.querySelector('.shown iframe');"
        " return f.clientHeight >= f.contentDocument.body.scrollHeight }"
    )
    assert frame.evaluate("f => f.contentDocument.documentElement.scrollHeight <= f.clientHeight")
    seen.keys("v")
    seen.sees("maths")


def test_the_card_that_is_read_in_a_list_is_the_current_one(seen: Watched, made: Project) -> None:
    """It is shown alone then, and what is next is so from there, also at the list's end."""
    seen.keys("v", "j", "j", "v")
    seen.sees("picture")
    seen.keys("v")
    last = seen.tab.locator(".shown", has_text="helped")
    seen.tab.locator("#stream").evaluate("box => { box.scrollTop = box.scrollHeight }")
    expect(last).to_be_visible()
    seen.tab.wait_for_function("() => !['', '#maths', '#picture'].includes(location.hash)")
    seen.keys("j", "j", "j", "v")
    seen.sees("helped")
    seen.keys("v")
    made.write("cards/alpha.md", CARDS.replace("../drawing.svg", "../none.svg"))
    made.write("helper.py", "def two():\n    return 3\n")
    seen.says(re.compile("^2 cards of"))
    seen.keys("p", "v")
    seen.sees("picture")
    seen.keys("v", "p", "v")
    seen.sees("helped")


def test_a_list_says_of_which_card_it_shows_both_sides(seen: Watched) -> None:
    """Of a note with several, the first."""
    seen.keys("v")
    heads = seen.tab.locator(".shown header")
    expect(heads.filter(has_text="maths")).to_contain_text("the first of 2 cards", timeout=PATIENCE)
    expect(heads.filter(has_text="picture")).not_to_contain_text("the first of")


@pytest.mark.parametrize("hash_", ["100%", "%E4%B8", "<b>"])
def test_an_address_that_names_no_card_shows_the_first(
    browser: Browser, page: Page, hash_: str
) -> None:
    """Whatever stands in it."""
    seen = Watched(browser, f"{page.url}#{hash_}")
    seen.sees("maths")
    assert seen.wrong == []
    seen.context.close()


def test_what_another_page_of_the_port_has_kept_is_no_choice(seen: Watched) -> None:
    """Some view and some screen are always chosen."""
    seen.tab.evaluate("() => { localStorage.view = 'grid'; localStorage.screen = 'tv' }")
    seen.tab.reload()
    seen.sees("maths")
    for name in ("card", "desktop"):
        expect(seen.tab.locator(f"input[value={name}]")).to_be_checked()


# The card that is wished for

MANY = "".join(f"## What is number {n}? {{#n{n}}}\n\nIt is {n}.\n\n" for n in range(2_600))
"""More cards than are fetched at once, and at twice."""


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A deck of many cards."""
    return project(tmp_path_factory.mktemp("many"), {"many.md": MANY})


@pytest.fixture(scope="module")
def many_page(many: Project) -> Iterator[Page]:
    """It, served."""
    with served(many, "--no-verify") as page:
        page.events(lambda events: "deck" in events)
        yield page


def test_an_address_names_a_card_far_down(browser: Browser, many: Project, many_page: Page) -> None:
    """Entries come in parts: until all are there, nothing stands in for what was asked for."""
    seen = Watched(browser, f"{many_page.url}#n2500")
    row = seen.tab.locator(".row[aria-selected=true]")
    seen.sees("n2500")
    expect(row).to_be_in_viewport(timeout=PATIENCE)
    seen.keys(" ")
    seen.face("It is 2500.")
    seen.tab.reload()
    seen.sees("n2500")
    expect(row).to_be_in_viewport(timeout=PATIENCE)
    seen.keys(" ")
    try:  # each hash is another one, and the first of them are fetched first
        many.write("pyproject.toml", SETTINGS.replace("Root", "Other"))
        expect(seen.tab.locator("#stage .path")).to_contain_text("Other", timeout=PATIENCE)
        seen.counts("2,600 cards")
        seen.sees("n2500")
        seen.face("It is 2500.")
    finally:
        many.write("pyproject.toml", SETTINGS)
    expect(seen.tab.locator("#stage .path")).to_contain_text("Root", timeout=PATIENCE)
    seen.counts("2,600 cards")
    seen.keys("v")
    seen.tab.reload()
    shown = seen.tab.locator(".shown", has_text="n2500")
    expect(shown).to_be_in_viewport(timeout=PATIENCE)
    top = "document.querySelector('#stream').scrollTop"
    seen.tab.evaluate(f"{top} += 10_000")
    expect(shown).not_to_be_in_viewport(timeout=PATIENCE)
    expect(seen.tab).not_to_have_url(re.compile("#n2500$"), timeout=PATIENCE)
    seen.keys("v")
    expect(row).to_be_in_viewport(timeout=PATIENCE)
    assert seen.wrong == []
    seen.context.close()


def test_a_list_goes_back_to_the_card_that_was_away(
    browser: Browser, many: Project, many_page: Page
) -> None:
    """It is shorter until all entries have come: nobody has chosen what stands at its end."""

    def later(route: Route) -> None:
        time.sleep(0.5)
        route.continue_()

    seen = Watched(browser, f"{many_page.url}#n2500")
    seen.sees("n2500")
    seen.keys("v")
    shown = seen.tab.locator(".shown", has_text="n2500")
    expect(shown).to_be_in_viewport(timeout=PATIENCE)
    seen.tab.route("**/entries", later)
    try:
        many.write("pyproject.toml", SETTINGS.replace("Root", "Third"))
        seen.tab.wait_for_selector("body[data-drawn=some]")
        seen.tab.wait_for_selector("body[data-drawn=all]")
        expect(shown).to_be_in_viewport(timeout=PATIENCE)
        expect(seen.tab).to_have_url(re.compile("#n2500$"), timeout=PATIENCE)
    finally:
        many.write("pyproject.toml", SETTINGS)
    assert seen.wrong == []
    seen.context.close()


def test_a_card_that_was_away_is_shown_again(seen: Watched, made: Project) -> None:
    """A file is empty for a moment, or has another name: the next card stands in for it so long."""
    seen.tab.locator(".row", has_text="print").click()
    seen.keys(" ")
    seen.face("Two")
    made.write("cards/alpha.md", "# Alpha\n")
    seen.counts("4 cards")
    seen.sees("two")
    expect(seen.tab).to_have_url(re.compile("#two$"))
    made.write("cards/alpha.md", CARDS)
    seen.sees("code")
    seen.face("Two")
    expect(seen.tab).to_have_url(re.compile("#code$"))
    expect(seen.tab.locator(".row[aria-selected=true]")).to_contain_text("print")


def test_a_card_that_is_pasted_elsewhere_is_shown_there(seen: Watched, made: Project) -> None:
    """It is in no file while it is cut out."""
    seen.tab.locator(".row", has_text="drawn").click()
    seen.keys(" ")
    cut, at = CARDS, CARDS.index("## What is drawn")
    made.write("cards/alpha.md", cut[:at])
    seen.counts("6 cards")
    seen.sees("word")
    made.write("cards/beta.md", f"{MORE}\n{cut[at:]}")
    seen.sees("picture")
    expect(seen.tab.locator("#stage .path")).to_contain_text("Beta")
    expect(seen.tab.get_by_role("button", name="Show question")).to_be_visible()


def test_a_card_that_comes_back_takes_nobody_away(seen: Watched, made: Project) -> None:
    """Who has turned over what stood in for it, or has gone on from there, reads something else."""
    for keys, name in ([" "], "two"), (["ArrowRight", "j"], "norun"):
        seen.tab.locator(".row", has_text="print").click()
        made.write("cards/alpha.md", "# Alpha\n")
        seen.counts("4 cards")
        seen.sees("two")
        seen.keys(*keys)
        seen.sees(name)
        made.write("cards/alpha.md", CARDS)
        seen.counts("7 cards")
        seen.sees(name)


def test_a_list_stays_where_it_is_read(seen: Watched, made: Project) -> None:
    """A card that comes above what is read moves nothing on the screen."""
    seen.keys("v")
    shown = seen.tab.locator(".shown", has_text="word")
    place = "item => Math.round(item.getBoundingClientRect().top)"
    seen.tab.wait_for_selector(".shown iframe")
    seen.keys("j", "j", "j", "j", "k")
    expect(shown).to_be_in_viewport()
    seen.tab.locator("#stream").evaluate("box => { box.scrollTop += 60 }")
    seen.tab.wait_for_timeout(500)
    before = shown.evaluate(place)
    made.write("cards/alpha.md", CARDS + "\n## New? {#new}\n\nYes.\n")
    expect(seen.tab.get_by_role("button", name="All cards 8")).to_be_visible(timeout=PATIENCE)
    seen.tab.wait_for_timeout(500)
    assert abs(shown.evaluate(place) - before) < 2


def test_a_filter_and_a_search_take_a_card_away_for_so_long(seen: Watched, made: Project) -> None:
    """A card that is mended has no problem, and one that is broken again has one."""
    bad = CARDS.replace("sum([1, 1])", "sum([1, 2])")
    seen.tab.locator(".row", has_text="print").click()
    made.write("cards/alpha.md", bad)
    made.write("helper.py", "def two():\n    return 3\n")
    seen.says(re.compile("^2 cards of 7"))
    problem = seen.tab.get_by_role("button", name=re.compile("^With a problem"))
    problem.click()
    seen.sees("code")
    made.write("cards/alpha.md", CARDS)
    seen.counts("1 of 7 cards")
    seen.sees("helped")
    made.write("cards/alpha.md", bad)
    seen.counts("2 of 7 cards")
    seen.sees("code")
    problem.click()
    seen.keys("/")
    seen.tab.keyboard.type("formula")
    seen.sees("maths")
    expect(seen.tab).to_have_url(re.compile("#maths$"))
    seen.keys("Escape")
    seen.sees("code")
    expect(seen.tab).to_have_url(re.compile("#code$"))


# How it looks


def test_night_and_screens(seen: Watched) -> None:
    """The card has Anki's classes for it; the choice is kept."""
    body = seen.tab.frame_locator("#stage iframe").locator("body")
    frame = seen.tab.locator("#stage iframe")
    expect(body).to_have_class("card card1 isLin fancy")
    seen.keys("n")
    expect(body).to_have_class("card card1 isLin fancy nightMode night_mode")
    assert body.evaluate("body => getComputedStyle(body).backgroundColor") == "rgb(29, 31, 35)"
    seen.keys("d", "d")
    expect(seen.tab.get_by_role("radio", name="Phone")).to_be_checked()
    assert frame.evaluate("frame => frame.clientWidth") == 390
    seen.tab.reload()
    seen.tab.wait_for_selector("#stage[data-shown]")
    expect(seen.tab.get_by_role("button", name="Night")).to_have_attribute("aria-pressed", "true")
    assert frame.evaluate("frame => frame.clientWidth") == 390


def test_a_narrow_screen_shows_a_list_and_then_a_card(browser: Browser, page: Page) -> None:
    """On a telephone nothing is wider than the screen."""
    seen = Watched(browser, page.url, viewport={"width": 390, "height": 844}, has_touch=True)
    wide = "document.scrollingElement.scrollWidth > innerWidth"
    assert not seen.tab.evaluate(wide)
    seen.tab.locator(".row", has_text="print").tap()
    seen.sees("code")
    assert not seen.tab.evaluate(wide)
    seen.tab.get_by_role("button", name="Show answer").tap()
    seen.face("Two")
    seen.tab.get_by_role("button", name="all cards").tap()
    expect(seen.tab.locator(".row").first).to_be_visible()
    seen.tab.get_by_role("button", name="Decks and filters").tap()
    expect(seen.tab.get_by_role("button", name=re.compile("^Beta"))).to_be_visible()
    assert seen.wrong == []
    seen.context.close()


# In a narrow or a low window

NARROW = {"width": 640, "height": 400}
"""A window of 1280 by 800 at a zoom of 200 %."""
LOWEST = {"width": 320, "height": 256}
"""The same at 400 %."""


@pytest.fixture
def narrow(browser: Browser, page: Page) -> Iterator[Watched]:
    """The page in a narrow window, where the list and the card have one column."""
    watched = Watched(browser, page.url, viewport=NARROW)
    yield watched
    watched.context.close()
    assert watched.wrong == []


@pytest.mark.parametrize("key", ["Enter", " "])
def test_a_card_is_opened_by_keys_in_a_narrow_window(narrow: Watched, key: str) -> None:
    """The list moves alone until then; the focus is where one is, there and back."""
    stage, rows = narrow.tab.locator("#stage"), narrow.tab.locator("#rows")
    rows.focus()
    narrow.keys("ArrowDown")
    expect(narrow.tab.locator(".row[aria-selected=true]")).to_contain_text("print")
    expect(stage).to_be_hidden()
    narrow.keys(key)
    narrow.face("What does it print?")
    expect(stage).to_be_focused()
    narrow.keys(" ")
    narrow.face("Two")
    narrow.tab.get_by_role("button", name="all cards").focus()
    narrow.keys("Enter")
    expect(rows).to_be_focused()
    narrow.tab.reload()
    expect(narrow.tab.locator(".row[aria-selected=true]")).to_contain_text("print")
    expect(stage).to_be_hidden()


def test_whatever_names_a_card_opens_it_in_a_narrow_window(narrow: Watched, made: Project) -> None:
    """An address, the skip link, the next problem, and a problem's button."""
    stage, back = narrow.tab.locator("#stage"), narrow.tab.get_by_role("button", name="all cards")
    narrow.tab.evaluate("location.hash = 'two'")
    narrow.sees("two")
    expect(stage).to_be_visible()
    back.click()
    narrow.tab.locator("#skip").focus()
    narrow.keys("Enter")
    expect(stage).to_be_focused()
    assert narrow.tab.url.endswith("#two")
    back.click()
    made.write("cards/alpha.md", CARDS.replace("sum([1, 1])", "sum([1, 2])"))
    try:
        narrow.says(re.compile("^1 card of 7"))
        narrow.keys("p")
        narrow.sees("code")
        expect(stage).to_be_visible()
        back.click()
        narrow.tab.locator("#problems summary").click()
        narrow.tab.get_by_role("button", name="show card").click()
        expect(stage).to_be_focused()
    finally:
        made.write("cards/alpha.md", CARDS)
    narrow.says(re.compile("^7 cards hold"))
    address = f"{narrow.asked[0]}#word"
    narrow.tab.goto("about:blank")
    narrow.tab.goto(address)
    narrow.sees("word")
    expect(stage).to_be_visible()


def test_decks_and_filters_are_closed_again(narrow: Watched) -> None:
    """By a button, Escape, a press beside them, and by going on; the focus goes in and back."""
    menu = narrow.tab.get_by_role("button", name="Decks and filters")
    side, close = narrow.tab.locator("#side"), narrow.tab.locator("#side-close")

    def opened() -> None:
        menu.click()
        expect(side).to_be_visible()
        expect(close).to_be_focused()

    opened()
    close.click()
    expect(side).to_be_hidden()
    expect(menu).to_be_focused()
    opened()
    side.get_by_role("button", name=re.compile("^Beta")).click()
    narrow.counts("3 of 7 cards")
    narrow.keys("Escape")
    expect(side).to_be_hidden()
    expect(menu).to_be_focused()
    opened()
    narrow.tab.mouse.click(600, 200)
    expect(side).to_be_hidden()
    expect(menu).to_be_focused()
    opened()
    narrow.keys("Shift+Tab")
    expect(side).to_be_hidden()
    expect(menu).to_have_attribute("aria-expanded", "false")


@pytest.mark.parametrize("size", [NARROW, LOWEST], ids=["200%", "400%"])
def test_a_card_has_room_in_a_low_window(
    browser: Browser, page: Page, size: dict[str, int]
) -> None:
    """The page scrolls, by keys too, and is no wider than the window."""
    seen = Watched(browser, f"{page.url}#code", viewport=size)
    seen.face("print")
    device, turn = seen.tab.locator("#stage .device"), seen.tab.locator(".turn")
    assert device.evaluate("device => device.clientHeight") >= 200
    assert not seen.tab.evaluate("document.scrollingElement.scrollWidth > innerWidth")
    expect(turn).not_to_be_in_viewport()
    seen.keys("PageDown", "PageDown", "PageDown")
    expect(turn).to_be_in_viewport()
    turn.click()
    seen.face("Two")
    seen.tab.get_by_role("button", name="all cards").click()
    row = seen.tab.locator(".row", has_text="drawn")
    row.click()
    seen.sees("picture")
    expect(device).to_be_in_viewport(ratio=0.6)
    assert seen.wrong == []
    seen.context.close()


def test_what_was_chosen_is_within_reach_of_a_narrow_window(browser: Browser, page: Page) -> None:
    """A list, a phone: neither is a trap."""
    seen = Watched(browser, page.url)
    seen.keys("v", "d", "d")
    seen.tab.set_viewport_size({"width": 390, "height": 844})
    expect(seen.tab.locator(".shown").first).to_be_visible()
    seen.tab.get_by_role("button", name="Decks and filters").click()
    side = seen.tab.locator("#side")
    side.get_by_role("radio", name="Desktop").check()
    side.get_by_role("button", name="Keys").click()
    expect(seen.tab.get_by_role("dialog", name="Keys")).to_be_visible()
    seen.keys("Escape")
    side.get_by_role("radio", name="Card", exact=True).check()
    seen.keys("Escape")
    expect(side).to_be_hidden()
    seen.sees("maths")
    expect(seen.tab.locator("#stage")).to_be_visible()
    assert seen.wrong == []
    seen.context.close()


# Where nothing is shown


def test_a_deck_that_is_gone_is_still_chosen_and_said(seen: Watched, made: Project) -> None:
    """Nothing else would say why no card is shown; one button clears all that narrows them down."""
    seen.tab.locator(".row", has_text="print").click()
    for name in ("Alpha", "python"):
        seen.tab.get_by_role("button", name=re.compile(f"^{name}")).click()
    seen.counts("1 of 7 cards")
    seen.keys("/")
    seen.tab.keyboard.type("print")
    made.write("cards/alpha.md", CARDS.replace("# Alpha", "# Omega").replace('tags="python"', ""))
    seen.counts("0 of 7 cards")
    for name in ("Alpha", "python"):
        expect(seen.tab.get_by_role("button", name=f"{name} 0")).to_be_visible()
    seen.tab.get_by_role("button", name="Clear search and filters").click()
    seen.counts("7 cards")
    seen.sees("code")
    expect(seen.tab.locator("#stage")).to_be_focused()
    expect(seen.tab.locator("#side").get_by_role("button", name="Alpha")).to_have_count(0)


def test_a_list_says_how_many_and_that_there_is_none(seen: Watched) -> None:
    """As the list of cards does."""
    seen.keys("v")
    seen.counts("7 cards")
    expect(seen.tab.locator("#count")).to_be_visible()
    seen.tab.get_by_role("searchbox").fill("nowhere")
    seen.counts("0 of 7 cards")
    stream = seen.tab.locator("#stream")
    expect(stream).to_contain_text("No card is like that.")
    stream.get_by_role("button", name="Clear search and filters").click()
    seen.counts("7 cards")
    expect(stream).not_to_contain_text("No card is like that.")


# For everybody


def test_what_is_chosen_is_seen_without_backgrounds(browser: Browser, page: Page) -> None:
    """A reader's own colours replace them: an outline tells it then."""
    seen = Watched(browser, f"{page.url}#two", forced_colors="active")
    for chosen in (
        "#side [aria-current]",
        ".row[aria-selected=true]",
        ":checked + span",
        ".tabs [aria-pressed=true]",
    ):
        style = seen.tab.locator(chosen).first.evaluate(
            "each => getComputedStyle(each).outlineStyle"
        )
        assert style == "solid", chosen
    border = seen.tab.locator("#stage .device").evaluate(
        "each => getComputedStyle(each).borderStyle"
    )
    assert border == "solid"
    seen.context.close()


@pytest.mark.parametrize("state", ["first", "night", "list", "help", "phone", "panel", "none"])
def test_nobody_is_kept_out(seen: Watched, state: str) -> None:
    """Axe finds nothing serious, wherever one is."""
    match state:
        case "night":
            seen.keys("n", " ")
            seen.face("The formula")
        case "list":
            seen.keys("v")
            seen.tab.wait_for_selector(".shown")
        case "help":
            seen.keys("?")
            expect(seen.tab.get_by_role("dialog", name="Keys")).to_be_visible()
        case "phone":
            seen.tab.set_viewport_size({"width": 390, "height": 844})
        case "panel":
            seen.tab.set_viewport_size({"width": 390, "height": 844})
            seen.tab.get_by_role("button", name="Decks and filters").click()
        case "none":
            seen.tab.get_by_role("searchbox").fill("nowhere")
            seen.counts("0 of 7 cards")
    found = Axe().run(seen.tab).response["violations"]
    serious = [
        (each["id"], [node["target"] for node in each["nodes"]])
        for each in found
        if each["impact"] in {"serious", "critical"}
    ]
    assert serious == []


def test_all_is_done_by_keys(seen: Watched) -> None:
    """From the address bar on: skip to the card, choose a filter, search, read, ask for help."""
    seen.keys("Tab")
    expect(seen.tab.locator(":focus")).to_have_text("Skip to the card")
    seen.keys("Enter", " ")
    seen.face("The formula")
    names = []
    for _ in range(40):
        seen.keys("Tab")
        names.append(seen.tab.evaluate("document.activeElement.dataset.name ?? ''"))
        if names[-1] == "deck:Root::Beta":
            break
    else:
        seen.tab.locator("#menu, #search").first.focus()
        for _ in range(40):
            seen.keys("Tab")
            if seen.tab.evaluate("document.activeElement.dataset.name") == "deck:Root::Beta":
                break
    seen.keys("Enter")
    seen.counts("3 of 7 cards")
    seen.keys("/")
    seen.tab.keyboard.type("which")
    seen.counts("2 of 7 cards")
    seen.keys("Enter")
    rows = seen.tab.get_by_role("listbox", name="Cards")
    expect(rows).to_be_focused()
    seen.keys("ArrowDown")
    seen.sees("two")
    chosen = seen.tab.evaluate(
        "document.getElementById(document.activeElement.getAttribute('aria-activedescendant'))"
        ".getAttribute('aria-selected')"
    )
    assert chosen == "true"
    seen.keys("?")
    expect(seen.tab.get_by_role("dialog", name="Keys")).to_be_visible()
    seen.keys("Escape", " ")
    seen.face("It is one and two.")


# On every save


def test_saved_markdown_is_shown(seen: Watched, made: Project) -> None:
    """The side that one reads, where one reads it; other cards are not asked for again."""
    seen.keys(" ")
    seen.face("The formula")
    asked = len(seen.asked)
    made.write("cards/alpha.md", CARDS.replace("The formula", "Our formula"))
    seen.face("Our formula")
    fetched = [each for each in seen.asked[asked:] if "/body/" in each]
    assert len(fetched) == 1
    made.write(
        "cards/alpha.md", CARDS.replace("## What is", "## New? {#new}\n\nYes.\n\n## What is")
    )
    seen.counts("8 cards")
    seen.sees("maths")


def test_a_saved_snippet_picture_and_setting_are_shown(seen: Watched, made: Project) -> None:
    """Whatever a card follows from."""
    seen.tab.locator(".row", has_text="drawn").click()
    seen.sees("picture")
    seen.keys(" ")
    image = seen.tab.frame_locator("#stage iframe").locator("img")
    expect(image).to_have_js_property("naturalWidth", 20, timeout=PATIENCE)
    made.write("drawing.svg", DRAWING.format(40))
    expect(image).to_have_js_property("naturalWidth", 40, timeout=PATIENCE)
    made.write("helper.py", "def two():\n    return 3\n")
    seen.says(re.compile("^1 card of 7 does not hold"))
    made.write("helper.py", "def two():\n    return 1 + 1\n")
    seen.says(re.compile("^7 cards hold"))
    try:
        made.write("pyproject.toml", SETTINGS.replace("Root", "Other"))
        expect(seen.tab.locator("#name")).to_have_text("Other", timeout=PATIENCE)
        made.write("pyproject.toml", f"{SETTINGS}timeout = 'x'\n")
        expect(seen.tab.locator("#problems")).to_contain_text("setting-invalid", timeout=PATIENCE)
        seen.counts("7 cards")
    finally:
        made.write("pyproject.toml", SETTINGS)
    expect(seen.tab.locator("#problems")).to_be_hidden(timeout=PATIENCE)


def test_a_card_that_fails_is_told_and_mended(seen: Watched, made: Project) -> None:
    """At the top, in the list and on the card, with its line; its last good face stays, greyed."""
    seen.tab.locator(".row", has_text="print").click()
    seen.sees("code")
    seen.face("What does it print?")
    made.write(
        "cards/alpha.md", CARDS.replace("sum([1, 1])", "sum([1, 2])").replace("Two", "Three")
    )
    seen.says(re.compile("^1 card of 7 does not hold"))
    wrong = seen.tab.locator("#stage .wrong")
    expect(wrong).to_contain_text("assertion failed")
    expect(wrong).to_contain_text("assert value == 2")
    expect(wrong).to_contain_text("cards/alpha.md:25:1")
    expect(seen.tab.locator("#problems summary")).to_contain_text("1 error")
    seen.tab.locator("#problems summary").click()
    expect(seen.tab.locator("#problems .source")).to_contain_text("assert value == 2")
    expect(seen.tab.locator(".row", has_text="print").locator(".bad")).to_have_text("fails")
    expect(seen.tab.locator("#stage .stale")).to_be_visible()
    seen.tab.get_by_role("button", name="Show answer").click()
    seen.face("Two")
    seen.keys("Home", "p")
    seen.sees("code")
    made.write("cards/alpha.md", CARDS)
    seen.says(re.compile("^7 cards hold"))
    expect(wrong).to_be_hidden(timeout=PATIENCE)
    expect(seen.tab.locator("#problems")).to_be_hidden()


def test_what_runs_is_seen_running(seen: Watched, made: Project) -> None:
    """Its row says so, and the status names it, until it has ended; a newer save breaks it off."""
    slow = "import time\ntime.sleep(40)\nassert int('1') == 1"
    made.write("cards/gamma.md", card("helped", slow))
    seen.says(re.compile(r"^proving 1 of 1: cards/gamma\.md:1$"))
    expect(seen.tab.locator(".row.runs")).to_contain_text("helped")
    made.write("cards/gamma.md", str(FILES["gamma.md"]))
    seen.says(re.compile("^7 cards hold"))


def test_code_is_shown_before_it_is_audited(browser: Browser, tmp_path: Path) -> None:
    """An audit executes a card again and again: nobody waits for that to see the card."""
    slow = "import time\nlaid = time.sleep(.4) or 1\nassert laid == 1\n"
    made = project(tmp_path, {"a.md": card("slow", slow)}, f"{SETTINGS}audit.build = true\n")
    with served(made) as page:
        page.events(lambda events: "deck" in events)
        seen = Watched(browser, page.url)
        seen.keys(" ")
        seen.face("laid == 1")
        made.write("cards/a.md", card("slow", slow.replace("laid", "kept")))
        seen.face("kept == 1")
        expect(seen.tab.locator(".foot")).not_to_contain_text("changes noticed")
        expect(seen.tab.locator(".foot")).to_contain_text("changes noticed", timeout=PATIENCE)
        expect(seen.tab.locator("#status")).to_have_text(
            "1 card holds · 1 assertion", timeout=PATIENCE
        )
        other = card("other", slow.replace("laid", "new"))
        made.write("cards/a.md", other + card("slow", slow.replace("laid", "kept")))
        seen.counts("2 cards")
        seen.tab.locator(".row", has_text="other").click()
        seen.keys(" ")
        seen.face("new == 1")
        expect(seen.tab.locator(".foot")).not_to_contain_text("changes noticed")
        expect(seen.tab.locator(".foot")).to_contain_text("changes noticed", timeout=PATIENCE)
        assert seen.wrong == []
        seen.context.close()


@pytest.mark.linux(reason="names that no other system allows")
def test_no_file_s_name_ends_its_part_of_an_editor_s_address(
    browser: Browser, tmp_path: Path
) -> None:
    """A stranger may call a file as the rest of an address, or as a pattern of ours."""
    name = 'a&line=9?b#c=d $\' {line} "e"+f%20.md'
    made = project(tmp_path, {name: "## Why?\n\nSo.\n"})
    with served(made, "--editor", "idea") as page:
        page.events(lambda events: "deck" in events)
        seen = Watched(browser, page.url)
        href = seen.tab.locator("#stage a.edit").first.get_attribute("href")
        seen.context.close()
    assert href
    asked = parse_qs(urlsplit(href).query, strict_parsing=True)
    assert asked == {"file": [str(made.root / "cards" / name)], "line": ["1"], "column": ["4"]}
    assert urlsplit(href).fragment == ""


def test_a_look_of_the_project_s_own_is_shown(browser: Browser, tmp_path: Path) -> None:
    """Its sheet and its templates, and both as they are saved: on a card, and in the list."""
    own = 'css = "deck.css"\ntemplates = "look"\n'
    sheet, front = (
        ".question {{ color: rgb({0}, 0, 0); }}\n",
        '<p class="question {0}">{{{{Question}}}}</p>',
    )
    made = project(tmp_path, {"a.md": "## Why?\n\nSo.\n"}, f"{SETTINGS}{own}")
    made.write("deck.css", sheet.format(1))
    made.write("look/basic.front.html", front.format("first"))
    with served(made) as page:
        page.events(lambda events: "deck" in events)
        seen = Watched(browser, page.url)
        question = seen.face("Why?").locator(".question")
        expect(question).to_have_class("question first")
        expect(question).to_have_css("color", "rgb(1, 0, 0)")
        made.write("deck.css", sheet.format(2))
        expect(question).to_have_css("color", "rgb(2, 0, 0)", timeout=PATIENCE)
        made.write("look/basic.front.html", front.format("second"))
        expect(question).to_have_class("question second", timeout=PATIENCE)
        seen.keys("v")
        both = seen.tab.frame_locator(".shown iframe").locator(".question.second")
        expect(both).to_have_css("color", "rgb(2, 0, 0)", timeout=PATIENCE)
        made.write("deck.css", sheet.format(3))
        expect(both).to_have_css("color", "rgb(3, 0, 0)", timeout=PATIENCE)
        assert seen.wrong == []
        seen.context.close()


def test_two_windows_show_the_same(
    browser: Browser, seen: Watched, page: Page, made: Project
) -> None:
    """Each at its own card."""
    other = Watched(browser, page.url)
    other.keys("End")
    other.sees("helped")
    made.write("cards/gamma.md", str(FILES["gamma.md"]).replace("This.", "That."))
    other.keys(" ")
    other.face("That.")
    seen.sees("maths")
    assert other.wrong == []
    other.context.close()


@pytest.mark.parametrize("shares", [True, False], ids=["worker", "alone"])
def test_more_windows_than_a_browser_has_connections(
    browser: Browser, page: Page, made: Project, *, shares: bool
) -> None:
    """Six to a server: all windows share one stream; without that, those that are seen go on."""
    context = browser.new_context()
    if not shares:
        context.add_init_script("delete window.SharedWorker")
    count = 9 if shares else 4
    tabs = [context.new_page() for _ in range(count)]
    text = str(FILES["gamma.md"])
    try:
        for tab in tabs:
            tab.goto(f"{page.url}#helped")
            tab.wait_for_selector("#stage[data-shown]", timeout=PATIENCE)
        for said in ("That.", "Those."):
            made.write("cards/gamma.md", text.replace("This.", said))
            for tab in tabs:
                if tab.get_by_role("button", name="Show answer").is_visible():
                    tab.get_by_role("button", name="Show answer").click()
                shown = tab.frame_locator("#stage iframe").locator("#qa")
                expect(shown).to_contain_text(said, timeout=PATIENCE)
            tabs.pop().close()
    finally:
        made.write("cards/gamma.md", text)
        context.close()


def test_the_page_goes_on_when_the_server_comes_back(browser: Browser, tmp_path: Path) -> None:
    """It says that it is alone, and asks again for nothing that it has."""
    made = project(tmp_path, FILES)
    with served(made) as first:
        port = first.port
        seen = Watched(browser, first.url)
        seen.keys("j", "j")
        seen.sees("code")
    expect(seen.tab.get_by_role("alert")).to_contain_text("stopped", timeout=PATIENCE)
    seen.tab.locator(".row", has_text="drawn").click()
    seen.sees("picture")
    expect(seen.tab.locator("#stage .stale")).to_contain_text("has not sent this card")
    expect(seen.tab.locator("#stage .device")).to_be_hidden()
    seen.keys("e")
    seen.tab.wait_for_timeout(500)
    assert all("Failed to load resource" in each for each in seen.wrong)  # the browser's own
    asked = len(seen.asked)
    made.write("cards/gamma.md", str(FILES["gamma.md"]).replace("This.", "That."))
    with served(made, port=port):
        expect(seen.tab.get_by_role("alert")).to_be_hidden(timeout=PATIENCE)
        seen.face("What is drawn?")
        seen.keys("End", " ")
        seen.face("That.")
        entries = [each for each in seen.asked[asked:] if each.endswith("/entries")]
        assert len(entries) == 1
    seen.context.close()


def test_a_list_goes_on_when_the_server_comes_back(browser: Browser, many: Project) -> None:
    """What could not be fetched has its place, and its sides when it can."""
    with served(many, "--no-verify") as first:
        port = first.port
        seen = Watched(browser, first.url)
        seen.keys("v")
        expect(seen.tab.locator(".shown", has_text="n1").first).to_be_visible()
    expect(seen.tab.get_by_role("alert")).to_contain_text("stopped", timeout=PATIENCE)
    seen.tab.locator("#stream").evaluate("box => { box.scrollTop += 50_000 }")
    expect(seen.tab).to_have_url(re.compile(r"#n\d\d\d$"))
    name = seen.tab.url.split("#")[1]
    assert all("Failed to load resource" in each for each in seen.wrong)  # the browser's own
    with served(many, "--no-verify", port=port):
        shown = seen.tab.locator(".shown", has=seen.tab.get_by_text(name, exact=True))
        face = shown.frame_locator("iframe").locator("#qa")
        expect(face).to_contain_text(f"It is {name[1:]}.", timeout=PATIENCE)
    seen.context.close()


# What a card may not do


def test_a_card_executes_nothing(browser: Browser, tmp_path: Path) -> None:
    """Not in its own text, not in a picture, not by what its HTML would be in a page."""
    hostile = (
        "## Bad? {#bad}\n\n"
        "<b onclick=\"parent.document.title='x'\">bold</b> "
        "<img src=../drawing.svg onerror=\"parent.document.title='x'\"> "
        "<script>parent.document.title='x'</script> "
        '<a href="javascript:parent.document.title=1">link</a> '
        '<iframe src="/"></iframe> <form action="/edit"></form> '
        "<style>body { background: url(https://evil.example/x) }</style> "
        '<meta http-equiv="refresh" content="0;url=https://evil.example/">\n\n'
        "![drawing](../drawing.svg)\n"
    )
    made = project(tmp_path, {"a.md": hostile, "drawing.svg": DRAWING.format(20)})
    with served(made) as page:
        seen = Watched(browser, page.url)
        title = seen.tab.title()
        seen.keys(" ")
        seen.face("bold").locator("b").click()
        assert seen.tab.title() == title
        assert all(each.startswith(page.url) for each in seen.asked)
        drawn = seen.tab.frame_locator("#stage iframe").locator("img").last.get_attribute("src")
        alone = seen.context.new_page()
        alone.goto(f"{page.url}media/{drawn}")
        assert alone.title() != "drawn"
        seen.context.close()


def test_a_frame_executes_nothing_whatever_it_holds(seen: Watched) -> None:
    """Were something to come through all that guards a field, the frame would not act on it."""
    seen.face("What is")
    seen.tab.evaluate(
        """() => {
            const within = document.querySelector("#stage iframe").contentDocument;
            const bad = "parent.document.title = 'taken'";
            within.body.innerHTML = `<img src="x" onerror="${bad}"><b onclick="${bad}">b</b>`;
            const script = within.createElement("script");
            script.textContent = bad;
            within.body.append(script);
        }"""
    )
    seen.tab.frame_locator("#stage iframe").locator("b").click()
    assert "taken" not in seen.tab.title()
    seen.wrong.clear()  # the browser tells that it refused
    leaves = seen.tab.evaluate(
        """async () => {
            const frame = document.querySelector("#stage iframe");
            frame.contentWindow.location = "https://evil.example/";
            await new Promise(done => setTimeout(done, 300));
            try { return frame.contentDocument?.URL ?? "elsewhere"; } catch { return "elsewhere"; }
        }"""
    )
    assert "evil" not in leaves
    assert not any("evil.example" in each for each in seen.asked)
    seen.wrong.clear()


def test_ten_thousand_cards_are_scrolled(browser: Browser, tmp_path: Path) -> None:
    """Of which only those that are seen are there."""
    many = "".join(f"## What is number {n}? {{#n{n}}}\n\nIt is {n}.\n\n" for n in range(10_000))
    made = project(tmp_path, {"many.md": many})
    with served(made, "--no-verify") as page:
        page.events(lambda events: "deck" in events)
        seen = Watched(browser, page.url)
        seen.counts("10,000 cards")
        assert seen.tab.locator(".row").count() < 60
        seen.keys("End")
        seen.sees("n9999")
        expect(seen.tab.locator(".row", has_text="number 9999?")).to_be_visible()
        seen.keys("/")
        seen.tab.keyboard.type("is 1234.")
        seen.counts("1 of 10,000 cards")
        seen.keys("Escape", "v")
        expect(seen.tab.locator(".shown").first).to_be_visible()
        assert seen.tab.locator("iframe").count() < 30
        assert seen.wrong == []
        seen.context.close()
