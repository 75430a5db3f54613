"""What happens in a card besides its assertions is heard, whatever executes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from projects import EXECUTORS, SETTINGS, Project, card, project

from verideck.problems import Code, Severity

WARNING = "import warnings\nfor x in (1, 1):\n    warnings.warn('no root')\nassert x == 1"


def told(made: Project, executor: str = "") -> list[tuple[int, Code, str]]:
    """The line, the code and the first line of the message of each problem."""
    if executor:
        made.write("pyproject.toml", SETTINGS + f"executor = '{executor}'\n")
    found = sorted(made.result().problems, key=lambda each: each.place)
    return [(each.place.line, each.code, each.message.split("\n")[0]) for each in found]


COMPILED = {
    "an escape": ('x = "\\d"\nassert len(x) == 2', 6, "invalid escape sequence"),
    "an identity": ("x = 1000\nassert (x is 1000) in (True, False)", 7, '"is" with'),
    "in a function": ('def f():\n    return "\\d"\nassert f()', 7, "invalid escape sequence"),
    "a call of text": (
        "def f(x):\n    return x or 'a'()\nassert f(1) == 1",
        7,
        "'str' object is not callable",
    ),
}


@pytest.mark.parametrize("name", COMPILED)
def test_what_the_compiler_warns_of_is_told_once(tmp_path: Path, name: str) -> None:
    """At its line, whether Python of this version calls it a syntax or a deprecation warning."""
    code, line, text = COMPILED[name]
    ((found, kind, message),) = told(project(tmp_path, {"a.md": card("one", code)}))
    assert (found, kind) == (line, Code.WARNING_GIVEN)
    assert text in message


@pytest.mark.parametrize("way", ["simplefilter('ignore')", "filterwarnings('ignore', 'no root')"])
def test_what_the_author_ignores_is_not_told(tmp_path: Path, way: str) -> None:
    """Also where a set-up does, and for what is compiled later."""
    setup = f"```python {{.setup}}\nimport warnings\n\nwarnings.{way}\n```\n\n"
    made = project(tmp_path, {"a.md": setup + card("one", WARNING)})
    assert told(made) == []
    if way.startswith("simple"):
        made.write("cards/a.md", setup + card("one", COMPILED["an escape"][0]))
        assert told(made) == []


def test_a_warning_of_a_reused_proof_is_told_and_judged_again(tmp_path: Path) -> None:
    """Whether it is an error is decided in every run; the proof that is kept only says it came."""
    made = project(tmp_path, {"a.md": card("one", WARNING)})
    for reused in (0, 1):
        result = made.check()
        assert result.stats.reused == reused
        (problem,) = result.problems
        assert (problem.code, problem.severity) == (Code.WARNING_GIVEN, Severity.WARNING)
    made.write("pyproject.toml", SETTINGS + "warnings = 'error'\n")
    refused = made.result()
    assert not refused.ok
    assert [each.severity for each in refused.problems] == [Severity.ERROR]


@pytest.mark.parametrize("executor", EXECUTORS)
def test_what_a_library_warns_of_while_it_is_imported_is_not_told(
    tmp_path: Path, executor: str
) -> None:
    """Where cards are forked, it has been imported before; what its functions warn of is told."""
    code = (
        "import sys\nfrom pathlib import Path\n"
        "Path('warns.py').write_text('import warnings\\nwarnings.warn(1)\\n"
        'def old():\\n    warnings.warn("old", stacklevel=2)\')\n'
        "sys.path.append('.')\nimport warns\n\nwarns.old()\nassert abs(-1) == 1"
    )
    made = project(tmp_path, {"a.md": card("one", code)})
    assert told(made, executor) == [(12, Code.WARNING_GIVEN, "UserWarning: old")]


TORCH = {
    "sizes": ("F.mse_loss(torch.zeros(3, 1), torch.zeros(3))", "Using a target size"),
    "the compiled part": ("torch.ones(2, 3, 4).T", "The use of `x.T` on tensors"),
    "a schedule": (
        "torch.optim.lr_scheduler.StepLR(torch.optim.SGD([torch.zeros(1)], lr=1), 1).step()",
        "Detected call of `lr_scheduler.step()`",
    ),
}


@pytest.mark.torch
@pytest.mark.parametrize("executor", EXECUTORS)
def test_what_torch_warns_of_is_told(tmp_path: Path, executor: str) -> None:
    """From Python and from its compiled part, for every card that meets it."""
    head = "import torch\nimport torch.nn.functional as F\nassert abs(-1) == 1\n"
    cards = [card(name.split()[-1], head + code) for name, (code, _) in TORCH.items()]
    made = project(tmp_path, {"a.md": "".join(cards), "b.md": cards[1].replace("part", "again")})
    messages = [message for _, _, message in told(made, executor)]
    assert len(messages) == len(TORCH) + 1
    for _, text in TORCH.values():
        assert any(message.startswith(f"UserWarning: {text}") for message in messages)
    assert "Triggered internally" not in "".join(messages)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_both_engines_hear_and_show_the_same(tmp_path: Path, executor: str) -> None:
    """What is late, and what was printed before an end that no report tells of."""
    late = "import atexit\natexit.register(int, 'x')\nassert abs(-1) == 1"
    ended = "import os\nprint('still here')\nos._exit(3)"
    made = project(tmp_path, {"a.md": card("late", late) + card("ended", ended)})
    assert [code for _, code, _ in told(made, executor)] == [
        Code.EXCEPTION_RAISED,
        Code.ENDED_EARLY,
    ]
    messages = [each.message for each in made.result().problems]
    assert "raised in a function that is called at exit" in messages[0]
    assert "printed:\n  still here" in messages[1]


def test_a_thread_that_never_ends_meets_the_limit(tmp_path: Path) -> None:
    """As Python would never end; a daemon is not waited for."""
    code = "import threading\nthreading.Thread(target=threading.Event().wait{0}).start()\n"
    code += "assert abs(-1) == 1"
    text = card("one", code.format("")).replace("```python", "```python {timeout=1}")
    made = project(tmp_path, {"a.md": text})
    assert [kind for _, kind, _ in told(made)] == [Code.TIME_LIMIT]
    made.write("cards/a.md", card("one", code.format(", daemon=True")))
    assert told(made) == []


def test_a_pool_that_nobody_shuts_down_ends(tmp_path: Path) -> None:
    """Its idle threads are told to end, as Python does."""
    code = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "pool = ThreadPoolExecutor()\nassert pool.submit(int, '1').result() == 1"
    )
    assert told(project(tmp_path, {"a.md": card("one", code)})) == []


def test_output_cannot_control_a_terminal(tmp_path: Path) -> None:
    """Nor flood it: a long line is cut, and of many lines the last ones are shown."""
    code = "print('\\x1b[2J\\x07' + 'y' * 100_000)\nassert int('1') == 2"
    (problem,) = project(tmp_path, {"a.md": card("one", code)}).result().problems
    assert "\x1b" not in problem.message
    assert "\x07" not in problem.message
    assert len(problem.message) < 400


def test_what_is_wrong_with_the_machine_is_told_once(tmp_path: Path) -> None:
    """Every card fails, in every file; the message names them all."""
    cards: dict[str, str | bytes] = {
        f"{name}.md": "".join(card(f"{name}{n}", "import nothing_like_it") for n in range(3))
        for name in "ab"
    }
    result = project(tmp_path, cards).result()
    (problem,) = result.problems
    assert "the same at 5 more places:" in problem.message
    assert "cards/b.md: 6, " in problem.message
    assert not result.proven


def test_a_call_of_logging_that_fails_is_told(tmp_path: Path) -> None:
    """Python writes it to standard error and goes on."""
    code = 'import logging\nlogging.warning("%d percent", "ten")\nassert abs(-1) == 1'
    ((line, kind, _),) = told(project(tmp_path, {"a.md": card("one", code)}))
    assert (line, kind) == (7, Code.EXCEPTION_RAISED)
