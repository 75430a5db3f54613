"""The command line: words in, exit code out (0 it holds, 1 the cards do not hold, 2 usage)."""

from __future__ import annotations

import contextlib
import gc
import io
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from verideck.cli import progress, report
from verideck.events import Listener
from verideck.history import lock
from verideck.history.build_time import build_time
from verideck.model import Built, Place, ProvenCard, Rewritten, Stats
from verideck.problems import BY_UPDATE, BuildFailedError, Code, Problem, Problems, has_errors
from verideck.project import Project
from verideck.proof.audit import survived
from verideck.result import Result
from verideck.settings import PYPROJECT, Settings, find_root, require_executor
from verideck.source.read import is_whole
from verideck.storage.files import WRITTEN, absolute
from verideck.storage.store import FOLDER, forget
from verideck.targets import packages, require_suffix

INTERRUPTED = 130
"""What a shell expects of a command that Ctrl-C ended."""

Command = TypeVar("Command", bound=Callable[..., None])


class _Group(click.Group):
    """All commands; click itself would end them with 1 at Ctrl-C, as if cards did not hold."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; Ctrl-C ends it without a traceback."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("Interrupted", err=True)
            sys.exit(INTERRUPTED)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="verideck")
def verideck() -> None:
    """Markdown questions and answers become an Anki deck, and every snippet is proved first."""


def _executor(_: click.Context, __: click.Parameter, value: str) -> str:
    try:
        if value:
            require_executor(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return value


_PATHS = click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
_FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["human", "json", "github"]),
    default="human",
    help="How problems and the summary are told.",
)
_STRICT = click.option("--strict", is_flag=True, help="Make errors of warnings.")


def _common(command: Command) -> Command:
    """What every command that reads cards is told."""
    options = [
        _PATHS,
        _FORMAT,
        _STRICT,
        click.option(
            "--update",
            "update_outputs",
            is_flag=True,
            help="Write what snippets print into the cards.",
        ),
        click.option("--no-verify", is_flag=True, help="Execute nothing; cards say so."),
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
        click.option("-q", "--quiet", is_flag=True, help="No progress, no summary."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@verideck.command()
@_common
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The package to write.")
@click.option("--locked", is_flag=True, help="Fail where cards.lock would change; for CI.")
def build(output: Path | None, *, locked: bool, **given: Any) -> None:  # noqa: ANN401 - click's words, see Words
    """Parse, verify, render and package the cards.

    PATHS are Markdown files and folders of them; without any, the project's cards folder.
    """
    command = _Command(_Words(**given), packages=True)
    with command.opened() as project:
        settings = command.settings(project)
        target = output or _target(command.words.paths, settings)
        try:
            require_suffix(target)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        stamp = _stamp()
        result = command.checked(project)
        try:
            built = project.build(result, target, locked=locked, build_time=stamp)
        except BuildFailedError as failure:
            command.fail(failure.problems, result.stats)
        command.succeed(result, built)


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
def assign_ids(paths: tuple[Path, ...]) -> None:
    """Write an {#id} behind every question that has none.

    It is the id by which cards.lock knows the card, so nothing of its history changes. PATHS are
    Markdown files and folders of them; without any, the project's cards folder.
    """
    command = _Command(_Words(paths=paths), packages=False)
    with command.opened() as project:
        command.settings(project)
        try:
            named = project.assign_ids(paths)
        except BuildFailedError as failure:
            command.fail(failure.problems, Stats())
    for card in named:
        click.echo(f"{card.place}: {{#{card.identity.id if card.identity else ''}}}")
    click.echo(f"{len(named)} written" if named else "every question has an id")


@verideck.command()
@click.argument("old", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["human", "json"]),
    default="human",
    help="How it is told.",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def diff(old: Path | None, form: str, *, quiet: bool) -> None:
    """Tell what an import of a build of these cards would do; write nothing.

    OLD is the package that a learner has; without it, the one that was built last.
    """
    command = _Command(_Words(form=form, quiet=quiet), packages=False)
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
    click.echo(
        report.differences_as_json(found)
        if form == "json"
        else report.format_differences(found, command.root)
    )


def _nothing_to_compare(settings: Settings) -> str:
    if not (settings.root / lock.NAME).exists():
        return f"there is no {settings.output} yet: build it, or name an older package"
    return (
        f"{settings.output} is not here: name an older package, or build with --locked the cards "
        f"that {lock.NAME} remembers (a build of others could tag none that are gone)"
    )


@verideck.command()
@_PATHS
@_FORMAT
@_STRICT
@click.option("-q", "--quiet", is_flag=True, help="No summary.")
def lint(paths: tuple[Path, ...], form: str, *, strict: bool, quiet: bool) -> None:
    """Tell which rules for good cards are broken; execute nothing.

    The rules stand in docs/lint.md, and are set in [tool.verideck.lint]. PATHS are Markdown files
    and folders of them; without any, the project's cards folder.
    """
    words = _Words(paths=paths, form=form, strict=strict, quiet=quiet)
    command = _Command(words, packages=False)
    with command.opened() as project:
        command.settings(project)
        found = project.lint(paths)
    if strict:
        found = found.as_strict()
    if form == "json":
        click.echo(report.lint_as_json(found))
    else:
        command.tell(found.problems, Stats(), None)
        if form == "human" and not quiet:
            click.echo(report.format_lint(found))
    sys.exit(1 if has_errors(found.problems) else 0)


@verideck.command()
def clean() -> None:
    """Forget all proofs and audits of former runs; the next one executes everything."""
    forgotten = forget((find_root(Path.cwd()) or Path.cwd()) / FOLDER)
    click.echo("all of it is forgotten" if forgotten else "nothing is kept here")


@verideck.command()
@_common
def check(**given: Any) -> None:  # noqa: ANN401 - click's words, see Words
    """Do all that build does, but package nothing."""
    command = _Command(_Words(**given), packages=False)
    with command.opened() as project:
        command.settings(project)
        command.succeed(command.checked(project), None)


@verideck.command()
@_common
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
        command.audited(result.proven, result.problems, result.stats)
    sys.exit(0 if result.ok else 1)


@dataclass(frozen=True, slots=True)
class _Words:
    """What the command line says."""

    paths: tuple[Path, ...] = ()
    form: str = "human"
    strict: bool = False
    update_outputs: bool = False
    no_verify: bool = False
    quiet: bool = False
    require_sandbox: bool = False
    executor: str = ""


class _Command:
    """One command from its words to its exit code."""

    def __init__(self, words: _Words, *, packages: bool, audits: bool = False) -> None:
        self.words = words
        self.packages = packages
        self.audits = audits
        self.updated: Sequence[Rewritten] | None = None
        """What `--update` replaced; None without it."""
        self.root = find_root(absolute((words.paths or (Path.cwd(),))[0])) or Path.cwd()

    @contextlib.contextmanager
    def opened(self) -> Iterator[Project]:
        """The project, closed in the end. Ctrl-C ends the command without a traceback."""
        words = self.words
        try:
            with Project.open(
                self.root,
                verify=not words.no_verify,
                require_sandbox=words.require_sandbox,
                executor=words.executor,
            ) as project:
                yield project
        except KeyboardInterrupt as interruption:
            too_late = WRITTEN in getattr(interruption, "__notes__", ())
            what = WRITTEN if too_late else "nothing was written"
            click.echo(f"Interrupted; {what}" if self.packages else "Interrupted", err=True)
            sys.exit(INTERRUPTED)

    def settings(self, project: Project) -> Settings:
        """The settings, in which nothing is wrong, of a project in which there is something."""
        problems = Problems()
        settings = project.settings(problems)
        if problems.has_errors:
            self.fail(list(problems), Stats())
        if not self.words.paths and not (self.root / settings.cards).is_dir():
            self.miss_cards(settings)
        return settings

    def miss_cards(self, settings: Settings) -> NoReturn:
        """Tell that there is nothing to read, at the setting that says where, if there is one."""
        place = settings.at("cards")
        if place == Place(PYPROJECT):
            raise click.UsageError(f"no folder {settings.cards} here: name the Markdown files")
        message = f"there is no folder {settings.cards}"
        hint = "cards names the folder of the Markdown files"
        self.fail([Problem(Code.SETTING_INVALID, message, place, hint)], Stats())

    def result(self, project: Project) -> Result:
        """What a check comes to, shown as it goes on."""
        words = self.words
        if words.update_outputs:
            self.updated = project.update_outputs(words.paths)
            self.tell_updated()
        with self.progress() as listener:
            audit = True if self.audits else None
            result = project.check(words.paths, audit=audit, on_event=listener)
        if words.update_outputs:
            problems = tuple(map(_left_by_update, result.problems))
            result = replace(result, problems=problems)
        return result.as_strict() if words.strict else result

    def checked(self, project: Project) -> Result:
        """What a check comes to; where something is wrong, the command ends."""
        result = self.result(project)
        if not result.ok:
            self.fail(result.problems, result.stats)
        return result

    def tell_updated(self) -> None:
        """Tell what was replaced, before anything else can go wrong. JSON has it among the rest."""
        for each in self.updated or ():
            match self.words.form:
                case "human":
                    click.echo(report.format_rewritten(each, self.root), err=True)
                case "github":
                    click.echo(report.format_rewritten_notice(each, self.root))

    def progress(self) -> contextlib.AbstractContextManager[Listener]:
        """Nothing is shown to programs."""
        quiet = self.words.quiet or self.words.form != "human"
        return progress.shown(quiet=quiet, audits=self.audits)

    def audited(
        self, proven: Sequence[ProvenCard], problems: Sequence[Problem], stats: Stats
    ) -> None:
        """Tell what an audit found: problems, and every change that survived."""
        told = {(problem.place, problem.message) for problem in problems}
        survivors = [survived(each) for one in proven if one.audit for each in one.audit.survivors]
        unseen = [each for each in survivors if (each.place, each.message) not in told]
        problems = sorted([*problems, *unseen], key=lambda problem: problem.place)
        if self.words.form == "json":
            click.echo(report.audits_as_json(proven, problems, stats, updated=self.updated))
            return
        self.tell(problems, stats, None)
        self.conclude(report.format_audits(proven, problems, self.root))

    def succeed(self, result: Result, built: Built | None) -> None:
        """Tell warnings and the summary."""
        self.tell(result.problems, result.stats, built)
        self.conclude(report.format_summary(result.stats, result.problems, built, self.root))

    def conclude(self, summary: str) -> None:
        """Tell the last lines."""
        if self.words.quiet:
            return
        if self.words.form == "human":
            click.echo(summary)
        elif self.words.form == "github":
            click.echo(report.format_notice(summary))

    def fail(self, problems: Sequence[Problem], stats: Stats) -> NoReturn:
        """Tell the problems and exit."""
        self.tell(problems, stats, None)
        failed = report.format_failure(problems, stats, packages=self.packages)
        if self.words.form == "human":
            click.echo(failed, err=True)
        else:
            self.conclude(failed)
        sys.exit(1)

    def tell(self, problems: Sequence[Problem], stats: Stats, built: Built | None) -> None:
        """Tell the problems, in the order of their places, in the form that was asked for."""
        problems = sorted(problems, key=lambda problem: problem.place)
        match self.words.form:
            case "json":
                run = report.run_as_json(
                    stats, problems, built=built, packages=self.packages, updated=self.updated
                )
                click.echo(run)
            case "github":
                for problem in problems:
                    click.echo(report.format_annotation(problem, self.root))
            case _:
                for problem in problems:
                    click.echo(report.format_problem(problem, self.root), err=True)


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
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
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
    except Exception:
        click.echo("This is a bug in verideck; please report it with what follows.", err=True)
        raise
