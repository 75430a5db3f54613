"""Puts the pages of the site together: what is written here as Markdown, and what the source says.

Of the source are made a page for each command, each setting and each problem, and the reference of
the public names. Nothing of that is written twice: `make site` makes all of it anew.
"""

from __future__ import annotations

import ast
import inspect
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import get_type_hints

import click

import verideck
from verideck.cli.commands import verideck as commands
from verideck.cli.explaining import Example, Explained, explained
from verideck.folder_settings import FolderSettings
from verideck.settings import SETTABLE, Settings

ROOT = Path(__file__).parents[2]

GUIDE = (
    "ci",
    "anki",
    "targets",
    "preview",
    "rebuilding",
    "markdown",
    "look",
    "coming-from",
    "own-form",
    "proofs",
    "lint",
    "caller",
    "cluster",
    "library",
    "deprecation",
)
DECK = ("deck", "sample", "terms")
MANUAL = (
    "cards",
    "snippets",
    "world",
    "documents",
    "markdown",
    "notes",
    "targets",
    "rebuilds",
    "problems",
    "mended",
    "lint",
    "tools",
)
OTHERS = ("CHANGELOG", "SECURITY", "CONTRIBUTING")
LINKED = (
    "verideck",
    "snippets",
    "cards",
    "LICENSE",
    "Makefile",
    "pyproject.toml",
    "action.yml",
    "constraints.txt",
)
"""What pages lead to that is no page: it is downloaded."""
MODULES = ("verideck.events", "verideck.problems")
"""The modules of public names besides the package itself."""


def write(folder: Path) -> None:
    """Write all pages into a folder, which is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("benchmarks", "docs", "tests/spec"):
        shutil.copytree(ROOT / name, folder / name)
    for page in (folder / "docs").glob("*.md"):
        text = page.read_text(encoding="utf-8")
        _write(page, text.replace("](../README.md", "](../index.md"))
    for name in (f"{each}.md" for each in OTHERS):
        shutil.copyfile(ROOT / name, folder / name)
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    _write(folder / "index.md", _index())
    titles = {}
    for name in _all_of("tests/spec", MANUAL):
        page = folder / f"tests/spec/{name}.md"
        text = page.read_text(encoding="utf-8")
        titles[name] = next(line[2:] for line in text.splitlines() if line.startswith("# "))
        _write(page, _ALONE + text)
    rows = (f"- [{title}]({name}.md)" for name, title in titles.items())
    _write(folder / "tests/spec/index.md", "\n".join(["# The manual", "", _MANUAL, "", *rows, ""]))
    for name, text in _reference():
        _write(folder / "reference" / f"{name}.md", text)


def _all_of(folder: str, first: Iterable[str], elsewhere: Iterable[str] = ()) -> list[str]:
    """The pages of a folder: some in their order, then all that are new, but those elsewhere."""
    every = sorted(each.stem for each in (ROOT / folder).glob("*.md"))
    known = [*first, *elsewhere]
    return [*first, *(each for each in every if each not in known)]


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="\n")


def _index() -> str:
    """The first page: the README, and the contents of all others."""
    return "\n".join(
        [
            (ROOT / "README.md").read_text(encoding="utf-8"),
            *_contents("Guide", (f"docs/{name}" for name in _all_of("docs", GUIDE, DECK))),
            *_contents("Reference", (f"reference/{name}/index" for name in _KINDS)),
            *_contents("", ["reference/api"]),
            *_contents("The manual", ["tests/spec/index"]),
            *_contents("The deck of this repository", (f"docs/{name}" for name in DECK)),
            *_contents("The project", (*OTHERS, "benchmarks/README")),
        ]
    )


_WIDEST, _LONGEST = 200, 40
"""How much of an example is shown: characters of a line, and lines."""
_MANUAL = "What each rule does, beside an example: all of them are executed as tests."
_ALONE = "---\norphan: true\n---\n\n"
"""In front of a page that the contents beside all pages leave out: they would be long, and making
them takes each page as long as there are pages."""


def _contents(caption: str, pages: Iterable[str]) -> Iterator[str]:
    yield "```{toctree}"
    yield from [f":caption: {caption}"] if caption else []
    yield ":hidden:"
    yield ""
    yield from pages
    yield from ("```", "")


@dataclass(frozen=True, slots=True)
class Page:
    """One thing of which there is a page."""

    name: str
    """Of the thing, and of its file."""
    says: str
    """In one line."""
    text: str


def _reference() -> Iterator[tuple[str, str]]:
    """The pages that the source makes, by their names."""
    for kind, (title, intro, pages) in _KINDS.items():
        every = list(pages())
        rows = (f"| [`{page.name}`]({page.name}.md) | {_cell(page.says)} |" for page in every)
        yield (
            f"{kind}/index",
            "\n".join([f"# {title}", "", intro, "", "| | |", "|---|---|", *rows, ""]),
        )
        for page in every:
            yield f"{kind}/{page.name}", _ALONE + page.text
    yield "api", "\n".join(_api())


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _fence(text: str, language: str = "text") -> list[str]:
    """A fence that holds any text."""
    longest = max((len(run) for run in text.split() if not run.strip("`")), default=0)
    marks = "`" * max(3, longest + 1, *(1 + _backticks(line) for line in text.splitlines()))
    return [f"{marks}{language}", text.rstrip("\n"), marks, ""]


def _backticks(line: str) -> int:
    """How many backticks a line begins with, behind its indentation."""
    found = line.lstrip()
    return len(found) - len(found.lstrip("`"))


# Commands


def _commands() -> Iterator[Page]:
    for name, command in sorted(commands.commands.items()):
        context = click.Context(command, info_name=f"verideck {name}")
        says = command.get_short_help_str(limit=200)
        rows = [
            f"| `{_cell(record[0])}` | {_cell(record[1])} |"
            for each in command.get_params(context)
            if isinstance(each, click.Option) and (record := each.get_help_record(context))
        ]
        text = [f"# verideck {name}", "", *_fence(command.get_usage(context), "console")]
        text += [inspect.cleandoc(command.help or ""), "", "| option | |", "|---|---|", *rows, ""]
        yield Page(name, says, "\n".join(text))


# Settings


def _settings() -> Iterator[Page]:
    for owner, tables, below in (
        (Settings, ("audit", "docs"), ""),
        (FolderSettings, (), "folders"),
    ):
        told, types = _told_fields(owner), get_type_hints(owner, include_extras=True)
        for each in fields(owner):
            name = _setting(each.name, tables)
            if not below and name not in SETTABLE:
                continue
            wanted = types[each.name].__metadata__[0].description
            says = (
                told.get(each.name) or f"For the files below that folder, as [`{name}`]({name}.md)."
            )
            default = each.default
            yield Page(
                f"{below}.{name}" if below else name,
                says,
                _of_setting(f'{below}."notes".{name}' if below else name, says, wanted, default),
            )


def _setting(field: str, tables: Iterable[str]) -> str:
    """The name of a field's setting in the file: `audit_floor` is `audit.floor`."""
    for table in tables:
        if field.startswith(f"{table}_"):
            return f"{table}.{field.removeprefix(f'{table}_')}"
    return field


def _of_setting(name: str, says: str, wanted: str, default: object) -> str:
    is_none = default in {MISSING, "", None, ()} or (default == 0 and not isinstance(default, bool))
    shown = "none" if is_none else f"`{_toml(default)}`"
    lines = [f"# {name}", "", says, "", f"It must be {wanted}. Without it: {shown}.", ""]
    lines += ["In `pyproject.toml`, below `[tool.verideck]`. [All settings](index.md)", ""]
    return "\n".join(lines)


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value).replace("'", '"')


def _told_fields(owner: type) -> dict[str, str]:
    """The sentence under each field of a class."""
    source = Path(str(sys.modules[owner.__module__].__file__)).read_text(encoding="utf-8")
    (found,) = (
        each
        for each in ast.parse(source).body
        if isinstance(each, ast.ClassDef) and each.name == owner.__name__
    )
    return {
        field.target.id: " ".join(ast.literal_eval(below.value).split())
        for field, below in zip(found.body, found.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(below, ast.Expr)
    }


# Problems


def _problems() -> Iterator[Page]:
    for each in explained().values():
        yield Page(each.code, each.means, "\n".join(_of_problem(each)))


def _of_problem(each: Explained) -> Iterator[str]:
    yield from (f"# {each.code}", "", each.means, "", "## What causes it", "")
    yield f"{each.case.heading}:"
    yield from _example(each.case)
    yield from ("It is told as", "", *_fence(_cut(each.case.told)))
    if each.mended:
        yield from ("## What mends it", "")
        yield from _example(each.mended)


def _example(example: Example) -> Iterator[str]:
    """The files of an example, without colours: some examples are such that no lexer ends."""
    yield ""
    for path, text in example.files:
        yield from (f"`{path}`", "", *_fence(_cut(text)))


def _cut(text: str) -> str:
    """A text of which no line, and no number of lines, is longer than somebody reads."""
    lines = [line if len(line) <= _WIDEST else f"{line[:_WIDEST]}…" for line in text.splitlines()]
    more = len(lines) - _LONGEST
    return "\n".join([*lines[:_LONGEST], *([f"… {more} more lines"] if more > 0 else [])])


# The library


def _api() -> Iterator[str]:
    """The public names, of which docs/library.md tells what may be relied upon."""
    yield from ("# Public names", "")
    yield "[The library](../docs/library.md) shows how they are used, and what of them is promised."
    yield from ("", "```{eval-rst}")
    for name in (each for each in verideck.__all__ if not each.startswith("_")):
        yield from (f".. autoclass:: verideck.{name}", "   :members:", "")
    for module in MODULES:
        yield from (f".. automodule:: {module}", "   :members:", "   :exclude-members: Problem", "")
    yield "```"


_KINDS: Mapping[str, tuple[str, str, Callable[[], Iterator[Page]]]] = {
    "commands": (
        "Commands",
        "What `verideck` can be told. `verideck help` says the same.",
        _commands,
    ),
    "settings": (
        "Settings",
        "What `[tool.verideck]` of a `pyproject.toml` may hold, by its name there.",
        _settings,
    ),
    "problems": (
        "Problems",
        "What stands in brackets behind each problem. `verideck explain CODE` tells the same.",
        _problems,
    ),
}
"""Kinds of pages: the title and the beginning of their contents, and what makes them."""


if __name__ == "__main__":
    write(Path(sys.argv[1]))
