"""What fuzzing found, and a little more of it (`make fuzz` is two minutes)."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from fuzz.area import Check
from fuzz.areas import AREAS
from fuzz.bounds import bounded
from fuzz.findings import FOUND, cases, kind_of, minimised

FOUND_BEFORE = [(name, file) for name in AREAS for file in cases(name)]
EXAMPLES = {"front_matter": 120, "markdown": 100, "lock": 150, "reports": 150, "packages": 30}
"""How many inputs take some three seconds."""

SLOWNESS = 4.0 if sys.gettrace() else 1.0
"""How many times as long code takes whose coverage is measured."""

pytestmark = pytest.mark.linux("time and memory are measured and limited as Linux does")


@pytest.fixture(scope="module")
def checks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Check]:
    """The check of each area, in a folder of its own."""
    return {name: area.check(tmp_path_factory.mktemp(name)) for name, area in AREAS.items()}


@pytest.mark.parametrize(
    ("name", "file"), FOUND_BEFORE, ids=[f"{name}/{file.stem}" for name, file in FOUND_BEFORE]
)
def test_what_was_found_is_mended(name: str, file: Path, checks: dict[str, Check]) -> None:
    """An input that broke a promise once breaks none, in time and memory that its length allows."""
    bounded(checks[name], file.read_bytes(), SLOWNESS)


@pytest.mark.parametrize("name", AREAS)
def test_what_a_stranger_writes_keeps_every_promise(name: str, checks: dict[str, Check]) -> None:
    """Inputs by a grammar, the same on every run; where one fails, it is saved by `make fuzz`."""
    for data in inputs(name):
        bounded(checks[name], data, SLOWNESS)


def inputs(name: str) -> Iterator[bytes]:
    """Inputs of an area, made and changed."""
    known: list[bytes] = [file.read_bytes() for file in cases(name)]
    for number in range(EXAMPLES[name]):
        yield AREAS[name].variant(Random(number), known)  # noqa: S311 - the same on every run


@pytest.mark.parametrize("name", AREAS)
def test_real_inputs_are_read(name: str, checks: dict[str, Check], tmp_path: Path) -> None:
    """What is changed is real: the manual, the deck and its lock, reports and a package."""
    seeds = AREAS[name].seeds(tmp_path)
    assert seeds
    for data in seeds[:3]:
        bounded(checks[name], data, SLOWNESS)


def test_every_saved_input_is_of_an_area() -> None:
    """No input is kept where nothing reads it."""
    assert {each.name for each in FOUND.iterdir()} <= set(AREAS)


def test_a_finding_is_made_smaller() -> None:
    """The smallest input that fails alike is found, and one that fails otherwise is not taken."""

    def check(data: bytes) -> None:
        assert b"x" not in data, "an x"
        if not data:
            raise ValueError("nothing")

    assert minimised(check, b"abc" * 40 + b"x" + b"def" * 40, seconds=10) == b"x"


def test_kinds_of_findings_are_told_apart_by_their_words() -> None:
    """Numbers and quoted values do not count, the promise does."""

    def fail(message: str) -> None:
        raise AssertionError(message)

    def kind(message: str) -> str:
        with pytest.raises(AssertionError) as raised:
            fail(message)
        return kind_of(raised.value)

    assert kind("line 3 of 'a'") == kind("line 45 of 'b'") != kind("column 3 of 'a'")


def test_an_input_that_takes_too_long_is_a_finding() -> None:
    """The bound follows from the length."""

    def slow(_: bytes) -> None:
        deadline = time.process_time() + 1.2
        while time.process_time() < deadline:
            pass

    with pytest.raises(AssertionError, match="too slow: 0 bytes"):
        bounded(slow, b"")
