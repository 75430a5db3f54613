"""A deck project's settings: `[tool.verideck]` of its pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, get_type_hints

from verideck.folder_settings import Folders, folder_settings
from verideck.model import Limits, Place
from verideck.problems import Code, Problem, Problems, shown, suggestion
from verideck.root import too_wide
from verideck.setting_types import (
    EXECUTOR,
    Count,
    Executor,
    FilePath,
    Level,
    MaybeSwitch,
    Paths,
    Seconds,
    SettingError,
    Share,
    Shared,
    Switch,
    Table,
    Tags,
    Text,
    Told,
    typed,
)
from verideck.storage.files import absolute, name_as_text
from verideck.storage.reading import Limit, UnusableFileError, hint_of, read

if TYPE_CHECKING:
    from tomlkit.container import Container
    from tomlkit.items import Item

PYPROJECT = "pyproject.toml"
_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for the whole project. A flag of the command line overrides it."""

    root: Path
    """The project's folder: snippets import from it, includes and images stay inside of it."""
    deck: Text = ""
    """The name above all decks; by default the folder's."""
    namespace: Text = ""
    """Each note's guid follows from it and the card's id, so it must never change; by default the
    name in `[project]`, else the deck's."""
    cards: Text = "cards"
    """The folder of the Markdown files."""
    output: FilePath = ""
    """The package; by default `dist/<folder>.apkg`."""
    css: Text = ""
    """A style sheet of the project's own, which stands behind that of the cards."""
    templates: Text = ""
    """The folder of the project's own templates, called as those that they replace."""
    lang: Text = ""
    """The language of the prose, as in HTML: `zh-CN`, `en`."""
    tags: Tags = ()
    """The tags of every card."""
    syntax: Text = ""
    """The form of files that name none."""
    level: Level = 0
    """The level of the headings that ask, in files that name none; 0 if it is not set."""
    hashtags: MaybeSwitch = None
    """Whether `#tag` in a text is a tag of its card; None: none is, and that is told."""
    folders: Folders = field(default_factory=lambda: MappingProxyType({}))
    """What holds below folders, by their paths from the project's folder."""
    docs_paths: Paths = ()
    """Markdown files, and folders of them, that are documents and no cards."""
    docs_share: Shared = ""
    """What the fences of a document share names in, where nothing else says it: `file` or
    `heading`."""
    docs_require_assertions: Switch = False
    """Whether the fences of documents must assert, as those of cards must."""
    verify: Switch = True
    """False: show snippets and execute none of them."""
    sandbox: Switch = True
    """Execute snippets in a sandbox, where the system has one."""
    require_sandbox: Switch = False
    """Execute nothing where there is no sandbox."""
    warnings: Told = "warning"
    """What a warning that a snippet gives is told as: a warning, or an error."""
    shared_memory: Switch = False
    """Let the sandbox open the shared memory and the semaphores of all processes: pools, queues,
    locks and DataLoader workers need it."""
    executor: Executor = ""
    """What executes: `fork` or `spawn` processes here, or the cluster at `dask://host:port`."""
    audit_build: Switch = False
    """Audit in every build: a card under the floor is an error, the score stands on the card."""
    audit_floor: Share = 0.6
    """The share of changes of its code that a card's assertions must notice."""
    audit_seeds: Count = 5
    """The number of other seeds under which an audit runs a card."""
    timeout: Seconds = _LIMITS.timeout
    """Wall time in seconds that the snippets of one card may take."""
    memory: Count = _LIMITS.memory
    """Megabytes that a process of one card may take."""
    disk: Count = _LIMITS.disk
    """Megabytes that the snippets of one card may write."""
    processes: Count = _LIMITS.processes
    """Processes that one card may be at once."""
    max_output: Count = _LIMITS.max_output
    """How many bytes the snippets of one card may print."""
    lint: Table = field(default_factory=lambda: MappingProxyType({}))
    """What the project sets for the rules, by their names; `rules.configured` understands it."""
    given: Mapping[str, object] = field(
        default_factory=lambda: MappingProxyType({}), repr=False, compare=False
    )
    """The values that the file sets, by their names in the file: `audit.floor`."""
    document: str = field(default="", repr=False, compare=False)
    """The text of the file."""

    def at(self, name: str) -> Place:
        """Where a setting stands, by its name in the file: `audit.floor`, `lint.code-long`.

        The file as a whole for a default, or for a value that a flag gave.
        """
        if name not in self.given:
            return Place(PYPROJECT)
        is_rule = name.startswith(_RULE)
        if not is_rule and getattr(self, _FIELDS[name]) != self.given[name]:
            return Place(PYPROJECT)
        return _place(name, self.document)

    @property
    def title(self) -> str:
        """What stands above all decks of a page: the name, or the folder's."""
        return self.deck or name_as_text(self.root)


_TABLES = ("audit", "docs", "lint")
"""The tables below `[tool.verideck]`."""


def _name_in_file(name: str) -> str:
    """The name of a field of `Settings` in the file: `audit.floor` for `audit_floor`."""
    table, _, rest = name.partition("_")
    return f"{table}.{rest}" if rest and table in _TABLES else name


_FIELDS = {
    _name_in_file(each.name): each.name
    for each in fields(Settings)
    if each.name not in {"root", "given", "document"}
}
_TYPES: Mapping[str, Any] = get_type_hints(Settings, include_extras=True)
SETTABLE = frozenset(_FIELDS)
_RULE = "lint."


def _is_narrow(folder: Path) -> bool:
    return not too_wide(folder)


def find_root(start: Path, may_be_root: Callable[[Path], bool] = _is_narrow) -> Path | None:
    """The folder at or above `start` whose pyproject.toml has `[tool.verideck]` or a part of it.

    A file that is not TOML counts if it seems to set something for verideck; so does one that is no
    regular file, or too large: `load` reports it. Folders that may be no root are passed over.
    """
    here = absolute(start)
    found = (each for each in (here, *here.parents) if _is_project(each / PYPROJECT))
    return next(filter(may_be_root, found), None)


_LONGEST = 100_000
"""Characters of a pyproject.toml. tomlkit takes some 30 microseconds for one."""
_DEEPEST = 20
"""Levels of tables and lists in each other, in what is set. No setting needs more than three."""
_BITS = 10_000
_MOST_DOTS = 500
_MENTION = re.compile(
    r"""^[^\S\n]*+(?:
      \[*+[^\S\n]*+["']?tool["']?[^\S\n]*+\.[^\S\n]*+["']?verideck\b
    | ["']?verideck["']?[^\S\n]*+(?:\.|=[^\S\n]*+\{)
    )""",
    re.MULTILINE | re.VERBOSE,
)


def _is_project(file: Path) -> bool:
    try:
        text = read(file, Limit.TEXT).decode(errors="replace")
    except UnusableFileError:
        return True
    except OSError:
        return False
    if "verideck" not in text and "\\" not in text:  # most files need no parsing
        return False
    if _too_large(text):
        return bool(_MENTION.search(text))
    try:
        tool = tomllib.loads(text).get("tool")
    except (ValueError, RecursionError):
        return bool(_MENTION.search(text))
    return isinstance(tool, dict) and "verideck" in tool


def load(root: Path, problems: Problems) -> Settings:
    """Read a project's settings. A setting that is wrong is reported, and its default returned."""
    text = _read(root / PYPROJECT, problems)
    document = _parsed(text, problems)
    tool = document.get("tool")
    table = tool.get("verideck", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        message = f"tool.verideck must be a table of settings, not {shown(table)}"
        problems.report(Problem(Code.SETTING_INVALID, message, _place("", text)))
        table = {}
    if objection := _objection(table):
        problems.report(Problem(Code.SETTING_INVALID, objection, Place(PYPROJECT)))
        table = {}
    given: dict[str, object] = {}

    def refuse(name: str, error: SettingError) -> None:
        place = _place(name, text)
        problems.report(Problem(Code.SETTING_INVALID, str(error), place, error.hint))

    for name, value in _flat(table):
        try:
            if name == "folders" and isinstance(value, dict):
                given[name] = folder_settings(value, root, refuse)
            else:
                given[name] = _converted(name, value)
        except SettingError as error:
            refuse(name, error)
    project = document.get("project")
    project_name = project.get("name", "") if isinstance(project, dict) else ""
    return _settings(root, given, str(project_name), text)


def require_executor(value: str) -> None:
    """Raise ValueError for a text that names no executor."""
    if not re.search(EXECUTOR, value):
        raise ValueError(f"{value} is none of fork, spawn, dask://host:port")


def _read(file: Path, problems: Problems) -> str:
    try:
        content = read(file, Limit.TEXT, (file.parent,))
        return content.decode().replace("\r\n", "\n").replace("\r", "\n")
    except FileNotFoundError:
        if not file.is_symlink():
            return ""
        why, hint = "it is a link that leads nowhere", "remove the link"
    except OSError as error:
        why, hint = error.strerror or str(error), hint_of(error)
    except UnicodeDecodeError as error:
        why, hint = str(error), ""
    message = f"this file cannot be read: {why}"
    problems.report(Problem(Code.SETTING_INVALID, message, Place(PYPROJECT), hint))
    return ""


def _too_large(text: str) -> Problem | None:
    """Why a file is not parsed: Python's parser takes the square of the length of a dotted key."""
    message, line = "", 1
    if len(text) > _LONGEST:
        message = f"this file is too long: {len(text):,} characters, at most {_LONGEST:,}"
    for number, each in enumerate(text.split("\n") if not message else (), 1):
        if each.count(".") > _MOST_DOTS:
            message, line = f"this line has more than {_MOST_DOTS} dots", number
            break
    return Problem(Code.SETTING_INVALID, message, Place(PYPROJECT, line)) if message else None


def _parsed(text: str, problems: Problems) -> dict[str, Any]:
    if too_large := _too_large(text):
        problems.report(too_large)
        return {}
    try:
        return tomllib.loads(text)
    except RecursionError:
        message, place = "this is not TOML: it is nested too deeply", Place(PYPROJECT)
    except ValueError as error:
        what = re.sub(r" \(at .*\)$", "", str(error))
        message, place = f"this is not TOML: {what}", _toml_place(str(error))
    problems.report(Problem(Code.SETTING_INVALID, message, place))
    return {}


def _toml_place(message: str) -> Place:
    found = re.search(r"line (\d+), column (\d+)", message)
    return Place(PYPROJECT, int(found[1]), int(found[2])) if found else Place(PYPROJECT)


def _objection(table: Mapping[str, object]) -> str:
    """Why settings are not read at all; empty for ordinary ones.

    They are looked at before anything is done with them that takes a level of the stack for each
    level of theirs, or makes a text of an integer.
    """
    level: list[object] = [table]
    for _ in range(_DEEPEST):
        if not level:
            return ""
        inner: list[object] = []
        for each in level:
            if isinstance(each, dict):
                inner += each.values()
            elif isinstance(each, list):
                inner += each
            elif isinstance(each, int) and each.bit_length() > _BITS:
                return "no setting is a number of so many digits"
        level = inner
    return "these settings are nested too deeply"


def _flat(table: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """The settings by their names; `floor` in the table `audit` is `audit.floor`."""
    for name, value in table.items():
        if name in _TABLES and isinstance(value, dict):
            yield from ((f"{name}.{inner}", each) for inner, each in value.items())
        else:
            yield name, value


def _converted(name: str, value: object) -> object:
    """A setting's value in its type. What is set for a rule is left to `rules`."""
    if name.startswith(_RULE):
        return value
    if name not in SETTABLE:
        raise SettingError(f"there is no setting {name}", suggestion(name, SETTABLE))
    return typed(name, value, _TYPES[_FIELDS[name]])


def _settings(root: Path, given: Mapping[str, object], project_name: str, text: str) -> Settings:
    set_here: dict[str, Any] = {
        _FIELDS[name]: value for name, value in given.items() if not name.startswith(_RULE)
    }
    deck = str(set_here.get("deck", name_as_text(root)))
    defaults = {
        "deck": deck,
        "namespace": project_name or deck,
        "output": f"dist/{name_as_text(root)}.apkg",
    }
    rules = {
        name.removeprefix(_RULE): value for name, value in given.items() if name.startswith(_RULE)
    }
    return Settings(
        root,
        **{**defaults, **set_here},
        lint=MappingProxyType(rules),
        given=MappingProxyType(given),
        document=text,
    )


def _place(name: str, text: str) -> Place:
    """Where a setting stands in the file; `[tool.verideck]` itself has the name ""."""
    return _places(text).get(name, Place(PYPROJECT))


def line_of(name: str, text: str) -> int:
    """The line of a key of a whole TOML file, or of a table in it: `limits`, `limits.timeout`."""
    return _places(text, ()).get(name, Place(PYPROJECT)).line


_MARK = re.compile("\0([0-9]+)\0")
"""Stands before an item of the rendered document. No TOML file holds a NUL."""


_OURS = ("tool", "verideck")


@lru_cache(maxsize=1)
def _places(text: str, table: tuple[str, ...] = _OURS) -> Mapping[str, Place]:
    """Where each setting of a table stands, however it is written.

    tomlkit renders a document as it was written, but does not tell where an item stands. So a mark
    is set before each item, and found again in the rendered lines.
    """
    import tomlkit  # noqa: PLC0415 - most runs never ask for a place
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415

    try:
        document = tomlkit.parse(text)
        paths = _mark(document, table)
        marked = document.as_string().split("\n")
    except (TOMLKitError, ValueError, RecursionError):
        return {}
    lines = text.split("\n")
    places: dict[str, Place] = {}
    for number, (line, pieces) in enumerate(zip(lines, map(_MARK.split, marked), strict=False), 1):
        if "".join(pieces[::2]) != line:  # tomlkit renders the quotes of some keys otherwise
            continue
        column = 1
        for before, mark, behind in zip(pieces[::2], pieces[1::2], pieces[2::2], strict=False):
            column += len(before)
            blanks = len(behind) - len(behind.lstrip(" \t"))
            path = paths[int(mark)]
            for depth in (1, 2, 3):
                name = ".".join(path[:depth])
                places.setdefault(name, Place(PYPROJECT, number, column + blanks))
    return places


def _mark(document: Container, table: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Set a mark before each item of a table; return their paths below that table."""
    paths: list[tuple[str, ...]] = []
    for path, item in _items(document):
        if path[: len(table)] == table:
            item.trivia.indent += f"\0{len(paths)}\0"
            paths.append(path[len(table) :])
    return paths


def _items(document: Container) -> Iterator[tuple[tuple[str, ...], Item]]:
    """All items of a document and of its tables, with their paths."""
    from tomlkit.items import InlineTable, Table  # noqa: PLC0415 - see `_places`

    tables: list[tuple[tuple[str, ...], Container]] = [((), document)]
    while tables:
        path, table = tables.pop()
        for key, item in table.body:
            if key is None:
                continue
            inner = (*path, key.key)
            yield inner, item
            if isinstance(item, Table | InlineTable):
                tables.append((inner, item.value))
