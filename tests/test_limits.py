"""How far the snippets of a card may go, and how they are told that they went too far."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from projects import SETTINGS, Held, card, load, project, soon

from verideck.model import LARGEST_LIMIT
from verideck.problems import Code, Problem
from verideck.proof.sandbox import kernel

pytestmark = pytest.mark.linux(reason="the kernel of Linux keeps these")

FIRST = 6
"""The line of a card's first line of code."""

FORKS = """\
import os, time
for _ in range(200):
    if os.fork() == 0:
        time.sleep(600)
        os._exit(0)
time.sleep(30)
assert os.getpid()
"""
FEW = """\
import os, time
for _ in range(6):
    if os.fork() == 0:
        time.sleep(45)
time.sleep(0.3)
assert os.getpid()
"""
THREADS = """\
import threading
done = threading.Event()
threads = [threading.Thread(target=done.wait) for _ in range(40)]
for thread in threads:
    thread.start()
done.set()
for thread in threads:
    thread.join()
assert len(threads) == 40
"""
SHELLS = """\
import subprocess
shells = [
    subprocess.Popen(["sh", "-c", "sleep 600 & wait"], close_fds=False) for _ in range(25)
]
shells[0].wait()
assert shells
"""
LARGE = """\
with open("large", "wb") as file:
    for _ in range(9):
        file.write(bytes(999_999))
assert file.closed
"""
MANY = """\
import shutil
from pathlib import Path
for number in range(50):
    folder = Path(f"{number}")
    folder.mkdir()
    (folder / "file").write_bytes(bytes(100_000))
assert folder
"""
BESIDE = """\
import tempfile
import shutil
from pathlib import Path
Path("..", "beside").write_bytes(bytes(1_500_000))
Path(tempfile.mkdtemp(), "temporary").write_bytes(bytes(1_500_000))
assert Path().exists()
"""

BROKEN = {
    "an array": ("x = bytearray(9_000_000_000)\nassert x", "memory", Code.MEMORY_LIMIT, 0),
    "a list": ("x = [0]\nx = x * 900_000_000\nassert x", "memory", Code.MEMORY_LIMIT, 1),
    "a mapping": ("import mmap\nassert mmap.mmap(-1, 2**40, 2)", "memory", Code.MEMORY_LIMIT, 1),
    "a file": (LARGE, "disk", Code.DISK_LIMIT, None),
    "many files": (MANY, "disk", Code.DISK_LIMIT, None),
    "files elsewhere": (BESIDE, "disk", Code.DISK_LIMIT, None),
    "forks": (FORKS, "processes", Code.PROCESS_LIMIT, None),
    "shells": (SHELLS, "processes", Code.PROCESS_LIMIT, None),
}
"""Code that goes too far, the limit that stops it, and the line where it was if that is sure."""

LOW = SETTINGS + "memory = 1000\ndisk = 2\nprocesses = 30\n"


@pytest.mark.parametrize("executor", ["fork", "spawn"])
@pytest.mark.parametrize("name", BROKEN)
def test_a_card_that_goes_too_far_is_stopped(tmp_path: Path, name: str, executor: str) -> None:
    """It is told which limit that was, where it stood, and how to allow more; others go on."""
    code, setting, told, line = BROKEN[name]
    made = project(tmp_path, {}, f'{LOW}executor = "{executor}"\n')
    held = Held.of(made)
    started = card("one", f"{held.opened}; hold()\n{code}")
    made.write("cards/a.md", started + card("two", "assert int('1')"))
    first, *others = made.verified()
    assert isinstance(first, Problem)
    assert first.code is told
    assert f"{setting} in [tool.verideck]" in first.hint
    assert f"{{{setting}=…}} on the fence" in first.hint
    assert line is None or first.place.line == FIRST + 1 + line
    assert len(others) == 1
    assert not isinstance(others[0], Problem)
    assert soon(held.is_free)


ALLOWED = {
    "memory": "x = bytearray(600_000_000)\nassert x",
    "disk": MANY,
    "processes": FEW,
    "timeout": "import time\ntime.sleep(0.5)\nassert time.time()",
    "max_output": "print('x' * 2000)\nassert int('1')",
}
LIMITED = SETTINGS + "memory = 500\ndisk = 4\nprocesses = 5\ntimeout = 0.3\nmax_output = 1000\n"
MORE = {"memory": 800, "disk": 8, "processes": 9, "timeout": 20, "max_output": 3000}


def test_a_fence_allows_its_card_more(tmp_path: Path) -> None:
    """What the project does not allow, a fence can; no other card is allowed it."""
    cards = {name: card(name.replace("_", "-"), code) for name, code in ALLOWED.items()}
    more = "timeout=20 "
    allowed = [
        text.replace(
            "```python", f"```python {{{'' if name == 'timeout' else more}{name}={MORE[name]}}}"
        )
        for name, text in cards.items()
    ]
    assert len(project(tmp_path, {"a.md": "".join(allowed)}, LIMITED).proven()) == len(allowed)
    refused = [
        text if name == "timeout" else text.replace("```python", f"```python {{{more}}}")
        for name, text in cards.items()
    ]
    found = project(tmp_path, {"a.md": "".join(refused)}, LIMITED).verified()
    assert [each.code for each in found if isinstance(each, Problem)] == [
        Code.MEMORY_LIMIT,
        Code.DISK_LIMIT,
        Code.PROCESS_LIMIT,
        Code.TIME_LIMIT,
        Code.OUTPUT_LIMIT,
    ]


def test_the_most_generous_fence_counts(tmp_path: Path) -> None:
    """A card's limit is the highest that any of its fences sets, also where that is lower."""
    more = (
        "\n```python {.check timeout=0.3}\nimport time\ntime.sleep(0.6)\nassert time.time()\n```\n"
    )
    text = card("one", "assert int('1')", more)
    made = project(tmp_path, {"a.md": text})
    assert made.problems() == ["cards/a.md:11:1 time-limit"]
    made = project(tmp_path, {"a.md": text.replace("```python\n", "```python {timeout=20}\n", 1)})
    assert made.problems() == []


def test_what_the_box_does_not_have_is_what_the_docs_say(tmp_path: Path) -> None:
    """Semaphores and pools of `multiprocessing` need /dev/shm; a name is just not found."""
    if kernel.missing():
        pytest.skip(kernel.missing())
    codes = [
        "import multiprocessing\nmultiprocessing.Lock()",
        "import multiprocessing\nmultiprocessing.get_context('fork').Pool(2)",
        "import socket\nsocket.getaddrinfo('localhost', 80)",
    ]
    cards = [card(f"c{number}", code) for number, code in enumerate(codes)]
    found = project(tmp_path, {"a.md": "".join(cards)}).verified()
    said = [each.message.split(":")[0] for each in found if isinstance(each, Problem)]
    assert said == ["PermissionError", "PermissionError", "gaierror"]


DEAF = """\
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
while True: pass
"""
STOPPED = {
    "a loop": ("x = 1\nwhile x: pass", "time-limit", 1),
    "a call": ("import time\ndef wait():\n    time.sleep(60)\nwait()", "time-limit", 2),
    "a program": ("import subprocess\nsubprocess.run(['sleep', '60'])", "time-limit", 1),
    "a crash": ("import ctypes\nx = 1\nctypes.string_at(0)", "ended-early", 2),
    "an abort": ("import os\ndef end():\n    os.abort()\nend()", "ended-early", 2),
    "a deaf loop": (DEAF, "time-limit", None),
}
"""Code that does not come to its end, what that is called, and the line where it was."""


@pytest.mark.parametrize(("executor", "timeout"), [("fork", 1), ("spawn", 4)])
def test_the_line_at_which_a_card_was_is_told(tmp_path: Path, executor: str, timeout: int) -> None:
    """Not only its fence: the innermost line of the author's, of a loop and of a crash alike.

    A process that does not heed the signal is told at its fence. One that is spawned has imports of
    its own to wait for, before it is where it is stopped.
    """
    cards = [card(f"c{number}", code) for number, (code, _, _) in enumerate(STOPPED.values())]
    text = "".join(cards)
    settings = f'{SETTINGS}timeout = {timeout}\nexecutor = "{executor}"\n'
    made = project(tmp_path, {"a.md": text}, settings)
    lines = text.split("\n")
    starts = [number for number, line in enumerate(lines, start=1) if line == "```python"]
    wanted = [
        f"cards/a.md:{start if line is None else start + 1 + line}:1 {code}"
        for start, (_, code, line) in zip(starts, STOPPED.values(), strict=True)
    ]
    assert made.problems() == wanted


REPLACED = {
    "a pipe": "os.mkfifo",
    "an endless file": "lambda path: os.symlink('/dev/zero', path)",
    "a link to a secret": f"lambda path: os.symlink({__file__!r}, path)",
}
"""What a card may put where it was told to write."""


@pytest.mark.parametrize("executor", ["fork", "spawn"])
@pytest.mark.parametrize("name", REPLACED)
def test_what_a_card_puts_in_place_of_its_streams_is_not_read(
    tmp_path: Path, name: str, executor: str
) -> None:
    """A card that does not come to its end is told all the same, and nothing of another file."""
    code = f"""\
import os
for name in ("stdout", "stderr", "stack"):
    os.unlink(f"../{{name}}")
    ({REPLACED[name]})(f"../{{name}}")
os.write(2, b"last words")
os._exit(3)
"""
    settings = f'{SETTINGS}timeout = 5\nsandbox = false\nexecutor = "{executor}"\n'
    (problem,) = project(tmp_path, {"a.md": card("one", code)}, settings).verified()
    assert isinstance(problem, Problem)
    assert problem.code is Code.ENDED_EARLY
    assert "(exit status 3: last words)" in problem.message


FAR = """\
import os, time
top = os.getcwd()
def down():
    for number in range(12):
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
down()
file = open("file", "wb")
os.chdir(top)
os.mkdir("above")
os.chdir("above")
down()
os.rename(top + "/" + "d" * 200, "below")
for number in range(50):
    file.write(bytes(100_000))
    time.sleep(0.02)
assert file
"""


def test_what_is_written_far_below_counts(tmp_path: Path) -> None:
    """Where a path is longer than the system takes."""
    settings = SETTINGS + "disk = 1\nsandbox = false\n"
    (problem,) = project(tmp_path, {"a.md": card("one", FAR)}, settings).verified()
    assert isinstance(problem, Problem)
    assert problem.code is Code.DISK_LIMIT


FLIPPING = """\
import os, time
for number in range(2000):
    os.mkdir(str(number))
os.mkdir("folder")
os.symlink("{outside}", "link")
end = time.time() + 3
while time.time() < end:
    for each in ("folder", "link"):
        os.rename(each, "here")
        time.sleep(0.003)
        os.rename("here", each)
assert end
"""


def test_what_is_written_is_not_looked_for_outside(tmp_path: Path) -> None:
    """A link that takes the place of a folder while it is looked at leads nowhere."""
    (tmp_path / "outside").mkdir()
    with (tmp_path / "outside/large").open("wb") as file:
        file.truncate(10_000_000_000)
    code = FLIPPING.format(outside=tmp_path / "outside")
    settings = SETTINGS + "disk = 20\n"
    assert len(project(tmp_path / "deck", {"a.md": card("one", code)}, settings).proven()) == 1


DEEP = """\
import os
for number in range(1500):
    os.mkdir("deep")
    os.chdir("deep")
open("file", "w").close()
os.chdir("/")
assert os.listdir()
"""
SHUT = """\
import os
os.makedirs("shut/inside")
open("shut/inside/file", "w").close()
os.symlink("/", "link")
for folder in ("shut/inside", "shut", "..", "."):
    os.chmod(folder, 0)
assert os.getpid()
"""


@pytest.mark.parametrize("code", [DEEP, SHUT], ids=["deep", "shut"])
def test_whatever_a_card_leaves_is_removed(
    tmp_path: Path, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However deep its folders are, and however it shut them."""
    scratches = tmp_path / "scratches"
    scratches.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratches))
    text = card("one", code) + card("two", "assert int('1')")
    made = project(tmp_path / "deck", {"a.md": text}, SETTINGS + "sandbox = false\n", trusted=True)
    assert len(made.proven()) == 2
    assert list(scratches.iterdir()) == []


def test_a_card_ended_by_any_signal_is_told(tmp_path: Path) -> None:
    """Also by one that has no name."""
    code = "import os, signal\nos.kill(os.getpid(), signal.SIGRTMIN + 6)"
    text = card("one", code) + card("two", "assert int('1')")
    first, second = project(tmp_path, {"a.md": text}).verified()
    assert isinstance(first, Problem)
    assert (first.code, "signal 40" in first.message) == (Code.ENDED_EARLY, True)
    assert not isinstance(second, Problem)


def test_processes_that_have_ended_are_not_counted(tmp_path: Path) -> None:
    """What a card's programs leave behind and what ends by itself is let go of."""
    code = """\
import subprocess, time
for _ in range(40):
    subprocess.run(["sh", "-c", "true &"], check=True)
time.sleep(0.3)
assert subprocess.run(["true"]).returncode == 0
"""
    made = project(tmp_path, {"a.md": card("one", code)}, SETTINGS + "processes = 8\n")
    assert len(made.proven()) == 1


@pytest.mark.parametrize("name", ["memory", "disk", "timeout", "max_output", "processes"])
def test_a_limit_that_no_system_can_count_is_refused(tmp_path: Path, name: str) -> None:
    """Where it is set, not where it would break: in the settings and on a fence."""
    text = card("one", "assert int('1')")
    made = project(tmp_path, {"a.md": text}, f"{SETTINGS}{name} = 9999999999999999\n")
    (problem,) = [each for each in load(made.root) if isinstance(each, Problem)]
    assert (problem.code, problem.place.line) == (Code.SETTING_INVALID, 5)
    fence = text.replace("```python", f"```python {{{name}=9999999999999999}}")
    made = project(tmp_path, {"a.md": fence})
    assert [each.split()[1] for each in made.problems()] == ["option-invalid"]
    most = text.replace("```python", f"```python {{{name}={LARGEST_LIMIT}}}")
    assert len(project(tmp_path, {"a.md": most}).proven()) == 1


def test_a_slow_line_of_the_project_is_told_there(tmp_path: Path) -> None:
    """Where a card waits in a module of the project, its author sees which line of it that is."""
    files: dict[str, str | bytes] = {
        "snippets/slow.py": "import time\n\ndef slow():\n    time.sleep(60)\n",
        "a.md": card("one", "from snippets.slow import slow\nassert slow()"),
    }
    made = project(tmp_path, files, SETTINGS + "timeout = 0.5\n")
    assert made.problems() == ["snippets/slow.py:4:1 time-limit"]


ORDINARY = {
    "a program": "import subprocess, sys\n"
    "assert subprocess.run([sys.executable, '-c', '1'], check=True).returncode == 0",
    "a shell": "import subprocess\nassert subprocess.check_output('echo $HOME', shell=True)",
    "a temporary file": "import tempfile\nwith tempfile.NamedTemporaryFile() as file:\n"
    "    assert file.write(bytes(9_000_000))",
    "a database": "import sqlite3\nwith sqlite3.connect('a.db') as database:\n"
    "    database.execute('create table a (b)')\n    assert database.total_changes == 0",
    "threads": THREADS,
    "a pool of threads": "from concurrent.futures import ThreadPoolExecutor\n"
    "with ThreadPoolExecutor(8) as pool:\n    assert list(pool.map(abs, [-1, 2])) == [1, 2]",
    "asyncio": "import asyncio\nassert asyncio.run(asyncio.sleep(0, 1)) == 1",
    "a pair of sockets": "import socket\none, other = socket.socketpair()\none.send(b'x')\n"
    "assert other.recv(1) == b'x'",
    "a process": "import multiprocessing\nfork = multiprocessing.get_context('fork')\n"
    "one, other = fork.Pipe()\nprocess = fork.Process(target=one.send, args=[3])\n"
    "process.start()\nassert other.recv() == 3\nprocess.join()",
    "much memory": "x = bytearray(500_000_000)\nassert len(x)",
    "much output": "for number in range(9000):\n    print('number', number)\nassert number",
}
"""What a card may do without asking."""


def test_what_is_ordinary_is_allowed(tmp_path: Path) -> None:
    """The default limits, and the box, stand in nobody's way."""
    cards = [card(f"c{number}", code) for number, code in enumerate(ORDINARY.values())]
    made = project(tmp_path, {"a.md": "".join(cards)})
    assert len(made.proven()) == len(ORDINARY)


@pytest.mark.torch
def test_tensors_have_the_memory_that_is_allowed(tmp_path: Path) -> None:
    """A tensor that is too large is the memory limit's, one that is not is none's."""
    pytest.importorskip("torch")
    large = "import torch\nx = 1\nx = torch.empty(40_000_000_000)\nassert x.numel()"
    fits = "import numpy, torch\nassert torch.ones(10**7).sum() == numpy.ones(10**7).sum()"
    found = project(tmp_path, {"a.md": card("one", large) + card("two", fits)}).verified()
    first, second = found
    assert isinstance(first, Problem)
    assert (first.code, first.place.line) == (Code.MEMORY_LIMIT, FIRST + 2)
    assert "memory in [tool.verideck]" in first.hint
    assert not isinstance(second, Problem)


@pytest.mark.torch
def test_a_compiler_of_torch_stays_within_the_disk_that_is_allowed(tmp_path: Path) -> None:
    """`torch.compile` makes C++; it compiles no headers beforehand, which take 156 MB."""
    pytest.importorskip("torch")
    if not shutil.which("g++"):
        pytest.skip("there is no compiler")
    code = (
        "import torch\nf = torch.compile(torch.sin)\nx = torch.ones(3)\nassert f(x).equal(x.sin())"
    )
    text = card("one", code).replace("```python", "```python {timeout=300}")
    assert project(tmp_path, {"a.md": text}).problems() == []
