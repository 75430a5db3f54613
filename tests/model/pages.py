"""What an author writes: cards as the author has them in mind, on pages of Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from verideck.model import Kind


def unit(number: int, *, han: bool) -> str:
    """A word, or two Han characters, that no other number has."""
    if han:
        return "".join(chr(0x4E00 + (2 * number + each) * 97 % 20_000) for each in (0, 1))
    syllables = [
        f"{'bdfgklmnprstvz'[number // 5**each % 14]}{'aeiou'[number % 5]}" for each in (1, 2)
    ]
    return "".join(
        [
            *syllables,
            f"{'bdfgklmnprstvz'[number // 70 % 14]}{'aeiou'[number // 11 % 5]}",
            str(number),
        ]
    )


@dataclass(slots=True)
class Part:
    """A word or two of a question; of a cloze card, it may be hidden."""

    text: str
    deletion: int = 0
    """Which deletion this is to the author, for ever; 0 for a part that was never one."""
    hidden: bool = False
    number: int | None = None
    """As it is written; None for `==text==`."""

    def __str__(self) -> str:
        if not self.hidden:
            return self.text
        return f"=={self.text}==" if self.number is None else f"{{{{c{self.number}::{self.text}}}}}"


@dataclass(slots=True)
class Sheet:
    """A card as its author has it in mind: which one it is, whatever it says."""

    key: int
    kind: Kind
    han: bool
    parts: list[Part]
    answer: list[str]
    reverse: bool = False
    tags: tuple[str, ...] = ()
    id: str = ""
    source: int = 0
    """The card that it was made from, which it is not."""

    def copy(self) -> Sheet:
        """Another sheet, which stays as this one is now."""
        return replace(self, parts=[replace(each) for each in self.parts], answer=[*self.answer])

    def joined(self, texts: list[str]) -> str:
        """Join words, or Han characters with commas."""
        return ("，" if self.han else " ").join(texts)

    @property
    def question(self) -> str:
        """In Markdown."""
        return self.joined([str(part) for part in self.parts])

    @property
    def asked(self) -> str:
        """What a reader sees of the question."""
        return self.joined([part.text for part in self.parts])

    @property
    def told(self) -> str:
        """The answer."""
        return self.joined(self.answer)

    @property
    def deletions(self) -> dict[int, Part]:
        """What is hidden."""
        return {part.deletion: part for part in self.parts if part.hidden}

    @property
    def attributes(self) -> str:
        """What stands behind the question."""
        words = [f"#{self.id}"] if self.id else []
        words += [".cloze"] if self.kind is Kind.CLOZE else []
        words += [".type"] if self.kind is Kind.TYPED else []
        words += [".reversed"] if self.reverse else []
        words += [f'tags="{" ".join(self.tags)}"'] if self.tags else []
        return f" {{{' '.join(words)}}}" if words else ""

    def meaning(self, form: str) -> object:
        """What the fields and tags follow from: the same meaning is the same note."""
        parts = [(part.text, part.hidden and part.deletion) for part in self.parts]
        return parts, tuple(self.answer), self.reverse, self.tags, form if self.answer else ""


FORMS: Mapping[str, tuple[str, str]] = {
    "heading": ("## {}\n\n", "{}\n\n"),
    "list": ("- {}\n", "    - {}\n"),
    "qa": ("Q: {}\n\n", "A: {}\n\n"),
}


@dataclass(slots=True)
class Page:
    """A file of cards."""

    folder: int
    name: int
    form: str
    sheets: list[Sheet] = field(default_factory=list)

    @property
    def path(self) -> str:
        """Where it lies in the project."""
        folder = f"folder{self.folder}/" if self.folder else ""
        return f"cards/{folder}page{self.name}.md"

    def written(self) -> tuple[str, dict[int, Sheet]]:
        """The Markdown, and on which lines the questions stand."""
        asking, telling = FORMS[self.form]
        text, lines = f"# Title {self.name}\n\n", {}
        for sheet in self.sheets:
            lines[text.count("\n") + 1] = sheet
            text += asking.format(f"{sheet.question}{sheet.attributes}")
            text += telling.format(sheet.told) if sheet.answer else ""
        return text, lines


Tree = list[Page]


def copied(tree: Tree) -> Tree:
    """Other pages, which stay as these are now."""
    return [replace(page, sheets=[sheet.copy() for sheet in page.sheets]) for page in tree]


def sheets(tree: Tree) -> list[Sheet]:
    """All cards of some pages."""
    return [sheet for page in tree for sheet in page.sheets]
