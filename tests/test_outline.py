"""What a check holds of cards that it does not render: it tells of them what a build does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import pytest
from fuzz.material import card_texts, spec_texts
from hypothesis import given
from projects import DOT, ROOT, project
from test_markdown import HIGHLIGHTER, PATH, PROJECT
from test_told import OF_CARDS, documents

import verideck
from verideck.markdown import languages
from verideck.markdown.languages import LexerError
from verideck.model import ProvenCard, Source
from verideck.problems import Code, Problem
from verideck.project import source_config
from verideck.render import fields, told
from verideck.render.look import Rendered, depends_on_run, without_html
from verideck.source.cards import cards_of
from verideck.source.read import text_of

QUOTED = '"' + "'" * 3_000 + '"'
"""A name of a language of which each character takes six."""
TEXTS = (
    """## How far? {.type}

```python
x = 1
```

12 km

More [here](gone.md).
""",
    """## A?

![](no.png) ![a b](http://a.b/c.png 'd') [s](s.mp3) [sound:no.mp3]
""",
    """## B? {hint='[[no]]' source='[a](no.pdf)'}

[^1] ![x[^2]](no.png)

[^1]: ![](no.gif) [^3]
[^2]: [a](gone.md)
[^3]: [[c]]
[^4]: ![](never.png)
""",
    """## C?

```python {.folded numbered=true reason='it waits'}
while True: pass
```

1

---

> [!note]- [x](no.txt)
> | a | b |
> |---|---|
> | ![](no.svg) | `c` |
""",
    "## D? {.type}\n\n- 1\n- 2\n",
    """## E?

```python {.front}
x = 1
```

$x$ <kbd>a</kbd> ==b== <div title='&'>

c

</div>
""",
    "---\nlang: ar\n---\n## F سؤال?\n\n> [!tip]\n> a\n\n- [ ] b\n",
    f"## G? {{.type}}\n\n{'&' * 3_000}\n",
    f"---\nlang: {QUOTED}\nsource: s\n---\n## H? {{hint=h}}\n\n> x\n\n---\n\ny\n",
)


def looks(text: str) -> Iterator[tuple[ProvenCard, Rendered]]:
    """The cards of a text of which nothing is executed, and what they look like."""
    for card in cards_of(Source(PATH, text), source_config(PROJECT)).cards:
        if not depends_on_run(card):
            proven = ProvenCard(card, ())
            yield proven, fields.rendered(proven, PROJECT.root, HIGHLIGHTER)


def check(text: str) -> None:
    """Check that what is told of each card is what rendering tells, whatever a note may hold."""
    languages.begin()  # as each run does: a busy machine would leave no time for later texts
    for proven, look in looks(text):
        assert told.told(proven, PROJECT.root, HIGHLIGHTER) == without_html(look)
        size = sum(len(each.encode(errors="surrogatepass")) for each in look.fields.values())
        with ExitStack() as patched:
            for room in (fields, told):
                patched.enter_context(patch.object(room, "LARGEST", size - 1))
            found = told.told(proven, PROJECT.root, HIGHLIGHTER).problems
        assert found[-1].code is Code.CARD_TOO_LARGE


@pytest.mark.parametrize("syntax", ["", *OF_CARDS])
@given(text=documents())
def test_what_is_told_of_any_card_is_what_rendering_tells(syntax: str, text: str) -> None:
    """Of links, pictures, code and typed answers, and of one that is too large."""
    check(f"---\nsyntax: {syntax}\n---\n{text}" if syntax else text)


def test_what_is_told_of_written_cards_is_what_rendering_tells() -> None:
    """Of all in the manual, in the corpus and in the deck, and of some written for this."""
    corpus = (text_of(file.read_bytes()) for file in sorted((ROOT / "tests/corpus").rglob("*.md")))
    texts = [*TEXTS, *spec_texts(), *card_texts(), *filter(None, corpus)]
    assert len(texts) > 1_000
    for text in texts:
        check(text)


def test_code_that_cannot_be_divided_is_told_as_rendering_tells_it() -> None:
    """Also where it is folded, or stands on the front."""
    failing = patch.object(HIGHLIGHTER, "pieces", side_effect=LexerError("takes too long"))
    with failing:
        for text in TEXTS:
            for proven, look in looks(text):
                assert told.told(proven, PROJECT.root, HIGHLIGHTER) == without_html(look)


def test_the_texts_that_are_compared_have_something_to_tell() -> None:
    """Else the comparison would be of nothing."""
    codes = {each.code for text in TEXTS for _, look in looks(text) for each in look.problems}
    assert codes == {
        Code.IMAGE_UNUSABLE, Code.IMAGE_LINKED, Code.LINK_DEAD, Code.TYPED_ANSWER_UNFIT,
    }  # fmt: skip


def told_of(root: Path) -> tuple[tuple[Problem, ...], int, int]:
    """What a check tells, how many files it parsed, and of how many cards it saw the look anew."""
    with verideck.Project.open(root, verify=False) as opened:
        found = opened.findings()
    return found.problems, found.stats.parsed, found.stats.rendered


def test_a_card_that_is_too_large_is_told_without_being_kept(tmp_path: Path) -> None:
    """All of it is rendered, since only its HTML says how large it is."""
    row = "| a | b |\n|---|---|\n" + "| `x` | $y$ |\n" * 12_000
    project(tmp_path, {"a.md": f"## One?\n\n{row}\n## Two?\n\nB.\n"})
    problems, *_ = told_of(tmp_path)
    assert Code.CARD_TOO_LARGE in {each.code for each in problems}
    with verideck.Project.open(tmp_path, verify=False) as opened:
        assert opened.check().problems == problems


def test_a_check_and_a_build_take_what_the_other_has_kept_that_serves(tmp_path: Path) -> None:
    """A check takes the rows of a build; a build renders what a check has only looked at."""
    texts = {f"{n}.md": f"## {n}?\n\nA [link](no{n}.md), ![](d.png).\n" for n in range(3)}
    made = project(tmp_path, {**texts, "cards/d.png": DOT})
    first = told_of(tmp_path)
    assert first[1:] == (3, 3)
    made.write("cards/0.md", "## 0?\n\nAnother.\n")
    assert told_of(tmp_path)[1:] == (1, 1)
    with verideck.Project.open(tmp_path, verify=False) as opened:
        result = opened.check()
        assert (result.stats.parsed, result.stats.rendered) == (3, 3)
        opened.build(result)
        assert opened.check().stats.rendered == 0
    # The lock knows the notes now, and what a check held of them before was less than it needs.
    assert told_of(tmp_path) == (result.problems, 0, 0)
    made.write("cards/0.md", "## 0?\n\nOne more.\n")
    assert told_of(tmp_path)[1:] == (1, 1)
    with verideck.Project.open(tmp_path, verify=False) as opened:
        assert opened.check().stats.rendered == 1
