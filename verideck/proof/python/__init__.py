"""Proofs for Python. Each folder is what one kind of process executes.

`parent` runs in the user's process: `prover` has a card's `request` executed by an `engine`, then
`verdicts` judges the report; `proof_cache` knows the runs that are still true. `host` runs in the
warm parent and its workers, `child` in a card's own process, beside the author's code. `wire` holds
the messages between them. `audit` runs in the user's process too, and finds out what the assertions
could catch.

Interpreters that execute cards import this package too, so nothing is imported here.
"""
