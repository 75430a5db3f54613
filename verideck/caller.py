"""What only the caller decides: who runs verideck, and not who wrote the project.

A project's settings may tighten what holds for the caller, and never loosen it; the caller loosens.
The caller speaks by flags (or the parameters of `Project.open`), by environment variables and by
the user's configuration file, and is heard in this order.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType

from verideck import user_file
from verideck.caps import CAPS, UNCAPPED, cap, caps_of, over_cap
from verideck.folder_settings import Folders
from verideck.model import Limits
from verideck.problems import CallerError, Code, Problem, Problems, shown
from verideck.push_choices import Usual
from verideck.root import holds_repositories, too_wide
from verideck.settings import Settings, find_root, require_executor
from verideck.source.config import DOCUMENT
from verideck.storage.files import absolute, is_inside, resolved
from verideck.storage.reading import within
from verideck.storage.user_folders import config_file

TRUST = "VERIDECK_TRUST"
REQUIRE_SANDBOX = "VERIDECK_REQUIRE_SANDBOX"
EXECUTOR = "VERIDECK_EXECUTOR"
LIMIT = "VERIDECK_LIMIT"
ANKI_KEY = "VERIDECK_ANKI_KEY"
ANKI_PORT = "VERIDECK_ANKI_PORT"

SHARES = ("file", "heading")
"""What the fences of a document can share names in."""
_SWITCHES = {"": False, "0": False, "1": True}
_SCHEME = "://"


@dataclass(frozen=True, slots=True)
class Caller:
    """What the caller says. `heard` collects it."""

    verify: bool = True
    """False: execute nothing."""
    require_sandbox: bool = False
    """Execute nothing where there is no sandbox."""
    executor: str = ""
    """Who executes, where it is not empty."""
    syntax: str = ""
    """The form of the files that name none, where it is not empty."""
    share: str = ""
    """What the fences of documents that do not say it share names in, where it is not empty."""
    require_assertions: bool = False
    """Whether the fences of documents must assert."""
    jobs: int = 0
    """How many cards are executed at once at most; 0 leaves it to who executes."""
    trust: bool = False
    """Whether the settings of any project hold as they are."""
    trusted: frozenset[Path] = frozenset()
    """The folders of projects whose settings hold as they are, without links."""
    limits: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """The caps that the caller names. They hold for trusted projects, too."""
    push: Usual = field(default_factory=Usual)
    """How the caller pushes into Anki. A project says nothing of that: it is the learner's."""

    def trusts(self, root: Path) -> bool:
        """Whether the settings of the project in a folder hold as they are."""
        return self.trust or resolved(root) in self.trusted

    def caps(self, root: Path) -> Mapping[str, float]:
        """The most that a project may ask for, by the names of settings."""
        return {**(UNCAPPED if self.trusts(root) else CAPS), **self.limits}

    def may_be_root(self, folder: Path) -> bool:
        """Whether a folder with `[tool.verideck]` is a project."""
        return self.trusts(folder) or not too_wide(folder)


def heard(  # noqa: PLR0913 - what a caller may say, all of it by name
    *,
    verify: bool = True,
    require_sandbox: bool = False,
    executor: str = "",
    syntax: str = "",
    share: str = "",
    require_assertions: bool = False,
    jobs: int = 0,
    trust: bool = False,
    limits: Mapping[str, float] = MappingProxyType({}),
) -> Caller:
    """What the caller says: by these flags, else by the environment, else by the user's file.

    Raises CallerError for what verideck does not know.
    """
    file = user_file.read(config_file())
    named = {name: cap(name, value) for name, value in limits.items()}
    try:
        executor = executor or os.environ.get(EXECUTOR, "") or file.executor
        if executor:
            require_executor(executor)
        caps = {**file.limits, **caps_of(os.environ.get(LIMIT, "").split()), **named}
    except ValueError as error:
        raise CallerError(str(error)) from error
    if syntax:
        _require_syntax(syntax)
    if share not in {"", *SHARES}:
        raise CallerError(f"there is no {shown(share)} to share names in: {' or '.join(SHARES)}")
    return Caller(
        verify,
        require_sandbox or _switch(REQUIRE_SANDBOX, otherwise=file.require_sandbox),
        executor,
        syntax,
        share,
        require_assertions,
        jobs,
        trust or _switch(TRUST, otherwise=False),
        file.trusted,
        MappingProxyType(caps),
        _usual(file.push),
    )


def _usual(usual: Usual) -> Usual:
    """How the caller pushes, by the environment where it says something."""
    port = os.environ.get(ANKI_PORT, "")
    if port and not (port.isdecimal() and 0 < int(port) < _PORTS):
        raise CallerError(f"{ANKI_PORT} must be a port, and not {shown(port)}")
    key = os.environ.get(ANKI_KEY, "") or usual.key
    return replace(usual, key=key, port=int(port) if port else usual.port)


_PORTS = 65_536


def _require_syntax(name: str) -> None:
    from verideck.source.syntaxes import SYNTAXES  # noqa: PLC0415 - few callers name one

    if name not in SYNTAXES:
        raise CallerError(f"there is no syntax {shown(name)}: there are {', '.join(SYNTAXES)}")


def _switch(variable: str, *, otherwise: bool) -> bool:
    text = os.environ.get(variable, "")
    if text not in _SWITCHES:
        raise CallerError(f"{variable} must be 1 or 0, not {shown(text)}")
    return _SWITCHES[text] if text else otherwise


def root_of(paths: Sequence[Path], caller: Caller) -> Path:
    """The root of the project that files and folders are in; without any, the working folder's.

    That is the nearest folder with `[tool.verideck]`. Where there is none, it is the folder itself,
    or the file's own: of several, the one that holds the others. Raises CallerError where that is
    too wide, and for paths that are not in one project.
    """
    places = [absolute(path) for path in paths] or [Path.cwd()]
    folders = [each if each.is_dir() else each.parent for each in places]
    root = find_root(folders[0], caller.may_be_root)
    if root is None:
        root = min(folders, key=lambda folder: len(folder.parts))
        if wide := too_wide(root) or _of_repositories(root):
            raise CallerError(
                f"{root} is {wide}, and snippets may read all of their project: put the cards into "
                "a folder of their own, with a pyproject.toml that has [tool.verideck]"
                + (" (or say --trust)" if find_root(root, lambda folder: folder == root) else "")
            )
    for each in places:
        if not (each.is_relative_to(root) or is_inside(each, root)):
            raise CallerError(f"{each} is not in {root}: name the files of one project")
    return root


def _of_repositories(folder: Path) -> str:
    """What a folder is that holds repositories, and says nothing of cards; empty for others."""
    return "a folder of repositories" if holds_repositories(folder) else ""


def held(settings: Settings, caller: Caller, problems: Problems) -> Settings:
    """A project's settings, as far as the caller lets them hold.

    Each one that would loosen what holds for the caller is reported at its line.
    """
    problems.extend(_refusals(settings, caller))
    caps = caller.caps(settings.root)
    lowered = {
        _field(name): min(getattr(settings, _field(name)), most)
        for name, most in caps.items()
        if name not in settings.given
    }
    return replace(
        settings,
        verify=settings.verify and caller.verify,
        require_sandbox=settings.require_sandbox or caller.require_sandbox,
        executor=caller.executor or settings.executor,
        syntax=caller.syntax or settings.syntax,
        docs_paths=() if caller.syntax not in {"", DOCUMENT} else settings.docs_paths,
        docs_share=caller.share or settings.docs_share,
        docs_require_assertions=caller.require_assertions or settings.docs_require_assertions,
        folders=_overruled(settings.folders, caller),
        **lowered,
    )


def _overruled(folders: Folders, caller: Caller) -> Folders:
    """What is set for folders, without what the caller says."""
    every = {
        path: replace(
            each,
            syntax="" if caller.syntax else each.syntax,
            share="" if caller.share else each.share,
        )
        for path, each in folders.items()
    }
    return MappingProxyType(every)


def fence_caps(caller: Caller, root: Path) -> tuple[tuple[str, float], ...]:
    """The most that the options of a fence may ask for."""
    caps = caller.caps(root)
    return tuple((each.name, caps[each.name]) for each in fields(Limits))


def _field(name: str) -> str:
    """The field of `Settings` that a setting is."""
    return name.replace(".", "_")


def _refusals(settings: Settings, caller: Caller) -> Iterator[Problem]:
    if _SCHEME in settings.executor:
        yield _refusal(
            settings,
            "executor",
            "a project cannot name a cluster: what it answers is believed",
            "if you trust it, name it yourself: --executor dask://host:port",
        )
    for name, value in caller.caps(settings.root).items():
        asked = settings.given.get(name)
        if isinstance(asked, int | float) and asked > value:
            yield over_cap(name, asked, value, settings.at(name))
    if not is_inside(settings.root / settings.cards, settings.root):
        message, hint = "cards is outside the project", "name its files on the command line"
        yield Problem(Code.SETTING_INVALID, message, settings.at("cards"), hint)
    for path in settings.docs_paths:
        if not is_inside(settings.root / path, settings.root):
            message = f"docs.paths names what is outside the project: {path}"
            hint = "name its files on the command line"
            yield Problem(Code.SETTING_INVALID, message, settings.at("docs.paths"), hint)
    if not caller.trusts(settings.root):
        yield from _untrusted(settings)


def _untrusted(settings: Settings) -> Iterator[Problem]:
    allow = "whoever trusts this project says --trust"
    if not settings.sandbox:
        message = "sandbox = false would execute snippets with your rights"
        yield _refusal(settings, "sandbox", message, allow)
    if settings.shared_memory:
        message = "shared_memory = true would open what other programs share to snippets"
        yield _refusal(settings, "shared_memory", message, allow)
    if not within(settings.root / settings.output, settings.root):  # a link is told by its path
        message = "output would be written outside of the project"
        yield _refusal(settings, "output", message, allow)


def _refusal(settings: Settings, name: str, message: str, hint: str) -> Problem:
    return Problem(Code.TRUST_MISSING, message, settings.at(name), hint)
