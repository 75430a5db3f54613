"""A push that is asked for in the preview's page, and who may ask for it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="make test installs it")
pytest.importorskip("starlette", reason="make test installs it")

from anki_connect import RunningAnki
from axe_playwright_python.sync_playwright import Axe
from model.learner import Learner, judge
from playwright.sync_api import Browser, expect
from projects import Project, project
from served import Page, served
from test_preview_page import PATIENCE, Watched, browser
from test_push_command import CARDS, nowhere

__all__ = ["browser"]  # the fixture of that module

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("preview")]


@pytest.fixture
def made(tmp_path: Path) -> Project:
    """A project of two cards."""
    return project(tmp_path / "deck", {"one.md": CARDS})


@pytest.fixture
def anki(tmp_path: Path) -> Iterator[RunningAnki]:
    """A learner's Anki, which is running."""
    learner = Learner(tmp_path / "Anki2/User 1")
    with RunningAnki(learner.collection) as running:
        yield running
    learner.collection.close()


@pytest.fixture
def page(made: Project, anki: RunningAnki) -> Iterator[Page]:
    """The page, which may push into this Anki."""
    with served(made, "--push", VERIDECK_ANKI_PORT=str(anki.port)) as page:
        yield page


@pytest.fixture
def seen(browser: Browser, page: Page) -> Iterator[Watched]:
    """The page in a tab, opened by the address that was printed."""
    watched = Watched(browser, f"{page.url}?token={page.token}")
    yield watched
    watched.context.close()
    assert watched.wrong == []


def says(seen: Watched, text: str | re.Pattern[str]) -> None:
    """Wait until the dialog says something, which a screen reader is told, too."""
    said = seen.tab.get_by_role("dialog", name="Push into Anki").get_by_role("status")
    expect(said).to_have_text(text, timeout=PATIENCE)


def plans(seen: Watched, *texts: str) -> None:
    """Wait until the plan has these texts."""
    plan = seen.tab.get_by_role("region", name="What a push does")
    for each in texts:
        expect(plan).to_contain_text(each, timeout=PATIENCE)


def test_what_is_confirmed_is_done_and_read_back(
    seen: Watched, made: Project, anki: RunningAnki
) -> None:
    """By keys alone; nothing is written before, and a second push has nothing to do."""
    button = seen.tab.get_by_role("button", name="Push", exact=True).first
    button.focus()
    seen.keys("Enter")
    says(seen, "Profile User 1: 2 new. Nothing is written yet.")
    plans(seen, "What is a?", "a · cards/one.md:3", "What is b?")
    assert not anki.written
    assert not (made.root / "cards.lock").exists()
    assert seen.tab.locator(":focus").get_attribute("id") == "push-plan"
    seen.keys("Tab", "Tab", "Enter")
    says(seen, "There now: 2 new.")
    plans(seen, "To take it back: in Anki, Edit, Undo")
    assert anki.col.note_count() == 2
    assert (made.root / "cards.lock").exists()
    expect(seen.tab.locator(":focus")).to_have_text("Close")
    seen.keys("Enter")
    expect(button).to_be_focused()
    seen.keys("Enter")
    says(seen, "Profile User 1: nothing to push: all of it is there.")
    expect(seen.tab.locator("#push-go")).to_be_disabled()
    seen.keys("Escape")
    expect(seen.tab.get_by_role("dialog")).to_have_count(0)


def test_a_dialog_that_is_opened_again_at_once_has_its_answer(seen: Watched) -> None:
    """A browser tells that it was closed when it is open again."""
    seen.tab.locator("#pushes").click()
    says(seen, "Profile User 1: 2 new. Nothing is written yet.")
    names = "['#push-close', '#pushes']"
    seen.tab.evaluate(f"{names}.forEach(name => document.querySelector(name).click())")
    says(seen, "Profile User 1: 2 new. Nothing is written yet.")


def pushed(seen: Watched) -> None:
    """Push for the first time."""
    seen.tab.locator("#pushes").click()
    seen.tab.locator("#push-go:enabled").click()
    says(seen, "There now: 2 new.")
    seen.tab.locator("#push-close").click()


def test_the_plan_tells_words_moves_and_what_is_deleted(
    seen: Watched, made: Project, anki: RunningAnki
) -> None:
    """What is chosen is planned anew; without a sync, text alone is sent, and that is told."""
    pushed(seen)
    for number in anki.col.find_cards(""):
        judge(anki.col, anki.col.get_card(number), 3)
    text = CARDS.replace("A letter.", "The <first> letter.").replace("# One", "# First", 1)
    made.write("cards/one.md", text.split("## What is b?")[0])
    seen.counts("1 card")
    seen.tab.locator("#pushes").click()
    says(seen, "Profile User 1: 1 updated. Nothing is written yet.")
    plans(seen, "not moved a, 1 card: Root::One → Root::First", "retired, kept What is b?")
    plan = seen.tab.locator("#push-plan")
    assert plan.locator("del").all_inner_texts() == ["A"]
    assert plan.locator("ins").all_inner_texts() == ["The <first>"]
    seen.tab.get_by_label("Cards follow their notes into other decks").check()
    seen.tab.get_by_label("Retired notes").select_option("are deleted")
    plans(seen, "retired, deleted What is b?", "b · 1 card, 1 review", "text alone is sent")
    expect(seen.tab.locator("#push-go")).to_have_text("Push")
    seen.tab.get_by_label("Before cards are changed").select_option("without")
    plans(seen, "Sync every other device first")
    deck = {anki.col.decks.name(anki.col.get_card(each).did) for each in anki.col.find_cards("")}
    assert deck == {"Root::One"}
    seen.tab.get_by_role("button", name="Push, and delete 1 note").click()
    says(seen, "There now: 1 updated, 1 card moved, 1 note deleted.")
    (card,) = anki.col.find_cards("")
    assert anki.col.decks.name(anki.col.get_card(card).did) == "Root::First"
    assert len(anki.rows("select * from revlog")) == 2


def test_what_has_changed_since_it_was_shown_is_shown_again(
    seen: Watched, made: Project, anki: RunningAnki
) -> None:
    """A learner who edits between the plan and its confirmation loses nothing unseen."""
    pushed(seen)
    made.write("cards/one.md", CARDS.replace("A letter.", "The first letter."))
    expect(seen.tab.locator(".row .since")).to_have_text(["changed"], timeout=PATIENCE)
    seen.tab.locator("#pushes").click()
    says(seen, "Profile User 1: 1 updated, 1 untouched. Nothing is written yet.")
    (number,) = anki.col.find_notes("Id:a")
    note = anki.col.get_note(number)
    note["Answer"] = "Mine."
    anki.col.update_note(note)
    anki.asked.clear()
    seen.tab.locator("#push-go").click()
    says(seen, re.compile("^What a push does has changed: look at it again."))
    assert not anki.written
    assert anki.col.get_note(number)["Answer"] == "Mine."


def test_what_is_in_the_way_is_told(seen: Watched, made: Project, anki: RunningAnki) -> None:
    """Another profile, a card that does not hold, and no Anki at all: nothing can be confirmed."""
    anki.profiles, anki.profile = ["User 1", "Other"], "Other"
    seen.tab.locator("#pushes").click()
    says(seen, "Profile Other. Nothing was written.")
    plans(seen, "Other has none of this deck", "hint: name the one that is meant by --profile")
    expect(seen.tab.locator("#push-go")).to_be_disabled()
    seen.tab.locator("#push-close").click()
    made.write("cards/two.md", "## What? {#c}\n\nSo.\n\n```python\nassert int('1') == 2\n```\n")
    seen.tab.locator("#problems summary").wait_for()
    seen.tab.locator("#pushes").click()
    plans(seen, "The deck is not built: 1 error", "hint: the page shows them")
    expect(seen.tab.locator("#push-go")).to_be_disabled()
    assert not anki.written
    assert not (made.root / "cards.lock").exists()


def test_no_anki_is_told(browser: Browser, made: Project) -> None:
    """Where nothing listens, the page says so, and goes on."""
    with served(made, "--push", VERIDECK_ANKI_PORT=nowhere()) as page:
        seen = Watched(browser, f"{page.url}?token={page.token}")
        seen.tab.locator("#pushes").click()
        plans(seen, "No Anki with AnkiConnect is at 127.0.0.1:")
        seen.tab.locator("#push-close").click()
        seen.tab.get_by_role("button", name="Show answer").click()
        seen.face("A letter.")
        seen.context.close()


@pytest.mark.parametrize("theme", ["light", "night", "phone"])
def test_nobody_is_kept_out_of_a_push(seen: Watched, theme: str) -> None:
    """Axe finds nothing serious in the dialog, and nothing is wider than a telephone."""
    if theme == "night":
        seen.keys("n")
    if theme == "phone":
        seen.tab.set_viewport_size({"width": 390, "height": 844})
    seen.tab.locator("#pushes").click()
    says(seen, re.compile("^Profile User 1: 2 new"))
    found = Axe().run(seen.tab).response["violations"]
    serious = [each["id"] for each in found if each["impact"] in {"serious", "critical"}]
    assert serious == []
    assert not seen.tab.evaluate("document.scrollingElement.scrollWidth > innerWidth")
    dialog = seen.tab.locator("#push")
    assert not dialog.evaluate("dialog => dialog.scrollWidth > dialog.clientWidth")


# Who may ask


def test_only_the_page_that_was_opened_by_its_address_may_push(
    page: Page, anki: RunningAnki, made: Project
) -> None:
    """Neither another user of this machine, nor another site, nor a program without the token."""
    origin = f"http://127.0.0.1:{page.port}"
    cookie = {"cookie": f"verideck-{page.port}={page.token}"}
    for path in ("/plan", "/push"):
        assert page.post(path, {}, origin=origin).status == 403, "without the token"
        assert page.post(path, {}, **cookie).status == 403, "of no page"
        assert page.post(path, {}, **cookie, origin="http://evil.example").status == 403
        assert page.post(path, {}, **cookie, origin="null").status == 403
        assert page.post(path, {}, **cookie, origin=f"{origin[:-1]}0").status == 403
        assert page.get(path, **cookie, origin=origin).status == 405
        assert page.send(path, b"{" * 20_000, **cookie, origin=origin).status == 400
    assert page.get("/").status == 403
    assert page.get("/events").status == 403
    assert not anki.asked
    wrongs: list[object] = [[], {"moves": 1}, {"moves": 1, "retired": "burn", "sync": None}, "x"]
    for wrong in wrongs:
        assert page.post("/plan", wrong, **cookie, origin=origin).status == 400, wrong
        assert page.post("/push", wrong, **cookie, origin=origin).status == 400, wrong
    guessed = page.post("/push", {"confirms": "guessed"}, **cookie, origin=origin)
    assert json.loads(guessed.text)["error"] == "another plan has been shown since"
    planned = json.loads(page.post("/plan", {}, **cookie, origin=origin).text)
    assert planned["counted"] == "2 new"
    assert not anki.written
    assert not (made.root / "cards.lock").exists()


def test_no_page_pushes_that_was_not_to(made: Project, anki: RunningAnki) -> None:
    """Without `--push` there is neither the button nor what it asks for; elsewhere never."""
    with served(made, VERIDECK_ANKI_PORT=str(anki.port)) as page:
        origin = f"http://127.0.0.1:{page.port}"
        assert page.events(lambda events: "hello" in events)["hello"]["acts"] == []
        for path in ("/plan", "/push"):
            assert page.post(path, {}, origin=origin).status == 404
    assert not anki.asked
    elsewhere = made.invoke("preview", "--push", "--host", "0.0.0.0")  # noqa: S104 - refused
    assert (elsewhere.returncode, "--push is for a page" in elsewhere.stderr) == (2, True)
    made.write("pyproject.toml", '[tool.verideck]\ndeck = "Root"\noutput = "deck.html"\n')
    wrong = made.invoke("preview", "--push")
    assert wrong.returncode == 2


def test_a_plan_waits_for_the_check_of_what_was_saved(seen: Watched, made: Project) -> None:
    """What is asked for while code runs is planned with what that came to."""
    pushed(seen)
    code = "from time import sleep\n\nsleep(3)\nassert int('1') == 1"
    made.write("cards/two.md", f"## What? {{#c}}\n\nSo.\n\n```python {{.check}}\n{code}\n```\n")
    seen.says(re.compile("^proving 1 of 1"))
    seen.tab.locator("#pushes").click()
    says(seen, "Profile User 1: 1 new, 2 untouched. Nothing is written yet.")
