"""Proves cards: has their snippets executed, unless a former run did it and still holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event

from verideck.model import Place, Proof, Snippet
from verideck.problems import Code, Problem, errors
from verideck.proof.config import ExecutionConfig
from verideck.proof.python.parent import engine, needs, proof_cache
from verideck.proof.python.parent.request import request_of, steps_of
from verideck.proof.python.parent.verdicts import judged, read, told
from verideck.proof.python.wire.run import ExecutorError, NobodyError
from verideck.proof.sandbox import kernel
from verideck.storage.cache import Cache


class Python:
    """Executes the Python snippets of cards; outputs among them are compared, not executed."""

    def __init__(self, config: ExecutionConfig, stop: Event) -> None:
        """Start nothing before it is needed; end what runs when `stop` is set."""
        self.config = config
        self.engine = engine.engine(config.executor, config.root, stop)
        self.cache = Cache(config.cache, "proofs")

    @property
    def width(self) -> int:
        """How many cards at a time are worth it."""
        return self.engine.width

    def cached(self, snippets: Sequence[Snippet]) -> list[Proof | Problem] | None:
        """What a former run proved and what still holds, without executing anything."""
        request = request_of(snippets, self.config)
        entry = self.cache.find(proof_cache.run_key(request))
        if entry is None or not proof_cache.holds(entry, request):
            return None
        if self.config.sandbox_required and not entry["last"]["box"]:
            return None
        found = list(judged(snippets, entry["reports"], entry["last"], self.config))
        if _refuted(found):
            return None
        return [replace(each, reused=True) if isinstance(each, Proof) else each for each in found]

    def expect(self, snippets: Sequence[Snippet]) -> None:
        """Get ready for snippets that are about to be proved."""
        code = "\n".join(map(_text, steps_of(snippets)))
        self.engine.warm(*needs.needed(code, self.config.root))

    def execute(self, snippets: Sequence[Snippet]) -> list[Proof | Problem]:
        """Execute the snippets of one card."""
        request = request_of(snippets, self.config)
        if refusal := self.refusal(snippets):
            return [refusal]
        try:
            run = self.engine.run(request)
        except ExecutorError as error:
            return [unexecuted(snippets, error, self.config)]
        reports, last = read(run.lines, len(request["steps"]))
        found = list(told(snippets, run, self.config))
        if last and self.config.sandbox_required and not last["box"]:
            return [_unboxed(steps_of(snippets)[0].place, "the machine that executed it has none")]
        if last and not _refuted(found):
            self.cache.keep(proof_cache.run_key(request), proof_cache.entry(request, reports, last))
        return found

    def refusal(self, snippets: Sequence[Snippet]) -> Problem | None:
        """Why the snippets of a card must not be executed, as far as that is known here."""
        if not self.config.sandbox_required:
            return None
        if not self.config.sandbox:
            return _unboxed(self.config.sandbox_place, "it is turned off")
        missing = kernel.missing() if self.engine.is_here else ""
        return _unboxed(steps_of(snippets)[0].place, missing) if missing else None

    def close(self) -> None:
        """End whatever runs."""
        self.engine.close()


def _refuted(found: Sequence[Proof | Problem]) -> bool:
    """Whether a card does not hold; one that is warned of does."""
    return bool(errors(each for each in found if isinstance(each, Problem)))


def unexecuted(
    snippets: Sequence[Snippet], error: ExecutorError, config: ExecutionConfig
) -> Problem:
    """A card that nobody executed; if nobody executes any, that is the project's problem."""
    nobody = isinstance(error, NobodyError)
    place = config.executor_place if nobody else steps_of(snippets)[0].place
    return Problem(Code.EXECUTOR_FAILED, str(error), place)


def _text(snippet: Snippet) -> str:
    """Code that imports what a snippet imports."""
    if snippet.options.include:
        return f"import {'.'.join(Path(snippet.options.include).with_suffix('').parts)}"
    return snippet.code


def _unboxed(place: Place, why: str) -> Problem:
    return Problem(
        Code.SANDBOX_MISSING,
        f"a box is required, and there is none: {why}",
        place,
        "without require_sandbox, snippets are executed with your rights",
    )
