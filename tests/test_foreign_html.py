"""What a lock remembers of a retired note is packaged only if verideck could have written it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from projects import DOT, project

from verideck.render.foreign_html import foreign_to

HARMFUL = {
    "<script>alert(1)</script>": "<script>alert(1)</sc",
    "<SCRIPT src=//x>": "<SCRIPT src=//x>",
    "<img src=x onerror=alert(1)": "<img src=x onerror=a",
    "<img/onerror=alert(1)/src=x>": "<img/onerror=alert(1",
    '<img src="x.png" onerror="alert(1)">': "src= in <img>",
    '<img src="verideck-0123456789abcdef0123.png" onerror="alert(1)">': "onerror= in <img>",
    '<img src="https://example.org/1.png">': "src= in <img>",
    '<a href="javascript:alert(1)">a</a>': "href= in <a>",
    '<a href=" java&#115;cript:alert(1)">a</a>': "href= in <a>",
    '<a href="java&#10;script:alert(1)">a</a>': "href= in <a>",
    '<p style="position:fixed">a</p>': "style= in <p>",
    '<td style="text-align:left;position:fixed">a</td>': "style= in <td>",
    '<p style="--i:4">a</p>': "style= in <p>",
    '<span style="--i:4;position:fixed">a</span>': "style= in <span>",
    '<span style="--i:url(//x)">a</span>': "style= in <span>",
    "<iframe></iframe>": "<iframe></iframe>",
    '<svg><a href="#"></svg>': '<svg><a href="#"></s',
    "<object data=x>": "<object data=x>",
    "<style>*{}</style>": "<style>*{}</style>",
    '<p id="typeans">': "id= in <p>",
    "<!--><img onerror=1>": "<!--><img onerror=1>",
    "<!DOCTYPE html>": "<!DOCTYPE html>",
    "<?xml ?>": "<?xml ?>",
    "a < b": "< b",
    "[latex]\\input{/etc/passwd}[/latex]": "a mark that Anki acts on",
    "[sound:evil.mp3]": "a mark that Anki acts on",
    r"\(\href{javascript:alert(1)}{y}\)": r"maths with \href",
    r"<p>\[ \requ<!-- -->ire{html} \]</p>": r"maths with \require",
    r"<li><pre></li>\(&#92;href{a}{b}\)</pre>": r"maths with \href",
    "[anki:tts lang=en]a[/anki:tts]": "a mark that Anki acts on",
}


@pytest.mark.parametrize("html", HARMFUL)
def test_what_verideck_never_writes_is_found(html: str) -> None:
    """A tag, an attribute, a place elsewhere, or a mark of Anki's."""
    assert foreign_to(f"<p>before</p>{html}") == HARMFUL[html]


EVERYTHING = """\
# Deck

## What is *one*, **two**, ~~three~~, `four`, [five](https://example.org "t"), $x < y$? {#all}

1. a
2. > b

| left | right |
|:-----|------:|
| a    | b     |

![a picture](dot.png "t") ![](a.mp3) <b>text</b> [mail](mailto:a@b.c) [there](#a)

```python {.numbers hl="3"}
import math
for root in (2, 3):
    assert math.sqrt(root * root) == root  # a line that is wider than a telephone
```

```python {.check}
assert math.sqrt(9) == 3
```

```text
[latex]x[/latex] \\(x\\) [sound:a.mp3] {{c1::a}}
```

---

An aside, with $$x$$ and

- a

```rust
fn main() {}
```

## A {{c1::cloze::hint}} with `{{c2::code}}` and ${{c3::x}}$ {#cloze}
"""


def test_what_verideck_writes_is_not_foreign(tmp_path: Path) -> None:
    """Whatever Markdown can say: a note that is retired comes to learners as it was built."""
    made = project(tmp_path, {"a.md": EVERYTHING, "cards/dot.png": DOT, "cards/a.mp3": b"ID3"})
    made.build()
    made.write("cards/a.md", "## What is left?\n\nThis.\n")
    for _ in range(2):
        done = made.invoke("build")
        assert done.returncode == 0, done.stderr
    lines = (made.root / "cards.lock").read_text(encoding="utf-8")
    assert lines.count('"retired": true') == 2


def test_a_lock_brings_no_script_to_a_learner(tmp_path: Path) -> None:
    """It came with the repository, and its card is gone: nothing renders what it says."""
    made = project(tmp_path, {"a.md": "## One?\n\nA.\n\n## Two?\n\nB.\n"})
    made.build()
    made.write("cards/a.md", "## One?\n\nA.\n")
    made.build()
    file = made.root / "cards.lock"
    text = file.read_text(encoding="utf-8")
    assert text.count("<p>B.</p>") + text.count('"B."') >= 1
    script = json.dumps("<img src=x onerror=alert(1)>")[1:-1]
    file.write_text(text.replace("B.", script), encoding="utf-8")
    before = (made.root / "deck.apkg").read_bytes()
    done = made.invoke("build")
    assert done.returncode == 1
    assert "the Answer of the retired note" in done.stderr
    assert "[lock-invalid]" in done.stderr
    assert (made.root / "deck.apkg").read_bytes() == before
