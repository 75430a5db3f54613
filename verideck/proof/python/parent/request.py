"""What the child is asked for, from the snippets of a card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

from verideck.model import Limits, Role, Snippet
from verideck.proof.config import ExecutionConfig
from verideck.proof.python.wire.channel import Message

STEPS = frozenset({Role.SHOWN, Role.CHECK, Role.SETUP, Role.VALUE})
"""What is executed."""


def request_of(snippets: Sequence[Snippet], config: ExecutionConfig) -> Message:
    """The request that executes a card, see `child`."""
    steps = steps_of(snippets)
    return {
        "root": str(config.root.resolve()),
        "steps": [_step(each) for each in steps],
        "limits": asdict(limits_of(steps, config.limits)),
        "box": config.sandbox,
        "seed": 0,
        "overlay": {},
        "trace": False,
    }


def steps_of(snippets: Sequence[Snippet]) -> list[Snippet]:
    """Those of a card's snippets that are executed."""
    return [each for each in snippets if each.options.role in STEPS]


def limits_of(steps: Sequence[Snippet], default: Limits) -> Limits:
    """The default, with what fences set: where several do, the most generous."""
    allowed: dict[str, float] = {}
    for step in steps:
        for name, limit in step.options.limits:
            allowed[name] = max(limit, allowed.get(name, limit))
    return replace(default, **allowed)  # type: ignore[arg-type] # whole numbers but for timeout


def _step(snippet: Snippet) -> dict[str, object]:
    options = snippet.options
    return {
        "kind": "value" if options.role is Role.VALUE else "include" if options.include else "code",
        "code": snippet.code,
        "path": options.include or snippet.origin.path,
        "line": snippet.origin.line,
        "column": snippet.origin.column,
        "symbol": options.symbol,
        "raises": options.raises,
        "match": options.match,
    }
