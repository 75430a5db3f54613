"""Makes the request that executes a card, from the snippets of the card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace

from verideck.model import EXECUTED, Limits, Role, Snippet
from verideck.proof.config import ExecutionConfig
from verideck.proof.python.wire import messages
from verideck.proof.python.wire.messages import Request, Step
from verideck.proof.python.wire.run import Part, StepKind
from verideck.storage.store import FOLDER

_PARTS = {Role.SHOWN: Part.SHOWN, Role.CHECK: Part.CHECK}


def request_of(snippets: Sequence[Snippet], config: ExecutionConfig) -> Request:
    """The request that proves a card."""
    steps = steps_of(snippets)
    shown = {above.place for above, _ in outputs_of(snippets)}
    return Request(
        root=str(config.root.resolve()),
        steps=tuple(_step(each, shows_value=each.place in shown) for each in steps),
        follows=any(each.must_assert for each in steps),
        limits=messages.Limits(**asdict(limits_of(steps, config.limits))),
        sandbox=config.sandbox,
        unlisted=FOLDER,
        shared_memory=config.shared_memory,
    )


def steps_of(snippets: Sequence[Snippet]) -> list[Snippet]:
    """The snippets of a card that are executed."""
    return [each for each in snippets if each.options.role in EXECUTED]


def outputs_of(snippets: Sequence[Snippet]) -> Iterator[tuple[Snippet, Snippet]]:
    """The outputs on the card, each behind the step above it, which prints it."""
    above: Snippet | None = None
    for snippet in snippets:
        if snippet.options.role in EXECUTED:
            above = snippet
        elif snippet.options.role is Role.OUTPUT and above:
            yield above, snippet


def limits_of(steps: Sequence[Snippet], default: Limits) -> Limits:
    """The default limits with those that fences set; of several, the most generous one counts."""
    allowed: dict[str, float] = {}
    for step in steps:
        for name, limit in step.options.limits:
            allowed[name] = max(limit, allowed.get(name, limit))
    return replace(default, **allowed)  # type: ignore[arg-type] # whole numbers but for timeout


def _step(snippet: Snippet, *, shows_value: bool) -> Step:
    options = snippet.options
    is_code = not (options.include or snippet.session or options.role is Role.VALUE)
    kind = StepKind.INCLUDE if options.include else StepKind.CODE
    if snippet.session:
        kind = StepKind.SESSION
    return Step(
        kind=StepKind.VALUE if options.role is Role.VALUE else kind,
        code=snippet.code,
        path=options.include or snippet.origin.path,
        line=snippet.origin.line,
        column=snippet.origin.column,
        symbol=options.symbol,
        raises=options.raises,
        warns=options.warns,
        match=options.match,
        part=_PARTS.get(options.role, Part.BEHIND),
        shows_value=is_code and shows_value,
        heeds_comments=is_code and options.role is Role.SHOWN,
        goes_on=snippet.in_document,
    )
