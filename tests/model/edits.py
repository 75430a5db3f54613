"""The edits that an author makes. Two numbers say of what, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from model.draft import Draft
from model.pages import FORMS, Sheet, copied, sheets
from verideck.model import Kind


def _insert(draft: Draft, one: int, other: int) -> None:
    kind = [Kind.BASIC, Kind.CLOZE, Kind.TYPED, Kind.CLOZE][one % 4]
    sheet = draft.new(kind, han=bool(other % 2), cloze_answer=bool(one % 8 < 4))
    here = draft.page(other).sheets
    here.insert(one % (len(here) + 1), sheet)


def _reword(draft: Draft, one: int, other: int) -> None:
    """A word of the question, or all of it that is not hidden."""
    sheet = draft.sheet(one)
    if sheet:
        plain = [part for part in sheet.parts if not part.hidden]
        for part in plain if other % 3 == 0 else [plain[other % len(plain)]]:
            (part.text,) = draft.units(1, han=sheet.han)


def _answer(draft: Draft, one: int, other: int) -> None:
    """A word of the answer, or all of it."""
    sheet = draft.sheet(one)
    if sheet and sheet.answer:
        if other % 3 == 0:
            sheet.answer = draft.units(14, han=sheet.han)
        else:
            sheet.answer[other % len(sheet.answer)] = draft.units(1, han=sheet.han)[0]


def _both(draft: Draft, one: int, other: int) -> None:
    """A word of each."""
    _reword(draft, one, 3 * other + 1)
    _answer(draft, one, 3 * other + 1)


def _retag(draft: Draft, one: int, other: int) -> None:
    if sheet := draft.sheet(one):
        sheet.tags = tuple(
            sorted({"core", "a::b", "标签"} - {("core", "a::b", "标签", "")[other % 4]})
        )


def _reorder(draft: Draft, one: int, other: int) -> None:
    here = draft.tree[one % len(draft.tree)].sheets
    here.append(here.pop(other % len(here)))


def _delete(draft: Draft, one: int, _: int) -> None:
    if sheet := draft.sheet(one):
        for page in draft.tree:
            page.sheets = [each for each in page.sheets if each is not sheet]


def _bring_back(draft: Draft, one: int, other: int) -> None:
    """As it was, or with another answer."""
    here = {sheet.key for sheet in sheets(draft.tree)}
    gone = [sheet for key, sheet in sorted(draft.ever.items()) if key not in here]
    if gone:
        sheet = gone[one % len(gone)].copy()
        if other % 3 == 0 and sheet.answer:
            sheet.answer = draft.units(14, han=sheet.han)
        draft.page(other).sheets.append(sheet)


def _move(draft: Draft, one: int, other: int) -> None:
    if sheet := draft.sheet(one):
        _delete(draft, one, other)
        here = draft.page(other).sheets
        here.insert(one % (len(here) + 1), sheet)


def _rename(draft: Draft, one: int, other: int) -> None:
    """A file, or the folder of several."""
    page = draft.tree[one % len(draft.tree)]
    if other % 2:
        page.name = draft.count()
    else:
        old, new = page.folder, draft.count()
        for each in draft.tree:
            each.folder = new if each.folder == old else each.folder


def _reform(draft: Draft, one: int, other: int) -> None:
    draft.tree[one % len(draft.tree)].form = list(FORMS)[other % 3]


def _hide(draft: Draft, one: int, other: int) -> None:
    """A deletion more, maybe one that was; those behind it are counted on, or it is left out."""
    sheet = draft.sheet(one, Kind.CLOZE)
    plain = [part for part in sheet.parts if not part.hidden] if sheet else []
    if sheet and len(plain) > 2:
        part = plain[other % len(plain)]
        number = other // 3 % (len(sheet.deletions) + 1) + 1
        if any(each.number == number for each in sheet.deletions.values()):
            for each in sheet.deletions.values():
                each.number = each.number and each.number + (each.number >= number)
        part.number = None if other % 5 == 0 else number
        part.hidden = True
        part.deletion = part.deletion or draft.count()


def _unhide(draft: Draft, one: int, other: int) -> None:
    """A deletion less; the others are counted anew, or not."""
    sheet = draft.sheet(one, Kind.CLOZE)
    if sheet and len(sheet.deletions) > 1:
        part = list(sheet.deletions.values())[other % len(sheet.deletions)]
        part.hidden = False
        if other % 3:
            _recount(sheet, 0)


def _renumber(draft: Draft, one: int, other: int) -> None:
    """Written numbers are the draft's own; so are none."""
    if sheet := draft.sheet(one, Kind.CLOZE):
        if other % 4 == 0:
            for part in sheet.deletions.values():
                part.number = None
        else:
            _recount(sheet, other)


def _recount(sheet: Sheet, shift: int) -> None:
    parts = list(sheet.deletions.values())
    for place, part in enumerate(parts):
        part.number = (place + shift) % len(parts) + 1 + (shift % 5 == 4)


def _hide_otherwise(draft: Draft, one: int, other: int) -> None:
    """A hidden text gets a word more."""
    if sheet := draft.sheet(one, Kind.CLOZE):
        part = list(sheet.deletions.values())[other % len(sheet.deletions)]
        part.text = sheet.joined([part.text, *draft.units(1, han=sheet.han)])


def _put(draft: Draft, one: int, other: int) -> None:
    """Other texts are hidden where some were; two of a card may exchange their places instead."""
    if sheet := draft.sheet(one, Kind.CLOZE):
        parts = list(sheet.deletions.values())
        if other % 3 == 0 and len(parts) > 1:
            first, second = parts[:2]
            first.text, second.text = second.text, first.text
            first.deletion, second.deletion = second.deletion, first.deletion
        else:
            for part in parts if other % 3 == 1 else parts[:1]:
                (part.text,) = draft.units(1, han=sheet.han)


def _write_id(draft: Draft, one: int, _: int) -> None:
    nameless = [sheet for sheet in sheets(draft.tree) if not sheet.id]
    if nameless:
        nameless[one % len(nameless)].id = f"id-{draft.count()}"


def _take_id_away(draft: Draft, one: int, _: int) -> None:
    named = [sheet for sheet in sheets(draft.tree) if sheet.id]
    if named:
        named[one % len(named)].id = ""


def _undo(draft: Draft, one: int, _: int) -> None:
    """All that was done since one of the last builds; the lock stays."""
    if draft.past:
        draft.tree = copied(draft.past[-1 - one % min(3, len(draft.past))])


def _split(draft: Draft, one: int, other: int) -> None:
    """Two cards where there was one, each of them changed a little."""
    sheet = draft.sheet(one)
    if sheet and sheet.kind is not Kind.CLOZE:
        twin = replace(sheet.copy(), key=draft.count(), id="", source=sheet.key)
        for each, place in ((sheet, 2), (twin, 4)):
            (each.parts[place].text,) = draft.units(1, han=sheet.han)
        draft.page(other).sheets.append(twin)


def _ask_again(draft: Draft, one: int, other: int) -> None:
    """A new card asks what another one asked formerly."""
    if draft.former:
        was = draft.former[one % len(draft.former)]
        sheet = replace(was.copy(), key=draft.count(), id="", source=was.key)
        sheet.answer = draft.units(14, han=sheet.han) if was.answer else []
        for part in sheet.deletions.values():
            part.deletion = draft.count()
        draft.page(other).sheets.append(sheet)


def _reverse(draft: Draft, one: int, _: int) -> None:
    if sheet := draft.sheet(one, Kind.BASIC):
        sheet.reverse = not sheet.reverse


def _restyle(draft: Draft, one: int, _: int) -> None:
    draft.style = one % 3


EDITS: Mapping[str, Callable[[Draft, int, int], None]] = {
    "insert": _insert,
    "reword": _reword,
    "answer": _answer,
    "both": _both,
    "retag": _retag,
    "reorder": _reorder,
    "delete": _delete,
    "bring back": _bring_back,
    "move": _move,
    "rename": _rename,
    "reform": _reform,
    "hide": _hide,
    "unhide": _unhide,
    "renumber": _renumber,
    "hide otherwise": _hide_otherwise,
    "put": _put,
    "write id": _write_id,
    "take id away": _take_id_away,
    "undo": _undo,
    "split": _split,
    "ask again": _ask_again,
    "reverse": _reverse,
    "restyle": _restyle,
}
