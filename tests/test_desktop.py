"""What compares our page with the desktop Anki tells what differs between two pictures."""

from __future__ import annotations

import pytest

pytest.importorskip("numpy", reason="make test installs it")
pytest.importorskip("PIL", reason="make test installs it")
pytest.importorskip("playwright", reason="make test installs it")
pytest.importorskip("anki", reason="make test installs it")

from desktop import Box, compared
from PIL import Image, ImageDraw

WORDS = {"Layer": (20, 20), "norm": (20, 60), "has": (120, 60)}


def drawn(words: dict[str, tuple[int, int]], ground: int = 255) -> Image.Image:
    """A picture of words at their places."""
    picture = Image.new("L", (200, 100), ground)
    pen = ImageDraw.Draw(picture)
    for word, place in words.items():
        pen.text(place, word, fill=255 - ground)
    return picture


@pytest.mark.parametrize("ground", [0, 255])
def test_the_same_picture_is_the_same(ground: int) -> None:
    """By day and by night; each word is a block."""
    found = compared("same", drawn(WORDS, ground), drawn(WORDS, ground))
    assert (found.blocks, found.shift, found.alike, found.lacking) == (3, 0, 1, ())
    assert found.is_same


def test_a_word_that_stands_elsewhere_is_told() -> None:
    """By how many pixels; of one pixel nobody knows."""
    near = compared("near", drawn(WORDS), drawn(WORDS | {"norm": (21, 60)}))
    assert (near.shift, near.is_same) == (1, True)
    for place in ((23, 60), (20, 57)):
        far = compared("far", drawn(WORDS), drawn(WORDS | {"norm": place}))
        assert (far.shift, far.is_same) == (3, False)


def test_a_word_that_only_one_has_is_told() -> None:
    """In whichever picture it is missing, with its place."""
    less = {name: place for name, place in WORDS.items() if name != "norm"}
    for one, other in ((WORDS, less), (less, WORDS)):
        found = compared("less", drawn(one), drawn(other))
        (lacking,) = found.lacking
        assert isinstance(lacking, Box)
        assert 20 <= lacking.left < lacking.right < 60 < lacking.top < lacking.bottom
        assert not found.is_same


def test_another_colour_is_told() -> None:
    """Where all edges stand at the same places."""
    blue = Image.new("RGB", (200, 100), (235, 240, 255))
    blue.paste(Image.new("RGB", (80, 40), (20, 30, 120)), (20, 20))
    red = Image.new("RGB", (200, 100), (235, 240, 255))
    red.paste(Image.new("RGB", (80, 40), (120, 30, 20)), (20, 20))
    found = compared("colour", blue, red)
    assert (found.shift, found.alike, found.lacking) == (0, 1, ())
    assert not found.is_same


def test_other_letters_in_the_same_place_are_told() -> None:
    """Though they are as wide."""
    other = {"Lover" if name == "Layer" else name: place for name, place in WORDS.items()}
    found = compared("other", drawn(WORDS), drawn(other))
    assert found.lacking == ()
    assert not found.is_same
