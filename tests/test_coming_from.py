"""The page for those who come from another tool says what the manual shows."""

from __future__ import annotations

import pytest
from coming_from import MANUAL, PAGE, page
from spec_cases import cases


def test_the_page_is_written_from_the_manual(request: pytest.FixtureRequest) -> None:
    """Every case of other tools' forms has its row there, and no row is without a case."""
    written = page()
    if request.config.getoption("--update-spec"):
        PAGE.write_text(written, encoding="utf-8")
    assert PAGE.read_text("utf-8") == written
    rows = [line for line in written.split("\n") if line.startswith("| ")]
    titles = [line for line in written.split("\n") if line.startswith("## ")]
    assert len(rows) == len(cases(MANUAL)) + len(titles)
