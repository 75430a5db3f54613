"""What a run counted, for the summary."""

from __future__ import annotations

from collections.abc import Sequence

from verideck.fences import is_executable
from verideck.model import Card, ProvenCard, Role, Tally
from verideck.verifiers import VERIFIERS


def tally(cards: Sequence[Card], proven: Sequence[ProvenCard], seconds: float) -> Tally:
    """Count cards that were found, and snippets and assertions that hold."""
    own = [snippet for card in cards for snippet in card.snippets]
    proofs = [proof for each in proven for proof in each.proofs]
    ran = [proof for proof in proofs if is_executable(proof.snippet)]
    return Tally(
        cards=len(cards),
        snippets=len({proof.snippet.place for proof in ran}),
        assertions=sum(proof.assertions for proof in proofs),
        not_run=sum(bool(snippet.options.reason) for snippet in own)
        + sum(not card.verified and any(map(is_executable, card.snippets)) for card in cards),
        unverifiable=sum(
            snippet.options.role is Role.SHOWN and snippet.language not in VERIFIERS
            for snippet in own
        ),
        nameless=sum(not card.id for card in cards),
        seconds=seconds,
    )
