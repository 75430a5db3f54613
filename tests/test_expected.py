"""What is printed, compared with what a card shows."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from verideck.proof.expected import could_differ, difference, unwritable

FLOATS = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False)
DECIMALS = st.integers(1, 6)
BEFORE = st.sampled_from(["", "[", "(1, ", "x=", "loss: ", "a ", "损失", "|", "tensor([", "{'a': "])
BEHIND = st.sampled_from(["", "]", ", 2)", ".", "!", " s", "s", " GB", "x", "%", "。", "])", "}"])


def assume_no_date(shown: str) -> None:
    """Leave out what could be a year with a month."""
    assume(not shown.startswith(("19", "20")))


def holds(shown: str, printed: str, tolerance: float | None = None) -> bool:
    """Whether a card may show one text for the other."""
    return difference(shown, printed, tolerance) is None


@given(FLOATS, DECIMALS, BEFORE, BEHIND)
def test_a_number_that_stands_alone_agrees_with_its_rounding(
    number: float, decimals: int, before: str, behind: str
) -> None:
    """However many of its decimals a card shows, and whatever usual stands around it."""
    shown, printed = (f"{number:.{digits}f}" for digits in (decimals, 12))
    assume_no_date(shown)
    assert holds(f"{before}{shown}{behind}", f"{before}{printed}{behind}")


@given(FLOATS, DECIMALS)
def test_a_number_does_not_agree_with_one_a_unit_away(number: float, decimals: int) -> None:
    """Half a unit of the last decimal is what rounding moves; a whole one is another number."""
    other = number + 1.01 * 10.0**-decimals
    assert not holds(f"{number:.{decimals}f}", f"{other:.12f}")


@given(FLOATS, FLOATS, DECIMALS)
def test_the_parts_of_a_complex_number_round(real: float, imaginary: float, digits: int) -> None:
    """Both of them, whatever their signs."""
    shown, printed = (f"({real:.{n}f}{imaginary:+.{n}f}j)" for n in (digits, 12))
    assume_no_date(f"{real:.{digits}f}")
    assume_no_date(f"{imaginary:.{digits}f}")
    assert holds(shown, printed)


@given(st.integers(-(10**6), 10**6), st.floats(0.001, 0.5))
def test_a_number_without_decimals_is_exact(whole: int, off: float) -> None:
    """As torch and NumPy print whole numbers."""
    assert holds(f"{whole}.", f"{whole}.0")
    assert not holds(f"{whole}.", f"{whole + off:.4f}")
    assert not holds(f"{whole}e0", f"{whole + off:.4f}")


@given(
    st.sampled_from(
        [
            "torch {}", "Python {}", "v{}", "torch=={}", "torch>={}", "version: {}", "gpt-{}",
            "model_{}", "x@{}", "{}.0", "{}rc1", "{}+cu121", "lib/{}/", "12:30:{}", "'numpy': '{}'",
            "Section {}", "CUDA ({})", "{}-alpha", "torch.__version__ = {}", "Python3: {}",
        ]
    ),
    st.integers(0, 99),
    st.integers(0, 9),
    st.integers(0, 9),
)  # fmt: skip
def test_digits_of_a_version_or_a_name_are_text(form: str, one: int, two: int, more: int) -> None:
    """They stand for themselves, however near the numbers are."""
    assert holds(form.format(f"{one}.{two}"), form.format(f"{one}.{two}"))
    assert not holds(form.format(f"{one}.{two}"), form.format(f"{one}.{two}{more}"))


@given(st.text("0123456789.eE+-j abc:=/@v\n", max_size=30))
def test_every_text_agrees_with_itself(text: str) -> None:
    """Also as a part of what is printed, where dots stand for the rest."""
    assert holds(text, text)
    assert holds(f"...{text}", f"before {text}") or text.startswith(".")


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("1.", "0.6667"),
        ("[1., 2.]", "[0.6, 2.4]"),
        ("1.+2.j", "1.4+2.4j"),
        ("0.", "0.4"),
        ("1e3", "1400."),
        ("1.e3", "1400."),
        ("2024.0", "2024.05"),
        ("10.0.1", "10.04.1"),
        ("1e400", "1e500"),
        ("1", "1.0"),
    ],
)
def test_other_numbers_differ(shown: str, printed: str) -> None:
    """However little."""
    assert not holds(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [("1e3", "1000.0"), ("1.0e3", "1040."), ("2023.46", "2023.4567"), ("33.3%", "33.33%")],
)
def test_numbers_that_agree(shown: str, printed: str) -> None:
    """A mantissa with decimals rounds; a year has months only."""
    assert holds(shown, printed)


def test_a_tolerance_is_for_every_number_and_for_no_version() -> None:
    """Also for one that shows no decimals."""
    assert holds("1. 1e3", "1.4 1000.4", 0.5)
    assert not holds("torch 2.1", "torch 2.13", 0.5)


@pytest.mark.parametrize("text", ["", " ", "\n\n", "...", "...\n  ..."])
def test_what_says_nothing_proves_nothing(text: str) -> None:
    """Blanks and dots agree with anything that a fence could print, or with nothing at all."""
    assert not could_differ(text)


@pytest.mark.parametrize("text", ["```", "a\n  ~~~~", "\x1b[1m", "a\rb", "\0"])
def test_what_a_fence_cannot_hold_says_why(text: str) -> None:
    """What would close the fence, and what no card may hold."""
    assert unwritable(text)
    assert not unwritable("a ``` b")
