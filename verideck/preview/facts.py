"""What a proof and an audit say of a card, as the page tells it."""

from __future__ import annotations

from collections.abc import Mapping

from verideck.model import Audit, Proof, ProvenCard

_LONGEST = 4_000
"""Characters of an output that are sent."""


def facts(proven: ProvenCard | None) -> Mapping[str, object] | None:
    """JSON of the facts; None where no code of a card was executed."""
    if proven is None or not proven.proofs:
        return None
    environment = {name: version for each in proven.proofs for name, version in each.environment}
    return {
        "assertions": sum(each.assertions for each in proven.proofs),
        "seconds": sum(each.seconds for each in proven.proofs),
        "versions": [f"{name} {version}" for name, version in sorted(environment.items())],
        "files": sorted({file for each in proven.proofs for file in each.files}),
        "fences": [_fence(each) for each in proven.proofs],
        "audit": _audit(proven.audit) if proven.audit else None,
    }


def _fence(proof: Proof) -> Mapping[str, object]:
    snippet = proof.snippet
    return {
        "path": snippet.place.path,
        "line": snippet.place.line,
        "role": str(snippet.options.role),
        "assertions": proof.assertions,
        "seconds": proof.seconds,
        "printed": proof.stdout[:_LONGEST] + "…" * (len(proof.stdout) > _LONGEST),
        "value": proof.value,
        "raised": proof.raised,
    }


def _audit(audit: Audit) -> Mapping[str, object]:
    return {
        "score": audit.score,
        "killed": audit.killed,
        "judged": audit.judged,
        "unjudged": audit.unjudged,
        "flaky": audit.flaky,
        "survivors": [
            {
                "path": each.place.path,
                "line": each.place.line,
                "before": each.before.strip(),
                "after": each.after.strip(),
                "uncovered": each.uncovered,
            }
            for each in audit.survivors
        ],
    }
