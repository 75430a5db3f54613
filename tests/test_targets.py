"""Decks for readers without Anki: what stands in the page, in CSV and in JSON, and what is left."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from projects import DOT, SETTINGS, Project, files, own_deck, project

import verideck
from verideck.model import ShownNote
from verideck.problems import BuildFailedError, Problems
from verideck.render.mathml import TexError, mathml
from verideck.render.note_types import note_types
from verideck.render.shown import shown
from verideck.result import Result
from verideck.targets.as_csv import COLUMNS
from verideck.targets.night import with_night

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).parents[1]
SCHEMA = json.loads((ROOT / "docs/deck.schema.json").read_text(encoding="utf-8"))

CARDS = r"""---
lang: en
tags: [one, two]
---
# Signs

## What, "then", is $\frac{a}{b}$? {#frac .reversed source="A *book*" hint="think"}

It is, in code,

```python
a, b = 1, 2
assert a / b == 0.5
```

and in a picture ![A dot](../dot.png), twice <img src="../dot.png" alt="The dot" width="40">.

---

An aside, \(x < y\).

# Letters

## Type it {#typed .type}

alpha

More of it.

## Hidden {#hidden}

The {{c1::first::ordinal}} of $\sqrt{ {{c2::x}} }$ in `a[{{c3::0}}]`. ![heard](../tone.mp3)
"""


def made_of(folder: Path, cards: str = CARDS, **more: str | bytes) -> Project:
    """A project with a picture and a sound."""
    return project(folder, {"a.md": cards, "dot.png": DOT, "tone.mp3": b"ID3", **more})


def written(made: Project, name: str, layout: str = "", *, strict: bool = False) -> str:
    """What a file for readers holds."""
    with verideck.Project.open(made.root) as opened:
        opened.show(opened.check(), made.root / name, layout=layout, strict=strict)
    return (made.root / name).read_bytes().decode()


def shown_notes(result: Result, problems: Problems) -> list[ShownNote]:
    """The notes of a result as they are read without Anki."""
    cards, types = {card.place: card for card in result.cards}, note_types()
    return [
        shown(each, cards[each.place], types[each.kind], problems=problems, as_cards=True)
        for each in result.notes
    ]


# The page

LINKED = """---
verify: false
---
## Where? {source="[its *paper*](paper.pdf)"}

[Here](paper.pdf#page=2), [there](data.csv), [on the web](https://example.org), [by phone](tel:1).
"""


def linked(folder: Path) -> Path:
    """The page of a deck whose cards link to documents."""
    made = project(folder, {"a.md": LINKED, "cards/paper.pdf": b"pdf", "cards/data.csv": b"1,2"})
    written(made, "deck.html")
    return made.root / "deck.html"


def test_documents_stand_once_at_the_end_of_a_page(tmp_path: Path) -> None:
    """Every link to one leads there; an address stays one."""
    page = linked(tmp_path).read_text("utf-8")
    main, _, end = page.partition("</main>")
    files = dict(re.findall(r'<a id="(_[^"]+)" download="[^"_]+" href="data:([^"]+)"', end))
    assert sorted(b64decode(each.partition(",")[2]) for each in files.values()) == [b"1,2", b"pdf"]
    assert sorted(re.findall(r">([^<]+)</a></li>", end)) == ["Here", "there"]
    led = re.findall(r'href="#(_[^"]+)"', main)
    assert sorted(set(led)) == sorted(files)
    assert len(led) == 3
    assert 'href="https://example.org"' in main
    assert 'href="tel:1"' in main


@pytest.mark.browser
def test_a_document_is_saved_from_a_page(tmp_path: Path) -> None:
    """A browser leads from the card to the file, and saves what it is."""
    with browsed(linked(tmp_path)) as (tab, heard):
        tab.get_by_text("Answer", exact=True).click()
        tab.locator("main").get_by_text("Here", exact=True).click()
        with tab.expect_download() as saved:
            tab.locator("footer a:target").click()
        assert saved.value.path().read_bytes() == b"pdf"
        assert saved.value.suggested_filename.endswith(".pdf")
        assert heard == []


def test_a_page_holds_every_card_with_its_answer_folded(tmp_path: Path) -> None:
    """Each card is an article: its front, and in a closed element what its back adds."""
    page = written(made_of(tmp_path), "deck.html")
    ids = re.findall(r'<article class="card\d" id="c-([^"]+)">', page)
    assert ids == ["frac", "frac.2", "typed", "hidden", "hidden.2", "hidden.3"]
    assert page.count("<details><summary>Answer</summary>") == len(ids)
    assert re.findall(r'<a href="#(d\d)">(\w+)</a> <small>(\d)</small>', page) == [
        ("d2", "Signs", "2"), ("d3", "Letters", "4"),
    ]  # fmt: skip
    assert '<span class="cloze">[ordinal]</span>' in page
    assert "<p>alpha</p>" in page
    typed = page.partition('id="c-typed">')[2].partition("</article>")[0]
    assert typed.count("Type it") == 1
    assert "[[type:" not in page
    assert "[sound:" not in page


def test_a_page_needs_neither_a_script_nor_the_network(tmp_path: Path) -> None:
    """Pictures and sounds stand in it once, formulas are MathML, and nothing else is named."""
    page = written(made_of(tmp_path), "deck.html")
    assert "<script" not in page
    assert page.count(b64encode(DOT).decode()) == 1
    assert f'<audio controls="" src="data:audio/mpeg;base64,{b64encode(b"ID3").decode()}">' in page
    assert page.count("<math>") == 10
    assert not re.search(r"""\\\(|(?:src|href)=["'](?!data:|#)|url\((?!"data:)|@import""", page)


def test_the_same_cards_give_the_same_page(tmp_path: Path) -> None:
    """A page can be committed, and reviewed as a difference."""
    assert written(made_of(tmp_path / "a"), "deck.html") == written(
        made_of(tmp_path / "b"), "deck.html"
    )


HOSTILE = r"""# <script>pwned = 1</script>

## <img src="../dot.png" onerror="pwned = 1"> `<script>pwned = 2</script>` {#a}

<a href="javascript:pwned=3">a</a> <a href="data:text/html,<script>pwned=4</script>">b</a>
<b style="background:url(https://example.invalid/x); position:fixed" onclick="pwned=5">c</b>
<iframe src="https://example.invalid"></iframe> <style>*{display:none}</style>
$<script>pwned=7</script>$ </details></article> `\(x\)` \\(y\\)
<svg onload="pwned=8"><use href="https://example.invalid/#x"></use></svg>
"""


def hostile(folder: Path) -> Path:
    """The page of a deck that means harm, as far as any of it is built."""
    made = made_of(folder, HOSTILE)
    made.write("pyproject.toml", SETTINGS.replace('"Root"', '"</title><script>pwned=9</script>"'))
    with verideck.Project.open(made.root) as opened:
        result = opened.check()
        opened.show(result, made.root / "deck.html", keep_going=True)
    return made.root / "deck.html"


def test_what_an_author_writes_ends_no_element_of_the_page(tmp_path: Path) -> None:
    """Tags that are not known are text, and text stays text."""
    page = hostile(tmp_path).read_text("utf-8")
    assert page.count("</article>") == page.count("<article ") == 1
    assert page.count("</title>") == 1
    assert not re.search(r"<(?:script|iframe|svg|use)\b", page)
    assert not re.search(r"<[^>]*\son\w+=", page)
    assert "<code>\\(x\\)</code>" in page


@pytest.mark.parametrize(
    ("css", "added"),
    [
        (".card { color: red }", ""),
        (".card.nightMode { color: red }", ".card { color: red }"),
        (".nightMode .card, .night_mode .card p { color: red }", ".card, .card p { color: red }"),
        ("/* a { } */ .nightMode .card { x: '}' }", ".card { x: '}' }"),
        ("@media print { .nightMode .card { x: y } } .a { }", ""),
        (".nightModest .card { x: y } } .nightMode {", ""),
    ],
)
def test_night_follows_the_system(css: str, added: str) -> None:
    """Rules of Anki's night are said again for who asks for dark pages."""
    rest = with_night(css).removeprefix(css)
    assert rest == (
        f"\n@media screen and (prefers-color-scheme: dark) {{\n{added}\n}}\n" if added else ""
    )


@pytest.mark.torch
def test_our_own_page_is_little_larger_than_its_parts() -> None:
    """The parts are the sides of every card as they are shown, each picture in Base64, and the CSS.

    A back does not repeat its front, and a picture stands in the page once.
    """
    result, problems = own_deck(), Problems()
    notes = shown_notes(result, problems)
    sides = sum(
        len(side.encode())
        for each in notes
        for card in each.cards
        for side in (card.front, card.back)
    )
    media = {each.name: each.content for note in result.notes for each in note.media}
    css = next(iter(note_types().values())).css
    parts = sides + sum(len(b64encode(each)) for each in media.values()) + len(css.encode())
    with verideck.Project.open(ROOT) as opened:
        page = ROOT / "dist/test-page.html"
        opened.show(result, page)
    try:
        assert parts < page.stat().st_size < 1.2 * parts
    finally:
        page.unlink()


# Formulas


@pytest.mark.torch
def test_every_formula_of_our_own_deck_has_mathml() -> None:
    """None is shown as TeX."""
    problems = Problems()
    notes = shown_notes(own_deck(), problems)
    sides = "".join(card.front + card.back for each in notes for card in each.cards)
    assert list(problems) == []
    assert sides.count("<math") > 500
    assert "\\(" not in re.sub(r"<(pre|code)\b.*?</\1>", "", sides, flags=re.DOTALL)


@pytest.mark.parametrize(
    "tex",
    ["{" * 20_000, r"\left(" * 5_000, r"\sqrt" * 5_000 + "x", "x^{" * 5_000, r"\sqrt[" * 5_000,
     "x" * 30_000, r"\ce{H2O}", r"\frac{a}"],
    ids=["groups", "fences", "chain", "powers", "roots", "long", "unknown", "unfinished"],
)  # fmt: skip
def test_a_formula_that_is_not_converted_says_why(tex: str) -> None:
    """One that is nested deeply ends no process."""
    with pytest.raises(TexError, match=r"too large|unknown|expected"):
        mathml(tex, display=True)


@pytest.mark.parametrize(
    "tex",
    [r"a\\[6pt]b", r"a\\*b", r"a\\ [1em] b", r"a\\*[-.5em] b", r"a\\b"],
)  # fmt: skip
def test_the_space_below_a_row_is_no_text(tex: str) -> None:
    """Of it MathML has nothing; what stands behind a brace of TeX's own stays."""
    rows = mathml(rf"\begin{{matrix}}{tex}\end{{matrix}}", display=True)
    assert rows == mathml(r"\begin{matrix}a\\b\end{matrix}", display=True)
    assert "[" in mathml(r"\{[6pt]\}", display=True)


@pytest.mark.parametrize(
    ("tex", "plain"),
    [
        (r"\cfrac[l]{1}{x}", r"\cfrac{1}{x}"),
        (r"\begin{aligned}[t]a\end{aligned}", r"\begin{aligned}a\end{aligned}"),
        (r"\begin{gathered}[b]a\\b\end{gathered}", r"\begin{gathered}a\\b\end{gathered}"),
        (r"\begin{array}[t]{l}a\\b\end{array}", r"\begin{array}{l}a\\b\end{array}"),
        (r"\underbracket[1pt]{x}", r"\underbracket{x}"),
        (r"\overbracket[1pt][2pt]{x}", r"\overbracket{x}"),
    ],
)
def test_how_something_is_set_is_no_text(tex: str, plain: str) -> None:
    """Options of TeX that MathML has nothing of; brackets that are text stay."""
    assert mathml(tex, display=True) == mathml(plain, display=True)
    assert mathml(rf"[t]{plain}", display=True) != mathml(plain, display=True)


def test_a_formula_that_stays_tex_is_told_and_shown(tmp_path: Path) -> None:
    """With `--strict` nothing is written."""
    made = made_of(tmp_path, "## Water? {#w}\n\n$\\ce{H2O}$ and $\\ce{H2O}$, $x$.\n")
    page = written(made, "deck.html")
    assert page.count(r'<code class="tex">\ce{H2O}</code>') == 2
    done = made.invoke("build", "-o", "other.html", "--strict")
    assert done.returncode == 1
    assert done.stderr.count("[maths-as-tex]") == 1
    assert not (made.root / "other.html").exists()
    done = made.invoke("build", "-o", "other.html")
    assert done.returncode == 0, done.stderr
    assert "warnings: 1" in done.stdout
    for name in ("other.json", "other.csv"):  # there every formula is TeX
        assert made.invoke("build", "-o", name, "--strict").returncode == 0


# Other programs


def test_csv_is_what_its_standard_says(tmp_path: Path) -> None:
    """UTF-8, a header, CR and LF behind each row, quotes doubled; a reader finds the notes."""
    text = written(made_of(tmp_path), "deck.csv")
    assert text.startswith(",".join(COLUMNS) + "\r\n")
    assert text.endswith("\r\n")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    assert [row["id"] for row in rows] == ["frac", "typed", "hidden"]
    first = rows[0]
    assert first["deck"] == "Root::Signs"
    assert first["question_markdown"] == r'What, "then", is $\frac{a}{b}$?'
    assert first["question"].startswith('<div lang="en">What, "then", is ')
    assert r"\(\frac{a}{b}\)?" in first["question"]
    assert "```python\na, b = 1, 2\n" in first["answer_markdown"]
    assert (first["tags"], first["source"], first["type"]) == ("one two", "A *book*", "basic")
    assert rows[1]["answer"] == "alpha"
    assert all(row["guid"] for row in rows)
    assert [row["reversed"] for row in rows] == ["yes", "", ""]


def test_no_cell_is_computed(tmp_path: Path) -> None:
    """Where a spreadsheet opens the file; who takes one apostrophe away has what was written."""
    asked = ["=cmd|' /C calc'!A0", "+1+cmd", "-2", "@SUM(1)", "'=1", "''-1", "＝1", "'a", "a=1"]
    text = "".join(f"Q: {each}\nA: - {each}\n\n" for each in asked)
    settings = SETTINGS.replace('deck = "', 'deck = "=')
    made = project(tmp_path, {"a.md": text}, settings)
    rows = list(csv.DictReader(io.StringIO(written(made, "deck.csv"), newline=""), strict=True))
    cells = [cell for row in rows for cell in row.values()]
    assert not [each for each in cells if re.match(r"[=+\-@\t\r＝＋－＠]", each)]
    taken = [re.sub(r"^'(?='*[=+\-@＝])", "", row["question_markdown"]) for row in rows]
    assert taken == asked


def fits(value: object, schema: Mapping[str, Any], where: str = "$") -> None:
    """Assert that a value is as a schema says, in as much of JSON Schema as ours uses."""
    known = {"$schema", "$defs", "$ref", "title", "description", "type", "const", "enum"}
    known |= {"required", "properties", "additionalProperties", "items"}
    assert set(schema) <= known
    if "$ref" in schema:
        fits(value, SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")], where)
    types = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
    assert "type" not in schema or type(value) is types[schema["type"]], where
    assert "const" not in schema or value == schema["const"], where
    assert "enum" not in schema or value in schema["enum"], where
    if isinstance(value, dict) and "$ref" not in schema:
        assert set(schema.get("required", ())) <= set(value), where
        more = schema["additionalProperties"]
        for key, each in value.items():
            named = schema.get("properties", {}).get(key, more)
            assert named, f"{where}.{key}"
            fits(each, named, f"{where}.{key}")
    if isinstance(value, list):
        for each in value:
            fits(each, schema["items"], f"{where}[]")


def test_json_is_as_its_schema_says(tmp_path: Path) -> None:
    """Every key is in the schema, and the schema has every key; media are held."""
    deck = json.loads(written(made_of(tmp_path), "deck.json"))
    fits(deck, SCHEMA)
    assert set(deck["notes"][0]) == set(SCHEMA["$defs"]["note"]["properties"])
    first = deck["notes"][0]
    assert first["question"]["markdown"] == r'What, "then", is $\frac{a}{b}$?'
    assert (first["reversed"], first["path"], first["line"]) == (True, "cards/a.md", 7)
    assert {name for note in deck["notes"] for name in note["media"]} == set(deck["media"])
    assert DOT in map(b64decode, deck["media"].values())


def test_an_empty_list_of_media_is_json_too(tmp_path: Path) -> None:
    """A deck of one card without any picture."""
    deck = json.loads(written(made_of(tmp_path, "- What?\n    - This.\n"), "deck.json"))
    assert (len(deck["notes"]), deck["media"]) == (1, {})


# What a target does, and does not


@pytest.mark.parametrize("name", ["deck.html", "deck.csv", "deck.json"])
def test_only_a_package_for_anki_stamps_and_remembers(name: str, tmp_path: Path) -> None:
    """A page is written again in its own place, and nothing else is."""
    made = made_of(tmp_path)
    written(made, name)
    assert not (made.root / "cards.lock").exists()
    made.build()
    before = {each: (made.root / each).read_bytes() for each in ("cards.lock", "deck.apkg")}
    there = files(made.root)
    made.write("cards/a.md", CARDS.replace("An aside", "Another aside"))
    assert "Another aside" in written(made, name)
    assert {each: (made.root / each).read_bytes() for each in before} == before
    assert files(made.root) == there | {name}


def test_the_command_writes_them(tmp_path: Path) -> None:
    """By the suffix of `-o`; the summary names no changes, as there were none."""
    made = made_of(tmp_path)
    done = made.invoke("build", "-o", "out/deck.html", "--print", "cards")
    assert done.returncode == 0, done.stderr
    assert "out/deck.html: 3 notes, sha256" in done.stdout
    assert "since the last build" not in done.stdout
    done = made.invoke("build", "-o", "out/deck.json", "--format", "json")
    assert json.loads(done.stdout)["output"] == "out/deck.json"
    assert not (made.root / "cards.lock").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("deck.docx",), "cannot write a .docx: known are .apkg, .csv, .html, .json"),
        (("deck",), "cannot write a file without suffix: known are"),
        (("deck.csv", "--print", "cards"), "a .csv has no layout cards"),
        (("deck.apkg", "--print", "cards"), "a .apkg has no layout cards"),
        (("deck.html", "--print", "sheets"), "a .html has no layout sheets: it has cards"),
    ],
)
def test_what_is_not_known_is_wrong_usage(
    words: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    """It is said before anything is executed."""
    done = made_of(tmp_path).invoke("build", "-o", *words)
    assert (done.returncode, told in done.stderr) == (2, True), done.stderr


def test_a_file_of_somebody_elses_is_not_overwritten(tmp_path: Path) -> None:
    """One of ours is."""
    made = made_of(tmp_path)
    for name in ("deck.html", "deck.csv", "deck.json"):
        made.write(name, "mine")
        with pytest.raises(BuildFailedError, match=r"it is no \.\w+ file that verideck wrote"):
            written(made, name)
        assert (made.root / name).read_text() == "mine"
        (made.root / name).unlink()
        assert written(made, name) == written(made, name)


def test_each_call_writes_its_own_kind(tmp_path: Path) -> None:
    """`build` packages for Anki, and `show` writes for readers."""
    made = made_of(tmp_path)
    with verideck.Project.open(made.root) as opened:
        result = opened.check()
        with pytest.raises(ValueError, match="`show` writes it"):
            opened.build(result, made.root / "deck.html")
        with pytest.raises(ValueError, match="`build` writes it"):
            opened.show(result, made.root / "deck.apkg")
        with pytest.raises(ValueError, match="has no layout posters"):
            opened.show(result, made.root / "deck.html", layout="posters")


def test_a_card_that_fails_is_left_out_only_if_that_is_asked_for(tmp_path: Path) -> None:
    """As in a package."""
    made = made_of(tmp_path, f"{CARDS}\n## Wrong? {{#wrong}}\n\n```python\nassert 1 == 2\n```\n")
    with pytest.raises(BuildFailedError):
        written(made, "deck.html")
    done = made.invoke("build", "-o", "deck.html", "--keep-going")
    assert done.returncode == 1
    assert "left out: cards/a.md:" in done.stderr
    assert 'id="c-frac"' in (made.root / "deck.html").read_text("utf-8")


# In a browser


@contextmanager
def browsed(
    page: Path, width: int = 390, *, dark: bool = False
) -> Iterator[tuple[Page, list[str]]]:
    """A page in a real browser, with all that it asks for or complains of."""
    pytest.importorskip("playwright", reason="make test installs it")
    from pictures import CHROMIUM, FLAGS  # noqa: PLC0415 - both need playwright
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    if not CHROMIUM.exists():
        assert "CI" not in os.environ, "CI installs chromium"
        pytest.skip("no chromium here, and not ours to install")
    heard: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tab = browser.new_page(
            viewport={"width": width, "height": 800}, color_scheme="dark" if dark else "light"
        )
        tab.on("console", lambda message: heard.append(message.text))
        tab.on("request", lambda request: heard.append(request.url))
        tab.goto(page.as_uri())
        heard.remove(page.as_uri())
        yield tab, [each for each in heard if not each.startswith("data:")]
        browser.close()


@pytest.mark.browser
def test_a_page_in_a_browser_is_whole_and_silent(tmp_path: Path) -> None:
    """It asks for nothing, complains of nothing, fits a telephone, folds, and knows the night."""
    made = made_of(tmp_path)
    written(made, "deck.html")
    colours = []
    for width, dark in ((320, False), (390, True), (1280, False)):
        with browsed(made.root / "deck.html", width, dark=dark) as (tab, heard):
            assert heard == []
            assert tab.evaluate("[...document.images].every(each => each.naturalWidth)")
            assert not tab.get_by_text("An aside").first.is_visible()
            tab.get_by_text("Answer", exact=True).first.click()
            assert tab.get_by_text("An aside").first.is_visible()
            assert tab.evaluate("document.querySelectorAll('img')[1].offsetWidth") == 40
            tab.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
            wide = "document.scrollingElement.scrollWidth <= document.documentElement.clientWidth"
            assert tab.evaluate(wide)
            colours.append(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert colours == ["rgb(255, 255, 255)", "rgb(29, 31, 35)", "rgb(255, 255, 255)"]


WIDE = r"""## Which columns?

| name | loss | steps | batch | heads | layers | width | seconds |
|---|---|---|---|---|---|---|---|
| `base` | 0.1 | 100 | 64 | 8 | 6 | 512 | 1.5 |

| one | formula | where |
|:--|:-:|--:|
| softmax | $\frac{e^{x_i}}{\sum_j e^{x_j}}$ | `torch.nn.functional.softmax(x, dim=-1)` |

## Which sum?

它是（$a_1 + a_2 + a_3 + a_4 + a_5 + a_6 + a_7 + a_8 + a_9 + a_{10} + a_{11} + a_{12} + a_{13}$）。

## Which matrix?

$$\begin{pmatrix} 10 & 20 & 30 & 40 & 50 & 60 & 70 & 80 \end{pmatrix}$$
"""


@pytest.mark.browser
def test_what_is_wide_scrolls_no_page_and_crosses_no_fold(tmp_path: Path) -> None:
    """Tables give way on every screen and on paper; a sum in a line scrolls in itself."""
    made = made_of(tmp_path, WIDE)
    written(made, "deck.html")
    for width in (320, 1280):
        with browsed(made.root / "deck.html", width) as (tab, _):
            tab.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
            wide = "document.scrollingElement.scrollWidth <= document.documentElement.clientWidth"
            assert tab.evaluate(wide)
            assert tab.evaluate(
                "[...document.querySelectorAll('.table')]"
                ".every(e => e.scrollWidth <= e.clientWidth)"
            )
    written(made, "cards.html", "cards")
    with browsed(made.root / "cards.html", 800) as (tab, _):
        tab.emulate_media(media="print")
        assert tab.evaluate(
            "[...document.querySelectorAll('.side')].every(side => [...side.querySelectorAll("
            "'table, .formula')].every(e => e.getBoundingClientRect().right"
            " <= side.getBoundingClientRect().right))"
        )
        broken = "[...document.querySelectorAll('mn')].filter(e => e.getClientRects().length > 1)"
        assert tab.evaluate(f"{broken}.length") == 0


@pytest.mark.browser
def test_a_hostile_page_does_nothing(tmp_path: Path) -> None:
    """No script runs, also if it came into the page: the policy forbids it."""
    page = hostile(tmp_path)
    with browsed(page) as (tab, heard):
        assert heard == []
        assert tab.evaluate("typeof pwned") == "undefined"
    text = page.read_text("utf-8")
    page.write_text(
        text.replace("<main>", "<script>pwned = 1</script><main><img src=x onerror='pwned=1'>")
    )
    with browsed(page) as (tab, _):
        assert tab.evaluate("typeof pwned") == "undefined"


@pytest.mark.browser
def test_answers_are_printed_and_cards_are_pairs(tmp_path: Path) -> None:
    """On paper nothing is folded; with `cards`, each front stands left of its back."""
    made = made_of(tmp_path)
    written(made, "deck.html")
    with browsed(made.root / "deck.html", 800) as (tab, _):
        height = (
            "document.querySelector('article > details:last-child').getBoundingClientRect().height"
        )
        folded = tab.evaluate(height)
        tab.emulate_media(media="print")
        tab.evaluate(
            "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )
        assert tab.evaluate(height) > 2 * folded
    written(made, "cards.html", "cards")
    with browsed(made.root / "cards.html", 800) as (tab, heard):
        assert heard == []
        tab.emulate_media(media="print")
        pairs = tab.evaluate(
            "[...document.querySelectorAll('.pair')].map(pair => [...pair.children].map(side => {"
            "const box = side.getBoundingClientRect(); return [box.left, box.right, box.top] }))"
        )
        assert len(pairs) == 6
        for front, back in pairs:
            assert front[1] <= back[0] + 1
            assert front[2] == back[2]
        assert (
            tab.evaluate("getComputedStyle(document.querySelector('.pair')).breakInside") == "avoid"
        )


@pytest.mark.browser
def test_paper_folds_nothing_of_a_card(tmp_path: Path) -> None:
    """What is folded in an answer is on the sheet."""
    more = "<details><summary>More</summary>\nRest.\n</details>"
    made = made_of(tmp_path, f"## Why?\n\n> [!tip]- Folded\n> In it.\n\n{more}\n")
    written(made, "deck.html", "cards")
    with browsed(made.root / "deck.html") as (tab, _):
        tab.emulate_media(media="print")
        for text in ("In it.", "Rest."):
            assert tab.get_by_text(text).evaluate("each => each.checkVisibility()"), text


@pytest.mark.browser
def test_a_card_that_is_longer_than_a_page_goes_on_on_the_next_one(tmp_path: Path) -> None:
    """Nothing of it is cut off, and a picture is made as high as a page holds."""
    lines = "\n\n".join(f"Line {n}." for n in range(100))
    tall = '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="9000"></svg>'
    cards = f"## Short?\n\nYes.\n\n## Long?\n\n{lines}\n\n## Tall?\n\n![tall](../tall.svg)\n"
    made = made_of(tmp_path, cards, **{"tall.svg": tall})
    written(made, "deck.html", "cards")
    with browsed(made.root / "deck.html") as (tab, _):
        pages = tab.pdf(prefer_css_page_size=True).count(b"/Type /Page\n")
        tab.emulate_media(media="print")
        high = tab.locator("img").evaluate("each => each.offsetHeight")
    assert pages == 1 + 3 + 1
    assert 900 < high < 277 * 96 / 25.4
