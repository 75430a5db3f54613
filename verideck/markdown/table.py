r"""Tables, as GFM has them, in which nothing leaves a row.

GFM takes every `|` without a backslash for the end of a cell, also in code and in maths, and drops
the cells that a row has beyond those of its head. Here a row that has more is divided anew, with
code, maths and links to notes left whole; what is still too much stays in its last cell, and is
told.

A bar with a backslash is a bar, and a double bar in maths: that of a norm, `$\|x\|$`, stays one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from markdown_it.rules_block import StateBlock

from verideck.markdown.faults import report_line
from verideck.markdown.positions import COLUMN
from verideck.problems import Code

_HEAD = "verideck-head"
"""Key of the parser's environment: the line of the table that ended a paragraph last."""
_RULE = re.compile(r"[-:|][-:| \t]*")
_ALIGNMENT = re.compile(r"(:?)-+(:?)")
_ALIGNED = {(":", ":"): "center", ("", ":"): "right", (":", ""): "left"}
_BAR = re.compile(r"\\\|")
_MARK = re.compile(r"`+|\$+")
_WHOLE = re.compile(r"\[\[[^\[\]]+\]\]|\\\(.{1,200}?\\\)")
"""A link to a note, and maths between brackets."""
_MOST_ADDED = 0x10000
"""Cells that are added to rows which are too short: a short text must not make a huge table."""


class _Cell(NamedTuple):
    start: int
    """Its position in the text of its row."""
    written: str
    """Its text, in which a bar has a backslash before it."""


def rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Match a table. It ends a paragraph, also that of a list item which it stands beneath."""
    under_begins = state.bMarks[start + 1] + state.tShift[start + 1] if start + 1 < end else -1
    if not state.src.startswith(("|", "-", ":"), under_begins) or under_begins < 0:
        return False  # most lines
    if not silent and state.sCount[start + 1] < state.blkIndent:
        return False
    head, under = _row(state, start), _row(state, start + 1)
    is_heading = "|" not in head and not {"|", ":"}.intersection(under)
    if is_heading or state.is_code_block(start + 1) or not _RULE.fullmatch(under):
        return False
    alignments = _alignments(under)
    if not alignments:
        return False
    cells = _fitting(head, len(alignments))
    if len(cells) != len(alignments):
        if "|" in under and "|" in head:
            message = (
                f"no table: {len(cells)} cells in its head, {len(alignments)} in the line below"
            )
            hint = "give the line of dashes as many cells as the head"
            report_line(state, start, Code.TABLE_UNEVEN, message, hint)
        return False
    if silent:
        state.env[_HEAD] = start
    else:
        _push(state, start, end, cells, alignments)
    return True


def begun(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Match the table that has ended the paragraph above, whatever its head looks like.

    An item of a list with another number than 1 ends no paragraph. Within a list it may be none.
    """
    return state.env.get(_HEAD) == start and rule(state, start, end, silent)


def is_rule(line: str) -> bool:
    """Return whether a line is written as the one beneath a table's head: dashes between bars."""
    under = line.strip(" \t")
    return "|" in under and _RULE.fullmatch(under) is not None and bool(_alignments(under))


def _row(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].rstrip(" \t")


def _alignments(under: str) -> Sequence[str]:
    """Return how the columns are aligned; nothing if the line is no rule beneath a table's head."""
    if under[0] == "-" and under[1:2] in {" ", "\t"}:
        return ()  # a list item
    found = [_ALIGNMENT.fullmatch(cell.written) for cell in _divided(under)]
    return () if None in found else [_ALIGNED.get((each[1], each[2]), "") for each in found if each]


def _fitting(row: str, columns: int) -> list[_Cell]:
    """Divide a row; where it has too many cells, with code, maths and links left whole."""
    cells = _divided(row)
    return cells if len(cells) <= columns else _divided(row, _spans(row))


def _spans(row: str) -> Iterator[range]:
    """Yield where code, maths and links to notes stand, none in another."""
    others = (range(*found.span()) for found in _WHOLE.finditer(row))
    position = 0
    for span in sorted([*_marked(row), *others], key=lambda each: each.start):
        if span.start >= position:
            yield span
            position = span.stop


def _marked(row: str) -> Iterator[range]:
    """Yield where code and maths stand: from a run of marks to the next that is as long."""
    runs = [(mark.group(), mark.start(), mark.end()) for mark in _MARK.finditer(row)]
    closing: dict[str, tuple[int, int]] = {}
    partners: list[tuple[int, int]] = []
    for mark, start, end in reversed(runs):
        partners.append(closing.get(mark, (-1, -1)))
        closing[mark] = start, end
    position = 0
    for (_, start, _), (_, stop) in zip(runs, reversed(partners), strict=True):
        if start >= position and stop > start:
            yield range(start, stop)
            position = stop


def _divided(row: str, whole: Iterable[range] = ()) -> list[_Cell]:
    """Divide a row at each `|` that has no backslash before it and stands in no whole part."""
    cells: list[_Cell] = []
    spans = iter(whole)
    span = next(spans, None)
    start = 0
    for pipe in re.finditer(r"\|", row):
        position = pipe.start()
        while span and span.stop <= position:
            span = next(spans, None)
        if row[position - 1 : position] == "\\" or (span and position in span):
            continue
        cells.append(_cell(row, start, position))
        start = position + 1
    cells.append(_cell(row, start, len(row)))
    if not cells[0].written:
        cells.pop(0)
    if cells and not cells[-1].written:
        cells.pop()
    return cells


def _cell(row: str, start: int, end: int) -> _Cell:
    text = row[start:end]
    return _Cell(start + len(text) - len(text.lstrip()), text.strip())


def _push(
    state: StateBlock, start: int, end: int, head: Sequence[_Cell], alignments: Sequence[str]
) -> None:
    parent, state.parentType = state.parentType, "table"
    ends = state.md.block.ruler.getRules("blockquote")
    table = state.push("table_open", "table", 1)
    _open(state, "thead", start)
    _push_row(state, start, "th", head, alignments)
    state.push("thead_close", "thead", -1)
    line, added, body = start + 2, 0, None
    while line < end and state.sCount[line] >= state.blkIndent:
        row = _row(state, line)
        is_end = any(each(state, line, end, True) for each in ends)  # noqa: FBT003 - markdown-it's signature
        if is_end or not row.strip() or state.is_code_block(line):
            break
        cells = _fitting(row, len(alignments))
        added += len(alignments) - len(cells)
        if added > _MOST_ADDED:
            break
        if len(cells) > len(alignments):
            cells = _told(state, line, row, cells, len(alignments))
        if body is None:
            body = _open(state, "tbody", line)
        _push_row(state, line, "td", cells, alignments)
        line += 1
    if body:
        state.push("tbody_close", "tbody", -1)
        body[1] = line
    state.push("table_close", "table", -1)
    table.map = [start, line]
    state.parentType = parent
    state.line = line


def _told(
    state: StateBlock, line: int, row: str, cells: Sequence[_Cell], columns: int
) -> list[_Cell]:
    """Return the cells of a row that has too many, what is too much in the last one."""
    message = f"this row has {len(cells)} cells, and its table {columns}"
    hint = r"the last one holds the rest; a bar that ends no cell is written \|"
    report_line(state, line, Code.TABLE_UNEVEN, message, hint)
    last = cells[columns - 1]
    stop = cells[-1].start + len(cells[-1].written)
    return [*cells[: columns - 1], _Cell(last.start, row[last.start : stop].strip())]


def _open(state: StateBlock, tag: str, line: int) -> list[int]:
    token = state.push(f"{tag}_open", tag, 1)
    token.map = [line, line + 1]
    return token.map


def _push_row(
    state: StateBlock,
    line: int,
    tag: Literal["th", "td"],
    cells: Sequence[_Cell],
    alignments: Sequence[str],
) -> None:
    begin = state.bMarks[line] + state.tShift[line]
    column = begin - (state.src.rfind("\n", 0, begin) + 1)
    _open(state, "tr", line)
    for number, alignment in enumerate(alignments):
        cell = cells[number] if number < len(cells) else _Cell(0, "")
        token = state.push(f"{tag}_open", tag, 1)
        if alignment:
            token.attrs = {"style": f"text-align:{alignment}"}
        inline = state.push("inline", "", 0)
        inline.map, inline.children = [line, line + 1], []
        inline.content = cell.written.replace(r"\|", "|")
        bars = [found.start() - before for before, found in enumerate(_BAR.finditer(cell.written))]
        inline.meta[COLUMN] = column + cell.start, bars
        state.push(f"{tag}_close", tag, -1)
    state.push("tr_close", "tr", -1)
