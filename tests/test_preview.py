"""The preview without a browser: who is answered, what is sent, what is watched.

`test_preview_page.py` looks at the page.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="make test installs it")

from projects import DOT, MOMENT, SETTINGS, Project, card, project, soon
from served import Page, served

import verideck
from verideck.model import Kind, Place
from verideck.preview import editor
from verideck.preview.doorkeeper import Asked, Doorkeeper
from verideck.preview.live import Live, patch
from verideck.preview.session import Session
from verideck.preview.shown import Deck, Shower, Shown
from verideck.preview.watch import Watched, Watcher, may_matter, watched
from verideck.problems import CallerError
from verideck.render.note_types import notetype

BASIC = notetype(Kind.BASIC)
EVERYWHERE = "0.0.0.0"  # noqa: S104 - what a token is for
FILES: dict[str, str | bytes] = {
    "a.md": card("one", "assert int('1') == 1") + "## Zwei? {#two}\n\n![dot](../dot.png)\n",
    "dot.png": DOT,
    "secret.txt": "nobody's business",
}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page that is served, of a deck that holds."""
    made = project(tmp_path_factory.mktemp("deck"), FILES)
    with served(made) as page:
        page.events(lambda events: "deck" in events)
        yield page


# Who is answered


def test_the_page_and_all_that_it_needs_is_sent_inert(page: Page) -> None:
    """Nothing may be framed, sniffed or kept by another site; only the page executes scripts."""
    for path in ("/", "/frame", "/card.css", "/nothing", f"/body/{page.entry('one')['body']}"):
        answer = page.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert ("script-src 'self'" in policy) == (path == "/")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert "unsafe-eval" not in policy
    (version,) = set(re.findall(r"/static/(\w+)/", page.get("/").text))
    worker = page.get(f"/static/{version}/windows.js").headers["content-security-policy"]
    assert worker == "default-src 'none'; script-src 'self'; connect-src 'self'"
    assert "sandbox" in page.get("/frame").headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.get("/").headers["content-security-policy"]


@pytest.mark.parametrize(
    "name", ["evil.example", "127.0.0.1.evil.example", "", "a b", "[", "10.0.0.1"]
)
def test_another_name_is_refused(page: Page, name: str) -> None:
    """A name that was rebound to this machine's address is not one of the server's."""
    for path in ("/", "/events", "/entries", "/card.css"):
        assert page.get(path, host=f"{name}:{page.port}").status == 403


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]"])
def test_this_machine_is_answered(page: Page, name: str) -> None:
    """By each of its own names."""
    assert page.get("/", host=f"{name}:{page.port}").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
    ],
    ids=lambda each: " ".join(each.values()),
)
def test_another_site_is_refused(page: Page, headers: Mapping[str, str]) -> None:
    """Whatever it makes a browser ask: a picture, a frame, a request of a script."""
    for path in ("/", "/events", "/card.css"):
        assert page.get(path, **headers).status == 403
    assert (
        page.post("/edit", {"path": "cards/a.md", "line": 1, "column": 1}, **headers).status == 403
    )
    assert page.post("/entries", [], **headers).status == 403


def test_a_link_to_the_page_may_be_followed(page: Page) -> None:
    """From a message, or another page; but to nothing else."""
    link = {
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
    }
    assert page.get("/", **link).status == 200
    assert page.get("/frame", **link).status == 403


def test_nothing_but_what_is_shown_is_sent(page: Page) -> None:
    """No path leads to a file: of the project, of the package, or of the machine."""
    version = re.findall(r"/static/(\w+)/", page.get("/").text)[0]
    up = ("../", "..%2f", "%2e%2e/", "")
    media = [f"/media/{each}secret.txt" for each in up]
    static = [f"/static/{version}/{each}server.py" for each in up]
    rooted = [f"/static/{version}//etc/passwd", f"/static/{version}/%2fetc%2fpasswd"]
    others = ["/static/other/app.js", "/cards/a.md", "/secret.txt", "/body/..%2f..%2fsecret.txt"]
    for path in (*media, *static, *rooted, *others):
        answer = page.get(path)
        assert answer.status == 404, path
        assert "nobody's business" not in answer.text
    assert page.get(f"/static/{version}/app.js").status == 200
    assert page.get("/entries").status == 405


@pytest.mark.parametrize(
    "asked",
    [
        {"path": "/etc/passwd", "line": 1, "column": 1},
        {"path": "../x.md", "line": 1, "column": 1},
        {"path": "secret.txt", "line": 1, "column": 1},
        {"path": "cards/a.md", "line": "x", "column": 1},
        {"path": "cards/a.md"},
        ["cards/a.md"],
        17,
    ],
    ids=repr,
)
def test_only_places_of_the_deck_are_opened(page: Page, asked: object) -> None:
    """The editor is given no other file."""
    assert page.post("/edit", asked).status == 400


@pytest.mark.parametrize(
    "written",
    [
        "[" * 100_000,
        '{"path": "cards/a.md", "line": 1e400, "column": 1}',
        '{"path": "cards/a.md", "line": NaN, "column": 1}',
        '{"path": "cards/a.md", "line": %s, "column": 1}' % ("9" * 5000),
        '{"path": "cards/a.md\\u0000", "line": 1, "column": 1}',
        '"\\ud800"',
        "",
    ],
    ids=lambda each: each[:40],
)
def test_no_text_that_is_sent_is_a_bug_of_ours(page: Page, written: str) -> None:
    """Deep, without end, of another encoding: it is refused as all else is."""
    for path in ("/edit", "/entries"):
        assert page.send(path, written.encode()).status == 400


@pytest.mark.parametrize(
    "asked", [{}, "x", 1, ["x"] * 20_001], ids=["object", "text", "number", "many"]
)
def test_entries_are_asked_for_by_a_list(page: Page, asked: object) -> None:
    """Anything else is refused."""
    assert page.post("/entries", asked).status == 400


def test_an_entry_that_is_not_there_is_left_out(page: Page) -> None:
    """A browser may ask for what has gone since."""
    known = page.rows()[0][1]
    found = json.loads(page.post("/entries", ["gone", 3, known]).text)
    assert [hash_ for hash_, _ in found] == [known]


def test_a_server_for_others_wants_its_token(tmp_path: Path) -> None:
    """The address that is printed has it; then a cookie has, which no other site makes use of."""
    with served(project(tmp_path, FILES), "--host", EVERYWHERE) as page:
        assert page.token
        for path in ("/", "/?token=x", "/events", "/card.css", f"/card.css?token={page.token}"):
            assert page.get(path).status == 403
        first = page.get(f"/?token={page.token}")
        assert first.status == 200
        assert "cross-origin-opener-policy" not in first.headers, "it would be complained of"
        cookie = first.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "samesite=strict" in cookie.lower()
        known = {"cookie": cookie.partition(";")[0]}
        assert page.get("/card.css", **known).status == 200
        assert page.get("/card.css", host="evil.example", **known).status == 403
        assert page.get("/card.css", cookie=f"verideck-{page.port}=x").status == 403
        assert page.get("/card.css", cookie="a b=;;").status == 403
        place = {"path": "cards/a.md", "line": 1, "column": 1}
        assert page.post("/edit", place, **known).status == 400, "nobody opens an editor from afar"


def test_a_server_for_others_is_known_by_its_addresses() -> None:
    """An address cannot be rebound; a name can, so only the machine's own are taken."""
    door = Doorkeeper("box.example", 80)
    headers = {"cookie": f"{door.cookie}={door.token}"}

    def refused(host: str) -> bool:
        return bool(door.refusal(Asked("/events", "", {**headers, "host": host})))

    assert not refused("box.example:80")
    assert not refused("192.168.1.5:80")
    assert not refused("[fe80::1]:80")
    assert refused("evil.example:80")
    assert not Doorkeeper("127.0.0.2", 80).token


# What is sent


def test_what_is_named_by_its_content_is_kept_for_ever(page: Page) -> None:
    """A browser asks once; what may change is asked for again."""
    (dot,) = re.findall(r'src="([^"]+\.png)"', page.body("two")["faces"][0]["back"])
    picture = page.get(f"/media/{dot}")
    assert picture.content == DOT
    assert picture.headers["content-type"] == "image/png"
    for kept in (picture, page.get(f"/body/{page.entry('one')['body']}")):
        assert "immutable" in kept.headers["cache-control"]
    for asked in ("/", "/card.css", "/frame"):
        assert page.get(asked).headers["cache-control"] == "no-store"


def test_a_body_has_the_facts_of_the_proof(page: Page) -> None:
    """Both sides of each card, the assertions, how long they took, and in what."""
    body = page.body("one")
    (face,) = body["faces"]
    assert "What is one?" in face["front"]
    assert face["front"] in face["back"]
    assert body["proof"]["assertions"] == 1
    assert body["proof"]["fences"][0]["path"] == "cards/a.md"
    assert page.body("two")["proof"] is None


def shown(opened: verideck.Project, shower: Shower) -> Deck:
    """What the page shows of the project now."""
    return shower.show(opened.check(), {}, "Deck")


def entries(deck: Deck) -> dict[str, dict[str, object]]:
    """The entries by id."""
    found = [json.loads(each.entry) for each in deck.notes]
    return {str(each["id"]): each for each in found}


def test_what_has_not_changed_is_the_same_object(tmp_path: Path) -> None:
    """One changed card is one other entry, and one row of the difference."""
    made = project(tmp_path, FILES)
    with verideck.Project.open(made.root) as opened:
        shower = Shower(made.root, made.root / "deck.apkg")
        first, again = shown(opened, shower), shown(opened, shower)
        assert all(one is other for one, other in zip(first.notes, again.notes, strict=True))
        assert patch(first, again) == {}
        made.write("cards/a.md", str(FILES["a.md"]).replace("This.", "That."))
        changed = shown(opened, shower)
        assert patch(again, changed) == {"set": [[0, changed.notes[0].hash]]}
        assert changed.notes[1] is first.notes[1]


def test_some_files_are_shown_before_the_rest(tmp_path: Path) -> None:
    """Their cards as they are now, new ones and those that are gone; all others as they were."""
    texts = {f"{name}.md": f"## {name}? {{#{name}}}\n\nSo.\n" for name in ("a", "b", "c")}
    made = project(tmp_path, dict(texts))
    with verideck.Project.open(made.root) as opened:
        shower = Shower(made.root, made.root / "deck.apkg")
        first = shown(opened, shower)
        made.write("cards/a.md", "## new? {#new}\n\nNew.\n\n## c? {#c}\n\nMoved.\n")
        made.write("cards/c.md", "## last? {#last}\n\nLast.\n")
        some = shower.show_some(opened.check([made.root / "cards/a.md"]), {})
        assert list(entries(some)) == ["new", "c", "b"]
        assert some.notes[2] is first.notes[1]
        assert "Moved." in some.bodies[some.notes[1].body_hash].body.decode()
        assert (some.summary, some.problems) == (first.summary, first.problems)
        last = shown(opened, shower)
        assert list(entries(last)) == ["new", "c", "b", "last"]
        assert all(one is other for one, other in zip(some.notes, last.notes, strict=False))


def published(made: Project, path: str, text: str) -> list[Deck]:
    """The decks that are shown one after the other when a file of a deck is saved."""
    decks: list[Deck] = []
    live = Live()

    def woken() -> None:
        if not decks or live.now.deck is not decks[-1]:
            decks.append(live.now.deck)

    class DoneError(Exception):
        """It was checked again."""

    class Unstarted(Watcher):
        """A change is told below, once: told again by the system, it would be shown again."""

        def look_at(self, _now: Watched) -> bool:
            return False

    def checked(*_: object) -> None:
        if live.now.revision > 1:
            raise DoneError
        made.write(path, text)
        watcher.changes.add([str(made.root / path)])

    live.wake = woken
    with (
        verideck.Project.open(made.root) as opened,
        Unstarted(made.root, frozenset()) as watcher,
        suppress(DoneError),
    ):
        Session(opened, (), watcher, live).run(checked)
    return decks[1:]


def test_a_text_is_shown_before_all_is_checked(tmp_path: Path) -> None:
    """And code when it has run."""
    made = project(tmp_path, FILES)
    text = str(FILES["a.md"])
    before, texts, whole = published(made, "cards/a.md", text.replace("This.", "That."))
    assert texts.notes != before.notes
    assert texts.notes == whole.notes
    before, whole = published(made, "cards/a.md", text.replace("int('1')", "int('01')"))
    assert before.notes[0].proven != whole.notes[0].proven


def test_a_text_waits_for_no_code_that_was_saved_with_it(tmp_path: Path) -> None:
    """Nor for what runs since an earlier save."""
    code = card("slow", "import time\ntime.sleep(0)")
    made = project(tmp_path, {"a.md": "## Why? {#why}\n\nThis.\n", "b.md": code})
    with served(made) as page:
        page.events(lambda events: "deck" in events)
        before = page.entry("slow")["body"]
        made.write("cards/b.md", code.replace("sleep(0)", "sleep(30)"))
        made.write("cards/a.md", "## Why? {#why}\n\nThat.\n")
        assert soon(lambda: "That." in page.body("why")["faces"][0]["back"])
        assert page.entry("slow")["body"] == before
        page.events(lambda events: events.get("run", {}).get("running"))
        made.write("cards/a.md", "## Why? {#why}\n\nThose.\n")
        assert soon(lambda: "Those." in page.body("why")["faces"][0]["back"])
        assert page.entry("slow")["body"] == before


def test_a_card_is_found_by_its_hint(tmp_path: Path) -> None:
    """As by all that it asks and answers."""
    made = project(tmp_path, {"a.md": '## Why? {#why hint="Think of Gauss"}\n\nSo.\n'})
    with verideck.Project.open(made.root) as opened:
        deck = shown(opened, Shower(made.root, made.root / "deck.apkg"))
        assert "think of gauss" in str(entries(deck)["why"]["text"])


OWN_LOOK = """\
css = "deck.css"
templates = "look"
"""
OWN_FRONT = "<p class=own>{{Question}}</p>"


def test_cards_have_the_look_of_the_project(tmp_path: Path) -> None:
    """Its sheet behind ours, its templates for ours; what has another look is sent again."""
    made = project(tmp_path, FILES, f"{SETTINGS}{OWN_LOOK}")
    made.write("deck.css", ".card { --accent: red; }\n")
    made.write("look/basic.front.html", OWN_FRONT)
    with verideck.Project.open(made.root) as opened:
        shower = Shower(made.root, made.root / "deck.apkg")
        first = shown(opened, shower)
        assert first.css.startswith(BASIC.css)
        assert first.css.endswith(".card { --accent: red; }\n")
        assert all("<p class=own>" in each.body.decode() for each in first.notes)
        made.write("deck.css", ".card { --accent: blue; }\n")
        sheet = shown(opened, shower)
        assert sheet.css.endswith(".card { --accent: blue; }\n")
        assert patch(first, sheet) == {"summary": sheet.summary}
        made.write("look/basic.front.html", OWN_FRONT.replace("own", "new"))
        other = shown(opened, shower)
        assert all("<p class=new>" in each.body.decode() for each in other.notes)
        assert not {each.body_hash for each in other.notes} & set(sheet.bodies)


def test_a_look_that_is_wrong_is_told_and_cards_have_ours(tmp_path: Path) -> None:
    """As in a package that would be built without it."""
    made = project(tmp_path, FILES, f"{SETTINGS}{OWN_LOOK}")
    made.write("deck.css", '@import "https://evil.example/x.css";\n')
    made.write("look/basic.front.html", "<p>{{Qestion}}</p>")
    with verideck.Project.open(made.root) as opened:
        deck = shown(opened, Shower(made.root, made.root / "deck.apkg"))
    assert {each["code"] for each in deck.problems} == {"style-invalid", "template-invalid"}
    assert deck.css == BASIC.css
    assert all("Qestion" not in each.body.decode() for each in deck.notes)


def test_what_became_of_a_note_since_the_last_build(tmp_path: Path) -> None:
    """New to the lock, changed, or neither; a card that fails is another one than was built."""
    made = project(tmp_path, FILES)
    with verideck.Project.open(made.root) as opened:
        shower = Shower(made.root, made.root / "deck.apkg")

        def since() -> dict[str, object]:
            return {name: each["since"] for name, each in entries(shown(opened, shower)).items()}

        assert since() == {"one": "new", "two": "new"}
        opened.build(opened.check(), build_time=MOMENT)
        assert since() == {"one": "", "two": ""}
        made.write("cards/a.md", str(FILES["a.md"]).replace("This.", "That."))
        assert since() == {"one": "changed", "two": ""}
        made.write("cards/a.md", str(FILES["a.md"]).replace("== 1", "== 2"))
        assert since() == {"one": "changed", "two": ""}


def test_a_card_that_fails_shows_what_it_was(tmp_path: Path) -> None:
    """Its last good face stays; what is wrong belongs to it; its key does not change."""
    made = project(tmp_path, FILES)
    with verideck.Project.open(made.root) as opened:
        shower = Shower(made.root, made.root / "deck.apkg")
        good = shown(opened, shower)
        made.write("cards/a.md", str(FILES["a.md"]).replace("== 1", "== 2").replace("This.", "Ha."))
        bad = shown(opened, shower)
        entry = entries(bad)["one"]
        assert entry["holds"] is False
        assert entry["worst"] == "error"
        assert [each.key for each in bad.notes] == [each.key for each in good.notes]
        assert b"This." in bad.notes[0].body
        (problem,) = bad.problems
        assert problem["key"] == bad.notes[0].key
        assert problem["source"] == "assert int('1') == 2"
        again = shown(opened, shower)
        assert again.notes[0] is bad.notes[0]


def test_a_problem_elsewhere_belongs_to_the_card_that_it_fails(tmp_path: Path) -> None:
    """A card executes a module; an assertion fails in that, and the page says on which card."""
    included = '## What is it? {#it}\n\nIt.\n\n```python {include="m.py" symbol="f"}\n```\n'
    made = project(
        tmp_path, {"a.md": included, "m.py": "def f():\n    return 1\n\nassert f() == 2\n"}
    )
    with served(made) as page:
        (problem,) = page.events(lambda events: "deck" in events)["deck"]["problems"]
        assert problem["path"] == "m.py"
        assert problem["key"] == page.rows()[0][0]


def test_a_card_that_was_never_good_is_named_by_its_question(tmp_path: Path) -> None:
    """There is no face to show."""
    made = project(tmp_path, {"a.md": card("one", "assert int('1') == 2")})
    with verideck.Project.open(made.root) as opened:
        deck = shown(opened, Shower(made.root, made.root / "deck.apkg"))
    assert entries(deck)["one"]["question"] == "What is one?"
    assert json.loads(deck.notes[0].body)["faces"] == []


def test_what_stands_beside_a_figure_is_no_part_of_its_question(tmp_path: Path) -> None:
    """Neither its caption nor the code that drew it, in a list; both are found all the same."""
    pytest.importorskip("matplotlib", reason="one of the cards draws")
    drawn = """
## What does the curve show? {#curve}

```python {.front caption="one epoch" alt="a line"}
import matplotlib.pyplot as plt
plt.plot([1, 2])
assert plt.gca().lines
```

Loss.
"""
    made = project(
        tmp_path,
        {
            "a.md": drawn,
            "b.md": 'Q: What is this? {#dot}\n\n![A dot](../dot.png "it is small")\n\nA: A dot.\n',
            "c.md": 'Q: ![A dot](../dot.png "a dot alone") {#alone}\n\nA: A dot.\n',
            "dot.png": DOT,
        },
    )
    with verideck.Project.open(made.root) as opened:
        deck = entries(shown(opened, Shower(made.root, made.root / "deck.apkg")))
    assert deck["curve"]["question"] == "What does the curve show?"
    assert "plt.plot" in str(deck["curve"]["text"])
    assert "one epoch" in str(deck["curve"]["text"])
    assert deck["dot"]["question"] == "What is this?"
    assert "it is small" in str(deck["dot"]["text"])
    assert deck["alone"]["question"] == "a dot alone"


def test_a_card_that_fails_from_the_start_shows_what_was_built(tmp_path: Path) -> None:
    """The last package has its face; one that is no package of ours has none."""
    made = project(tmp_path, FILES)
    package = made.build()
    made.write("cards/a.md", str(FILES["a.md"]).replace("== 1", "== 2").replace("This.", "Ha."))
    with verideck.Project.open(made.root) as opened:
        deck = shown(opened, Shower(made.root, package))
        assert entries(deck)["one"]["holds"] is False
        assert b"This." in deck.notes[0].body
        package.write_bytes(b"PK")
        deck = shown(opened, Shower(made.root, package))
        assert json.loads(deck.notes[0].body)["faces"] == []


@pytest.mark.parametrize(
    "field",
    ["<script>alert(1)</script>", "<link rel=dns-prefetch href=//example.org>", "{{c1::" * 9000],
)
def test_what_a_package_of_somebody_elses_holds_is_not_shown(tmp_path: Path, field: str) -> None:
    """It came with the repository: nothing fetches, and its text is not gone through for hours."""
    made = project(tmp_path, FILES)
    package = made.build()
    with zipfile.ZipFile(package) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    database = tmp_path / "collection"
    database.write_bytes(held["collection.anki2"])
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("update notes set flds = replace(flds, 'This.', ?)", [field])
    with zipfile.ZipFile(package, "w") as archive:
        for name, content in held.items():
            archive.writestr(name, database.read_bytes() if "anki2" in name else content)
    made.write("cards/a.md", str(FILES["a.md"]).replace("== 1", "== 2").replace("This.", "Ha."))
    with verideck.Project.open(made.root) as opened:
        deck = shown(opened, Shower(made.root, package))
    body = json.loads(deck.notes[0].body)
    assert field.startswith("{{c1") or body["faces"] == []
    assert field not in str(entries(deck)["one"]["text"])


def test_wrong_settings_leave_the_cards_where_they_are(tmp_path: Path) -> None:
    """The page does not go blank over a slip in `pyproject.toml`."""
    made = project(tmp_path, FILES)
    settings = (made.root / "pyproject.toml").read_text(encoding="utf-8")
    with verideck.Project.open(made.root) as opened:
        shower = Shower(made.root, made.root / "deck.apkg")
        good = shown(opened, shower)
        made.write("pyproject.toml", f"{settings}timeout = 'long'\n")
        bad = shown(opened, shower)
    assert bad.notes == good.notes
    assert [each["code"] for each in bad.problems] == ["setting-invalid"]


def test_settings_that_are_mended_show_the_deck(tmp_path: Path) -> None:
    """Nothing was shown before that an audit could be waited beside."""
    code = card("one", "v = 1") + "\n```python {.check}\nassert v == 1\n```\n"
    made = project(tmp_path, {"a.md": code}, f"{SETTINGS}nonsense = 1\n")
    with served(made) as page:
        page.events(lambda events: "deck" in events)
        made.write("pyproject.toml", f"{SETTINGS}audit.build = true\n")
        page.events(lambda events: events.get("deck", {}).get("summary", {}).get("cards") == 1)


def test_code_that_is_not_executed_is_told(tmp_path: Path) -> None:
    """By what stands in the way: the author's word, their settings, or the language."""
    fence = "## {0}? {{#{0}}}\n\nIt.\n\n```{1}\nx\n```\n"
    made = project(
        tmp_path,
        {
            "a.md": fence.format("norun", 'python {.no-run reason="no GPU"}')
            + fence.format("rust", "rust")
            + fence.format("text", "text"),
            "b.md": "---\nverify: off\n---\n\n" + fence.format("off", "python"),
        },
    )
    with verideck.Project.open(made.root) as opened:
        found = entries(shown(opened, Shower(made.root, made.root / "deck.apkg")))
    assert {name: each["unverified"] for name, each in found.items()} == {
        "norun": "not run: no GPU",
        "rust": "rust has no verifier",
        "text": "",
        "off": "verification is off",
    }


def deck_of(*rows: str) -> Deck:
    """A deck of rows, each a key and a hash."""
    pairs = [row.split() for row in rows]
    return Deck(notes=tuple(Shown(key, hash_, b"", "", None, BASIC, None) for key, hash_ in pairs))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (["a 1", "b 1"], ["a 1", "b 2"], {"set": [[1, "2"]]}),
        (["a 1", "b 1"], ["a 1", "x 1", "b 1"], {"splice": [1, 0, [("x", "1")]]}),
        (["a 1", "b 1", "c 1"], ["a 1", "c 1"], {"splice": [1, 1, []]}),
        (["a 1", "b 1"], ["b 1", "a 1"], {"splice": [0, 2, [("b", "1"), ("a", "1")]]}),
        (["a 1"], [], {"splice": [0, 1, []]}),
        ([], ["a 1"], {"splice": [0, 0, [("a", "1")]]}),
        (["a 1", "a 1"], ["a 1"], {"splice": [1, 1, []]}),
    ],
)
def test_a_difference_makes_one_list_of_the_other(
    before: Sequence[str], after: Sequence[str], told: Mapping[str, object]
) -> None:
    """What is equal is not sent."""
    assert patch(deck_of(*before), deck_of(*after)) == told


def test_a_browser_that_comes_back_is_told_the_difference() -> None:
    """Of a deck that is remembered; of another server's, all of it."""
    live = Live()
    live.publish(deck_of("a 1"))
    identity = live.identity(live.now)
    assert live.former(identity) is live.now.deck
    for unknown in ("", "x-1", f"{live.instance}-2", f"{live.instance}-x", f"{live.instance}-"):
        assert live.former(unknown) is None
    for _ in range(40):
        live.publish(deck_of("a 2"))
    assert live.former(identity) is None


# What is watched


def test_folders_that_may_hold_something_of_the_cards_are_watched(tmp_path: Path) -> None:
    """Not those of other tools; and those of inputs, also where a file is still missing."""
    made = project(tmp_path, FILES)
    for name in ("src/a/b", ".git/x", "node_modules/x", "env/lib", "new"):
        (made.root / name).mkdir(parents=True)
    made.write("env/pyvenv.cfg", "")
    found = watched(made.root, made.root / "cards", ["img/deep/x.png", ".hidden/x"])
    below = {each.relative_to(made.root).as_posix() for each in found.folders}
    assert below == {".", "cards", "src", "src/a", "src/a/b", "new"}
    assert found.is_all


@pytest.mark.linux(reason="a name that is no text")
def test_nothing_outside_of_the_project_is_watched(tmp_path: Path) -> None:
    """A project may name the whole disk, by its settings or a link; and a name may be no text."""
    made = project(tmp_path / "deck", FILES)
    elsewhere = tmp_path / "home"
    (elsewhere / "deep").mkdir(parents=True)
    (made.root / "linked").symlink_to(elsewhere)
    (made.root / os.fsdecode(b"x\xff")).mkdir()
    for cards in (elsewhere, made.root / "linked", made.root / "../home"):
        found = watched(made.root, cards, ["../home/deck.css", "linked/x.css", "a\0b/c"])
        below = {each.relative_to(made.root).as_posix() for each in found.folders}
        assert below == {".", "cards"}


def test_what_cannot_be_watched_is_told(tmp_path: Path) -> None:
    """As where the system allows no more: a thread that ends alone would tell nobody."""
    watcher = Watcher(tmp_path, frozenset())
    with watcher:
        watcher.look_at(Watched(frozenset({tmp_path / "\udcff"})))
        with pytest.raises(CallerError, match="cannot be watched"):
            watcher.changes.wait()


def test_what_verideck_and_editors_keep_for_themselves_is_no_change(tmp_path: Path) -> None:
    """It would check for ever, or for nothing."""
    package = tmp_path / "deck.apkg"

    def matters(name: str) -> bool:
        return may_matter(tmp_path / name, tmp_path, frozenset({package}))

    assert matters("cards/a.md")
    assert matters("snippets/x.py")
    assert matters("pyproject.toml")
    assert matters("cards.lock")
    for name in ("deck.apkg", ".verideck/store.db", "cards/.a.md.swp", "cards/a.md~", "cards/4913",
                 "snippets/__pycache__/x.pyc", "cards/.#a.md"):  # fmt: skip
        assert not matters(name), name


def test_a_watcher_tells_what_is_saved(tmp_path: Path) -> None:
    """In place, or by another file that takes its name, as editors do; in new folders."""
    made = project(tmp_path, FILES)
    with Watcher(made.root, frozenset()) as watcher:
        assert watcher.look_at(watched(made.root, made.root / "cards", []))
        assert not watcher.look_at(watched(made.root, made.root / "cards", []))

        def hears(path: Path) -> bool:
            heard: set[str] = set()

            def is_told() -> bool:
                heard.update(watcher.changes.taken())
                return str(path) in heard

            return soon(is_told)

        made.write("cards/a.md", "## Other?\n\nYes.\n")
        assert hears(made.root / "cards/a.md")
        other = made.write("cards/b.new", "## Third?\n\nYes.\n")
        other.replace(made.root / "cards/a.md")
        assert hears(made.root / "cards/a.md")
        made.write("cards/deep/c.md", "## Deep?\n\nYes.\n")
        assert hears(made.root / "cards/deep")
        assert watcher.look_at(watched(made.root, made.root / "cards", []))
        made.write("cards/deep/c.md", "## Deeper?\n\nYes.\n")
        assert hears(made.root / "cards/deep/c.md")


# The editor


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("vim", ["vim", "+7", "FILE"]),
        ("emacs -nw", ["emacs", "-nw", "+7", "FILE"]),
        ("code --wait", ["code", "--wait", "--goto", "FILE:7:3"]),
        ("/usr/bin/subl", ["/usr/bin/subl", "FILE:7:3"]),
        ("idea", ["idea", "--line", "7", "FILE"]),
    ],
)
def test_each_editor_is_told_the_line_in_its_own_way(named: str, words: Sequence[str]) -> None:
    """By its name; all others have the oldest way."""
    file = Path("/x/a b.md")
    expected = [each.replace("FILE", str(file)) for each in words]
    assert editor.command(named, file, Place("a b.md", 7, 3)) == expected


def test_the_editor_is_the_callers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`VISUAL`, else `EDITOR`; what cannot be started is told."""
    wrote = tmp_path / "wrote"
    place = Place("cards/a.md", 3)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    assert "set VISUAL or EDITOR" in editor.opened(tmp_path, place)
    program = "import sys; open(sys.argv[1], 'w').write(' '.join(sys.argv[2:]))"
    monkeypatch.setenv("EDITOR", "nothing-of-that-name")
    assert "cannot be started" in editor.opened(tmp_path, place)
    monkeypatch.setenv("VISUAL", f'"{sys.executable}" -c "{program}" "{wrote}"')
    assert editor.opened(tmp_path, place) == ""
    assert soon(lambda: wrote.exists() and wrote.read_text() == f"+3 {tmp_path / 'cards/a.md'}")
    monkeypatch.setenv("VISUAL", "'")
    assert "cannot be started" in editor.opened(tmp_path, place)


# The commands


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    """The commands are there, and tell what they want."""
    made = project(tmp_path, FILES)
    made.write("none/starlette.py", "raise ModuleNotFoundError(name='starlette')")
    made.write("none/watchfiles.py", "raise ModuleNotFoundError(name='watchfiles')")
    for command in ("preview", "watch"):
        done = made.run(command, PYTHONPATH=str(made.root / "none"))
        assert done.returncode == 2
        assert "pip install 'verideck[preview]'" in done.stderr


def test_wrong_words_are_told(page: Page, tmp_path: Path) -> None:
    """A port that is taken, an editor that nobody knows."""
    made = project(tmp_path, FILES)
    taken = made.run("preview", "--port", str(page.port))
    assert taken.returncode == 2
    assert f"127.0.0.1:{page.port} cannot be listened at: address already in use" in taken.stderr
    assert "--port 0" in taken.stderr
    unknown = made.run("preview", "--port", "0", "--editor", "ed")
    assert unknown.returncode == 2
    assert "vscode" in unknown.stderr


def test_ctrl_c_ends_a_preview(tmp_path: Path) -> None:
    """At once, also while a browser listens, and while code runs."""
    made = project(tmp_path, {"a.md": card("long", "import time\ntime.sleep(50)")})
    with (
        served(made) as page,
        page.listening(lambda events: events.get("run", {}).get("running")),
    ):
        page.process.send_signal(signal.SIGINT)
        assert page.process.wait(20) == 130


@contextmanager
def watching(made: Project, *words: str) -> Iterator[subprocess.Popen[str]]:
    """`verideck watch` in a project, whose output is read line by line."""
    process = made.start("watch", *words)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line(process: subprocess.Popen[str]) -> str:
    """The next line that is printed, without the time."""
    assert process.stdout
    return re.sub(r"^\d\d:\d\d:\d\d ", "", process.stdout.readline().rstrip("\n"))


def until(process: subprocess.Popen[str], word: str) -> str:
    """The next line in which a word stands."""
    while word not in (found := line(process)):
        assert process.poll() is None, word
    return found


def until_told(process: subprocess.Popen[str], word: str) -> None:
    """Read what is told to people, up to a line in which a word stands."""
    assert process.stderr
    while word not in process.stderr.readline():
        assert process.poll() is None, word


def test_watch_builds_on_every_save(tmp_path: Path) -> None:
    """A line for each change says what became of which card; what fails is not built."""
    made = project(tmp_path, FILES)
    package = made.root / "deck.apkg"
    with watching(made) as process:
        until(process, "deck.apkg")
        first = package.read_bytes()
        made.write("cards/a.md", str(FILES["a.md"]).replace("This.", "That."))
        assert until(process, "changed:") == 'changed: one "What is one?"'
        assert package.read_bytes() != first
        second = package.read_bytes()
        made.write("cards/a.md", str(FILES["a.md"]).replace("== 1", "== 2"))
        assert process.stderr
        told = [process.stderr.readline() for _ in range(4)]
        while "nothing was built" not in told[-1]:
            told.append(process.stderr.readline())
        assert any("assertion failed [assertion-failed]" in each for each in told)
        assert told[-1].endswith("nothing was built: 1 error\n")
        assert package.read_bytes() == second
        made.write("cards/a.md", str(FILES["a.md"]) + "## Drei? {#three}\n\nDrei.\n")
        assert until(process, "new:") == 'new: three "Drei?"'
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


def test_watch_writes_where_it_is_told(tmp_path: Path) -> None:
    """By `-o`, which must name a package."""
    made = project(tmp_path, FILES)
    with watching(made, "-o", "other.apkg") as process:
        until(process, "other.apkg")
    assert (made.root / "other.apkg").exists()
    assert not (made.root / "deck.apkg").exists()
    assert made.run("watch", "-o", "deck.zip").returncode == 2


def test_watch_tells_what_it_writes_for_others_than_anki(tmp_path: Path) -> None:
    """Nothing is remembered of such a file, so no line is for a card."""
    made = project(tmp_path, {"a.md": card("one", "assert int('1') == 1", "One?")})
    with watching(made, "-o", "deck.csv") as process:
        until(process, "deck.csv: 1 note")
        made.write("cards/b.md", "## Two? {#two}\n\nTwo.\n")
        assert until(process, "deck.csv").startswith("deck.csv: 2 notes")
        made.write("cards/b.md", "## Two? {#two}\n\n![Two](two.png)\n")
        until_told(process, "1 error")
        made.write("cards/b.md", "## Two? {#two}\n\nTwo.\n")
        assert line(process) == "it is built again; nothing changed"


def test_watch_hears_that_the_settings_name_another_output(tmp_path: Path) -> None:
    """Also where they could not be read in between."""
    made = project(tmp_path, FILES)
    with watching(made) as process:
        until(process, "deck.apkg")
        made.write("pyproject.toml", SETTINGS.replace("deck.apkg", "deck.zip"))
        until_told(process, "1 error")
        made.write("pyproject.toml", SETTINGS.replace("deck.apkg", "dist/other.apkg"))
        assert line(process).startswith("dist/other.apkg: ")
        made.write("cards/c/new.md", "## Drei? {#three}\n\nDrei.\n")
        assert line(process) == 'new: three "Drei?"'
        made.write("cards/a.md", str(FILES["a.md"]).replace("This.", "That."))
        assert line(process) == 'changed: one "What is one?"'  # other folders are no change


@pytest.mark.skipif(os.name != "posix", reason="a process is stopped by a signal")
def test_no_sandbox_is_told(tmp_path: Path) -> None:
    """On the page, and in the terminal; a stranger's settings do not turn it off."""
    settings = "[tool.verideck]\nnamespace = 'x'\nsandbox = false\n"
    made = project(tmp_path, FILES, settings)
    with served(made) as page:
        told = page.events(lambda events: "deck" in events)["deck"]
        assert [each["code"] for each in told["problems"]] == ["trust-missing"]
        assert told["all"] == []
    with served(made, "--trust") as page:
        told = page.events(lambda events: "deck" in events)["deck"]
        assert told["summary"]["unsafe"] == "turned off"
        assert "sandbox: none" in page.line()
