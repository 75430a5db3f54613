"""A deck project's settings: `[tool.verideck]` of its pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from verideck.model import LARGEST_LIMIT, Limits, Place
from verideck.problems import Code, Problem, Problems
from verideck.rules import RULES, Rules, changed
from verideck.source.attributes import suggestion
from verideck.storage.files import absolute
from verideck.targets import TARGETS

PYPROJECT = "pyproject.toml"
_LIMITS = Limits()


Package = str
"""A path whose suffix tells a kind of file that is known."""
Share = float
"""From 0 to 1."""
Executor = str
"""A name that `is_executor` knows."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for the whole project. A flag of the command line beats it."""

    root: Path
    """The project's folder: snippets import from it, includes and images stay inside of it."""
    deck: str = ""
    """The name above all decks; by default the folder's."""
    namespace: str = ""
    """With a card's id it makes the note's guid, so it never changes; by default the name in
    `[project]`, else the deck's."""
    cards: str = "cards"
    """The folder of the Markdown files."""
    output: Package = ""
    """The package; by default `dist/<folder>.apkg`."""
    lang: str = ""
    """The language of the prose, as in HTML: `zh-CN`, `en`."""
    verify: bool = True
    """False: show snippets and execute none of them."""
    sandbox: bool = True
    """Execute snippets inside of a box, where the system has one."""
    require_sandbox: bool = False
    """Execute nothing where there is no box."""
    executor: Executor = ""
    """Who executes: `fork` or `spawn` processes here, or `dask://host:port`."""
    audit_build: bool = False
    """Audit in every build: a card under the floor is an error, the score stands on the card."""
    audit_floor: Share = 0.6
    """The share of changes of its code that a card's assertions must notice."""
    audit_seeds: int = 5
    """Under how many other seeds an audit runs a card."""
    timeout: float = _LIMITS.timeout
    """Wall time in seconds that the snippets of one card may take."""
    memory: int = _LIMITS.memory
    """Megabytes that a process of one card may take."""
    disk: int = _LIMITS.disk
    """Megabytes that the snippets of one card may write."""
    processes: int = _LIMITS.processes
    """Processes that one card may be at once."""
    max_output: int = _LIMITS.max_output
    """How many bytes the snippets of one card may print."""
    lint: Rules = field(default_factory=lambda: RULES)
    """The rules for cards, without those that are turned off and with the limits that are set."""

    def at(self, name: str) -> Place:
        """Where a setting stands."""
        return place_of(name, self)


_TABLES = ("audit", "lint")
"""Names of tables: `floor` in one of them is told as `audit.floor`."""


def _written(name: str) -> str:
    """How a field of `Settings` is written."""
    table, _, rest = name.partition("_")
    return f"{table}.{rest}" if rest and table in _TABLES else name


_FIELDS = {_written(each.name): each for each in fields(Settings) if each.name != "root"}
SETTABLE = frozenset(_FIELDS)
_RULE = "lint."


def find_root(start: Path) -> Path | None:
    """The folder at or above `start` whose pyproject.toml has `[tool.verideck]` or a part of it."""
    here = absolute(start)
    for folder in (here, *here.parents):
        try:
            text = (folder / PYPROJECT).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        if re.search(r"^\s*\[\s*tool\s*\.\s*verideck\s*[].]", text, re.MULTILINE):
            return folder
    return None


def load(root: Path, problems: Problems) -> Settings:
    """Read the project's settings; see `_load`."""
    found = Settings(root)
    for each in _load(root):
        if isinstance(each, Problem):
            problems.report(each)
        else:
            found = each
    return found


def _load(root: Path) -> Iterator[Settings | Problem]:
    """Read the project's settings; what is wrong with them comes as problems beside the rest."""
    file = root / PYPROJECT
    try:
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        document = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        yield Problem(Code.SETTING_INVALID, f"this file cannot be read: {error}", Place(PYPROJECT))
        return
    except tomllib.TOMLDecodeError as error:
        what = re.sub(r" \(at line .*\)$", "", str(error))
        yield Problem(Code.SETTING_INVALID, f"this is not TOML: {what}", _toml_place(str(error)))
        return
    tool = document.get("tool", {})
    table = tool.get("verideck", {}) if isinstance(tool, dict) else {}
    given: dict[str, object] = {}
    rules = RULES
    for name, value in _flat(table) if isinstance(table, dict) else ():
        rule = name.removeprefix(_RULE) if name.startswith(_RULE) else ""
        message, hint = _objection_to_rule(rule, value) if rule else _objection(name, value)
        if message:
            yield Problem(Code.SETTING_INVALID, message, _line_of(name, text), hint)
        elif rule:
            rules = _ruled(rules, Code(rule), value)
        else:
            given[_FIELDS[name].name] = value
    project = document.get("project", {})
    project_name = project.get("name", "") if isinstance(project, dict) else ""
    yield _filled(root, {**given, "lint": rules}, str(project_name))


def is_executor(value: str) -> bool:
    """Whether somebody is named who can execute cards."""
    return bool(re.fullmatch(r"fork|spawn|dask://[^\s/]+:[0-9]+", value))


def place_of(name: str, settings: Settings) -> Place:
    """Where a setting stands that is in force; the file itself if it is none of the file's."""
    found = [each for each in _load(settings.root) if isinstance(each, Settings)]
    if not found or getattr(found[0], name) != getattr(settings, name):
        return Place(PYPROJECT)
    file = settings.root / PYPROJECT
    return _line_of(name, file.read_text(encoding="utf-8")) if file.exists() else Place(PYPROJECT)


def _flat(table: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """The settings by their names, those in tables with a point."""
    for name, value in table.items():
        if name in _TABLES and isinstance(value, dict):
            yield from ((f"{name}.{inner}", each) for inner, each in value.items())
        else:
            yield name, value


def _filled(root: Path, given: Mapping[str, object], project_name: str) -> Settings:
    deck = str(given.get("deck", root.name))
    defaults = {
        "deck": deck,
        "namespace": project_name or deck,
        "output": f"dist/{root.name}.apkg",
    }
    return Settings(root, **{**defaults, **given})  # type: ignore[arg-type] # checked by _objection


_TYPES: dict[str, tuple[Callable[[object], bool], str]] = {
    "Rules": (lambda _: False, "a table of rules"),
    "str": (lambda value: isinstance(value, str) and value.strip() != "", "a text"),
    "bool": (lambda value: isinstance(value, bool), "true or false"),
    "float": (
        lambda value: (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and 0 < value <= LARGEST_LIMIT
        ),
        f"a number of seconds above 0, at most {LARGEST_LIMIT:,}",
    ),
    "Executor": (
        lambda value: isinstance(value, str) and is_executor(value),
        "fork, spawn or dask://host:port",
    ),
    "Package": (
        lambda value: isinstance(value, str) and Path(value).suffix in TARGETS,
        f"a path that ends with {' or '.join(TARGETS)}",
    ),
    "Share": (
        lambda value: (
            isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
        ),
        "a number from 0 to 1",
    ),
    "int": (
        lambda value: (
            isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_LIMIT
        ),
        f"a whole number above 0, at most {LARGEST_LIMIT:,}",
    ),
}


def _objection(name: str, value: object) -> tuple[str, str]:
    """What is wrong with a setting, and what to do; two empty texts if nothing is."""
    if name not in SETTABLE:
        return f"there is no setting {name}", suggestion(name, SETTABLE)
    holds, wanted = _TYPES[str(_FIELDS[name].type)]
    return ("", "") if holds(value) else (f"{name} must be {wanted}, not {value!r}", "")


def _objection_to_rule(name: str, value: object) -> tuple[str, str]:
    """The same, of what is set for a rule."""
    if name not in RULES:
        return f"there is no rule {name}", suggestion(name, frozenset(RULES))
    rule = RULES[Code(name)]
    if isinstance(value, bool) or changed(rule, value):
        return "", ""
    wanted = 'false, "warning", a limit or two' if rule.limit else 'false or "warning"'
    return f"{name} must be {wanted}, not {value!r}", ""


def _ruled(rules: Rules, name: Code, value: object) -> Rules:
    """The rules with one of them as it is set."""
    rule = RULES[name] if value is True else changed(RULES[name], value)
    others = {each: rules[each] for each in rules if each is not name or rule}
    return {**others, **({name: rule} if rule else {})}


def _line_of(name: str, text: str) -> Place:
    """Where a key of `[tool.verideck]` stands; tomllib does not say."""
    table = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if header := re.match(r"\s*\[\s*tool\s*\.\s*verideck\s*(?:\.\s*(\w+)\s*)?\]", line):
            table = f"{header[1]}." if header[1] else "."
        elif line.lstrip().startswith("["):
            table = ""
        elif table and (key := re.match(r"(\s*)[\"']?([\w.-]+)[\"']?\s*=", line)):
            written = (table + key[2]).lstrip(".")
            if written in {name, name.partition(".")[0]}:
                return Place(PYPROJECT, number, len(key[1]) + 1)
    return Place(PYPROJECT)


def _toml_place(message: str) -> Place:
    found = re.search(r"line (\d+), column (\d+)", message)
    return Place(PYPROJECT, int(found[1]), int(found[2])) if found else Place(PYPROJECT)
