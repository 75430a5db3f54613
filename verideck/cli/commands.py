"""The command line: words in, exit code out (0 it holds, 1 the cards do not hold, 2 usage)."""

from __future__ import annotations

import contextlib
import io
import itertools
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from verideck.cli import report
from verideck.history import lock
from verideck.history.build_time import build_time
from verideck.model import Built, Card, Place, ProvenCard, Stats
from verideck.pipeline import Checked, compare, name
from verideck.pipeline import build as package
from verideck.pipeline import check as check_cards
from verideck.pipeline import lint as lint_cards
from verideck.problems import BuildFailedError, Code, Problem, errors, keep
from verideck.proof.audit import survived
from verideck.proof.verify import Proven, Watch, unwatched
from verideck.settings import PYPROJECT, Settings, find_root, is_executor, load, place_of
from verideck.storage.files import WRITTEN, absolute
from verideck.storage.store import FOLDER, forget
from verideck.targets import OUTPUTS, packages

INTERRUPTED = 130
"""What a shell expects of a command that Ctrl-C ended."""

Command = TypeVar("Command", bound=Callable[..., None])


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="verideck")
def verideck() -> None:
    """Markdown questions and answers become an Anki deck, and every snippet is proved first."""


def _executor(_: click.Context, __: click.Parameter, value: str) -> str:
    if not value or is_executor(value):
        return value
    raise click.BadParameter(f"{value} is none of fork, spawn, dask://host:port")


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
        click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path)),
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
            help="Execute nothing where this system cannot shut it in.",
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
    run = _Run(_Words(**given), packages=True)
    settings = run.settings()
    target = output or _target(run.words.paths, settings)
    if target.suffix not in OUTPUTS:
        known = ", ".join(sorted(OUTPUTS))
        what = target.suffix or "file without suffix"
        raise click.UsageError(f"cannot write a {what}: only {known} is known")
    stamp = _stamp()
    with run.telling() as tell:
        checked = run.checked(settings)
        tell(checked, package(checked, target, stamp, settings, locked=locked))


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
    cards = settings.root / settings.cards
    if not paths or any(path.resolve() == cards.resolve() for path in paths):
        return whole
    if len(paths) > 1:
        raise click.UsageError("name the package of these files by -o")
    return whole.with_name(paths[0].resolve().stem + whole.suffix)


@verideck.command("id")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
def name_them(paths: tuple[Path, ...]) -> None:
    """Write an {#id} behind every question that has none.

    It is the id by which cards.lock knows the card, so nothing of its history changes. PATHS are
    Markdown files and folders of them; without any, the project's cards folder.
    """
    run = _Run(_Words(paths=paths), packages=False)
    settings = run.settings()
    try:
        named = name(paths, settings)
    except BuildFailedError as failure:
        run.fail(failure.problems, failure.stats)
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
    run = _Run(_Words(form=form, quiet=quiet), packages=False)
    settings = run.settings()
    stamp, former = _stamp(), old or settings.root / settings.output
    try:
        packaged = packages.read(former)
    except FileNotFoundError as error:
        raise click.UsageError(_nothing_to_compare(settings)) from error
    except (OSError, packages.NoPackageError) as error:
        raise click.UsageError(f"{former}: {error}") from error
    try:
        with run.interruptible():
            found = compare(run.checked(settings), packaged, stamp, settings)
    except BuildFailedError as failure:
        run.fail(failure.problems, failure.stats)
    click.echo(
        report.compared_as_json(found) if form == "json" else report.compared(found, run.root)
    )


def _nothing_to_compare(settings: Settings) -> str:
    if not (settings.root / lock.NAME).exists():
        return f"there is no {settings.output} yet: build it, or name an older package"
    return (
        f"{settings.output} is not here: name an older package, or build with --locked the cards "
        f"that {lock.NAME} remembers (a build of others could tag none that are gone)"
    )


@verideck.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@_FORMAT
@_STRICT
@click.option("-q", "--quiet", is_flag=True, help="No summary.")
def lint(paths: tuple[Path, ...], form: str, *, strict: bool, quiet: bool) -> None:
    """Tell which rules for good cards are broken; execute nothing.

    The rules stand in docs/lint.md, and are set in [tool.verideck.lint]. PATHS are Markdown files
    and folders of them; without any, the project's cards folder.
    """
    run = _Run(_Words(paths=paths, form=form, strict=strict, quiet=quiet), packages=False)
    settings = run.settings()
    with run.interruptible():
        found = lint_cards(paths, settings, strict=strict)
    if form == "json":
        click.echo(report.linted_as_json(found))
    else:
        run.tell(found.problems, Stats(), None)
        if form == "human" and not quiet:
            click.echo(report.linted(found))
    sys.exit(1 if errors(found.problems) else 0)


@verideck.command()
def clean() -> None:
    """Forget all proofs and audits of former runs; the next one executes everything."""
    forgotten = forget((find_root(Path.cwd()) or Path.cwd()) / FOLDER)
    click.echo("all of it is forgotten" if forgotten else "nothing is kept here")


@verideck.command()
@_common
def check(**given: Any) -> None:  # noqa: ANN401 - click's words, see Words
    """Do all that build does, but package nothing."""
    run = _Run(_Words(**given), packages=False)
    settings = run.settings()
    with run.telling() as tell:
        tell(run.checked(settings), None)


@verideck.command()
@_common
def audit(**given: Any) -> None:  # noqa: ANN401 - click's words, see Words
    """Ask of every card whether its assertions could have caught a mistake.

    Changes the code that cards show, one place at a time, and counts the changes that an assertion
    notices. A card whose share is under the floor fails, and so does one that holds by luck.
    """
    run = _Run(_Words(**given), packages=False, audits=True)
    if run.words.no_verify:
        raise click.UsageError("an audit executes cards: leave out --no-verify")
    settings = replace(run.settings(), audit_build=True)
    try:
        with run.interruptible():
            checked = run.checked(settings)
    except BuildFailedError as failure:
        run.audited(failure.proven, failure.problems, failure.stats)
        sys.exit(1)
    run.audited(checked.proven, checked.problems, checked.stats)


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


class _Run:
    """One command from its words to its exit code."""

    def __init__(self, words: _Words, *, packages: bool, audits: bool = False) -> None:
        self.words = words
        self.packages = packages
        self.audits = audits
        self.root = find_root(absolute((words.paths or (Path.cwd(),))[0])) or Path.cwd()

    def settings(self) -> Settings:
        """The project's settings, with the flags that beat them."""
        problems: list[Problem] = []
        found = list(keep(load(self.root), problems))
        if problems:
            self.fail(problems, Stats())
        settings = replace(
            found[0],
            verify=found[0].verify and not self.words.no_verify,
            require_sandbox=found[0].require_sandbox or self.words.require_sandbox,
            executor=self.words.executor or found[0].executor,
        )
        if not self.words.paths and not (self.root / settings.cards).is_dir():
            self.miss_cards(settings)
        return settings

    def miss_cards(self, settings: Settings) -> NoReturn:
        """Tell that there is nothing to read, at the setting that says where, if there is one."""
        place = place_of("cards", settings)
        if place == Place(PYPROJECT):
            raise click.UsageError(f"no folder {settings.cards} here: name the Markdown files")
        message = f"there is no folder {settings.cards}"
        hint = "cards names the folder of the Markdown files"
        self.fail([Problem(Code.SETTING_INVALID, message, place, hint)], Stats())

    def checked(self, settings: Settings) -> Checked:
        """Run all stages but the last."""
        words = self.words
        return check_cards(
            words.paths,
            settings,
            strict=words.strict,
            update_outputs=words.update_outputs,
            watch=self.watch(),
        )

    @contextlib.contextmanager
    def telling(self) -> Iterator[Callable[[Checked, Built | None], None]]:
        """Tell how the run went, whichever way it goes."""
        try:
            with self.interruptible():
                yield self.succeed
        except BuildFailedError as failure:
            self.fail(failure.problems, failure.stats)

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let Ctrl-C end the run without a traceback."""
        try:
            yield
        except KeyboardInterrupt as interruption:
            too_late = WRITTEN in getattr(interruption, "__notes__", ())
            what = WRITTEN if too_late else "nothing was written"
            click.echo(f"Interrupted; {what}" if self.packages else "Interrupted", err=True)
            sys.exit(INTERRUPTED)

    def audited(
        self, proven: Sequence[ProvenCard], problems: Sequence[Problem], stats: Stats
    ) -> None:
        """Tell what an audit found: problems, and every change that survived."""
        told = {(problem.place, problem.message) for problem in problems}
        survivors = [survived(each) for one in proven if one.audit for each in one.audit.survivors]
        unseen = [each for each in survivors if (each.place, each.message) not in told]
        problems = sorted([*problems, *unseen], key=lambda problem: problem.place)
        if self.words.form == "json":
            click.echo(report.audits_as_json(proven, problems, stats))
            return
        self.tell(problems, stats, None)
        self.conclude(report.audits(proven, problems, self.root))

    def succeed(self, checked: Checked, built: Built | None) -> None:
        """Tell warnings and the summary."""
        self.tell(checked.problems, checked.stats, built)
        self.conclude(report.summary(checked.stats, checked.problems, built, self.root))

    def conclude(self, summary: str) -> None:
        """Tell the last lines."""
        if self.words.quiet:
            return
        if self.words.form == "human":
            click.echo(summary)
        elif self.words.form == "github":
            click.echo(report.notice(summary))

    def fail(self, problems: Sequence[Problem], stats: Stats) -> NoReturn:
        """Tell the problems and exit."""
        self.tell(problems, stats, None)
        failed = report.failed(problems, stats, packages=self.packages)
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
                click.echo(report.as_json(stats, problems, built=built, packages=self.packages))
            case "github":
                for problem in problems:
                    click.echo(report.annotation(problem, self.root))
            case _:
                for problem in problems:
                    click.echo(report.told(problem, self.root), err=True)

    def watch(self) -> Watch:
        """A bar on a terminal, plain lines elsewhere, nothing for programs."""
        if self.words.quiet or self.words.form != "human":
            return unwatched
        if sys.stderr.isatty():
            return _bar
        return _lines if self.packages or not self.audits else _lines_but_of_audits


def _bar(label: str, proven: Proven, cards: Sequence[Card]) -> Proven:
    """Show how many cards are done, which was the last, and how many there are in a second."""
    started = time.monotonic()
    first = list(itertools.islice(proven, 1))  # by then the cards are all there
    with _progress(label, len(cards)) as bar:
        for done, each in enumerate(itertools.chain(first, proven), start=1):
            place = each.card.place if isinstance(each, ProvenCard) else each.place
            rate = done / max(time.monotonic() - started, 1e-3)
            bar.update(isinstance(each, ProvenCard), f"{place.path}:{place.line} {rate:.1f}/s")
            yield each


def _progress(label: str, length: int) -> Any:  # noqa: ANN401 - click's own, which it does not name
    return click.progressbar(
        length=length, label=label, file=sys.stderr, item_show_func=lambda shown: shown
    )


def _lines_but_of_audits(label: str, proven: Proven, cards: Sequence[Card]) -> Proven:
    """Leave out what the table at the end tells again."""
    return proven if label == "auditing" else _lines(label, proven, cards)


def _lines(label: str, proven: Proven, _: Sequence[Card]) -> Proven:
    for each in proven:
        if label == "auditing":
            if isinstance(each, ProvenCard) and each.audit and not each.audit.reused:
                place, scored = each.card.place, report.scored(each.audit)
                click.echo(f"audited {place.path}:{place.line} ({scored})", err=True)
            yield each
            continue
        if isinstance(each, ProvenCard) and any(
            proof.assertions and not proof.reused for proof in each.proofs
        ):
            held = sum(proof.assertions for proof in each.proofs)
            seconds = sum(proof.seconds for proof in each.proofs)
            place = each.card.place
            line = f"proved {place.path}:{place.line} ({held} held, {seconds:.1f} s)"
            click.echo(line, err=True)
        yield each


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; what is not the author's or the caller's fault keeps its traceback."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what it cannot show is no reason to fall silent
            stream.reconfigure(errors="backslashreplace")
    try:
        verideck(args=arguments, prog_name="verideck")
    except Exception:
        click.echo("This is a bug in verideck; please report it with what follows.", err=True)
        raise
