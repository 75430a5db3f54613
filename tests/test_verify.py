"""Executing cards: what a case of the manual cannot say. Each test runs real processes."""

from __future__ import annotations

import locale
import os
import random
import re
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from projects import SETTINGS, Held, Project, card, execution_config, project, soon, verify

from verideck.events import CardProven, Event
from verideck.model import Proof, ProvenCard
from verideck.problems import Code, Problem
from verideck.proof.python.parent import forks

LINUX = pytest.mark.linux(reason="looks into /proc")

SPOILERS = {
    "a-name": ("leftover = 1", '"leftover" in globals()'),
    "cwd": ("import os\nos.chdir('/')", "os.getcwd() == '/'"),
    "environment": ("import os\nos.environ['LEFTOVER'] = '1'", "'LEFTOVER' in os.environ"),
    "a-module": ("import sys, math\nsys.modules['json'] = math", "sys.modules['json'] is math"),
    "a-patch": ("import math\nmath.sqrt = abs", "math.sqrt(4) == 4"),
    "a-builtin": ("import builtins\nbuiltins.leftover = 1", "'leftover' in dir(builtins)"),
    "a-file": ("open('leftover', 'w').close()", "__import__('os').listdir() == ['leftover']"),
    "the-seed": ("import random\nrandom.seed(7)\nx = random.random()", "x == 0.32383276483316237"),
    "a-limit": ("import sys\nsys.setrecursionlimit(500)", "sys.getrecursionlimit() == 500"),
    "a-stream": ("import sys, io\nsys.stdout = io.StringIO()", "sys.stdout.write('x') == 1"),
}
"""What a card may do to its own world, and an expression that is true where it has done so."""

SPOTLESS = """\
import builtins, json, math, os, random, sys

assert "leftover" not in globals()
assert os.listdir() == []
assert "LEFTOVER" not in os.environ
assert json.loads("1") == 1
assert math.sqrt(4) == 2
assert not hasattr(builtins, "leftover")
assert random.random() == 0.8444218515250481
assert sys.getrecursionlimit() == 1000
assert sys.stdout.name == 1
"""
"""Holds in a world that no other card has touched."""


def spoilt() -> list[str]:
    """Cards that leave things behind, each proving that it did."""
    return [card(name, f"{code}\nassert {then}") for name, (code, then) in SPOILERS.items()]


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "backward"])
def test_cards_never_see_each_other(tmp_path: Path, *, reverse: bool) -> None:
    """Whatever a card leaves behind, and in whatever order they run, the others do not meet it."""
    first, *others = spoilt()
    watchers = [card(f"watcher-{number}", SPOTLESS) for number in range(3)]
    cards = [watchers[0], first, watchers[1], *others, watchers[2]]
    text = "".join(reversed(cards) if reverse else cards)
    assert len(project(tmp_path, {"a.md": text}).proven()) == len(cards)


def test_each_card_has_a_process_of_its_own(tmp_path: Path) -> None:
    """No two cards run in one process, and none in the tests' own."""
    cards = "".join(
        card(f"c{n}", "import os\nassert os.getpid()\nprint(os.getpid())") for n in "abcd"
    )
    proven = project(tmp_path, {"a.md": cards}).proven()
    processes = {each.proofs[0].stdout.strip() for each in proven}
    assert len(processes) == 4
    assert str(os.getpid()) not in processes


def test_the_fences_of_a_card_share_a_namespace(tmp_path: Path) -> None:
    """A card's fences run in their order, the file's set-up before those of every card."""
    setup = "```python {.setup}\nseen = ['set up']\n```\n\n"
    one = card("one", "seen.append('first')", "```python {.check}\nassert len(seen) == 2\n```")
    two = card("two", "assert seen == ['set up']")
    first, second = project(tmp_path, {"a.md": f"# T\n\n{setup}{one}{two}"}).proven()
    assert [proof.assertions for proof in first.proofs] == [0, 0, 1]
    assert [proof.assertions for proof in second.proofs] == [0, 1]


def test_results_come_in_the_order_of_the_cards(tmp_path: Path) -> None:
    """Cards that take longer than those behind them are told first all the same."""
    cards = [
        card(f"c{number}", f"import time\ntime.sleep({0.4 / 2**number})\nassert time.time()")
        for number in range(6)
    ]
    proven = project(tmp_path, {"a.md": "".join(cards)}).proven()
    assert [each.card.id for each in proven] == [f"c{number}" for number in range(6)]


def test_the_same_numbers_on_every_run(tmp_path: Path) -> None:
    """What is drawn at random, and the order of a set, is the same for every card."""
    code = "import random\nprint(random.random(), hash('a'), {'a', 'b', 'c'})\nassert int('1')"
    first, second = project(tmp_path, {"a.md": card("one", code) + card("two", code)}).proven()
    assert first.proofs[0].stdout == second.proofs[0].stdout != ""


@pytest.mark.torch
def test_the_same_tensors_on_every_run(tmp_path: Path) -> None:
    """Arrays and tensors are drawn from the same seed, however the libraries are imported."""
    pytest.importorskip("torch")
    code = """\
from numpy.random import rand
from torch.nn import Linear
import torch

print(rand(3).tolist(), torch.randn(3).tolist(), Linear(2, 2).weight.tolist())
assert torch.get_num_threads() == 1
"""
    first, second = project(tmp_path, {"a.md": card("one", code) + card("two", code)}).proven()
    assert first.proofs[0].stdout == second.proofs[0].stdout != ""


def test_the_world_of_a_card_is_fixed(tmp_path: Path) -> None:
    """Locale, time zone, hash seed and threads are the same whatever the caller's are."""
    code = """\
import locale, os, sys, time
print(time.tzname, locale.getlocale(), sys.flags.hash_randomization, sys.flags.utf8_mode)
print(sorted(set(os.environ) - {"PATH", "HOME", "LD_LIBRARY_PATH", "LC_CTYPE"}))
assert os.environ["OMP_NUM_THREADS"] == "1"
"""
    made = project(tmp_path, {"a.md": card("one", code)})
    told = made.run("check", TZ="Asia/Tokyo", PYTHONHASHSEED="7", MINE="mine", PYTHONPATH="/")
    assert told.returncode == 0, told.stderr
    (proven,) = made.proven()
    lines = proven.proofs[0].stdout.splitlines()
    name, _, encoding = locale.normalize("C.UTF-8").partition(".")  # "en_US" before Python 3.12
    assert lines[0] == f"('UTC', 'UTC') ('{name}', '{encoding}') 0 1"
    assert "MINE" not in lines[1]
    assert "PYTHONPATH" not in lines[1]


def test_standard_input_is_empty(tmp_path: Path) -> None:
    """A snippet that asks its reader gets nothing, at once; it does not get the request."""
    code = "import sys\nassert sys.stdin.read() == ''\nassert sys.stdin.buffer.read() == b''"
    (proven,) = project(tmp_path, {"a.md": card("one", code)}).proven()
    assert proven.proofs[0].assertions == 2


def test_what_other_processes_print_is_captured(tmp_path: Path) -> None:
    """Output below Python's own streams, and by other programs, comes in its order."""
    code = """\
import os, subprocess, sys
print("one", flush=True)
os.write(1, b"two\\n")
subprocess.run([sys.executable, "-c", "print('three')"], check=True)
print("four")
"""
    shown = "\n```output\none\ntwo\nthree\nfour\n```"
    (proven,) = project(tmp_path, {"a.md": card("one", code, shown)}).proven()
    assert proven.proofs[-1].stdout == "one\ntwo\nthree\nfour\n"


def test_each_fence_has_its_own_output(tmp_path: Path) -> None:
    """What a fence prints is not taken for another's, also if it forgot to end the line."""
    more = "\n```output\nfirst\n```\n\n```python\nprint('second')\n```\n\n```output\nsecond\n```"
    made = project(tmp_path, {"a.md": card("one", "print('first', end='')", more)})
    assert [proof.stdout for proof in made.proven()[0].proofs if proof.assertions] == [
        "first",
        "second\n",
    ]


def test_any_text_can_be_printed(tmp_path: Path) -> None:
    """Output is UTF-8 whatever the locale; what is no text is told by its code."""
    code = """\
import sys
print("汉字 🙂", flush=True)
sys.stdout.buffer.write(b"\\xff\\n")
print("\\ud800")
"""
    shown = "\n```output\n汉字 🙂\n\\xff\n\\ud800\n```"
    made = project(tmp_path, {"a.md": card("one", code, shown)})
    assert made.run("check", LC_ALL="C", PYTHONIOENCODING="ascii").returncode == 0
    assert len(made.proven()) == 1


ODD = (
    "raise ValueError('\\ud800 \\x00 \\x1b')",
    "assert '\\ud800' == '\\udfff'",
    "print('\\ud800')\nassert '\\ud800' == 1, '\\ud801'",
    "class Odd(Exception):\n    def __str__(self):\n        raise OSError\nraise Odd",
    "class Odd:\n    def __repr__(self):\n        raise OSError\nassert Odd() == 1",
    "raise ValueError('x' * 10_000_000)",
    "raise ExceptionGroup('all', [ValueError('\\ud800'), KeyError()])",
    "class Odd(Exception):\n    __notes__ = 1\nraise Odd",
    "class Odd(AssertionError):\n    __notes__ = 1\n    hint = 1\nraise Odd",
    "raise SyntaxError('not of this file', ('no.py', -1, -5, None))",
    "def again():\n    again()\nagain()",
    "exec('x = = 1')",
    "raise KeyboardInterrupt",
    "raise GeneratorExit",
)


def test_no_failure_is_too_odd_to_be_told(tmp_path: Path) -> None:
    """Surrogates, control characters and exceptions that cannot be shown crash nothing."""
    cards = [card(f"c{number}", code) for number, code in enumerate(ODD)]
    made = project(tmp_path, {"a.md": "".join(cards)})
    run = made.run("check", PYTHONIOENCODING="ascii")
    assert run.returncode == 1
    assert f"Error: {len(ODD)} problems in {len(ODD)} cards" in run.stderr
    assert "ended-early" not in run.stderr
    made.write("cards/a.md", "".join(cards[:3]))
    for form in ("json", "github"):
        run = made.run("check", "--format", form, PYTHONIOENCODING="ascii")
        assert run.returncode == 1
        assert "Traceback" not in run.stderr


FORGERY = """\
import os
for number in range(3, 9):
    try:
        os.write(number, b'{}\\n{"environment": []}\\n')
    except OSError:
        pass
"""


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import ctypes\nctypes.string_at(0)", "SIGSEGV"),
        ("import os\nos._exit(0)", "exit status 0"),
        ("import os\nos._exit(3)", "exit status 3"),
        ("import os\nos.abort()", "SIGABRT"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
        ("import sys\nsys.exit(0)", "SystemExit"),
        ("exit()", "SystemExit"),
        ("raise SystemExit('done')", "SystemExit: done"),
        (FORGERY, "exit status 0"),
        (f"{FORGERY}\nos._exit(0)", "exit status 0"),
    ],
)
def test_a_card_that_ends_early_is_a_failure(tmp_path: Path, code: str, says: str) -> None:
    """However a snippet ends its process, it is told, and the other cards still run."""
    cards = card("one", f"assert int('1')\n{code}\nassert int('1')") + card(
        "two", "assert int('1')"
    )
    first, second = project(tmp_path, {"a.md": cards}).verified()
    assert isinstance(first, Problem)
    assert first.code is Code.ENDED_EARLY
    assert says in first.message
    assert isinstance(second, ProvenCard)


def test_a_thread_that_fails_is_told_at_its_line(tmp_path: Path) -> None:
    """Python prints an exception of a thread and goes on; a proof does not."""
    code = """\
import threading
def work():
    raise KeyError("lost")
thread = threading.Thread(target=work)
thread.start()
thread.join()
assert int("1")
"""
    (problem,) = project(tmp_path, {"a.md": card("one", code)}).verified()
    assert isinstance(problem, Problem)
    assert (problem.code, problem.place.line) == (Code.EXCEPTION_RAISED, 8)
    assert "KeyError: 'lost'" in problem.message


def test_a_failed_assertion_in_a_thread_is_told(tmp_path: Path) -> None:
    """An assertion that fails in a thread has failed."""
    code = """\
import threading
def check(x):
    assert x == 2
thread = threading.Thread(target=check, args=[1])
thread.start()
thread.join()
"""
    (problem,) = project(tmp_path, {"a.md": card("one", code)}).verified()
    assert isinstance(problem, Problem)
    assert (problem.code, problem.place.line) == (Code.ASSERTION_FAILED, 8)


def test_a_failure_in_an_included_file_is_told_there(tmp_path: Path) -> None:
    """The place is the file's own line and column; the calls that led there are named."""
    module = "def half(x):\n    变 = x; assert x % 2 == 0, '奇'\n    return x // 2\n"
    fence = (
        '## Halves? {#one}\n\nSo.\n\n```python {include="snippets/halves.py" symbol="half"}\n```\n'
    )
    check = "\n```python {.check}\nassert half(4) == 2\nhalf(3)\n```\n"
    made = project(tmp_path, {"snippets/halves.py": module, "a.md": fence + check})
    assert made.problems() == ["snippets/halves.py:2:12 assertion-failed"]
    told = made.run("check").stderr
    assert "snippets/halves.py:2:12: error: assertion failed: 奇" in told
    assert "    2 |     变 = x; assert x % 2 == 0, '奇'" in told
    assert "called from cards/a.md:10" in told
    assert "verifiers/python" not in told


def test_a_failure_of_an_imported_module_is_told_there(tmp_path: Path) -> None:
    """The project's modules are its author's own, wherever the project lies."""
    files: dict[str, str | bytes] = {
        "snippets/__init__.py": "",
        "snippets/deep.py": "def fail():\n    raise LookupError('there')\n",
        "a.md": card("one", "from snippets.deep import fail\nassert fail()"),
    }
    assert project(tmp_path, files).problems() == ["snippets/deep.py:2:5 exception-raised"]


def test_lines_and_columns_count_characters_in_the_file(tmp_path: Path) -> None:
    """Wide characters, indentation, tabs and functions of an earlier fence do not shift them."""
    text = (
        "- 问\n    - 答\n      ```python\n"
        "      def f(变):\n          量 = '量'; assert 变\n      ```\n\n"
        "    ```python\n    字 = 1; f(0)\n    ```\n"
        "-\t问二\n\n\t```python\n\t变 = = 1\n\t```\n"
        "- 问三\n    > ```python\n    > 变 = '变'; assert 变 == 1\n    > ```\n"
    )
    made = project(tmp_path, {"a.md": text})
    assert made.problems() == [
        "cards/a.md:5:20 assertion-failed",
        "cards/a.md:14:6 syntax-error",
        "cards/a.md:18:16 assertion-failed",
    ]


@pytest.mark.parametrize(
    ("code", "column"),
    [
        ("s = 'éé'; return 5", 11),
        ("s = '汉字'; yield = 5", 11),
        ("s = '🙂'; break", 10),
    ],
)
def test_columns_of_what_is_no_python_count_characters(
    tmp_path: Path, code: str, column: int
) -> None:
    """Whether Python's parser finds it, which counts them, or its compiler, which counts bytes."""
    made = project(tmp_path, {"a.md": card("one", code)})
    assert made.problems() == [f"cards/a.md:6:{column} syntax-error"]


def test_too_much_output_is_told_however_fast_it_came(tmp_path: Path) -> None:
    """A card that prints too much fails also if it was done before anybody looked."""
    code = "import sys\nassert sys.stdout.write('x' * 1_500_000)"
    for _ in range(3):
        found = project(tmp_path, {"a.md": card("one", code)}).verified()
        assert [each.code for each in found if isinstance(each, Problem)] == [Code.OUTPUT_LIMIT]


LEFT = {
    "a program": """\
import subprocess
left = subprocess.Popen(['sleep', '600'], close_fds=False)
number = left.pid
assert number
""",
    "a fork": "import os, time\nnumber = os.fork() or time.sleep(600)\nassert number",
    "a worker": """\
import multiprocessing, time
fork = multiprocessing.get_context("fork")
left = fork.Process(target=time.sleep, args=[600])
left.start()
number = left.pid
assert number
""",
    "a thread": """\
import threading, time
threading.Thread(target=time.sleep, args=[600], daemon=True).start()
running = threading.enumerate()
assert len(running) == 2
""",
}


@LINUX
@pytest.mark.parametrize("name", LEFT)
def test_what_a_snippet_leaves_behind_keeps_nobody_waiting(tmp_path: Path, name: str) -> None:
    """Programs, forks and threads that outlive a card's last statement are ended with it."""
    made = project(tmp_path, {})
    held = Held.of(made)
    setup = f"# T\n\n```python {{.setup}}\n{held.opened}; hold()\n```\n\n"
    made.write("cards/a.md", setup + card("one", LEFT[name]))
    started = time.monotonic()
    (proven,) = made.proven()
    assert proven.proofs[-1].assertions == 1
    assert time.monotonic() - started < made.settings().timeout
    assert soon(held.is_free)


def test_a_fork_that_goes_on_reports_nothing(tmp_path: Path) -> None:
    """A fork that runs on behind the snippet's end does not count the assertions twice."""
    cards = card("one", "import os\nos.fork()\nassert os.getpid()\nprint('x')")
    for proven in project(tmp_path, {"a.md": cards}).proven():
        assert [proof.assertions for proof in proven.proofs] == [1]


def test_a_time_limit_ends_what_a_card_started(tmp_path: Path) -> None:
    """A card's own limit beats the project's; its programs end with it."""
    made = project(tmp_path, {})
    held = Held.of(made)
    start = f"{held.opened}; import subprocess; hold()"
    code = "subprocess.run(['sleep', '600'], close_fds=False)\nassert int('1')"
    text = card("one", f"{start}\n{code}")
    made.write("cards/a.md", text.replace("```python", "```python {timeout=0.7}"))
    started = time.monotonic()
    assert made.problems() == ["cards/a.md:7:1 time-limit"]
    assert time.monotonic() - started < made.settings().timeout
    assert sys.platform != "linux" or soon(held.is_free)


class GaveUpError(Exception):
    """What a listener raises that wants no more proofs."""


def test_giving_up_ends_what_is_running(tmp_path: Path) -> None:
    """When whoever asks for proofs stops asking, nothing is waited for."""
    endless = card("two", "while True:\n    pass\nassert int('1')")
    made = project(tmp_path, {"a.md": card("one", "assert int('1')") + endless})
    started = time.monotonic()

    def give_up(event: Event) -> None:
        if isinstance(event, CardProven):
            raise GaveUpError

    with pytest.raises(GaveUpError):
        verify(made.cards(), execution_config(made.settings()), give_up)
    assert time.monotonic() - started < made.settings().timeout


def test_an_interrupted_watcher_ends_what_is_running(tmp_path: Path) -> None:
    """Ctrl-C while progress is shown, not while a proof is awaited, waits for nothing either."""
    endless = card("two", "while True:\n    pass\nassert int('1')")
    made = project(tmp_path, {"a.md": card("one", "assert int('1')") + endless})

    def interrupted(event: Event) -> None:
        if isinstance(event, CardProven):
            raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        made.result(on_event=interrupted)
    assert time.monotonic() - started < made.settings().timeout
    assert not [each for each in threading.enumerate() if each.name.startswith("ThreadPool")]


def test_temporary_files_of_a_card_go_with_it(tmp_path: Path) -> None:
    """Where a snippet asks for a temporary file, it gets one that is deleted after the card."""
    code = "import tempfile\nfolder = tempfile.mkdtemp()\nprint(folder)\nassert folder"
    (proven,) = project(tmp_path, {"a.md": card("one", code)}).proven()
    assert not Path(proven.proofs[0].stdout.strip()).exists()


def test_an_unverified_project_runs_nothing(tmp_path: Path) -> None:
    """With `verify` off no process starts, however wrong the code."""
    witness = tmp_path / "witness"
    text = card("one", f"open({str(witness)!r}, 'w').close()")
    made = project(tmp_path, {"a.md": "---\nverify: off\n---\n" + text})
    assert len(made.proven()) == 1
    assert not witness.exists()


def test_one_card_in_each_state(tmp_path: Path) -> None:
    """Every failure of a run is told, and what holds is proved beside it."""
    cards = {
        "holds": "assert int('1')",
        "fails": "assert int('1') == 2",
        "raises": "1 / 0",
        "asserts-nothing": "x = 1",
        "swallows": "try:\n    assert int('1') == 2\nexcept AssertionError:\n    pass",
        "no-python": "x = = 1",
        "never-reached": "def f():\n    assert int('1')\nif False:\n    assert f()",
    }
    made = project(tmp_path, {"a.md": "".join(card(name, code) for name, code in cards.items())})
    found = made.verified()
    assert [str(each.code) if isinstance(each, Problem) else each.card.id for each in found] == [
        "holds",
        "assertion-failed",
        "exception-raised",
        "nothing-asserted",
        "assertion-swallowed",
        "syntax-error",
        "nothing-asserted",
        "code-not-run",
        "code-not-run",
    ]


def test_projects_do_not_mix(tmp_path: Path) -> None:
    """A snippet imports its own project's modules, also where two projects name them alike."""
    text = card("one", "from snippets.value import value\nassert value == VALUE")
    for value in ("1", "2"):
        files: dict[str, str | bytes] = {"snippets/value.py": f"value = {value}\n"}
        made: Project = project(tmp_path / value, {**files, "a.md": text.replace("VALUE", value)})
        assert len(made.proven()) == 1


def uncached(made: Project) -> list[tuple[str, tuple[Proof, ...]] | Problem]:
    """What executing every card comes to, without what differs between any two runs."""
    where = execution_config(made.settings(), kept=False)
    return [
        each
        if isinstance(each, Problem)
        else (each.card.id, tuple(replace(proof, seconds=0.0) for proof in each.proofs))
        for each in verify(made.cards(), where)
    ]


VARIED = {
    "asserts": "x = [1, 2]\nfor each in x:\n    assert each in x",
    "prints": "print('one', {'a', 'b', 'c'}, hash('a'))\nassert int('1')",
    "draws": "import random, uuid\nprint(random.random(), random.Random(4).random())\n"
    "assert random.choice('abc')",
    "imports": "import mdurl\nfrom snippets.helper import number\nassert number == 3",
    "fails": "x = 1\nassert x == 2, 'no'",
    "raises": "def f():\n    raise KeyError('lost')\nf()",
    "asserts-nothing": "x = 1",
    "ends": "import os\nos._exit(3)",
    "crashes": "import ctypes\nx = 1\nctypes.string_at(0)",
    "hangs": "x = 1\nwhile x: x = 1",
    "misspells": "x = = 1",
    "exits": "import sys\nsys.exit('no')",
    "tells-its-arguments": "import sys\nprint(sys.argv)\nassert sys.argv[0].endswith('a.md')",
    "is-interrupted": "import signal\ntry:\n    signal.raise_signal(signal.SIGINT)\n"
    "except KeyboardInterrupt:\n    print('interrupted')\nassert int('1')",
    "tells-its-place": "import traceback\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n"
    "    print(traceback.format_exc(), __file__, __name__)\nassert int('1')",
    "asks-for-memory": "x = bytearray(10**11)\nassert x",
    "runs-a-program": "import subprocess as p\nassert p.run(['sh', '-c', 'exit 3']).returncode",
    "uses-a-thread": """\
import threading
def work():
    one = int("1")
    assert one
thread = threading.Thread(target=work)
thread.start()
thread.join()
""",
}
"""Cards that hold, and cards that fail in every way."""

ANNOUNCED = card("announces", "int('one')").replace(
    "```python", '```python {raises="ValueError" match="literal"}'
)


def varied() -> list[str]:
    """A card of each kind."""
    return [*(card(name, code) for name, code in VARIED.items()), ANNOUNCED]


def test_every_executor_comes_to_the_same(tmp_path: Path) -> None:
    """A fork of a warm parent proves what a fresh interpreter does, and fails as it does."""
    text = "# T\n\n```python {.setup}\nready = 1\n```\n\n" + "".join(varied())
    files: dict[str, str | bytes] = {"snippets/helper.py": "number = 3\n", "a.md": text}
    found = []
    for executor in ("fork", "spawn"):
        settings = f'{SETTINGS}timeout = 2\nexecutor = "{executor}"\n'
        found.append(uncached(project(tmp_path, files, settings)))
    forked, spawned = found
    assert [each.code for each in forked if isinstance(each, Problem)] == [
        Code.ASSERTION_FAILED,
        Code.EXCEPTION_RAISED,
        Code.NOTHING_ASSERTED,
        Code.ENDED_EARLY,
        Code.ENDED_EARLY,
        Code.TIME_LIMIT,
        Code.SYNTAX_ERROR,
        Code.ENDED_EARLY,
        Code.MEMORY_LIMIT,
    ]
    assert forked == spawned


UNBOUND = {
    "imports-it": "import pygments.formatters.latex\nassert int('1')",
    "imports-from-it": "from pygments.lexers import python\nassert int('1')",
    "asks-by-name": "import pygments\nassert pygments.formatters.latex",
    "asks-in-secret": "import pygments\nassert hasattr(pygments, 'lex' + 'ers')",
    "asks-the-system": "import sys, pygments\nassert 'pygments.lexers' in sys.modules",
    "looks-for-it": """\
from importlib.util import find_spec
import pygments
found = find_spec("pygments.formatters")
assert found.origin.endswith("__init__.py") and found.submodule_search_locations
pygments.formatters
""",
    "imports-it-last": """\
import pygments, sys
assert not hasattr(pygments, "formatters")
import pygments.formatters.latex
assert sys.modules["pygments.formatters"] is pygments.formatters
assert pygments.formatters.__spec__.loader is pygments.formatters.__loader__
assert pygments.formatters.latex.LatexFormatter().name == "LaTeX"
""",
    "has-it-imported": """\
import markdown_it.cli.parse, pygments
from pygments import lexers, highlight
assert pygments.lexers is lexers and callable(highlight)
assert lexers.get_lexer_by_name("python").name == "Python"
""",
}
"""What cards do with modules of a package that its own import does not bring."""


def test_a_module_is_there_for_whoever_imports_it(tmp_path: Path) -> None:
    """What other cards import is not found on a package: without them it would not be there."""
    text = "".join(card(name, code) for name, code in UNBOUND.items())
    found = []
    for executor in ("fork", "spawn"):
        settings = f'{SETTINGS}executor = "{executor}"\n'
        found.append(uncached(project(tmp_path, {"a.md": text}, settings)))
    forked, spawned = found
    assert [each.code if isinstance(each, Problem) else each[0] for each in forked] == [
        "imports-it", "imports-from-it", Code.EXCEPTION_RAISED, Code.ASSERTION_FAILED,
        Code.ASSERTION_FAILED, Code.EXCEPTION_RAISED, "imports-it-last", "has-it-imported",
    ]  # fmt: skip
    assert forked == spawned


def test_the_order_of_cards_is_of_no_account(tmp_path: Path) -> None:
    """Each card comes to the same, byte for byte, whichever cards were executed before it."""
    names = [name for name in VARIED if name not in {"hangs", "tells-its-place"}]
    every = {name: card(name, VARIED[name]) for name in names} | {
        name: card(name, f"{code}\nassert {then}") for name, (code, then) in SPOILERS.items()
    }
    order = list(every)
    made = project(tmp_path, {"snippets/helper.py": "number = 3\n"})
    for name in order:  # in a file of its own, so that no line moves
        made.write(f"cards/{name}.md", every[name])
    cards = {each.id: each for each in made.cards()}
    where = execution_config(made.settings(), kept=False)
    seen: dict[str, object] = {}
    for seed in range(3):
        random.Random(seed).shuffle(order)  # noqa: S311 - no secret
        for each in verify([cards[name] for name in order], where):
            if isinstance(each, Problem):
                assert seen.setdefault(Path(each.place.path).stem, each) == each
            else:
                proofs = [replace(proof, seconds=0.0) for proof in each.proofs]
                assert seen.setdefault(each.card.id, proofs) == proofs
    assert len(seen) == len(every)


THREAD = """\
import threading
done = threading.Event()
def work():
    one = int("1")
    assert one
    done.set()
thread = threading.Thread(target=work)
thread.start()
done.wait()
"""


def test_what_a_thread_asserts_counts_once_it_is_joined(tmp_path: Path) -> None:
    """Whether a thread that nobody waits for gets anywhere is luck, so it proves nothing."""
    pool = """\
from concurrent.futures import ThreadPoolExecutor
def work(x):
    y = x + 1
    assert y
with ThreadPoolExecutor(2) as pool:
    list(pool.map(work, [1, 2]))
"""
    text = card("left", THREAD) + card("joined", THREAD + "thread.join()\n") + card("pool", pool)
    left, joined, pooled = project(tmp_path, {"a.md": text}).verified()
    assert isinstance(left, Problem)
    assert left.code is Code.NOTHING_ASSERTED
    assert isinstance(joined, ProvenCard)
    assert joined.proofs[0].assertions == 1
    assert isinstance(pooled, ProvenCard)
    assert pooled.proofs[0].assertions == 2


UNSEEDED = """\
import random
print(random.Random().random(), random.random())
random.seed()
print(random.random(), random.sample(range(100), 3))
assert random.random()
"""
UNSEEDED_NUMPY = """\
import numpy as np
print(np.random.default_rng().random(3), np.random.rand(2), np.random.RandomState().rand(2))
np.random.seed()
print(np.random.rand(2), np.random.Generator(np.random.PCG64()).random())
assert np.random.rand()
"""


@pytest.mark.parametrize("library", ["random", "numpy"])
def test_generators_without_a_seed_have_one(tmp_path: Path, library: str) -> None:
    """What an author forgot to seed draws the same numbers on every run, and for every card."""
    pytest.importorskip(library)
    code = UNSEEDED if library == "random" else UNSEEDED_NUMPY
    made = project(tmp_path, {"a.md": card("one", code) + card("two", code)})
    printed = set()
    for _ in range(2):
        for found in uncached(made):
            assert not isinstance(found, Problem), found
            printed.add(found[1][0].stdout)
    assert len(printed) == 1


@LINUX
def test_a_card_that_kills_its_worker_is_told(tmp_path: Path) -> None:
    """Without a box a card can end what watches it, twice: then nobody can execute it.

    The others are proved.
    """
    made = project(tmp_path, {}, SETTINGS + "sandbox = false\n", trusted=True)
    held = Held.of(made)
    killer = f"""\
{held.opened}; hold()
import subprocess, time
subprocess.Popen(["sleep", "600"], start_new_session=True, close_fds=False)
os.kill(os.getppid(), 9)
time.sleep(600)
assert int("1")
"""
    names = ["a", "b", "c", "d", "e", "f"]
    text = "".join(card(name, killer if name in "be" else "assert int('1')") for name in names)
    made.write("cards/a.md", text)
    found = made.verified()
    assert [each.code if isinstance(each, Problem) else each.card.id for each in found] == [
        "a", Code.EXECUTOR_FAILED, "c", "d", Code.EXECUTOR_FAILED, "f",
    ]  # fmt: skip
    assert soon(held.is_free)


@LINUX
def test_a_card_whose_worker_is_killed_gets_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system kills one for want of memory, say: that is not the card's fault, nor a loss.

    What the dead worker left on the disk goes with the run.
    """
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    once = f"""\
import os
from pathlib import Path
there = Path({str(tmp_path / "once")!r})
there.exists() or (there.touch(), os.kill(os.getppid(), 9))
assert there
"""
    settings = SETTINGS + "sandbox = false\n"
    assert len(project(tmp_path / "deck", {"a.md": card("a", once)}, settings).proven()) == 1
    assert list((tmp_path / "temporary").iterdir()) == []


@LINUX
def test_what_the_system_refuses_to_a_worker_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full, say: no card is to blame, and its author reads why."""
    monkeypatch.setattr(forks, "run_folder", lambda: tmp_path / "nowhere")
    made = project(tmp_path, {"a.md": card("a", "assert int('1')")})
    (problem,) = made.verified()
    assert isinstance(problem, Problem)
    assert problem.code is Code.EXECUTOR_FAILED
    assert "it cannot be executed here: FileNotFoundError: " in problem.message


@pytest.mark.torch
def test_a_comparison_that_broadcasts_is_doubted(tmp_path: Path) -> None:
    """`allclose` of unequal shapes holds too easily: it is warned of; of equal ones it is not."""
    pytest.importorskip("torch")
    code = """\
import torch
x = torch.ones(2, 3)
assert torch.allclose(x, torch.ones(3))
assert x.allclose(torch.ones(2, 1))
assert torch.allclose(x, torch.tensor(1.0))
assert torch.allclose(x, torch.ones(2, 3))
for _ in range(3):
    assert torch.allclose(x, torch.ones(1, 3), atol=1e-3)
"""
    made = project(tmp_path, {"a.md": card("one", code)})
    checked = made.check()
    assert [each.code for each in checked.problems] == [Code.SHAPES_DIFFER] * 3
    assert [each.place.line for each in checked.problems] == [8, 9, 13]
    assert len(checked.notes) == 1


CANNOT_FAIL = [
    "True", "(x == 2, 'two')", "[x == 2]", "{0}", "{'a': x}", "not ()", "1 == 1", "'text'", "-1",
    "(y := 5)", "lambda: x == 2", "(each > 5 for each in (x, x))", "not not (x == 2, 'two')",
    "[each > 5 for each in (x, x)]", "{not each for each in (x, x)}", "x == 2 or 3",
    "x == 2 or 'message'", "x == 2 or (x == 3, 'three')", "x == 2 and 1 or 1", "f'x is {x}'",
    "(x == 2, 'two') if x else 'text'", "None is None is None",
]  # fmt: skip
"""Tests that hold whatever `x` is, as their text shows."""


@pytest.mark.parametrize("test", CANNOT_FAIL)
def test_an_assertion_that_cannot_fail_is_refused(tmp_path: Path, test: str) -> None:
    """However it is dressed up, and however good the others are: at its line."""
    code = f"x = 1\nassert x == int('1')\nassert {test}"
    (problem,) = project(tmp_path, {"a.md": card("one", code)}).verified()
    assert isinstance(problem, Problem)
    assert (problem.code, problem.place.line) == (Code.NOTHING_ASSERTED, 8)
    assert "this assertion cannot fail" in problem.message


@pytest.mark.parametrize("test", ["False", "0", "[]", "not 1"])
def test_what_is_never_to_be_reached_may_say_so(tmp_path: Path, test: str) -> None:
    """An assertion that cannot hold marks what must not happen, and fails where it does."""
    code = "x = int('1')\nif x != 1:\n    assert {0}\nassert x == 1"
    made = project(tmp_path, {"a.md": card("one", code.format(test))})
    assert made.problems() == []
    made.write("cards/a.md", card("one", code.format(test).replace("!=", "==")))
    assert made.problems() == ["cards/a.md:8:5 assertion-failed"]


SWALLOWED = {
    "by a type of its own": "try:\n    {0}\nexcept AssertionError:\n    pass",
    "by any": "try:\n    {0}\nexcept Exception:\n    pass",
    "by a return": "def f():\n    try:\n        {0}\n    finally:\n        return 1\nf()",
}


@pytest.mark.parametrize("name", SWALLOWED)
def test_what_is_swallowed_is_told_for_what_it_is(tmp_path: Path, name: str) -> None:
    """`assert False` has failed; a tuple never could."""
    code = "assert int('1') == 1\n" + SWALLOWED[name]
    made = project(tmp_path, {"a.md": card("one", code.format("assert False, 'no'"))})
    assert [each.split()[1] for each in made.problems()] == ["assertion-swallowed"]
    made.write("cards/a.md", card("one", code.format("assert (1, 'no')")))
    assert [each.split()[1] for each in made.problems()] == ["nothing-asserted"]


def test_an_announced_assertion_is_shown_as_python_raises_it(tmp_path: Path) -> None:
    """Also one that a snippet catches and prints; one that cannot fail is no exception at all."""
    code = "x = int('2')\nassert x == 1, f'x is {x}'"
    announced = '```python {raises="AssertionError" match="x is 2"}'
    (proven,) = project(
        tmp_path, {"a.md": card("one", code).replace("```python", announced)}
    ).proven()
    assert proven.proofs[0].raised == "AssertionError: x is 2"
    idle = card("one", "assert (1, 'x is 2')").replace("```python", announced)
    assert project(tmp_path, {"a.md": idle}).problems() == ["cards/a.md:6:1 nothing-asserted"]


UNCALLED = {
    "a function": "def holds(): return False\nassert holds",
    "a method": "x = []\nassert x.__len__",
    "a method of a class": "assert str.isdigit",
    "a class": "class Holds: pass\nassert Holds",
    "a module": "import math\nassert math",
    "behind another one": "assert len('x') == 1 and len",
    "a coroutine": "import warnings\nwarnings.simplefilter('ignore')\n"
    "async def holds(): return False\nassert holds()",
    "a generator": "def holds(): yield False\nassert holds()",
    "a map": "assert map(bool, [0])",
    "a filter": "assert filter(None, [0])",
}
"""What is asserted and holds, though nothing was asked."""


@pytest.mark.parametrize("name", UNCALLED)
def test_what_nobody_called_is_refused(tmp_path: Path, name: str) -> None:
    """An assertion on a function is true whatever it would return: that is told at its line."""
    code = "assert int('1') == 1\n" + UNCALLED[name]
    (problem,) = project(tmp_path, {"a.md": card("one", code)}).verified()
    assert isinstance(problem, Problem)
    assert (problem.code, problem.place.line) == (Code.NOTHING_ASSERTED, 6 + code.count("\n"))
    assert "this assertion cannot fail" in problem.message


CAN_FAIL = """\
import asyncio
xs = [1, 2]
assert [x for x in xs if x > 1]
assert [*xs] and {**{"a": xs}}
assert len(xs) == 3 or xs or None or []
assert {each: 0 for each in xs} and [each + 1 for each in xs]
assert len(xs) == 2 or not 1 or (y := [])
assert (y := len(xs)) == 2
assert not {x for x in xs if x > 2}
def asked():
    sent = yield
    assert sent
asking = asked()
next(asking)
try:
    asking.send(True)
except StopIteration:
    pass
async def waits():
    assert await asyncio.sleep(0, 1)
asyncio.run(waits())
"""


def test_an_assertion_that_can_fail_counts(tmp_path: Path) -> None:
    """Also one whose test only looks like a constant."""
    (proven,) = project(tmp_path, {"a.md": card("one", CAN_FAIL)}).proven()
    assert proven.proofs[0].assertions == 9


RELEASED = """\
import weakref
class Thing: pass
thing = Thing()
there = weakref.ref(thing)
assert there() is thing
del thing
assert there() is None
def asked(thing):
    assert thing is there() and (yield)
thing = Thing()
there = weakref.ref(thing)
asking = asked(thing)
next(asking)
del thing
asking.close()
assert there() is None
"""


def test_an_assertion_keeps_nothing_alive(tmp_path: Path) -> None:
    """What it compared is let go of, whether it held or was never decided."""
    (proven,) = project(tmp_path, {"a.md": card("one", RELEASED)}).proven()
    assert proven.proofs[0].assertions == 3


ODD_SHAPE = """\
class Odd:
    dtype = 1
    shape = property(lambda self: 1 / 0)
    __repr__ = lambda self: "odd"
x = Odd()
assert x == 1
"""
VALUES = {
    "another round": ("for x, y in [(1, 1), (0, 2)]:\n    assert x > 0 and y > 0", ["x = 0"]),
    "recursion": (
        "def f(n):\n    if n > 1:\n        assert f(n - 1) == n - 1\n    return 1\nf(3)",
        ["f(n - 1) = 1", "n - 1 = 2"],
    ),
    "recursion that comes back": (
        "def f(n):\n    assert n < 3 and (n == 0 or f(n - 1)) and n < 2\n    return 1\nf(2)",
        ["n = 2", "n - 1 = 1"],
    ),
    "a call that changes": (
        "given = iter([1, 2])\nassert next(given) == next(given)",
        ["next(given) = 1", "next(given) = 2"],
    ),
    "a value that stays": ("x = 1\nassert x == x + 1 == x", ["x = 1", "x + 1 = 2"]),
    "a generator": ("limit = 2\nassert all(x < limit for x in [1, 3])", ["x = 3", "limit = 2"]),
    "a mock": (
        "from unittest.mock import Mock\nm = Mock()\nm.size.return_value = 5\nassert m.size() == 4",
        ["m.size() = 5"],
    ),
    "a mock itself": (
        "from unittest.mock import Mock\nm = Mock(name='m')\nassert m.size() == m.shape",
        ["m.size() = <Mock name='m.size()'>", "m.shape = <Mock name='m.shape'>"],
    ),
    "a shape that raises": (ODD_SHAPE, ["x = odd"]),
}
"""Code whose last assertion fails, and the values that are told."""


@pytest.mark.parametrize("name", VALUES)
def test_the_values_of_a_failure_are_those_it_met(tmp_path: Path, name: str) -> None:
    """Not those of another round, another call or another thread, and all of them."""
    code, values = VALUES[name]
    (problem,) = project(tmp_path, {"a.md": card("one", code)}).verified()
    assert isinstance(problem, Problem)
    assert problem.code is Code.ASSERTION_FAILED
    told = [line for line in problem.message.split("\n")[1:] if not line.startswith("called")]
    assert [re.sub(r" id='\d+'", "", line) for line in told] == values


WAITING = """\
import asyncio

async def checks(queue):
    assert await queue.get() > 0

async def main():
    queue = asyncio.Queue()
    waiting = [asyncio.create_task(checks(queue)) for _ in range(2)]
    await asyncio.sleep(0)
    queue.put_nowait(1)
    await waiting[0]
    waiting[1].cancel()
    await asyncio.wait(waiting)

asyncio.run(main())

def asked():
    assert (yield) > 0

suspended, closed = asked(), asked()
next(suspended), next(closed)
closed.close()
"""


def test_an_assertion_that_waits_has_not_failed(tmp_path: Path) -> None:
    """Nor has one that nobody waits for any more; neither has held."""
    (proven,) = project(tmp_path, {"a.md": card("one", WAITING)}).proven()
    assert proven.proofs[0].assertions == 1


def test_a_function_that_asserts_can_be_sent(tmp_path: Path) -> None:
    """To another process, or back into this one, where it counts as before."""
    pytest.importorskip("cloudpickle")
    code = """\
import cloudpickle, pickle
def positive(x):
    root = x**0.5
    assert root * root == x
pickle.loads(cloudpickle.dumps(positive))(1)
"""
    (proven,) = project(tmp_path, {"a.md": card("one", code)}).proven()
    assert proven.proofs[0].assertions == 1


ANNOUNCING = {
    "alone": ("assert_raises(ValueError)", Code.NOTHING_ASSERTED),
    "entered": ("with assert_raises(ValueError) as caught:\n    int('x')\ncaught.exception", None),
    "in vain": ("with assert_raises(ValueError):\n    int('1')", Code.ASSERTION_FAILED),
    "another": ("with assert_raises(KeyError):\n    int('x')", Code.EXCEPTION_RAISED),
    "caught": (
        "try:\n with assert_raises(ValueError):\n  pass\nexcept AssertionError:\n pass",
        Code.ASSERTION_SWALLOWED,
    ),
    "warns": ("import warnings\nwith assert_warns(UserWarning):\n    warnings.warn('x')", None),
    "called": ("assert_raises(ValueError, int, 'x')", None),
}


@pytest.mark.parametrize("name", ANNOUNCING)
def test_an_announced_exception_counts_when_it_came(tmp_path: Path, name: str) -> None:
    """NumPy's `assert_raises` asserts nothing before its block is left."""
    pytest.importorskip("numpy")
    code, problem = ANNOUNCING[name]
    code = "from numpy.testing import assert_raises, assert_warns\n" + code
    (found,) = project(tmp_path, {"a.md": card("one", code)}).verified()
    if problem:
        assert isinstance(found, Problem)
        assert found.code is problem
    else:
        assert isinstance(found, ProvenCard)
        assert found.proofs[0].assertions == 1
