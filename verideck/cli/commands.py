"""The command line: words in, exit code out (0 it holds, 1 the cards do not hold, 2 usage)."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn, TypeVar

import click

from verideck import __version__, inert
from verideck.caller import SHARES, Caller, heard, root_of
from verideck.caps import caps_of
from verideck.cli import colours, printing, progress, report, signals, telling
from verideck.cli.formats import FORMS, TELL_OF_CARDS, as_json
from verideck.cli.formats.told import Told
from verideck.cli.telling import FAIL_ON, Teller, with_reasons
from verideck.events import CardFailed, CardProven, Event, Executing, Listener
from verideck.findings import Findings
from verideck.history import lock
from verideck.history.build_time import build_time
from verideck.model import Card, Place, ProvenCard, Rewritten
from verideck.own_paths import unsafe_path
from verideck.problems import (
    BY_UPDATE,
    BuildFailedError,
    CallerError,
    Code,
    Problem,
    Problems,
    has_errors,
)
from verideck.project import Project
from verideck.proof.audit import survived
from verideck.result import Built, Result
from verideck.root import too_wide
from verideck.settings import PYPROJECT, Settings, find_root, load, require_executor
from verideck.source.found import Form
from verideck.source.read import is_whole, of_project
from verideck.stats import stats_of
from verideck.storage.files import absolute, is_file, is_folder, place_name
from verideck.storage.kept import FOLDER, forget
from verideck.storage.reading import UnusableFileError, hint_of
from verideck.storage.writing import WRITTEN
from verideck.targets import TARGETS, Target, packages, target_of
from verideck.targets.target import AnkiTarget

Command = TypeVar("Command", bound=Callable[..., None])
Found = TypeVar("Found", bound=Findings)


class _Helped(click.Command):
    """A command whose help goes through the door of all that is printed."""

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return click's option, which would print the help itself."""
        option = super().get_help_option(ctx)
        if option:
            option.callback = _show_help
        return option


def _show_help(ctx: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    if value and not ctx.resilient_parsing:
        printing.out(ctx.get_help())
        ctx.exit()


def _show_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    if value and not ctx.resilient_parsing:
        printing.out(f"verideck, version {__version__}")
        ctx.exit()


class _Group(_Helped, click.Group):
    """All commands, and how they end."""

    command_class = _Helped

    def main(self, *words: Any, **given: Any) -> NoReturn:  # noqa: ANN401 - click's signature
        """Run a command and exit with its code; see the module."""
        try:
            code = super().main(*words, **{**given, "standalone_mode": False}) or 0
        except click.ClickException as error:
            if not telling.usage(given.get("args") or sys.argv[1:], error.format_message()):
                _tell_wrong_usage(error)
            code = error.exit_code
        except SystemExit as end:
            code = end.code or 0
        sys.exit(printing.ended(code))

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; Ctrl-C ends it without a traceback.

        click itself would end it with 1, as if cards did not hold.
        """
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            signals.interrupted()


def _tell_wrong_usage(error: click.ClickException) -> None:
    """Print what click would; its messages hold what was typed, or what a shell put there."""
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    lines = [f"Error: {inert.line(error.format_message())}"]
    if ctx:
        usage = ctx.get_usage()
        lines = [
            usage,
            f"Try '{ctx.command_path} {ctx.help_option_names[0]}' for help.",
            "",
            *lines,
        ]
    printing.err("\n".join(lines))


_MORE = """\b
Examples:
  verideck init                                 make this folder a project
  verideck build                                make the deck
  verideck check README.md docs --as docs       execute documents
  verideck check notes.md:31                    check one card
  verideck explain nothing-asserted             what a problem means

\b
Exit codes: 0 it holds, 1 something in the project does not, 2 the command line
is wrong, 130 Ctrl-C. `verideck help COMMAND` tells of one command.

\b
Completion, in bash (zsh, fish):
  eval "$(_VERIDECK_COMPLETE=bash_source verideck)"
"""


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]}, epilog=_MORE)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
@click.option(
    "-C",
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Do as if verideck was started in that folder.",
)
def verideck(directory: Path | None) -> None:
    """Markdown questions and answers become an Anki deck, and every snippet is proved first."""
    if directory:
        os.chdir(directory)


@verideck.command("help")
@click.argument("command", default="")
@click.pass_context
def help_(ctx: click.Context, command: str) -> None:
    """Tell of all commands, or of one."""
    above = ctx.parent
    assert above, "it is a command of the group"
    if not command:
        printing.out(above.get_help())
        return
    found = verideck.get_command(above, command)
    if found is None:
        raise click.UsageError(f"No such command {inert.line(command)!r}.")
    printing.out(found.get_help(click.Context(found, info_name=command, parent=above)))


def _executor(_: click.Context, __: click.Parameter, value: str) -> str:
    try:
        if value:
            require_executor(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return value


def _limits(_: click.Context, __: click.Parameter, words: tuple[str, ...]) -> dict[str, float]:
    try:
        return caps_of(words)
    except CallerError as error:
        raise click.BadParameter(str(error)) from None


def _heard(**said: Any) -> Caller:  # noqa: ANN401 - see `heard`
    try:
        return heard(**said)
    except CallerError as error:
        raise click.UsageError(str(error)) from None


def _root(paths: Sequence[Path], caller: Caller) -> Path:
    try:
        return root_of(paths, caller)
    except CallerError as error:
        raise click.UsageError(str(error)) from None


class Named(click.ParamType):  # type: ignore[type-arg] # a generic one in some versions
    """A file or a folder, or a line of a file: `notes.md:31`."""

    name = "path"

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's signature
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[Path, int]:
        """Return a path that is there, and a line of it; 0 for all of it."""
        path, line = str(value), 0
        if not os.path.lexists(path) and (found := _LINE.fullmatch(path)):
            path, line = found["path"], int(found["line"])
        if not os.path.exists(path) or (line and not is_file(Path(path))):  # noqa: PTH110 - a name that no file can have
            self.fail(f"Path {inert.line(str(value))!r} does not exist.", param, ctx)
        return Path(path), line


_LINE = re.compile(r"(?P<path>.+?):(?P<line>[1-9][0-9]{0,8})(?::[0-9]+)?")


def _all_of(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several options as one decorator; help tells them in this order."""

    def decorated(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorated


_PATHS = click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
_FORM = click.option(
    "--format",
    "form",
    type=click.Choice(["human", "json"]),
    default="human",
    help="How it is told.",
)
_FORMS = _all_of(
    click.option(
        "--format",
        "form",
        type=click.Choice(list(FORMS)),
        default="human",
        help="How problems and the summary are told.",
    ),
    click.option(
        "--output-file",
        "output_file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write that there; what people read is printed as ever.",
    ),
    click.option(
        "--summary",
        "summary_file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Add tables in Markdown there, such as $GITHUB_STEP_SUMMARY.",
    ),
    click.option(
        "--color",
        type=click.Choice(colours.CHOICES),
        default="auto",
        help="Whether problems have colours; NO_COLOR turns them off, too.",
    ),
)


def _fail_on(_: click.Context, __: click.Parameter, value: str) -> tuple[str, ...]:
    words = tuple(each.strip() for each in value.split(",") if each.strip())
    if unknown := [each for each in words if each not in FAIL_ON]:
        raise click.BadParameter(f"{unknown[0]} is none of {', '.join(FAIL_ON)}")
    return words


_FAIL_ON = click.option(
    "--fail-on",
    default="",
    metavar="WORDS",
    callback=_fail_on,
    help=f"Fail by what is no error, too: {', '.join(FAIL_ON)}, or several with commas.",
)
_OF_PROJECT = click.option(
    "--of-project",
    is_flag=True,
    help="Pass over files that the settings name neither as cards nor as documents; for hooks.",
)
_STRICT = click.option("--strict", is_flag=True, help="Make errors of warnings.")
_NO_VERIFY = click.option("--no-verify", is_flag=True, help="Execute nothing; cards say so.")
_SYNTAX = click.option(
    "--syntax",
    "--as",
    "syntax",
    default="",
    metavar="FORM",
    help="How cards are written; `docs` for documents, which are no cards.",
)
_OF_DOCUMENTS = _all_of(
    click.option(
        "--share",
        type=click.Choice(SHARES),
        help="What the fences of a document share names in.",
    ),
    click.option(
        "--require-assertions",
        is_flag=True,
        help="Documents must assert what their code computes, as cards must.",
    ),
)
_TRUST = click.option(
    "--trust", is_flag=True, help="Let the project's own settings hold, also those that loosen."
)
_EXECUTING = _all_of(
    click.option(
        "--require-sandbox",
        is_flag=True,
        help="Execute nothing where this system has no sandbox.",
    ),
    click.option(
        "--executor",
        default="",
        metavar="WHO",
        callback=_executor,
        help="fork or spawn processes here, or dask://host:port.",
    ),
    _TRUST,
    click.option(
        "--limit",
        "limits",
        multiple=True,
        metavar="NAME=VALUE",
        callback=_limits,
        help="The most that the project may ask for, such as timeout=900.",
    ),
)
"""What the caller alone decides (see `caller`)."""
_PREVIEWING = _all_of(_PATHS, _NO_VERIFY, _SYNTAX, _EXECUTING)
"""What a command that watches cards is told."""
_READING = _all_of(
    _FORMS,
    _STRICT,
    _FAIL_ON,
    click.option(
        "--update",
        "update_outputs",
        is_flag=True,
        help="Write what snippets print into the cards.",
    ),
    _NO_VERIFY,
    _SYNTAX,
    _EXECUTING,
    click.option(
        "-j",
        "--jobs",
        type=click.IntRange(1),
        metavar="N",
        help="Execute so many cards at once at most.",
    ),
    click.option("-q", "--quiet", is_flag=True, help="No progress, no summary."),
)
"""What a command that reads and executes cards is told, but for the paths."""
_COMMON = _all_of(_PATHS, _READING)
"""What a command that reads whole files of cards is told."""


@verideck.command()
@_COMMON
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help=f"The file to write: {', '.join(TARGETS)}. Only a package for Anki changes cards.lock.",
)
@click.option(
    "--print",
    "layout",
    default="",
    metavar="LAYOUT",
    help="Lay an .html out for paper: `cards` to be cut and folded.",
)
@click.option("--locked", is_flag=True, help="Fail where cards.lock would change; for CI.")
@click.option(
    "--keep-going",
    is_flag=True,
    help="Package the cards that hold, and fail all the same where one does not.",
)
def build(
    output: Path | None,
    *,
    layout: str,
    locked: bool,
    keep_going: bool,
    **given: Any,  # noqa: ANN401 - click's words, see Words
) -> None:
    """Parse, verify, render and package the cards.

    PATHS are Markdown files and folders of them; without any, the project's cards folder.
    """
    command = _Command(_Words(**given), packages=True)
    strict = command.words.strict
    if keep_going and strict:
        raise click.UsageError("--strict refuses what --keep-going lets pass: leave out one")
    with command.opened() as project:
        settings = command.settings(project)
        file = output or _target(command.words.paths, settings)
        target = _writer(file, layout)
        stamp = _stamp()
        is_new = isinstance(target, AnkiTarget) and command.is_unconfigured()
        result = command.result(project)
        try:
            if isinstance(target, AnkiTarget):
                built = project.build(
                    result, file, locked=locked, keep_going=keep_going, build_time=stamp
                )
            else:
                built = project.show(
                    result, file, layout=layout, keep_going=keep_going, strict=strict
                )
        except BuildFailedError as failure:
            command.fail(failure.problems, result)
        if is_new:
            command.teller.said(report.format_unconfigured(command.root))
        command.succeed(result, built)


def _writer(file: Path, layout: str) -> Target:
    """Return the target of a file, which has that layout."""
    try:
        target = target_of(file)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    layouts = () if isinstance(target, AnkiTarget) else target.layouts
    if layout and layout not in layouts:
        known = f": it has {', '.join(layouts)}" if layouts else ""
        raise click.UsageError(f"a {file.suffix} has no layout {layout}{known}")
    return target


def _stamp() -> int:
    """The moment that stamps what has changed."""
    try:
        return build_time()
    except ValueError as error:
        message = "SOURCE_DATE_EPOCH must be a number of seconds above 0, and not in the future"
        raise click.UsageError(message) from error


def _target(paths: Sequence[Path], settings: Settings) -> Path:
    """The deck's package; a part has one of its own, so as not to pass for the whole."""
    whole = settings.root / settings.output
    if is_whole(paths, settings):
        return whole
    if len(paths) > 1:
        raise click.UsageError("name the package of these files by -o")
    return whole.with_name(paths[0].resolve().stem + whole.suffix)


@verideck.command("id")
@_PATHS
@_TRUST
def assign_ids(paths: tuple[Path, ...], *, trust: bool) -> None:
    """Write an {#id} behind every question that has none.

    It is the id by which cards.lock knows the card, so nothing of its history changes. PATHS are
    Markdown files and folders of them; without any, the project's cards folder.
    """
    command = _Command(_Words(paths=paths, trust=trust), packages=False)
    with command.opened() as project:
        command.settings(project)
        try:
            named = project.assign_ids(paths)
        except BuildFailedError as failure:
            command.fail(failure.problems)
    for card in named:
        printing.out(report.format_named(card))
    printing.out(f"{len(named)} written" if named else "every question has an id")


@verideck.command(short_help="Show the deck in a browser, and again on every save.")
@_PREVIEWING
@click.option(
    "--host",
    default="127.0.0.1",
    help="Where to listen; others than this machine need the token that is printed.",
)
@click.option("--port", default=8766, type=click.IntRange(0, 65535), help="0 is any that is free.")
@click.option("--editor", default="", metavar="NAME", help="Link to an editor: vscode, zed, idea …")
@click.option("--open", "opens", is_flag=True, help="Open the page in a browser.")
@click.option(
    "--push", "pushes", is_flag=True, help="Let the page push into the Anki that is running."
)
def preview(
    host: str,
    port: int,
    editor: str,
    *,
    opens: bool,
    pushes: bool,
    **given: Any,  # noqa: ANN401 - click's words, see Words
) -> None:
    """Show the deck in a browser, as Anki does, and again on every save.

    Executes as check does. PATHS are Markdown files and folders of them; without any, the project's
    cards folder.
    """
    command = _Command(_Words(**given), packages=False)
    watching = _watching()
    with command.opened() as project:
        try:
            address = watching.Address(host, port)
            may = watching.May(editor, _page_pushes(project, command) if pushes else {})
            watching.preview(project, command.words.paths, address, may, opens=opens)
        except (ValueError, OSError) as error:
            raise click.UsageError(str(error)) from error


def _page_pushes(project: Project, command: _Command) -> Mapping[str, Any]:
    """What the page may ask for to push. Raises UsageError where Anki imports no such output."""
    from verideck.cli.pushing import FromPage  # noqa: PLC0415 - few commands push

    output = _target(command.words.paths, project.settings(Problems()))
    if not isinstance(_writer(output, ""), AnkiTarget):
        raise click.UsageError(f"Anki imports no {output.suffix}: --push wants a package")
    return FromPage(project, output, command.caller.push).acts


@verideck.command(short_help="Build on every save, and tell what became of each card.")
@_PREVIEWING
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file to write.")
@click.option(
    "--push", "pushes", is_flag=True, help="Push each build into the Anki that is running."
)
def watch(output: Path | None, *, pushes: bool, **given: Any) -> None:  # noqa: ANN401 - click's words, see Words
    """Build on every save, and tell what became of which card.

    PATHS are Markdown files and folders of them; without any, the project's cards folder.
    """
    command = _Command(_Words(**given), packages=False)
    watching = _watching()
    with command.opened() as project:
        paths = command.words.paths

        def target() -> Path:
            return output or _target(paths, project.settings(Problems()))

        file = target()
        is_package = isinstance(_writer(file, ""), AnkiTarget)
        if pushes and not is_package:
            raise click.UsageError(f"Anki imports no {file.suffix}: --push wants a package")
        push = partial(_push_again, project, command.caller) if pushes else None
        try:
            watching.watch(project, paths, target, push=push)
        except CallerError as error:
            raise click.UsageError(str(error)) from error


def _push_again(project: Project, caller: Caller, output: Path, result: Result) -> str:
    from verideck.cli.pushing import pushed_again  # noqa: PLC0415 - few commands push

    return pushed_again(project, result, output, caller.push)


def _watching() -> ModuleType:
    """What watches files and serves the page. Few installations have what it is made of."""
    try:
        return import_module("verideck.cli.watching")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("verideck"):
            raise
        message = f"{error.name} is not installed: pip install 'verideck[preview]'"
        raise click.UsageError(message) from error


@verideck.command(short_help="Tell what an import of a build would do; write nothing.")
@click.argument("old", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_FORM
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@_EXECUTING
def diff(old: Path | None, **given: Any) -> None:  # noqa: ANN401 - click's words, see Words
    """Tell what an import of a build of these cards would do; write nothing.

    OLD is the package that a learner has; without it, the one that was built last.
    """
    command = _Command(_Words(**given), packages=False)
    with command.opened() as project:
        settings = command.settings(project)
        stamp, former = _stamp(), old or settings.root / settings.output
        try:
            packaged = packages.read(former)
        except FileNotFoundError as error:
            raise click.UsageError(_nothing_to_compare(settings)) from error
        except (OSError, packages.NoPackageError) as error:
            raise click.UsageError(f"{former}: {error}") from error
        result = command.checked(project)
        found = project.diff(result, packaged, build_time=stamp)
    if command.words.form == "json":
        printing.document(as_json.of_differences(found))
    else:
        printing.out(report.format_differences(found, command.root))


@verideck.command(short_help="Build, and bring the deck into your Anki.")
@_PREVIEWING
@click.option("--dry-run", is_flag=True, help="Tell what would be done, note by note; do nothing.")
@click.option("--profile", default="", metavar="NAME", help="Refuse any other profile of Anki's.")
@click.option("--moves/--no-moves", default=None, help="Move cards whose notes have moved.")
@click.option(
    "--retired",
    type=click.Choice(["keep", "suspend", "delete"]),
    help="What becomes of notes whose cards are gone.",
)
@click.option(
    "--sync/--no-sync",
    default=None,
    help="Sync before cards are moved, suspended or deleted; or do it without.",
)
@click.option(
    "--collection",
    type=click.Path(path_type=Path),
    help="A collection.anki2 that no Anki has open, instead of the Anki that is running.",
)
@_FORM
@click.option("-q", "--quiet", is_flag=True, help="No progress, no summary.")
def push(
    *,
    dry_run: bool,
    profile: str,
    moves: bool | None,
    retired: str | None,
    sync: bool | None,
    collection: Path | None,
    **given: Any,  # noqa: ANN401 - click's words, see Words
) -> None:
    """Build, and bring the deck into your Anki; tell first what that does, and then what is there.

    Into the Anki that is running, through its add-on AnkiConnect; else by Anki's import dialog.
    PATHS are Markdown files and folders of them; without any, the project's cards folder.
    """
    from verideck.cli.pushing import Pushing, chosen  # noqa: PLC0415 - few commands push
    from verideck.push_plan import PushError  # noqa: PLC0415

    command = _Command(_Words(**given), packages=True)
    words, usual = command.words, command.caller.push
    choices = chosen(usual, profile=profile, moves=moves, retired=retired, sync=sync)
    with command.opened() as project:
        settings = command.settings(project)
        output = _target(words.paths, settings)
        pushing = Pushing(project, output, choices, _stamp(), form=words.form, quiet=words.quiet)
        try:
            with pushing.receiver(usual, collection, dry_run=dry_run) as receiver:
                pushing.run(command.checked(project), receiver, dry_run=dry_run)
        except PushError as error:
            raise click.UsageError("; ".join(filter(None, [str(error), error.hint]))) from error
        except BuildFailedError as failure:
            command.fail(failure.problems)


def _nothing_to_compare(settings: Settings) -> str:
    if not os.path.lexists(settings.root / lock.NAME):
        return f"there is no {settings.output} yet: build it, or name an older package"
    return (
        f"{settings.output} is not here: name an older package, or build with --locked the cards "
        f"that {lock.NAME} remembers (a build of others could tag none that are gone)"
    )


@verideck.command()
@_PATHS
@_FORMS
@_STRICT
@_OF_PROJECT
@click.option("-q", "--quiet", is_flag=True, help="No summary.")
@click.option(
    "--level",
    "--profile",
    "profile",
    type=click.Choice(["gentle", "full"]),
    help="Ask what makes cards hard to answer, or by all rules.",
)
@_TRUST
def lint(profile: str | None, **given: Any) -> None:  # noqa: ANN401 - click's words, see Words
    """Tell which rules for good cards are broken; execute nothing.

    The rules stand in docs/lint.md, and are set in [tool.verideck.lint]. PATHS are Markdown files
    and folders of them; without any, the project's cards folder.
    """
    words = _Words(**given)
    command = _Command(words, packages=False)
    with command.opened() as project:
        command.settings(project)
        found = project.lint(command.words.paths, profile=profile or "")
    if words.strict:
        found = found.as_strict()
    is_ok = not has_errors(found.problems)
    told = command.told(found.problems, Result(), report.format_lint(found))
    command.end(replace(told, linted=found), is_ok=is_ok)


@verideck.command("init")
@click.argument(
    "folder", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--ci", is_flag=True, help="Write a workflow for GitHub, too.")
def init(folder: Path, *, ci: bool) -> None:
    """Make a folder a deck project.

    Looks at the Markdown that is there, and writes settings that fit it, behind what pyproject.toml
    holds; a .gitignore; and a first file of cards where there is none. Overwrites nothing, executes
    nothing, and tells what a first build gives.
    """
    from verideck.init.begin import begin  # noqa: PLC0415 - it parses

    root = absolute(folder)
    above = find_root(root)
    if above and above != root:
        raise click.UsageError(f"{folder} is in the project {above}, whose settings hold here")
    if wide := too_wide(root):
        raise click.UsageError(f"{root} is {wide}: put the cards into a folder of their own")
    problems = Problems()
    try:
        begun = begin(root, problems, ci=ci)
    except UnusableFileError as error:
        _refuse(error, root)
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"nothing was written: {error}") from error
    if begun is None:
        for problem in problems:
            printing.err(report.format_problem(problem, root))
        sys.exit(1)
    with Project.open(root, verify=False) as project:
        result = project.check()
    printing.out(report.format_begun(begun, result, load(root, Problems())))


@verideck.command(short_help="Tell what the code of a problem means, by an example.")
@click.argument("code", default="")
def explain(code: str) -> None:
    """Tell what the code of a problem means, with an example that causes it.

    CODE stands in brackets behind each problem, such as nothing-asserted; without it, all are
    listed.
    """
    from verideck.cli import explaining  # noqa: PLC0415 - few commands do

    every, name = explaining.explained(), code.strip("[] ")
    if not name:
        printing.out(explaining.format_codes(every.values()))
    elif name in every:
        printing.out(explaining.format_explained(every[name]))
    else:
        raise click.UsageError(explaining.unknown(name, every))


@verideck.command(short_help="Forget the proofs and audits of former runs.")
def clean() -> None:
    """Forget all proofs and audits of former runs; the next one executes everything."""
    root = _root((), _heard())
    try:
        forgotten = forget(root / FOLDER)
    except OSError as error:
        _refuse(error, root)
    printing.out(f"what {FOLDER} kept is forgotten" if forgotten else "nothing is kept here")


def _refuse(error: OSError, root: Path) -> NoReturn:
    """Tell at which path of the project nothing is written or removed, and end."""
    problem = unsafe_path(Path(str(error.filename)), error.strerror or "", hint_of(error), root)
    printing.err(report.format_problem(problem, root))
    sys.exit(1)


@verideck.command(short_help="Execute and check everything, but package nothing.")
@click.argument("paths", nargs=-1, type=Named())
@_READING
@_OF_DOCUMENTS
@_OF_PROJECT
@click.option("--id", "ids", multiple=True, metavar="ID", help="Check the card with that id alone.")
@click.option("-x", "--exitfirst", "first", is_flag=True, help="End at the first card that fails.")
@click.option("--locked", is_flag=True, help="Fail where a build would change cards.lock.")
def check(
    paths: tuple[tuple[Path, int], ...],
    *,
    ids: tuple[str, ...],
    first: bool,
    locked: bool,
    **given: Any,  # noqa: ANN401 - click's words, see Words
) -> None:
    """Do all that build does, but package nothing; and execute documents.

    PATHS are Markdown files and folders of them; without any, the project's cards folder, and what
    its settings name as docs.paths. FILE:LINE is the card in that line alone.
    """
    lines = [(path, line) for path, line in paths if line]
    if (lines and (ids or len(lines) < len(paths))) or (locked and (lines or ids)):
        raise click.UsageError("name whole files, or lines of files, or ids")
    named = tuple(dict.fromkeys(path for path, _ in paths))
    command = _Command(_Words(named, ids=ids, first=first, **given), packages=False)
    command.lines = lines
    with command.opened() as project:
        command.settings(project, documents=True)
        found: Findings
        if locked:
            result = command.result(project)
            stale = project.stale(result) if result.ok else ()
            found = replace(result, problems=(*result.problems, *stale))
        else:
            found = command.findings(project)
        command.tell_forms(project, found.forms)
        if not found.ok:
            command.fail(found.problems, found)
        summary = report.format_summary(found.stats, found.problems, None, command.root)
        command.end(command.told(found.problems, found, summary), is_ok=True)


@verideck.command(short_help="Ask whether the assertions could have caught a mistake.")
@_COMMON
def audit(**given: Any) -> None:  # noqa: ANN401 - click's words, see Words
    """Ask of every card whether its assertions could have caught a mistake.

    Changes the code that cards show, one place at a time, and counts the changes that an assertion
    notices. A card whose share is under the floor fails, and so does one that holds by luck.
    """
    command = _Command(_Words(**given), packages=False, audits=True)
    if command.words.no_verify:
        raise click.UsageError("an audit executes cards: leave out --no-verify")
    with command.opened() as project:
        command.settings(project)
        result = command.result(project)
        command.audited(result)


@dataclass(frozen=True, slots=True)
class _Words:
    """What the command line says."""

    paths: tuple[Path, ...] = ()
    form: str = "human"
    output_file: Path | None = None
    summary_file: Path | None = None
    color: str = "auto"
    strict: bool = False
    fail_on: tuple[str, ...] = ()
    update_outputs: bool = False
    no_verify: bool = False
    syntax: str = ""
    quiet: bool = False
    require_sandbox: bool = False
    executor: str = ""
    jobs: int | None = None
    ids: tuple[str, ...] = ()
    first: bool = False
    share: str | None = None
    require_assertions: bool = False
    of_project: bool = False
    trust: bool = False
    limits: Mapping[str, float] = field(default_factory=dict)


class _FirstFailure(Exception):  # noqa: N818 - it is what was asked for
    """A card does not hold, and no other is to be told."""

    def __init__(self, problems: Sequence[Problem], result: Result) -> None:
        """Hold the problems of the card; and what became of it, and of those before it."""
        super().__init__()
        self.problems = problems
        self.result = result


@dataclass(slots=True)
class _UpToAFailure:
    """What is heard of a run that ends at the first card that does not hold."""

    known: dict[Place, Card] = field(default_factory=dict)
    """Every card that is executed."""
    proven: list[ProvenCard] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        """Hear an event. Raises _FirstFailure at a card that does not hold."""
        match event:
            case Executing(cards):
                self.known |= {card.place: card for card in cards}
            case CardProven(card, proofs):
                self.proven.append(ProvenCard(card, proofs))
            case CardFailed(place, problems):
                raise _FirstFailure(problems, self._result(place))
            case _:
                pass

    def _result(self, failed: Place) -> Result:
        every = [each.card for each in self.proven]
        every += [self.known[failed]] if failed in self.known else []
        documents = tuple(each for each in every if any(it.in_document for it in each.snippets))
        cards = tuple(each for each in every if each not in documents)
        stats = stats_of(cards, documents, self.proven, {})
        return Result(cards=cards, documents=documents, proven=tuple(self.proven), stats=stats)


class _Command:
    """One command from its words to its exit code."""

    def __init__(self, words: _Words, *, packages: bool, audits: bool = False) -> None:
        self.words = words
        self.packages = packages
        self.audits = audits
        self.updated: Sequence[Rewritten] | None = None
        """What `--update` replaced; None without it."""
        self.forms: Sequence[Form] | None = None
        """In which form each file is read; None where that is not told."""
        self.caller = _heard(
            verify=not words.no_verify,
            require_sandbox=words.require_sandbox,
            executor=words.executor,
            syntax=words.syntax,
            share=words.share or "",
            require_assertions=words.require_assertions,
            jobs=words.jobs or 0,
            trust=words.trust,
            limits=words.limits,
        )
        self.root = _root(self._in_projects() or words.paths, self.caller)
        self.teller = Teller(
            self.root,
            words.form,
            words.output_file,
            words.quiet,
            words.color,
            words.summary_file,
        )
        self.lines: Sequence[tuple[Path, int]] = ()
        """The lines of files that alone are asked for."""
        self.failures: dict[Place, Sequence[Problem]] = {}
        """The problems of each card that did not hold when it was executed."""
        self.until_failure = _UpToAFailure() if words.first else None
        """What was heard, if the run is to end at the first of these."""
        self.stopped = False
        """Whether it has ended there."""

    @contextlib.contextmanager
    def opened(self) -> Iterator[Project]:
        """The project, closed in the end. Ctrl-C ends the command without a traceback."""
        try:
            with self.project() as project:
                yield project
        except KeyboardInterrupt as interruption:
            too_late = WRITTEN in getattr(interruption, "__notes__", ())
            what = WRITTEN if too_late else "nothing was written"
            signals.interrupted(f"Interrupted; {what}" if self.packages else "Interrupted")

    def project(self) -> Project:
        """The project, open. Ends the command where the user's own cache key is none."""
        try:
            return Project(self.root, self.caller)
        except CallerError as error:
            raise click.UsageError(str(error)) from None

    def settings(self, project: Project, *, documents: bool = False) -> Settings:
        """The settings, in which nothing is wrong, of a project in which there is something.

        These are cards; or documents, if they are asked for.
        """
        problems = Problems()
        settings = project.settings(problems)
        if problems.has_errors:
            self.fail(list(problems))
        if self.words.of_project and self.words.paths:
            self.pass_over(of_project(self._in_projects(), settings, documents=documents))
        has_some = is_folder(self.root / settings.cards) or (documents and settings.docs_paths)
        if not self.words.paths and not has_some:
            self.miss_cards(settings)
        return settings

    def _in_projects(self) -> tuple[Path, ...]:
        """The paths that are in a folder with settings, if only these are asked for."""
        if not self.words.of_project:
            return self.words.paths
        return tuple(each for each in self.words.paths if self._is_in_project(each))

    def _is_in_project(self, path: Path) -> bool:
        folder = absolute(path) if path.is_dir() else absolute(path).parent
        return find_root(folder, self.caller.may_be_root) is not None

    def pass_over(self, kept: Sequence[Path]) -> None:
        """Tell how many files are not asked for, and go on with the others; end if there is none.

        Lines of files that are passed over are not asked for, either.
        """
        passed = len(self.words.paths) - len(kept)
        self.words = replace(self.words, paths=tuple(kept))
        self.lines = [each for each in self.lines if each[0] in kept]
        if passed:
            self.say(report.format_passed_over(passed))
        if not kept:
            self.succeed(Result(), None)

    def is_unconfigured(self) -> bool:
        """Whether this is no deck as yet, neither by settings nor by a former build."""
        return not os.path.lexists(self.root / lock.NAME) and find_root(self.root) is None

    def miss_cards(self, settings: Settings) -> NoReturn:
        """Tell that there is nothing to read, at the setting that says where, if there is one."""
        place = settings.at("cards")
        if place == Place(PYPROJECT):
            raise click.UsageError(
                f"no folder {settings.cards} here: name the Markdown files, or have "
                "`verideck init` make this folder a project"
            )
        message = f"there is no folder {settings.cards}"
        hint = "cards names the folder of the Markdown files"
        self.fail([Problem(Code.SETTING_INVALID, message, place, hint)])

    def result(self, project: Project) -> Result:
        """What a check comes to, shown as it goes on."""
        audit, documents = True if self.audits else None, not self.packages
        asked = partial(project.check, audit=audit, documents=documents, only=self.only)
        result = self.executed(project, asked)
        if self.only and not (result.cards or result.documents or has_errors(result.problems)):
            raise click.UsageError("there is no card at these lines, or with such an id")
        return result.as_strict() if self.words.strict else result

    def findings(self, project: Project) -> Findings:
        """What a check tells, shown as it goes on: its cards, too, if a form tells of each."""
        words = self.words
        if self.only or words.summary_file or words.form in TELL_OF_CARDS:
            return self.result(project)
        found = self.executed(project, project.findings)
        return found.as_strict() if words.strict else found

    @property
    def only(self) -> Mapping[str, Sequence[int]] | Sequence[str]:
        """Which cards are asked for, if not all."""
        lines: dict[str, list[int]] = {}
        for path, line in self.lines:
            lines.setdefault(place_name(absolute(path), self.root), []).append(line)
        return lines or self.words.ids

    def executed(self, project: Project, check: Callable[..., Found]) -> Found:
        """What a check finds, behind an update if there is one. Ends at a failure, if asked to."""
        words = self.words
        if words.update_outputs:
            try:
                self.updated = project.update_outputs(words.paths)
            except BuildFailedError as failure:
                self.fail(failure.problems)
            self.teller.updated(self.updated)
        try:
            with self.progress() as listener:
                found = check(words.paths, on_event=partial(self.hear, listener))
        except _FirstFailure as failure:
            self.teller.said("stopped at the first card that fails (-x)", failed=True)
            self.stopped = True
            self.fail(failure.problems, failure.result)
        if not words.update_outputs:
            return found
        return replace(found, problems=tuple(map(_left_by_update, found.problems)))

    def hear(self, listener: Listener, event: Event) -> None:
        """Hand an event on. Raises _FirstFailure at one, if no other is to be told."""
        listener(event)
        if isinstance(event, CardFailed):
            self.failures[event.place] = event.problems
        if self.until_failure:
            self.until_failure(event)

    def checked(self, project: Project) -> Result:
        """What a check comes to; where something is wrong, the command ends."""
        result = self.result(project)
        if not result.ok:
            self.fail(result.problems, result)
        return result

    def tell_forms(self, project: Project, forms: Sequence[Form]) -> None:
        """Tell in which form files are read.

        Of each that is named alone; of the others how many in each form, where folders are named
        or the forms differ. JSON has it among the rest.
        """
        files = [each for each in self.words.paths if each.is_file()]
        alone = {form.path: form for form in (project.forms(files) if files else ())}
        self.forms = [alone.get(form.path, form) for form in forms]
        for form in alone.values():
            self.say(report.format_form(form))
        others = [form for form in forms if form.path not in alone]
        if len(files) < len(self.words.paths) or len({form.name for form in others}) > 1:
            self.say(report.format_forms(others))

    def progress(self) -> contextlib.AbstractContextManager[Listener]:
        """Nothing is shown to programs."""
        quiet = self.words.quiet or self.teller.shown != "human"
        return progress.shown(quiet=quiet, audits=self.audits)

    def say(self, lines: str) -> None:
        """Tell people something beside what was found."""
        if self.teller.shown == "human":
            self.teller.said(lines)

    def audited(self, result: Result) -> NoReturn:
        """Tell what an audit found: problems, and every change that survived; and end."""
        proven, problems = result.proven, result.problems
        told = {(problem.place, problem.message) for problem in problems}
        survivors = [survived(each) for one in proven if one.audit for each in one.audit.survivors]
        unseen = [each for each in survivors if (each.place, each.message) not in told]
        every = [*problems, *unseen]
        summary = report.format_audits(proven, every, self.root)
        self.end(replace(self.told(every, result, summary), audited=proven), is_ok=result.ok)

    def succeed(self, result: Result, built: Built | None) -> NoReturn:
        """Tell the problems and the summary. The command fails where a card was left out."""
        problems = (*result.problems, *(built.problems if built else ()))
        if result.ok:
            summary = report.format_summary(result.stats, problems, built, self.root)
        else:
            summary = report.format_partial(result, built, self.root)
        told = self.told(problems, result, summary)
        left_out = report.left_out(result)
        self.end(replace(told, built=built, left_out=left_out), is_ok=result.ok)

    def fail(self, problems: Sequence[Problem], found: Findings | None = None) -> NoReturn:
        """Tell the problems and exit. `found` is what was found before, if anything was."""
        found = found or Result()
        summary = report.format_failure(problems, found.stats, packages=self.packages)
        self.end(self.told(problems, found, summary), is_ok=False)

    def told(self, problems: Sequence[Problem], found: Findings, summary: str) -> Told:
        """What is told of a run: its problems, in the order of their places."""
        problems = sorted(problems, key=lambda problem: problem.place)
        return Told(
            self.root,
            problems,
            found,
            self.failures,
            self.stopped,
            summary,
            packages=self.packages,
            updated=self.updated,
            forms=self.forms,
        )

    def end(self, told: Told, *, is_ok: bool) -> NoReturn:
        """Tell all that was found, and exit with the code that follows from it."""
        told = with_reasons(told, self.words.fail_on)
        try:
            is_a_table = told.audited is not None or told.linted is not None
            self.teller.ended(told, failed=not (is_ok or is_a_table))
        except OSError as error:
            raise click.UsageError(f"{error.filename}: {error.strerror or error}") from None
        sys.exit(0 if is_ok and not told.failed_on else 1)


def _left_by_update(problem: Problem) -> Problem:
    """A problem after an update: no hint proposes what was just done in vain."""
    if BY_UPDATE not in problem.hint:
        return problem
    hint = (
        "--update has not written it: nothing is written on a card that fails otherwise, nor in a "
        "line that holds a deletion"
    )
    return replace(problem, hint=hint)


def main(arguments: Sequence[str]) -> None:
    """Run the command line; what is not the author's or the caller's fault keeps its traceback."""
    gc.freeze()
    gc.set_threshold(100_000)  # values are trees: to look for circles in them costs much, in vain
    # What Python says of code that is parsed here, an author's or a mutant's; a card's own process
    # tells it at its line.
    warnings.filterwarnings("ignore", category=SyntaxWarning, module="<unknown>")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what it cannot show is no reason to fall silent
            stream.reconfigure(errors="backslashreplace")
    try:
        verideck(args=list(arguments), prog_name="verideck")
    except Exception:  # noqa: BLE001 - told with its traceback, as Python would
        printing.err("This is a bug in verideck; please report it with what follows.")
        printing.err(traceback.format_exc())
        sys.exit(1)
