"""Asks of a card's assertions what they could have caught."""
