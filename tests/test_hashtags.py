"""Tags in the text, in files that ask for it: whatever else stands there."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verideck.model import Source
from verideck.source.cards import cards_of
from verideck.source.config import SourceConfig
from verideck.source.found import CardsOfFile

PIECES = ["#a", "#a/b", "#1", "#中文", " ", "\n", "\n\n", "`", "$", "**", "text", "- ", "{#x}", "#",
          "##", "[l](#a)", "```\n", "> ", ".", "|", "<!--", "-->", "\\", "Q: ", "\t"]  # fmt: skip


def found(text: str, head: str = "hashtags: on") -> CardsOfFile:
    """What is found in a file that begins like this."""
    return cards_of(Source("a.md", f"---\n{head}\n---\n{text}"), SourceConfig(Path(), "D"))


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_any_text_keeps_all_that_is_no_tag(text: str) -> None:
    """Each word of the card without tags is on the card with tags, or is a tag of it."""
    written = f"## What is it?\n\nIt is {text}\n\n## And what else?\n\nThat."
    with_tags, without = found(written), found(written, "hashtags: off")
    plain = {card.place: card for card in without.cards}
    for card in with_tags.cards:
        assert all(re.fullmatch(r"[^\s#]+", tag) for tag in card.tags)
        if card.place not in plain or card.answer is None or plain[card.place].answer is None:
            continue
        before = plain[card.place].answer
        assert before
        words = set(before.text.split()) - set(card.answer.text.split())
        assert {re.sub(r"/+", "::", word[1:].strip("/")) for word in words} <= set(card.tags)


@pytest.mark.parametrize("pattern", ["#a ", "#a\n\n", "#a/", "#1", "# ", "#a `#b` ", "#a\n"])
def test_many_tags_are_found_in_time(pattern: str) -> None:
    """A text of many tags, or of what begins like them, takes as long as another of its length."""
    text = pattern * (60_000 // len(pattern))
    started = time.process_time()
    found(f"## What is it?\n\n{text}\n\nEnd.")
    assert time.process_time() - started < 20
