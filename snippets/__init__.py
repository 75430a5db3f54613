"""The reference code that the cards show: small, typed, tested on its own.

Shapes are written with fixed letters: B batch, T positions (L queries, S keys where
they differ), H heads, D features, N samples, C channels. In every mask of this package
True means that a key takes part.
"""
