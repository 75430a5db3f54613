"""The kernel's sandbox around a card's process."""
