"""Settles what the links and the media of a card become: shown, played, packed with it, or told.

A card is shown without its project, and often without a network. So a picture and a sound come
along, and so does a document that a link opens; what cannot be reached from a card is text. Here
alone files of the project become names in Anki.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize
from urllib.parse import unquote

from verideck.markdown import Token, place
from verideck.markdown.kinds import LINKED, PAGES, PLAYED, SHOWN
from verideck.markdown.new_tokens import copied
from verideck.markdown.note_links import BY_NAME
from verideck.markdown.positions import is_escaped, part
from verideck.model import FORBIDDEN, short
from verideck.problems import Code, Problem, Severity
from verideck.render.addresses import EMBEDDED, OPENED, SCHEME
from verideck.render.look import ImageFile, Search, name_of_media
from verideck.storage.files import FileCache, hashed
from verideck.storage.named_files import NamedFiles
from verideck.storage.reading import HIDDEN, OUTSIDE, Limit, hint_of

SOUND = "sound"
"""The type of a token whose content is Anki's mark of a sound or a film."""
_HASHES = FileCache(hashed, Limit.MEDIA)
"""Of all files: a card may show one a thousand times, and a thousand cards one."""
_MARK = re.compile(r"\[sound:([^\[\]\n]+)\]")
"""Anki's mark, as an author writes it."""
_HOST = re.compile(r"www\.|[\w.-]+\.(?:com|org|net|io|dev|edu)(?:/|\Z)|[^/\s]+@", re.IGNORECASE)
"""What rather is an address on the web without its scheme."""
_RELATIVE = "the path is relative to the Markdown file"
_ON_THE_WEB = re.compile(r"(?:https?|ftp):|//", re.IGNORECASE)
_CONCERNED = frozenset({"link_open", "image"})


class _DeadError(Exception):
    """A link that leads nowhere."""

    def __init__(self, target: str, why: str, hint: str) -> None:
        """Name its target, why nothing is there, and what to write."""
        super().__init__(target)
        self.target, self.why, self.hint = target, why, hint


class _UnusableError(Exception):
    """A picture that can be neither shown nor linked."""

    def __init__(self, message: str, hint: str) -> None:
        """Say why, and what to do."""
        super().__init__(message)
        self.message, self.hint = message, hint


class _File(NamedTuple):
    """A file of the project that may be packed."""

    path: str
    hash: str
    search: Search | None = None

    @property
    def suffix(self) -> str:
        return Path(self.path).suffix.lower()

    def named(self, prefix: str = "") -> ImageFile:
        """Return the file with its name in Anki."""
        name = f"{prefix}{name_of_media(self.hash, self.suffix)}"
        return ImageFile(name, self.path, self.hash, self.search)


class Attached:
    """The files of a card and its links, as its tokens are settled one after another."""

    def __init__(self, path: str, root: Path, named: NamedFiles) -> None:
        """Settle the links of the Markdown file of that path, whose project is in `root`.

        `named` finds what stands for a file by its name.
        """
        self._folder = path.rpartition("/")[0]
        self._root = root
        self._named = named
        self._files: dict[ImageFile, None] = {}
        self._problems: dict[Problem, None] = {}
        self._open: list[Sequence[Token] | None] = []
        """What closes each link that is open; None where its own end does."""
        self.sounds: set[str] = set()
        """The marks of the sounds that the author wrote, or a link to a sound became."""

    @property
    def files(self) -> tuple[ImageFile, ...]:
        """The files that the card follows from: those without a name were looked for in vain."""
        return tuple(self._files)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was found, each once."""
        return tuple(self._problems)

    def settled(self, tokens: Sequence[Token]) -> Sequence[Token]:
        """Return tokens in which all pictures, sounds and links are what the card shows.

        The `src` of an image is its name in Anki then, and a sound is a token `SOUND`.
        """
        if not _has_concerned(tokens):
            return tokens
        self._open.clear()
        return [self._settled(token) if token.children else token for token in tokens]

    def _settled(self, block: Token) -> Token:
        settled = copied(block)
        settled.children = list(self._inline(block.children or ()))
        return settled

    def _inline(self, tokens: Sequence[Token]) -> Iterator[Token]:
        for token in tokens:
            if token.type == "link_open":
                yield from self._opened(token)
            elif token.type == "link_close":
                closing = self._open.pop() if self._open else None
                yield from (token,) if closing is None else closing
            elif token.type == "image":
                yield from self._image(token)
            elif token.type == "text" and "[sound:" in token.content:
                yield from self._marks(token)
            else:
                yield token

    # Links

    def _opened(self, token: Token) -> Sequence[Token]:
        """Return what opens a link, and note what closes it."""
        try:
            href = str(token.attrs.get("href", "")).strip()
            target = self._named_target(href) if BY_NAME in token.meta else self._target(href)
        except _DeadError as dead:
            return self._text_of(token, dead)
        if isinstance(target, str):
            self._open.append(None)
            opening = copied(token)
            opening.attrs["href"] = target
            return [opening]
        space = Token("text", "", 0, content=" ", meta=token.meta)
        self._open.append([space, self._played(target, token)])
        return []

    def _target(self, href: str) -> str | _File:
        """Return what a link opens, as Anki has it, or the sound that is played in its place.

        Raises _DeadError.
        """
        if OPENED.match(href) or href.startswith("//"):
            return f"https:{href}" if href.startswith("//") else href
        _require_path(href)
        path, _, part_of_it = href.partition("#")
        if Path(unquote(path)).suffix.lower() in PAGES:
            raise _DeadError(self._in_project(path), "a card opens no Markdown", _SAY)
        try:
            file = self._found(href)
        except _UnusableError as error:
            raise _DeadError(self._in_project(path), error.message, error.hint) from error
        except OSError as error:
            raise _DeadError(self._in_project(path), *_why_not(error, path)) from error
        if file.suffix not in PLAYED | LINKED:
            what = "a card links to documents, pictures and sounds alone"
            raise _DeadError(self._in_project(path), what, "link to it on the web, or show it")
        return self._linked_file(file, part_of_it)

    def _named_target(self, href: str) -> str | _File:
        """Return what a link to a file's name opens, as `_target` does."""
        name, _, part_of_it = href.partition("#")
        try:
            return self._linked_file(self._by_name(name.strip()), part_of_it)
        except _UnusableError as error:
            raise _DeadError(name, error.message, error.hint) from error
        except OSError as error:
            raise _DeadError(name, *_why_not(error, name)) from error

    def _linked_file(self, file: _File, part_of_it: str) -> str | _File:
        if file.suffix in PLAYED:
            return file
        # Anki packs no file that only a link names, unless its name begins so.
        name = self._packed(file, "_").name
        return f"{name}#{part_of_it}" if _is_part(part_of_it, file) else name

    def _text_of(self, token: Token, dead: _DeadError) -> Sequence[Token]:
        """Tell that a link leads nowhere, and return what opens its text, which is shown."""
        message = f"{short(dead.target)} leads nowhere: {dead.why}"
        self._warn(token, Code.LINK_DEAD, message, dead.hint)
        title = token.attrs.get("title")
        if token.markup == "autolink":  # nothing but its brackets said that it is one
            self._open.append([_text(token, ">")])
            return [_text(token, "<")]
        if not title:
            self._open.append([])
            return []
        self._open.append([Token("html_close", "span", 0, meta=token.meta)])
        return [Token("html_open", "span", 0, attrs={"title": title}, meta=token.meta)]

    def _in_project(self, target: str) -> str:
        """Return the path of a target in the project, which is the same for all who link to it."""
        path = posixpath.normpath(posixpath.join(self._folder, unquote(target)))
        is_elsewhere = path.startswith(("..", "/")) or _HOST.match(target)
        return unquote(target) if is_elsewhere else path

    # Pictures and sounds

    def _image(self, token: Token) -> Sequence[Token]:
        try:
            return self._picture(token, str(token.attrs["src"]).strip())
        except _UnusableError as error:
            problem = Problem(Code.IMAGE_UNUSABLE, error.message, place(token), error.hint)
            self._problems[problem] = None
            return ()

    def _picture(self, token: Token, source: str) -> Sequence[Token]:
        """Return what stands in the place of a picture. Raises _UnusableError."""
        if EMBEDDED.fullmatch(source):
            return [token]
        if _ON_THE_WEB.match(source):
            return self._on_the_web(token, source)
        by_name = BY_NAME in token.meta
        if not by_name and self._kind(source) in PAGES:
            name = self._in_project(source.partition("#")[0])
            message = f"{short(name)} is Markdown, of which a card shows no part"
            self._warn(token, Code.LINK_DEAD, message, _SAY)
            return [_text(token, token.content or name)]
        name = source if by_name else unquote(source)
        try:
            file = self._by_name(source) if by_name else self._found(source)
        except OSError as error:
            raise _UnusableError(f"{name} {_how(error)}", _hint(error)) from error
        if file.suffix in PLAYED:
            return [self._played(file, token)]
        if file.suffix not in SHOWN:
            message = f"{name} is no picture: the card links to it"
            self._warn(token, Code.IMAGE_LINKED, message, "write it as a link, without the !")
            return self._linked(token, self._packed(file, "_").name, name)
        return [token.copy(attrs={**token.attrs, "src": self._packed(file).name})]

    def _kind(self, source: str) -> str:
        """Return the suffix of a picture's file. Raises _UnusableError if none can be packed."""
        if source[:5].lower() == "data:":
            raise _UnusableError("no picture of this kind can stand in the text", _SAVE)
        if SCHEME.match(source):
            raise _UnusableError("this image would be fetched while reviewing", _SAVE)
        if FORBIDDEN.search(unquote(source)):
            raise _UnusableError(f"{unquote(source)!r} is no name of a file", _RELATIVE)
        for each in _candidates(source, self._folder):
            suffix = Path(each).suffix.lower()
            if suffix in SHOWN | PLAYED | LINKED | PAGES:
                return suffix
        message = f"{unquote(source)} is neither an image nor a sound"
        raise _UnusableError(message, "show text in a fence")

    def _on_the_web(self, token: Token, source: str) -> Sequence[Token]:
        address = f"https:{source}" if source.startswith("//") else source
        instead = "its text" if None in self._open else "a link to it"
        message = f"{short(source)} is on the web: the card shows {instead}, and no picture"
        self._warn(token, Code.IMAGE_LINKED, message, _SAVE)
        return self._linked(token, address, source)

    def _linked(self, token: Token, href: str, name: str) -> Sequence[Token]:
        """Return a link in the place of a picture; in a link, only the picture's text."""
        shown = _text(token, token.content or name)
        if None in self._open:
            return [shown]
        opening = Token("link_open", "a", 1, attrs={"href": href}, meta=token.meta)
        if "title" in token.attrs:
            opening.attrs["title"] = token.attrs["title"]
        return [opening, shown, Token("link_close", "a", -1, meta=token.meta)]

    def _played(self, file: _File, token: Token) -> Token:
        mark = f"[sound:{self._packed(file).name}]"
        self.sounds.add(mark)
        return Token(SOUND, "", 0, content=mark, meta=token.meta)

    def _marks(self, token: Token) -> Iterator[Token]:
        """Yield a text with the sounds that it names by Anki's own mark."""
        position = 0
        for found in _MARK.finditer(token.content):
            mark = part(token, *found.span())
            sound = self._marked(mark, found[1])
            if sound:
                if found.start() > position:
                    yield part(token, position, found.start())
                yield sound
                position = found.end()
        if position < len(token.content):
            yield part(token, position, len(token.content))

    def _marked(self, mark: Token, name: str) -> Token | None:
        """Return the sound that a mark names; None where it names none, which is told."""
        if is_escaped(mark):
            return None
        hint = "write `[sound:…]` in backticks if it is text"
        if SCHEME.match(name) or Path(name).suffix.lower() not in PLAYED:
            how = "it is no sound of the project"
        else:
            try:
                return self._played(self._found(name), mark)
            except OSError as error:
                how = f"it {_how(error)}"
            except _UnusableError as error:
                how = error.message
        self._warn(mark, Code.LINK_DEAD, f"{short(name)} is not played: {how}", hint)
        return None

    # Files

    def _found(self, written: str) -> _File:
        """Return the file that an address names.

        In a vault of Obsidian's a path may leave folders out. Raises OSError, of its first reading;
        _UnusableError where a search by the name finds none, or several.
        """
        first: OSError | None = None
        for path in _candidates(written, self._folder):
            try:
                return self._read(path)
            except OSError as error:
                first = first or error
        if self._named.is_in_vault(self._folder):
            return self._by_name(unquote(_bare(written)))
        assert first
        raise first

    def _by_name(self, name: str) -> _File:
        """Return the only file of a name. Raises OSError, and _UnusableError where none is."""
        search = Search(name, self._folder, self._named.find(name, self._folder))
        if len(search.found) == 1:
            return self._read(search.found[0], search)
        for each in search.found or (posixpath.join(self._folder, name),):
            with suppress(OSError):
                self._files[ImageFile("", each, self._read(each).hash, search)] = None
        if search.found:
            message = f"{name} may be {' or '.join(search.found)}"
            raise _UnusableError(message, "write so much of its path that it is one of them")
        hint = "it is looked for by its name in the whole project, hidden folders left out"
        raise _UnusableError(f"there is no file {name}", hint)

    def _read(self, path: str, search: Search | None = None) -> _File:
        """Return a file that can be packed. Raises OSError, of which the card follows, too."""
        try:
            return _File(path, _HASHES.of(self._root / path, (self._root,)), search)
        except OSError as error:
            self._files[ImageFile("", path, error.strerror or "", search)] = None
            raise

    def _packed(self, file: _File, prefix: str = "") -> ImageFile:
        packed = file.named(prefix)
        self._files[packed] = None
        return packed

    # Problems

    def _warn(self, token: Token, code: Code, message: str, hint: str) -> None:
        problem = Problem(code, message, place(token), hint, Severity.WARNING)
        self._problems[problem] = None


_SAVE = "save it in the project"
_SAY = "say on the card what stands there, or link to it on the web"


def _has_concerned(tokens: Sequence[Token]) -> bool:
    """Return whether any link, picture or sound is among tokens: in most cards there is none."""
    for token in tokens:
        for each in token.children or ():
            if each.type in _CONCERNED or (each.type == "text" and "[sound:" in each.content):
                return True
    return False


@lru_cache(maxsize=256)
def _candidates(written: str, folder: str) -> Sequence[str]:
    """Return the paths that an address may mean, relative to the project.

    What stands behind `?` or `#` may be part of a name or not. Windows writes a backslash
    between folders, and a letter with an accent may be one character or two. A path that begins
    with a slash begins at the project, as it does at a site's.
    """
    whole, bare = unquote(written), unquote(_bare(written))
    forms = [whole, bare, whole.replace("\\", "/"), bare.replace("\\", "/")]
    forms += [normalize(form, each) for each in forms[:2] for form in ("NFC", "NFD")]
    paths = [str(Path(folder) / each) for each in dict.fromkeys(forms) if each]
    paths += [each.lstrip("/") for each in forms[:2] if each.startswith("/")]
    return tuple(dict.fromkeys(each for each in paths if each))


def _bare(address: str) -> str:
    """Return an address without what stands behind a `?` or `#`."""
    return re.split("[?#]", address, maxsplit=1)[0]


def _require_path(href: str) -> None:
    """Raise _DeadError for an address that cannot be a file's."""
    name = unquote(href)
    if not href:
        raise _DeadError("this link", "it has no address", "write one between its brackets")
    if href.startswith("#"):
        raise _DeadError("a link into its page", "a card is no part of it", _SAY)
    if SCHEME.match(href):
        hint = "a link begins with https:// or is a path"
        raise _DeadError(href, "a card opens no such address", hint)
    if FORBIDDEN.search(name):
        raise _DeadError(repr(name), "no file has such a name", _RELATIVE)


def _is_part(fragment: str, file: _File) -> bool:
    """Tell whether what stands behind a `#` is a place in a file, and no end of its name."""
    return bool(fragment) and not file.path.endswith(unquote(fragment))


def _why_not(error: OSError, path: str) -> tuple[str, str]:
    """Return why a link's file cannot be packed, and a hint."""
    why = error.strerror or str(error)
    why = f"it is {why}" if why in {OUTSIDE, HIDDEN} else why
    begins = "mailto:" if "@" in path else "https://"
    return why, f"write {begins} in front of it" if _HOST.match(path) else _hint(error)


def _how(error: OSError) -> str:
    """Return what is wrong with a file, to be said behind its name."""
    why = error.strerror or ""
    return f"is {why}" if why in {OUTSIDE, HIDDEN} else f"cannot be read: {why or error}"


def _hint(error: OSError) -> str:
    return hint_of(error) or _RELATIVE


def _text(token: Token, content: str) -> Token:
    return Token("text", "", 0, content=content, meta=token.meta)
