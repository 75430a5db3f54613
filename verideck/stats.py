"""What a run counted, for the summary."""

from __future__ import annotations

from collections.abc import Sequence

from verideck.model import Card, ProvenCard, Role, Stats
from verideck.proof.languages import VERIFIERS
from verideck.source.fences import is_executable


def stats(
    cards: Sequence[Card], proven: Sequence[ProvenCard], sandbox: str, seconds: float
) -> Stats:
    """Count cards that were found, and snippets and assertions that hold."""
    own = [snippet for card in cards for snippet in card.snippets]
    proofs = [proof for each in proven for proof in each.proofs]
    ran = {proof.snippet.place: proof.snippet.options.role for proof in proofs}
    roles = [role for role in ran.values() if role is not Role.OUTPUT]
    return Stats(
        cards=len(cards),
        snippets=sum(role is not Role.VALUE for role in roles),
        values=sum(role is Role.VALUE for role in roles),
        assertions=sum(proof.assertions for proof in proofs),
        not_run=sum(bool(snippet.options.reason) for snippet in own),
        unverified=sum(
            not card.verified and any(map(is_executable, card.snippets)) for card in cards
        ),
        text=sum(snippet.options.role is Role.TEXT and not snippet.language for snippet in own),
        unverifiable=sum(
            snippet.options.role is Role.SHOWN and snippet.language not in VERIFIERS
            for snippet in own
        ),
        nameless=sum(not card.id for card in cards),
        reused=sum(
            bool(each.proofs) and all(proof.reused for proof in each.proofs) for each in proven
        ),
        sandbox=sandbox,
        seconds=seconds,
    )
