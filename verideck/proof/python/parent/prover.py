"""Proves cards: executes their snippets, unless a former run proved them and is still true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event

from verideck.model import Place, Proof, Snippet
from verideck.problems import Code, Problem, has_errors
from verideck.proof.config import ExecutionConfig
from verideck.proof.python.parent import engines, needs, proof_cache
from verideck.proof.python.parent.project_files import ProjectFiles
from verideck.proof.python.parent.request import request_of, steps_of
from verideck.proof.python.parent.testimony import heard, is_believable
from verideck.proof.python.parent.verdicts import judged, verdict
from verideck.proof.python.wire.run import ExecutorError, NobodyError
from verideck.proof.python.wire.transcript import without_prompts
from verideck.proof.python.wire.versions import Installed
from verideck.proof.sandbox import kernel


class Python:
    """Executes the Python snippets of cards, for many runs (see `scheduling.Executor`).

    Outputs among the snippets are compared, not executed.
    """

    def __init__(self, config: ExecutionConfig, stop: Event) -> None:
        """Start nothing before it is needed. Setting `stop` breaks off the run."""
        self.config = config
        self.engine = engines.opened(config.executor, config.root, stop)
        self.rows = proof_cache.rows(config.store)
        self.installed = Installed()
        self.files = ProjectFiles(config.root)

    @property
    def width(self) -> int:
        """How many cards are worth executing at the same time."""
        return min(self.engine.width, self.config.jobs or self.engine.width)

    def begin(self) -> None:
        """Begin a run: what is installed is looked up anew."""
        self.installed = Installed()
        self.files.begin()
        self.engine.begin()

    def cached(self, snippets: Sequence[Snippet]) -> list[Proof | Problem] | None:
        """The proofs of a former run, if it is still true. Executes nothing."""
        request = request_of(snippets, self.config)
        row = self.rows.find(proof_cache.run_key(request))
        if row is None or not proof_cache.is_fresh(row, request, self.installed, self.files):
            return None
        if not is_believable(row.reports, row.last, request):
            return None
        if self.config.sandbox_required and not row.last.sandbox:
            return None
        found = list(judged(snippets, row.reports, row.last, self.config))
        if _refuted(found):
            return None
        return [replace(each, reused=True) if isinstance(each, Proof) else each for each in found]

    def expect(self, snippets: Sequence[Snippet]) -> None:
        """Prepare for snippets that are about to be executed."""
        code = "\n".join(map(_importing, steps_of(snippets)))
        root = self.config.root
        notes = [(root / each.origin.path).parent for each in snippets]
        self.engine.warm(*needs.needed(code, [root, *dict.fromkeys(notes), root / "src"]))

    def execute(self, snippets: Sequence[Snippet]) -> list[Proof | Problem]:
        """Execute the snippets of one card. Returns proofs of all of them, or problems."""
        request = request_of(snippets, self.config)
        if refusal := self.refusal(snippets):
            return [refusal]
        try:
            run = self.engine.run(request)
        except ExecutorError as error:
            return [unexecuted(snippets, error, self.config)]
        said = heard(run, request, self.files)
        found, last = list(verdict(snippets, run, said, self.config)), said.last
        if last and self.config.sandbox_required and not last.sandbox:
            place = steps_of(snippets)[0].place
            return [_unprotected(place, "the machine that executed it has none")]
        if last and not _refuted(found):
            row = proof_cache.proved_run(request, said.reports, last)
            self.rows.keep(proof_cache.run_key(request), row)
        return found

    def refusal(self, snippets: Sequence[Snippet]) -> Problem | None:
        """Why the snippets of a card must not be executed, as far as this machine can know."""
        if not self.config.sandbox_required:
            return None
        if not self.config.sandbox:
            return _unprotected(self.config.sandbox_place, "it is turned off")
        missing = kernel.missing() if self.engine.is_here else ""
        return _unprotected(steps_of(snippets)[0].place, missing) if missing else None

    def close(self) -> None:
        """End all processes, for good."""
        self.engine.close()


def _refuted(found: Sequence[Proof | Problem]) -> bool:
    """Whether a card does not hold. A card with warnings holds."""
    return has_errors(each for each in found if isinstance(each, Problem))


def unexecuted(
    snippets: Sequence[Snippet], error: ExecutorError, config: ExecutionConfig
) -> Problem:
    """The problem of a card that was not executed; of the project if none can be executed."""
    nobody = isinstance(error, NobodyError)
    place = config.executor_place if nobody else steps_of(snippets)[0].place
    return Problem(Code.EXECUTOR_FAILED, str(error), place)


def _importing(snippet: Snippet) -> str:
    """Code that imports what a snippet imports."""
    if snippet.options.include:
        return f"import {'.'.join(Path(snippet.options.include).with_suffix('').parts)}"
    return without_prompts(snippet.code) if snippet.session else snippet.code


def _unprotected(place: Place, why: str) -> Problem:
    return Problem(
        Code.SANDBOX_MISSING,
        f"a sandbox is required, and there is none: {why}",
        place,
        "without require_sandbox, snippets are executed with your rights",
    )
