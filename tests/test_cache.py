"""Proofs that are kept between runs: what is not executed again, and all that makes it be."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import msgspec
import pytest
from projects import SETTINGS, Project, card, execution_config, project, soon, verify

import verideck
from verideck.markdown import languages
from verideck.model import Proof, ProvenCard
from verideck.problems import Problem
from verideck.proof.python.parent import forks, proof_cache, spawned
from verideck.proof.python.parent.prover import Python
from verideck.proof.python.wire import versions
from verideck.proof.scheduling import executed as executed_by_language
from verideck.render.highlight import Highlighter
from verideck.storage import store as store_room
from verideck.storage.store import FILE, FOLDER, Store, opened

UNBOXED = SETTINGS + "sandbox = false\n"
HERE = "from pathlib import Path\nroot = Path(__file__).parents[1]\n"

FIRST = "# One\n\n```python {.setup}\nready = 1\n```\n\n" + "".join(
    [
        card("plain", "x = 1\nassert x == ready"),
        card("checked", "x = 2", "\n```python {.check}\nassert x == 2 * ready\n```\n"),
        card("raises", "int('one')").replace(
            "```python", '```python {raises="ValueError" match="invalid"}'
        ),
    ]
)
SECOND = "".join(
    [
        card("included", "", "\n```python {.check}\nassert half(4) == 2\n```\n").replace(
            "```python\n\n", '```python {include="snippets/half.py"}\n'
        ),
        card("imports", "from snippets.outer import number\nassert number in {3, 4}"),
        card("reads", f"{HERE}assert (root / 'data.txt').read_text() in {{'one', 'two'}}"),
        card("lists", f"{HERE}assert len(list((root / 'figures').iterdir())) in {{1, 2}}"),
        card(
            "tries",
            f"{HERE}import contextlib\ntext = ''\nwith contextlib.suppress(FileNotFoundError):\n"
            "    text = (root / 'missing.txt').read_text()\nassert text in {'', 'here'}",
        ),
        card("library", "import colorsys\nassert colorsys.rgb_to_yiq(0, 0, 0) == (0, 0, 0)"),
        card("distribution", "import markdown_it\nassert markdown_it.MarkdownIt()"),
        card("says-where", "print(__file__)\nassert __file__"),
    ]
)
FILES: dict[str, str | bytes] = {
    "snippets/half.py": "def half(x):\n    return x / 2\n",
    "snippets/outer.py": "from snippets.inner import number\nassert number\n",
    "snippets/inner.py": "number = 3\n",
    "data.txt": "one",
    "figures/one.txt": "1",
    "unused.txt": "",
    "a.md": FIRST,
    "b.md": SECOND,
}
ALL_OF_FIRST = {"plain", "checked", "raises"}
ALL = {*ALL_OF_FIRST, *re.findall(r"\{#(.+?)\}", SECOND)}


@pytest.fixture(scope="module")
def proved(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose cards were all proved once; what changes it, changes a copy."""
    made = project(tmp_path_factory.mktemp("proved"), FILES)
    assert executed(made) == ALL
    return made


@pytest.fixture
def copy(proved: Project, tmp_path: Path) -> Project:
    """A copy of the project, with the proofs: they hold wherever it lies."""
    shutil.copytree(proved.root, tmp_path / "deck")
    return Project(tmp_path / "deck")


def executed(made: Project) -> set[str]:
    """The cards that a run executes; all of them hold."""
    return {
        each.card.id for each in made.proven() if not all(proof.reused for proof in each.proofs)
    }


def never(*_: object) -> NoReturn:
    """Stand for what must not be asked for."""
    raise AssertionError("something is executed")


def idle(patch: pytest.MonkeyPatch) -> None:
    """Let any process for a card be an error."""
    for name in ("run", "_started"):
        patch.setattr(forks.Forks, name, never)
    patch.setattr(spawned, "run", never)


def damage(made: Project, contents: dict[str, bytes]) -> None:
    """Put other contents under the keys of kept proofs, and leave the hashes as they were."""
    with closing(sqlite3.connect(made.root / FOLDER / FILE)) as connection, connection:
        for named, content in contents.items():
            statement = "update rows set content = ? where key = ?"
            assert connection.execute(statement, (content, named)).rowcount == 1


def test_nothing_is_executed_where_nothing_changed(
    copy: Project, proved: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No process starts, and the proofs are those of the first run; the summary counts them."""
    before = [each.proofs for each in proved.proven()]
    idle(monkeypatch)
    again = [each.proofs for each in copy.proven()]
    assert again == before
    assert all(proof.reused and proof.seconds for proofs in again for proof in proofs[:1])
    assert copy.check().stats.reused == len(ALL)
    assert copy.check().stats.assertions == sum(p.assertions for one in again for p in one)


def test_a_deck_is_the_same_from_kept_proofs(tmp_path: Path) -> None:
    """What is packaged does not tell whether a card was executed now or before."""
    made = project(tmp_path, {"a.md": FIRST})
    first = made.build().read_bytes()
    second = made.build("again.apkg").read_bytes()
    shutil.rmtree(made.root / FOLDER)
    assert first == second == made.build("anew.apkg").read_bytes()


Change = Callable[[Project], object]


def edited(path: str, before: str, after: str) -> Change:
    """Change some text of a file."""

    def change(made: Project) -> None:
        file = made.root / path
        text = file.read_text(encoding="utf-8")
        assert before in text
        file.write_text(text.replace(before, after, 1), encoding="utf-8")

    return change


def written(path: str, content: str) -> Change:
    """Write another file."""
    return lambda made: made.write(path, content)


COLOURS = "def rgb_to_yiq(*rgb):\n    return rgb\n"

CHANGES: dict[str, tuple[Change, set[str]]] = {
    "code": (edited("cards/a.md", "x = 1\n", "x = 2 - 1\n"), {"plain"}),
    "a comment in code": (edited("cards/a.md", "x = 1\n", "x = 1  # one\n"), {"plain"}),
    "the set-up": (edited("cards/a.md", "ready = 1", "ready = 2 - 1"), ALL_OF_FIRST),
    "a check": (edited("cards/a.md", "2 * ready", "ready * 2"), {"checked"}),
    "the message of an exception": (edited("cards/a.md", '"invalid"', '"literal"'), {"raises"}),
    "the type of an exception": (edited("cards/a.md", "ValueError", "Exception"), {"raises"}),
    "an included file": (edited("snippets/half.py", "x / 2", "x * 0.5"), {"included"}),
    "what an imported module imports": (edited("snippets/inner.py", "3", "4"), {"imports"}),
    "a file that was read": (written("data.txt", "two"), {"reads"}),
    "a folder that was listed": (written("figures/two.txt", "2"), {"lists"}),
    "a file that was missing": (written("missing.txt", "here"), {"tries"}),
    "a module before a library": (written("colorsys.py", COLOURS), {"library"}),
    "a package before a library": (written("colorsys/__init__.py", COLOURS), {"library"}),
    "a folder of a library's name": (written("colorsys/red.txt", ""), {"library"}),
    "a package before a module": (
        written("snippets/__init__.py", ""),
        {"imports", "included"},
    ),
    "the limit of a fence": (
        edited("cards/a.md", "```python\nx = 2", "```python {timeout=9}\nx = 2"),
        {"checked"},
    ),
    "a limit of the project": (written("pyproject.toml", SETTINGS + "memory = 2000\n"), ALL),
    "the box": (written("pyproject.toml", SETTINGS + "sandbox = false\n"), ALL),
    "prose above": (edited("cards/b.md", "This.", "This.\n\nAnd that.\n"), {"says-where"}),
    "a question": (edited("cards/a.md", "What is plain?", "What is it?"), set()),
    "a file that nobody read": (written("unused.txt", "used"), set()),
    "a module that nobody imports": (written("snippets/more.py", "x = 1\n"), set()),
    "a time of change": (lambda made: (made.root / "data.txt").touch(), set()),
    "a namespace": (edited("pyproject.toml", '"tests"', '"others"'), set()),
    "a cluster that is not there": (
        written("pyproject.toml", SETTINGS + 'executor = "dask://127.0.0.1:1"\n'),
        set(),
    ),
    "an executor": (written("pyproject.toml", SETTINGS + 'executor = "spawn"\n'), set()),
}
"""What can be changed, and the cards that are executed because of it."""


@pytest.mark.parametrize("name", CHANGES)
def test_what_changed_is_executed_again(copy: Project, name: str) -> None:
    """Exactly the cards are executed that a change can make another result of; then no more."""
    change, concerned = CHANGES[name]
    change(copy)
    assert executed(copy) == concerned
    assert executed(copy) == set()


def test_another_version_of_a_library_is_noticed(
    copy: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card is executed again with another version of what it imports, not of what it does not."""
    version = versions.version
    with monkeypatch.context() as patch:
        patch.setattr(versions, "version", lambda name: version(name) if name != "anki" else "0")
        assert executed(copy) == set()
        patch.setattr(
            versions, "version", lambda name: version(name) if name != "markdown-it-py" else "0"
        )
        assert "distribution" in executed(copy)


def rows(made: Project, kind: str = "proofs") -> dict[str, bytes]:
    """The rows of one kind that a project keeps, by their keys."""
    file = made.root / FOLDER / "store.sqlite"
    if not file.exists():
        return {}
    with closing(sqlite3.connect(file)) as connection:
        found = connection.execute("select key, content from rows where kind = ?", (kind,))
        return dict(found.fetchall())


@pytest.mark.parametrize("executor", ["fork", "spawn"])
def test_what_only_verideck_imports_no_card_depends_on(tmp_path: Path, executor: str) -> None:
    """A card depends on the library of our messages if its code does, and not else."""
    settings = f'{SETTINGS}executor = "{executor}"\n'
    codes = {
        "msgspec": "import msgspec\nassert msgspec.json.decode(b'1') == 1",
        "": "assert int('1')",
    }
    for name, code in codes.items():
        made = project(tmp_path / (name or "none"), {"a.md": card("one", code)}, settings)
        (proven,) = made.proven()
        (content,) = rows(made).values()
        entry = json.loads(content)
        assert ("msgspec" in dict(entry["last"]["depends_on"]["loaded"])) is bool(name)
        assert ("msgspec" in dict(proven.proofs[0].environment)) is bool(name)


def test_another_verideck_executes_everything(
    copy: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proofs are those of the code that executed them: another one judges for itself."""
    monkeypatch.setattr(proof_cache, "_code_hash", lambda _: "another")
    assert executed(copy) == ALL
    assert executed(copy) == set()


@pytest.mark.parametrize(
    ("room", "again"),
    [
        ("python/audit", False),
        ("python/parent", False),
        ("python/child", True),
        ("python/wire", True),
        ("sandbox", True),
    ],
)
def test_only_code_that_a_card_executes_forgets_its_proof(
    tmp_path: Path, room: str, *, again: bool
) -> None:
    """A comment in a module of the audit changes no report; one in a module of the child might."""
    made = project(tmp_path / "deck", {"a.md": card("one", "assert int('1')")})
    package = tmp_path / "copied" / "verideck"
    shutil.copytree(Path(verideck.__file__).parent, package)
    words = [sys.executable, "-m", "verideck", "check"]

    def unchanged() -> bool:
        run = subprocess.run(
            words,
            cwd=made.root,
            env=made.environment(PYTHONPATH=str(package.parent)),
            check=True,
            capture_output=True,
            encoding="utf-8",
        )
        return "unchanged: 1 card" in run.stdout

    assert not unchanged()
    assert unchanged()
    for file in (package / "proof" / room).glob("*.py"):
        with file.open("a", encoding="utf-8") as module:
            module.write("# A comment.\n")
    assert unchanged() is not again


def test_another_python_executes_everything(copy: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proof of one Python is none of another one."""
    monkeypatch.setattr(sys, "version", "3.0")
    assert executed(copy) == ALL


def test_an_announced_error_that_tells_its_line_moves_with_it(tmp_path: Path) -> None:
    """A card shows the exception that it announces; a line that is told there stays true."""
    text = card("one", "x = = 1").replace(
        "```python", '```python {raises="SyntaxError" match="invalid"}'
    )
    made = project(tmp_path, {"a.md": text})
    (first,) = made.proven()
    made.write("cards/a.md", "\n\n\n" + text)
    (moved,) = made.proven()
    assert first.proofs[0].raised.endswith("line 6)")
    assert moved.proofs[0].raised.endswith("line 9)")


BY_OTHERS = {
    "a program": """\
import subprocess
text = subprocess.run(["cat", root / "d.txt"], capture_output=True, text=True).stdout
""",
    "a shell": "import os\ntext = os.popen(f'cat {root}/d.txt').read()",
    "a fork": """\
import os
reading, writing = os.pipe()
if os.fork() == 0:
    os.write(writing, (root / "d.txt").read_bytes())
    os._exit(0)
os.close(writing)
text = os.read(reading, 9).decode()
""",
    "multiprocessing": """\
import os, sys
from multiprocessing.util import spawnv_passfds
reading, writing = os.pipe()
program = b"import sys; open(%d, 'w').write(open(sys.argv[1]).read())" % writing
command = [sys.executable.encode(), b"-c", program, str(root / "d.txt").encode()]
os.waitpid(spawnv_passfds(command[0], command, [writing]), 0)
text = os.read(reading, 9).decode()
""",
}
BY_ANOTHER_NAME = {
    "a link": "os.symlink(root / 'd.txt', 'here')\ntext = open('here').read()",
    "a folder of the system's": "text = open(f'/proc/self/root{root}/d.txt').read()",
    "an open folder": """\
folder = os.open(root, os.O_RDONLY)
text = os.read(os.open("d.txt", os.O_RDONLY, dir_fd=folder), 9).decode()
""",
    "the folder above": """\
folder = os.open(root.parent, os.O_PATH)
text = os.read(os.open(f"{root.name}/d.txt", os.O_RDONLY, dir_fd=folder), 9).decode()
""",
}


@pytest.mark.parametrize("name", BY_OTHERS)
def test_what_another_process_read_is_not_forgotten(tmp_path: Path, name: str) -> None:
    """Nobody sees what the programs of a card read: such a card is executed on every run."""
    text = card("one", f"{HERE}{BY_OTHERS[name]}\nassert text == 'one'")
    made = project(tmp_path, {"d.txt": "one", "a.md": text})
    assert executed(made) == {"one"}
    made.write("d.txt", "two")
    assert [str(each.code) for each in made.verified() if isinstance(each, Problem)] == [
        "assertion-failed"
    ]


@pytest.mark.linux(reason="names of Linux")
@pytest.mark.parametrize("name", BY_ANOTHER_NAME)
def test_what_was_read_by_another_name_is_noticed(tmp_path: Path, name: str) -> None:
    """A file of the project is one, whatever way leads to it."""
    text = card("one", f"import os\n{HERE}{BY_ANOTHER_NAME[name]}\nassert text == 'one'")
    made = project(tmp_path / "deck", {"d.txt": "one", "a.md": text})
    assert executed(made) == {"one"}
    made.write("d.txt", "two")
    assert [str(each.code) for each in made.verified() if isinstance(each, Problem)] == [
        "assertion-failed"
    ]


FOLDER_OF_MODULES = f"""\
{HERE}
from snippets.one import n
assert n == len(list((root / 'snippets').glob('*.py')))
"""
IN_VAIN = """\
try:
    {}
except ImportError:
    later = None
assert later is None
"""
BY_NAME = """\
import importlib
assert importlib.import_module('color' + 'sys').rgb_to_yiq(0, 0, 0)
"""
LOOKED_FOR = "from importlib.util import find_spec\nassert find_spec('lat' + 'er') is None"
DATABASE = f"""\
{HERE}
import sqlite3
opened = sqlite3.connect(root / 'd.db')
assert opened.execute('pragma user_version').fetchall() == [(0,)]
"""
ANOTHER_INTERPRETER = f"""\
{HERE}
import _xxsubinterpreters as inner
inner.run_string(inner.create(), f'open({{str(root / "d.txt")!r}}).read()')
number = inner.get_main()
assert str(number) == "0"
"""

ADDED: dict[str, tuple[str, str, tuple[str, str]]] = {
    "a file in the project's own folder": (
        f"{HERE}assert len(list(root.glob('*.txt'))) in {{1, 2}}",
        "d.txt",
        ("e.txt", ""),
    ),
    "a file in a folder of modules": (
        FOLDER_OF_MODULES,
        "snippets/one.py",
        ("snippets/two.py", ""),
    ),
    "a file in the current folder": (
        f"{HERE}import os\nos.chdir(root)\nassert len(os.listdir()) > 1",
        "d.txt",
        ("e.txt", ""),
    ),
    "a package before a module of a package": (
        "from snippets.one import n\nassert n == 1",
        "snippets/one.py",
        ("snippets/one/__init__.py", "n = 2\n"),
    ),
    "a module": (IN_VAIN.format("import later"), "d.txt", ("later.py", "")),
    "a module of a package": (
        IN_VAIN.format("from snippets import later"),
        "snippets/one.py",
        ("snippets/later.py", ""),
    ),
    "a module that is imported by its name": (BY_NAME, "d.txt", ("colorsys.py", "")),
    "a module that is only looked for": (LOOKED_FOR, "d.txt", ("later.py", "")),
    "a database": (DATABASE, "d.db", ("d.db", "no database")),
    "a database with options": (
        DATABASE.replace("root / 'd.db'", "f'file:{root}/d.db?mode=ro', uri=True"),
        "d.db",
        ("d.db", "no database"),
    ),
    "a file for another interpreter": (ANOTHER_INTERPRETER, "d.txt", ("d.txt", "two")),
}
"""What a card does, a file that it finds, and one that makes another result possible."""


@pytest.mark.parametrize("name", ADDED)
def test_what_was_added_is_noticed(tmp_path: Path, name: str) -> None:
    """Whatever a card listed, imported or looked for in vain is looked at again."""
    code, there, (path, content) = ADDED[name]
    if "_xxsubinterpreters" in code:
        pytest.importorskip("_xxsubinterpreters")
    files = {there: "n = 1\n" if there.endswith(".py") else ""}
    made = project(tmp_path, {**files, "a.md": card("one", code)}, UNBOXED, trusted=True)
    made.proven()
    made.write(path, content)
    for each in made.verified():
        assert isinstance(each, Problem) or not each.proofs[0].reused


def test_what_is_listed_only_to_find_modules_may_change(tmp_path: Path) -> None:
    """An import lists whole folders; a card that imports does not depend on all that is in them."""
    code = "import importlib.metadata\nfrom snippets.one import n\n"
    code += "assert n == 1 and not importlib.metadata.entry_points(group='verideck')"
    made = project(tmp_path, {"snippets/one.py": "n = 1\n", "a.md": card("one", code)})
    assert executed(made) == {"one"}
    made.write("snippets/two.py", "")
    made.write("e.txt", "")
    assert executed(made) == set()


CHANGING = {
    "a file": f"{HERE}text = (root / 'd.txt').read_text()\n{{wait}}assert text == 'one'",
    "a module": "import d\nname = d.__name__\n{wait}assert name == 'd'",
    "a folder": f"{HERE}names = list((root / 'd').iterdir())\n{{wait}}assert len(names) == 1",
    "a name that is looked for": "from importlib.util import find_spec\n"
    "found = find_spec('later')\n{wait}assert found is None",
}


@pytest.mark.parametrize("name", CHANGING)
def test_what_changes_while_a_card_runs_is_not_taken_for_what_it_met(
    tmp_path: Path, name: str
) -> None:
    """A file that is not what it was when the card met it proves nothing of what it is now."""
    meet, signal = tmp_path / "meet", tmp_path / "signal"
    wait = (
        f"import time\nPath = __import__('pathlib').Path\nPath({str(meet)!r}).touch()\n"
        "while True:\n    time.sleep(0.01)\n"
        f"    if Path({str(signal)!r}).exists():\n        break\n"
    )
    files: dict[str, str | bytes] = {"d.txt": "one", "d.py": "", "d/one.txt": ""}
    text = card("one", CHANGING[name].format(wait=wait))
    made = project(tmp_path / "deck", {**files, "a.md": text}, UNBOXED, trusted=True)

    def change() -> None:
        if soon(meet.exists):
            for path in ("d.txt", "d.py", "d/two.txt", "later.py"):
                made.write(path, "two = 2")
        signal.touch()

    changing = threading.Thread(target=change)
    changing.start()
    try:
        assert executed(made) == {"one"}
    finally:
        changing.join()
    assert not any(
        isinstance(each, ProvenCard) and each.proofs[0].reused for each in made.verified()
    )


def test_another_home_is_another_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What of the caller's environment a card sees is part of what its proof depends on."""
    made = project(tmp_path, {"a.md": card("one", "import os\nassert os.environ['HOME']")})
    assert executed(made) == {"one"}
    monkeypatch.setenv("HOME", "/")
    assert executed(made) == {"one"}
    monkeypatch.setenv("EDITOR", "ed")
    assert executed(made) == set()


def test_a_failure_is_never_kept(tmp_path: Path) -> None:
    """What failed is executed again, though nothing that verideck sees has changed."""
    failing = ["1 / 0", "assert int('1') == 2", "x = 1", "import os\nos._exit(0)", "while 1: pass"]
    cards = [card(f"c{number}", code) for number, code in enumerate(failing)]
    made = project(tmp_path, {"a.md": "".join(cards)}, SETTINGS + "timeout = 0.5\n")
    first = made.problems()
    assert len(first) == len(failing)
    assert rows(made) == {}
    assert made.problems() == first


def test_an_output_that_is_corrected_needs_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a card should print is compared with what it printed, whenever that was."""
    text = card("one", "print(2.0)", "\n```output\n2.0\n```\n")
    made = project(tmp_path, {"a.md": text})
    assert executed(made) == {"one"}
    made.write("cards/a.md", text.replace("\n2.0\n", "\n3\n"))
    assert made.problems() == ["cards/a.md:10:1 output-differs"]
    made.write("cards/a.md", text.replace("\n2.0\n", "\n2.\n"))
    idle(monkeypatch)
    assert made.problems() == []


@pytest.mark.torch
def test_a_warning_is_told_on_every_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That a card holds with a doubt is not forgotten because it held before, nor is its proof."""
    pytest.importorskip("torch")
    code = "import numpy as np\nassert np.allclose(np.ones((2, 2)), np.ones(2))"
    made = project(tmp_path, {"a.md": card("one", code)})
    assert made.problems() == ["cards/a.md:7:1 shapes-differ"]
    with monkeypatch.context() as patch:
        idle(patch)
        assert made.problems() == ["cards/a.md:7:1 shapes-differ"]
        checked = made.check()
    assert checked.stats.reused == 1
    assert "numpy.testing.assert_allclose" in checked.problems[0].hint
    made.write("cards/a.md", "\n" + card("one", code))
    assert made.problems() == ["cards/a.md:8:1 shapes-differ"]


def _flipped(content: bytes) -> Iterator[bytes]:
    for place in range(0, len(content), 41):
        yield content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def test_a_damaged_row_is_none(tmp_path: Path) -> None:
    """Whichever bit of a row has flipped, and wherever it was cut off, nothing is found."""
    whole = b'{"reports": [{"held": 1}]}'
    damaged: list[object] = [*_flipped(whole), *(whole[:size] for size in range(len(whole)))]
    damaged += [b"\n", b"{}", whole + b" ", whole * 2, None, 3, "text"]
    with opened(tmp_path) as store:
        store.keep("proofs", {"a": whole})
        assert store.find("proofs", "a") == whole
    with closing(sqlite3.connect(tmp_path / FILE)) as connection, opened(tmp_path) as store:
        for content in damaged:
            connection.execute("update rows set content = ?", (content,))
            connection.commit()
            assert store.find("proofs", "a") is None, content


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"x" * 5000])
def test_a_damaged_file_is_made_anew(tmp_path: Path, content: bytes) -> None:
    """What is no database holds nothing, and what is kept next takes its place."""
    (tmp_path / FILE).write_bytes(content)
    with opened(tmp_path) as store:
        assert store.find("proofs", "a") is None
        store.keep("proofs", {"a": b"1"})
        assert store.find("proofs", "a") == b"1"


def _journal(names: str) -> bytes:
    """A rollback journal, as of a transaction of several databases that was broken off."""
    magic, name = bytes.fromhex("d9d505f920a163d7"), names.encode()
    head = magic + struct.pack(">5I", 0, 1, 3, 512, 4096)
    tail = struct.pack(">I", 2**30 // 4096 + 1) + name + struct.pack(">2I", len(name), sum(name))
    return head.ljust(512, b"\0") + tail + magic


def test_a_journal_removes_no_file_that_it_names(tmp_path: Path) -> None:
    """SQLite would, and a repository may bring a journal."""
    other, folder = tmp_path / "other", tmp_path / "folder"
    for naming in (other, folder / "none"):
        other.write_text("the user's")
        with opened(folder) as store:
            store.keep("proofs", {"a": b"1"})
        with closing(sqlite3.connect(folder / FILE)) as connection:
            connection.execute("pragma journal_mode = delete")
        (folder / f"{FILE}-journal").write_bytes(_journal(str(naming)))
        with opened(folder) as store:
            assert store.find("proofs", "a") is None
            store.keep("proofs", {"a": b"2"})
            assert store.find("proofs", "a") == b"2"
        assert other.exists()


ENDLESS = """
    create view rows as with recursive more(n) as (select 1 union all select n + 1 from more)
    select cast(n as text) as kind, cast(n as text) as key, x'' as content, x'' as hash, 0 as used
    from more
"""


@pytest.mark.parametrize(
    "made",
    [
        ENDLESS,
        "create table rows (kind text, key text, content blob, hash blob, used integer)",
        "create trigger late after insert on rows begin delete from rows; end",
    ],
    ids=["view", "table", "trigger"],
)
def test_a_database_with_anything_else_is_made_anew(tmp_path: Path, made: str) -> None:
    """What a query meets there is not ours: a view of the name of our table need never end."""
    if "trigger" in made:
        with opened(tmp_path) as store:
            store.keep("proofs", {"a": b"1"})
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute(made)
        connection.commit()
    with opened(tmp_path) as store:
        assert store.find("proofs", "a") is None
        store.keep("proofs", {"a": b"2"})
        assert store.find("proofs", "a") == b"2"


def test_rows_that_no_run_uses_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that was used in the last thirty days stays, another one does not."""
    day = 24 * 3600.0
    for now, used in ((0.0, "ab"), (20 * day, "a"), (45 * day, "a")):
        monkeypatch.setattr(time, "time", lambda now=now: now)
        with opened(tmp_path) as store:
            if not now:
                store.keep("proofs", dict.fromkeys(used, b"1"))
            for name in used:
                assert store.find("proofs", name) == b"1"
    with opened(tmp_path) as store:
        assert store.find("proofs", "b") is None


def test_a_file_does_not_grow_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is too large is begun anew, and in one run no more than twice as much is kept."""
    monkeypatch.setattr(store_room, "_LARGEST", 1_000_000)
    for _ in range(3):
        with opened(tmp_path) as store:
            assert store.find("proofs", "0") is None
            for number in range(10):
                store.keep("proofs", {str(number): bytes(500_000)})
            assert store.find("proofs", "0") is not None
            assert store.find("proofs", "9") is None
        assert 1_000_000 < (tmp_path / FILE).stat().st_size < 2_100_000


def test_damaged_proofs_are_replaced(copy: Project) -> None:
    """A run that meets damaged rows executes, and the next one finds what it kept."""
    damaged = {}
    for number, (named, content) in enumerate(rows(copy).items()):
        ways = (content[:-9], b"", content.replace(b"held", b"hold"), b"[" * 5000)
        damaged[named] = ways[number % len(ways)]
    damage(copy, damaged)
    assert executed(copy) == ALL
    assert executed(copy) == set()


def test_a_row_proves_one_card(copy: Project) -> None:
    """A proof that lies under another card's key proves nothing of that card."""
    kept = rows(copy)
    contents = list(kept.values())
    damage(copy, dict(zip(kept, [*contents[1:], contents[0]], strict=True)))
    assert executed(copy) == ALL


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"reports": [], "last": None, "lines": None},
        {"reports": [{}], "last": {"box": "x", "files": [], "loaded": []}, "lines": None},
        {"reports": 1, "last": {"box": "x", "files": {}, "loaded": 1}, "lines": None},
    ],
)
def test_an_entry_of_another_form_is_none(
    tmp_path: Path, entry: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was kept in a form that this version does not know is executed again."""
    made = project(tmp_path, {"a.md": card("one", "assert int('1')")})
    with monkeypatch.context() as patch:
        patch.setattr(proof_cache, "encoded", lambda _: json.dumps(entry).encode())
        assert executed(made) == {"one"}
    assert executed(made) == {"one"}
    assert executed(made) == set()


def _bent(value: object) -> Iterator[object]:
    """A value of JSON in other forms, each with one part of it bent."""
    yield from (None, 3, "text", [0], {"a": 0})
    if isinstance(value, dict):
        for name, each in value.items():
            yield {other: inner for other, inner in value.items() if other != name}
            yield from ({**value, name: bent} for bent in _bent(each))
    if isinstance(value, list) and value:
        yield from ([bent, *value[1:]] for bent in _bent(value[0]))
        yield [*value, value[0]]


def test_an_entry_of_any_other_form_harms_nobody(tmp_path: Path) -> None:
    """Whoever wrote it, and with a hash that is right: it holds nothing, or what it held."""
    code = "import mdurl\nfrom snippets.one import n\nprint(n)\nassert n == 1"
    text = card("one", code, "\n```output\n1\n```\n")
    made = project(tmp_path, {"snippets/one.py": "n = 1\n", "a.md": text})
    made.proven()
    ((name, content),) = rows(made).items()
    whole = json.loads(content)
    config = execution_config(made.settings())
    python = Python(config, threading.Event())
    (snippets,) = executed_by_language(made.cards()[0]).values()
    first = python.cached(snippets)
    assert first
    bent = [each for each in _bent(whole) if isinstance(each, dict)]
    assert len(bent) > 100
    for entry in bent:
        config.store.keep("proofs", {name: json.dumps(entry).encode()})
        found = python.cached(snippets)
        assert not found or [type(each) for each in found] == [type(each) for each in first]
        for proof in found or ():
            assert isinstance(proof, Proof)
            assert isinstance(proof.assertions, int)
            assert isinstance(proof.stdout, str)
            assert all(isinstance(each, str) for pair in proof.environment for each in pair)


def test_two_builds_at_once_are_both_right(tmp_path: Path) -> None:
    """They keep the same proofs in the same folder and write the same package."""
    made = project(tmp_path, {"a.md": FIRST})
    running = [made.start("build", "-o", f"{number}.apkg") for number in range(2)]
    for each in running:
        _, said = each.communicate(timeout=60)
        assert each.returncode == 0, said
    first, second = (tmp_path / f"{number}.apkg" for number in range(2))
    assert first.read_bytes() == second.read_bytes()
    assert len(rows(made)) == len(ALL_OF_FIRST)
    assert executed(made) == set()


@pytest.mark.parametrize("path", [FOLDER, f"{FOLDER}/{FILE}/inside"])
def test_a_folder_that_cannot_be_written_harms_nobody(tmp_path: Path, path: str) -> None:
    """Where nothing can be kept, every run executes everything, and says nothing of it."""
    made = project(tmp_path, {"a.md": FIRST, path: "a file stands here"})
    assert executed(made) == executed(made) == ALL_OF_FIRST
    (made.root / path).chmod(0)
    assert executed(made) == ALL_OF_FIRST


def test_clean_forgets_everything(copy: Project) -> None:
    """`verideck clean` deletes what is kept, also from a folder of the project."""
    assert copy.run("clean", folder="cards").stdout == "what .verideck kept is forgotten\n"
    assert rows(copy) == {}
    assert copy.run("clean").stdout == "nothing is kept here\n"
    assert executed(copy) == ALL


CODE = "def one():  # 一\n    return 1"


def test_highlighted_code_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next run takes no code to pieces that it finds taken to pieces."""
    highlighter = Highlighter(Store(tmp_path))
    first = highlighter.pieces(CODE, "python")
    highlighter.keep()
    assert ("k", "def") in first
    monkeypatch.setattr(languages, "pieces", None)
    second = Highlighter(Store(tmp_path))
    assert second.pieces(CODE, "python") == first
    with pytest.raises(TypeError):
        second.pieces(CODE + "0", "python")
    with pytest.raises(TypeError):
        second.pieces(CODE, "ruby")


@pytest.mark.parametrize(
    "entry",
    [
        {},
        None,
        [["k"]],
        [["k", "other code"]],
        [['"><script>', CODE]],
        [[["k"], CODE]],
    ],
    ids=str,
)
def test_an_odd_entry_highlights_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: object
) -> None:
    """Whoever wrote it: what is no pieces of that code is as good as none."""
    right = Highlighter(None).pieces(CODE, "python")
    forged = msgspec.msgpack.encode(entry)
    monkeypatch.setattr(Store, "find", lambda *_: forged)
    assert Highlighter(Store(tmp_path)).pieces(CODE, "python") == right


def test_proofs_may_be_deleted_while_they_are_used(tmp_path: Path) -> None:
    """A run whose folder goes away again and again proves its cards all the same."""
    made = project(tmp_path, {"a.md": FIRST})
    done = threading.Event()

    def delete() -> None:
        while not done.wait(0.001):
            shutil.rmtree(made.root / FOLDER, ignore_errors=True)

    deleting = threading.Thread(target=delete)
    deleting.start()
    try:
        for _ in range(3):
            found = list(verify(made.cards(), execution_config(made.settings())))
            assert {each.card.id for each in found if isinstance(each, ProvenCard)} == ALL_OF_FIRST
    finally:
        done.set()
        deleting.join()


def test_nothing_is_kept_without_a_folder(tmp_path: Path) -> None:
    """Whoever wants every card executed opens a bench without a cache."""
    made = project(tmp_path, {"a.md": FIRST})
    where = execution_config(made.settings(), kept=False)
    for _ in range(2):
        found = list(verify(made.cards(), where))
        assert not [each for each in found if isinstance(each, Problem)]
    assert not (made.root / FOLDER).exists()


def test_the_folder_stays_out_of_version_control(proved: Project) -> None:
    """Git ignores it by a file of its own, backups by another."""
    folder = proved.root / FOLDER
    assert (folder / ".gitignore").read_text(encoding="ascii") == "*\n"
    assert (folder / "CACHEDIR.TAG").read_text(encoding="ascii").startswith("Signature: 8a477f5")


def test_words_beside_the_code_do_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python reads a card's file to tell a line of it; the proof follows from the code alone."""
    code = "import traceback\nassert 'f' in str(traceback.extract_stack()[-1].line)"
    made = project(tmp_path, {"a.md": card("one", code)})
    made.proven()
    made.write("cards/a.md", card("one", code) + "\nAnother word.\n")
    idle(monkeypatch)
    assert all(proof.reused for each in made.proven() for proof in each.proofs)
