"""Cards -> proven cards: what a card shows is executed, and has proved its assertions."""
