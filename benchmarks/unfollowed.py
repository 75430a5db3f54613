"""The command `verideck`, which does not follow what shown code computes: to measure that."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from verideck.cli.commands import main
from verideck.model import Snippet
from verideck.proof.config import ExecutionConfig
from verideck.proof.python.parent import prover, request
from verideck.proof.python.wire.messages import Request, replace


def _request_of(snippets: Sequence[Snippet], config: ExecutionConfig) -> Request:
    return replace(request.request_of(snippets, config), follows=False)


if __name__ == "__main__":
    prover.request_of = _request_of  # type: ignore[attr-defined] # where it is looked up
    main(sys.argv[1:])
