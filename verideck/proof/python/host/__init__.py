"""What runs in the warm parent, in its workers and in a holder. It executes no author's code."""
