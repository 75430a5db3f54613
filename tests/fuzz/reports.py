"""Reports: what a card's process, beside the author's code, says of itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from random import Random
from threading import Event
from typing import Any

from fuzz.area import Area, Check, check_problems
from fuzz.changes import ODD_TEXTS, changed_bytes, changed_json, changed_text

from verideck.model import Card, Proof, ProvenCard, Source
from verideck.problems import LONGEST_MESSAGE, Code, Problem
from verideck.proof.config import ExecutionConfig
from verideck.proof.python.parent import prover
from verideck.proof.python.parent.request import request_of
from verideck.proof.python.wire.messages import REPLY, Finished, Request
from verideck.proof.python.wire.run import End
from verideck.render.fields import rendered
from verideck.render.highlight import Highlighter
from verideck.source.cards import cards_of
from verideck.source.config import SourceConfig

_PATH = "cards/any.md"
_TEXT = """\
## What is shown? {#a}

This, {eval}`1 + 1`.

```python
x = [0.5, 2]
x[0]  # → 0.5
print(x)
```

```output
[0.5, ...]
```

```python {.check}
assert x[1] == 2
```

```python {raises="ValueError" match="literal"}
int("a")
```

```python {warns="UserWarning" match="so"}
import warnings
warnings.warn("so")
```
"""
_OTHER = "helper.py"
_PIECES = (
    *ODD_TEXTS,
    '"',
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "\n",
    "...",
    "1.5",
    "\\ud800",
)


@cache
def _card(root: Path) -> Card:
    proved = frozenset({"python"})
    (card,) = cards_of(Source(_PATH, _TEXT), SourceConfig(root, "Deck", proved=proved)).cards
    return card


def _config(root: Path) -> ExecutionConfig:
    (root / _PATH).parent.mkdir(exist_ok=True)
    (root / _PATH).write_text(_TEXT, "utf-8")
    (root / _OTHER).write_text("x = 1\n" * 5, "utf-8")
    return ExecutionConfig(root)


class _Replayed:
    """An engine that answers with what it is given."""

    width = 1
    is_here = True
    answer: Finished

    def begin(self) -> None:
        """Begin nothing."""

    def warm(self, modules: Iterable[str], words: Iterable[str]) -> None:
        """Prepare nothing."""

    def run(self, _: Request) -> Finished:
        """Return what was given."""
        return self.answer

    def close(self) -> None:
        """Close nothing."""


def _encoded(run: dict[str, Any]) -> bytes:
    """A reply as an input: first what is said of the process, then each line of its report."""
    lines = [str(each) for each in run.pop("lines", [])]
    text = "\n".join([json.dumps(run), *lines])
    return text.encode("utf-8", "surrogatepass")


def _decoded(data: bytes) -> Finished:
    """The reply of an input. One that is none stands for a process that ended by itself."""
    head, *lines = data.decode("utf-8", "replace").split("\n")
    try:
        # What is read of a worker is JSON: no text that is in it can hold a line's end.
        told = {**json.loads(head), "lines": lines}
        found = REPLY.from_text(json.dumps(told))
    except (ValueError, TypeError, RecursionError):
        found = None
    if isinstance(found, Finished):
        return found
    return Finished(tuple(lines), End.BY_ITSELF, "exit status 0")


def _seeds(folder: Path) -> Sequence[bytes]:
    """The replies of a card that holds, and of ones that fail in several ways."""
    config, codes = (
        _config(folder),
        ("", "assert x[1] == 3", "1 / 0", "import os; os._exit(3)", "x[5]"),
    )
    python = prover.Python(config, Event())
    found = []
    try:
        for code in codes:
            text = _TEXT.replace("print(x)", f"print(x)\n{code}")
            proved = SourceConfig(folder, "Deck", proved=frozenset({"python"}))
            (card,) = cards_of(Source(_PATH, text), proved).cards
            run = python.engine.run(request_of(card.snippets, config))
            told = json.loads(json.dumps({"type": "finished", **_builtins(run)}))
            found.append(_encoded(told))
    finally:
        python.close()
    return found


def _builtins(run: Finished) -> dict[str, Any]:
    return {
        "lines": list(run.lines), "end": str(run.end), "how": run.how,
        "stack": [list(each) for each in run.stack], "stdout": run.stdout, "stderr": run.stderr,
    }  # fmt: skip


def _finding(random: Random) -> dict[str, object]:
    return {
        "code": str(random.choice((*Code, "x", ""))),
        "message": random.choice((*ODD_TEXTS, "a\nb", "m" * 5000)),
        "path": random.choice(
            (_PATH, _OTHER, "/etc/hostname", "../x", "/dev/null", "", ".", "\x00")
        ),
        "line": random.choice((0, 1, 3, 5, 99, 2**63)),
        "column": random.choice((0, 1, 9, 9999)),
        "hint": random.choice(("", "h", *ODD_TEXTS)),
        "warning": random.random() < 0.5,
    }


def _text(random: Random) -> str:
    return random.choice(("", "0.5", "[0.5, 2]\n", "2", "a\nb\n" * 9, *ODD_TEXTS))


def _step(random: Random) -> dict[str, object]:
    return {
        "type": "step",
        "error": _finding(random) if random.random() < 0.2 else None,
        "value": _text(random),
        "raised": random.choice(("", "ValueError: literal", _text(random))),
        "figures": [_figure(random) for _ in range(random.choice((0, 0, 0, 1, 2)))],
        "stdout": _text(random),
        "held": random.choice((0, 1, 1, 5, 2**62)),
        "findings": [_finding(random) for _ in range(random.choice((0, 0, 0, 1, 2)))],
        "seconds": random.choice((0, 0.1, 1e300, float("nan"), float("inf"))),
        "said": [
            {
                "line": random.choice((0, 2, 3, 99)),
                "printed": _text(random),
                "values": [_text(random)],
            }
            for _ in range(random.choice((0, 0, 1, 2)))
        ],
        "stderr": _text(random),
    }


def _figure(random: Random) -> str:
    inside = random.choice(
        ("<path d='M0 0'/>", "<script>1</script>", "<a href='javascript:1'/>", "&x;")
    )
    return f"<svg xmlns='http://www.w3.org/2000/svg'>{inside}{random.choice(('</svg>', ''))}"


def _end(random: Random) -> dict[str, object]:
    return {
        "type": "end",
        "environment": [[_text(random), "1"]],
        "sandbox": random.choice(("", "landlock", _text(random))),
        "depends_on": {
            "files": {random.choice((_OTHER, "/dev/null", "../x", "\x00")): _text(random)},
            "modules": {random.choice((".", "..", "\x00")): {"names": ["x"], "found": ["x"]}},
            "loaded": [["pip", "1"]],
            "unseen": random.random() < 0.3,
        },
        "findings": [_finding(random) for _ in range(random.choice((0, 0, 1)))],
        "bears": [random.random() < 0.7 for _ in range(random.choice((0, 4, 5, 6)))],
    }


def _made(random: Random) -> bytes:
    steps = [_step(random) for _ in range(random.choice((0, 1, 5, 5, 5, 6)))]
    last = [_end(random)] if random.random() < 0.8 else []
    end = {
        "type": "finished",
        "end": str(random.choice(list(End))),
        "how": random.choice(("exit status 0", *ODD_TEXTS)),
        "stack": [
            [random.choice((_PATH, _OTHER, "/etc/hostname", "\x00", "")), random.choice((0, 3, 99))]
        ],
        "stdout": _text(random),
        "stderr": _text(random),
    }
    return _encoded({**end, "lines": [json.dumps(each) for each in (*steps, *last)]})


def _changed(random: Random, data: bytes) -> bytes:
    kind = random.randrange(8)
    if kind == 0:
        return changed_bytes(random, data)
    if kind == 1:
        text = data.decode("utf-8", "replace")
        return changed_text(random, text, _PIECES).encode("utf-8", "surrogatepass")
    lines = data.split(b"\n")
    number = random.randrange(len(lines))
    if kind == 2:
        lines[number:number] = [random.choice(lines)]
        return b"\n".join(lines)
    try:
        value = json.loads(lines[number])
        lines[number] = json.dumps(changed_json(random, value)).encode()
    except (ValueError, RecursionError):
        return changed_bytes(random, data)
    return b"\n".join(lines)


def _check(folder: Path) -> Check:
    config = _config(folder)
    card, highlighter = _card(folder), Highlighter(None)
    texts = {_PATH: _TEXT, _OTHER: (folder / _OTHER).read_text("utf-8")}

    def check(data: bytes) -> None:
        engine = _Replayed()
        engine.answer = _decoded(data)
        python = prover.Python(config, Event())
        python.close()
        python.engine = engine
        found = python.execute(card.snippets)
        proofs = [each for each in found if isinstance(each, Proof)]
        problems = [each for each in found if isinstance(each, Problem)]
        check_problems(problems, texts)
        assert proofs or problems, "nothing is said of the card"
        whole = sum(len(each.message) for each in problems)
        assert whole <= LONGEST_MESSAGE + 2 * len(data), "messages larger than the report"
        if proofs:
            look = rendered(ProvenCard(card, tuple(proofs)), folder, highlighter)
            check_problems(look.problems, texts)
        python.cached(card.snippets)

    return check


AREA = Area(".report", _seeds, _made, _changed, _check)
