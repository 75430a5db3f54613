"""Packages that a user has installed add forms of cards and of output; nothing else does."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from projects import SETTINGS, project

PAGE = (Path(__file__).parents[1] / "docs/own-form.md").read_text(encoding="utf-8")
OPTIONS = ("--no-verify", "--quiet")


def on_page(language: str) -> str:
    """The only fence of a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return str(found)


@dataclass(frozen=True)
class Environment:
    """An environment in which verideck is, and what a test installs."""

    folder: Path

    @property
    def python(self) -> Path:
        """Its Python."""
        folder = "Scripts" if sys.platform == "win32" else "bin"
        return self.folder / folder / "python"

    def install(
        self, name: str, module: str, *forms: str, lists: str = "verideck.syntaxes:SYNTAX"
    ) -> None:
        """Install a package of one module, which lists an attribute in a group by some names."""
        wheel = self.folder / f"{name}-1.0-py3-none-any.whl"
        group, _, attribute = lists.partition(":")
        listed = [f"{form} = {name}:{attribute}\n" for form in forms]
        info = f"{name}-1.0.dist-info"
        with zipfile.ZipFile(wheel, "w") as file:
            file.writestr(f"{name}.py", module)
            file.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
            )
            tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            file.writestr(f"{info}/WHEEL", tags)
            file.writestr(f"{info}/entry_points.txt", "".join([f"[{group}]\n", *listed]))
            file.writestr(f"{info}/RECORD", "")
        pip = [sys.executable, "-m", "pip", "--python", str(self.python), "--quiet", "install"]
        options = ["--no-index", "--no-deps", "--disable-pip-version-check"]
        subprocess.run([*pip, *options, str(wheel)], check=True)

    def run(self, folder: Path, *words: str, safe: bool = True) -> subprocess.CompletedProcess[str]:
        """Run verideck in a folder; with what lies there on the path, unless that is safe."""
        command = [str(self.python), *(["-P"] if safe else []), "-m", "verideck", *words]
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False
        )


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """An environment of its own, in which all is found that is found here."""
    folder = tmp_path / "environment"
    venv.EnvBuilder(symlinks=sys.platform != "win32", with_pip=False).create(folder)
    values = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", "venv", values))
    here = sysconfig.get_path("purelib")
    (packages / "here.pth").write_text(f"import site; site.addsitedir({here!r})\n")
    return Environment(folder)


def test_the_package_on_the_page_is_read_by(environment: Environment, tmp_path: Path) -> None:
    """As the page says it; what was remembered before it was installed holds no more."""
    made = project(tmp_path / "deck", {"terms.md": on_page("markdown"), "a.md": "## a\n\nb\n"})
    before = environment.run(made.root, "check", "--no-verify")
    assert "cards/terms.md:1:1: warning: there is no card" in before.stderr
    assert 'glossary = "verideck_glossary:SYNTAX"' in on_page("toml")
    environment.install("verideck_glossary", on_page("python"), "glossary")
    told = environment.run(made.root, "check", "--no-verify", "cards/terms.md")
    assert (told.returncode, told.stdout.split("\n")[0]) == (0, on_page("text").strip())
    after = environment.run(made.root, "check", "--no-verify", "--format", "json")
    assert '"form": "glossary"' in after.stdout
    named = environment.run(made.root, "check", "--no-verify", "--syntax", "glossary")
    assert named.returncode == 0


@pytest.mark.parametrize(
    ("module", "forms", "told"),
    [
        ("", ["heading"], "heading: there is another form of that name"),
        (on_page("python"), ["glossary", "glossaries"], "calls itself glossary"),
        ("SYNTAX = 3\n", ["three"], "is no Syntax"),
        ("import nothing_like_it\n", ["nothing"], "cannot be imported: ModuleNotFoundError"),
    ],
)
def test_what_is_wrong_with_a_package_is_told(
    environment: Environment, tmp_path: Path, module: str, forms: list[str], told: str
) -> None:
    """With the package's name; nothing is read by it, and no other form in its place."""
    made = project(tmp_path / "deck", {"a.md": "## a\n\nb\n"})
    environment.install("theirs", module, *forms)
    run = environment.run(made.root, "check", *OPTIONS)
    assert run.returncode == 2
    assert told in run.stderr
    assert "theirs-1.0" in run.stderr
    assert "Traceback" not in run.stderr


def test_two_packages_do_not_share_a_name(environment: Environment, tmp_path: Path) -> None:
    """Which of them would read a file would depend on an order that nobody sees."""
    made = project(tmp_path / "deck", {"a.md": "## a\n\nb\n"})
    for name in ("ours", "theirs"):
        environment.install(name, on_page("python"), "glossary")
    run = environment.run(made.root, "check", *OPTIONS)
    assert (run.returncode, "there is another form of that name" in run.stderr) == (2, True)


def test_what_a_package_raises_is_not_called_ours(environment: Environment, tmp_path: Path) -> None:
    """The traceback says whose code it was."""
    made = project(tmp_path / "deck", {"terms.md": on_page("markdown")})
    module = on_page("python").replace("    found = terms(page)\n", "    found = [1 / 0]\n")
    environment.install("broken", module, "glossary")
    run = environment.run(made.root, "check", *OPTIONS)
    assert run.returncode == 1
    assert "broken:SYNTAX, which broken-1.0 adds as glossary; it is no part of" in run.stderr


def test_a_project_adds_no_code(environment: Environment, tmp_path: Path) -> None:
    """What lies in it is not installed, also where its folder is on the path."""
    module = "import pathlib\npathlib.Path('ran').write_text('')\n" + on_page("python")
    made = project(
        tmp_path / "deck", {"terms.md": on_page("markdown")}, f'{SETTINGS}syntax = "x"\n'
    )
    made.write("theirs.py", module)
    made.write("theirs-1.0.dist-info/entry_points.txt", "[verideck.syntaxes]\nx = theirs:SYNTAX\n")
    made.write("theirs-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: theirs\nVersion: 1\n")
    for safe in (True, False):
        run = environment.run(made.root, "check", *OPTIONS, safe=safe)
        assert "there is no syntax x" in run.stderr
        assert not (made.root / "ran").exists()


TARGETS = (Path(__file__).parents[1] / "docs/targets.md").read_text(encoding="utf-8")
LISTING = re.findall(r"^```python\n(.*?)^```$", TARGETS, re.DOTALL | re.MULTILINE)[0]


def test_a_package_adds_a_kind_of_output(environment: Environment, tmp_path: Path) -> None:
    """As the page says it; two claims to one suffix are an error where it is asked for."""
    made = project(tmp_path / "deck", {"a.md": "- What?\n    - This.\n"}, SETTINGS)
    lists = "verideck.targets:TARGET"
    environment.install("listing", LISTING, "md", "html", lists=lists)
    environment.install("nothing", "TARGET = 1\n", "txt", lists=lists)
    done = environment.run(made.root, "build", *OPTIONS, "-o", "deck.md")
    assert done.returncode == 0, done.stderr
    assert (made.root / "deck.md").read_text("utf-8") == "# Questions\nWhat?"
    told = [
        environment.run(made.root, "build", *OPTIONS, "-o", f"deck.{suffix}").stderr
        for suffix in ("html", "txt", "docx")
    ]
    assert ".html is claimed by verideck and listing-1.0: uninstall one" in told[0]
    assert "nothing:TARGET, which nothing-1.0 adds as txt, is no target" in told[1]
    assert "known are .apkg, .csv, .html, .json, .md, .txt" in told[2]
    environment.install("another", LISTING, "md", lists=lists)
    done = environment.run(made.root, "build", *OPTIONS, "-o", "deck.md")
    assert done.returncode == 2
    assert ".md is claimed by another-1.0 and listing-1.0" in done.stderr
