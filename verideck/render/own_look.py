"""The look that a project gives its cards: a style sheet behind ours, and templates for ours.

What is read here is Anki's to execute on a learner's machine, so it is held to what cards are held
to: nothing of it runs, nothing is fetched. And it must not cost a learner a card: a template shows
what its card asks and answers, and only a note that has `Reverse` is asked in reverse.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from verideck.model import FIELDS, FORBIDDEN, Identity, Kind, Note, NoteType, Place, Template
from verideck.problems import Code, Problem, Problems, suggestion
from verideck.render.faces import TemplateError, faces
from verideck.render.note_types import STEMS, note_types
from verideck.storage.files import place_name
from verideck.storage.reading import Limit, hint_of, names_in, read

if TYPE_CHECKING:
    from verideck.render.held_look import Objection

_SIDES = ("front", "back")


@dataclass(frozen=True, slots=True)
class OwnLook:
    """The note types of a project."""

    note_types: Mapping[Kind, NoteType]
    files: frozenset[str] = frozenset()
    """The files that they follow from, as a `Place` names them; some may be missing."""


def own_look(
    root: Path, css: str, templates: str, where: Mapping[str, Place], problems: Problems
) -> OwnLook:
    """Return the note types, with a project's style sheet and templates as far as they are right.

    `css` names a file, `templates` a folder, both from the project's folder; either may be empty.
    `where` has the places of these settings. Reports what is wrong with what they name.
    """
    types = note_types()
    reader = _Reader(root, where, problems)
    sheet = reader.sheet(css) if css else ""
    given = reader.templates(templates) if templates else {}
    if not sheet and not given:
        return OwnLook(MappingProxyType(types), frozenset(reader.files))
    for kind, ours in types.items():
        types[kind] = replace(ours, css=f"{ours.css}\n{sheet}" if sheet else ours.css)
        changed = tuple(_with(each, given) for each in ours.templates)
        if changed != ours.templates and not _objections(
            replace(types[kind], templates=changed), kind, given, problems
        ):
            types[kind] = replace(types[kind], templates=changed)
    return OwnLook(MappingProxyType(types), frozenset(reader.files))


@dataclass(frozen=True, slots=True)
class _Given:
    """A template's side as a project writes it."""

    text: str
    path: str

    def at(self, position: int = 0) -> Place:
        """Return the place of a character."""
        above = self.text.count("\n", 0, position)
        return Place(self.path, above + 1, position - self.text.rfind("\n", 0, position))


_Sides = Mapping[tuple[int, str], _Given]
"""By the id of the template, and the side."""


class _Reader:
    """Reads what a project gives, and reports what it cannot hold."""

    def __init__(self, root: Path, where: Mapping[str, Place], problems: Problems) -> None:
        self._root = root
        self._where = where
        self._problems = problems
        self.files: set[str] = set()

    def sheet(self, name: str) -> str:
        """Return a style sheet; empty if it cannot be used."""
        from verideck.render.held_look import objection_to_sheet  # noqa: PLC0415 - few have one

        text = self._text(self._root / name, "css")
        given = _Given(text, place_name(self._root / name, self._root))
        if wrong := objection_to_sheet(text):
            self._problems.report(_problem(Code.STYLE_INVALID, wrong, given))
            return ""
        return text

    def templates(self, name: str) -> _Sides:
        """Return the sides that stand in a folder."""
        from verideck.render.held_look import objection_to_template  # noqa: PLC0415 - as above

        known = {
            f"{stem}.{side}.html": (id_, side) for id_, stem in STEMS.items() for side in _SIDES
        }
        found: dict[tuple[int, str], _Given] = {}
        folder = self._root / name
        try:
            names = names_in(folder, (self._root,))
        except OSError as error:
            self._unreadable("templates", error)
            return {}
        for each in names:
            if each not in known:
                if each.endswith(".html"):
                    self._problems.report(_unknown(place_name(folder / each, self._root), known))
                continue
            given = _Given(
                self._text(folder / each, "templates"), place_name(folder / each, self._root)
            )
            if wrong := objection_to_template(given.text):
                self._problems.report(_problem(Code.TEMPLATE_INVALID, wrong, given))
            elif given.text:
                found[known[each]] = given
        return found

    def _text(self, file: Path, setting: str) -> str:
        self.files.add(place_name(file, self._root))
        try:
            text = read(file, Limit.TEXT, (self._root,)).decode().replace("\r\n", "\n")
        except OSError as error:
            self._unreadable(setting, error)
            return ""
        except UnicodeDecodeError:
            return self._refused(file, "it is not UTF-8")
        return self._refused(file, "it has a control character") if FORBIDDEN.search(text) else text

    def _refused(self, file: Path, why: str) -> str:
        message = f"this file cannot be used: {why}"
        place = Place(place_name(file, self._root))
        self._problems.report(Problem(Code.FILE_UNREADABLE, message, place))
        return ""

    def _unreadable(self, setting: str, error: OSError) -> None:
        name = place_name(Path(str(error.filename)), self._root)
        message = f"{setting} names {name}, which cannot be read: {error.strerror or error}"
        problem = Problem(Code.SETTING_INVALID, message, self._where[setting], hint_of(error))
        self._problems.report(problem)


def _problem(code: Code, wrong: Objection, given: _Given) -> Problem:
    return Problem(code, wrong.message, given.at(wrong.position), wrong.hint)


def _unknown(path: str, known: Mapping[str, object]) -> Problem:
    message = "no template is called so"
    hint = suggestion(Path(path).name, frozenset(known), f"there are {', '.join(known)}")
    return Problem(Code.TEMPLATE_INVALID, message, Place(path), hint)


def _with(template: Template, given: _Sides) -> Template:
    front, back = (given.get((template.id, side)) for side in _SIDES)
    return replace(
        template,
        front=front.text if front else template.front,
        back=back.text if back else template.back,
    )


def _objections(note_type: NoteType, kind: Kind, given: _Sides, problems: Problems) -> bool:
    """Report what is wrong with the templates of a note type. Returns whether anything is."""
    found: list[Problem] = []
    for number, template in enumerate(note_type.templates):
        own = {side: given[template.id, side] for side in _SIDES if (template.id, side) in given}
        if own:
            found += _wrong(note_type, number, kind, own)
    problems.extend(found)
    return bool(found)


def _wrong(
    note_type: NoteType, number: int, kind: Kind, own: Mapping[str, _Given]
) -> Iterator[Problem]:
    for side, given in own.items():
        try:
            faces(_example(kind), _only(note_type, number, side, given.text))
        except TemplateError as error:
            names = frozenset({*FIELDS, "FrontSide"})
            hint = suggestion(error.name, names, f"the fields are {', '.join(FIELDS)}")
            message = str(error).partition(": ")[2]  # the file says of which template
            yield Problem(Code.TEMPLATE_INVALID, message, given.at(error.position), hint)
            return
    template = note_type.templates[number]
    is_reverse = STEMS[template.id].endswith("reverse")
    asked, answered = ("Answer", "Question") if is_reverse else ("Question", "Answer")
    front, back = own.get("front"), own.get("back")
    shown = [_Shown.of(each, note_type, number + 1) for each in _examples(kind)]
    cards = [each for each in shown if not is_reverse or each.note.fields["Reverse"]]
    loses = _loses(front, kind, asked, [each.front for each in cards]) if front else None
    if back and not loses:
        loses = _loses_back(back, kind, answered, cards)
    if loses:
        yield loses
    elif front and any(each.front for each in shown if each not in cards):
        message = "every note would get a second card by this template"
        hint = "put {{#Reverse}} and {{/Reverse}} around what it shows"
        yield Problem(Code.TEMPLATE_INVALID, message, front.at(), hint)


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a template shows of a note."""

    note: Note
    front: str
    """Empty if the note has no card by the template."""
    back: str

    @classmethod
    def of(cls, note: Note, note_type: NoteType, number: int) -> _Shown:
        """Show a note; the template is the one of that number."""
        card = next((each for each in faces(note, note_type) if each.number == number), None)
        return cls(note, card.front if card else "", card.back if card else "")


def _loses_back(back: _Given, kind: Kind, answered: str, cards: Sequence[_Shown]) -> Problem | None:
    """The problem of a back that lacks the answer, or a deletion's text, of some note."""
    typed = f"[[type:{answered}]]"
    texts = [
        each.back.replace(typed, _MARK[answered]) for each in cards if each.note.fields[answered]
    ]
    loses = _loses(back, kind, answered, texts)
    if loses or kind is not Kind.CLOZE:
        return loses
    return _loses(back, kind, "Question", [each.back for each in cards])


def _loses(given: _Given, kind: Kind, field: str, sides: Sequence[str]) -> Problem | None:
    """The problem of a template that does not show a field on some of these sides."""
    shows = [_MARK[field] in each for each in sides]
    if all(shows):
        return None
    name = f"cloze:{field}" if kind is Kind.CLOZE and field == "Question" else field
    message = f"this template loses the {field.lower()}: nothing in it shows {field}"
    hint = f"write {{{{{name}}}}}"
    if any(shows):
        message = f"this template loses the {field.lower()} of notes that lack another field"
        hint = f"{hint} outside of the sections of other fields"
    return Problem(Code.TEMPLATE_INVALID, message, given.at(), hint)


def _only(note_type: NoteType, number: int, side: str, text: str) -> NoteType:
    """A note type whose templates are well-formed but for one side, to find out whether that is."""
    plain = "{{cloze:Question}}" if note_type.is_cloze else "{{Question}}"
    template = replace(note_type.templates[number], front=plain, back=plain)
    changed = replace(template, front=text) if side == "front" else replace(template, back=text)
    return replace(note_type, templates=(changed,))


_MARK: Mapping[str, str] = {name: f"the-{name.lower()}-of-it" for name in FIELDS}


_OPTIONAL = ("Extra", "Hint", "Proof", "Source", "Reverse")
"""The fields that a note of any kind may lack. A cloze note may lack its answer, too."""


def _examples(kind: Kind) -> Iterator[Note]:
    """Notes that lack nothing, and each combination of what a note may lack."""
    optional = [*_OPTIONAL, *(["Answer"] if kind is Kind.CLOZE else [])]
    for count in range(len(optional) + 1):
        for lacking in combinations(optional, count):
            yield _example(kind, frozenset(lacking))


def _example(kind: Kind, lacking: AbstractSet[str] = frozenset()) -> Note:
    """A note all of whose fields hold something, but for those that it lacks."""
    fields = {name: "" if name in lacking else text for name, text in _MARK.items()}
    if kind is Kind.CLOZE:
        fields["Question"] = f"{{{{c1::{_MARK['Question']}}}}} {_MARK['Question']}"
    return Note(
        kind, "", fields, (), (), Place(""), Identity("", written=False, guid="", question="")
    )
