"""ShownDeck -> one HTML file: no server, no network, no script.

Contents by deck, answers folded, or laid out as cards to be cut and folded (`cards`). What an
author wrote was sanitized by `render.sanitized`; here nothing is added to it but the content of
media. A policy in the page forbids scripts, requests and frames besides.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from pathlib import Path

from verideck.model import ShownCard, ShownDeck, ShownNote
from verideck.problems import Problems
from verideck.targets.night import with_night
from verideck.targets.target import ReadersTarget, begins_with

CARDS = "cards"
"""The layout of cards on paper."""
_BEGINS = "<!doctype html>\n<!-- a deck, written by verideck -->\n"
_TYPES = {
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif",
    ".svg": "image/svg+xml", ".webp": "image/webp", ".avif": "image/avif", ".bmp": "image/bmp",
    ".ico": "image/x-icon", ".tiff": "image/tiff", ".mp3": "audio/mpeg", ".m4a": "audio/mp4",
    ".ogg": "audio/ogg", ".opus": "audio/ogg", ".flac": "audio/flac", ".wav": "audio/wav",
    ".mp4": "video/mp4", ".webm": "video/webm", ".mkv": "video/x-matroska",
    ".mov": "video/quicktime", ".pdf": "application/pdf",
}  # fmt: skip
_WORDS = {
    "en": {"contents": "Contents", "answer": "Answer", "files": "Files"},
    "zh": {"contents": "目录", "answer": "答案", "files": "附件"},
}
_DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
"""What stands in the place of a shared picture, which the style sheet shows: without any picture,
Chromium would pass over its width."""
_TAG = re.compile(r"""<(?:img|audio|video)(?:"[^"]*+"|[^">])*+>""")
_LINK = re.compile(
    r"""<a href="(_[\w.-]+)(?:#[^"]*+)?"(?P<rest>[^>]*+)>(?P<text>.*?)</a>""", re.DOTALL
)
_OF_A_TELEPHONE = {"max-width: 480px": "all", "min-width: 481px": "not all"}
"""What `card.css` asks of the screen, and whether it holds on a telephone."""
_SOURCE = re.compile(r' src="([^"]*+)"')


def content(deck: ShownDeck, _: Problems) -> bytes:
    """Return the file."""
    language = deck.language or next((each.card.language for each in deck.notes), "")
    words = _WORDS.get(language.lower().partition("-")[0], _WORDS["en"])
    page = _Page(_Media.of(deck), words)
    body = page.sheets(deck) if deck.layout == CARDS else page.reading(deck)
    if deck.layout == CARDS:
        look = _narrow(f"{deck.css}\n{_css('sheets.css')}")
    else:
        look = f"{deck.css}\n{_css('page.css')}"
    css = with_night(look) + page.media.css()
    style = css.replace("</", "<\\/")  # a string in CSS may hold it, and would end the element
    lang = f' lang="{escape(language)}"' if language else ""
    return (
        f"{_BEGINS}<html{lang}>\n<head>\n"
        '<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(style)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(deck.name, quote=False)}</title>\n"
        f"<style>{style}</style>\n</head>\n"
        f'<body class="card">\n{body}</body>\n</html>\n'
    ).encode()


def _policy(style: str) -> str:
    """Return what the page may do: show its own style sheet, and media that it holds itself.

    Cells are aligned by attributes `style`, which have no hash; their properties are chosen.
    """
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; "
        f"style-src-elem 'sha256-{digest}'; style-src-attr 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'"
    )


def _narrow(css: str) -> str:
    """Return a style sheet by which every page is as narrow as a telephone: half a sheet is."""
    for query, holds in _OF_A_TELEPHONE.items():
        css = css.replace(f"@media ({query})", f"@media {holds}")
    return css


def _css(name: str) -> str:
    return (files("verideck.targets") / name).read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class _Media:
    """The pictures and sounds of a page, each of which it holds once."""

    held: Mapping[str, str]
    """The addresses with their content, by name."""
    shared: Mapping[str, str]
    """The classes of the pictures that stand at several places, by name."""
    files: Mapping[str, tuple[str, str]]
    """The documents that links open: by name, the address, and the text of the first link, as HTML
    without tags. They stand at the page's end, and the links lead there."""

    @classmethod
    def of(cls, deck: ShownDeck) -> _Media:
        """Count where each one stands."""
        notes = deck.notes
        known = {each.name: each.content for shown in notes for each in shown.note.media}
        sides = [
            text for shown in notes for card in shown.cards for text in (card.front, card.back)
        ]
        times = Counter(
            source[1]
            for text in sides
            for tag in _TAG.findall(text)
            for source in _SOURCE.finditer(tag)
        )
        held = {name: _address(name, known[name]) for name in times if name in known}
        several = [name for name in held if times[name] > 1 and "image/" in held[name][:12]]
        shared = {name: f"m{number}" for number, name in enumerate(several, 1)}
        links = [link for side in sides for link in _LINK.finditer(side)]
        named = {link[1]: link["text"] for link in reversed(links)}
        files = {
            name: (_address(name, known[name]), re.sub("<[^>]*>", "", text).strip() or name)
            for name, text in sorted(named.items())
            if name in known
        }
        return cls(held, shared, files)

    def put(self, html: str) -> str:
        """Return the HTML of a side with what its tags name."""
        return _LINK.sub(self._link, _TAG.sub(self._tag, html))

    def listed(self, title: str) -> str:
        """Return the list of the documents, to be saved; empty if there are none."""
        if not self.files:
            return ""
        items = "".join(
            f'<li><a id="{name}" download="{name.lstrip("_")}" href="{address}">{text}</a></li>\n'
            for name, (address, text) in self.files.items()
        )
        return f"<footer><h2>{title}</h2>\n<ul>\n{items}</ul></footer>\n"

    def _link(self, link: re.Match[str]) -> str:
        name = link[1]
        return f'<a href="#{name}">{link["text"]}</a>' if name in self.files else link[0]

    def _tag(self, tag: re.Match[str]) -> str:
        return _SOURCE.sub(self._source, tag[0])

    def _source(self, source: re.Match[str]) -> str:
        name = source[1]
        if name in self.shared:
            return f' class="{self.shared[name]}" src="{_DOT}"'
        return f' src="{self.held[name]}"' if name in self.held else source[0]

    def css(self) -> str:
        """Return the rules that show the shared pictures."""
        shared = self.shared.items()
        return "".join(f'\nimg.{css}{{content:url("{self.held[name]}")}}' for name, css in shared)


def _address(name: str, held: bytes) -> str:
    kind = _TYPES.get(Path(name).suffix, "application/octet-stream")
    return f"data:{kind};base64,{b64encode(held).decode()}"


@dataclass(slots=True)
class _Branch:
    """A deck of the tree: its own notes, and the decks below it."""

    name: str
    number: int
    notes: list[ShownNote] = field(default_factory=list)
    below: dict[str, _Branch] = field(default_factory=dict)

    def count(self) -> int:
        """How many cards it holds."""
        own = sum(len(each.cards) for each in self.notes)
        return own + sum(each.count() for each in self.below.values())


def _tree(deck: ShownDeck) -> _Branch:
    """The decks, in the order of the files."""
    root = _Branch("", 0)
    number = 0
    for shown in deck.notes:
        branch = root
        for part in shown.note.deck.split("::"):
            if part not in branch.below:
                number += 1
                branch.below[part] = _Branch(part, number)
            branch = branch.below[part]
        branch.notes.append(shown)
    while len(root.below) == 1 and not root.notes:  # what stands above all decks is the title
        (root,) = root.below.values()
    return root


@dataclass(frozen=True, slots=True)
class _Page:
    """The body of a page."""

    media: _Media
    words: Mapping[str, str]

    def reading(self, deck: ShownDeck) -> str:
        """Contents, then all cards with their answers folded."""
        root = _tree(deck)
        listed = self._contents(root)
        title = f"<h1>{escape(deck.name, quote=False)}</h1>\n"
        main = f"<main>\n{''.join(self._deck(root, 1))}</main>\n"
        return f"<header>{title}</header>\n{listed}{main}{self.media.listed(self.words['files'])}"

    def sheets(self, deck: ShownDeck) -> str:
        """Each card as a row, its front beside its back."""
        pairs = (
            f'<div class="pair card{card.number}"><div class="side">{self.media.put(card.front)}'
            f'</div><div class="side">{self.media.put(card.back)}</div></div>\n'
            for shown in deck.notes
            for card in shown.cards
        )
        return f"<main>\n{''.join(pairs)}</main>\n{self.media.listed(self.words['files'])}"

    def _contents(self, root: _Branch) -> str:
        if not root.below:
            return ""
        title = f"<h2>{self.words['contents']}</h2>"
        return f"<nav>{title}\n{''.join(self._listed(root.below.values()))}</nav>\n"

    def _listed(self, branches: Iterable[_Branch]) -> Iterator[str]:
        yield "<ul>\n"
        for each in branches:
            name = escape(each.name, quote=False)
            yield f'<li><a href="#d{each.number}">{name}</a> <small>{each.count()}</small>'
            if each.below:
                yield from self._listed(each.below.values())
            yield "</li>\n"
        yield "</ul>\n"

    def _deck(self, branch: _Branch, level: int) -> Iterator[str]:
        if level > 1:
            tag = f"h{min(level, 6)}"
            name = escape(branch.name, quote=False)
            yield f'<{tag} class="deck" id="d{branch.number}">{name}</{tag}>\n'
        for shown in branch.notes:
            for card in shown.cards:
                yield self._card(shown, card)
        for each in branch.below.values():
            yield from self._deck(each, level + 1)

    def _card(self, shown: ShownNote, card: ShownCard) -> str:
        number = f".{card.number}" if card.number > 1 else ""
        anchor = escape(f"c-{shown.note.identity.id}{number}")
        front, back = self.media.put(card.front), self.media.put(card.back)
        return (
            f'<article class="card{card.number}" id="{anchor}">\n{front}\n'
            f"<details><summary>{self.words['answer']}</summary>\n{back}\n</details></article>\n"
        )


TARGET = ReadersTarget(content, begins_with(_BEGINS.encode()), (CARDS,))
