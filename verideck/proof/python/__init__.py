"""Proofs for Python.

`prover` sends the `request` of a card; `verdicts` reads in its report whether everything ran to its
end, and whether anything could have failed. `engine` has requests executed, in `child` and in a
`box`; `kept` knows which need not be. `auditor` asks what the assertions could catch.

The interpreters that execute cards import parts of this package before all else, so nothing is
imported here.
"""
