"""Which note of Anki's each card is, and what Anki was told of it last."""
