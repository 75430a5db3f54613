"""What runs beside an author's code, in a process of the card's own, in the sandbox."""
