"""Finds out what a card's assertions could catch, by changing its code and its seeds."""
