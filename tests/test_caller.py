"""What only the caller decides: no project loosens what holds for whoever runs verideck."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from projects import SANDBOXED, SETTINGS, Project, card, project

import verideck
from verideck.caller import heard, root_of
from verideck.caps import CAPS
from verideck.model import LARGEST_LIMIT
from verideck.problems import CallerError
from verideck.root import too_wide

PLAIN = card("one", "assert int('1')")
LINUX = pytest.mark.linux(reason="has modes, links and FIFOs")


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with a home of their own, who runs the command."""

    home: Path

    @property
    def variables(self) -> dict[str, str]:
        """What their environment says, besides the tests' own."""
        return {
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "XDG_STATE_HOME": str(self.home / ".local/state"),
        }

    def configure(self, text: str) -> Path:
        """Write their configuration file."""
        return Project(self.home).write(".config/verideck/config.toml", text)

    def call(
        self, made: Project, *words: str, folder: str = ".", **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the command as they do, in a project or in a folder of it."""
        return made.invoke(*words, folder=folder, **{**self.variables, **more})


@pytest.fixture
def user(tmp_path: Path) -> User:
    """A user with a secret."""
    home = tmp_path / "home"
    Project(home).write(".ssh/id_rsa", "PRIVATE\n")
    return User(home)


def deck(folder: Path, line: str = "", text: str = PLAIN) -> Project:
    """A stranger's project, whose settings have one more line: the fifth."""
    return project(folder / "deck", {"a.md": text}, f"{SETTINGS}{line}\n")


# What would loosen

LOOSENING = {
    "sandbox = false": "--trust",
    "shared_memory = true": "--trust",
    'output = "../elsewhere.apkg"': "--trust",
    "timeout = 601": "--limit=timeout=601",
    "memory = 8193": "--limit=memory=8193",
    "disk = 1001": "--limit=disk=1001",
    "processes = 65": "--limit=processes=65",
    "max_output = 10_000_001": "--limit=max_output=10000001",
    "audit.seeds = 21": "--limit=audit.seeds=21",
}
"""Settings of strangers, each with the flag by which a caller allows it."""


def loosening(folder: Path, line: str, text: str = PLAIN) -> Project:
    """A project with a setting that loosens, or that says where the package goes."""
    made = deck(folder, line, text)
    if line.startswith("output"):
        made.write("pyproject.toml", SETTINGS.replace('output = "deck.apkg"', line))
        (folder / "others").mkdir()
        (made.root / "linked").symlink_to(folder / "others")
    return made


@pytest.mark.parametrize("line", LOOSENING)
def test_a_setting_that_loosens_is_an_error_that_names_the_flag(
    user: User, tmp_path: Path, line: str
) -> None:
    """At its line, before anything is executed; with the flag, it holds."""
    made = loosening(tmp_path, line)
    refused = user.call(made, "check")
    place = "pyproject.toml:4:1" if line.startswith("output") else "pyproject.toml:5:1"
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"{place}: error: "), refused.stderr
    assert "[trust-missing]" in refused.stderr
    flag = LOOSENING[line]
    assert flag.replace("=", " ", 1) in refused.stderr
    assert not (made.root / ".verideck/store.sqlite").exists()
    allowed = user.call(made, "check", flag)
    assert allowed.returncode == 0, allowed.stderr


@pytest.mark.parametrize("command", ["check", "build", "audit", "lint", "id", "diff"])
def test_every_command_refuses_what_loosens(user: User, tmp_path: Path, command: str) -> None:
    """Also those that execute nothing: what holds for one, holds for all."""
    made = deck(tmp_path, "sandbox = false")
    made.write("deck.apkg", b"")
    before = (made.root / "cards/a.md").read_text("utf-8")
    refused = user.call(made, command)
    assert (refused.returncode, "[trust-missing]" in refused.stderr + refused.stdout) == (1, True)
    assert (made.root / "cards/a.md").read_text("utf-8") == before


def test_a_sandbox_that_a_stranger_turns_off_executes_nothing(user: User, tmp_path: Path) -> None:
    """Without the error, the snippet would read the user's key and write beside it."""
    stolen = user.home / "stolen"
    code = f"from pathlib import Path\nPath({str(stolen)!r}).write_text('x')\nassert int('1')"
    made = deck(tmp_path, "sandbox = false", card("one", code))
    assert user.call(made, "build").returncode == 1
    assert not stolen.exists()
    assert user.call(made, "build", "--trust").returncode == 0
    assert stolen.exists()


def test_a_package_outside_is_not_touched(user: User, tmp_path: Path) -> None:
    """By a path or through a link; `-o` is the caller's own, and goes anywhere."""
    for line in ('output = "../others/x.apkg"', 'output = "linked/x.apkg"'):
        made = loosening(tmp_path / line[10], line)
        foreign = made.write("../others/x.apkg", b"foreign")
        assert user.call(made, "build").returncode == 1
        assert foreign.read_bytes() == b"foreign"
    made = deck(tmp_path)
    assert user.call(made, "build", "-o", str(tmp_path / "mine.apkg")).returncode == 0
    assert (tmp_path / "mine.apkg").exists()


def test_a_setting_that_tightens_needs_nobody(user: User, tmp_path: Path) -> None:
    """Lower limits, a sandbox that is required, warnings that are errors, nothing executed."""
    lines = 'timeout = 5\nmemory = 1000\nwarnings = "error"\nverify = false\nexecutor = "spawn"'
    assert user.call(deck(tmp_path, lines), "check").returncode == 0


def test_the_cards_are_in_the_project_whoever_is_trusted(user: User, tmp_path: Path) -> None:
    """A folder of elsewhere would put the user's own notes into a stranger's deck."""
    Project(user.home).write("notes/diary.md", "## What is private?\n\nThis diary.\n")
    made = deck(tmp_path, f'cards = "{user.home / "notes"}"')
    for words in (["check"], ["check", "--trust"], ["lint", "--trust"]):
        refused = user.call(made, *words)
        assert refused.returncode == 1
        assert "pyproject.toml:5:1: error: cards is outside the project" in refused.stderr
        assert "diary" not in refused.stderr + refused.stdout


@pytest.mark.parametrize("named", ["notes", "notes/diary.md", "linked", "linked/diary.md"])
def test_documents_are_in_the_project_whoever_is_trusted(
    user: User, tmp_path: Path, named: str
) -> None:
    """Neither a line of a file of elsewhere is shown, nor the names in a folder."""
    Project(user.home).write("notes/diary.md", "# What is private\n")
    made = deck(tmp_path)
    (made.root / "linked").symlink_to(user.home / "notes")
    path = named if named.startswith("linked") else str(user.home / named)
    made.write("pyproject.toml", f'{SETTINGS}docs.paths = ["{path}"]\n')
    for words in (["check"], ["check", "--trust"], ["lint", "--trust"]):
        refused = user.call(made, *words)
        assert refused.returncode == 1
        assert "pyproject.toml:5:1: error: docs.paths names what is outside" in refused.stderr
        assert "private" not in refused.stderr + refused.stdout


# How the caller speaks


def test_the_caller_trusts_by_a_flag_a_variable_or_a_file(user: User, tmp_path: Path) -> None:
    """Each alone is enough; a variable that is 0 says nothing."""
    made = deck(tmp_path, "sandbox = false")
    assert user.call(made, "check", VERIDECK_TRUST="0").returncode == 1
    assert user.call(made, "check", "--trust").returncode == 0
    assert user.call(made, "check", VERIDECK_TRUST="1").returncode == 0
    user.configure(f'trusted = ["{made.root}"]\n')
    assert user.call(made, "check").returncode == 0
    with verideck.Project.open(made.root, trust=True) as opened:
        assert opened.check().ok


def test_the_file_trusts_the_projects_that_it_names_and_no_other(
    user: User, tmp_path: Path
) -> None:
    """Neither what is beside such a project, nor below; a link leads to the same folder."""
    named = deck(tmp_path, "sandbox = false")
    other = deck(tmp_path / "other", "sandbox = false")
    below = project(named.root / "below", {"a.md": PLAIN}, SETTINGS + "sandbox = false\n")
    (tmp_path / "link").symlink_to(named.root)
    user.configure(f'trusted = ["{tmp_path / "link"}"]\n')
    assert user.call(named, "check").returncode == 0
    assert user.call(other, "check").returncode == 1
    assert user.call(below, "check").returncode == 1


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"XDG_CONFIG_HOME": "config"},
        {"XDG_CONFIG_HOME": "."},
        {"HOME": "", "XDG_CONFIG_HOME": ""},
        {"HOME": ".", "XDG_CONFIG_HOME": ""},
    ],
    ids=str,
)
def test_a_project_cannot_speak_for_the_caller(
    user: User, tmp_path: Path, variables: dict[str, str]
) -> None:
    """Nothing in its folder is taken for the user's file, wherever that would be."""
    made = deck(tmp_path, "sandbox = false")
    said = f'trusted = ["{made.root}"]\n'
    for folder in ("", ".config/verideck/", "config/verideck/", "verideck/", "~/.config/verideck/"):
        made.write(f"{folder}config.toml", said)
    made.write(".env", "VERIDECK_TRUST=1\n")
    refused = user.call(made, "check", **variables)
    assert (refused.returncode, "[trust-missing]" in refused.stderr) == (1, True)


@pytest.mark.parametrize("line", ["trust = true", 'trusted = ["/"]', "limits = {timeout = 9}"])
def test_what_the_caller_says_is_no_setting(user: User, tmp_path: Path, line: str) -> None:
    """A project that says it is told that there is no such setting."""
    refused = user.call(deck(tmp_path, line), "check")
    assert refused.returncode == 1
    assert "[setting-invalid]" in refused.stderr


WRONG = {
    "trustd = []": ":1: there is no 'trustd': did you mean trusted?",
    "require_sandbox = true\nrequire-sandbox = true": ":2: there is no 'require-sandbox'",
    'require_sandbox = "yes"': ":1: Expected `bool`",
    'trusted = "/x"': ":1: Expected `array`",
    'trusted = ["x"]': ":1: trusted holds absolute paths",
    'executor = "dask"': ":1: dask is none of fork, spawn, dask://host:port",
    "[limits]\ntimout = 9": ":1: there is no limit timout: did you mean timeout?",
    "[limits]\ntimeout = 0": ":1: timeout must be a number of seconds above 0",
    "[limits]\nmemory = 1.5": ":1: memory must be a whole number above 0",
    "[limits]\naudit.seeds = true": ":1: audit.seeds must be a whole number above 0",
    "x = ": " is not TOML: ",
    "x = " + "[" * 9999: " is not TOML: ",
    "x = 0x" + "f" * 5000: ":1: there is no 'x'",
    "#" * 1_000_001: " is larger than 1,000,000 bytes",
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[:30])
def test_a_wrong_word_in_the_users_file_is_wrong_usage(
    user: User, tmp_path: Path, text: str
) -> None:
    """At its line: a name that is misspelt would protect nobody."""
    file = user.configure(text)
    refused = user.call(deck(tmp_path), "check")
    assert refused.returncode == 2
    told = " ".join(refused.stderr.split())
    assert f"{file}{WRONG[text]}" in told


@LINUX
@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["a folder", "a FIFO"])
def test_a_users_file_that_is_no_file_is_told(
    user: User, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    """A FIFO would be waited for without end."""
    file = user.configure("")
    file.unlink()
    make(file)
    refused = user.call(deck(tmp_path), "check")
    assert (refused.returncode, f"{file} is no file" in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("VERIDECK_TRUST", "yes"),
        ("VERIDECK_REQUIRE_SANDBOX", "true"),
        ("VERIDECK_EXECUTOR", "everybody"),
        ("VERIDECK_LIMIT", "timeout"),
        ("VERIDECK_LIMIT", "time=9"),
        ("VERIDECK_LIMIT", "memory=1e400"),
        ("VERIDECK_CACHE_KEY", "short"),
    ],
)
def test_a_variable_that_nobody_understands_is_wrong_usage(
    user: User, tmp_path: Path, variable: str, value: str
) -> None:
    """What was meant to protect must not say nothing in silence."""
    refused = user.call(deck(tmp_path), "check", **{variable: value})
    assert (refused.returncode, "Error: " in refused.stderr) == (2, True)


@pytest.mark.parametrize("word", ["timeout", "timeout=", "timeout=x", "time=9", "timeout=-1"])
def test_a_limit_that_nobody_understands_is_wrong_usage(
    user: User, tmp_path: Path, word: str
) -> None:
    """As every flag; the library raises ValueError."""
    assert user.call(deck(tmp_path), "check", "--limit", word).returncode == 2
    with pytest.raises(ValueError, match="timeout"):
        verideck.Project.open(tmp_path / "deck", limits={"timeout": -1})


def test_a_sandbox_is_required_by_a_variable_or_a_file(user: User, tmp_path: Path) -> None:
    """The variable beats the file, in both directions."""
    made = deck(tmp_path, "sandbox = false")
    refused = user.call(made, "check", "--trust", VERIDECK_REQUIRE_SANDBOX="1")
    assert (refused.returncode, "[sandbox-missing]" in refused.stderr) == (1, True)
    user.configure("require_sandbox = true\n")
    assert "[sandbox-missing]" in user.call(made, "check", "--trust").stderr
    free = user.call(made, "check", "--trust", VERIDECK_REQUIRE_SANDBOX="0")
    assert free.returncode == 0


# Limits


@pytest.mark.parametrize("name", [name for name in CAPS if "." not in name])
def test_a_fence_asks_for_no_more_than_the_caller_allows(
    user: User, tmp_path: Path, name: str
) -> None:
    """A larger one is an error at its place, as large as the cap is not; so it is after a parse."""
    most = int(CAPS[name])
    text = PLAIN.replace("```python", f"```python {{{name}={most + 1}}}")
    made = deck(tmp_path, text=text)
    for _ in range(2):
        refused = user.call(made, "check")
        assert refused.returncode == 1
        assert refused.stderr.startswith("cards/a.md:5:12: error: "), refused.stderr
        assert f"--limit {name}={most + 1}" in refused.stderr
    assert user.call(made, "check", "--limit", f"{name}={most + 1}").returncode == 0
    assert user.call(made, "check", "--trust").returncode == 0
    assert user.call(made, "check").returncode == 1
    made.write("cards/a.md", PLAIN.replace("```python", f"```python {{{name}={most}}}"))
    assert user.call(made, "check").returncode == 0


def test_a_limit_that_is_refused_is_not_executed_with(user: User, tmp_path: Path) -> None:
    """A card that would run for ever ends within what is allowed."""
    code = "while True:\n    pass\nassert int('1')"
    text = card("one", code).replace("```python", "```python {timeout=999999999}")
    refused = user.call(deck(tmp_path, "timeout = 0.5", text), "check")
    assert refused.returncode == 1
    assert "[trust-missing]" in refused.stderr


def test_the_callers_limits_hold_also_below_the_defaults(user: User, tmp_path: Path) -> None:
    """By a flag, a variable, a file; for a trusted project as well, which may ask for less only."""
    code = "import time\ntime.sleep(0.8)\nassert time.time()"
    made = deck(tmp_path, text=card("one", code))
    few = "timeout=0.3"
    for words, more in ((["--limit", few], {}), (["--trust"], {"VERIDECK_LIMIT": few})):
        refused = user.call(made, "check", *words, **more)
        assert (refused.returncode, "[time-limit]" in refused.stderr) == (1, True)
    user.configure("[limits]\ntimeout = 0.3\n")
    assert "[time-limit]" in user.call(made, "check").stderr
    asking = deck(tmp_path, "timeout = 5", card("one", code))
    assert "--limit timeout=5" in user.call(asking, "check", "--trust").stderr
    assert user.call(asking, "check", "--limit", "timeout=5").returncode == 0


def test_the_default_limits_are_within_the_caps(tmp_path: Path) -> None:
    """Whoever sets nothing is not told of caps; what is trusted may ask for all that there is."""
    with verideck.Project.open(deck(tmp_path).root) as opened:
        assert opened.check().ok
    caller = heard(trust=True)
    assert set(caller.caps(tmp_path).values()) == {LARGEST_LIMIT}


# The root


def downloaded(user: User, text: str) -> Project:
    """A stranger's notes in the user's home, without a project."""
    home = Project(user.home)
    home.write("Downloads/deck/notes.md", text)
    return home


INCLUDING = """\
## What is it?

This.

```python {include=".ssh/id_rsa"}
```
"""


def reading(file: Path) -> str:
    """A card that prints a file."""
    return card("one", f"print(open({str(file)!r}).read())\nassert int('1')")


@pytest.mark.parametrize("owned", [False, True], ids=["no project", "home has settings"])
def test_notes_in_the_home_do_not_open_it(user: User, *, owned: bool) -> None:
    """Where there is no project above a file, its folder is the project: neither home nor cwd."""
    home = downloaded(user, INCLUDING + reading(user.home / ".ssh/id_rsa"))
    if owned:
        home.write("pyproject.toml", "[tool.verideck]\n")
    refused = user.call(home, "check", "Downloads/deck/notes.md")
    assert refused.returncode == 1
    assert "[include-missing]" in refused.stderr
    assert "PRIVATE" not in refused.stderr + refused.stdout
    assert not (user.home / ".verideck").exists()
    assert (user.home / "Downloads/deck/.verideck").exists()


@SANDBOXED
def test_a_snippet_of_notes_in_the_home_does_not_read_it(user: User) -> None:
    """The sandbox opens the Markdown's own folder, and no more."""
    beside = card("two", "assert open('beside.txt').read() == 'x'")
    home = downloaded(user, reading(user.home / ".ssh/id_rsa") + beside)
    home.write("Downloads/deck/beside.txt", "x")
    refused = user.call(home, "check", "Downloads/deck/notes.md", "--require-sandbox")
    assert refused.stderr.count("error: ") == 1
    assert "PermissionError" in refused.stderr
    assert "PRIVATE" not in refused.stderr


def test_a_working_folder_is_not_opened_for_a_file_of_elsewhere(user: User, tmp_path: Path) -> None:
    """What is named decides what is readable, and not where the command is run."""
    notes = Project(tmp_path / "elsewhere").write("notes.md", INCLUDING.replace(".ssh/id_rsa", "x"))
    made = project(tmp_path / "work", {"x": "PRIVATE\n"}, "")
    refused = user.call(made, "check", str(notes))
    assert (refused.returncode, "[include-missing]" in refused.stderr) == (1, True)
    assert "PRIVATE" not in refused.stderr


@pytest.mark.parametrize(
    "words",
    [["check"], ["check", "notes.md"], ["clean"], ["lint", "."], ["build", "link/notes.md"]],
)
def test_the_home_directory_is_no_project(user: User, words: list[str]) -> None:
    """It is told, with what to do; also where a link leads to it."""
    home = Project(user.home)
    home.write("notes.md", PLAIN)
    home.write("cards/notes.md", PLAIN)
    (user.home / "link").symlink_to(user.home)
    refused = user.call(home, *words)
    assert refused.returncode == 2
    assert "is the home directory" in refused.stderr
    assert "pyproject.toml" in refused.stderr
    assert "--trust" not in refused.stderr
    assert not (user.home / ".verideck").exists()
    with pytest.raises(CallerError, match="root of the disk"):
        verideck.Project.open(Path(user.home.anchor))


def test_a_home_that_has_settings_is_a_project_if_it_is_trusted(user: User) -> None:
    """By the flag, or by its name in the user's file; without, it is told that this would help."""
    home = Project(user.home)
    home.write("pyproject.toml", SETTINGS)
    home.write("cards/notes.md", PLAIN)
    refused = user.call(home, "check")
    assert (refused.returncode, "or say --trust" in refused.stderr) == (2, True)
    assert user.call(home, "check", "--trust").returncode == 0
    user.configure('trusted = ["~"]\n')
    assert user.call(home, "check").returncode == 0


def test_what_is_too_wide(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk, the home, all above it, and what everybody writes into; nothing else."""
    monkeypatch.setenv("HOME", str(user.home))
    assert too_wide(Path(user.home.anchor)) == "the root of the disk"
    assert too_wide(user.home) == "the home directory"
    assert too_wide(user.home.parent) == "a folder above the home directory"
    shared = user.home / "shared"
    shared.mkdir()
    assert too_wide(shared) == ""
    shared.chmod(0o1777)
    assert too_wide(shared) == "a folder into which everybody can write"


def test_a_folder_of_repositories_is_no_project_by_itself(user: User, tmp_path: Path) -> None:
    """Snippets could read all of them; one repository is, and one that says so."""
    work = Project(tmp_path / "work")
    for name in ("a", "b"):
        work.write(f"{name}/.git/HEAD", "")
        work.write(f"{name}/notes.md", f"# {name}\n\n{PLAIN}".replace("{#", f"{{#{name}-"))
    refused = user.call(work, "build", ".")
    assert (refused.returncode, "is a folder of repositories" in refused.stderr) == (2, True)
    assert {each.name for each in work.root.iterdir()} == {"a", "b"}
    assert user.call(work, "check", "a").returncode == 0
    work.write("pyproject.toml", SETTINGS)
    assert user.call(work, "check", ".").returncode == 0


def test_a_first_build_says_what_it_made_of_a_folder(user: User, tmp_path: Path) -> None:
    """Where nothing says that it is a project, and nothing was built before."""
    folder = Project(tmp_path / "folder")
    folder.write("notes.md", PLAIN)
    told = f"{folder.root} has no [tool.verideck] in a pyproject.toml, and holds a deck"
    assert told not in user.call(folder, "check", ".").stdout
    assert told in user.call(folder, "build", ".").stdout
    assert told not in user.call(folder, "build", ".").stdout
    (folder.root / "cards.lock").unlink()
    folder.write("pyproject.toml", SETTINGS)
    assert told not in user.call(folder, "build", ".").stdout


@LINUX
def test_settings_in_a_folder_of_everybodys_are_nobodys(user: User, tmp_path: Path) -> None:
    """Who put a pyproject.toml into /tmp says nothing of the notes below it."""
    shared = Project(tmp_path / "shared")
    shared.write("pyproject.toml", '[tool.verideck]\ndeck = "Theirs"\n')
    shared.write("mine/notes.md", PLAIN)
    shared.root.chmod(0o1777)
    done = user.call(shared, "build", "mine/notes.md")
    assert done.returncode == 0, done.stderr
    assert (shared.root / "mine/dist/notes.apkg").exists()


def test_the_paths_are_of_one_project(user: User, tmp_path: Path) -> None:
    """Else the settings of the first would hold for the second."""
    made = deck(tmp_path)
    other = Project(tmp_path / "other").write("b.md", card("two", "assert int('1')"))
    refused = user.call(made, "check", "cards/a.md", str(other))
    assert (refused.returncode, "name the files of one project" in refused.stderr) == (2, True)
    loose = Project(tmp_path / "loose")
    for path in ("a.md", "below/b.md"):
        loose.write(path, PLAIN.replace("one", path[0]))
    (first, second) = (loose.root / "a.md", loose.root / "below/b.md")
    assert root_of([first, second], heard()) == root_of([second, first], heard()) == loose.root


# The cluster


@pytest.mark.parametrize("words", [["check"], ["check", "--trust"], ["build"], ["audit"]])
def test_nobody_connects_to_a_cluster_that_a_project_names(
    user: User, tmp_path: Path, words: list[str]
) -> None:
    """Trusted or not: its answers would be unpickled with the user's rights."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        port = server.getsockname()[1]
        made = deck(tmp_path, f'executor = "dask://127.0.0.1:{port}"')
        refused = user.call(made, *words)
        assert refused.returncode == 1
        assert "pyproject.toml:5:1: error: " in refused.stderr
        assert "--executor dask://host:port" in refused.stderr
        with pytest.raises(BlockingIOError):
            server.accept()


def test_the_caller_names_a_cluster_by_a_flag_a_variable_or_a_file(
    user: User, tmp_path: Path
) -> None:
    """In this order; here none of them is reached."""
    pytest.importorskip("distributed")
    made = deck(tmp_path)
    user.configure('executor = "dask://127.0.0.1:1"\n')
    assert "scheduler at dask://127.0.0.1:1" in user.call(made, "check").stderr
    two = {"VERIDECK_EXECUTOR": "dask://127.0.0.1:2"}
    assert "scheduler at dask://127.0.0.1:2" in user.call(made, "check", **two).stderr
    assert user.call(made, "check", "--executor", "spawn", **two).returncode == 0


def test_the_configuration_of_dask_is_not_the_projects(user: User, tmp_path: Path) -> None:
    """It reads the user's, the system's and the environment's, and nothing where it is run."""
    pytest.importorskip("distributed")
    made = deck(tmp_path)
    for path in ("dask.yaml", "distributed.yaml", ".config/dask/x.yaml", "etc/dask/x.yaml"):
        made.write(path, "distributed: {comm: {require-encryption: of-the-project}}\n")
    code = "import dask.config as c; print(c.paths, c.collect())"
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=made.root,
        env={**made.environment(), **user.variables},
        check=True,
        capture_output=True,
        encoding="utf-8",
    ).stdout
    assert "of-the-project" not in told
    assert str(made.root) not in told


def test_what_the_callers_file_says_is_told_apart_in_json(user: User, tmp_path: Path) -> None:
    """Programs read the same code as people, at the same place."""
    told = user.call(deck(tmp_path, "sandbox = false"), "check", "--format", "json").stdout
    (problem,) = json.loads(told)["problems"]
    assert (problem["code"], problem["line"]) == ("trust-missing", 5)
