"""Counts what a run did, for its summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from verideck.model import Card, ProvenCard, Role, Stats


def stats_of(
    cards: Sequence[Card],
    documents: Sequence[Card],
    proven: Sequence[ProvenCard],
    done: Mapping[str, int],
) -> Stats:
    """Return the counts of a run, but for its time and its sandbox.

    `cards` are all cards, `documents` all parts of documents, `proven` those of both that hold.
    `done` has the number of "files" that were parsed and of "cards" that were rendered, because
    they were not cached.
    """
    with_code = [card for card in (*cards, *documents) if card.snippets]
    fences = [snippet for card in with_code for snippet in card.snippets]
    proofs = [proof for each in proven for proof in each.proofs]
    ran = {proof.snippet.place: proof.snippet.options.role for proof in proofs}
    roles = [role for role in ran.values() if role is not Role.OUTPUT]
    return Stats(
        cards=len(cards),
        snippets=sum(role is not Role.VALUE for role in roles),
        values=sum(role is Role.VALUE for role in roles),
        assertions=sum(proof.assertions for proof in proofs),
        not_run=sum(bool(snippet.options.reason) for snippet in fences),
        unverified=sum(not card.verified and card.is_executable for card in with_code),
        text=sum(snippet.options.role is Role.TEXT and not snippet.language for snippet in fences),
        unverifiable=sum(
            snippet.options.role is Role.SHOWN and not snippet.executable for snippet in fences
        ),
        nameless=sum(not card.id for card in cards),
        executed=sum(any(not proof.reused for proof in each.proofs) for each in proven),
        reused=sum(
            bool(each.proofs) and all(proof.reused for proof in each.proofs) for each in proven
        ),
        parsed=done.get("files", 0),
        rendered=done.get("cards", 0),
    )
