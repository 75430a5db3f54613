"""Files beside a note: what a card reads of them, and that it changes none."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from projects import SANDBOXED, SETTINGS, Project, card, project

from verideck.problems import Problem

WAYS = [
    pytest.param("", id="here"),
    pytest.param("sandbox = false\n", id="without a sandbox"),
    pytest.param('executor = "spawn"\n', id="spawned"),
]
FILES: dict[str, str | bytes] = {
    "cards/data.csv": "1,2\n",
    "cards/data/one.csv": "1\n",
    "cards/data/deep/two.csv": "2\n",
    "cards/other/three.csv": "3\n",
    "cards/helper.py": "def two():\n    return 2\n",
    "cards/token.md.txt": "no module",
    "src/mypkg/__init__.py": "def one():\n    return 1\n",
    "outside.txt": "of the project, but not beside the note",
}

READS = {
    "open": "assert open('data.csv').read() == '1,2\\n'",
    "path": "from pathlib import Path\nassert Path('data.csv').read_text() == '1,2\\n'",
    "exists": "import os\nassert os.path.exists('data/one.csv') and os.path.isdir('data')",
    "joined": """
from pathlib import Path
folder = Path("data")
found = [(folder / f"{name}.csv").read_text() for name in ("one", "deep/two")]
assert found == ["1\\n", "2\\n"]
""",
    "listed": "import os\nassert sorted(os.listdir('data')) == ['deep', 'one.csv']",
    "globbed": """
import glob
from pathlib import Path
found = [Path(each).read_text() for each in sorted(glob.glob("d*a/**/*.csv", recursive=True))]
assert found == [], "the folder is empty until something in it is named"
found = [Path(each).read_text() for each in sorted(glob.glob("data/**/*.csv", recursive=True))]
assert found == ["2\\n", "1\\n"]
""",
    "walked": """
import os
found = {name for _, _, files in os.walk("oth" + "er") for name in files}
assert found == {"three.csv"}
""",
    "changed folder": "import os\nos.chdir('data')\nassert open('one.csv').read() == '1\\n'",
    "program": """
import subprocess
assert subprocess.run(["cat", "data.csv"], capture_output=True).stdout == b"1,2\\n"
""",
    "empty": "import os\nassert os.listdir() == []",
    "module": "import helper\nassert helper.two() == 2",
    "src": "import mypkg\nassert mypkg.one() == 1",
    "no module": "import token\nassert token.NAME == 1",
}
"""By the name of a card, code that reads; all of it holds."""

WRITES = {
    "anew": "open('data.csv', 'w').write('x')\nassert open('data.csv').read() == 'x'",
    "appended": "open('data.csv', 'a').write('x')\nassert open('data.csv').read() == '1,2\\nx'",
    "exclusively": "open('data.csv', 'x').write('x')\nassert open('data.csv').read() == 'x'",
    "patched": """
with open("data.csv", "r+") as file:
    file.write("9")
assert open("data.csv").read() == "9,2\\n"
""",
    "read, then anew": """
text = open("data.csv").read()
open("data.csv", "w").write(text * 2)
assert open("data.csv").read() == "1,2\\n1,2\\n"
""",
    "truncated": "import os\nos.truncate('data.csv', 1)\nassert open('data.csv').read() == '1'",
    "removed": """
import os
os.remove("data.csv")
assert not os.path.exists("data.csv")
try:
    open("data.csv")
except FileNotFoundError:
    gone = True
assert gone
""",
    "renamed": """
import os
os.rename("data.csv", "new.csv")
open("new.csv", "a").write("x")
assert open("new.csv").read() == "1,2\\nx" and not os.path.exists("data.csv")
""",
    "a folder of its own": """
import os
os.makedirs("data")
open("data/one.csv", "w").write("mine")
assert os.listdir("data") == ["one.csv"] and open("data/one.csv").read() == "mine"
""",
    "removed folder": """
import os, shutil
assert open("data/one.csv").read() == "1\\n"
shutil.rmtree("data")
assert not os.path.exists("data")
""",
    "into the folder": """
open("data/new.csv", "w").write("x")
assert open("data/new.csv").read() == "x" and open("data/one.csv").read() == "1\\n"
""",
    "database": """
import sqlite3
with sqlite3.connect("data.db") as base:
    base.execute("insert into t values (2)")
    assert base.execute("select count(*) from t").fetchall() == [(2,)]
""",
    "database, only read": """
import sqlite3
base = sqlite3.connect("file:data.db?mode=ro", uri=True)
assert base.execute("select * from t").fetchall() == [(1,)]
""",
}
"""By the name of a card, code that writes where a file is beside the note; all of it holds."""


def made(folder: Path, codes: dict[str, str], way: str) -> Project:
    """A project with a card for each code."""
    text = "".join(
        card(name.replace(" ", "-").replace(",", ""), code) for name, code in codes.items()
    )
    found = project(folder, {**FILES, "a.md": text}, SETTINGS + way, trusted=True)
    with closing(sqlite3.connect(folder / "cards/data.db")) as base:
        base.execute("create table t (x)")
        base.execute("insert into t values (1)")
        base.commit()
    return found


def held(found: Project) -> None:
    """Require that every card holds."""
    assert [each for each in found.verified() if isinstance(each, Problem)] == []


@pytest.mark.linux(reason="the program cat")
@pytest.mark.parametrize("way", WAYS)
def test_a_card_reads_what_is_beside_its_note(tmp_path: Path, way: str) -> None:
    """By a relative path, however it is opened; modules too."""
    held(made(tmp_path, READS, way))


@pytest.mark.parametrize("way", WAYS)
def test_no_card_changes_what_is_beside_its_note(tmp_path: Path, way: str) -> None:
    """What it writes is its own."""
    deck = made(tmp_path, WRITES, way)
    before = {file: file.read_bytes() for file in (tmp_path / "cards").rglob("*.*")}
    held(deck)
    after = {file: file.read_bytes() for file in (tmp_path / "cards").rglob("*.*")}
    assert after == before


@pytest.mark.parametrize("way", WAYS)
def test_a_path_out_of_the_notes_folder_leads_nowhere(tmp_path: Path, way: str) -> None:
    """With `..`, or by a link that leads out of the project."""
    outside = tmp_path / "outside.txt"
    outside.write_text("no", encoding="utf-8")
    codes = {
        "above": "open('../outside.txt')",
        "link": "open('link.txt')",
        "store": "open('.verideck/store.sqlite')",
    }
    announced = '```python {raises="FileNotFoundError" match="."}'
    text = "".join(card(*each) for each in codes.items()).replace("```python", announced)
    deck = project(tmp_path / "deck", {**FILES, "a.md": text}, SETTINGS + way, trusted=True)
    (deck.root / "cards/link.txt").symlink_to(outside)
    held(deck)


@pytest.mark.parametrize("way", WAYS[:2])
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda root: (root / "cards/data.csv").write_text("3,4\n"), id="a file"),
        pytest.param(lambda root: (root / "cards/data/new.csv").write_text("9\n"), id="a folder"),
        pytest.param(lambda root: (root / "cards/missing.csv").write_text("9\n"), id="a new file"),
        pytest.param(lambda root: (root / "cards/helper.py").write_text("two = 3"), id="a module"),
        pytest.param(lambda root: (root / "cards/late.py").write_text("x = 1"), id="a new module"),
    ],
)
def test_a_proof_is_stale_once_what_it_read_has_changed(
    tmp_path: Path, way: str, change: Callable[[Path], object]
) -> None:
    """A file, a folder that was listed, a file that was not there, and modules."""
    code = """
import os
text = open("data.csv").read() + str(os.listdir("data"))
try:
    text += open("missing.csv").read()
except FileNotFoundError:
    pass
import helper
try:
    import late
except ImportError:
    pass
assert text
"""
    deck = project(tmp_path, {**FILES, "a.md": card("a", code)}, SETTINGS + way, trusted=True)
    held(deck)
    (again,) = deck.proven()
    assert all(proof.reused for proof in again.proofs)
    change(tmp_path)
    (anew,) = deck.proven()
    assert not any(proof.reused for proof in anew.proofs)


def test_a_library_and_a_module_beside_a_note_may_have_one_name(tmp_path: Path) -> None:
    """The note's own is imported, also where another card has the library imported before."""
    beside = "cards/one/markdown_it.py"
    files: dict[str, str | bytes] = {
        beside: "mine = 1\n",
        "one/a.md": card("a", "import markdown_it\nassert markdown_it.mine == 1"),
        "two/b.md": card("b", "import markdown_it\nassert markdown_it.MarkdownIt()"),
    }
    held(project(tmp_path, files))


@SANDBOXED
@pytest.mark.linux(reason="the kernel keeps it")
def test_what_python_does_not_open_is_refused_in_the_sandbox(tmp_path: Path) -> None:
    """A library's own code that writes through the link."""
    code = """
import ctypes
libc = ctypes.CDLL(None)
assert libc.open(b"data.csv", 0) > 0
assert libc.open("data.csv".encode(), 2) < 0
"""
    held(project(tmp_path, {**FILES, "a.md": card("a", code)}))
