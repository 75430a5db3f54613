"""A hostile repository: every command reads it, as its user and CI would, and nothing is lost.

Each repository below is of one kind. It lies in a home directory that holds what a user has. After
each command all of that is as it was, no secret was printed or packaged, and the command has ended
by itself, in its time, with an exit code of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import sqlite3
import stat
import subprocess
import textwrap
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from projects import COMMAND, MOMENT, SANDBOXED

from verideck.storage.store import FOLDER

pytestmark = [
    pytest.mark.linux(reason="links, FIFOs, devices and limits as Linux has them"),
    SANDBOXED,
]

SECRETS = {
    ".ssh/id_rsa": "-----BEGIN KEY-----\nSECRET-of-the-key\n",
    ".netrc": "machine example.org password SECRET-of-the-account\n",
    ".bashrc": "export PS1='SECRET-of-the-shell'\n",
    "Documents/letter.txt": "SECRET-of-the-letter\n",
    "Photos/summer/beach.png": "SECRET-of-the-beach\n",
    "other/cards.lock": '{"verideck": "SECRET-of-another-deck"}\n',
    "other/OUT.apkg": "SECRET-of-another-package\n",
}
"""What the user has: none of it may change, and none may be shown."""
TOKEN = "SECRET-of-the-environment"  # noqa: S105 - a decoy

HONEST = (
    "## Which colour is the sky?\n\nBlue.\n\n```python\nsky = 'blue'\nassert sky[0] == 'b'\n```\n"
)

COMMANDS = (
    ("check",),
    ("check", "--format", "github", "--strict"),
    ("check", "--format", "json"),
    ("check", "--update", "-q"),
    ("audit",),
    ("lint",),
    ("build",),
    ("build", "--locked", "--format", "github"),
    ("build", "-o", "dist/page.html"),
    ("build", "-o", "dist/deck.json"),
    ("diff",),
    ("id",),
    ("clean",),
    ("build", "--require-sandbox"),
    ("init", "--ci"),
)
"""What is run in each repository, in this order."""

MADE = ("dist", FOLDER, "cards.lock")
"""What commands may make in the project."""
BEGUN = (
    "pyproject.toml", ".gitignore", ".github", ".github/workflows",
    ".github/workflows/verideck.yml", "cards", "cards/first.md",
)  # fmt: skip
"""What `init` may make in it."""
SECONDS = 240
MEMORY = 4 << 30
"""Bytes that the command may take itself: enough for its imports, and for no bomb."""


@dataclass(frozen=True, slots=True)
class Place:
    """A home directory with a repository in it."""

    home: Path
    root: Path

    def write(self, path: str, content: str | bytes = "") -> Path:
        """Write a file of the repository."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def link(self, path: str, target: str | Path) -> None:
        """Make a link in the repository; a target is taken from the home directory."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.symlink_to(self.home / target)

    def settings(self, text: str = "") -> None:
        """Write the repository's settings."""
        text = textwrap.dedent(text)
        self.write("pyproject.toml", f'[tool.verideck]\nnamespace = "hostile"\n{text}')

    def run(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        """Run a command in the repository, bounded in time and memory."""
        return subprocess.run(
            [str(COMMAND), *words],
            cwd=self.root,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.home),
                "CI": "true",
                "GITHUB_ACTIONS": "true",
                "GITHUB_TOKEN": TOKEN,
                "SOURCE_DATE_EPOCH": str(MOMENT),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            preexec_fn=bounded,
        )


def bounded() -> None:
    """Let a command take no more memory than a test can spare."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))


def links(place: Place) -> None:
    """Links to what the user has, where verideck reads and writes."""
    place.settings()
    place.write("cards/a.md", HONEST)
    place.link("cards/key.md", ".ssh/id_rsa")
    place.link("cards/letters", "Documents")
    place.write(
        "cards/b.md", '## What is it?\n\n![it](beach.png)\n\n```text {include="l.txt"}\n```\n'
    )
    place.link("cards/beach.png", "Photos/summer/beach.png")
    place.link("l.txt", "Documents/letter.txt")
    for number in range(2, 400):
        place.link(f".cards.lock.{number}", ".bashrc")
        place.link(f"dist/.deck.apkg.{number}", ".bashrc")


def linked_folder(place: Place) -> None:
    """The folder that is kept between runs is the user's documents."""
    place.settings()
    place.write("cards/a.md", HONEST)
    place.link(FOLDER, "Documents")


def linked_files(place: Place) -> None:
    """What stands in the folder that is kept leads out of it."""
    place.settings()
    place.write("cards/a.md", HONEST)
    for name in ("store.sqlite", "store.sqlite-wal", "building", ".gitignore", "CACHEDIR.TAG"):
        place.link(f"{FOLDER}/{name}", "Documents/letter.txt")
    place.link(f"{FOLDER}/proofs", "Photos")
    place.link(f"{FOLDER}/new", "Documents/new")


def linked_lock(place: Place) -> None:
    """The lock is another deck's, and the package too."""
    place.settings()
    place.write("cards/a.md", HONEST)
    place.link("cards.lock", "other/cards.lock")
    place.link("dist", "other")


def dangling(place: Place) -> None:
    """Links to what is not there make nothing there."""
    place.settings('output = "dist/OUT.apkg"\n')
    place.write("cards/a.md", HONEST)
    place.link("cards.lock", "Documents/lock")
    place.link("dist/OUT.apkg", "Documents/package")
    place.link(f"{FOLDER}/.gitignore", "Documents/ignored")
    place.link(f"{FOLDER}/store.sqlite", "Documents/store")


def special_files(place: Place) -> None:
    """Files that have no end, or that nobody writes."""
    place.settings()
    place.write("cards/a.md", HONEST)
    for name in ("cards/pipe.md", "pipe.png", "pipe.txt"):
        os.mkfifo(place.root / name)
    for name in ("cards/zero.md", "zero.png", "zero.txt"):
        place.link(name, "/dev/zero")
    for name in ("cards/huge.md", "huge.png", "huge.txt"):
        os.truncate(place.write(name), 1 << 40)
    shown = [f"## What is {kind}?\n\n![it](../{kind}.png)\n" for kind in ("pipe", "zero", "huge")]
    included = [
        f'## What says {kind}?\n\n```text {{include="{kind}.txt"}}\n```\n'
        for kind in ("pipe", "zero", "huge")
    ]
    place.write("cards/b.md", "\n".join(shown + included))


def special_folder(place: Place) -> None:
    """A pipe in place of each file that is kept between runs."""
    place.settings()
    place.write("cards/a.md", HONEST)
    place.write(f"{FOLDER}/x")
    for name in ("store.sqlite", "building", "store.sqlite-wal"):
        os.mkfifo(place.root / FOLDER / name)
    os.mkfifo(place.root / "cards.lock")


def special_settings(place: Place) -> None:
    """The settings themselves have no end."""
    place.write("cards/a.md", HONEST)
    place.link("pyproject.toml", "/dev/zero")


READS_HOME = """\
## What has the user?

```python
from pathlib import Path

found = [each.read_text() for each in sorted(Path({home!r}).rglob("*")) if each.is_file()]
Path({home!r}, "Documents", "letter.txt").write_text("gone")
print(found)
assert found
```

```output
```
"""


def no_sandbox(place: Place) -> None:
    """The settings turn protections off, and the card makes use of it."""
    place.settings(
        """\
        sandbox = false
        shared_memory = true
        output = "../other/OUT.apkg"
        memory = 900000
        timeout = 900000
        """
    )
    place.write("cards/a.md", READS_HOME.format(home=str(place.home)))


def no_sandbox_by_cluster(place: Place) -> None:
    """The settings name who is to execute."""
    place.settings('executor = "dask://127.0.0.1:9"\n')
    place.write("cards/a.md", HONEST)


def output_elsewhere(place: Place) -> None:
    """The settings name a package of the user's."""
    place.settings('output = "../other/OUT.apkg"\n')
    place.write("cards/a.md", HONEST)


def cards_elsewhere(place: Place) -> None:
    """The settings name the user's documents as the cards."""
    place.settings('cards = "../Documents"\n')
    (place.home / "Documents/note.md").write_text("## Whose is it?\n\nSECRET-of-the-note\n")


def documents_elsewhere(place: Place) -> None:
    """The settings name the user's documents as this project's, by path and by link."""
    place.settings(
        'docs.paths = ["../Documents", "../Documents/note.md", "notes.md", "/dev/zero"]\n'
    )
    place.write("cards/a.md", HONEST)
    (place.home / "Documents/note.md").write_text("SECRET-of-the-note\n")
    place.link("notes.md", "Documents/note.md")


def media(place: Place) -> None:
    """Links, pictures and sounds that lead out of the project, or have no end, or odd names."""
    place.settings()
    place.write(".hidden/key.pdf", "SECRET-of-the-checkout\n")
    place.write(".obsidian/app.json", "{}")
    place.link("cards/key.pdf", ".ssh/id_rsa")
    place.link("cards/folder", "Documents")
    place.link("cards/hidden.pdf", "deck/.hidden/key.pdf")
    os.mkfifo(place.root / "cards/pipe.mp3")
    (place.root / "cards/picture.png").mkdir()
    place.write("cards/a\n[sound:evil.mp3].png", "x")
    named = [
        *("key.pdf", "folder/letter.txt", "hidden.pdf", "../.hidden/key.pdf", "pipe.mp3"),
        *("../../Documents/letter.txt", "%2e%2e/%2e%2e/.ssh/id_rsa", f"{place.home}/.netrc"),
        *(f"file://{place.home}/.netrc", "/dev/zero", "picture.png", "a%0a[sound:evil.mp3].png"),
    ]
    forms = ("[x]({0})", "![x]({0})", "![[{0}]]", '<img src="{0}">', "[sound:{0}]")
    place.write(
        "cards/a.md",
        "\n".join(
            f"## Is {number} shown?\n\n{form.format(name)}\n"
            for number, (form, name) in enumerate((f, n) for f in forms for n in named)
        ),
    )


def own_look(place: Place) -> None:
    """A style sheet and templates that lead out of the project, or have no end, or act."""
    place.settings('css = "look/deck.css"\ntemplates = "look"\n')
    place.write("cards/a.md", HONEST)
    place.link("look/deck.css", "Documents/letter.txt")
    place.link("look/basic.front.html", ".ssh/id_rsa")
    os.mkfifo(place.root / "look/basic.back.html")
    place.link("look/cloze.front.html", "/proc/self/environ")
    place.link("look/cloze.back.html", "/dev/zero")
    place.write("look/typed.front.html", "{{Question}}<img/src=x/onerror=alert(1)>")


def look_elsewhere(place: Place) -> None:
    """The settings name the user's own folder, whose names are nobody's to list."""
    place.settings('css = "../Documents/letter.txt"\ntemplates = "../Documents"\n')
    place.write("cards/a.md", HONEST)
    (place.home / "Documents/SECRET-of-the-name.html").write_text("x")


FORGES = """\
## What does it say?

```python
import gc, json, os

told = 1
assert told + 1 == 2
```

```python {{.check}}
where = [{paths}]
frames = [[path, line] for path in where for line in (1, 2, 3)]
places = [dict(code="assertion-failed", message="m", path=p, line=n, column=1, hint="h",
               warning=False) for p, n in frames]
forged = [
    dict(type="step", error=each, value="", raised="", figures=[], stdout="", held=10**30,
         findings=places, seconds=0)
    for each in places
]
kept = dict(files={{"/dev/zero": "", "pipe": "", "../Documents/letter.txt": ""}}, modules={{}},
            loaded=[], unseen=False)
last = dict(type="end", environment=[], sandbox="", depends_on=kept, read=[], computed=None,
            findings=places, bears=[True])
lines = [*map(json.dumps, [*forged, last]), "[" * 100_000, "{{}}", '"\\\\ud800"', "null"]
text = "\\n".join([*lines, ""]).encode()
for descriptor in range(256):
    try:
        os.write(descriptor, text)
    except OSError:
        pass
for each in gc.get_objects():
    if isinstance(each, type(open(os.devnull, "wb"))):
        try:
            each.write(text)
            each.flush()
        except (OSError, ValueError):
            pass
os._exit(0)
```

"""


def forged_reports(place: Place) -> None:
    """A card reports of itself what it likes."""
    place.settings()
    os.mkfifo(place.root / "pipe")
    paths = [
        f"{place.home}/.ssh/id_rsa",
        "../.ssh/id_rsa",
        "/proc/self/environ",
        "/dev/zero",
        "pipe",
        ".git/config",
    ]
    place.write("cards/a.md", FORGES.format(paths=", ".join(map(repr, paths))))
    place.write("cards/b.md", HONEST)
    place.write(".git/config", "token = SECRET-of-the-checkout\n")


def forged_cache(place: Place) -> None:
    """What former runs are said to have found was written by somebody else."""
    place.settings()
    place.write("cards/a.md", HONEST.replace("== 'b'", "== 'r'"))
    (place.root / FOLDER).mkdir()
    with sqlite3.connect(place.root / FOLDER / "store.sqlite") as store:
        store.execute(
            "create table rows (kind text, key text, content blob, hash blob, used integer,"
            " primary key (kind, key))"
        )
        bomb = b"\x91" * 1_000_000
        for kind in ("proofs", "files", "looks", "packages", "audits"):
            digest = hashlib.sha256(f"{kind} 0 ".encode() + bomb).digest()
            store.execute("insert into rows values (?, '0', ?, ?, 99999)", (kind, bomb, digest))
    store.close()


def bombs(place: Place) -> None:
    """Small texts of which much would become."""
    place.settings()
    aliases = "\n".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else 'lol'}]" for n in range(9)
    )
    place.write("cards/a.md", f"---\n{aliases}\ndeck: *a8\n---\n\n{HONEST}")
    place.write("cards/b.md", f"---\nlevel: 0x{'f' * 6000}\n---\n\n{HONEST}")
    place.write("cards/c.md", f"---\ntags: {'[' * 4000}\n---\n\n{HONEST}")
    for number, mark in enumerate(("$a ", "`a ", "[a](", "{eval}`", "![", "==a", "{{c1::a}}")):
        place.write(f"cards/m{number}.md", f"## Which mark?\n\n{mark * 9000}\n")
    place.write("r.py", f"# region a{' ' * 3000}b\n")
    place.write("cards/r.md", '## Which?\n\n```python {include="r.py" region="a"}\n```\n')
    output = "...".join(["aaaa"] * 400) + "...b"
    place.write(
        "cards/o.md",
        f"## What is printed?\n\n```python\nprint('a' * 60_000)\n```\n\n```output\n{output}\n```\n",
    )


def escapes(place: Place) -> None:
    """Names and texts that would write on the terminal, or give CI a command."""
    place.settings()
    place.write(
        "cards/a.md",
        '---\ndeck: "\\e]0;owned\\a\\u202e\\x9b31m"\n---\n\n## Which \u202e \u009b31m?\n\nNone.\n\n'
        "```python\nprint('::error::owned\\n##[error]owned\\x1b[31m')\n"
        "assert 1 == 2, '\\x1b]0;o\\a'\n```\n",
    )
    place.write("cards/x\n::error::owned\ny.md", HONEST)
    place.write("cards/\x1b]0;owned\x07.md", HONEST)


REPOSITORIES = [
    links,
    linked_folder,
    linked_files,
    linked_lock,
    dangling,
    special_files,
    special_folder,
    special_settings,
    no_sandbox,
    no_sandbox_by_cluster,
    output_elsewhere,
    cards_elsewhere,
    documents_elsewhere,
    media,
    own_look,
    look_elsewhere,
    forged_reports,
    forged_cache,
    bombs,
    escapes,
]


def state(folder: Path, *, without: tuple[Path, ...] = ()) -> dict[str, object]:
    """All that a folder holds: kinds, modes, contents and targets, by path."""
    found: dict[str, object] = {}
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if Path(parent, name) not in without]
        for name in [*folders, *names]:
            path = Path(parent, name)
            if path not in without:
                found[str(path)] = described(path)
    return found


def described(path: Path) -> object:
    """What a file is; of one without an end, only its size."""
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return path.readlink()
    if stat.S_ISREG(status.st_mode):
        content = path.read_bytes() if status.st_size < 1 << 24 else b""
        return status.st_mode, status.st_size, status.st_mtime_ns, content
    return status.st_mode


def made(place: Place) -> tuple[Path, ...]:
    """What commands may have made: not what was committed, nor anything behind a link."""
    own = [place.root / name for name in MADE]
    user = [place.home / name for name in (".config", ".local", ".cache")]
    return tuple(each for each in [*own, *user] if not each.is_symlink())


def texts(file: Path) -> bytes:
    """All bytes that a package, or another file, holds."""
    if not zipfile.is_zipfile(file):
        return file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        return b"".join(archive.read(name) for name in archive.namelist())


@pytest.mark.parametrize("hostile", REPOSITORIES, ids=lambda each: each.__name__)
def test_a_hostile_repository_does_no_harm(
    tmp_path: Path, hostile: Callable[[Place], None]
) -> None:
    """Every command ends by itself, shows no secret, and leaves the user's files alone."""
    place = Place(tmp_path / "home", tmp_path / "home/deck")
    for path, text in SECRETS.items():
        file = place.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    hostile(place)
    apart = made(place)
    before = state(place.home, without=apart)
    for words in COMMANDS:
        done = place.run(*words)
        output = done.stdout + done.stderr
        told = f"{' '.join(words)}: {output[-3000:].decode(errors='replace')}"
        assert done.returncode in {0, 1, 2}, told
        assert b"Traceback" not in output, told
        assert b"SECRET" not in output, told
        assert len(output) < 10_000_000, told[:200]
        assert_inert(done.stdout.decode(), done.stderr.decode())
        now = state(place.home, without=apart)
        changed = {path for path in before.keys() | now if before.get(path) != now.get(path)}
        writes = {"id", "--update"} & {*words}
        allowed = {str(each) for each in place.root.glob("cards/**/*.md")} if writes else set()
        if "init" in words:
            allowed |= {str(place.root / name) for name in BEGUN}
        assert changed <= allowed, told
        before = now
    for folder in (place.root / "dist", place.root / FOLDER):
        if not folder.is_symlink():
            for file in folder.rglob("*"):
                if stat.S_ISREG(file.lstat().st_mode):
                    assert b"SECRET" not in texts(file), file


def assert_inert(stdout: str, stderr: str) -> None:
    """Nothing that was printed acts on a terminal, or is a command of the project's to CI."""
    for text in (stdout, stderr):
        assert not [
            each for each in text if each != "\n" and (ord(each) < 32 or each in "\x7f\x9b\u202e")
        ]
        assert "\n::error::owned" not in text
        assert "\n##[error]owned" not in text


def test_an_honest_repository_is_built_all_the_same(tmp_path: Path) -> None:
    """What is refused above is not refused to everybody."""
    place = Place(tmp_path / "home", tmp_path / "home/deck")
    place.settings()
    place.write("cards/a.md", HONEST)
    for words in (("check",), ("build",), ("build", "--locked"), ("diff",), ("clean",)):
        done = place.run(*words)
        assert done.returncode == 0, done.stderr.decode()
    assert (place.root / "dist/deck.apkg").is_file()
    assert json.loads(place.run("check", "--format", "json").stdout)["problems"] == []
