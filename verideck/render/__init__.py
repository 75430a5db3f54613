"""Proven cards -> notes: the HTML of their fields, and the faces that Anki makes of them."""
